"""The outbox's rows: calls that are owed, calls that are finished, and dead letters; and when a call is tried again.

Only what was promised with its cause (``Actions.owe``: automations) is tried again by the hub. Whoever waits at the
door (``Actions.call``: people, the API, plugins) is told at once how it went and decides for themselves.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from hub.core.action import CONFIRM_WITHIN_S, RETRY_WITHIN_S, ActionSpec, Call, Outcome
from hub.core.clock import Timer
from hub.core.error import ActionFailed, Conflict, HubError, NotFound, StorageFailed, TimedOut, Unavailable
from hub.core.journal import Drop, Put
from hub.core.pipeline import Pipeline

log = logging.getLogger(__name__)

OWED = "owed"  # records of calls that are not finished
DONE = "done"  # records of finished calls, so that a key is never used twice
DEAD = "dead_letters"  # records of calls that were given up
RETENTION = "actions"
MAX_OWED = 5_000
MAX_WAITING = 1_000  # of the owed, those that wait for their next try: one dead network must not fill the outbox
MAX_DONE = 20_000
MAX_LETTERS = 1_000
MAX_LETTER_BYTES = 16_384  # of its parameters; of a larger one only the record stays
MAY_PASS = frozenset({Unavailable.code, StorageFailed.code, TimedOut.code})  # errors after which a later try may do
FIRST_DELAY_S, FACTOR, LONGEST_DELAY_S = 4.0, 4.0, 300.0

Executor = Callable[[Call], Awaitable[Any]]


def delay(tries: int, random: Random) -> float:
    """Seconds from the ``tries``-th try to the next: 4, 16, 64, 256, of which the upper half is drawn by lot, so that
    what a device missed while it was away does not come back to it all at once ("equal jitter")."""
    longest = min(FIRST_DELAY_S * FACTOR ** (tries - 1), LONGEST_DELAY_S)
    return longest * random.uniform(0.5, 1.0)


@dataclass(slots=True)
class Owed:
    """A call that is not finished. ``due``: it waits for its next try until then. ``patient``: the hub itself tries
    again; ``again``: a person had a dead letter sent again, and it stays one until it is done."""

    call: Call
    spec: ActionSpec | None
    asked: float
    confirm_until: float | None = None
    patient: bool = False
    again: bool = False
    tries: int = 0
    due: float | None = None
    error: Mapping[str, Any] | None = None  # of the last try
    gave_up: bool = False
    timer: Timer | None = None
    waiters: list[asyncio.Future[Outcome]] = field(default_factory=list)

    @property
    def private(self) -> bool:
        """Is nothing of its parameters written down?"""
        return self.spec is not None and self.spec.private

    @property
    def params(self) -> dict[str, Any]:
        """What may be written down of its parameters."""
        return {} if self.private else dict(self.call.params)

    @property
    def until(self) -> float:
        """The time after which no try begins."""
        if self.spec is None:  # of a plugin that did not come up yet
            return self.asked + RETRY_WITHIN_S
        within = self.spec.retry.within
        return self.asked + (min(within, CONFIRM_WITHIN_S) if self.spec.dangerous else within)

    @property
    def repeatable(self) -> bool:
        """May the hub itself send it more than once?"""
        return self.patient and self.spec is not None and self.spec.idempotent and not self.spec.private

    def next_try(self, outcome: Outcome, now: float, random: Random) -> float | None:
        """When to try again after this outcome; ``None`` for not at all."""
        if self.spec is None or not self.repeatable or not may_pass(outcome) or self.tries >= self.spec.retry.tries:
            return None
        due = now + delay(self.tries, random)
        return due if due < self.until else None

    def last(self) -> Outcome:
        """The outcome of the last try."""
        timed_out = self.error is not None and self.error.get("code") == TimedOut.code
        return Outcome(self.call.key, "timed_out" if timed_out else "failed", None, self.error)

    def waiter(self) -> asyncio.Future[Outcome]:
        """Done with the final outcome."""
        waiter: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.waiters.append(waiter)
        return waiter

    def tell(self, outcome: Outcome) -> None:
        """Tell who waits."""
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(outcome)

    def record(self) -> Put:
        """Its row."""
        call = self.call
        return Put(OWED, call.key, {
            "action": call.action, "target": call.target, "params": self.params, "key": call.key, "actor": call.actor,
            "cause": call.cause, "depth": call.depth, "asked": self.asked, "confirm_until": self.confirm_until,
            "patient": self.patient, "again": self.again, "tries": self.tries, "due": self.due, "error": self.error,
        }, sealed=RETENTION)  # fmt: skip

    @classmethod
    def from_data(cls, value: Mapping[str, Any], specs: Mapping[str, ActionSpec]) -> Owed:
        """From its row; rows of before there were retries lack their fields."""
        fields = dict(value)
        own = {
            key: fields.pop(key) for key in ("asked", "confirm_until", "patient", "again", "tries", "due", "error")
            if key in fields
        }  # fmt: skip
        return cls(Call(**fields), specs.get(fields["action"]), **own)


def may_pass(outcome: Outcome) -> bool:
    """Did it fail with an error that a later try may not meet?"""
    return outcome.status in ("failed", "timed_out") and (outcome.error or {}).get("code") in MAY_PASS


async def tried(call: Call, executor: Callable[[Call], Executor], limit: float) -> Outcome:
    """One try of at most ``limit`` seconds; whatever goes wrong is its outcome."""
    try:
        async with asyncio.timeout(limit):
            return Outcome(call.key, "done", await executor(call)(call))
    except TimeoutError:
        late = TimedOut(f"no answer within {limit:g} s", where=call.target or call.action)
        return Outcome.failed(call.key, "timed_out", late)
    except HubError as refused:
        return Outcome.failed(call.key, "failed", refused)
    except Exception as fault:  # a plugin's fault is this call's outcome, not the hub's end
        log.exception("%s failed", call.action)
        words = ActionFailed(f"{type(fault).__name__}: {fault}", where=call.target or call.action)
        return Outcome.failed(call.key, "failed", words)


class Finished:
    """The newest outcomes by key, so that a key is done once."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._outcomes: OrderedDict[str, Outcome] = OrderedDict()

    def load(self) -> None:
        """Take them from the journal."""
        rows = self._pipeline.journal.records(DONE)
        self._outcomes = OrderedDict((key, Outcome(**value)) for key, value in rows)

    def get(self, key: str) -> Outcome | None:
        """How the call of that key ended, if it did."""
        return self._outcomes.get(key)

    def put(self, outcome: Outcome) -> None:
        """Keep one, in the open group."""
        self._outcomes[outcome.key] = outcome
        self._pipeline.put(Put(DONE, outcome.key, outcome.as_data(), sealed=RETENTION))
        while len(self._outcomes) > MAX_DONE:
            old, _ = self._outcomes.popitem(last=False)
            self._pipeline.put(Drop(DONE, old))


