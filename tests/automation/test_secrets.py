"""People's data in what is told of automations: traces, faults, the log."""

from __future__ import annotations

import json
import logging

import pytest

from tests.automation.zone import Zone

PLATE = "กข 1234"


async def told(zone: Zone) -> str:
    """All traces, as a reader without clearance sees them."""
    await zone.idle()
    return json.dumps([zone.engine.traces(row["id"]) for row in zone.engine.list()], ensure_ascii=False)


async def test_a_wait_masks_what_it_has_waited_for_and_after_a_restart_too() -> None:
    text = """
- id: w
  triggers: {trigger: event, event_type: go}
  actions:
   - wait_for_trigger: {trigger: event, event_type: plate_read}
   - delay: 5
   - stop: "saw {{ wait.trigger.event.data.plate }}"
"""
    zone = await Zone().start(text)
    zone.fire("go")
    await zone.idle()
    zone.plate(PLATE)
    await zone.idle()
    again = await zone.restart(text, down=10)
    assert PLATE not in await told(again)
    assert again.trace("w")["steps"][-1]["detail"] == {"stop": "saw •••"}


FORMS = ["lower", "upper", "replace(' ', '')", "list", "list | join('_')", "list | join(', ')"]


@pytest.mark.parametrize("made", FORMS)
async def test_another_form_of_it_is_masked_as_well(made: str) -> None:
    zone = await Zone().start(f"""
- id: w
  triggers: {{trigger: event, event_type: plate_read}}
  actions: [{{stop: "saw {{{{ trigger.event.data.plate | {made} }}}}"}}]
""")
    zone.plate("Ab 1234")
    await zone.idle()
    assert zone.trace("w")["steps"][-1]["detail"] == {"stop": "•••"}


async def test_a_number_of_it_is_masked_in_a_condition() -> None:
    zone = await Zone().start("""
- id: n
  triggers: {trigger: event, event_type: plate_read}
  conditions:
    condition: numeric_state
    entity_id: sensor.t
    value_template: "{{ trigger.event.data.plate }}"
    above: 9999999999
  actions: {event: x}
""")
    zone.set("sensor.t", "1")
    zone.plate("0812345678")
    assert "812345678" not in await told(zone)
    assert zone.trace("n")["steps"][0]["detail"]["value"] == "•••"


async def test_a_message_that_its_template_cannot_read_is_a_fault_without_its_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    zone = await Zone().start("""
- id: m
  triggers: {trigger: mqtt, topic: a/b, payload: "1", value_template: "{{ value_json.plate | int }}"}
  actions: {event: y}
""")
    zone.fire("mqtt_message", topic="a/b", payload=json.dumps({"plate": PLATE}), qos=0)
    await zone.idle()
    words = "trigger/0: its value_template fails for a message on a/b"
    assert [event.data["message"] for event in zone.events("fault")] == [words]
    assert zone.engine.list()[0]["last_error"] == words
    assert PLATE not in caplog.text
