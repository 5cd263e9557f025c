"""YAML of conditions and steps to the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.automation.language.known import check_action, check_event, check_fields, near
from hub.automation.language.model import (
    ActionStep,
    Branch,
    ChooseStep,
    Condition,
    ConditionStep,
    DelayStep,
    EventStep,
    GroupCondition,
    NumericCondition,
    StateCondition,
    Step,
    StopStep,
    TemplateCondition,
    VariablesStep,
)
from hub.automation.language.reader import ENTITY_ID, Reader, as_number, kind_of
from hub.automation.language.source import Map, Place
from hub.automation.templates.template import Template, is_template

_CONDITION = {"condition", "alias", "enabled", "id"}
_STEP = {"alias", "enabled", "continue_on_error", "id"}
_GROUPS = ("and", "or", "not")


def conditions(reader: Reader, value: Any, place: Place, path: str) -> tuple[Condition, ...]:
    """One condition or a list of them."""
    found = []
    for index, (item, at) in enumerate(reader.items(value, place)):
        made = condition(reader, item, at, f"{path}/{index}")
        if made is not None:
            found.append(made)
    return tuple(found)


def condition(reader: Reader, value: Any, place: Place, path: str) -> Condition | None:
    """One condition: a mapping, or a template alone."""
    if isinstance(value, str):
        if not is_template(value):
            reader.wrong(place, f"{value!r} is no condition; a template needs {{{{ }}}} around it")
            return None
        template = reader.template(value, place)
        return TemplateCondition(path=path, place=place, template=template) if template else None
    source = reader.mapping(value, place, "a condition")
    if source is None:
        return None
    for group in _GROUPS:  # the short forms `and: […]`
        if group in source and "condition" not in source:
            return _group(reader, source, group, group, path)
    kind = source.get("condition")
    if is_template(kind):
        return condition(reader, kind, source.values_at["condition"], path)
    if kind in _GROUPS:
        return _group(reader, source, str(kind), "conditions", path)
    build = _CONDITIONS.get(str(kind))
    if build is None:
        at = source.values_at.get("condition", place)
        words = (
            f"there is no condition {kind!r}{near(str(kind), [*_CONDITIONS, *_GROUPS])}"
            if kind
            else "'condition' is missing"
        )
        reader.wrong(at, words)
        return None
    return build(reader, source, path)


def _common(reader: Reader, source: Map, path: str) -> dict[str, Any]:
    return {
        "path": path, "place": source.place, "alias": reader.text(source, "alias"),
        "enabled": reader.flag(source, "enabled", True),
    }  # fmt: skip


def _group(reader: Reader, source: Map, kind: str, key: str, path: str) -> Condition | None:
    reader.known(source, f"the condition {kind!r}", _CONDITION | {key})
    if not source.get(key):
        reader.wrong(source.place, f"{key!r} is empty")
        return None
    inner = conditions(reader, source[key], source.values_at[key], f"{path}/conditions")
    return GroupCondition(**_common(reader, source, path), kind=kind, conditions=inner)


def _state(reader: Reader, source: Map, path: str) -> Condition | None:
    reader.known(source, "a state condition", _CONDITION | {"entity_id", "state", "attribute", "for", "match"})
    if source.get("state") is None:
        reader.wrong(source.place, "'state' is missing")
        return None
    attribute = reader.text(source, "attribute") or None
    return StateCondition(
        **_common(reader, source, path), entities=reader.entities(source), attribute=attribute,
        states=reader.states(source, "state", exact=attribute is not None), for_=reader.duration(source, "for"),
        any_=reader.word(source, "match", "all", ("all", "any")) == "any",
    )  # fmt: skip


def _numeric(reader: Reader, source: Map, path: str) -> Condition | None:
    fields = _CONDITION | {"entity_id", "above", "below", "attribute", "value_template"}
    reader.known(source, "a numeric_state condition", fields)
    above, below = _bound(reader, source, "above"), _bound(reader, source, "below")
    if above is None and below is None:
        reader.wrong(source.place, "'above' or 'below' is missing")
    elif isinstance(above, float) and isinstance(below, float) and above >= below:
        reader.wrong(source.place, f"nothing lies above {above:g} and below {below:g}")
    template = None
    if source.get("value_template") is not None:
        template = reader.template(source["value_template"], source.values_at["value_template"])
    return NumericCondition(
        **_common(reader, source, path), entities=reader.entities(source), above=above,
        below=below, attribute=reader.text(source, "attribute") or None, template=template,
    )  # fmt: skip


def _bound(reader: Reader, source: Map, key: str) -> float | str | None:
    value = source.get(key)
    if value is None:
        return None
    if isinstance(value, str) and ENTITY_ID.fullmatch(value):
        return value
    number = as_number(value)
    if number is None:
        reader.wrong(source.values_at[key], f"{key!r} must be a number or an entity id, not {kind_of(value)}")
    return number


def _template(reader: Reader, source: Map, path: str) -> Condition | None:
    reader.known(source, "a template condition", _CONDITION | {"value_template"})
    if "value_template" not in source:
        reader.wrong(source.place, "'value_template' is missing")
        return None
    template = reader.template(source["value_template"], source.values_at["value_template"])
    return TemplateCondition(**_common(reader, source, path), template=template) if template else None


_CONDITIONS: Mapping[str, Callable[[Reader, Map, str], Condition | None]] = {
    "state": _state, "numeric_state": _numeric, "template": _template,
}  # fmt: skip


# --- steps


def steps(reader: Reader, value: Any, place: Place, path: str) -> tuple[Step, ...]:
    """One step or a list of them."""
    found: list[Step] = []
    for index, (item, at) in enumerate(reader.items(value, place)):
        if found and isinstance(found[-1], StopStep) and found[-1].enabled:
            reader.wrong(at, "this is never reached: a stop stands before it")
        made = step(reader, item, at, f"{path}/{index}")
        if made is not None:
            found.append(made)
    return tuple(found)


def step(reader: Reader, value: Any, place: Place, path: str) -> Step | None:
    """One step."""
    if isinstance(value, str):
        made = condition(reader, value, place, path)
        return ConditionStep(path=path, place=place, condition=made) if made else None
    source = reader.mapping(value, place, "a step")
    if source is None:
        return None
    for key, build in _STEPS.items():
        if key in source:
            return build(reader, source, path)
    if any(group in source for group in _GROUPS):
        return _condition_step(reader, source, path)
    first = next(iter(source), "")
    reader.wrong(place, f"this is no step: it has none of {', '.join(_STEPS)}{near(first, _STEPS)}")
    return None


def _step_common(reader: Reader, source: Map, path: str) -> dict[str, Any]:
    return {**_common(reader, source, path), "go_on": reader.flag(source, "continue_on_error", False)}


def _action(reader: Reader, source: Map, path: str) -> Step | None:
    fields = _STEP | {"action", "service", "target", "entity_id", "data", "data_template", "response_variable"}
    reader.known(source, "an action step", fields)
    named = reader.either(source, "action", "service")
    if named is None:
        return None
    name, at = named[1], named[2]
    if not isinstance(name, str) or ("." not in name and not is_template(name)):
        reader.wrong(at, f"{name!r} is no action; write domain.verb, as in light.turn_on")
        return None
    action = reader.template(name, at) if is_template(name) else name.strip()
    targets, targets_at = _targets(reader, source)
    data, fields_at = _action_data(reader, source)
    if isinstance(data, dict) and "entity_id" in data:  # the old place of the target
        if targets:
            reader.wrong(fields_at["entity_id"], "the target is given twice; keep 'target'")
        targets, targets_at = _as_targets(data.pop("entity_id")), fields_at.pop("entity_id")
    if action is None:
        return None
    if reader.what is not None and isinstance(action, str):
        check_action(reader.what, action, at, targets, targets_at, data, fields_at, reader.wrong)
    return ActionStep(
        **_step_common(reader, source, path), action=action, targets=targets, data=data,
        response=reader.text(source, "response_variable") or None,
    )  # fmt: skip


def _as_targets(value: Any) -> tuple[Any, ...]:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(","))
    return tuple(value) if isinstance(value, list) else (value,)


def _targets(reader: Reader, source: Map) -> tuple[tuple[str | Template, ...], Place]:
    holder = source
    if source.get("target") is not None:
        target = reader.mapping(source["target"], source.values_at["target"], "'target'")
        if target is None:
            return (), source.place
        reader.known(target, "'target'", {"entity_id"})
        holder = target
    if holder.get("entity_id") is None:
        return (), source.place
    found: list[str | Template] = []
    at = holder.values_at["entity_id"]
    for value, place in reader.items(holder["entity_id"], at):
        if is_template(value):
            template = reader.template(value, place)
            found += [template] if template else []
            continue
        for part in str(value).split(","):
            if ENTITY_ID.fullmatch(part.strip()):
                found.append(part.strip())
                reader.entity(part.strip(), place)
            else:
                reader.wrong(place, f"{part.strip()!r} is no entity id; write domain.object, as in light.charot_12")
    return tuple(found), at


def _action_data(reader: Reader, source: Map) -> tuple[Any, dict[str, Place]]:
    given = reader.either(source, "data", "data_template")
    if given is None or given[1] is None:
        return {}, {}
    if is_template(given[1]):
        return reader.template(given[1], given[2]) or {}, {}
    found = reader.mapping(given[1], given[2], f"{given[0]!r}")
    return (reader.data(found, found.place), dict(found.keys_at)) if found is not None else ({}, {})


def _delay(reader: Reader, source: Map, path: str) -> Step | None:
    reader.known(source, "a delay", _STEP | {"delay"})
    duration = reader.duration(source, "delay")
    return None if duration is None else DelayStep(**_step_common(reader, source, path), duration=duration)


def _variables(reader: Reader, source: Map, path: str) -> Step | None:
    reader.known(source, "a variables step", _STEP | {"variables"})
    return VariablesStep(**_step_common(reader, source, path), variables=reader.named_data(source, "variables"))


def _event(reader: Reader, source: Map, path: str) -> Step | None:
    reader.known(source, "an event step", _STEP | {"event", "event_data", "event_data_template", "entity_id"})
    key = "event_data_template" if "event_data_template" in source else "event_data"
    reader.either(source, "event_data", "event_data_template")
    entity = source.get("entity_id")
    if entity is not None:
        at = source.values_at["entity_id"]
        entity = reader.template(entity, at) if is_template(entity) else next(iter(reader.entities(source)), None)
    name, data = reader.text(source, "event"), reader.named_data(source, key)
    kind = check_event(reader.what, name, source.values_at["event"], reader.wrong) if reader.what else None
    if kind is not None and not kind.outside:
        words = f"{name} is an event of the hub itself; an automation cannot fire it"
        reader.wrong(source.values_at["event"], words)
    elif kind is not None:
        fields_at = source[key].keys_at if isinstance(source.get(key), Map) else {}
        check_fields(kind.model, data, fields_at, source.place, name, reader.wrong)
    return EventStep(**_step_common(reader, source, path), type=name, data=data, entity=entity)


def _stop(reader: Reader, source: Map, path: str) -> Step | None:
    reader.known(source, "a stop", _STEP | {"stop", "error"})
    reason = reader.data(source["stop"], source.values_at["stop"])
    return StopStep(
        **_step_common(reader, source, path), reason=reason if isinstance(reason, Template) else str(reason or ""),
        error=reader.flag(source, "error", False),
    )  # fmt: skip


def _condition_step(reader: Reader, source: Map, path: str) -> Step | None:
    made = condition(reader, source, source.place, path)
    return ConditionStep(path=path, place=source.place, enabled=made.enabled, condition=made) if made else None


def _if(reader: Reader, source: Map, path: str) -> Step | None:
    reader.known(source, "an if", _STEP | {"if", "then", "else"})
    if "then" not in source:
        reader.wrong(source.place, "'then' is missing")
        return None
    held = conditions(reader, source["if"], source.values_at["if"], f"{path}/if")
    then = steps(reader, source["then"], source.values_at["then"], f"{path}/then")
    other = steps(reader, source["else"], source.values_at["else"], f"{path}/else") if "else" in source else ()
    branch = Branch(conditions=held, steps=then, path=f"{path}/then")
    return ChooseStep(
        **_step_common(reader, source, path), branches=(branch,), default=other, default_path=f"{path}/else"
    )


def _choose(reader: Reader, source: Map, path: str) -> Step | None:
    reader.known(source, "a choose", _STEP | {"choose", "default"})
    branches = []
    for index, (value, at) in enumerate(reader.items(source["choose"], source.values_at["choose"])):
        option = reader.mapping(value, at, "a choice")
        if option is None:
            continue
        reader.known(option, "a choice", {"conditions", "condition", "sequence", "alias"})
        held, inner = reader.either(option, "conditions", "condition"), f"{path}/choose/{index}"
        if held is None or "sequence" not in option:
            reader.wrong(at, "a choice needs 'conditions' and 'sequence'")
            continue
        branches.append(
            Branch(
                conditions=conditions(reader, held[1], held[2], f"{inner}/conditions"), path=f"{inner}/sequence",
                steps=steps(reader, option["sequence"], option.values_at["sequence"], f"{inner}/sequence"),
            )
        )  # fmt: skip
    at, other = source.values_at.get("default", source.place), source.get("default")
    return ChooseStep(
        **_step_common(reader, source, path), branches=tuple(branches), default_path=f"{path}/default",
        default=steps(reader, other, at, f"{path}/default"),
    )  # fmt: skip


_STEPS: Mapping[str, Callable[[Reader, Map, str], Step | None]] = {
    "action": _action, "service": _action, "delay": _delay, "choose": _choose, "if": _if, "variables": _variables,
    "event": _event, "stop": _stop, "condition": _condition_step,
}  # fmt: skip
