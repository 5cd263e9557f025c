"""The plugin against the autopilot on loopback: real UDP, real MAVLink, faster than in the air."""

from __future__ import annotations

import asyncio
import logging
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic import ValidationError

from hub.sdk import ActionFailed, Call, Conflict, Context, Entity, EventData, SystemClock, Unavailable
from hub.sdk.context import _current_call
from plugins.drone_mavlink import Settings, fake, pilot, setup
from plugins.drone_mavlink.pilot import Pilot

DRONE = "drone.sky1"
FAR = (17.0102, 99.8246)  # 340 m from the autopilot's home
EMITS = set(tomllib.loads((Path(fake.__file__).parent / "plugin.toml").read_text())["emits"])
CONFIG: dict[str, Any] = {
    "id": "sky1",
    "name": {"th": "โดรนสกาย 1 (จำลอง)", "en": "Sky 1 drone (simulated)"},
    "endpoint": "udpout:127.0.0.1:18570",
    "fence": {"center": [17.0079, 99.8228], "radius_m": 900},
    "authorisations": [{
        "id": "demo-night-permit", "title": {"th": "ใบอนุญาตจำลอง", "en": "Simulated permit"}, "source": "demo only",
        "valid_from": "2026-01-01", "valid_until": "2036-12-31", "hours": "00:00-24:00",
    }],
    "simulated": True,
}  # fmt: skip


class Hub:
    """What the plugin needs of ``Context``; keeps what it was told."""

    instance = "drone_mavlink"

    def __init__(self) -> None:
        self.clock, self.log = SystemClock(), logging.getLogger("drone_mavlink")
        self.told: list[tuple[str, dict[str, Any], str | None]] = []
        self.entity: Entity
        self.pilot: Pilot
        self.healthy: list[tuple[bool, str]] = []
        self._more = asyncio.Event()
        self._repeating: list[asyncio.Task[None]] = []

    async def add(self, entity: Entity, device: object | None = None) -> None:
        assert isinstance(device, Pilot)
        self.entity, self.pilot = entity, device

    async def emit(
        self, data: EventData, *, entity: str | None = None, at: float | None = None, cause: str | None = None
    ) -> int:
        assert (type(data).type.name in EMITS, entity) == (True, DRONE)
        self.told.append((type(data).type.name, data.model_dump(), cause))
        self._more.set()
        return len(self.told)

    async def every(self, seconds: float, call: Callable[[], Awaitable[None]]) -> None:
        async def repeat() -> None:
            while True:
                await asyncio.sleep(seconds / 20)  # as much faster as the autopilot
                await call()

        self._repeating.append(asyncio.create_task(repeat()))

    async def health(self, ok: bool, reason: str = "") -> None:
        self.healthy.append((ok, reason))

    async def end(self) -> None:
        for task in self._repeating:
            task.cancel()
        await asyncio.gather(*self._repeating, return_exceptions=True)

    def of(self, name: str) -> list[dict[str, Any]]:
        return [row[1] for row in self.told if row[0] == name]

    async def until(self, seen: Callable[[], object], within: float = 20.0) -> None:
        async with asyncio.timeout(within):
            while not seen():
                self._more.clear()
                await self._more.wait()

    async def status(self, wanted: str) -> dict[str, Any]:
        """Wait until the newest telemetry says so."""
        await self.until(lambda: self.of("drone_telemetry") and self.of("drone_telemetry")[-1]["status"] == wanted)
        return self.of("drone_telemetry")[-1]

    async def dispatch(self, lat: float, lon: float, altitude_m: float = 30.0, **more: Any) -> dict[str, float]:
        """``drone.dispatch`` as the hub would call it."""
        token = _current_call.set(Call("drone.dispatch", DRONE, {}, "call:1", "user:somchai", "event:9"))
        try:
            return await self.pilot.dispatch(lat, lon, altitude_m, **more)
        finally:
            _current_call.reset(token)


@asynccontextmanager
async def flying(changed: dict[str, Any] | None = None, **settings: Any) -> AsyncIterator[tuple[fake.Autopilot, Hub]]:
    """An autopilot, a hub, and the plugin between them."""
    autopilot = fake.Autopilot(**{"speed_up": 20.0, **settings})
    hub, port = Hub(), await autopilot.start()
    config = CONFIG | {"endpoint": f"udpout:127.0.0.1:{port}", "link_timeout_s": 2} | (changed or {})
    life = setup(cast(Context, hub), Settings.model_validate(config))
    await anext(life)
    try:
        await hub.until(lambda: (seen := hub.of("drone_telemetry")) and seen[-1]["lat"] and seen[-1]["battery_pct"])
        yield autopilot, hub
    finally:
        await hub.end()
        with pytest.raises(StopAsyncIteration):
            await anext(life)
        await autopilot.stop()