@dataclass(frozen=True, slots=True)
class Entry:
    """A call that waits for its next try, or a dead letter (``due`` is ``None``). ``at``: when it was last tried or
    given up. ``whole``: its parameters are all there, so that it can be sent again."""

    call: Call
    asked: float
    at: float
    tries: int
    due: float | None
    error: Mapping[str, Any] | None
    whole: bool = True


class Letters:
    """The dead letters: the newest 1,000, durable."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._letters: OrderedDict[str, Entry] = OrderedDict()

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._letters.values())

    def load(self) -> None:
        """Take them from the journal."""
        rows = sorted(self._pipeline.journal.records(DEAD), key=lambda row: (row[1]["at"], row[0]))
        self._letters = OrderedDict((key, Entry(Call(**value.pop("call")), **value)) for key, value in rows)

    def need(self, key: str) -> Entry:
        """One; ``NotFound`` otherwise."""
        letter = self._letters.get(key)
        if letter is None:
            raise NotFound("no such dead letter", where=key, hint="it was sent again, removed, or is too old")
        return letter

    def put(self, owed: Owed, error: Mapping[str, Any] | None) -> None:
        """Keep one, in the open group; the oldest beyond the limit go."""
        call, params = owed.call, owed.params
        whole = not owed.private and len(json.dumps(params)) <= MAX_LETTER_BYTES
        kept = Call(call.action, call.target, params if whole else {}, call.key, call.actor, call.cause, call.depth)
        letter = Entry(kept, owed.asked, self._pipeline.clock.now(), owed.tries, None, error, whole)
        self._letters[call.key] = letter
        self._letters.move_to_end(call.key)
        self._pipeline.put(Put(DEAD, call.key, _as_data(letter), sealed=RETENTION))
        while len(self._letters) > MAX_LETTERS:
            self.drop(next(iter(self._letters)))

    def drop(self, key: str) -> None:
        """Forget one, in the open group."""
        if self._letters.pop(key, None) is not None:
            self._pipeline.put(Drop(DEAD, key))


def _as_data(letter: Entry) -> dict[str, Any]:
    call = letter.call
    told = {
        "action": call.action, "target": call.target, "params": dict(call.params), "key": call.key,
        "actor": call.actor, "cause": call.cause, "depth": call.depth,
    }  # fmt: skip
    return {
        "call": told, "asked": letter.asked, "at": letter.at, "tries": letter.tries, "due": None,
        "error": letter.error, "whole": letter.whole,
    }  # fmt: skip


class Outbox:
    """What waits for its next try, and the dead letters. ``start`` sends an owed call, ``finish`` ends it with its
    outcome. Each waiting is a row in the journal, and its timer runs once that is durable.
    """

    def __init__(
        self, pipeline: Pipeline, start: Callable[[Owed], None], finish: Callable[[Owed, Outcome], None]
    ) -> None:
        self._pipeline, self._clock = pipeline, pipeline.clock
        self._start, self._finish = start, finish
        self._waiting: dict[str, Owed] = {}
        self.letters = Letters(pipeline)

    def waiting(self, key: str) -> Owed | None:
        """The call of that key, if it waits."""
        return self._waiting.get(key)

    def entries(self) -> list[Entry]:
        """What waits, and the dead letters; newest first."""
        waiting = [
            Entry(owed.call, owed.asked, owed.asked, owed.tries, owed.due, owed.error)
            for owed in self._waiting.values()
        ]  # fmt: skip
        return sorted([*waiting, *self.letters], key=lambda entry: (-entry.at, entry.call.key))

    def ended(self, owed: Owed, outcome: Outcome) -> None:
        """A try ended: wait for the next, or that was it."""
        owed.tries, owed.error = owed.tries + 1, outcome.error
        due = owed.next_try(outcome, self._clock.now(), self._pipeline.ids.random)
        if due is None or len(self._waiting) >= MAX_WAITING:
            owed.gave_up = owed.repeatable and may_pass(outcome)
            self._finish(owed, outcome)
        else:
            owed.due = due
            self.wait(owed)

    def wait(self, owed: Owed) -> None:
        """Until its ``due``, from the next commit on."""
        self._waiting[owed.call.key] = owed
        self._pipeline.put(owed.record())
        self._pipeline.after_commit(lambda: self.arm(owed))

    def take_up(self, owed: Owed, earliest: float) -> None:
        """It waited when the hub stopped: go on, not before ``earliest`` unless its device comes up (``arm``)."""
        self._waiting[owed.call.key] = owed
        self.arm(owed, earliest)

    def arm(self, owed: Owed, earliest: float = 0.0) -> None:
        """Let its timer run."""
        if owed.timer is not None:
            owed.timer.cancel()
        if self._waiting.get(owed.call.key) is owed and owed.due is not None:
            owed.timer = self._clock.call_at(max(owed.due, earliest), lambda: self._try(owed))

    def _try(self, owed: Owed) -> None:
        if self._waiting.pop(owed.call.key, None) is not owed:
            return
        owed.timer = owed.due = None
        if self._clock.now() < owed.until:
            self._start(owed)
        else:  # its time passed while the hub was off
            owed.gave_up = True
            self._finish(owed, owed.last())

    def leave(self, owed: Owed, outcome: Outcome) -> None:
        """It ends with this outcome, and waits no more; a person's try that failed becomes a dead letter again."""
        if self._waiting.pop(owed.call.key, None) is not None and owed.timer is not None:
            owed.timer.cancel()
        owed.due = None
        owed.gave_up = owed.gave_up or (owed.again and outcome.status not in ("done", "refused"))

    def overtake(self, done: Owed) -> None:
        """What waits for the same device since before, and says something else, must not undo what was done now."""
        call = done.call
        for owed in list(self._waiting.values()):
            older = owed.call
            if (
                call.target is not None and older.target == call.target and owed.asked < done.asked
                and older.action.partition(".")[0] == call.action.partition(".")[0]
                and (older.action, older.params) != (call.action, call.params)
            ):  # fmt: skip
                owed.gave_up = True
                words = Conflict(f"a later {call.action} was done first", where=call.target, hint="ask again if needed")
                self._finish(owed, Outcome.failed(older.key, "failed", words))
