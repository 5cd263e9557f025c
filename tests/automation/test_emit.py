"""Events that an automation fires: whose right it takes, and their form."""

from __future__ import annotations

from pathlib import Path

from hub.automation import Source
from tests.automation.test_kill_points import opened
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


async def test_an_event_s_data_is_json_and_costs_no_other_event_its_commit(tmp_path: Path) -> None:
    text = """
- id: a
  mode: parallel
  triggers: {trigger: event, event_type: go}
  actions: [{event: made_up, event_data: {a: "%s"}}]
"""
    zone = await Zone(opener=lambda types, clock: opened(tmp_path, types, clock)).start()
    for made, kept in (
        ("{{ [2] | set }}", [2]), ("{{ {1: (1, 2)} }}", {"1": [1, 2]}), ("{{ {(1, 2): 3} }}", {"(1, 2)": 3}),
    ):  # fmt: skip
        zone.engine.reload([Source(text % made, "a.yaml", OFFICER)])
        zone.plate("AB1")
        zone.fire("go")
        await zone.idle()
        assert zone.events("made_up")[-1].data == {"a": kept}
    assert len(zone.events("plate_read")) == 3


async def test_a_shadow_s_notes_cost_no_event_its_commit(tmp_path: Path) -> None:
    text = """
- id: p
  triggers: {trigger: event, event_type: go}
  actions: [{action: notify.tell, data: {to: x, text: "{{ [2] | set }}"}}]
"""
    zone = await Zone(opener=lambda types, clock: opened(tmp_path, types, clock)).start(text)
    zone.engine.set_shadow("p", True)
    await zone.idle()
    zone.plate("AB1")
    zone.fire("go")
    await zone.idle()
    assert len(zone.events("plate_read")) == 1
    ((_, kept),) = zone.journal.records("traces")
    assert kept["steps"][0]["detail"]["data"] == {"to": "x", "text": [2]}
