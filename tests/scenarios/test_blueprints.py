"""Each blueprint that came with the hub, from its event to the calls that reach the devices."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from hub.core.event import Draft
from tests.scenarios.conftest import Begin, Scene
from tests.scenarios.kit import unit_secret, write_plugin, write_zone

TOML = """\
emits = ["video_changed"]
[[actions]]
name = "things.video"
title = { th = "ภาพ", en = "Video" }
right = "things.control"
"""
# Devices that note what they are asked.
THINGS = """\
from pathlib import Path
import json
from hub.capabilities import VideoChanged


class Settings(Config):
    calls: str = Field(description="file of the calls")


class Thing:
    def __init__(self, calls: str, name: str) -> None:
        self._calls, self._name = calls, name

    def note(self, verb: str, **params: object) -> dict:
        with Path(self._calls).open("a") as book:
            book.write(json.dumps([f"{self._name}.{verb}", params]) + "\\n")
        return {}


class Light(Thing):
    async def turn_on(self, brightness_pct: float = 100.0) -> dict:
        return self.note("turn_on")

    async def turn_off(self) -> dict:
        return self.note("turn_off")

    async def boost(self, brightness_pct: float = 100.0, minutes: float = 15.0, reason: str = "") -> dict:
        return self.note("boost", pct=brightness_pct, minutes=minutes, reason=reason)

    async def override(self, level_pct: float, reason: str, minutes: float = 60.0, until: str | None = None) -> dict:
        return self.note("override")

    async def release(self) -> dict:
        return self.note("release")


class Radio(Thing):
    async def announce(self, template: str = "", clips: list | None = None, params: dict | None = None,
                       text: str = "", priority: str = "high") -> dict:
        return self.note("announce", text=text, priority=priority)

    async def say_text(self, text: str) -> dict:
        return self.note("say_text", text=text)


class Drone(Thing):
    async def dispatch(self, lat: float, lon: float, altitude_m: float = 40.0, incident: str | None = None) -> dict:
        return self.note("dispatch")

    async def return_(self) -> None:
        self.note("return")


async def setup(ctx: Context, config: Settings):
    for domain, kind in (("light", Light), ("radio", Radio), ("drone", Drone)):
        await ctx.add(Entity(f"{domain}.a", Text("ก", "A"), (domain,)), kind(config.calls, domain))
    await ctx.add(Entity("camera.a", Text("กล้องหน้าตลาด", "Market camera"), (), position=(17.0011, 99.8110)))

    async def video(word: str, reason: str) -> None:
        await ctx.emit(VideoChanged(video=word, reason=reason), entity="camera.a")

    await ctx.act("things.video", video)
    yield


@plugin
def hub_plugin() -> PluginSpec:
    return PluginSpec(Settings, setup)
"""


def things(folder: Path) -> str:
    write_plugin(folder, "things", THINGS, TOML)
    return f"  - {{plugin: things, config: {{calls: {folder / 'calls'}}}}}\n"


def calls(folder: Path) -> list[list[Any]]:
    book = folder / "calls"
    return [json.loads(line) for line in book.read_text().splitlines()] if book.exists() else []


async def walk(scene: Scene, unit: str, lat: float, lon: float) -> None:
    query = {
        "id": unit, "secret": unit_secret(unit), "lat": str(lat), "lon": str(lon), "timestamp": str(int(time.time())),
    }  # fmt: skip
    async with scene.http.post(f"{scene.app.url}/hook/units/position", params=query) as answer:
        assert answer.status == 200


def emit(scene: Scene, kind: str, data: dict[str, Any], entity: str | None = None) -> None:
    """An event as an instance reports it."""
    known = scene.app.types.need(kind)
    scene.app.pipeline.emit(Draft(kind, known.validate(data), "instance:units", entity, lane=known.lane))


def sos(scene: Scene) -> None:
    data = {"kind": "button", "sos_id": "x1", "raised_at": time.time(), "lat": 17.0088, "lon": 99.8238}
    emit(scene, "sos_raised", data, "unit.s1")


SOS = """\
id: sos
use_blueprint:
  path: sos_at_night.yaml
  input: {{light: light.a, radio: radio.a, drone: drone.a, night_from: {start}, night_until: {end}}}
