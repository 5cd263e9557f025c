"""Lamps as they announce themselves: Home Assistant's MQTT discovery of lights.

Source: home-assistant.io/integrations/mqtt (discovery, abbreviations, availability) and light.mqtt (schemas ``basic``
and ``json``). A lamp is known by its ``unique_id``: topics may be anything. Templates are Jinja there; here only the
plain look-up ``{{ value_json.a.b }}`` is read, and a lamp that needs more is refused in words.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

MAX_CONFIG, MAX_STATE, MAX_WORD = 16 << 10, 4 << 10, 256
_TOPIC = re.compile(
    r"(?P<prefix>[^+#]{1,200})/light/(?:(?P<node>[A-Za-z0-9_-]{1,100})/)?(?P<object>[A-Za-z0-9_-]{1,100})/config"
)
_LOOK_UP = re.compile(
    r"\{\{\s*value(?P<json>_json)?(?P<path>(?:\.\w+|\[['\"][^'\"]+['\"]\]|\[\d+\])*)\s*"
    r"(?:\|\s*(?:int|float)(?:\(\d*\))?\s*)?\}\}"
)
_NO_TOPIC = re.compile(r"[+#\x00-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]")  # MQTT 3.1.1, 1.5.3 and 4.7
_STEP = re.compile(r"\.(\w+)|\[['\"]([^'\"]+)['\"]\]|\[(\d+)\]")

ABBREVIATIONS: Mapping[str, str] = {
    "avty": "availability", "avty_mode": "availability_mode", "avty_t": "availability_topic",
    "avty_tpl": "availability_template", "bri_cmd_t": "brightness_command_topic",
    "bri_cmd_tpl": "brightness_command_template", "bri_scl": "brightness_scale", "bri_stat_t": "brightness_state_topic",
    "bri_val_tpl": "brightness_value_template", "cmd_t": "command_topic", "dev": "device", "name": "name",
    "o": "origin", "on_cmd_type": "on_command_type", "pl_avail": "payload_available", "pl_not_avail":
    "payload_not_available", "pl_off": "payload_off", "pl_on": "payload_on", "ret": "retain", "stat_t": "state_topic",
    "stat_val_tpl": "state_value_template", "uniq_id": "unique_id", "val_tpl": "value_template", "t": "topic",
}  # fmt: skip
DEVICE_ABBREVIATIONS: Mapping[str, str] = {"sa": "suggested_area", "ids": "identifiers"}
UNREAD = ("brightness_command_template", "availability_template")  # they would change what is sent or understood


class BadDiscovery(ValueError):
    """The announcement is no usable light; the text says why."""


@dataclass(frozen=True, slots=True)
class Availability:
    """One topic on which the lamp, or what stands before it, says that it is there."""

    topic: str
    there: str
    gone: str
    path: tuple[str | int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What one message told: on or off, and percent; ``None`` for what it did not tell."""

    on: bool | None = None
    pct: float | None = None


@dataclass(frozen=True, slots=True)
class LampConfig:
    """A lamp as announced. Brightness on the wire runs from 0 to ``scale``."""

    unique_id: str
    name: str
    command_topic: str
    is_json: bool = False
    area: str | None = None
    state_topic: str | None = None
    state_path: tuple[str | int, ...] | None = None
    brightness_command_topic: str | None = None
    brightness_state_topic: str | None = None
    brightness_path: tuple[str | int, ...] | None = None
    dimmable: bool = False
    scale: int = 255
    payload_on: str = "ON"
    payload_off: str = "OFF"
    on_command: str = "last"
    qos: int = 0
    retain: bool = False
    availability: tuple[Availability, ...] = ()
    availability_mode: str = "latest"

    def listens(self) -> set[str]:
        """The topics on which it reports."""
        own = {self.state_topic, self.brightness_state_topic, *(one.topic for one in self.availability)}
        return {topic for topic in own if topic}

    def commands(self, level_pct: float) -> list[tuple[str, str]]:
        """Topics and payloads that bring it to a level; 0 is off."""
        value = max(1, round(level_pct * self.scale / 100))
        if self.is_json:
            told: dict[str, Any] = {"state": "ON" if level_pct > 0 else "OFF"}
            if level_pct > 0 and self.dimmable:
                told["brightness"] = value
            return [(self.command_topic, json.dumps(told))]
        if level_pct <= 0:
            return [(self.command_topic, self.payload_off)]
        on, dim = [(self.command_topic, self.payload_on)], []
        if self.dimmable and self.brightness_command_topic:
            dim = [(self.brightness_command_topic, str(value))]
        if self.on_command == "brightness" and dim:
            return dim
        return on + dim if self.on_command == "first" else dim + on

    def read(self, topic: str, payload: bytes) -> Reading:
        """What a message on one of its topics says. ``BadDiscovery`` when it cannot be understood."""
        if len(payload) > MAX_STATE:
            raise BadDiscovery(f"{topic}: {len(payload)} bytes are no state of a light")
        if self.is_json:
            return self._read_json(topic, payload) if topic == self.state_topic else Reading()
        on: bool | None = None
        pct: float | None = None
        if topic == self.state_topic:
            word = str(_value(payload, self.state_path, topic))
            on = {self.payload_on: True, self.payload_off: False}.get(word)
            if on is None and word not in ("None", ""):
                raise BadDiscovery(f"{topic}: {word[:40]!r} is neither {self.payload_on} nor {self.payload_off}")
        if topic == self.brightness_state_topic:
            pct = self._percent(_value(payload, self.brightness_path, topic), topic)
        return Reading(on, pct)

    def _read_json(self, topic: str, payload: bytes) -> Reading:
        told = _document(payload, topic)
        word = told.get("state")
        if word not in ("ON", "OFF", None):
            raise BadDiscovery(f"{topic}: state is {str(word)[:40]!r}, neither ON nor OFF")
        on = None if word is None else word == "ON"
        pct = self._percent(told["brightness"], topic) if told.get("brightness") is not None else None
        return Reading(on, pct)

    def _percent(self, value: object, topic: str) -> float:
        try:
            number = float(str(value))
        except ValueError:
            number = math.nan
        if not 0 <= number <= self.scale:
            raise BadDiscovery(f"{topic}: brightness is {str(value)[:40]!r}, not 0 to {self.scale}")
        return round(number * 100 / self.scale, 1)


