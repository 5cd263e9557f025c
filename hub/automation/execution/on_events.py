"""Triggers on events: by name and data, MQTT messages, tags, the hub itself."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping
from typing import Any

import orjson

from hub.automation.execution.arming import Armed, Values
from hub.automation.execution.values import filled
from hub.automation.language.known import event_name
from hub.automation.language.model import EventTrigger, HubTrigger, MqttTrigger, TagTrigger
from hub.automation.templates.template import TemplateFailed
from hub.automation.templates.views import EventView
from hub.core.bus import Subscription
from hub.core.event import Event
from hub.core.state import Change

log = logging.getLogger(__name__)


def arm_event(armed: Armed, trigger: EventTrigger, variables: Values) -> None:
    """Indexed by the field whose value fewest others wait for."""
    data = filled(dict(trigger.data), variables)
    zone, fire, entities = armed.arming.templates.world.zone, armed.fire, frozenset(trigger.entities)
    users = _users(filled(dict(trigger.context), variables))
    for name in (event_name(str(filled(kind, variables))) for kind in trigger.types):
        key = index_key(data, lambda field, value, name=name: armed.arming.counts[name, field, value])
        rest = tuple((field, value) for field, value in data.items() if field != key)

        def heard(event: Event, _change: Change | None, rest: tuple[tuple[str, Any], ...] = rest) -> None:
            if (entities and event.entity not in entities) or (users is not None and event.source not in users):
                return
            for field, value in rest:
                if not _matches(event.data.get(field), value):
                    return
            if any(event.data.get(field) not in choices for field, choices in trigger.any_of.items()):
                return
            told = {"platform": trigger.platform, "event": EventView(event, zone)}
            fire(trigger, told if trigger.platform == "event" else {**told, **_webhook(event)}, event)

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


def _users(context: Mapping[str, Any]) -> frozenset[str] | None:
    """Sources of events that these users brought about; ``None`` for anybody."""
    if "user_id" not in context:
        return None
    named = context["user_id"]
    return frozenset(f"user:{name}" for name in (named if isinstance(named, list) else [named]))


def _webhook(event: Event) -> dict[str, Any]:
    """What the run of a webhook is told beside the event."""
    return {key: event.data.get(key) for key in ("webhook_id", "json", "data", "query")}


def index_key(data: Mapping[str, Any], taken: Any) -> str | None:
    """The field by which an event trigger is indexed: the constant one whose value fewest others wait for."""
    best: tuple[int, str] | None = None
    for key, value in data.items():
        if isinstance(value, Hashable) and value is not None:
            rank = taken(key, value)
            if best is None or rank < best[0]:
                best = (rank, key)
    return best[1] if best else None


def arm_mqtt(armed: Armed, trigger: MqttTrigger, variables: Values) -> None:
    """Messages that the mqtt plugin is configured to tell (its ``events``)."""
    topic = str(filled(trigger.topic, variables))
    wanted = filled(trigger.payload, variables) if trigger.payload is not None else None
    exact = not {"+", "#"} & {*topic}

    def heard(event: Event, _change: Change | None) -> None:
        if not exact and not topic_matches(topic, str(event.data.get("topic", ""))):
            return
        payload = str(event.data.get("payload", ""))
        parsed = _parsed(payload)
        values = {**variables, "value": payload, "value_json": parsed}
        try:
            found = payload if trigger.template is None else str(trigger.template.render(values))
        except TemplateFailed as wrong:
            # the failure's words hold the payload, and what that is nobody declares: a position, a plate
            log.debug("%s: %s", trigger.path, wrong)
            armed.failed(f"{trigger.path}: its value_template fails for a message on {topic}", event)
            return
        if wanted is None or found == str(wanted):
            told = {"platform": "mqtt", "payload": payload, **{key: event.data.get(key) for key in ("topic", "qos")}}
            armed.fire(trigger, told if parsed is None else {**told, "payload_json": parsed}, event)

    key = ("topic", topic) if exact else (None, None)
    armed.listen(Subscription(heard, "mqtt_message", *key))


def topic_matches(filter_: str, topic: str) -> bool:
    """Does a topic fit a filter (MQTT 3.1.1, 4.7)?"""
    parts, names = filter_.split("/"), topic.split("/")
    for index, part in enumerate(parts):
        if part == "#":
            return True
        if index >= len(names) or part not in ("+", names[index]):
            return False
    return len(parts) == len(names)


def _parsed(payload: str) -> Any:
    try:
        return orjson.loads(payload)
    except ValueError:
        return None


def arm_tag(armed: Armed, trigger: TagTrigger, _variables: Values) -> None:
    """A tag's event, or the scan of a red box of that id."""
    zone = armed.arming.templates.world.zone

    def heard(event: Event, _change: Change | None) -> None:
        tag = event.data.get("tag_id") or (event.entity or "").partition(".")[2]
        armed.fire(trigger, {"platform": "tag", "tag_id": tag, "event": EventView(event, zone)}, event)

    boxes = frozenset(f"checkpoint.{tag.lower()}" for tag in trigger.tags)

    def scanned(event: Event, change: Change | None) -> None:
        if event.entity in boxes:
            heard(event, change)

    for tag in trigger.tags:
        armed.listen(Subscription(heard, "tag_scanned", "tag_id", tag))
    armed.listen(Subscription(scanned, "checkpoint_scanned"))


def arm_hub(armed: Armed, trigger: HubTrigger, _variables: Values) -> None:
    """The engine says when the hub has started and when it stops."""

    def heard(event: Event, _change: Change | None) -> None:
        armed.fire(trigger, {"platform": "homeassistant", "event": trigger.event}, event)

    armed.listen(Subscription(heard, "hub_started" if trigger.event == "start" else "hub_stopping"))
