"""Triggers, armed: each is an entry in the bus's index, so an event costs only those who wait for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from hub.automation.execution.holds import Hold, Holds
from hub.automation.execution.values import filled, seconds, truth, with_variables
from hub.automation.host import Host
from hub.automation.language.model import Automation, EventTrigger, StateTrigger, TemplateTrigger, TimeTrigger, Trigger
from hub.automation.language.parse import index_key
from hub.automation.templates.functions import EventView, Reads, StateView
from hub.automation.templates.template import Templates
from hub.core.bus import ANY, Subscription
from hub.core.clock import Timer
from hub.core.event import Event
from hub.core.state import UNAVAILABLE, UNKNOWN, Change, EntityState

MINUTE = 60.0
Values = Mapping[str, Any]
Fire = Callable[[Trigger, dict[str, Any], Event | None], None]


@dataclass(slots=True)
class Arming:
    """What arming a trigger needs. ``counts``: how many event triggers wait for a (type, field, value)."""

    host: Host
    templates: Templates
    holds: Holds
    shared: Shared
    counts: Counter[tuple[str, str, Any]]


class Armed:
    """One automation's triggers at work, until ``disarm``."""

    def __init__(
        self, arming: Arming, automation: Automation, fire: Fire, failed: Callable[[str, Event | None], None]
    ) -> None:
        self.arming, self.automation, self.fire, self.failed = arming, automation, fire, failed
        self.undo: list[Callable[[], None]] = []
        self.stills: dict[str, Callable[[str], bool]] = {}  # trigger path → is what it holds for still so?
        variables = with_variables({}, automation.trigger_variables)
        for trigger in automation.triggers:
            if trigger.enabled:
                self._arm(trigger, variables)

    def disarm(self, *, keep_holds: bool = False) -> None:
        """Hear nothing more; ``for:`` that run are dropped."""
        for undo in self.undo:
            undo()
        self.undo.clear()
        if not keep_holds:
            self.arming.holds.drop_of(self.automation.id)

    def _arm(self, trigger: Trigger, variables: Values) -> None:
        if isinstance(trigger, EventTrigger):
            _arm_event(self, trigger, variables)
        elif isinstance(trigger, StateTrigger):
            _StateWatch(self, trigger, variables)
        elif isinstance(trigger, TemplateTrigger):
            _TemplateWatch(self, trigger, variables)
        elif isinstance(trigger, TimeTrigger):
            for at in trigger.at:
                _TimeWatch(self, trigger, at)

    def hold(
        self, trigger: StateTrigger | TemplateTrigger, entity: str, variables: Values, values: dict[str, Any],
        event: Event | None, seen: list[Any],
    ) -> None:  # fmt: skip
        """Begin the ``for:`` of a trigger."""
        try:
            wait = seconds(trigger.for_ or 0.0, {**variables, "trigger": values})
            values["for"] = timedelta(seconds=wait)
            self.arming.holds.begin(self, trigger, entity, wait, values, event, seen)
        except ValueError as wrong:  # a template without a duration, too many at once
            self.failed(f"{trigger.path}: {wrong}", event)

    def listen(self, subscription: Subscription) -> Subscription:
        rules = self.arming.host.rules
        rules.add(subscription)
        self.undo.append(lambda: rules.remove(subscription))
        return subscription


# --- event


def _arm_event(armed: Armed, trigger: EventTrigger, variables: Values) -> None:
    data = filled(dict(trigger.data), variables)
    zone, fire, entities = armed.arming.templates.world.zone, armed.fire, frozenset(trigger.entities)
    for name in trigger.types:
        key = index_key(data, lambda field, value, name=name: armed.arming.counts[name, field, value])  # type: ignore[misc]
        rest = tuple((field, value) for field, value in data.items() if field != key)

        def heard(event: Event, _change: Change | None, rest: tuple[tuple[str, Any], ...] = rest) -> None:
            if entities and event.entity not in entities:
                return
            for field, value in rest:
                if not _matches(event.data.get(field), value):
                    return
            fire(trigger, {"platform": "event", "event": EventView(event, zone)}, event)

        if key is None:
            armed.listen(Subscription(heard, name))
        else:
            _count(armed, (name, key, data[key]))
            armed.listen(Subscription(heard, name, key, data[key]))