def object_of(topic: str) -> str | None:
    """``node_object`` of a discovery topic of a light; ``None`` for any other topic."""
    found = _TOPIC.fullmatch(topic)
    return "_".join(part for part in (found["node"], found["object"]) if part) if found else None


def slug(unique_id: str) -> str:
    """An entity's name from a ``unique_id``; what does not fit gets a digest, so that two stay two."""
    plain = re.sub(r"[^a-z0-9]+", "_", unique_id.lower()).strip("_")
    if plain == unique_id and len(plain) <= 60:
        return plain
    digest = hashlib.sha256(unique_id.encode()).hexdigest()[:8]
    return "_".join(part for part in (plain[:50].strip("_"), digest) if part)


def parse(topic: str, payload: bytes) -> LampConfig:
    """The lamp that an announcement describes. Errors: ``BadDiscovery``."""
    known = object_of(topic)
    if known is None:
        raise BadDiscovery("the topic is not PREFIX/light/[NODE/]OBJECT/config with letters, digits, _ and -")
    if len(payload) > MAX_CONFIG:
        raise BadDiscovery(f"the announcement is over {MAX_CONFIG >> 10} KiB")
    told = _expand(_document(payload, "the announcement"))
    schema = told.get("schema", "basic")
    if schema not in ("basic", "default", "json"):
        raise BadDiscovery(f"schema is {str(schema)[:40]!r}; basic and json are understood")
    for field in UNREAD:
        if told.get(field):
            raise BadDiscovery(f"{field} is not understood; send plain values")
    is_json = schema == "json"
    device = told["device"] if isinstance(told.get("device"), dict) else {}
    unique_id = _word(told, "unique_id") or known
    command = _topic(told, "command_topic")
    if command is None:
        raise BadDiscovery("command_topic is missing")
    dim = _topic(told, "brightness_command_topic")
    return LampConfig(
        unique_id=unique_id, name=_name(told, device, unique_id), command_topic=command, is_json=is_json,
        area=_word(device, "suggested_area"), state_topic=_topic(told, "state_topic"),
        state_path=_look_up(told, "state_value_template", "value_template"), brightness_command_topic=dim,
        brightness_state_topic=_topic(told, "brightness_state_topic"),
        brightness_path=_look_up(told, "brightness_value_template"),
        dimmable=_dims(told) if is_json else dim is not None, scale=_number(told, "brightness_scale", 255, 1, 65535),
        payload_on=_word(told, "payload_on") or "ON", payload_off=_word(told, "payload_off") or "OFF",
        on_command=_one_of(told, "on_command_type", ("last", "first", "brightness")),
        qos=_number(told, "qos", 0, 0, 2), retain=told.get("retain") is True, availability=_availability(told),
        availability_mode=_one_of(told, "availability_mode", ("latest", "all", "any")),
    )  # fmt: skip


def _dims(told: Mapping[str, Any]) -> bool:
    modes = told.get("supported_color_modes")
    return told.get("brightness") is True or (isinstance(modes, list) and any(mode != "onoff" for mode in modes))


def _name(told: Mapping[str, Any], device: Mapping[str, Any], unique_id: str) -> str:
    """The device's name and the light's; a light without a name of its own is its device's main thing."""
    parts = [part for part in (_word(device, "name"), _word(told, "name")) if part]
    return " ".join(dict.fromkeys(parts))[:200] or unique_id


