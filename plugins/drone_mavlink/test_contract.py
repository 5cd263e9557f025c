"""The plugin in the real hub, in a child of its own, and the contract that every plugin keeps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hub.testing import contract, harness
from plugins.drone_mavlink import fake

HERE = Path(__file__).parent
CONFIG: dict[str, Any] = {
    "id": "sky1",
    "name": {"th": "โดรน", "en": "Drone"},
    "endpoint": "udpout:127.0.0.1:9",
    "fence": {"center": [17.0079, 99.8228], "radius_m": 900},
    "authorisations": [{
        "id": "all-hours", "title": {"th": "ใบอนุญาต", "en": "Permit"}, "source": "test", "hours": "00:00-24:00",
        "valid_from": "2026-01-01", "valid_until": "2099-12-31",
    }],
}  # fmt: skip
FAR = {"lat": 17.0102, "lon": 99.8246, "altitude_m": 30.0, "incident": "incident.1"}


@asynccontextmanager
async def autopilot() -> AsyncIterator[Mapping[str, Any]]:
    peer = fake.Autopilot(speed_up=20.0)
    yield CONFIG | {"endpoint": f"udpout:127.0.0.1:{await peer.start()}"}
    await peer.stop()


test_contract = contract(HERE, autopilot, dead_config=CONFIG)


async def test_a_confirmed_flight_through_the_real_hub() -> None:
    async with autopilot() as config, harness(HERE, config, isolation="child") as hub:
        await hub.until(lambda: (seen := hub.state("drone.sky1")) and seen.attributes.get("battery_pct"))
        asked = await hub.call("drone.dispatch", "drone.sky1", FAR)
        assert asked.status == "confirming"
        flown = await hub.confirm(asked)
        assert (flown.status, flown.result["altitude_m"]) == ("done", 30.0)
        sent = await hub.wait_event("drone_dispatched", entity="drone.sky1")
        assert sent.data == {**FAR, "authorisation": "all-hours"}
        arrived = await hub.wait_event("drone_arrived", entity="drone.sky1")
        assert (arrived.data["incident"], arrived.cause) == ("incident.1", sent.cause)
        assert (await hub.call("drone.return", "drone.sky1")).status == "done"
        await hub.until(lambda: (seen := hub.state("drone.sky1")) and seen.state == "landed")
