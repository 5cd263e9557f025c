"""The whole demo: every plugin is well, the evening uses each of them, and a kill in the middle of it loses nothing."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.demo import demo_config
from tests.e2e.conftest import Demo, running_demo

pytestmark = pytest.mark.e2e
WITHIN_S = 120
# What each system of the zone brings when its door was used, through whatever plugin.
USED = (
    "plate_read", "watchlist_hit", "unit_moved", "report_filed", "light_boosted", "radio_announced", "looked_up",
    "drone_telemetry", "message_sent", "survey_answered", "notice_approved", "meeting_held", "promise_made",
    "risk_spot_reported", "shift_started", "sound_test_done", "motion_started", "clip_saved", "checkpoint_scanned",
    "call_started", "patrol_log_imported", "report_made", "webhook_received",
)  # fmt: skip
# What people made. No red boxes: the demo's patrol scans on as soon as the hub is back, and windows end by the clock.
KEPT = ("report", "incident", "notice", "promise", "meeting", "risk_spot", "sticker")


async def until(demo: Demo, found: Callable[[], Any]) -> Any:
    """Ask after each frame of the stream until ``found`` picks something."""
    async with asyncio.timeout(WITHIN_S), demo.http.ws_connect(
        f"{demo.url}/api/stream", origin=demo.url, max_msg_size=0
    ) as stream:
        while not (picked := await found()):
            await stream.receive()
    return picked


async def happened(demo: Demo, kind: str) -> bool:
    return bool(await demo.get(f"/api/events?type={kind}&limit=1"))


async def kept(demo: Demo) -> dict[str, Any]:
    """What people made in the evening, without what the hub says of its reachability."""
    states = (await demo.get("/api/states"))["states"]
    return {
        one["entity"]: {k: v for k, v in one["attributes"].items() if k not in ("available", "reason", "silent")}
        for one in states if one["entity"].partition(".")[0] in KEPT
    }  # fmt: skip


async def level(demo: Demo) -> list[float]:
    """What the lamps report, in percent."""
    lamps = (await demo.get("/api/states?domain=light"))["states"]
    return sorted(float(one["attributes"].get("level_pct") or 0) for one in lamps)


async def test_the_evening_uses_every_system_and_every_plugin_is_well(demo: Demo) -> None:
    missing = set(USED)

    async def all_used() -> bool:
        missing.difference_update([kind for kind in sorted(missing) if await happened(demo, kind)])
        return not missing

    try:
        await until(demo, all_used)
    except TimeoutError:
        pytest.fail(f"never happened: {', '.join(sorted(missing))}")
    plugins = (await demo.get("/api/plugins"))["plugins"]
    assert [f"{one['instance']}: {one['reason']}" for one in plugins if one["state"] != "running"] == []
    assert len(plugins) == len(list((Path(__file__).parents[2] / "plugins").glob("*/plugin.toml")))
    cameras = (await demo.get("/api/states?domain=camera"))["states"]
    video = {one["entity"]: one["attributes"].get("video") for one in cameras if not one["attributes"].get("private")}
    assert video == {"camera.gold_shop_1": "running", "camera.market_1": "running"}

    async def found() -> Any:  # what stands on the network
        return (await demo.get("/api/states?domain=found"))["states"]

    assert await until(demo, found) != []
    views = {view["plugin"] for view in (await demo.get("/api/views"))["views"]}
    assert {one["plugin"] for one in plugins} - views <= {"demo_zone"}


async def test_a_kill_in_the_middle_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    config, ports = demo_config(tmp_path)
    async with running_demo(config, tmp_path / "data", ports) as demo:

        async def bright() -> bool:
            return await happened(demo, "light_boosted") and set(await level(demo)) == {100.0}

        await until(demo, bright)
        before = await kept(demo)
        last = (await demo.get("/api/events?limit=1&newest=1"))[0]["seq"]
        demo.process.send_signal(signal.SIGKILL)
        await demo.process.wait()
    async with running_demo(config, tmp_path / "data", ports) as demo:
        after = await kept(demo)
        assert {entity: after.get(entity) for entity in before} == before
        events = await demo.get(f"/api/events?after={max(0, last - 900)}&limit=1000")
        numbers = [event["seq"] for event in events]
        assert numbers == list(range(numbers[0], numbers[-1] + 1)) and numbers[-1] > last

        async def bright_again() -> bool:  # the lamps were started anew and were dark
            return set(await level(demo)) == {100.0}

        await until(demo, bright_again)
        assert {entity for entity in before if entity.startswith("report.")} == {
            entity for entity in await kept(demo) if entity.startswith("report.") and entity in before
        }
