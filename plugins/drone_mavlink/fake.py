"""An autopilot on loopback that behaves as an ArduCopter does, also where that is awkward.

It refuses to arm for the first seconds although all looks healthy, cannot arm in RTL, acknowledges a target while it
stands on the ground, refuses targets outside its fence, disarms when nobody takes off, and can fall silent.
As a program: ``python plugins/drone_mavlink/fake.py --port 18570 --lat 17.00819 --lon 99.82222``; a line
``silent SECONDS`` on standard input lets it fall silent. It shares no code with the client.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
from collections.abc import Callable, Sequence
from typing import Any, cast

from pymavlink.dialects.v20 import common as mavlink

from hub.sdk.program import end_asked, say_ready

STABILIZE, GUIDED, LOITER, RTL, LAND = 0, 4, 5, 6, 9
_MODES = (STABILIZE, 2, 3, GUIDED, LOITER, RTL, LAND, 16, 17)
_METRES = 111_195.0
_CRUISE, _CLIMB, _SINK = 8.0, 3.0, 1.5
_RTL_ALT_M = 15.0
_TICK_S = 0.05
_MAX_PEERS, _PEER_S = 8, 30.0
_FLIGHT_S = 20 * 60.0
_DISARM_S = 10.0
_RELATIVE = (mavlink.MAV_FRAME_GLOBAL_RELATIVE_ALT, mavlink.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT)


class Airframe:
    """Where the copter is: metres north and east of home and above it; moved by ``step``."""

    def __init__(self, lat: float, lon: float) -> None:
        self.home = (lat, lon)
        self.north = self.east = self.up = 0.0
        self.speed_north = self.speed_east = self.speed_up = 0.0
        self.heading = 0.0
        self.armed, self.mode = False, STABILIZE
        self.target: tuple[float, float, float] | None = None
        self.battery = 98.0
        self.idle_s = 0.0

    @property
    def place(self) -> tuple[float, float]:
        """Latitude and longitude in degrees."""
        scale = _METRES * math.cos(math.radians(self.home[0]))
        return self.home[0] + self.north / _METRES, self.home[1] + self.east / scale

    def metres(self, lat: float, lon: float) -> tuple[float, float]:
        """North and east of home."""
        scale = _METRES * math.cos(math.radians(self.home[0]))
        return (lat - self.home[0]) * _METRES, (lon - self.home[1]) * scale

    def step(self, seconds: float) -> None:
        """Move on by so much time."""
        self.speed_north = self.speed_east = self.speed_up = 0.0
        if self.armed and self.up <= 0 and self.target is None:
            self.idle_s += seconds
            if self.idle_s > _DISARM_S:
                self.armed = False
        if not self.armed:
            return
        if self.up > 0 or self.target is not None:
            self.idle_s = 0.0
            self.battery = max(0.0, self.battery - 100 * seconds / _FLIGHT_S)
        goal = self._goal()
        if goal is not None:
            self._move(goal, seconds)
        if self.mode in (RTL, LAND) and self.up <= 0:
            self.armed, self.target = False, None

    def _goal(self) -> tuple[float, float, float] | None:
        if self.mode == RTL:
            if math.hypot(self.north, self.east) < 1:
                return 0.0, 0.0, 0.0
            return (0.0, 0.0, self.up) if self.up >= _RTL_ALT_M else (self.north, self.east, _RTL_ALT_M)
        if self.mode == LAND:
            return self.north, self.east, 0.0
        return self.target if self.mode == GUIDED else None

    def _move(self, goal: tuple[float, float, float], seconds: float) -> None:
        north, east, up = goal[0] - self.north, goal[1] - self.east, goal[2] - self.up
        flat = math.hypot(north, east)
        if flat > 0.01:
            share = min(1.0, _CRUISE * seconds / flat)
            self.heading = math.degrees(math.atan2(east, north)) % 360
            self.speed_north, self.speed_east = north * share / seconds, east * share / seconds
            self.north, self.east = self.north + north * share, self.east + east * share
        rise = max(-_SINK * seconds, min(_CLIMB * seconds, up))
        self.speed_up, self.up = rise / seconds, max(0.0, self.up + rise)


class Autopilot(asyncio.DatagramProtocol):
    """The peer. ``speed_up``: simulated seconds a second. ``prearm_s``: how long arming fails after the first try.

    ``fence_m``: radius around home outside which targets are refused. ``silent``: says and hears nothing while set.
    ``ignore_targets``: acknowledges and stays. ``signing_key``: 32 bytes; unsigned packets are dropped then.
    """

    def __init__(
        self, lat: float = 17.00819, lon: float = 99.82222, *, speed_up: float = 1.0, prearm_s: float = 2.0,
        fence_m: float | None = None, signing_key: bytes | None = None, system: int = 1,
    ) -> None:  # fmt: skip
        self.air = Airframe(lat, lon)
        self.speed_up, self.prearm_s, self.fence_m = speed_up, prearm_s, fence_m
        self.silent = self.ignore_targets = self.no_reposition = False
        self.heard: list[str] = []
        self._mav: Any = mavlink.MAVLink(self, system, mavlink.MAV_COMP_ID_AUTOPILOT1)
        self._mav.robust_parsing = True
        if signing_key is not None:
            self._mav.signing.secret_key, self._mav.signing.sign_outgoing = signing_key, True
        self._peers: dict[Any, float] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self._flying: asyncio.Task[None] | None = None
        self._elapsed, self._first_try = 0.0, math.inf
        self._due = dict.fromkeys(("heartbeat", "position", "status"), 0.0)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen and fly; the UDP port."""
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, local_addr=(host, port))
        self._flying = asyncio.create_task(self._fly())
        return int(cast(asyncio.DatagramTransport, self._transport).get_extra_info("sockname")[1])

    async def stop(self) -> None:
        """Switch off."""
        if self._flying is not None:
            self._flying.cancel()
            await asyncio.gather(self._flying, return_exceptions=True)
        if self._transport is not None:
            self._transport.close()

    def send_to(self, host: str, port: int) -> None:
        """Talk to a ground station that waits (``udpin``)."""
        self._peers[host, port] = math.inf

    def fall_silent(self, seconds: float) -> None:
        """Say and hear nothing for so many real seconds."""
        self.silent = True
        asyncio.get_running_loop().call_later(seconds, setattr, self, "silent", False)

    def say(self, text: str, severity: int = mavlink.MAV_SEVERITY_CRITICAL) -> None:
        """Send a STATUSTEXT, in parts of 50 bytes when it is longer."""
        raw = text.encode()[:250]
        identity = 0 if len(raw) <= 50 else 1 + len(self.heard) % 65535
        for part, at in enumerate(range(0, max(len(raw), 1), 50)):
            self._mav.statustext_send(severity, raw[at : at + 50], identity, part)

    # Of asyncio and pymavlink

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def write(self, packet: bytes) -> None:
        """Called by pymavlink for each packet."""
        if self._transport is None or self.silent:
            return
        for peer in self._peers:
            self._transport.sendto(packet, peer)

    def datagram_received(self, data: bytes, addr: tuple[Any, ...]) -> None:
        if self.silent:
            return
        parsed = self._mav.parse_buffer(data) or []
        self._mav.buf, self._mav.buf_index = bytearray(), 0
        for message in parsed:
            if message.get_type() == "BAD_DATA":
                continue
            if addr in self._peers or len(self._peers) < _MAX_PEERS:
                self._peers[addr] = max(self._peers.get(addr, 0.0), asyncio.get_running_loop().time() + _PEER_S)
            handle = _HANDLERS.get(message.get_type())
            if handle is not None:
                handle(self, message)

    # Flying and telling

    async def _fly(self) -> None:
        while True:
            await asyncio.sleep(_TICK_S)
            seconds = _TICK_S * self.speed_up
            self._elapsed += seconds
            for _ in range(max(1, round(seconds / 0.05))):
                self.air.step(min(seconds, 0.05))
            now = asyncio.get_running_loop().time()
            self._peers = {peer: until for peer, until in self._peers.items() if until > now}
            tellers: tuple[tuple[str, float, Callable[[], None]], ...] = (
                ("heartbeat", 1.0, self._heartbeat), ("position", 0.25, self._position), ("status", 1.0, self._status),
            )  # fmt: skip
            for name, interval, tell in tellers:
                if self._elapsed >= self._due[name]:
                    self._due[name] = self._elapsed + interval
                    tell()

    def _heartbeat(self) -> None:
        armed = mavlink.MAV_MODE_FLAG_SAFETY_ARMED if self.air.armed else 0
        base = mavlink.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED | armed
        state = mavlink.MAV_STATE_ACTIVE if self.air.armed else mavlink.MAV_STATE_STANDBY
        kind, autopilot = mavlink.MAV_TYPE_QUADROTOR, mavlink.MAV_AUTOPILOT_ARDUPILOTMEGA
        self._mav.heartbeat_send(kind, autopilot, base, self.air.mode, state)

    def _position(self) -> None:
        air = self.air
        lat, lon = air.place
        self._mav.global_position_int_send(
            int(self._elapsed * 1000) % 2**32, round(lat * 1e7), round(lon * 1e7), round((54 + air.up) * 1000),
            round(air.up * 1000), round(air.speed_north * 100), round(air.speed_east * 100),
            round(-air.speed_up * 100), round(air.heading * 100) % 36000,
        )  # fmt: skip

    def _status(self) -> None:
        air = self.air
        lat, lon = air.place
        sensors = mavlink.MAV_SYS_STATUS_PREARM_CHECK  # healthy from the start, as real ones say
        volts = round((14.0 + 2.8 * air.battery / 100) * 1000)
        self._mav.sys_status_send(sensors, sensors, sensors, 120, volts, 1500, int(air.battery), 0, 0, 0, 0, 0, 0)
        self._mav.gps_raw_int_send(
            int(self._elapsed * 1e6), mavlink.GPS_FIX_TYPE_3D_FIX, round(lat * 1e7), round(lon * 1e7),
            round((54 + air.up) * 1000), 80, 120, 0, 65535, 14,
        )  # fmt: skip

    # Obeying

    def _command_long(self, m: Any) -> None:
        handle = _COMMANDS.get(m.command)
        params = (m.param1, m.param2, m.param3, m.param4, m.param5, m.param6, m.param7)
        self._answer(m.command, mavlink.MAV_RESULT_UNSUPPORTED if handle is None else handle(self, params))

    def _command_int(self, m: Any) -> None:
        if m.command != mavlink.MAV_CMD_DO_REPOSITION or self.no_reposition:
            self._answer(m.command, mavlink.MAV_RESULT_UNSUPPORTED)
        elif m.frame not in _RELATIVE:
            self._answer(m.command, mavlink.MAV_RESULT_DENIED)
        else:
            self._answer(m.command, self._take_target(m.x / 1e7, m.y / 1e7, m.z))

    def _position_target(self, m: Any) -> None:
        if m.coordinate_frame in _RELATIVE:
            self._take_target(m.lat_int / 1e7, m.lon_int / 1e7, m.alt)

    def _answer(self, command: int, result: int) -> None:
        self.heard.append(f"{command}:{result}")
        del self.heard[:-200]
        self._mav.command_ack_send(command, result)

    def _set_mode(self, params: tuple[float, ...]) -> int:
        if int(params[1]) not in _MODES:
            return int(mavlink.MAV_RESULT_FAILED)
        self.air.mode, self.air.target = int(params[1]), None
        self._heartbeat()
        return int(mavlink.MAV_RESULT_ACCEPTED)

    def _arm(self, params: tuple[float, ...]) -> int:
        if params[0] < 0.5:
            if self.air.up > 0:
                return int(mavlink.MAV_RESULT_FAILED)
            self.air.armed = False
            return int(mavlink.MAV_RESULT_ACCEPTED)
        self._first_try = min(self._first_try, self._elapsed)
        if self.air.mode in (RTL, LAND):
            self.say("Arm: Mode not armable")
        elif self._elapsed < self._first_try + self.prearm_s:
            self.say("PreArm: Need Position Estimate")
        elif self.air.battery < 15:
            self.say("PreArm: Battery 1 below minimum arming capacity")
        else:
            self.air.armed, self.air.idle_s = True, 0.0
            self._heartbeat()
            return int(mavlink.MAV_RESULT_ACCEPTED)
        return int(mavlink.MAV_RESULT_FAILED)

    def _takeoff(self, params: tuple[float, ...]) -> int:
        if not self.air.armed or self.air.mode != GUIDED or not 0 < params[6] < 1000:
            return int(mavlink.MAV_RESULT_FAILED)
        self.air.target = (self.air.north, self.air.east, params[6])
        return int(mavlink.MAV_RESULT_ACCEPTED)

    def _interval(self, params: tuple[float, ...]) -> int:
        return int(mavlink.MAV_RESULT_ACCEPTED)

    def _take_target(self, lat: float, lon: float, up: float) -> int:
        north, east = self.air.metres(lat, lon)
        if self.fence_m is not None and math.hypot(north, east) > self.fence_m:
            self.say("Guided target outside fence")
            return int(mavlink.MAV_RESULT_FAILED)
        if self.air.armed and self.air.up > 0 and self.air.mode == GUIDED and not self.ignore_targets:
            self.air.target = (north, east, up)
        return int(mavlink.MAV_RESULT_ACCEPTED)  # on the ground too, where nothing follows from it


