"""What a draft would have done: the same engine over recorded events, its actions noted and not done.

The clock is the journal's. Only events that the draft can hear, or that change what it reads, are read; what the live
rule itself brought about is left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import tzinfo
from typing import Any

from hub.automation.engine import Engine
from hub.automation.execution.reports import TRACES
from hub.automation.heard import Heard, history, state_before
from hub.automation.host import Host
from hub.automation.language.blueprint import Blueprints
from hub.automation.language.model import Source
from hub.automation.replay_answer import MAX_NEAR, Ran, compared, fired, near
from hub.core.access import Actor
from hub.core.action import ActionSpec, Outcome
from hub.core.actions import Request
from hub.core.apart import Apart
from hub.core.bus import Bus
from hub.core.clock import ManualClock
from hub.core.error import ConfigError, Denied, InvalidInput, LimitExceeded, NotFound
from hub.core.event import MAX_DEPTH, Draft, Event, EventTypes
from hub.core.ids import Ids
from hub.core.journal import Journal, Put, Record
from hub.core.state import EntityState, State

MAX_SPAN_S = 92 * 86_400.0
MAX_EVENTS = 5_000_000
WITHIN_S = 120.0
MAX_ASKED = 4  # each may take so long
SLICE_S = 600.0  # of the journal's time, after which it is seen whether too much real time has passed
_ALARM = "alarm.raise"
GOING = frozenset({"running", "waiting", "queued"})  # at the end of the span
NOT_RUN = frozenset({"condition", "skipped"})


class ReplayHost(Host):
    """A host over recorded events. What is asked of it is counted."""

    def __init__(
        self, types: EventTypes, clock: ManualClock, action: Callable[[str], ActionSpec | None],
        check: Callable[[Actor, str, EntityState | None], None], ran: Ran,
    ) -> None:  # fmt: skip
        self.types, self.clock, self._action, self._check, self._ran = types, clock, action, check, ran
        self.state, self.rules, self.ids = State(types), Bus(), Ids(clock)

    def hear(self, event: Event, until: float) -> None:
        """An event as it was: time goes on to it, state folds, rules hear it."""
        self.go_to(event.received, until)
        self.rules.deliver(event, self.state.apply(event))

    def go_to(self, moment: float, until: float) -> None:
        """Time goes on. ``InvalidInput`` when the machine's clock (``perf_counter``) has passed ``until``."""
        while (now := self.clock.now()) < moment:
            self.clock.advance_to(min(moment, now + SLICE_S))
            if time.perf_counter() > until:
                raise InvalidInput(f"the replay took longer than {WITHIN_S:g} s", where="from, to",
                                   hint="take a shorter span")  # fmt: skip

    def emit(self, draft: Draft) -> Event:
        if draft.depth > MAX_DEPTH:
            words = f"a chain of {draft.depth} events was stopped at {draft.type}"
            raise LimitExceeded(words, where=draft.type, hint="two automations probably trigger each other")
        now = self.clock.now()
        event = Event(
            self.state.seq, self.ids.new(), draft.type, now, now, draft.entity, draft.source, draft.data, draft.cause,
            draft.depth,
        )  # fmt: skip
        if draft.type != "fault":
            self.rules.deliver(event, self.state.apply(event))
        return event

    def put(self, record: Record) -> None:
        if isinstance(record, Put) and record.table == TRACES and record.value["automation"] in self._ran.ids:
            self._ran.take(record.value)

    def records(self, table: str) -> Sequence[tuple[str, Any]]:
        return []

    def owe(self, request: Request) -> str | Outcome:
        spec = self._action(request.action)
        if spec is None:
            raise NotFound(f"there is no action {request.action}", where=request.action)
        self._ran.alarms += request.action == _ALARM
        key = str(request.key)
        if spec.dangerous:
            return Outcome(key, "confirming", confirmation=f"confirmation.{key}")
        return Outcome(key, "done")  # what it would have answered is not known

    def action(self, name: str) -> ActionSpec | None:
        return self._action(name)

    def expected(self, name: str) -> bool:
        return False

    def authorize(self, actor: Actor, right: str, entity: str | None) -> None:
        self._check(actor, right, self.state.get(entity) if entity else None)

    def on_recover(self, forget: Callable[[], None], go_on: Callable[[], None]) -> None:
        return None