"""


async def sos_scene(begin: Begin, folder: Path, start: int, end: int) -> Scene:
    config = write_zone(folder, plugins=things(folder), automations=SOS.format(start=start, end=end))
    scene = await begin(config)
    await walk(scene, "s1", 17.0088, 99.8238)  # who calls for help, and is nearest
    await walk(scene, "s2", 17.0060, 99.8210)
    await walk(scene, "s3", 17.0011, 99.8110)
    sos(scene)
    return scene


async def test_an_sos_at_night_brings_the_nearest_other_patrol_light_radio_and_asks_for_the_drone(
    begin: Begin, tmp_path: Path
) -> None:
    scene = await sos_scene(begin, tmp_path, 0, 0)  # every hour is night
    asked = await scene.event("confirmation_requested", action="drone.dispatch")
    opened = await scene.event("incident_opened", kind="sos")
    assert [opened.data[name] for name in ("priority", "source_entity", "lat")] == ["critical", "unit.s1", 17.0088]
    assigned = await scene.event("incident_assigned")
    assert (assigned.entity, assigned.data["unit"]) == (opened.entity, "unit.s2")
    assert asked.data["params"]["incident"] == opened.entity
    await scene.until(lambda: len(calls(tmp_path)) == 2)
    assert calls(tmp_path) == [
        ["light.boost", {"pct": 100.0, "minutes": 30.0, "reason": "SOS s1"}],
        ["radio.announce", {"text": "ขอความช่วยเหลือด่วน s1 ขอกำลังสนับสนุน", "priority": "critical"}],
    ]  # fmt: skip


async def test_by_day_the_lights_and_the_drone_stay_as_they_are(begin: Begin, tmp_path: Path) -> None:
    scene = await sos_scene(begin, tmp_path, 24, 0)  # no hour is night
    await scene.until(lambda: calls(tmp_path))
    await scene.event("incident_assigned")
    await scene.until(lambda: not scene.app.engine.list()[0]["running"])
    assert [name for name, _ in calls(tmp_path)] == ["radio.announce"]
    assert scene.events("confirmation_requested") == []


SILENT = """\
id: camera_silent
use_blueprint:
  path: camera_silent.yaml
  input: {camera: camera.a, after: "00:00:01"}
"""


async def test_a_silent_camera_raises_one_alarm_with_its_name_and_reason(begin: Begin, tmp_path: Path) -> None:
    scene = await begin(write_zone(tmp_path, plugins=things(tmp_path), automations=SILENT))
    officer = scene.machine("operator")
    await officer.act("things.video", word="retrying", reason="no answer from 10.0.0.9")
    await officer.act("things.video", word="running", reason="")  # back within the second: no alarm
    await officer.act("things.video", word="retrying", reason="no answer from 10.0.0.9")
    raised = await scene.event("alarm_raised")
    assert [raised.data[name] for name in ("title", "detail", "priority", "subject")] == [
        "กล้องไม่มีภาพ กล้องหน้าตลาด", "no answer from 10.0.0.9", "normal", "camera.a",
    ]  # fmt: skip
    assert len(scene.events("alarm_raised")) == 1


TAMPERED = """\
id: camera_tampered
use_blueprint: {path: camera_tampered.yaml, input: {camera: camera.a, before_s: 5}}
"""


async def test_a_camera_that_is_covered_raises_an_alarm_that_says_so(begin: Begin, tmp_path: Path) -> None:
    scene = await begin(write_zone(tmp_path, plugins=things(tmp_path), automations=TAMPERED))
    for entity, data in (
        ("camera.b", {"active": True, "what": "dark"}), ("camera.a", {"active": False, "what": ""}),
        ("camera.a", {"active": True, "what": "covered"}),
    ):  # fmt: skip
        await scene.app.pipeline.submit(Draft("camera_tampered", data, "instance:things", entity))
    raised = await scene.event("alarm_raised")
    assert [raised.data[name] for name in ("title", "detail", "priority", "subject")] == [
        "กล้องถูกบังหรือขยับ กล้องหน้าตลาด", "มีสิ่งบังหน้ากล้อง ตรวจภาพและส่งสายตรวจดู", "high", "camera.a",
    ]  # fmt: skip
    assert len(scene.events("alarm_raised")) == 1
    seen = scene.app.pipeline.state.get("camera.a")
    assert seen is not None and (seen.attributes["tampered"], seen.attributes["tampered_by"]) == (True, "covered")


REPEATED = """\
id: reports_repeated
use_blueprint: {path: reports_repeated.yaml}
"""


async def test_reports_from_one_place_become_one_incident_with_their_receipts(begin: Begin, tmp_path: Path) -> None:
    scene = await begin(write_zone(tmp_path, plugins="  - plugin: inbox\n", automations=REPEATED))
    await walk(scene, "s2", 17.0060, 99.8210)
    officer = await scene.person("ccoc")
    for text in ("ควัน", "ไฟ", "ไฟไหม้"):
        await officer.act("inbox.note", text=text, place="ตลาด", lat=17.0071, lon=99.8239)
    opened = await scene.event("incident_opened", kind="reports_repeated")
    noted = await scene.event("incident_noted")
    assigned = await scene.event("incident_assigned")
    receipts = [event.data["receipt"] for event in scene.events("report_filed")]
    assert opened.data["title"] == "แจ้งซ้ำ 3 เรื่อง ตลาด"
    assert noted.data["text"] == f"เลขรับเรื่อง {', '.join(receipts)}"
    assert (assigned.entity, assigned.data["unit"]) == (opened.entity, "unit.s2")


NIGHT = """\
id: night
use_blueprint:
  path: watchlist_night.yaml
  input:
    {{shop: camera.a, light: light.a, drone: drone.a, night_from: "{start}", night_until: "{end}", within: "00:00:01"}}
