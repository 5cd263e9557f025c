"""Conditions compiled to closures that answer yes or no and note why."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from hub.automation.execution.circumstances import Check, ConditionFailed, compile_circumstance
from hub.automation.execution.trace import Notes
from hub.automation.execution.values import Values, seconds
from hub.automation.language.model import (
    Condition,
    GroupCondition,
    NumericCondition,
    StateCondition,
    TemplateCondition,
    TriggerCondition,
)
from hub.automation.templates.template import TemplateFailed
from hub.automation.templates.views import World
from hub.core.state import UNAVAILABLE, UNKNOWN

# a state to compare with that is kept in a helper
_HELPER = re.compile(r"input_(?:select|text|number|boolean|datetime)\.[a-z0-9_]+")




def all_of(conditions: Sequence[Condition], world: World, *, undecided: bool = False) -> Check:
    """True when each holds. One that cannot be decided counts as ``undecided``, and the note says why."""
    checks = [(condition.path, compile_condition(condition, world)) for condition in conditions]

    def check(values: Values, notes: Notes) -> bool:
        for path, one in checks:
            try:
                if not one(values, notes):
                    return False
            except (ConditionFailed, TemplateFailed) as failed:
                notes.failed(path, str(failed))
                return undecided
        return True

    return check


def compile_condition(condition: Condition, world: World) -> Check:
    if not condition.enabled:
        return lambda _values, _notes: True
    if isinstance(condition, StateCondition):
        return _state(condition, world)
    if isinstance(condition, NumericCondition):
        return _numeric(condition, world)
    if isinstance(condition, TemplateCondition):
        return _template(condition)
    if isinstance(condition, TriggerCondition):
        return _trigger(condition)
    if isinstance(condition, GroupCondition):
        return _group(condition, world)
    return compile_circumstance(condition, world)


def _state(condition: StateCondition, world: World) -> Check:
    path, attribute, duration = condition.path, condition.attribute, condition.for_
    wanted, entities, any_ = condition.states, condition.entities, condition.any_

    helpers = tuple(name for name in wanted if isinstance(name, str) and _HELPER.fullmatch(name))

    def one(entity: str, values: Values, notes: Notes) -> bool:
        raw = world.get(entity)
        if raw is None:
            raise ConditionFailed(f"there is no entity {entity}")
        value = raw.state if attribute is None else raw.attributes.get(attribute)
        result = value in wanted or any((held := world.get(name)) and value == held.state for name in helpers)
        if result and duration is not None:
            lasted, needed = world.clock.now() - raw.changed, seconds(duration, values)
            result = lasted >= needed
            detail: dict[str, Any] = {"entity": entity, "state": value, "lasted_s": round(lasted, 3), "for_s": needed}
        else:
            detail = {"entity": entity, "state": value, "wanted": wanted}
        notes.add(path, result, detail, secret=attribute in raw.personal)
        return result

    if len(entities) == 1:
        only = entities[0]
        return lambda values, notes: one(only, values, notes)
    decide = any if any_ else all
    return lambda values, notes: decide(one(entity, values, notes) for entity in entities)


def _numeric(condition: NumericCondition, world: World) -> Check:
    path, template, attribute = condition.path, condition.template, condition.attribute

    def bound(given: float | str | None) -> float | None:
        if not isinstance(given, str):
            return given
        raw = world.get(given)
        return _number(raw.state if raw else None, given)

    def one(entity: str, values: Values, notes: Notes) -> bool:
        raw = world.get(entity)
        if raw is None:
            raise ConditionFailed(f"there is no entity {entity}")
        if template is not None:
            value = template.render({**values, "state": world.view(entity)})
        else:
            value = raw.state if attribute is None else raw.attributes.get(attribute)
        if value in (None, UNKNOWN, UNAVAILABLE):
            notes.add(path, False, {"entity": entity, "value": value})
            return False
        number, above, below = _number(value, entity), bound(condition.above), bound(condition.below)
        result = (above is None or number > above) and (below is None or number < below)
        named = template.source if template else attribute or ""
        detail = {"entity": entity, "value": number, "above": above, "below": below}
        notes.add(path, result, detail, secret=any(name in named for name in raw.personal))
        return result

    entities = condition.entities
    return lambda values, notes: all(one(entity, values, notes) for entity in entities)


def _number(value: Any, entity: str) -> float:
    try:
        return float(value)
    except (ValueError, TypeError):
        raise ConditionFailed(f"{entity}: {str(value)[:60]!r} is no number") from None


def _template(condition: TemplateCondition) -> Check:
    path, template = condition.path, condition.template

    def check(values: Values, notes: Notes) -> bool:
        result = template.text(values).lower() == "true"  # nothing else counts, as in Home Assistant
        notes.add(path, result, {"template": template.source})
        return result

    return check


def _trigger(condition: TriggerCondition) -> Check:
    path, wanted = condition.path, frozenset(condition.ids)

    def check(values: Values, notes: Notes) -> bool:
        trigger = values.get("trigger")
        found = trigger.get("id") if isinstance(trigger, dict) else None
        notes.add(path, found in wanted, {"trigger": found})
        return found in wanted

    return check


def _group(condition: GroupCondition, world: World) -> Check:
    path, kind = condition.path, condition.kind
    checks = [compile_condition(inner, world) for inner in condition.conditions if inner.enabled]

    def both(values: Values, notes: Notes) -> bool:
        failed: Exception | None = None
        for check in checks:
            try:
                if not check(values, notes):
                    return False
            except (ConditionFailed, TemplateFailed) as fault:  # another may be clearly false
                failed = fault
        if failed is not None:
            raise failed
        return True

    def either(values: Values, notes: Notes) -> bool:
        failed: Exception | None = None
        for check in checks:
            try:
                if check(values, notes):
                    return True
            except (ConditionFailed, TemplateFailed) as fault:  # another may still hold
                failed = fault
        if failed is not None:
            raise failed
        return False

    def none(values: Values, notes: Notes) -> bool:
        return not either(values, notes)

    decide = {"and": both, "or": either, "not": none}[kind]

    def check(values: Values, notes: Notes) -> bool:
        result = decide(values, notes)
        notes.add(path, result, {"group": kind})
        return result

    return check