class Replay:
    """Replays texts over a journal. ``live``: the text of the rule that works now, by id; ``scripts``: the scripts and
    scenes that work now, which rules call. Blocks: call it in a thread.

    ``action`` and ``check`` are the running hub's catalogue of actions and its rights.
    """

    def __init__(
        self, journal: Journal, types: EventTypes, zone: tzinfo, location: tuple[float, float], blueprints: Blueprints,
        *, action: Callable[[str], ActionSpec | None], check: Callable[[Actor, str, EntityState | None], None],
        live: Callable[[str], str | None] = lambda _id: None, scripts: Callable[[], dict[str, Source]] = dict,
    ) -> None:  # fmt: skip
        self._journal, self._types, self._zone, self._location = journal, types, zone, location
        self._blueprints, self._action, self._check = blueprints, action, check
        self._live, self._scripts = live, scripts

    def run(self, text: str, start: float, end: float, actor: Actor, *, cleared: bool = True) -> dict[str, Any]:
        """The answer, as ``docs/reference/api.md`` has it. ``ConfigError`` for a text with mistakes; ``InvalidInput``
        for a span that is none or takes too long; ``Denied`` when an event holds people's data, which tells where
        somebody was, and the actor is not ``cleared`` to see it."""
        if not 0 < end - start <= MAX_SPAN_S:
            raise InvalidInput("the end must lie after the start, by at most 92 days", where="from, to")
        began = time.perf_counter()  # how long it took is told; nothing depends on it
        ran, look = Ran(), _Look(self._types, cleared, began + WITHIN_S)
        draft, host, heard = self._engine(text, actor, start, ran)
        draft.keep_not_run(MAX_NEAR)
        events = self._play([(host, draft)], heard, ran.ids, (start, end), look)
        _take_going(draft, ran)
        live = self._live_side(ran.ids, actor, (start, end), look)
        return {
            **fired(ran, start, end), "near": near(_told_as(draft, ran.ids, NOT_RUN)), "live": compared(ran, live),
            "events": events, "personal": sorted(look.personal), "seconds": round(time.perf_counter() - began, 3),
        }  # fmt: skip

    def _engine(self, text: str, actor: Actor, start: float, ran: Ran) -> tuple[Engine, ReplayHost, Heard]:
        host = ReplayHost(self._types, ManualClock(start), self._action, self._check, ran)
        engine = Engine(host, self._zone, location=self._location, blueprints=self._blueprints)
        mistakes = engine.load([Source(text, "draft.yaml", actor)])
        if mistakes:
            raise ConfigError(mistakes)
        ran.ids += [row["id"] for row in engine.list()]
        heard = self._with_scripts(engine, Heard.of([entry.automation for entry in engine.all_entries()]))
        engine.resume()
        return engine, host, heard

    def _with_scripts(self, engine: Engine, heard: Heard) -> Heard:
        """The scripts that work now stand beside the rules that may call them; those of the text come first."""
        scripts = self._scripts()
        for name in {entry.automation.id for entry in engine.all_entries()} & scripts.keys():
            del scripts[name]
        while wanted := list(scripts) if heard.everything else sorted(heard.called & scripts.keys()):
            engine.reload([scripts.pop(name) for name in wanted])
            heard = heard.and_of([entry.automation for entry in engine.all_entries()])
        return heard

    def _live_side(self, ids: Sequence[str], actor: Actor, span: tuple[float, float], look: _Look) -> Ran | None:
        """The rules of the same ids that work now, over the same events."""
        texts = [text for name in ids if (text := self._live(name)) is not None]
        if not texts:
            return None
        ran = Ran()
        sides = []
        heard = Heard()
        for text in texts:
            engine, host, _ = self._engine(text, actor, span[0], ran)
            heard = heard.and_of([entry.automation for entry in engine.all_entries()])
            sides.append((host, engine))
        self._play(sides, heard, ids, span, look)
        for _, engine in sides:
            _take_going(engine, ran)
        return ran

    def _play(
        self, sides: list[tuple[ReplayHost, Engine]], heard: Heard, ids: Sequence[str], span: tuple[float, float],
        look: _Look,
    ) -> int:  # fmt: skip
        (start, end), own = span, {f"automation:{name}" for name in ids}
        for host, engine in sides:
            for event in look.at(state_before(self._journal, heard, start)):
                host.state.apply(event)
            engine.rearm()  # triggers look at the world as it was
        count = 0
        for event in look.at(history(self._journal, heard, start, end)):
            if event.source not in own:
                count += 1
                for host, _ in sides:
                    host.hear(event, look.until)
        for host, _ in sides:
            host.go_to(end, look.until)
        return count


class _Look:
    """The door through which recorded events come: how many, until when, and whose data."""

    def __init__(self, types: EventTypes, cleared: bool, until: float) -> None:
        self._personal = frozenset(kind.name for kind in types if kind.personal)
        self._cleared, self.until = cleared, until
        self.personal: set[str] = set()

    def at(self, events: Iterator[Event]) -> Iterator[Event]:
        for number, event in enumerate(events):
            if number >= MAX_EVENTS or (number % 1000 == 0 and time.perf_counter() > self.until):
                raise InvalidInput(f"the span holds too much: stopped after {number} events", where="from, to")
            if event.type in self._personal:
                self._note(event.type)
            yield event

    def _note(self, name: str) -> None:
        if not self._cleared:
            raise Denied(f"it hears {name}, which tells of people", where=name,
                         hint="who may see personal data can replay it")  # fmt: skip
        self.personal.add(name)


class Replayer:
    """Replays beside the running hub, one at a time, in a thread of its own."""

    def __init__(self, replay: Replay) -> None:
        self._replay, self._apart = replay, Apart("too many replays are asked for at once", most=MAX_ASKED)

    async def replay(self, text: str, start: float, end: float, actor: Actor, *, cleared: bool) -> dict[str, Any]:
        """See ``Replay.run``."""
        return await self._apart.run(lambda: self._replay.run(text, start, end, actor, cleared=cleared))


def _take_going(engine: Engine, ran: Ran) -> None:
    """Runs that have not ended at the end of the span."""
    for trace in _told_as(engine, ran.ids, GOING):
        ran.take(trace)


def _told_as(engine: Engine, ids: Sequence[str], statuses: frozenset[str]) -> list[dict[str, Any]]:
    """What the engine tells of these rules, of these kinds: as for any reader, personal values masked."""
    there = {entry.automation.id for entry in engine.all_entries()}
    told = [trace for name in ids if name in there for trace in engine.traces(name)]
    return [trace for trace in told if trace["status"] in statuses]
