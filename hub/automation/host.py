"""What the engine needs of the hub, as one Protocol: the live hub and a replay both offer it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from hub.core.access import Actor, Authorizer
from hub.core.action import ActionSpec, Outcome
from hub.core.actions import Actions, Request
from hub.core.bus import Bus
from hub.core.clock import Clock
from hub.core.error import LimitExceeded, NotFound
from hub.core.event import MAX_DEPTH, Draft, Event, EventTypes
from hub.core.ids import Ids
from hub.core.journal import Record
from hub.core.pipeline import Pipeline
from hub.core.state import State


class Host(Protocol):
    """Everything the engine sees and does goes through here. A replay gives a recorded state, bus and clock, and
    stubs for ``emit``, ``owe`` and ``put``."""

    state: State
    types: EventTypes
    clock: Clock
    ids: Ids
    rules: Bus  # serves each event inside the commit group

    def emit(self, draft: Draft) -> Event:
        """Take an event into the open group."""

    def put(self, record: Record) -> None:
        """Write a record in the same transaction."""

    def records(self, table: str) -> Sequence[tuple[str, Any]]:
        """Committed records."""

    def owe(self, request: Request) -> str | Outcome:
        """Promise a call: its key; or its outcome, ``confirming`` when a person is asked first."""

    def action(self, name: str) -> ActionSpec | None:
        """What is declared of an action."""

    def expected(self, name: str) -> bool:
        """Is it an action of a plugin that is configured and not up yet?"""

    def authorize(self, actor: Actor, right: str, entity: str | None) -> None:
        """Return when the actor has the right (on the entity, if it is known); raise ``Denied``."""

    def on_recover(self, forget: Callable[[], None], go_on: Callable[[], None]) -> None:
        """Call when a commit failed: ``forget`` what is held in memory; ``go_on`` when all have done that and the
        state is as the journal has it."""


class _Live:
    def __init__(
        self, pipeline: Pipeline, actions: Actions, authorizer: Authorizer, expected: Callable[[str], bool]
    ) -> None:
        self._expected = expected
        self.state, self.types, self.clock = pipeline.state, pipeline.types, pipeline.clock
        self.ids, self.rules = pipeline.ids, pipeline.rules
        self.emit, self.put = pipeline.emit, pipeline.put
        self._pipeline, self._actions, self._authorizer = pipeline, actions, authorizer

    def records(self, table: str) -> Sequence[tuple[str, Any]]:
        return self._pipeline.journal.records(table)

    def owe(self, request: Request) -> str | Outcome:
        if request.depth + 1 > MAX_DEPTH:  # refused before anything of the call is kept
            words = f"a chain of {request.depth + 1} events and actions was stopped at {request.action}"
            raise LimitExceeded(words, where=request.action, hint="two automations probably trigger each other")
        outcome = self._actions.owe(request)
        if isinstance(outcome, str) and self._actions.spec(request.action).dangerous:
            return Outcome(outcome, "confirming", confirmation=f"confirmation.{outcome}")
        return outcome

    def action(self, name: str) -> ActionSpec | None:
        try:
            return self._actions.spec(name)
        except NotFound:
            return None

    def expected(self, name: str) -> bool:
        return self._expected(name)

    def authorize(self, actor: Actor, right: str, entity: str | None) -> None:
        self._authorizer.check(actor, right, self.state.get(entity) if entity else None)

    def on_recover(self, forget: Callable[[], None], go_on: Callable[[], None]) -> None:
        self._pipeline.on_recover.append(forget)
        self._pipeline.on_recovered.append(go_on)


def live(
    pipeline: Pipeline, actions: Actions, authorizer: Authorizer, expected: Callable[[str], bool] = lambda _name: False
) -> Host:
    """The running hub as the engine's host. ``expected``: see ``Host``."""
    return _Live(pipeline, actions, authorizer, expected)