def _count(armed: Armed, entry: tuple[str, str, Any]) -> None:
    counts = armed.arming.counts
    counts[entry] += 1

    def undo() -> None:
        counts[entry] -= 1
        if counts[entry] <= 0:
            del counts[entry]

    armed.undo.append(undo)


def _matches(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):  # a mapping matches when what it names is so
        return isinstance(value, Mapping) and all(_matches(value.get(key), item) for key, item in wanted.items())
    return bool(value == wanted)


# --- state


class _StateWatch:
    """A state trigger. ``unknown`` and ``unavailable`` fire only where ``to`` names them."""

    def __init__(self, armed: Armed, trigger: StateTrigger, variables: Values) -> None:
        self._armed, self._trigger, self._variables = armed, trigger, variables
        self._holds, self._zone = armed.arming.holds, armed.arming.templates.world.zone
        self._state = armed.arming.host.state
        for entity in trigger.entities:
            armed.listen(Subscription(self._heard, ANY, entity=entity))
        if trigger.for_ is not None:
            armed.stills[trigger.path] = self._still

    def _value(self, state: EntityState | None) -> Any:
        if state is None:
            return None
        return state.state if self._trigger.attribute is None else state.attributes.get(self._trigger.attribute)

    def _heard(self, event: Event, change: Change | None) -> None:
        if change is None:
            return
        trigger, old, new = self._trigger, self._value(change.old), self._value(change.new)
        if trigger.for_ is not None:
            self._holds.check(
                self._armed.automation.id, trigger.path, change.entity, lambda hold: self._lasts(hold, new)
            )
        if old == new and not (trigger.anything and trigger.attribute is None and change.new is not None):
            return
        if not self._from_matches(old) or not self._to_matches(new):
            return
        values = {
            "platform": "state", "entity_id": change.entity, "from_state": self._view(change.old),
            "to_state": self._view(change.new), "for": None, "attribute": trigger.attribute,
        }  # fmt: skip
        if trigger.for_ is None:
            self._armed.fire(trigger, values, event)
            return
        self._armed.hold(trigger, change.entity, self._variables, values, event, [old, new])

    def _view(self, state: EntityState | None) -> StateView | None:
        return StateView(state, self._zone) if state is not None else None

    def _from_matches(self, old: Any) -> bool:
        trigger = self._trigger
        if trigger.from_ is not None:
            return old in trigger.from_
        return trigger.not_from is None or old not in trigger.not_from

    def _to_matches(self, new: Any) -> bool:
        trigger = self._trigger
        if trigger.to is not None:
            return new in trigger.to
        if new in (UNKNOWN, UNAVAILABLE):
            return False
        return trigger.not_to is None or new not in trigger.not_to

    def _lasts(self, hold: Hold, value: Any) -> bool:
        old, new = hold.seen
        if self._trigger.from_ is not None and self._trigger.to is None:
            return bool(value != old)
        return bool(value == new)

    def _still(self, entity: str) -> bool:
        hold = self._holds.get(self._armed.automation.id, self._trigger.path, entity)
        return hold is not None and self._lasts(hold, self._value(self._state.get(entity)))


# --- template


