"""YAML of triggers to the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import time
from typing import Any

from hub.automation.language.known import check_event, check_match, event_name
from hub.automation.language.model import (
    EventTrigger,
    ForeignTrigger,
    HubTrigger,
    MqttTrigger,
    NumericTrigger,
    PatternTrigger,
    StateTrigger,
    SunTrigger,
    TagTrigger,
    TemplateTrigger,
    TimeTrigger,
    Trigger,
    ZoneTrigger,
)
from hub.automation.language.parse_conditions import SUN_EVENTS, bound
from hub.automation.language.reader import Reader
from hub.automation.language.source import Map, Place
from hub.automation.templates.template import Template, is_template

_TRIGGER = {"platform", "trigger", "id", "alias", "enabled", "variables"}


def triggers(reader: Reader, value: Any, place: Place, path: str = "trigger") -> tuple[Trigger, ...]:
    """One trigger or a list of them; a list inside (``triggers: […]``) is flattened."""
    found: list[Trigger] = []
    for item, at in _flat(reader, value, place):
        source = reader.mapping(item, at, "a trigger")
        if source is None:
            continue
        made = _one(reader, source, f"{path}/{len(found)}", str(len(found)))
        if made is not None:
            found.append(made)
    return tuple(found)


def _flat(reader: Reader, value: Any, place: Place) -> Iterable[tuple[Any, Place]]:
    for item, at in reader.items(value, place):
        if isinstance(item, Map) and item.keys() == {"triggers"}:
            yield from _flat(reader, item["triggers"], item.values_at["triggers"])
        else:
            yield item, at


def _one(reader: Reader, source: Map, path: str, number: str) -> Trigger | None:
    named = reader.either(source, "trigger", "platform")
    if named is None:
        reader.wrong(source.place, "say which trigger this is: 'trigger: state' (or 'platform: state')")
        return None
    kind = str(named[1])
    common: dict[str, Any] = {
        "path": path, "place": source.place, "id": reader.text(source, "id", number), "enabled": reader.enabled(source),
        "alias": reader.text(source, "alias"), "variables": reader.named_data(source, "variables"),
    }  # fmt: skip
    if (build := _TRIGGERS.get(kind)) is not None:
        return build(reader, source, common)
    if reader.lenient:
        return ForeignTrigger(**common, kind=kind)
    reader.wrong(named[2], f"there is no trigger {named[1]!r}", kind, _TRIGGERS)
    return None


def _event(reader: Reader, source: Map, common: dict[str, Any]) -> Trigger | None:
    reader.known(source, "an event trigger", _TRIGGER | {"event_type", "event_data", "entity_id", "context"})
    named = list(reader.items(source.get("event_type"), source.values_at.get("event_type", source.place)))
    types = [reader.template(name, at) if is_template(name) else event_name(str(name)) for name, at in named]
    if not types:
        reader.wrong(source.place, "'event_type' is missing")
    data = reader.named_data(source, "event_data")
    for name, at in named:
        kind = check_event(reader.what, event_name(str(name)), at, reader.wrong) if reader.what else None
        if kind is not None and data:
            check_match(kind, data, source["event_data"].keys_at, reader.wrong)
    return EventTrigger(
        **common, types=tuple(kind for kind in types if kind), data=data, context=reader.named_data(source, "context"),
        entities=reader.entities(source, required=False),
    )  # fmt: skip


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
    if not is_template(source["value_template"]) and not reader.lenient:
        reader.wrong(at, "this never changes; a template needs {{ }} around it")
        return None
    template = reader.template(source["value_template"], at)
    return TemplateTrigger(**common, template=template, for_=reader.duration(source, "for")) if template else None


def _numeric(reader: Reader, source: Map, common: dict[str, Any]) -> Trigger | None:
    fields = {"entity_id", "above", "below", "attribute", "value_template", "for"}
    reader.known(source, "a numeric_state trigger", _TRIGGER | fields)
    above, below = bound(reader, source, "above"), bound(reader, source, "below")
    if above is None and below is None:
        reader.wrong(source.place, "'above' or 'below' is missing")
    elif isinstance(above, float) and isinstance(below, float) and above > below:
        reader.wrong(source.place, f"nothing lies above {above:g} and below {below:g}")
    template = None
    if source.get("value_template") is not None:
        template = reader.template(source["value_template"], source.values_at["value_template"])
    return NumericTrigger(
        **common, entities=reader.entities(source), above=above, below=below, template=template,
        attribute=reader.text(source, "attribute") or None, for_=reader.duration(source, "for"),
    )  # fmt: skip


def _time(reader: Reader, source: Map, common: dict[str, Any]) -> Trigger | None:
    reader.known(source, "a time trigger", _TRIGGER | {"at", "weekday"})
    if source.get("at") is None:
        reader.wrong(source.place, "'at' is missing")
        return None
    times: list[time | tuple[str, float]] = []
    for value, place in reader.items(source["at"], source.values_at["at"]):
        offset = 0.0
        if isinstance(value, Map):
            reader.known(value, "'at'", {"entity_id", "offset"})
            offset, value = reader.offset(value, "offset"), value.get("entity_id")
        for part in str(value).split(",") if "." in str(value) else (value,):
            found = reader.moment(part, place)
            if found is not None:
                times.append((found, offset) if isinstance(found, str) else found)
    return TimeTrigger(**common, at=tuple(times), weekdays=reader.weekdays(source))


MAX_DIGITS = 4
_RANGES = {"hours": 24, "minutes": 60, "seconds": 60}


def _pattern(reader: Reader, source: Map, common: dict[str, Any]) -> Trigger | None:
    reader.known(source, "a time_pattern trigger", _TRIGGER | _RANGES.keys())
    if not source.keys() & _RANGES.keys():
        reader.wrong(source.place, "one of 'hours', 'minutes' and 'seconds' is needed")
        return None
    given = {unit: _matching(reader, source, unit, most) for unit, most in _RANGES.items() if unit in source}
    if "hours" in given:  # what is smaller than the smallest that is named counts as zero
        given.setdefault("minutes", frozenset({0}))
    if "minutes" in given:
        given.setdefault("seconds", frozenset({0}))
    hours, minutes, seconds = (given.get(unit) for unit in _RANGES)
    return PatternTrigger(**common, hours=hours, minutes=minutes, seconds=seconds)


def _matching(reader: Reader, source: Map, unit: str, most: int) -> frozenset[int] | None:
    value, text = source[unit], str(source[unit])
    if text == "*":
        return None
    every = text.startswith("/")
    number = text[1:] if every else text
    counts = number.isdecimal() and len(number) <= MAX_DIGITS  # a number of 5,000 digits cannot even be read
    if isinstance(value, bool) or not counts or not (every <= int(number) < most + every):
        reader.wrong(source.values_at[unit], f"{unit!r} must be a number below {most}, '/5' for every fifth, or '*'")
        return None
    return frozenset(range(0, most, int(number))) if every else frozenset({int(number)})


def _sun(reader: Reader, source: Map, common: dict[str, Any]) -> Trigger | None:
    reader.known(source, "a sun trigger", _TRIGGER | {"event", "offset"})
    event = reader.word(source, "event", "", SUN_EVENTS) if "event" in source else ""
    if not event:
        reader.wrong(source.place, "'event' is missing: sunrise or sunset")
    return SunTrigger(**common, event=event, offset=reader.offset(source, "offset"))


def _zone(reader: Reader, source: Map, common: dict[str, Any]) -> Trigger | None:
    reader.known(source, "a zone trigger", _TRIGGER | {"entity_id", "zone", "event"})
    zones = reader.entities(source, "zone")
    return ZoneTrigger(
        **common, entities=reader.entities(source), zone=zones[0] if zones else "",
        leave=reader.word(source, "event", "enter", ("enter", "leave")) == "leave",
    )  # fmt: skip


def _hub(reader: Reader, source: Map, common: dict[str, Any]) -> Trigger | None:
    reader.known(source, "a homeassistant trigger", _TRIGGER | {"event"})
    events = ("start", "shutdown")
    event = reader.word(source, "event", "", events) if "event" in source else ""
    if not event:
        reader.wrong(source.place, "'event' is missing: start or shutdown")
    return HubTrigger(**common, event=event)


def _mqtt(reader: Reader, source: Map, common: dict[str, Any]) -> Trigger | None:
    reader.known(source, "an mqtt trigger", _TRIGGER | {"topic", "payload", "value_template", "qos", "encoding"})
    if not isinstance(source.get("topic"), str):
        reader.wrong(source.place, "'topic' is missing: an MQTT topic or filter")
        return None
    data = {key: reader.data(source.get(key), source.values_at.get(key, source.place)) for key in ("topic", "payload")}
    template = None
    if source.get("value_template") is not None:
        template = reader.template(source["value_template"], source.values_at["value_template"])
    payload = data["payload"]
    if isinstance(payload, bool):
        at = source.values_at["payload"]
        reader.wrong(at, f"YAML reads this as {str(payload).lower()}; put it in quotes, as in 'on' or 'off'")
    wanted = payload if payload is None or isinstance(payload, Template) else str(payload)
    return MqttTrigger(**common, topic=data["topic"], payload=wanted, template=template)


_METHODS = ("GET", "HEAD", "POST", "PUT")


def _webhook(reader: Reader, source: Map, common: dict[str, Any]) -> Trigger | None:
    """Which requests come in at all is the hook's own setting; ``allowed_methods`` and ``local_only`` only narrow it.
    Whoever takes webhooks brings an entity ``webhook.ID`` for each, so that an id that is none is told here."""
    reader.known(source, "a webhook trigger", _TRIGGER | {"webhook_id", "allowed_methods", "local_only"})
    name = reader.text(source, "webhook_id")
    if not name:
        reader.wrong(source.place, "'webhook_id' is missing")
    elif reader.what is not None and "webhook_received" in reader.what.events:
        reader.entity(f"webhook.{name}", source.values_at["webhook_id"])
    elif reader.what is not None and not reader.lenient:
        reader.wrong(source.place, "no plugin of this hub takes webhooks (events webhook_received)")
    methods = []
    for value, at in reader.items(source.get("allowed_methods"), source.values_at.get("allowed_methods", source.place)):
        methods.append(str(value).upper())
        if methods[-1] not in _METHODS:
            reader.wrong(at, f"'allowed_methods' are {', '.join(_METHODS)}", methods[-1], _METHODS)
    data: dict[str, Any] = {"webhook_id": name}
    if reader.flag(source, "local_only", False):
        data["local"] = True
    any_of = {"method": tuple(methods)} if methods else {}
    return EventTrigger(**common, platform="webhook", types=("webhook_received",), data=data, any_of=any_of)


def _tag(reader: Reader, source: Map, common: dict[str, Any]) -> Trigger | None:
    reader.known(source, "a tag trigger", _TRIGGER | {"tag_id", "device_id"})
    tags = reader.names(source, "tag_id")
    if not tags:
        reader.wrong(source.place, "'tag_id' is missing: which tag or red box")
    return TagTrigger(**common, tags=tuple(str(tag) for tag in tags))


_TRIGGERS: Mapping[str, Callable[[Reader, Map, dict[str, Any]], Trigger | None]] = {
    "event": _event, "state": _state, "numeric_state": _numeric, "template": _template, "time": _time,
    "time_pattern": _pattern, "sun": _sun, "zone": _zone, "homeassistant": _hub, "mqtt": _mqtt, "webhook": _webhook,
    "tag": _tag,
}  # fmt: skip
KINDS = tuple(_TRIGGERS)