async def test_a_flight_from_order_to_landing() -> None:
    async with flying() as (autopilot, hub):
        first = await hub.status("landed")
        assert (first["lat"], first["lon"]) == (pytest.approx(17.00819, abs=1e-6), pytest.approx(99.82222, abs=1e-6))
        assert (first["link"], first["battery_pct"], first["armed"], first["altitude_m"]) == ("ok", 98.0, False, 0.0)
        result = await hub.dispatch(*FAR, incident="incident.7")
        assert 300 < result["distance_m"] < 338
        assert result["altitude_m"] == 30.0
        assert hub.of("drone_dispatched") == [{
            "lat": FAR[0], "lon": FAR[1], "altitude_m": 30.0, "authorisation": "demo-night-permit",
            "incident": "incident.7",
        }]  # fmt: skip
        assert (await hub.status("flying"))["mode"] == "GUIDED"
        await hub.until(lambda: hub.of("drone_arrived"))
        assert [row for row in hub.told if row[0] == "drone_arrived"] == [
            ("drone_arrived", {"lat": FAR[0], "lon": FAR[1], "incident": "incident.7"}, "event:9")
        ]
        north, east = autopilot.air.metres(*FAR)
        assert abs(north - autopilot.air.north) + abs(east - autopilot.air.east) < 25
        await hub.pilot.return_()
        await hub.status("returning")
        assert (await hub.status("landed"))["armed"] is False
        again = await hub.dispatch(17.0090, 99.8225)  # RTL could not arm
        assert again["distance_m"] < 95
        await hub.until(lambda: len(hub.of("drone_arrived")) == 2)
        assert hub.of("drone_arrived")[1] == {"lat": 17.0090, "lon": 99.8225, "incident": None}
    assert (hub.entity.id, hub.entity.capabilities, hub.entity.simulated) == (DRONE, ("drone",), True)
    assert hub.of("drone_refused") == []


@pytest.mark.parametrize(
    ("changed", "place", "check", "words"),
    [
        ({"authorisations": []}, FAR, "authorisation", "no authorisation is recorded"),
        ({}, (17.02, 99.8246), "fence", r"outside the fence: 1\d\d\d m from its middle, 900 m are allowed"),
        ({"min_battery_pct": 99}, FAR, "battery", "the battery is at 98 %; 99 % are needed"),
        ({"rules": {"altitude_m": 20}}, FAR, "altitude", "30 m is higher than 20 m"),
    ],
)
async def test_a_refusal_is_told_and_nothing_moves(
    changed: dict[str, Any], place: tuple[float, float], check: str, words: str
) -> None:
    async with flying(changed) as (autopilot, hub):
        with pytest.raises(ActionFailed, match=words):
            await hub.dispatch(*place, incident="incident.7")
        (told,) = hub.of("drone_refused")
        assert (told["check"], told["incident"], bool(told["source"])) == (check, "incident.7", True)
        assert (hub.of("drone_dispatched"), autopilot.air.armed, autopilot.air.mode) == ([], False, fake.STABILIZE)


async def test_a_silent_drone_is_lost_and_does_not_fly() -> None:
    async with flying() as (autopilot, hub):
        autopilot.silent = True
        lost = await hub.status("lost")
        assert (lost["link"], lost["lat"]) == ("lost", pytest.approx(17.00819, abs=1e-6))
        assert lost["message"].startswith("no heartbeat for ")
        count = len(hub.told)
        with pytest.raises(ActionFailed, match="the drone does not answer"):
            await hub.dispatch(*FAR)
        assert hub.told[count][1]["check"] == "link"
        with pytest.raises(Unavailable, match="no heartbeat of the drone"):
            await hub.pilot.return_()
        assert [ok for ok, _ in hub.healthy] == [True, False]
        assert len(hub.told) == count + 1  # the loss is said once
        autopilot.silent = False
        await hub.status("landed")
        assert [ok for ok, _ in hub.healthy] == [True, False, True]


async def test_a_drone_lost_on_its_way_up_is_named_so() -> None:
    async with flying(prearm_s=0.0) as (autopilot, hub):
        order = asyncio.create_task(hub.dispatch(*FAR, altitude_m=80))
        await hub.until(lambda: hub.of("drone_telemetry")[-1]["armed"])
        autopilot.silent = True
        with pytest.raises(Unavailable, match=r"could NOT be sent home.*its own fail-safe"):
            await order
    assert hub.of("drone_dispatched") == []


