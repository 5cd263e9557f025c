"""The one way out: ``Actions.call``. UI, API, YAML and plugins use this door.

It authorises, validates, makes the call an owed record in the same transaction as its cause, lets the device be
called only after that commit, bounds the time, and records outcome and cause as events.

What automations owe is tried again while the device is away, with the same key, if its action is idempotent; what
fails for good becomes a dead letter that a person sees and may send again (``hub.core.outbox``). After a restart an
owed call is sent again only if its action is idempotent; otherwise its outcome is ``unknown`` and a person sees that.
A dangerous action waits for a person for 60 s and then expires.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from hub.core.access import SYSTEM, Actor, Authorizer
from hub.core.action import CONFIRM_WITHIN_S, ActionSpec, Call, Outcome, Request, check_target, told
from hub.core.error import (
    Conflict,
    Denied,
    Expired,
    LimitExceeded,
    NotFound,
    Unavailable,
)
from hub.core.event import Draft, Lane
from hub.core.journal import Drop
from hub.core.outbox import DONE, MAX_OWED, OWED, Entry, Executor, Finished, Outbox, Owed, tried
from hub.core.pipeline import Pipeline
from hub.core.state import EntityState
from hub.core.system import (
    ActionFinished,
    ActionGaveUp,
    ActionRequested,
    ConfirmationAnswered,
    ConfirmationRequested,
)

RESEND_WITHIN_S = 120.0  # how long an owed idempotent call waits for its device after a restart


class Actions:
    """The registry of what can be done and the door through which it is done. Runs on the loop thread."""

    def __init__(self, pipeline: Pipeline, authorizer: Authorizer) -> None:
        self._pipeline, self._authorizer, self._clock = pipeline, authorizer, pipeline.clock
        self._specs: dict[str, ActionSpec] = {}
        self._providers: dict[str, Executor] = {}
        self._devices: dict[str, Executor] = {}
        self._owed: dict[str, Owed] = {}
        self._outbox, self._done = Outbox(pipeline, self._start, self._finish), Finished(pipeline)
        self._telling: dict[str, tuple[Owed, Outcome]] = {}  # outcomes whose commit is under way
        self._tasks: set[asyncio.Task[None]] = set()
        pipeline.on_recover.append(self._forget)
        pipeline.on_recovered.append(self._recover)

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
        action answers at once with status ``confirming``. It is tried once: who waits is told at once.
        """
        outcome = self._promise(request, patient=False)
        if isinstance(outcome, Outcome):
            await self._pipeline.settled()
            return outcome
        owed = self._owed[outcome]
        if owed.confirm_until is not None:
            await self._pipeline.settled()
            return Outcome(outcome, "confirming", confirmation=f"confirmation.{outcome}")
        return await owed.waiter()

    def owe(self, request: Request) -> str | Outcome:
        """Inside the commit group: promise the call; it starts after the commit, and is tried again as its action's
        ``retry`` says.

        Returns its key, or the outcome when that key is finished already.
        """
        return self._promise(request, patient=True)

    def _promise(self, request: Request, *, patient: bool) -> str | Outcome:
        spec = self.spec(request.action)
        params = spec.validate(request.params)
        entity = self._entity(request.target)
        check_target(spec, request, entity)
        self._authorizer.check(request.actor, spec.right, entity)
        key = request.key or self._pipeline.ids.new()
        if (finished := self._done.get(key)) is not None:
            return finished
        if key in self._owed:
            return key
        self._check_room(spec)
        call = Call(spec.name, request.target, params, key, request.actor.id, request.cause, request.depth + 1)
        owed = Owed(call, spec, self._clock.now(), patient=patient)
        if spec.dangerous:
            self._ask(owed, spec, owed.asked + CONFIRM_WITHIN_S)
        else:
            self._begin(owed)
        return key

    def _check_room(self, spec: ActionSpec) -> None:
        if len(self._owed) >= MAX_OWED:
            raise LimitExceeded(f"{MAX_OWED} calls are not finished yet", where=spec.name)

    def _entity(self, name: str | None) -> EntityState | None:
        return self._pipeline.state.get(name) if name is not None else None

    def _begin(self, owed: Owed) -> None:
        call = owed.call
        asked = ActionRequested(action=call.action, key=call.key, actor=call.actor, params=told(owed.params))
        self._emit(call, asked)  # first: a chain that is too deep is refused here, and nothing of it is owed
        self._owed[call.key] = owed
        self._pipeline.put(owed.record())
        self._pipeline.after_commit(lambda: self._start(owed))

    def _start(self, owed: Owed) -> None:
        if self._owed.get(owed.call.key) is owed:
            task = asyncio.get_running_loop().create_task(self._perform(owed), name=f"action {owed.call.action}")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _perform(self, owed: Owed) -> None:
        call, begun = owed.call, self._clock.monotonic()
        spec = owed.spec = owed.spec or self._specs.get(call.action)
        limit = spec.timeout if spec else RESEND_WITHIN_S
        outcome = await tried(call, self._executor, limit)
        if self._owed.get(call.key) is owed:
            self._outbox.ended(owed, outcome._replace(ms=(self._clock.monotonic() - begun) * 1000))

    def _executor(self, call: Call) -> Executor:
        found = self._devices.get(call.target) if call.target else self._providers.get(call.action)
        if found is None:
            raise Unavailable(f"nothing serves {call.action} now", where=call.target or call.action)
        return found

    def _finish(self, owed: Owed, outcome: Outcome) -> None:
        call = owed.call
        if self._owed.pop(call.key, None) is None:
            return
        self._outbox.leave(owed, outcome)
        error = dict(outcome.error) if outcome.error else None
        kept = outcome._replace(result=None) if owed.private else outcome
        data = ActionFinished(
            action=call.action, key=call.key, status=kept.status, error=error, result=kept.result,
            ms=round(kept.ms, 3),
        )  # fmt: skip
        self._emit(call, data)
        self._pipeline.put(Drop(OWED, call.key))
        self._done.put(kept)
        if owed.gave_up:
            self._emit(call, ActionGaveUp(action=call.action, key=call.key, tries=owed.tries, error=error))
            self._outbox.letters.put(owed, error)
        elif outcome.status == "done":
            self._outbox.overtake(owed)
        self._telling[call.key] = (owed, outcome)
        self._pipeline.after_commit(lambda: self._told(call.key))

    def _told(self, key: str) -> None:
        owed, outcome = self._telling.pop(key)
        owed.tell(outcome)

    # --- what a person sees of it

    def outbox(self) -> list[Entry]:
        """Calls that wait for their next try, and dead letters; newest first."""
        return self._outbox.entries()

    def retry(self, key: str, actor: Actor) -> asyncio.Future[Outcome]:
        """Send a dead letter once more, with its own key, in the name of who asks. What is put into the open group
        in the same turn is in the same transaction.

        Raises ``NotFound``, ``Denied`` without the action's right, ``Conflict`` while it is being tried. A dangerous
        action is confirmed anew: the answer is then ``confirming``.
        """
        if key in self._owed or key in self._telling:
            raise Conflict("it is being tried", where=key, hint="wait for its outcome")
        letter = self._outbox.letters.need(key)
        call, spec = letter.call, self.spec(letter.call.action)
        entity = self._entity(call.target)
        check_target(spec, Request(call.action, call.params, actor, call.target), entity)
        self._authorizer.check(actor, spec.right, entity)
        if not letter.whole:
            raise Conflict("it was too large to be kept whole", where=key, hint=f"ask for {spec.name} anew")
        self._check_room(spec)
        call = call._replace(params=spec.validate(call.params), actor=actor.id)
        owed = Owed(call, spec, self._clock.now(), again=True, tries=letter.tries)
        if spec.dangerous:
            self._ask(owed, spec, owed.asked + CONFIRM_WITHIN_S)
            told: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
            told.set_result(Outcome(key, "confirming", confirmation=f"confirmation.{key}"))
        else:
            self._begin(owed)
            told = owed.waiter()
        self._outbox.letters.drop(key)
        return told

    def discard(self, key: str, actor: Actor) -> Call:
        """Remove a dead letter, or take back a call that waits for its next try; what it was. ``NotFound``,
        ``Denied`` without the action's right."""
        waiting, letters = self._outbox.waiting(key), self._outbox.letters
        call = waiting.call if waiting is not None else letters.need(key).call
        self._authorizer.check(actor, self.spec(call.action).right, self._entity(call.target))
        if waiting is None:
            letters.drop(key)
        else:
            words = Denied(f"{actor.id} took it back", where=call.action)
            self._finish(waiting, Outcome.failed(key, "refused", words))
        return call

    # --- confirmation

    def _ask(self, owed: Owed, spec: ActionSpec, until: float) -> None:
        call, owed.confirm_until = owed.call, until
        data = ConfirmationRequested(
            action=call.action, target=call.target, params=dict(call.params), actor=call.actor,
            title=spec.title.as_data(), right=spec.right, expires_at=until, cause=call.cause,
        )  # fmt: skip
        self._emit(call, data, entity=f"confirmation.{call.key}")
        self._owed[call.key] = owed
        self._pipeline.put(owed.record())
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
        self._authorizer.check(actor, owed.spec.right, self._entity(owed.call.target))
        if self._clock.now() >= owed.confirm_until:
            raise Expired("this confirmation has expired", where=confirmation, hint="ask for it again")
        self._settle_confirmation(owed, "yes" if yes else "no", actor.id)
        waiter = owed.waiter()
        if yes:
            owed.call = owed.call._replace(actor=actor.id)
            self._begin(owed)
        else:
            refused = Denied(f"{actor.id} said no", where=owed.call.action)
            self._finish(owed, Outcome.failed(owed.call.key, "refused", refused))
        return await waiter

    def _expire(self, owed: Owed) -> None:
        if self._owed.get(owed.call.key) is owed and owed.confirm_until is not None:
            self._settle_confirmation(owed, "expired", "hub")
            late = Expired(f"nobody confirmed within {CONFIRM_WITHIN_S:g} s", where=owed.call.action, hint="ask again")
            self._finish(owed, Outcome.failed(owed.call.key, "expired", late))

    def _settle_confirmation(self, owed: Owed, answer: str, by: str) -> None:
        if owed.timer is not None:
            owed.timer.cancel()
        owed.confirm_until = None
        data = ConfirmationAnswered(answer=answer, by=by)
        self._emit(owed.call, data, entity=f"confirmation.{owed.call.key}")

    # --- restart

    def resume(self) -> None:
        """After a start: take up what was owed. Calls of unknown outcome are ended or sent again, as declared."""
        self._done.load()
        self._outbox.letters.load()
        for key, value in self._pipeline.journal.records(OWED):
            self._take_up(key, value)

    def _take_up(self, key: str, value: dict[str, Any]) -> None:
        owed = self._owed[key] = Owed.from_data(value, self._specs)
        patience = self._clock.now() + RESEND_WITHIN_S
        if owed.confirm_until is not None:
            owed.timer = self._clock.call_at(owed.confirm_until, lambda: self._expire(owed))
        elif owed.due is not None:  # not before its device could come up, which then arms it anew
            self._outbox.take_up(owed, patience)
        else:
            owed.timer = self._clock.call_at(patience, lambda: self._give_up(owed))

    def _resend(self, served: Callable[[Call], bool]) -> None:
        """A device is here again: what is owed to it since before the restart."""
        for owed in list(self._owed.values()):
            if owed.timer is None or owed.confirm_until is not None or not served(owed.call):
                continue
            owed.spec = owed.spec or self._specs.get(owed.call.action)
            if owed.due is not None:
                self._outbox.arm(owed)
            elif owed.spec is not None and owed.spec.idempotent:
                owed.timer.cancel()
                owed.timer = None
                self._start(owed)
            else:
                self._give_up(owed)

    def _give_up(self, owed: Owed) -> None:
        if self._owed.get(owed.call.key) is owed:
            words = Unavailable(
                "the hub stopped before the outcome was known; it was not sent again",
                where=owed.call.target or owed.call.action, hint="look whether it was done, and ask again if not",
            )  # fmt: skip
            owed.gave_up = owed.repeatable
            self._finish(owed, Outcome.failed(owed.call.key, "unknown", words))

    def _forget(self) -> None:
        """A commit failed: what was owed in the lost group is void; its callers are told."""
        durable = dict(self._pipeline.journal.records(OWED))
        self._done.load()
        self._outbox.letters.load()
        for key, owed in list(self._owed.items()):
            row = durable.get(key)
            if row is None or row["confirm_until"] != owed.confirm_until:  # the asking, or the answer, was lost
                del self._owed[key]
                lost = Unavailable("the journal could not keep this; nothing was done", where=owed.call.action)
                owed.tell(Outcome.failed(key, "failed", lost))

    def _recover(self) -> None:
        """Write again what was known only here, when everybody has forgotten what is void: outcomes are heard."""
        durable = dict(self._pipeline.journal.records(OWED))
        telling, self._telling = self._telling, {}
        for key, owed in list(self._owed.items()):
            if owed.due is not None and durable[key].get("tries") != owed.tries:
                self._outbox.wait(owed)
        for key, (owed, outcome) in telling.items():
            if key in durable:  # it was done and only its outcome was lost: write that again
                self._owed[key] = owed
                self._finish(owed, outcome)
            elif self._done.get(key) is None:
                owed.tell(outcome)
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


__all__ = ["DONE", "OWED", "SYSTEM", "Actions", "Executor", "Request"]
