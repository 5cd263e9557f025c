"""Events that an automation fires: whose right it takes, and their form."""

from __future__ import annotations

from hub.automation import Source
from tests.automation.zone import OFFICER, Zone


async def test_an_event_step_needs_the_right_to_emit_a_declared_type_and_keeps_its_form() -> None:
    text = """
- id: a
  triggers: {trigger: event, event_type: go}
  actions: [{event: plate_read, entity_id: light.a, event_data: %s}]
"""
    zone = await Zone().start(text % "{plate: '{{ 12 }}', confidence: '{{ 0.5 }}'}")
    zone.fire("go")
    (read,) = await zone.events_of("plate_read")
    assert (read.data, read.entity) == ({"plate": "12", "province": "", "confidence": 0.5}, "light.a")
    assert zone.rights.asked == [("automation:a", "event.emit:plate_read", frozenset({"operator"}))]
    zone.rights.denied.add("event.emit:plate_read")
    zone.fire("go")
    assert len(await zone.events_of("plate_read")) == 1
    for text_of, words in (("{plate: x, confidence: y}", "confidence"), ("{plat: x}", "plat")):
        zone.engine.reload([Source(text % text_of, "a.yaml", OFFICER)])
        zone.rights.denied.clear()
        zone.fire("go")
        await zone.idle()
        assert words in zone.trace("a")["error"]


async def test_an_event_of_a_name_of_ones_own_about_an_entity_needs_the_right_too() -> None:
    text = "- {id: a, triggers: {trigger: event, event_type: go}, actions: [{event: made_up%s}]}"
    zone = await Zone().start(text % "")
    zone.rights.denied.add("event.emit:made_up")
    zone.fire("go")
    assert len(await zone.events_of("made_up")) == 1
    zone.engine.reload([Source(text % ", entity_id: light.a", "a.yaml", OFFICER)])
    zone.fire("go")
    assert len(await zone.events_of("made_up")) == 1
