"""The drone's client against an autopilot over real UDP, twenty times as fast as in the air."""

from __future__ import annotations

import asyncio
import json
import math
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from plugins.drone_mavlink import fake, link
from plugins.drone_mavlink.device import BadEndpoint, CommandRefused, Drone, LinkLost, NotConfirmed

FAR = (17.0102, 99.8246)  # 340 m from the autopilot's home
KEY = bytes(range(32))
Make = Callable[..., Awaitable[tuple[fake.Autopilot, Drone]]]


class WallClock:
    """The machine's."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@pytest.fixture
async def make() -> AsyncIterator[Make]:
    made: list[tuple[fake.Autopilot, Drone]] = []

    async def pair(*, connect: bool = True, **settings: float | bytes | None) -> tuple[fake.Autopilot, Drone]:
        key = settings.get("signing_key")
        autopilot = fake.Autopilot(**{"speed_up": 20.0, **settings})  # type: ignore[arg-type]
        port = await autopilot.start()
        endpoint = f"udpout:127.0.0.1:{port}"
        drone = Drone(endpoint, clock=WallClock(), signing_key=key if isinstance(key, bytes) else None)
        made.append((autopilot, drone))
        if connect:
            await drone.connect(5)
        return autopilot, drone

    yield pair
    for autopilot, drone in made:
        await drone.close()
        await autopilot.stop()


async def eventually(seen: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait for what a datagram brings."""
    async with asyncio.timeout(seconds):
        while not seen():  # noqa: ASYNC110 - what is watched has no event of its own
            await asyncio.sleep(0.01)


async def test_telemetry(make: Make) -> None:
    autopilot, drone = await make()
    await eventually(lambda: drone.telemetry.lat is not None and drone.telemetry.satellites is not None)
    seen = drone.telemetry
    assert seen.lat == pytest.approx(17.00819, abs=1e-7)
    assert seen.lon == pytest.approx(99.82222, abs=1e-7)
    assert (seen.alt_m, seen.relative_alt_m, seen.ground_speed_mps, seen.heading_deg) == (54.0, 0.0, 0.0, 0.0)
    assert (seen.battery_pct, seen.voltage, seen.gps_fix, seen.satellites) == (98.0, 16.744, 3, 14)
    assert (seen.armed, seen.mode, seen.status_text) == (False, "STABILIZE", ())
    assert seen.heartbeat_at == pytest.approx(time.time(), abs=2)
    assert f"{511}:0" in autopilot.heard  # the rates were asked for


async def test_arming_is_tried_again_and_the_reasons_are_told(make: Make) -> None:
    autopilot, drone = await make(prearm_s=25.0)
    reasons: list[str] = []
    await drone.arm(20, reasons.append)
    assert drone.telemetry.armed
    assert drone.telemetry.mode == "GUIDED"
    assert reasons
    assert set(reasons) == {"PreArm: Need Position Estimate"}
    assert autopilot.air.armed


async def test_an_arming_that_never_succeeds_says_why(make: Make) -> None:
    _, drone = await make(prearm_s=1e9)
    with pytest.raises(CommandRefused, match=r"does not arm within 1\.5 s: PreArm: Need Position Estimate"):
        await drone.arm(1.5)


async def test_a_whole_flight(make: Make) -> None:
    autopilot, drone = await make()
    await drone.arm(20)
    await drone.takeoff(30, 20)
    assert (drone.telemetry.relative_alt_m or 0) >= 27
    left = await drone.goto(*FAR, 30, 20)
    assert left < 340
    await drone.arrived(*FAR, 20)
    assert (autopilot.air.metres(*FAR)[0] - autopilot.air.north) < 15.1
    await drone.return_to_launch(5)
    assert drone.telemetry.mode == "RTL"
    await eventually(lambda: not drone.telemetry.armed, 20)
    assert math.hypot(autopilot.air.north, autopilot.air.east) < 1
    assert drone.telemetry.mode == "RTL"  # it stays there
    assert (drone.telemetry.battery_pct or 0) < 94
    await drone.arm(5)  # only since the mode is set first
    assert drone.telemetry.mode == "GUIDED"


async def test_rtl_cannot_arm(make: Make) -> None:
    autopilot, drone = await make(prearm_s=0.0)
    await drone.set_mode("RTL")
    assert autopilot._arm((1.0,)) != 0
    await eventually(lambda: drone.telemetry.status_text == ("Arm: Mode not armable",))


async def test_an_acknowledged_target_is_not_believed(make: Make) -> None:
    """On the ground and in the air: accepted, and nothing moves."""
    autopilot, drone = await make(prearm_s=0.0)
    with pytest.raises(CommandRefused, match="not armed"):
        await drone.goto(*FAR, 30, 1)
    await drone.arm(5)
    autopilot.air.idle_s = -1e9
    with pytest.raises(NotConfirmed, match="took the target but does not move"):
        await drone.goto(*FAR, 30, 1)
    assert autopilot.heard[-1] == "192:0"  # it was acknowledged
    await drone.takeoff(20, 10)
    autopilot.ignore_targets = True
    with pytest.raises(NotConfirmed, match="took the target but does not move"):
        await drone.goto(*FAR, 30, 1)


async def test_a_drone_without_do_reposition_gets_the_older_message(make: Make) -> None:
    autopilot, drone = await make(prearm_s=0.0)
    autopilot.no_reposition = True
    await drone.arm(5)
    await drone.takeoff(20, 10)
    assert await drone.goto(*FAR, 20, 10) < 340


async def test_the_autopilots_fence(make: Make) -> None:
    _, drone = await make(prearm_s=0.0, fence_m=100.0)
    await drone.arm(5)
    await drone.takeoff(20, 10)
    with pytest.raises(CommandRefused, match=r"refuses the flight to the place.*Guided target outside fence"):
        await drone.goto(*FAR, 20, 10)