def _document(payload: bytes, where: str) -> dict[str, Any]:
    try:
        document = orjson.loads(payload)  # json.loads lets half a surrogate pair in, which nothing can write out again
    except orjson.JSONDecodeError:
        raise BadDiscovery(f"{where}: no JSON in UTF-8") from None
    if not isinstance(document, dict):
        raise BadDiscovery(f"{where}: no JSON object")
    return document


def _expand(raw: dict[str, Any]) -> dict[str, Any]:
    """Abbreviations at the top, in ``device`` and in ``availability``, and ``~`` at the ends of topics."""
    told = {ABBREVIATIONS.get(key, key): value for key, value in raw.items()}
    base = told.pop("~", None)
    if isinstance(told.get("device"), dict):
        told["device"] = {DEVICE_ABBREVIATIONS.get(key, key): value for key, value in told["device"].items()}
    rows = told.get("availability") or []
    rows = [rows] if isinstance(rows, dict) else rows
    if not isinstance(rows, list):
        raise BadDiscovery("availability is no list of topics")
    told["availability"] = [
        {ABBREVIATIONS.get(key, key): value for key, value in row.items()} for row in rows if isinstance(row, dict)
    ]
    if isinstance(base, str):
        for holder in (told, *told["availability"]):
            for key, value in holder.items():
                if key.endswith("topic") and isinstance(value, str) and value:
                    holder[key] = _tilde(value, base)
    return told


def _tilde(value: str, base: str) -> str:
    if value[0] == "~":
        value = base + value[1:]
    return value[:-1] + base if value.endswith("~") else value


def _availability(told: Mapping[str, Any]) -> tuple[Availability, ...]:
    rows = told["availability"]
    if rows:
        if len(rows) > 8:
            raise BadDiscovery("over 8 availability topics")
        made = []
        for row in rows:
            topic = _topic(row, "topic")
            if topic is None:
                raise BadDiscovery("an availability without topic")
            there, gone = _word(row, "payload_available"), _word(row, "payload_not_available")
            made.append(Availability(topic, there or "online", gone or "offline", _look_up(row, "value_template")))
        return tuple(made)
    topic = _topic(told, "availability_topic")
    if topic is None:
        return ()
    there, gone = _word(told, "payload_available"), _word(told, "payload_not_available")
    return (Availability(topic, there or "online", gone or "offline"),)


def _topic(told: Mapping[str, Any], field: str) -> str | None:
    value = _word(told, field)
    if value is not None and _NO_TOPIC.search(value):
        raise BadDiscovery(f"{field}: {value[:60]!r} is no topic")
    return value


def _word(told: Mapping[str, Any], field: str) -> str | None:
    value = told.get(field)
    if value is None:
        return None
    if isinstance(value, bool | int | float):  # payloads such as 1 and 0
        value = str(value)
    if not isinstance(value, str) or len(value) > MAX_WORD:
        raise BadDiscovery(f"{field}: a text of at most {MAX_WORD} characters is needed")
    return value or None


def _number(told: Mapping[str, Any], field: str, default: int, least: int, most: int) -> int:
    value = told.get(field, default)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise BadDiscovery(f"{field}: a whole number from {least} to {most} is needed")
    return value


def _one_of(told: Mapping[str, Any], field: str, words: tuple[str, ...]) -> str:
    value = told.get(field, words[0])
    if value not in words:
        raise BadDiscovery(f"{field} is {str(value)[:40]!r}; one of {', '.join(words)}")
    return str(value)


def _look_up(told: Mapping[str, Any], *fields: str) -> tuple[str | int, ...] | None:
    """Steps into the JSON that a template names; ``None``: the payload as it is."""
    for field in fields:
        template = _word(told, field)
        if template is None:
            continue
        found = _LOOK_UP.fullmatch(template.strip())
        if found is None or (found["path"] and not found["json"]):
            raise BadDiscovery(f"{field}: only {{{{ value_json.NAME }}}} is understood, not {template[:60]!r}")
        if found["json"]:
            return tuple(int(n) if n else a or b for a, b, n in _STEP.findall(found["path"]))
    return None


def _value(payload: bytes, path: tuple[str | int, ...] | None, topic: str) -> object:
    if path is None:
        return payload.decode("utf-8", "replace")
    try:
        value: Any = orjson.loads(payload)
        for step in path:
            value = value[step]
    except (orjson.JSONDecodeError, KeyError, IndexError, TypeError):
        raise BadDiscovery(f"{topic}: no {'.'.join(map(str, path))} in {payload[:40]!r}") from None
    return value


def availability_of(config: Availability, payload: bytes) -> bool | None:
    """Is it there, by one message on that topic? ``None`` when it is neither word."""
    try:
        word = str(_value(payload, config.path, config.topic))
    except BadDiscovery:
        return None
    return {config.there: True, config.gone: False}.get(word)