"""
HIT = {"entry": "e1", "plate": "1กข1234", "read_plate": "1กข1234", "province": "สุโขทัย", "match": "exact",
       "confidence": 0.9, "camera": "camera.a"}  # fmt: skip
SHOP = (17.0011, 99.8110)


async def night(begin: Begin, folder: Path, *, patrol: tuple[float, float], start: str, end: str) -> Scene:
    """``patrol``: where the unit is that can be sent."""
    rule = NIGHT.format(start=start, end=end)
    scene = await begin(write_zone(folder, plugins=things(folder), automations=rule))
    await walk(scene, "s2", *patrol)
    return scene


async def test_a_hit_near_the_shop_at_night_brings_patrol_and_light_and_asks_for_the_drone(
    begin: Begin, tmp_path: Path
) -> None:
    scene = await night(begin, tmp_path, patrol=(17.0060, 99.8210), start="00:00:00", end="23:59:59")
    emit(scene, "watchlist_hit", {**HIT, "lat": 17.0111, "lon": 99.8110}, "hit.far")  # 1.1 km away
    emit(scene, "watchlist_hit", {**HIT, "lat": SHOP[0], "lon": SHOP[1]}, "hit.near")
    asked = await scene.event("confirmation_requested", action="drone.dispatch")
    opened = await scene.event("incident_opened", kind="watchlist_hit")
    assigned = await scene.event("incident_assigned")
    assert (assigned.data["unit"], asked.data["params"]["incident"]) == ("unit.s2", opened.entity)
    raised = await scene.event("alarm_raised", subject=opened.entity)  # the patrol is 1.2 km away
    assert raised.data["title"] == "สายตรวจยังไม่ถึงจุดที่พบป้ายเฝ้าระวัง"
    assert calls(tmp_path) == [
        ["light.boost", {"pct": 100.0, "minutes": 15.0, "reason": "ป้ายเฝ้าระวัง 1กข1234 สุโขทัย"}]
    ]
    assert len(scene.events("incident_opened")) == 1


async def test_a_patrol_that_is_there_in_time_raises_no_alarm(begin: Begin, tmp_path: Path) -> None:
    scene = await night(begin, tmp_path, patrol=(17.0012, 99.8111), start="00:00:00", end="23:59:59")
    emit(scene, "watchlist_hit", {**HIT, "lat": SHOP[0], "lon": SHOP[1]}, "hit.near")
    asked = await scene.event("confirmation_requested", action="drone.dispatch")
    officer = await scene.person("ccoc")
    assert (await officer.ask("POST", f"/api/confirmations/{asked.entity}", json={"answer": "no"}))[0] == 200
    await scene.until(lambda: not scene.app.engine.list()[0]["running"])
    assert [event.data["subject"] for event in scene.events("alarm_raised")] == ["hit.near"]  # the incident's own


async def test_by_day_a_hit_near_the_shop_is_for_other_rules(begin: Begin, tmp_path: Path) -> None:
    scene = await night(begin, tmp_path, patrol=SHOP, start="23:59:58", end="23:59:59")
    emit(scene, "watchlist_hit", {**HIT, "lat": SHOP[0], "lon": SHOP[1]}, "hit.near")
    (told,) = await scene.until(lambda: scene.app.engine.traces("night"))
    assert told["status"] == "condition"
    assert scene.events("incident_opened") == []
