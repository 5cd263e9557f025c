"""The examples of the tutorial are checked and run as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

from hub.automation import Catalogue, Engine, Source, check_text, live
from hub.automation.language.blueprint import folder_blueprints
from hub.capabilities import EVENT_TYPES, capability_actions
from hub.core.event import Draft
from hub.core.system import SYSTEM_TYPES
from tests.automation.zone import BANGKOK, OFFICER, Zone

ROOT = Path(__file__).parents[2]
EXAMPLES = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/tutorial/automation.md").read_text(encoding="utf-8"), re.S)
ENTITIES = {"unit.s211": ("unit",), "camera.gold_shop_3": ("camera",), "drone.sky1": ("drone",)}
KNOWN = Catalogue(ENTITIES, capability_actions(), {kind.name: kind for kind in (*SYSTEM_TYPES, *EVENT_TYPES)})


def test_the_examples_have_no_mistakes() -> None:
    assert len(EXAMPLES) == 3
    blueprints = folder_blueprints(ROOT / "blueprints" / "automation")
    assert [check_text(text, "t.yaml", KNOWN) for text in EXAMPLES[:2]] == [[], []]
    # actions of plugins are not known here; everything else of the blueprint is
    assert check_text(EXAMPLES[2], "t.yaml", None, blueprints) == []


async def test_the_examples_do_what_the_tutorial_says() -> None:
    zone = await Zone().start()
    for kind in EVENT_TYPES:
        zone.types.add(kind)
    zone.actions.declare(capability_actions())
    engine = Engine(live(zone.pipeline, zone.actions, zone.rights), BANGKOK)
    for entity, capabilities in ENTITIES.items():
        description = {"description": {"capabilities": list(capabilities), "name": {"th": "ร้านทอง 3", "en": "Gold 3"}}}
        zone.pipeline.emit(Draft("entity_added", description, "hub", entity))
    zone.actions.attach("unit.s211", zone._execute)
    assert engine.load([Source(text, f"{n}.yaml", OFFICER) for n, text in enumerate(EXAMPLES[:2])]) == []
    engine.resume()
    zone.set("unit.s211", "available")
    zone.clock.advance(20 * 3600)  # 01:13 at night
    read = {"series": "1กข", "number": "1234", "plate": "1กข1234"}
    zone.pipeline.emit(Draft("plate_read", zone.types.need("plate_read").validate(read), "x", "camera.gold_shop_3"))
    zone.set("camera.gold_shop_3", "motion")
    await zone.after(30)
    zone.set("unit.s211", "busy")
    await zone.after(120)
    assert [params["text"] for _, _, params in zone.calls] == ["พบป้าย 1กข1234 ที่ camera.gold_shop_3", "ดู ร้านทอง 3"]
    assert [event.data for event in zone.events("still_moving")] == [{"where": "ร้านทอง 3"}]