async def test_an_acknowledgement_is_not_a_dispatch(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes off, takes the target, stays: nothing is said to be on its way, and it is sent home."""
    monkeypatch.setattr(pilot, "MOVE_S", 1.0)
    async with flying(prearm_s=0.0) as (autopilot, hub):
        autopilot.ignore_targets = True
        with pytest.raises(ActionFailed, match=r"does not move towards it.*; it was sent home"):
            await hub.dispatch(*FAR)
        assert (hub.of("drone_dispatched"), autopilot.air.mode) == ([], fake.RTL)
        await hub.status("landed")


async def test_the_autopilots_own_fence_is_the_second_check() -> None:
    async with flying(prearm_s=0.0, fence_m=100.0) as (_, hub):
        with pytest.raises(ActionFailed, match="Guided target outside fence; it was sent home"):
            await hub.dispatch(*FAR)
        assert hub.of("drone_arrived") == []


async def test_arming_that_never_succeeds_gives_the_autopilots_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pilot, "ARM_S", 1.0)
    async with flying(prearm_s=1e9) as (autopilot, hub):
        with pytest.raises(ActionFailed, match=r"1 s: PreArm: Need Position Estimate \(the words"):
            await hub.dispatch(*FAR)
        assert autopilot.air.armed is False


async def test_home_in_the_middle_of_a_dispatch() -> None:
    async with flying(prearm_s=0.0) as (autopilot, hub):
        order = asyncio.create_task(hub.dispatch(*FAR, altitude_m=80))
        await hub.until(lambda: hub.of("drone_telemetry")[-1]["status"] == "flying")
        with pytest.raises(Conflict, match="another dispatch"):
            await hub.dispatch(17.0090, 99.8225)
        await hub.pilot.return_()
        with pytest.raises(ActionFailed, match="called home"):
            await order
        assert autopilot.air.mode == fake.RTL
        await hub.status("landed")
        assert (hub.of("drone_dispatched"), hub.of("drone_arrived")) == ([], [])
        await hub.pilot.return_()  # it is home: nothing to do
        assert autopilot.air.armed is False


async def test_a_drone_in_the_air_goes_on_to_another_place() -> None:
    async with flying(prearm_s=0.0) as (autopilot, hub):
        await hub.dispatch(*FAR)
        await hub.dispatch(17.0060, 99.8240, incident="incident.8")
        await hub.until(lambda: hub.of("drone_arrived"))
        assert [one["incident"] for one in hub.of("drone_arrived")] == ["incident.8"]
        assert sum(word.startswith("400:") for word in autopilot.heard) == 1  # armed once


async def test_a_drone_taken_home_by_hand_has_not_arrived() -> None:
    """The pilot's remote control wins; that home lies where it was sent is no arrival."""
    async with flying(prearm_s=0.0) as (autopilot, hub):
        await hub.dispatch(*FAR)
        await hub.until(lambda: hub.of("drone_arrived"))
        await hub.dispatch(*autopilot.air.home)
        autopilot.air.mode = fake.RTL
        await hub.status("landed")
        assert [one["lat"] for one in hub.of("drone_arrived")] == [FAR[0]]


async def test_a_drone_that_comes_later() -> None:
    autopilot = fake.Autopilot(speed_up=20.0)
    port = await autopilot.start()
    autopilot.silent = True
    hub = Hub()
    life = setup(cast(Context, hub), Settings.model_validate(CONFIG | {"endpoint": f"udpout:127.0.0.1:{port}"}))
    await anext(life)
    assert (await hub.status("lost"))["message"] == "the drone was not heard yet"
    autopilot.silent = False
    assert (await hub.status("landed"))["link"] == "ok"
    await hub.end()
    with pytest.raises(StopAsyncIteration):
        await anext(life)
    await autopilot.stop()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"endpoint": "serial:/dev/ttyUSB0"}, "is no endpoint"),
        ({"endpoint": "udpin:0.0.0.0:14550"}, "off this machine MAVLink 2 signing is needed"),
        ({"signing_key": "00ff"}, "64 hex digits"),
        ({"signing_key": "secret"}, "64 hex digits"),
        ({"authorisations": CONFIG["authorisations"] * 2}, "demo-night-permit stands there twice"),
        ({"link_timeout_s": 1}, "greater than or equal to 2"),
    ],
)
def test_wrong_settings_are_named(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Settings.model_validate(CONFIG | changed)


def test_off_loopback_with_a_key() -> None:
    settings = Settings.model_validate(CONFIG | {"endpoint": "udpin:0.0.0.0:14550", "signing_key": "ab" * 32})
    assert settings.key == b"\xab" * 32