_HANDLERS: dict[str, Callable[[Autopilot, Any], None]] = {
    "COMMAND_LONG": Autopilot._command_long, "COMMAND_INT": Autopilot._command_int,
    "SET_POSITION_TARGET_GLOBAL_INT": Autopilot._position_target,
}  # fmt: skip
_COMMANDS: dict[int, Callable[[Autopilot, tuple[float, ...]], int]] = {
    mavlink.MAV_CMD_DO_SET_MODE: Autopilot._set_mode, mavlink.MAV_CMD_COMPONENT_ARM_DISARM: Autopilot._arm,
    mavlink.MAV_CMD_NAV_TAKEOFF: Autopilot._takeoff, mavlink.MAV_CMD_SET_MESSAGE_INTERVAL: Autopilot._interval,
}  # fmt: skip


async def main(arguments: Sequence[str]) -> None:
    """The program."""
    parser = argparse.ArgumentParser(description="an autopilot on loopback (simulated)")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--lat", type=float, default=17.00819)
    parser.add_argument("--lon", type=float, default=99.82222)
    parser.add_argument("--fence", type=float, help="metres around home")
    parser.add_argument("--speed-up", type=float, default=1.0)
    given = parser.parse_args(arguments)
    autopilot = Autopilot(given.lat, given.lon, speed_up=given.speed_up, fence_m=given.fence)
    port = await autopilot.start(port=given.port)

    def on_line(line: str) -> None:
        word, _, seconds = line.partition(" ")
        if word == "silent" and seconds.strip().isdecimal():
            autopilot.fall_silent(float(seconds))

    told = end_asked(on_line)
    say_ready(port=port, endpoint=f"udpout:127.0.0.1:{port}")
    await told.wait()
    await autopilot.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
