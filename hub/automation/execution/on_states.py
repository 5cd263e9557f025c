"""Triggers on the state of entities: changes, numbers, places."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

from hub.automation.execution.arming import Armed, Values
from hub.automation.execution.holds import Hold
from hub.automation.execution.places import inside, position
from hub.automation.language.model import NumericTrigger, StateTrigger, ZoneTrigger
from hub.automation.templates.views import StateView
from hub.core.bus import ANY, Subscription
from hub.core.event import Event
from hub.core.state import UNAVAILABLE, UNKNOWN, Change, EntityState

NOT_YET = float("nan")  # a bound whose entity has no value yet


class StateWatch:
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
                self._armed.name, trigger.path, change.entity, lambda hold: self._lasts(hold, new)
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
        self._armed.hold(trigger, trigger.for_, change.entity, self._variables, values, event, [old, new])

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
        hold = self._holds.get(self._armed.name, self._trigger.path, entity)
        return hold is not None and self._lasts(hold, self._value(self._state.get(entity)))

class NumericWatch:
    """A numeric_state trigger: fires when the number comes into the range from outside. Without a value it is outside;
    what is no number is neither, and the last clear answer counts on."""

    def __init__(self, armed: Armed, trigger: NumericTrigger, variables: Values) -> None:
        self._armed, self._trigger, self._variables = armed, trigger, variables
        self._holds, self._zone = armed.arming.holds, armed.arming.templates.world.zone
        self._state = armed.arming.host.state
        self._outside: set[str] = set()
        for entity in trigger.entities:
            if self._inside(entity, self._state.get(entity)) is False:
                self._outside.add(entity)
            armed.listen(Subscription(self._heard, ANY, entity=entity))
        if trigger.for_ is not None:
            armed.stills[trigger.path] = lambda entity: self._inside(entity, self._state.get(entity)) is True

    def _inside(self, entity: str, state: EntityState | None) -> bool | None:
        """Is the number in the range? ``None`` when there is no telling."""
        if state is None:
            return None
        trigger = self._trigger
        try:
            if trigger.template is not None:
                about: dict[str, Any] = {"platform": "numeric_state", "entity_id": entity}
                about |= {"above": trigger.above, "below": trigger.below}
                values = {**self._variables, "trigger": about, "state": StateView(state, self._zone)}
                value = trigger.template.render(values)
            else:
                value = state.state if trigger.attribute is None else state.attributes.get(trigger.attribute)
            if value in (None, UNKNOWN, UNAVAILABLE):
                return False
            number, above, below = float(value), self._bound(trigger.above), self._bound(trigger.below)
        except (ValueError, TypeError):  # no number, a template that failed
            return None
        if above is NOT_YET or below is NOT_YET:
            return False
        return (above is None or number > above) and (below is None or number < below)

    def _bound(self, given: float | str | None) -> float | None:
        if not isinstance(given, str):
            return given
        state = self._state.get(given)
        if state is None:
            raise ValueError(given)
        return NOT_YET if state.state in (UNKNOWN, UNAVAILABLE) else float(state.state)

    def _heard(self, event: Event, change: Change | None) -> None:
        if change is None or change.new is None:
            return
        trigger, entity = self._trigger, change.entity
        inside = self._inside(entity, change.new)
        if trigger.for_ is not None:
            self._holds.check(self._armed.name, trigger.path, entity, lambda _hold: inside is True)
        if inside is None:
            return
        if not inside:
            self._outside.add(entity)
            return
        if entity not in self._outside:
            return
        self._outside.discard(entity)
        values: dict[str, Any] = {
            "platform": "numeric_state", "entity_id": entity, "above": trigger.above, "below": trigger.below,
            "from_state": _view(change.old, self._zone), "to_state": _view(change.new, self._zone), "for": None,
        }  # fmt: skip
        if trigger.for_ is None:
            self._armed.fire(trigger, values, event)
        else:
            self._armed.hold(trigger, trigger.for_, entity, self._variables, values, event, [])


class ZoneWatch:
    """A zone trigger: an entity's position comes into a place, or out of it."""

    def __init__(self, armed: Armed, trigger: ZoneTrigger, _variables: Values) -> None:
        self._armed, self._trigger, self._world = armed, trigger, armed.arming.templates.world
        for entity in trigger.entities:
            armed.listen(Subscription(self._heard, ANY, entity=entity))

    def _heard(self, event: Event, change: Change | None) -> None:
        trigger, world = self._trigger, self._world
        if change is None or position(change.new) is None or (change.old is not None and position(change.old) is None):
            return
        place = world.get(trigger.zone)
        if place is None:
            return
        was, is_ = inside(place, change.old), inside(place, change.new)
        if (was and not is_) if trigger.leave else (is_ and not was):
            values = {
                "platform": "zone", "entity_id": change.entity, "event": "leave" if trigger.leave else "enter",
                "from_state": _view(change.old, world.zone), "to_state": _view(change.new, world.zone),
                "zone": StateView(place, world.zone),
            }  # fmt: skip
            self._armed.fire(trigger, values, event)


def _view(state: EntityState | None, zone: tzinfo) -> StateView | None:
    return StateView(state, zone) if state is not None else None
