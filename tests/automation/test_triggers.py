"""Kinds of triggers and conditions beyond events and states."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.automation.zone import BANGKOK, Zone


async def told(trigger: str, text: str = "{{ trigger.platform }}", more: str = "") -> Zone:
    return await Zone().start(
        f"- id: a\n  mode: parallel\n  triggers: {trigger}\n  {more}\n"
        f"  actions: [{{action: notify.tell, data: {{to: x, text: \"{text}\"}}}}]\n"
    )


async def test_a_number_must_come_from_outside_into_its_range() -> None:
    zone = await told("{trigger: numeric_state, entity_id: sensor.t, above: 5, below: 10}",
                      "{{ trigger.to_state.state }}")  # fmt: skip
    for value in ("7", "unavailable", "7", "x", "8", "11", "9", "9.5", "4", "6"):
        zone.set("sensor.t", value)
        await zone.idle()
    assert zone.told() == ["7", "7", "9", "6"]  # without a value it is outside; a text that is no number says nothing


async def test_a_bound_may_be_another_entity_and_it_may_have_to_last() -> None:
    zone = await told("{trigger: numeric_state, entity_id: sensor.t, above: light.a, for: 10}")
    zone.set("light.a", "5")
    zone.set("sensor.t", "1")
    zone.set("sensor.t", "6")
    await zone.after(9)
    zone.set("sensor.t", "4")
    await zone.after(9)
    assert zone.told() == []
    zone.set("sensor.t", "7")
    await zone.after(10)
    assert zone.told() == ["numeric_state"]


@pytest.mark.parametrize(
    ("pattern", "seconds", "count"),
    [("minutes: /5", 3600, 12), ("seconds: 30", 300, 5), ("hours: 6", 86_400, 1), ("hours: '*', minutes: 15", 7200, 2)],
)
async def test_time_patterns(pattern: str, seconds: int, count: int) -> None:
    zone = await told(f"{{trigger: time_pattern, {pattern}}}", "{{ trigger.now.strftime('%M:%S') }}")
    for _ in range(seconds // 60):
        await zone.after(60)
    assert len(zone.told()) == count


async def test_the_time_may_stand_in_an_entity() -> None:
    zone = await told("{trigger: time, at: [{entity_id: sensor.t, offset: -60}]}", "{{ trigger.entity_id }}")
    moment = datetime.fromtimestamp(zone.clock.now() + 300, BANGKOK).isoformat()
    zone.set("sensor.t", moment, device_class="timestamp")
    await zone.after(239)
    assert zone.told() == []
    await zone.after(2)
    assert zone.told() == ["sensor.t"]


async def test_sunset_at_the_zone() -> None:
    zone = Zone()
    zone.engine._templates.world.location = (17.0079, 99.8228)
    await zone.start(
        "- {id: a, triggers: {trigger: sun, event: sunset, offset: '-00:10:00'}, actions: [{action: notify.tell, data:"
        " {to: x, text: \"{{ trigger.now.strftime('%H:%M') }}\"}}]}"
    )
    await zone.after(86_400)
    (at,) = zone.told()
    assert "17:30" < at < "17:45"  # 15 November: sunset 17:46 by the tables of the Royal Thai Navy, ten minutes before


async def test_coming_into_a_place_and_leaving_it() -> None:
    zone = await Zone().start("""
- id: a
  mode: parallel
  triggers:
    - {trigger: zone, entity_id: sensor.t, zone: light.b, event: enter}
    - {trigger: zone, entity_id: sensor.t, zone: light.b, event: leave}
  actions: [{action: notify.tell, data: {to: x, text: "{{ trigger.event }}"}}]
