"""The language: triggers, conditions and steps, both spellings, by what devices are asked and what is told."""

from __future__ import annotations

import pytest

from tests.automation.zone import START, Zone

OLD = """
- id: a
  alias: Old
  trigger:
    platform: event
    event_type: plate_read
    event_data: {plate: 1กข1234}
  condition:
    condition: state
    entity_id: light.b
    state: "on"
  action:
    service: light.turn_on
    entity_id: light.a
    data_template: {brightness: "{{ 2 * 20 }}", note: "{{ trigger.event.data.plate }}"}
"""
NEW = """
- id: a
  alias: New
  triggers:
    - trigger: event
      event_type: plate_read
      event_data: {plate: 1กข1234}
  conditions:
    - condition: state
      entity_id: light.b
      state: "on"
  actions:
    - action: light.turn_on
      target: {entity_id: light.a}
      data: {brightness: "{{ 2 * 20 }}", note: "{{ trigger.event.data.plate }}"}
"""


@pytest.mark.parametrize("text", [OLD, NEW])
async def test_both_spellings_do_the_same(text: str) -> None:
    zone = await Zone().start(text)
    zone.set("light.b", "on")
    zone.plate("1กข9999")
    zone.plate("1กข1234")
    await zone.idle()
    assert zone.calls == [("light.turn_on", "light.a", {"brightness": 40, "note": "1กข1234"})]


def tell(text: str) -> str:
    return f"{{action: notify.tell, data: {{to: desk, text: '{text}'}}}}"


async def told(triggers: str, actions: str = tell("{{ trigger.id }}"), conditions: str = "[]", more: str = "") -> Zone:
    return await Zone().start(
        f"- id: a\n  triggers: {triggers}\n  conditions: {conditions}\n  actions: [{actions}]\n  {more}\n"
    )


async def test_event_data_must_match_in_every_field_and_entity() -> None:
    zone = await told(
        "{trigger: event, event_type: plate_read, entity_id: camera.x, event_data: {plate: A1, province: ตาก}}"
    )
    zone.plate("A1", province="ตาก", entity="camera.y")
    zone.plate("A1", province="น่าน")
    await zone.idle()
    assert zone.told() == []
    zone.plate("A1", province="ตาก")
    await zone.idle()
    assert zone.told() == ["0"]


@pytest.mark.parametrize(
    ("trigger", "states", "times"),
    [
        ("to: 'on'", ["off", "on", "on", "off", "on"], 2),
        ("to: 'on'", ["off", "on"], 1),  # YAML reads a bare on as true
        ("from: 'off'", ["off", "on", "off", "dim"], 2),
        ("from: 'off', to: 'on'", ["off", "dim", "on", "off", "on"], 1),
        ("to: ['on', dim]", ["on", "dim", "off"], 2),
        ("not_to: 'on'", ["on", "off", "dim", "on"], 2),
        ("not_from: [unknown, 'off']", ["off", "on", "off", "on"], 1),
        ("to: null", ["on", "on", "off"], 2),
        ("id: x", ["on", "on", "off"], 3),  # without any value: each report counts
        ("to: null", ["unavailable", "on", "unavailable", "unknown"], 1),  # does not fire unless asked
        ("to: unavailable", ["on", "unavailable"], 1),
    ],
)
async def test_state_trigger(trigger: str, states: list[str], times: int) -> None:
    zone = await told(
        f"{{platform: state, entity_id: light.a, {trigger}}}", tell("x"), more="mode: parallel\n  max: 100"
    )
    for state in states:
        zone.set("light.a", state)
    await zone.idle()
    assert zone.told() == ["x"] * times


async def test_state_trigger_of_an_attribute_and_its_variables() -> None:
    text = tell(
        "{{ trigger.entity_id }} {{ trigger.from_state.attributes.battery }}>{{ trigger.to_state.attributes.battery }}"
    )
    zone = await told("{trigger: state, entity_id: sensor.t, attribute: battery, to: 10}", text)
    for battery in (20, 10, 10, 5):
        zone.set("sensor.t", battery=battery)
    await zone.idle()
    assert zone.told() == ["sensor.t 20>10"]


