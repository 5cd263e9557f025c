"""YAML of automations to the model: blueprints filled in, every mistake collected."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any

from hub.automation.language.blueprint import Blueprints, fill
from hub.automation.language.known import Known, check_event, check_match, near
from hub.automation.language.model import Automation, EventTrigger, StateTrigger, TemplateTrigger, TimeTrigger, Trigger
from hub.automation.language.parse_steps import conditions, steps
from hub.automation.language.reader import Reader
from hub.automation.language.source import Map, Place, Seq, load, plain
from hub.automation.templates.template import Templates, is_template
from hub.core.error import ConfigError, Mistake

MODES = ("single", "restart", "queued", "parallel")
DEFAULT_MAX = 10
MAX_MAX = 100
MAX_AUTOMATIONS = 20_000

_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_FIELDS = {
    "id", "alias", "description", "mode", "max", "max_exceeded", "initial_state", "trigger", "triggers", "condition",
    "conditions", "action", "actions", "variables", "trigger_variables", "trace",
}  # fmt: skip
_TRIGGER = {"platform", "trigger", "id", "alias", "enabled", "variables"}


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a text holds. ``broken``: ids of automations that have mistakes (they are not in ``automations``)."""

    automations: tuple[Automation, ...]
    mistakes: tuple[Mistake, ...]
    broken: frozenset[str]


def parse_text(
    text: str, file: str, templates: Templates, blueprints: Blueprints, known: Known | None = None
) -> Parsed:
    """All automations of a text; one bad one leaves the others."""
    try:
        value, place = load(text, file)
    except ConfigError as wrong:
        return Parsed((), tuple(wrong.mistakes), frozenset())
    if isinstance(value, Map) and "automation" in value and len(value) == 1:
        value, place = value["automation"], value.values_at["automation"]
    good: list[Automation] = []
    mistakes: list[Mistake] = []
    broken: set[str] = set()
    seen: dict[str, Place] = {}
    for item, at in value.placed() if isinstance(value, Seq) else ([] if value is None else [(value, place)]):
        reader = Reader(templates, known)
        made = _whole(reader, item, at, blueprints, seen)
        mistakes += reader.mistakes
        if made is not None and not reader.mistakes and len(good) < MAX_AUTOMATIONS:
            good.append(made)
        elif isinstance(item, Map):
            broken.add(_id_of(item))
    return Parsed(tuple(good), tuple(mistakes), frozenset(broken - {""}))


def _whole(
    reader: Reader, value: Any, place: Place, blueprints: Blueprints, seen: dict[str, Place]
) -> Automation | None:
    source = reader.mapping(value, place, "an automation")
    if source is None:
        return None
    filled = fill(reader, source, blueprints)
    if filled is None:
        return None
    name = _id_of(filled)
    if not _ID.fullmatch(name):
        at = filled.values_at.get("id", filled.place)
        reader.wrong(at, "give the automation an 'id' of Latin letters, digits, _ and -: its runs are kept under it")
    elif name in seen:
        reader.wrong(
            filled.values_at.get("id", filled.place), f"the id {name!r} is taken already in line {seen[name].line}"
        )
    seen.setdefault(name, filled.place)
    return automation(reader, filled, name)


def _id_of(source: Map) -> str:
    value = source.get("id")
    if value is not None:
        return str(value)
    return re.sub(r"[^a-z0-9]+", "_", str(source.get("alias", "")).lower()).strip("_")


def automation(reader: Reader, source: Map, name: str) -> Automation:
    """One automation whose blanks are filled."""
    reader.known(source, "an automation", _FIELDS)
    when = _section(reader, source, "triggers", "trigger")
    held = _section(reader, source, "conditions", "condition")
    does = _section(reader, source, "actions", "action")
    if when[0] is None:
        reader.wrong(source.place, "'triggers' is missing: nothing would start this automation")
    if does[0] is None:
        reader.wrong(source.place, "'actions' is missing: this automation would do nothing")
    tree = plain(source)
    return Automation(
        id=name, alias=reader.text(source, "alias", name), description=reader.text(source, "description"),
        mode=reader.word(source, "mode", "single", MODES), max=_max(reader, source),
        silent=reader.text(source, "max_exceeded", "warning").lower() == "silent",
        enabled=reader.flag(source, "initial_state", True), triggers=_triggers(reader, *when),
        conditions=conditions(reader, *held, "condition"), steps=steps(reader, *does, "action"),
        variables=reader.named_data(source, "variables"), tree=tree, hash=tree_hash(tree), place=source.place,
        trigger_variables=reader.named_data(source, "trigger_variables"),
    )  # fmt: skip