class Shared:
    """One listener for all templates that read whole domains, one clock tick for all that read the time."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._domains: dict[str, dict[Any, Callable[[Event], None]]] = {}
        self._minute: dict[Any, Callable[[], None]] = {}
        self._subscription: Subscription | None = None
        self._timer: Timer | None = None

    def watch_domains(self, owner: Any, domains: set[str], call: Callable[[Event], None]) -> None:
        """Call when an entity of one of these domains changes."""
        self.leave_domains(owner)
        for name in domains:
            self._domains.setdefault(name, {})[owner] = call
        if self._domains and self._subscription is None:
            self._subscription = self._host.rules.add(Subscription(self._heard))

    def leave_domains(self, owner: Any) -> None:
        for name in [name for name, owners in self._domains.items() if owner in owners]:
            del self._domains[name][owner]
            if not self._domains[name]:
                del self._domains[name]
        if not self._domains and self._subscription is not None:
            self._host.rules.remove(self._subscription)
            self._subscription = None

    def _heard(self, event: Event, change: Change | None) -> None:
        if change is None:
            return
        for name in (change.entity.partition(".")[0], "*"):
            for call in tuple(self._domains.get(name, {}).values()):
                call(event)

    def watch_minutes(self, owner: Any, call: Callable[[], None]) -> None:
        """Call at each full minute."""
        self._minute[owner] = call
        if self._timer is None:
            self._schedule()

    def leave_minutes(self, owner: Any) -> None:
        self._minute.pop(owner, None)
        if not self._minute and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _schedule(self) -> None:
        self._timer = self._host.clock.call_at((self._host.clock.now() // MINUTE + 1) * MINUTE, self._tick)

    def _tick(self) -> None:
        self._schedule()
        for call in tuple(self._minute.values()):
            call()


class _TemplateWatch:
    """Fires when the template becomes true; looks again when something it read changes."""

    def __init__(self, armed: Armed, trigger: TemplateTrigger, variables: Values) -> None:
        self._armed, self._trigger, self._variables = armed, trigger, variables
        self._holds = armed.arming.holds
        self._listening: dict[str, Subscription] = {}
        self._reads = Reads()
        self._was, self._reads_now = self._look()
        self._follow(self._reads_now)
        armed.undo.append(self._leave)
        if trigger.for_ is not None:
            armed.stills[trigger.path] = lambda _entity: self._was

    def _look(self) -> tuple[bool, Reads]:
        result, reads = self._armed.arming.templates.watching(self._trigger.template, self._variables)
        return truth(result), reads

    def _follow(self, reads: Reads) -> None:
        rules, shared = self._armed.arming.host.rules, self._armed.arming.shared
        wanted = reads.entities | self._trigger.template.entities
        for entity in self._listening.keys() - wanted:
            rules.remove(self._listening.pop(entity))
        for entity in wanted - self._listening.keys():
            self._listening[entity] = rules.add(Subscription(self._changed, ANY, entity=entity))
        if reads.domains != self._reads.domains:
            shared.watch_domains(self, reads.domains, lambda event: self._again(event, None))
        if reads.time and not self._reads.time:
            shared.watch_minutes(self, lambda: self._again(None, None))
        elif self._reads.time and not reads.time:
            shared.leave_minutes(self)
        self._reads = reads

    def _leave(self) -> None:
        self._follow(Reads())
        for subscription in self._listening.values():
            self._armed.arming.host.rules.remove(subscription)
        self._listening.clear()

    def _changed(self, event: Event, change: Change | None) -> None:
        self._again(event, change)

    def _again(self, event: Event | None, change: Change | None) -> None:
        before, (self._was, reads) = self._was, self._look()
        self._follow(reads)
        identity = self._armed.automation.id, self._trigger.path, "-"
        if not self._was:
            self._holds.check(*identity, lambda _hold: False)
            return
        if before:
            return
        zone = self._armed.arming.templates.world.zone
        values: dict[str, Any] = {
            "platform": "template", "entity_id": change.entity if change else None, "for": None,
            "from_state": StateView(change.old, zone) if change and change.old else None,
            "to_state": StateView(change.new, zone) if change and change.new else None,
        }  # fmt: skip
        if self._trigger.for_ is None:
            self._armed.fire(self._trigger, values, event)
            return
        self._armed.hold(self._trigger, "-", self._variables, values, event, [])


# --- time


class _TimeWatch:
    """A time of day; the next one is always the next after now. One missed while the hub was down stays missed."""

    def __init__(self, armed: Armed, trigger: TimeTrigger, at: time) -> None:
        self._armed, self._trigger, self._at = armed, trigger, at
        self._clock, self._zone = armed.arming.host.clock, armed.arming.templates.world.zone
        self._timer = self._schedule()
        armed.undo.append(self._leave)

    def _schedule(self) -> Timer:
        now = datetime.fromtimestamp(self._clock.now(), self._zone)
        due = datetime.combine(now.date(), self._at, self._zone)
        if due.timestamp() <= self._clock.now():
            due = datetime.combine(now.date() + timedelta(days=1), self._at, self._zone)
        return self._clock.call_at(due.timestamp(), lambda: self._due(due))

    def _leave(self) -> None:
        self._timer.cancel()

    def _due(self, due: datetime) -> None:
        self._timer = self._schedule()
        self._armed.fire(self._trigger, {"platform": "time", "now": due}, None)