async def test_silence_ends_an_operation_and_is_told(make: Make) -> None:
    links: list[bool] = []
    autopilot, drone = await make(prearm_s=0.0, connect=False)
    drone._on_link, drone._limit = links.append, 0.6
    await drone.connect(5)
    await drone.arm(5)
    await drone.takeoff(20, 10)
    flight = asyncio.create_task(drone.arrived(*FAR, 30))
    await asyncio.sleep(0)
    autopilot.fall_silent(1.5)
    with pytest.raises(LinkLost, match="no heartbeat of the drone for"):
        await asyncio.wait_for(flight, 10)
    assert (links, drone.linked) == ([True, False], False)
    with pytest.raises(LinkLost):
        await drone.set_mode("LOITER")
    await eventually(lambda: drone.linked)
    assert links == [True, False, True]


async def test_nobody_there() -> None:
    drone = Drone("udpout:127.0.0.1:9", clock=WallClock())
    with pytest.raises(LinkLost, match=r"no heartbeat of an autopilot in 0\.3 s"):
        await drone.connect(0.3)
    await drone.close()
    with pytest.raises(LinkLost, match="not connected"):
        await drone.set_mode("GUIDED")


async def test_garbage_on_the_port_is_counted_and_ignored() -> None:
    autopilot = fake.Autopilot(speed_up=20.0)
    await autopilot.start()
    drone = Drone("udpin:127.0.0.1:0", clock=WallClock())
    waiting = asyncio.create_task(drone.connect(10))
    await eventually(lambda: drone._link is not None and drone.port > 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        target = ("127.0.0.1", drone.port)
        packets = [b"hello", b"\xfd" * 300, b"\xfe\xff\x00" * 100, b"\xfd\x09\x00", bytes(4000)]
        for packet in packets:
            stranger.sendto(packet, target)
        await eventually(lambda: drone.garbage == len(packets))
        assert not drone.linked
        autopilot.send_to(*target)
        await waiting
        stranger.sendto(b"hello", target)
        assert drone._link is not None
        await eventually(lambda: drone._link is not None and drone._link.foreign == 1)
    await eventually(lambda: drone.telemetry.lat is not None)
    assert (drone.garbage, drone.linked) == (len(packets), True)
    await drone.close()
    await autopilot.stop()


async def test_long_texts_are_joined_and_bounded(make: Make) -> None:
    autopilot, drone = await make()
    autopilot.say("PreArm: " + "x" * 100)
    await eventually(lambda: drone.telemetry.status_text == ("PreArm: " + "x" * 100,))
    for number in range(30):
        autopilot.say(f"text {number}")
    await eventually(lambda: drone.telemetry.status_text[-1:] == ("text 29",))
    assert drone.telemetry.status_text == tuple(f"text {n}" for n in range(10, 30))


async def test_signed_and_not_signed(make: Make) -> None:
    autopilot, drone = await make(signing_key=KEY, prearm_s=0.0)
    await drone.arm(5)
    assert autopilot.air.armed
    other = Drone(f"udpout:127.0.0.1:{drone._endpoint.port}", clock=WallClock(), signing_key=bytes(32))
    with pytest.raises(LinkLost):
        await other.connect(0.5)
    await other.close()


def test_a_forged_time_does_not_lock_the_true_sender_out() -> None:
    sender, receiver = (link.Codec(1, 1, KEY, 1.8e9 + ahead) for ahead in (0, 0))
    forger = link.Codec(1, 1, bytes(32), 1.9e9)
    assert receiver.unpack(_beat(sender))[0][0].get_type() == "HEARTBEAT"
    assert receiver.unpack(_beat(forger)) == ([], True)
    messages, garbled = receiver.unpack(_beat(sender))
    assert ([m.get_type() for m in messages], garbled) == (["HEARTBEAT"], False)


def _beat(codec: link.Codec) -> bytes:
    sent: list[bytes] = []
    codec.outlet.send = sent.append
    codec.mav.heartbeat_send(2, 3, 0, 0, 0)
    return sent[0]


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("udpout:127.0.0.1", "is no endpoint"),
        ("tcp:127.0.0.1:5760", "is no endpoint"),
        ("udpout:drone.local:1", "is no IP address"),
        ("udpin:127.0.0.1:99999", "is no endpoint"),
        ("udpout:127.0.0.1:0", "needs a port"),
    ],
)
def test_endpoints(endpoint: str, words: str) -> None:
    with pytest.raises(BadEndpoint, match=words):
        Drone(endpoint, clock=WallClock())


async def test_off_loopback_a_key_is_required() -> None:
    with pytest.raises(BadEndpoint, match="signing is required"):
        await Drone("udpin:0.0.0.0:0", clock=WallClock()).connect(1)
    with pytest.raises(BadEndpoint, match="4 bytes, not 32"):
        await Drone("udpin:127.0.0.1:0", clock=WallClock(), signing_key=b"four").connect(1)


async def test_the_program() -> None:
    program = await asyncio.create_subprocess_exec(
        sys.executable, str(Path(fake.__file__)), "--lat", "17.5", "--lon", "99.5", stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert program.stdin is not None
    assert program.stdout is not None
    ready = json.loads(await asyncio.wait_for(program.stdout.readline(), 20))
    drone = Drone(ready["endpoint"], clock=WallClock(), heartbeat_limit_s=1.5)
    await drone.connect(10)
    await eventually(lambda: drone.telemetry.lat == pytest.approx(17.5, abs=1e-6))
    program.stdin.write(b"silent 60\n")
    await eventually(lambda: not drone.linked, 10)
    await drone.close()
    program.stdin.close()
    assert await asyncio.wait_for(program.wait(), 10) == 0