async def test_for_must_last_and_begins_anew() -> None:
    zone = await told("{trigger: state, entity_id: light.a, to: 'on', for: {minutes: 5}}", tell("{{ trigger.for }}"))
    zone.set("light.a", "on")
    await zone.after(299)
    zone.set("light.a", "off")
    zone.set("light.a", "on")
    await zone.after(299)
    assert zone.told() == []
    zone.set("light.a", "on", brightness=4)  # still on
    await zone.after(1)
    assert zone.told() == ["0:05:00"]
    assert zone.runs() == []


async def test_template_trigger_fires_on_becoming_true_and_follows_what_it_reads() -> None:
    template = "{{ states('light.b') == 'on' if is_state('light.a', 'on') else false }}"
    zone = await told(f'{{trigger: template, value_template: "{template}"}}', tell("x"))
    zone.set("light.b", "on")
    zone.set("light.a", "on")  # light.b was not read until now
    await zone.idle()
    assert zone.told() == ["x"]
    zone.set("light.b", "off")
    zone.set("light.b", "on")
    zone.set("light.b", "on", more=1)
    await zone.idle()
    assert zone.told() == ["x", "x"]


async def test_template_trigger_with_for_domain_and_clock() -> None:
    zone = await Zone().start(
        """
- id: a
  triggers:
    - {trigger: template, id: held, value_template: "{{ is_state('light.a','on') }}", for: 60}
    - trigger: template
      id: many
      value_template: "{{ states.light | selectattr('state','eq','on') | list | count > 1 }}"
    - {trigger: template, id: clock, value_template: "{{ now().hour == 6 }}"}
  actions: [{action: notify.tell, data: {to: x, text: "{{ trigger.id }}"}}]
"""
    )
    zone.set("light.a", "on")
    await zone.after(59)
    zone.set("light.a", "off")
    zone.set("light.a", "on")
    await zone.after(60)
    zone.set("light.b", "on")
    await zone.idle()
    await zone.after(3600)
    assert zone.told() == ["held", "many", "clock"]


async def test_time_trigger_each_day_in_the_zones_time() -> None:
    zone = await told("{trigger: time, at: ['05:14', 12:30:00]}", tell('{{ trigger.now.strftime("%H:%M") }}'))
    await zone.after(39)
    assert zone.told() == []
    await zone.after(1)
    await zone.after(43_200)
    await zone.after(43_200)
    assert zone.told() == ["05:14", "12:30", "05:14"]


async def test_a_time_trigger_on_some_days_only() -> None:
    rule = "{trigger: time, at: '05:14', weekday: [thu, sat]}"  # it is Wednesday, 05:13:20
    zone = await told(rule, tell('{{ trigger.now.strftime("%a") }}'))
    for _ in range(7):
        await zone.after(86_400)
    assert zone.told() == ["Thu", "Sat"]


@pytest.mark.parametrize(
    ("condition", "held"),
    [
        ("{condition: state, entity_id: sensor.t, state: ['7', '8']}", True),
        ("{condition: state, entity_id: [sensor.t, light.a], state: '7'}", False),
        ("{condition: state, entity_id: [sensor.t, light.a], state: '7', match: any}", True),
        ("{condition: state, entity_id: sensor.t, attribute: level, state: 3}", True),
        ("{condition: state, entity_id: sensor.t, state: '7', for: 100}", True),
        ("{condition: state, entity_id: sensor.t, state: '7', for: {seconds: 101}}", False),
        ("{condition: state, entity_id: sensor.none, state: '7'}", False),
        ("{condition: numeric_state, entity_id: sensor.t, above: 6, below: 8}", True),
        ("{condition: numeric_state, entity_id: sensor.t, above: 7}", False),
        ("{condition: numeric_state, entity_id: sensor.t, attribute: level, below: sensor.t}", True),
        (
            "{condition: numeric_state, entity_id: sensor.t, value_template: '{{ state.state|int * 2 }}', above: 13}",
            True,
        ),
        ("{condition: numeric_state, entity_id: light.a, above: 1}", False),
        ("{condition: template, value_template: '{{ 1 > 2 }}'}", False),
        ("'{{ trigger.platform == \"event\" }}'", True),
        ("'{{ nothing.here }}'", False),
        ("{or: ['{{ false }}', '{{ nothing.here }}', '{{ true }}']}", True),
        ("{condition: or, conditions: ['{{ false }}', '{{ nothing.here }}']}", False),
        ("{condition: and, conditions: ['{{ true }}', '{{ true }}']}", True),
        ("{condition: not, conditions: ['{{ false }}', '{{ true }}']}", False),
        ("{not: ['{{ false }}']}", True),
        ("{condition: template, value_template: '{{ false }}', enabled: false}", True),
    ],
)
async def test_conditions(condition: str, held: bool) -> None:
    zone = await told("{trigger: event, event_type: go}", tell("x"), f"[{condition}]")
    zone.set("sensor.t", "7", level=3)
    zone.clock.advance(100)
    zone.fire("go")
    await zone.idle()
    assert zone.told() == (["x"] if held else [])


