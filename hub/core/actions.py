"""The one way out: ``Actions.call``. UI, API, YAML and plugins use this door.

It authorises, validates, makes the call an owed record in the same transaction as its cause, lets the device be
called only after that commit, bounds the time, and records outcome and cause as events.

After a restart an owed call is sent again only if its action is idempotent; otherwise its outcome is ``unknown``
and a person sees that. A dangerous action waits for a person for 60 s and then expires.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hub.core.access import SYSTEM, Actor, Authorizer
from hub.core.action import CONFIRM_WITHIN_S, ActionSpec, Call, Outcome, told
from hub.core.clock import Timer
from hub.core.error import (
    ActionFailed,
    Conflict,
    Denied,
    Expired,
    HubError,
    InvalidInput,
    LimitExceeded,
    NotFound,
    TimedOut,
    Unavailable,
)
from hub.core.event import Draft, Lane
from hub.core.journal import Drop, Put
from hub.core.pipeline import Pipeline
from hub.core.system import ActionFinished, ActionRequested, ConfirmationAnswered, ConfirmationRequested

log = logging.getLogger(__name__)

OWED = "owed"  # records of calls that are not finished
DONE = "done"  # records of finished calls, so that a key is never used twice
MAX_OWED = 5_000
MAX_DONE = 20_000
RESEND_WITHIN_S = 120.0  # how long an owed idempotent call waits for its device after a restart

Executor = Callable[[Call], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: ``key`` makes it idempotent (``run:step-path:iteration:target`` for automations)."""

    action: str
    params: Mapping[str, Any]
    actor: Actor
    target: str | None = None
    cause: str | None = None
    depth: int = 0
    key: str | None = None


@dataclass(slots=True)
class _Owed:
    call: Call
    spec: ActionSpec | None
    asked: float
    confirm_until: float | None = None
    timer: Timer | None = None
    waiters: list[asyncio.Future[Outcome]] = field(default_factory=list)

    @property
    def private(self) -> bool:
        return self.spec is not None and self.spec.private

    @property
    def params(self) -> dict[str, Any]:
        """What may be written down of its parameters."""
        return {} if self.private else dict(self.call.params)

    def as_data(self) -> dict[str, Any]:
        call = self.call
        return {
            "action": call.action, "target": call.target, "params": self.params, "key": call.key, "actor": call.actor,
            "cause": call.cause, "depth": call.depth, "asked": self.asked, "confirm_until": self.confirm_until,
        }  # fmt: skip