""")
    zone.set("light.b", "on", lat=17.0, lon=99.8, radius_m=100)
    for lat in (17.01, 17.0005, 17.0001, 17.002):
        zone.set("sensor.t", "x", lat=lat, lon=99.8)
        await zone.idle()
    assert zone.told() == ["enter", "leave"]


@pytest.mark.parametrize(
    ("filter_", "topic", "fits"),
    [("a/+/c", "a/b/c", True), ("a/#", "a/b/c", True), ("a/+", "a/b/c", False), ("a/b", "a/b", True),
     ("#", "a", True), ("+/b", "a/c", False)],
)  # fmt: skip
async def test_mqtt_messages(filter_: str, topic: str, fits: bool) -> None:
    zone = await told(f"{{trigger: mqtt, topic: '{filter_}', payload: 'on', value_template: '{{{{ value_json.s }}}}'}}",
                      "{{ trigger.payload_json.s }} {{ trigger.topic }}")  # fmt: skip
    zone.fire("mqtt_message", topic=topic, payload='{"s": "on"}', qos=1)
    zone.fire("mqtt_message", topic=topic, payload='{"s": "off"}', qos=1)
    await zone.idle()
    assert zone.told() == ([f"on {topic}"] if fits else [])


async def test_tags_webhooks_and_the_start() -> None:
    zone = await Zone().start("""
- id: a
  mode: parallel
  triggers:
    - {trigger: tag, tag_id: box1}
    - {trigger: webhook, webhook_id: hook, id: hook}
    - {trigger: homeassistant, event: start}
  variables: {got: "{{ trigger.json.a if trigger.json is defined else '-' }}"}
  actions: [{action: notify.tell, data: {to: x, text: "{{ trigger.platform }} {{ got }}"}}]
""")
    zone.fire("tag_scanned", tag_id="box1")
    zone.fire("tag_scanned", tag_id="box2")
    zone.fire("webhook_received", webhook_id="hook", json={"a": 1})
    zone.fire("hub_started")
    await zone.idle()
    assert zone.told() == ["tag -", "webhook 1", "homeassistant -"]


@pytest.mark.parametrize(
    ("narrowed", "fired"),
    [
        ("", ["POST True", "PUT True", "GET False"]), ("allowed_methods: [POST, put]", ["POST True", "PUT True"]),
        ("allowed_methods: GET", ["GET False"]), ("local_only: true", ["POST True", "PUT True"]),
        ("local_only: false", ["POST True", "PUT True", "GET False"]),
        ("allowed_methods: [GET, PUT], local_only: true", ["PUT True"]),
    ],
)  # fmt: skip
async def test_a_webhook_may_be_narrowed_to_methods_and_to_the_local_network(narrowed: str, fired: list[str]) -> None:
    zone = await told(f"{{trigger: webhook, webhook_id: hook, {narrowed}}}",
                      "{{ trigger.event.data.method }} {{ trigger.event.data.local }}")  # fmt: skip
    for method, local in (("POST", True), ("PUT", True), ("GET", False)):
        zone.fire("webhook_received", webhook_id="hook", method=method, local=local)
    zone.fire("webhook_received", webhook_id="other", method="PUT", local=True)
    await zone.idle()
    assert zone.told() == fired


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("{condition: time, after: '05:00', before: '06:00'}", True),
        ("{condition: time, after: '22:00', before: '05:13'}", False),
        ("{condition: time, after: '22:00', before: '05:14'}", True),
        ("{condition: time, weekday: [wed]}", True), ("{condition: time, weekday: [thu]}", False),
        ("{condition: trigger, id: pushed}", True), ("{condition: trigger, id: [x]}", False),
        ("{condition: sun, after: sunset, before: sunrise}", True), ("{condition: sun, after: sunrise}", False),
        ("{condition: not, conditions: ['{{ false }}', {condition: trigger, id: x}]}", True),
        ("{and: ['{{ true }}', {or: ['{{ false }}', '{{ true }}']}]}", True),
        ("{condition: template, value_template: '{{ 1 }}'}", False),  # only true is true
    ],
)
async def test_conditions(condition: str, holds: bool) -> None:
    """It is Wednesday, 15 November 2023, 05:13:20 in Bangkok; the sun rises at 06:20."""
    zone = Zone()
    zone.engine._templates.world.location = (17.0079, 99.8228)
    await zone.start(
        "- id: a\n  triggers: {trigger: event, event_type: go, id: pushed}\n"
        f"  conditions: [{condition}]\n  actions: [{{action: notify.tell, data: {{to: x, text: ran}}}}]\n"
    )
    zone.fire("go")
    await zone.idle()
    assert zone.told() == (["ran"] if holds else [])