async def test_a_false_condition_is_explained_with_values() -> None:
    zone = await told(
        "{trigger: event, event_type: go}", tell("x"), "[{condition: numeric_state, entity_id: sensor.t, above: 9}]"
    )
    zone.set("sensor.t", "7")
    zone.fire("go")
    trace = zone.trace("a")
    assert trace["status"] == "condition"
    assert trace["steps"] == [
        {"path": "condition/0", "at": START, "result": False,
         "detail": {"entity": "sensor.t", "value": 7.0, "above": 9.0, "below": None}}
    ]  # fmt: skip


STEPS = """
- id: a
  variables: {base: 2}
  triggers: {trigger: event, event_type: go}
  actions:
    - variables: {n: "{{ trigger.event.data.n }}", twice: "{{ n * base }}"}
    - choose:
        - conditions: "{{ n == 1 }}"
          sequence:
            - {action: notify.tell, data: {to: x, text: "one {{ twice }}"}}
            - "{{ false }}"
            - {action: notify.tell, data: {to: x, text: "not reached"}}
        - conditions: ["{{ n == 2 }}"]
          sequence: [{stop: "enough {{ n }}"}]
      default: [{action: notify.tell, data: {to: x, text: other}}]
    - if: "{{ n > 2 }}"
      then: [{event: grown, event_data: {size: "{{ n }}"}}]
      else: {action: notify.tell, data: {to: x, text: small}}
    - {action: notify.tell, enabled: false, data: {to: x, text: disabled}}
    - {action: notify.tell, data: {to: x, text: end}}
"""


async def test_steps_choose_if_stop_variables_event_condition() -> None:
    zone = await Zone().start(STEPS)
    zone.fire("go", n=1)
    await zone.idle()
    assert zone.told() == ["one 2", "small", "end"]
    zone.calls.clear()
    zone.fire("go", n=2)
    await zone.idle()
    assert zone.told() == []
    assert (zone.trace("a")["status"], zone.trace("a")["steps"][-1]["detail"]) == ("stopped", {"stop": "enough 2"})
    cause = zone.fire("go", n=3)
    await zone.idle()
    assert zone.told() == ["other", "end"]
    (grown,) = zone.events("grown")
    assert (grown.data, grown.source, grown.cause, grown.depth) == ({"size": 3}, "automation:a", cause.id, 1)


async def test_response_variable_and_waiting_for_the_outcome() -> None:
    zone = await Zone().start(
        """
- id: a
  triggers: {trigger: event, event_type: go}
  actions:
    - {action: light.turn_on, target: {entity_id: light.a}, response_variable: one}
    - if: "{{ true }}"
      then: [{action: light.turn_on, target: {entity_id: "light.a, light.b"}, response_variable: many}]
    - {action: notify.tell, data: {to: x, text: "{{ one }} {{ many['light.b'] }}"}}
"""
    )
    zone.answers["light.turn_on"] = "lit"
    zone.fire("go")
    await zone.idle()
    assert zone.told() == ["lit lit"]
    assert [key for event in zone.events("action_requested") for key in [event.data["key"].partition(":")[2]]] == [
        "action/0:1:light.a", "action/1/then/0:2:light.a", "action/1/then/0:3:light.b", "action/2:4:-",
    ]  # fmt: skip


async def test_text_fields_keep_their_zeros() -> None:
    zone = await told("{trigger: event, event_type: go}", tell("{{ trigger.event.data.phone }}"))
    zone.fire("go", phone="0812345678")
    await zone.idle()
    zone.fire("go", phone="1.50")
    await zone.idle()
    assert zone.told() == ["0812345678", "1.50"]