class Actions:
    """The registry of what can be done and the door through which it is done. Runs on the loop thread."""

    def __init__(self, pipeline: Pipeline, authorizer: Authorizer) -> None:
        self._pipeline, self._authorizer, self._clock = pipeline, authorizer, pipeline.clock
        self._specs: dict[str, ActionSpec] = {}
        self._providers: dict[str, Executor] = {}
        self._devices: dict[str, Executor] = {}
        self._owed: dict[str, _Owed] = {}
        self._done: OrderedDict[str, Outcome] = OrderedDict()
        self._telling: dict[str, tuple[_Owed, Outcome]] = {}  # outcomes whose commit is under way
        self._tasks: set[asyncio.Task[None]] = set()
        pipeline.on_recover.append(self._recover)

    # --- what there is

    def declare(self, specs: Mapping[str, ActionSpec]) -> None:
        """Make actions known (the vocabulary's, a plugin's)."""
        self._specs.update(specs)

    def withdraw(self, name: str) -> None:
        """Forget a plugin's own action."""
        self._specs.pop(name, None)
        self._providers.pop(name, None)

    def provide(self, spec: ActionSpec, execute: Executor) -> None:
        """A plugin instance serves an action of its own; ``Conflict`` when another already does."""
        if spec.name in self._providers:
            raise Conflict(f"{spec.name} is already provided", where=spec.name, hint="only one instance may provide it")
        self._specs[spec.name], self._providers[spec.name] = spec, execute
        self._resend(lambda call: call.action == spec.name)

    def attach(self, entity: str, execute: Executor) -> None:
        """An instance serves the capability actions of one entity."""
        self._devices[entity] = execute
        self._resend(lambda call: call.target == entity)

    def detach(self, entity: str) -> None:
        """The entity is served no more."""
        self._devices.pop(entity, None)

    def specs(self) -> list[ActionSpec]:
        """All known actions, by name."""
        return [self._specs[name] for name in sorted(self._specs)]

    def spec(self, name: str) -> ActionSpec:
        """One action; ``NotFound`` otherwise."""
        spec = self._specs.get(name)
        if spec is None:
            raise NotFound(f"no action {name!r}", where=name, hint="see docs/reference/actions.md")
        return spec

    # --- the door

    async def call(self, request: Request) -> Outcome:
        """Do it and wait for the outcome, which is durable when this returns.

        Raises ``NotFound``, ``InvalidInput``, ``Denied``, ``LimitExceeded`` before anything is recorded. A dangerous
        action answers at once with status ``confirming``.
        """
        outcome = self.owe(request)
        if isinstance(outcome, Outcome):
            await self._pipeline.settled()
            return outcome
        owed = self._owed[outcome]
        if owed.confirm_until is not None:
            await self._pipeline.settled()
            return Outcome(outcome, "confirming", confirmation=f"confirmation.{outcome}")
        waiter: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        owed.waiters.append(waiter)
        return await waiter

    def owe(self, request: Request) -> str | Outcome:
        """Inside the commit group: promise the call; it starts after the commit.

        Returns its key, or the outcome when that key is finished already.
        """
        spec = self.spec(request.action)
        params = spec.validate(request.params)
        self._check_target(spec, request)
        key = request.key or self._pipeline.ids.new()
        if (finished := self._done.get(key)) is not None:
            return finished
        if key in self._owed:
            return key
        if len(self._owed) >= MAX_OWED:
            raise LimitExceeded(f"{MAX_OWED} calls are not finished yet", where=spec.name)
        call = Call(spec.name, request.target, params, key, request.actor.id, request.cause, request.depth + 1)
        owed = _Owed(call, spec, self._clock.now())
        if spec.dangerous:
            self._ask(owed, spec, owed.asked + CONFIRM_WITHIN_S)
        else:
            self._begin(owed)
        return key

    def _check_target(self, spec: ActionSpec, request: Request) -> None:
        entity = None
        if spec.target:
            if request.target is None:
                raise InvalidInput("no target was given", where=spec.name, hint=f"name a {spec.capability} entity")
            entity = self._pipeline.state.get(request.target)
            if entity is None:
                raise NotFound(f"no entity {request.target!r}", where=spec.name)
            if spec.capability not in (entity.attributes.get("capabilities") or ()):
                raise InvalidInput(f"{request.target} is no {spec.capability}", where=spec.name)
        elif request.target is not None:
            raise InvalidInput("this action takes no target", where=spec.name)
        self._authorizer.check(request.actor, spec.right, entity)

    def _begin(self, owed: _Owed) -> None:
        call = owed.call
        asked = ActionRequested(action=call.action, key=call.key, actor=call.actor, params=told(owed.params))
        self._emit(call, asked)  # first: a chain that is too deep is refused here, and nothing of it is owed
        self._owed[call.key] = owed
        self._pipeline.put(Put(OWED, call.key, owed.as_data(), sealed="actions"))
        self._pipeline.after_commit(lambda: self._start(owed))

    def _start(self, owed: _Owed) -> None:
        if self._owed.get(owed.call.key) is owed:
            task = asyncio.get_running_loop().create_task(self._perform(owed), name=f"action {owed.call.action}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _perform(self, owed: _Owed) -> None:
        call, begun = owed.call, self._clock.monotonic()
        spec = owed.spec or self._specs.get(call.action)
        limit = spec.timeout if spec else RESEND_WITHIN_S
        try:
            async with asyncio.timeout(limit):
                result = await self._executor(call)(call)
            outcome = Outcome(call.key, "done", result)
        except TimeoutError:
            late = TimedOut(f"no answer within {limit:g} s", where=call.target or call.action)
            outcome = Outcome.failed(call.key, "timed_out", late)
        except HubError as refused:
            outcome = Outcome.failed(call.key, "failed", refused)
        except Exception as fault:  # a plugin's fault is this call's outcome, not the hub's end
            log.exception("%s failed", call.action)
            words = ActionFailed(f"{type(fault).__name__}: {fault}", where=call.target or call.action)
            outcome = Outcome.failed(call.key, "failed", words)
        self._finish(owed, replace(outcome, ms=(self._clock.monotonic() - begun) * 1000))

    def _executor(self, call: Call) -> Executor:
        found = self._devices.get(call.target) if call.target else self._providers.get(call.action)
        if found is None:
            raise Unavailable(f"nothing serves {call.action} now", where=call.target or call.action)
        return found

    def _finish(self, owed: _Owed, outcome: Outcome) -> None:
        call = owed.call
        if self._owed.pop(call.key, None) is None:
            return
        error = dict(outcome.error) if outcome.error else None
        kept = replace(outcome, result=None) if owed.private else outcome
        data = ActionFinished(
            action=call.action, key=call.key, status=kept.status, error=error, result=kept.result,
            ms=round(kept.ms, 3),
        )  # fmt: skip
        self._emit(call, data)
        self._pipeline.put(Drop(OWED, call.key))
        self._remember(kept)
        self._telling[call.key] = (owed, outcome)
        self._pipeline.after_commit(lambda: self._told(call.key))

    def _told(self, key: str) -> None:
        owed, outcome = self._telling.pop(key)
        _tell(owed, outcome)

    def _remember(self, outcome: Outcome) -> None:
        self._done[outcome.key] = outcome
        self._pipeline.put(Put(DONE, outcome.key, outcome.as_data(), sealed="actions"))
        while len(self._done) > MAX_DONE:
            old, _ = self._done.popitem(last=False)
            self._pipeline.put(Drop(DONE, old))

    # --- confirmation

    def _ask(self, owed: _Owed, spec: ActionSpec, until: float) -> None:
        call, owed.confirm_until = owed.call, until
        data = ConfirmationRequested(
            action=call.action, target=call.target, params=dict(call.params), actor=call.actor,
            title=spec.title.as_data(), right=spec.right, expires_at=until, cause=call.cause,
        )  # fmt: skip
        self._emit(call, data, entity=f"confirmation.{call.key}")
        self._owed[call.key] = owed
        self._pipeline.put(Put(OWED, call.key, owed.as_data(), sealed="actions"))
        owed.timer = self._clock.call_at(until, lambda: self._expire(owed))

    async def answer(self, confirmation: str, actor: Actor, yes: bool) -> Outcome:
        """A person answers ``confirmation.KEY``; on yes, wait for the action's outcome.

        ``Denied`` unless a person with the action's right answers; ``Expired`` when it is too late.
        """
        owed = self._owed.get(confirmation.removeprefix("confirmation."))
        if owed is not None and owed.spec is None:  # taken up at a start before its plugin had declared it
            owed.spec = self._specs.get(owed.call.action)
        if owed is None or owed.confirm_until is None or owed.spec is None:
            raise Expired("this confirmation was answered or has expired", where=confirmation, hint="ask for it again")
        if not actor.person:
            raise Denied("only a person may confirm", where=confirmation)
        entity = self._pipeline.state.get(owed.call.target) if owed.call.target else None
        self._authorizer.check(actor, owed.spec.right, entity)
        if self._clock.now() >= owed.confirm_until:
            raise Expired("this confirmation has expired", where=confirmation, hint="ask for it again")
        self._settle_confirmation(owed, "yes" if yes else "no", actor.id)
        waiter: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        owed.waiters.append(waiter)
        if yes:
            owed.call = replace(owed.call, actor=actor.id)
            self._begin(owed)
        else:
            refused = Denied(f"{actor.id} said no", where=owed.call.action)
            self._finish(owed, Outcome.failed(owed.call.key, "refused", refused))
        return await waiter

    def _expire(self, owed: _Owed) -> None:
        if self._owed.get(owed.call.key) is owed and owed.confirm_until is not None:
            self._settle_confirmation(owed, "expired", "hub")
            late = Expired(f"nobody confirmed within {CONFIRM_WITHIN_S:g} s", where=owed.call.action, hint="ask again")
            self._finish(owed, Outcome.failed(owed.call.key, "expired", late))

    def _settle_confirmation(self, owed: _Owed, answer: str, by: str) -> None:
        if owed.timer is not None:
            owed.timer.cancel()
        owed.confirm_until = None
        data = ConfirmationAnswered(answer=answer, by=by)
        self._emit(owed.call, data, entity=f"confirmation.{owed.call.key}")

    # --- restart

    def resume(self) -> None:
        """After a start: take up what was owed. Calls of unknown outcome are ended or sent again, as declared."""
        self._done = OrderedDict((key, Outcome(**value)) for key, value in self._pipeline.journal.records(DONE))
        for key, value in self._pipeline.journal.records(OWED):
            self._take_up(key, value)

    def _take_up(self, key: str, value: dict[str, Any]) -> None:
        fields = dict(value)
        confirm_until, asked = fields.pop("confirm_until"), fields.pop("asked")
        owed = self._owed[key] = _Owed(Call(**fields), self._specs.get(fields["action"]), asked, confirm_until)
        if confirm_until is not None:
            owed.timer = self._clock.call_at(confirm_until, lambda: self._expire(owed))
        else:
            owed.timer = self._clock.call_at(self._clock.now() + RESEND_WITHIN_S, lambda: self._give_up(owed))

    def _resend(self, served: Callable[[Call], bool]) -> None:
        """A device is here again: what is owed to it since before the restart."""
        for owed in list(self._owed.values()):
            if owed.timer is None or owed.confirm_until is not None or not served(owed.call):
                continue
            owed.spec = owed.spec or self._specs.get(owed.call.action)
            if owed.spec is not None and owed.spec.idempotent:
                owed.timer.cancel()
                owed.timer = None
                self._start(owed)
            else:
                self._give_up(owed)

    def _give_up(self, owed: _Owed) -> None:
        if self._owed.get(owed.call.key) is owed:
            words = Unavailable(
                "the hub stopped before the outcome was known; it was not sent again",
                where=owed.call.target or owed.call.action, hint="look whether it was done, and ask again if not",
            )  # fmt: skip
            self._finish(owed, Outcome.failed(owed.call.key, "unknown", words))

    def _recover(self) -> None:
        """A commit failed: what was owed in the lost group is void; its callers are told."""
        durable = dict(self._pipeline.journal.records(OWED))
        self._done = OrderedDict((key, Outcome(**value)) for key, value in self._pipeline.journal.records(DONE))
        telling, self._telling = self._telling, {}
        for key, owed in list(self._owed.items()):
            row = durable.get(key)
            if row is None or row["confirm_until"] != owed.confirm_until:  # the asking, or the answer, was lost
                del self._owed[key]
                lost = Unavailable("the journal could not keep this; nothing was done", where=owed.call.action)
                _tell(owed, Outcome.failed(key, "failed", lost))
        for key, (owed, outcome) in telling.items():
            if key in durable:  # it was done and only its outcome was lost: write that again
                self._owed[key] = owed
                self._finish(owed, outcome)
            elif key not in self._done:
                _tell(owed, outcome)
        for key in durable.keys() - self._owed.keys() - self._telling.keys():
            self._take_up(key, durable[key])

    async def stop(self) -> None:
        """End what is running; it stays owed."""
        for owed in self._owed.values():
            if owed.timer is not None:
                owed.timer.cancel()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _emit(self, call: Call, data: Any, entity: str | None = None) -> None:
        # the hub is the source of these records; who asked stands in their data
        kind = type(data).type
        lane = Lane.NORMAL if kind.lane is Lane.TELEMETRY else kind.lane
        fields, about = data.model_dump(mode="json"), entity or call.target
        self._pipeline.emit(Draft(kind.name, fields, "hub", about, None, call.cause, call.depth, lane))


def _tell(owed: _Owed, outcome: Outcome) -> None:
    for waiter in owed.waiters:
        if not waiter.done():
            waiter.set_result(outcome)


__all__ = ["DONE", "OWED", "SYSTEM", "Actions", "Executor", "Request"]
