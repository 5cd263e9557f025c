"""YAML of conditions to the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.automation.language.model import (
    Condition,
    ForeignCondition,
    GroupCondition,
    NumericCondition,
    StateCondition,
    SunCondition,
    TemplateCondition,
    TimeCondition,
    TriggerCondition,
    ZoneCondition,
)
from hub.automation.language.reader import ENTITY_ID, Reader, as_number, kind_of
from hub.automation.language.source import Map, Place
from hub.automation.templates.template import is_template

_CONDITION = {"condition", "alias", "enabled", "id"}
GROUPS = ("and", "or", "not")



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
    for group in GROUPS:  # the short forms `and: […]`
        if group in source and "condition" not in source:
            return _group(reader, source, group, group, path)
    kind = source.get("condition")
    if is_template(kind):
        return condition(reader, kind, source.values_at["condition"], path)
    if kind in GROUPS:
        return _group(reader, source, str(kind), "conditions", path)
    build = _CONDITIONS.get(str(kind))
    if build is None:
        return _foreign(reader, source, kind, path)
    return build(reader, source, path)


def _foreign(reader: Reader, source: Map, kind: Any, path: str) -> Condition | None:
    """A kind that the hub does not know, or none at all."""
    if kind is None:
        reader.wrong(source.place, "'condition' is missing")
    elif reader.lenient and isinstance(kind, str) and kind not in KINDS:
        return ForeignCondition(**common(reader, source, path), kind=kind)
    else:
        reader.wrong(source.values_at["condition"], f"there is no condition {kind!r}", str(kind), KINDS)
    return None


def common(reader: Reader, source: Map, path: str) -> dict[str, Any]:
    return {
        "path": path, "place": source.place, "alias": reader.text(source, "alias"), "enabled": reader.enabled(source),
    }  # fmt: skip


def _group(reader: Reader, source: Map, kind: str, key: str, path: str) -> Condition | None:
    reader.known(source, f"the condition {kind!r}", _CONDITION | {key})
    if key not in source:
        reader.wrong(source.place, f"{key!r} is missing")
        return None
    inner = conditions(reader, source[key], source.values_at[key], f"{path}/conditions")
    return GroupCondition(**common(reader, source, path), kind=kind, conditions=inner)


def _state(reader: Reader, source: Map, path: str) -> Condition | None:
    reader.known(source, "a state condition", _CONDITION | {"entity_id", "state", "attribute", "for", "match"})
    if source.get("state") is None:
        reader.wrong(source.place, "'state' is missing")
        return None
    attribute = reader.text(source, "attribute") or None
    return StateCondition(
        **common(reader, source, path), entities=reader.entities(source), attribute=attribute,
        states=reader.states(source, "state", exact=attribute is not None), for_=reader.duration(source, "for"),
        any_=reader.word(source, "match", "all", ("all", "any")) == "any",
    )  # fmt: skip


def _numeric(reader: Reader, source: Map, path: str) -> Condition | None:
    fields = _CONDITION | {"entity_id", "above", "below", "attribute", "value_template"}
    reader.known(source, "a numeric_state condition", fields)
    above, below = bound(reader, source, "above"), bound(reader, source, "below")
    if above is None and below is None:
        reader.wrong(source.place, "'above' or 'below' is missing")
    elif isinstance(above, float) and isinstance(below, float) and above >= below:
        reader.wrong(source.place, f"nothing lies above {above:g} and below {below:g}")
    template = None
    if source.get("value_template") is not None:
        template = reader.template(source["value_template"], source.values_at["value_template"])
    return NumericCondition(
        **common(reader, source, path), entities=reader.entities(source), above=above,
        below=below, attribute=reader.text(source, "attribute") or None, template=template,
    )  # fmt: skip


def bound(reader: Reader, source: Map, key: str) -> float | str | None:
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
    return TemplateCondition(**common(reader, source, path), template=template) if template else None


def _time(reader: Reader, source: Map, path: str) -> Condition | None:
    reader.known(source, "a time condition", _CONDITION | {"after", "before", "weekday"})
    if not source.keys() & {"after", "before", "weekday"}:
        reader.wrong(source.place, "one of 'after', 'before' and 'weekday' is needed")
    return TimeCondition(
        **common(reader, source, path), after=reader.time_or_entity(source, "after"),
        before=reader.time_or_entity(source, "before"),
        weekdays=reader.weekdays(source),
    )  # fmt: skip


def _sun(reader: Reader, source: Map, path: str) -> Condition | None:
    reader.known(source, "a sun condition", _CONDITION | {"after", "before", "after_offset", "before_offset"})
    if "after" not in source and "before" not in source:
        reader.wrong(source.place, "'after' or 'before' is missing: sunrise or sunset")
    words = {
        key: reader.word(source, key, SUN_EVENTS[0], SUN_EVENTS) if key in source else None
        for key in ("after", "before")
    }
    return SunCondition(
        **common(reader, source, path), after=words["after"], before=words["before"],
        after_offset=reader.offset(source, "after_offset"), before_offset=reader.offset(source, "before_offset"),
    )  # fmt: skip


def _zone(reader: Reader, source: Map, path: str) -> Condition | None:
    reader.known(source, "a zone condition", _CONDITION | {"entity_id", "zone"})
    return ZoneCondition(
        **common(reader, source, path), entities=reader.entities(source), zones=reader.entities(source, "zone")
    )


def _trigger(reader: Reader, source: Map, path: str) -> Condition | None:
    reader.known(source, "a trigger condition", _CONDITION)
    if source.get("id") is None:
        reader.wrong(source.place, "'id' is missing: the id of a trigger")
    ids = [str(value) for value, _ in reader.items(source.get("id"), source.values_at.get("id", source.place))]
    return TriggerCondition(**common(reader, source, path), ids=tuple(ids))


SUN_EVENTS = ("sunrise", "sunset")
_CONDITIONS: Mapping[str, Callable[[Reader, Map, str], Condition | None]] = {
    "state": _state, "numeric_state": _numeric, "template": _template, "time": _time, "sun": _sun, "zone": _zone,
    "trigger": _trigger,
}  # fmt: skip
KINDS = (*_CONDITIONS, *GROUPS)
