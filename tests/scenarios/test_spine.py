"""The main job, through real doors: a listed plate is read, and all that follows hangs on one chain of causes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from hub.core.event import Event
from tests.scenarios.conftest import Begin, Scene
from tests.scenarios.kit import device_calls, street, unit_secret, write_zone

BLUEPRINT = """\
id: watchlist_hit
use_blueprint:
  path: watchlist_hit.yaml
  input: {line_group: test-group, drone: drone.sky1}
"""
READ = {"series": "1กข", "number": "1234", "province": "สุโขทัย", "confidence": 0.93}


async def listed(scene: Scene, plate: str = "1กข 1234") -> str:
    """The plate on the list: one person asks, another approves."""
    ccoc, commander = await scene.person("ccoc"), await scene.person("commander")
    entry = await ccoc.act(
        "watchlist.add", plate=plate, province="สุโขทัย", reason="stolen car", legal_ground="case 12/2569"
    )  # fmt: skip
    status, refused = await ccoc.ask("POST", "/api/actions/watchlist.approve", json={"params": {"entry": entry}})
    assert (status, refused["error"]["code"]) == (403, "denied")
    await commander.act("watchlist.approve", entry=entry)
    return str(entry)


async def walk(scene: Scene, unit: str, lat: float, lon: float) -> None:
    query = {
        "id": unit, "secret": unit_secret(unit), "lat": str(lat), "lon": str(lon), "timestamp": str(int(time.time())),
    }  # fmt: skip
    async with scene.http.post(f"{scene.app.url}/hook/units/position", params=query) as answer:
        assert answer.status == 200


def chain(scene: Scene, event: Event) -> list[str]:
    """Types of the events from this one back to the first cause."""
    by_id = {found.id: found for found in scene.events()}
    types = [event.type]
    while event.cause is not None:
        event = by_id[event.cause]
        types.append(event.type)
    return types


async def begin_spine(begin: Begin, folder: Path) -> Scene:
    scene = await begin(write_zone(folder, plugins=street(folder), automations=BLUEPRINT))
    await walk(scene, "s1", 17.0011, 99.8110)
    await walk(scene, "s2", 17.0088, 99.8238)  # 30 m from camera.c1
    await walk(scene, "s3", 17.0060, 99.8210)
    await listed(scene)
    return scene


async def test_a_listed_plate_leads_to_incident_unit_alarm_and_drone(begin: Begin, tmp_path: Path) -> None:
    scene = await begin_spine(begin, tmp_path)
    camera = scene.machine("ccoc")
    assert (await camera.emit("plate_read", READ | {"number": "9999"}, "camera.c1"))[0] == 200
    status, answer = await camera.emit("plate_read", READ, "camera.c1")
    assert status == 200
    asked = await scene.event("confirmation_requested")
    await scene.event("unit_status_changed", status="busy")

    read = next(event for event in scene.events("plate_read") if event.seq == answer["seq"])
    (hit,) = scene.events("watchlist_hit")
    (opened,) = scene.events("incident_opened")
    (assigned,) = scene.events("incident_assigned")
    (alarm,) = scene.events("alarm_raised")
    (alerted,) = scene.events("unit_alerted")
    assert (hit.cause, hit.data["match"], hit.data["read_seq"]) == (read.id, "exact", read.seq)
    assert opened.data["title"] == "พบป้ายเฝ้าระวัง 1กข1234 สุโขทัย"
    assert (opened.data["priority"], opened.data["lat"]) == ("critical", 17.009)
    assert opened.data["source_entity"] == hit.entity
    assert (assigned.entity, assigned.data["unit"]) == (opened.entity, "unit.s2")
    assert assigned.data["distance_m"] in range(28, 34)
    assert (alarm.data["priority"], alarm.data["incident"]) == ("critical", opened.entity)
    assert (alerted.entity, alerted.data["incident"]) == ("unit.s2", opened.entity)
    assert asked.data["params"] == {"lat": 17.009, "lon": 99.824, "altitude_m": 40.0, "incident": opened.entity}
    assert (asked.data["action"], asked.data["target"]) == ("drone.dispatch", "drone.sky1")
    for event in (opened, assigned, alarm, alerted, asked):
        assert chain(scene, event)[-2:] == ["watchlist_hit", "plate_read"], event.type
    assert device_calls(tmp_path) == []  # nobody has confirmed

    officer = await scene.person("ccoc")
    status, refused = await camera.ask("POST", f"/api/confirmations/{asked.entity}", json={"answer": "yes"})
    assert (status, refused["error"]["code"]) == (403, "denied")
    status, outcome = await officer.ask("POST", f"/api/confirmations/{asked.entity}", json={"answer": "yes"})
    assert (status, outcome["status"], outcome["result"]) == (200, "done", {"lat": 17.009, "lon": 99.824})
    assert device_calls(tmp_path) == [f"drone {outcome['key']}"]
    finished = await scene.event("action_finished", action="drone.dispatch")
    assert finished.cause == asked.cause
    status, late = await officer.ask("POST", f"/api/confirmations/{asked.entity}", json={"answer": "yes"})
    assert (status, late["error"]["code"]) == (410, "expired")


async def test_a_part_of_a_plate_sends_nobody(begin: Begin, tmp_path: Path) -> None:
    scene = await begin_spine(begin, tmp_path)
    await listed(scene, "?ค 12?4")
    await scene.machine("ccoc").emit("plate_read", READ | {"series": "1ค", "number": "1294"}, "camera.c1")
    opened = await scene.event("incident_opened")
    await scene.until(lambda: not scene.app.journal.records("runs"))
    (hit,) = scene.events("watchlist_hit")
    assert (hit.data["match"], hit.data["priority"], opened.data["priority"]) == ("partial", "normal", "normal")
    assert opened.data["title"] == "พบป้ายเฝ้าระวัง ?ค12?4 สุโขทัย"
    for name in ("incident_assigned", "confirmation_requested", "unit_alerted"):
        assert scene.events(name) == [], name


async def test_the_trace_says_what_was_done_and_names_no_plate(begin: Begin, tmp_path: Path) -> None:
    scene = await begin_spine(begin, tmp_path)
    await scene.machine("ccoc").emit("plate_read", READ, "camera.c1")
    asked = await scene.event("confirmation_requested")
    officer = await scene.person("ccoc")
    await officer.ask("POST", f"/api/confirmations/{asked.entity}", json={"answer": "no"})
    refused = await scene.event("action_finished", action="drone.dispatch")
    assert refused.data["status"] == "refused"

    async def traces() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await officer.get("/api/automations/watchlist_hit/traces"))["traces"]
        return found

    await scene.until(lambda: not scene.app.journal.records("runs"))
    (trace,) = await traces()
    text = str(trace)
    for name in ("incident.open", "incident.assign", "line.push", "drone.dispatch"):
        assert name in text
    assert "1กข1234" not in text and "1กข" not in text
    assert trace["automation"] == "watchlist_hit"
    (row,) = (await officer.get("/api/automations"))["automations"]
    assert (row["id"], row["enabled"], row["runs"]) == ("watchlist_hit", True, 0)
    (incident,) = (await officer.get("/api/incidents"))["incidents"]
    kinds = [event["type"] for event in incident["timeline"]]
    assert kinds[:2] == ["entity_added", "incident_opened"] and "incident_assigned" in kinds
    assert "incident_attached" in kinds  # the unit was told


async def test_an_officer_takes_confirms_and_closes_it(begin: Begin, tmp_path: Path) -> None:
    scene = await begin_spine(begin, tmp_path)
    await scene.machine("ccoc").emit("plate_read", READ, "camera.c1")
    await scene.event("unit_status_changed", status="busy")
    (hit,), (opened,) = scene.events("watchlist_hit"), scene.events("incident_opened")
    officer = await scene.person("ccoc")
    await officer.act("hit.confirm", hit.entity, note="seen on the crop")
    await officer.act("incident.acknowledge", opened.entity)
    status, taken = await (await scene.person("commander")).ask(
        "POST", "/api/actions/incident.acknowledge", json={"target": opened.entity}
    )
    assert (status, taken["status"], taken["error"]["code"]) == (200, "failed", "conflict")
    incident = await officer.get(f"/api/incidents/{opened.entity}")
    assert (incident["state"], incident["attributes"]["owner_officer"]) == ("assigned", "user:is_ccoc")
    await officer.act("incident.close", opened.entity, result="resolved")
    states = {state["entity"]: state for state in (await officer.get("/api/states"))["states"]}
    assert states[opened.entity]["state"] == "closed"
    assert states["unit.s2"]["state"] == "available"
    assert states[str(hit.entity)]["state"] == "confirmed"
    assert [name for name in states if name.startswith("alarm.")] == []
