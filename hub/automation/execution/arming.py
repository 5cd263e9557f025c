"""Triggers at work: each is an entry in the bus's index, so an event costs only those who wait for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hub.automation.execution.holds import Holds
from hub.automation.execution.values import seconds
from hub.automation.host import Host
from hub.automation.language.model import Duration, Trigger
from hub.automation.templates.template import Templates
from hub.core.bus import Subscription
from hub.core.event import Event

Values = Mapping[str, Any]
Fire = Callable[[Trigger, dict[str, Any], Event | None], None]
Arm = Callable[["Armed", Any, Values], None]


@dataclass(slots=True)
class Arming:
    """What arming a trigger needs. ``shared``: listeners that many triggers have together; ``counts``: how many event
    triggers wait for a (type, field, value); ``kinds``: how a kind of trigger is armed."""

    host: Host
    templates: Templates
    holds: Holds
    shared: Any
    counts: Counter[tuple[str, str, Any]]
    kinds: Mapping[type[Trigger], Arm]


class Armed:
    """The triggers of an automation, or of a run that waits, until ``disarm``. ``name`` and ``version``: under which
    their ``for:`` are kept."""

    def __init__(
        self, arming: Arming, name: str, version: str, triggers: Sequence[Trigger], variables: Values, fire: Fire,
        failed: Callable[[str, Event | None], None],
    ) -> None:  # fmt: skip
        self.arming, self.name, self.version, self.triggers = arming, name, version, triggers
        self.fire, self.failed = fire, failed
        self.undo: list[Callable[[], None]] = []
        self.stills: dict[str, Callable[[str], bool]] = {}  # trigger path → is what it holds for still so?
        try:
            for trigger in triggers:
                if trigger.enabled:
                    arming.kinds[type(trigger)](self, trigger, variables)
        except BaseException:  # half of them must not hear for ever what nobody can undo
            self.disarm(keep_holds=True)
            raise

    def disarm(self, *, keep_holds: bool = False) -> None:
        """Hear nothing more; ``for:`` that run are dropped."""
        for undo in self.undo:
            undo()
        self.undo.clear()
        if not keep_holds:
            self.arming.holds.drop_of(self.name)

    def hold(
        self, trigger: Trigger, for_: Duration, entity: str, variables: Values, values: dict[str, Any],
        event: Event | None, seen: list[Any],
    ) -> None:  # fmt: skip
        """Begin the ``for:`` of a trigger."""
        try:
            wait = seconds(for_, {**variables, "trigger": values})
            values["for"] = timedelta(seconds=wait)
            self.arming.holds.begin(self, trigger, entity, wait, values, event, seen)
        except ValueError as wrong:  # a template without a duration, too many at once
            self.failed(f"{trigger.path}: {wrong}", event)

    def listen(self, subscription: Subscription) -> Subscription:
        """Hear events until disarmed."""
        rules = self.arming.host.rules
        rules.add(subscription)
        self.undo.append(lambda: rules.remove(subscription))
        return subscription