def tree_hash(tree: Mapping[str, Any]) -> str:
    """The name of one version of an automation: 32 hexadecimal digits of the SHA-256 of its source as JSON."""
    text = json.dumps(tree, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _section(reader: Reader, source: Map, *names: str) -> tuple[Any, Place]:
    found = reader.either(source, *names)
    return (found[1], found[2]) if found else (None, source.place)


def _max(reader: Reader, source: Map) -> int:
    value = source.get("max", DEFAULT_MAX)
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_MAX:
        return value
    reader.wrong(source.values_at["max"], f"'max' must be a whole number from 1 to {MAX_MAX}")
    return DEFAULT_MAX


# --- triggers


def _triggers(reader: Reader, value: Any, place: Place) -> tuple[Trigger, ...]:
    found = []
    for index, (item, at) in enumerate(reader.items(value, place)):
        source = reader.mapping(item, at, "a trigger")
        if source is None:
            continue
        named = reader.either(source, "trigger", "platform")
        if named is None:
            reader.wrong(at, "say which trigger this is: 'trigger: state' (or 'platform: state')")
            continue
        build = _TRIGGERS.get(str(named[1]))
        if build is None:
            reader.wrong(named[2], f"there is no trigger {named[1]!r}{near(str(named[1]), _TRIGGERS)}")
            continue
        common = {
            "path": f"trigger/{index}", "place": source.place, "id": reader.text(source, "id", str(index)),
            "alias": reader.text(source, "alias"), "enabled": reader.flag(source, "enabled", True),
            "variables": reader.named_data(source, "variables"),
        }  # fmt: skip
        made = build(reader, source, common)
        if made is not None:
            found.append(made)
    return tuple(found)


def _event(reader: Reader, source: Map, common: dict[str, Any]) -> Trigger | None:
    reader.known(source, "an event trigger", _TRIGGER | {"event_type", "event_data", "entity_id"})
    named = list(reader.items(source.get("event_type"), source.values_at.get("event_type", source.place)))
    types = [str(name) for name, _ in named]
    if not types:
        reader.wrong(source.place, "'event_type' is missing")
    data = reader.named_data(source, "event_data")
    for name, at in named:
        kind = check_event(reader.what, str(name), at, reader.wrong) if reader.what else None
        if kind is not None and data:
            check_match(kind, data, source["event_data"].keys_at, reader.wrong)
    entities = reader.entities(source, required=False)
    return EventTrigger(**common, types=tuple(types), data=data, entities=entities)


def _state(reader: Reader, source: Map, common: dict[str, Any]) -> Trigger | None:
    named = ("to", "from", "not_to", "not_from")
    reader.known(source, "a state trigger", _TRIGGER | {"entity_id", "attribute", "for", *named})
    for one, other in (("to", "not_to"), ("from", "not_from")):
        if one in source and other in source:
            reader.wrong(source.keys_at[other], f"{one!r} and {other!r} exclude each other; keep one")
    attribute = reader.text(source, "attribute") or None
    values = {
        name: reader.states(source, name, exact=attribute is not None) if source.get(name) is not None else None
        for name in named
    }
    return StateTrigger(
        **common, entities=reader.entities(source), attribute=attribute, for_=reader.duration(source, "for"),
        to=values["to"], from_=values["from"], not_to=values["not_to"], not_from=values["not_from"],
        anything=not any(name in source for name in named),
    )  # fmt: skip


def _template(reader: Reader, source: Map, common: dict[str, Any]) -> Trigger | None:
    reader.known(source, "a template trigger", _TRIGGER | {"value_template", "for"})
    if "value_template" not in source:
        reader.wrong(source.place, "'value_template' is missing")
        return None
    at = source.values_at["value_template"]
    if not is_template(source["value_template"]):
        reader.wrong(at, "this never changes; a template needs {{ }} around it")
        return None
    template = reader.template(source["value_template"], at)
    return TemplateTrigger(**common, template=template, for_=reader.duration(source, "for")) if template else None


def _time(reader: Reader, source: Map, common: dict[str, Any]) -> Trigger | None:
    reader.known(source, "a time trigger", _TRIGGER | {"at"})
    if source.get("at") is None:
        reader.wrong(source.place, "'at' is missing")
        return None
    times = []
    for value, place in reader.items(source["at"], source.values_at["at"]):
        parts = _TIME.fullmatch(str(value))
        hour, minute, second = (int(part or 0) for part in parts.groups()) if parts else (99, 0, 0)
        if hour > 23 or minute > 59 or second > 59:
            reader.wrong(place, f"{value!r} is no time of day; write HH:MM or HH:MM:SS")
        else:
            times.append(time(hour, minute, second))
    return TimeTrigger(**common, at=tuple(times))


_TRIGGERS: Mapping[str, Callable[[Reader, Map, dict[str, Any]], Trigger | None]] = {
    "event": _event, "state": _state, "template": _template, "time": _time,
}  # fmt: skip


def index_key(data: Mapping[str, Any], taken: Callable[[str, Any], int]) -> str | None:
    """The field by which an event trigger is indexed: the constant one whose value fewest others wait for."""
    best: tuple[int, str] | None = None
    for key, value in data.items():
        if isinstance(value, Hashable) and value is not None and not hasattr(value, "render"):
            rank = taken(key, value)
            if best is None or rank < best[0]:
                best = (rank, key)
    return best[1] if best else None
