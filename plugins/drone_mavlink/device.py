"""One drone over MAVLink 2 (mavlink.io, common dialect; modes of ArduCopter).

An acknowledgement says that a command was understood, not that the drone does it: a take-off is done when the drone is
up, a flight to a place has begun when the drone is seen to come nearer. Every operation has a time limit and ends at
once when the heartbeat stops, which no library reports.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

from pymavlink.dialects.v20 import common as mavlink

from .link import BadEndpoint, Endpoint, Link, parse_endpoint
from .telemetry import MAX_TEXT, MAX_TEXTS, MODES, Telemetry

__all__ = ["BadEndpoint", "Clock", "CommandRefused", "Drone", "DroneError", "LinkLost", "NotConfirmed", "Telemetry"]

HEARTBEAT_LIMIT_S = 3.5
NEARER_M, THERE_M = 3.0, 15.0
_STREAMS = {33: 4.0, 1: 1.0, 24: 1.0}  # GLOBAL_POSITION_INT, SYS_STATUS, GPS_RAW_INT: times a second
_RESEND_S = 1.0


class Clock(Protocol):
    """Time, as the hub's ``Clock`` has it."""

    def now(self) -> float:
        """Seconds since the epoch."""

    def monotonic(self) -> float:
        """Seconds that never run backwards."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class DroneError(Exception):
    """An operation did not succeed; the text is for the operator."""


class LinkLost(DroneError):
    """No heartbeat: nobody knows what the drone does. It follows its own fail-safe."""


class CommandRefused(DroneError):
    """The autopilot said no; the text holds its reason where it gave one."""


class NotConfirmed(DroneError):
    """The time limit passed and the drone was not seen to do it."""


class Drone:
    """A client of one autopilot. Use: ``connect``, operations, ``close``.

    ``on_link``: called with ``True`` and ``False`` as the heartbeat comes and goes.
    """

    def __init__(
        self, endpoint: str, *, clock: Clock, signing_key: bytes | None = None,
        on_link: Callable[[bool], None] | None = None, heartbeat_limit_s: float = HEARTBEAT_LIMIT_S,
    ) -> None:  # fmt: skip
        self._endpoint: Endpoint = parse_endpoint(endpoint)
        self._clock, self._signing_key, self._on_link = clock, signing_key, on_link
        self._limit = heartbeat_limit_s
        self._link: Link | None = None
        self._system: int | None = None
        self._beat: float | None = None
        self._acks: dict[int, deque[int]] = {}
        self._texts: deque[tuple[int, str]] = deque(maxlen=MAX_TEXTS)
        self._text_count = 0
        self._changed: asyncio.Future[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._exchange = asyncio.Lock()
        self.telemetry = Telemetry()
        self.linked = False

    async def connect(self, timeout_s: float = 10.0) -> Telemetry:
        """Open the port and wait for the first heartbeat. Errors: ``LinkLost``, ``BadEndpoint``.

        After ``LinkLost`` the port stays open, and ``on_link`` tells when the drone appears.
        """
        if self._link is None:
            self._link = await Link.open(
                self._endpoint, self._receive, now=self._clock.now(), signing_key=self._signing_key
            )
            self._watch = asyncio.create_task(self._keep_watch())
        if not await self._until(lambda: self.linked, timeout_s, need_link=False):
            raise LinkLost(f"no heartbeat of an autopilot in {timeout_s:g} s")
        return self.telemetry

    async def close(self) -> None:
        """Close the port; the drone goes on by itself."""
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        if self._link is not None:
            self._link.close()
        self._link = self._watch = None

    @property
    def garbage(self) -> int:
        """Datagrams that held anything but MAVLink of this drone's key."""
        return 0 if self._link is None else self._link.garbage

    @property
    def port(self) -> int:
        """The local UDP port."""
        return self._open().port

    def heartbeat_age_s(self) -> float | None:
        """Seconds since the last heartbeat, ``None`` before the first."""
        return None if self._beat is None else self._clock.monotonic() - self._beat

    # Operations

    async def set_mode(self, mode: str, timeout_s: float = 5.0) -> None:
        """Change the mode and see it in the heartbeat."""
        number = next((n for n, name in MODES.items() if name == mode), None)
        if number is None:
            raise CommandRefused(f"no mode {mode!r}; there are {', '.join(MODES.values())}")
        flag = mavlink.MAV_MODE_FLAG_CUSTOM_MODE_ENABLED
        before = self._text_count
        result = await self._command(mavlink.MAV_CMD_DO_SET_MODE, flag, number, timeout_s=timeout_s)
        self._accepted(result, f"mode {mode}", before)
        if not await self._until(lambda: self.telemetry.mode == mode, timeout_s):
            raise NotConfirmed(f"mode {mode} was accepted, but the drone is in {self.telemetry.mode}")

    async def arm(self, timeout_s: float = 30.0, on_refused: Callable[[str], None] | None = None) -> None:
        """Arm in GUIDED, again each second while pre-arm checks fail; ``on_refused`` gets the autopilot's words."""
        ends = self._clock.monotonic() + timeout_s
        if self.telemetry.armed:
            return
        await self.set_mode("GUIDED", min(5.0, timeout_s))
        reason = "no reason given"
        while (left := ends - self._clock.monotonic()) > 0:
            before = self._text_count
            result = await self._command(mavlink.MAV_CMD_COMPONENT_ARM_DISARM, 1, timeout_s=min(left, 5.0))
            if result == mavlink.MAV_RESULT_ACCEPTED:
                if await self._until(lambda: self.telemetry.armed, min(left, 5.0)):
                    return
                continue
            await self._until(lambda seen=before: self._text_count > seen, min(left, 0.5))  # type: ignore[misc]
            reason = self._words_since(before) or reason
            if on_refused is not None:
                on_refused(reason)
            await self._until(lambda: self.telemetry.armed, min(left, 1.0))
        raise CommandRefused(f"the drone does not arm within {timeout_s:g} s: {reason}")

    async def takeoff(self, altitude_m: float, timeout_s: float = 60.0) -> None:
        """Climb to ``altitude_m`` above the take-off point; done when it is seen there (within a tenth)."""
        before = self._text_count
        result = await self._command(mavlink.MAV_CMD_NAV_TAKEOFF, 0, 0, 0, 0, 0, 0, altitude_m, timeout_s=5.0)
        self._accepted(result, "take-off", before)

        def over() -> bool:
            return not self.telemetry.armed or (self.telemetry.relative_alt_m or 0.0) >= 0.9 * altitude_m

        if not await self._until(over, timeout_s):
            raise NotConfirmed(f"take-off was accepted, but the drone is at {self.telemetry.relative_alt_m} m")
        if not self.telemetry.armed:
            raise CommandRefused(f"the drone disarmed during take-off: {self._words_since(before)}")

    async def goto(self, lat: float, lon: float, altitude_m: float, timeout_s: float = 20.0) -> float:
        """Fly to a place, ``altitude_m`` above take-off; metres left when it is *seen to come nearer* (or is there)."""
        started = self.telemetry.distance_m(lat, lon)
        if started is None:
            raise CommandRefused("the drone has no position: no GPS fix yet")
        if not self.telemetry.armed:
            raise CommandRefused("the drone is not armed: take off first")
        before = self._text_count
        result = await self._reposition(lat, lon, altitude_m)
        if result == mavlink.MAV_RESULT_UNSUPPORTED:
            self._set_target(lat, lon, altitude_m)
        else:
            self._accepted(result, "the flight to the place", before)

        def nearer() -> bool:
            left = self.telemetry.distance_m(lat, lon)
            return left is not None and (left < min(THERE_M, started + 1) or started - left >= NEARER_M)

        if not await self._until(nearer, timeout_s):
            raise NotConfirmed("the drone took the target but does not move towards it" + self._told(before))
        return self.telemetry.distance_m(lat, lon) or 0.0

    async def arrived(self, lat: float, lon: float, timeout_s: float, radius_m: float = THERE_M) -> None:
        """Wait until the drone is within ``radius_m`` of the place."""

        def there() -> bool:
            left = self.telemetry.distance_m(lat, lon)
            return left is not None and left <= radius_m

        if not await self._until(there, timeout_s):
            raise NotConfirmed(f"the drone did not arrive in {timeout_s:g} s" + self._told(self._text_count - 1))

    async def return_to_launch(self, timeout_s: float = 10.0) -> None:
        """Switch to RTL and see the mode in the heartbeat."""
        await self.set_mode("RTL", timeout_s)

    # Commands

    def _open(self) -> Link:
        if self._link is None:
            raise LinkLost("the drone is not connected")
        return self._link

    async def _command(self, command: int, *params: float, timeout_s: float) -> int:
        """Send until acknowledged (MAVLink command protocol: the same again with ``confirmation`` raised)."""
        values = [*params, *[0.0] * (7 - len(params))]

        def send(confirmation: int) -> None:
            self._open().mav.command_long_send(self._system or 0, 1, command, confirmation, *values)

        return await self._acknowledged(command, send, timeout_s)

    async def _reposition(self, lat: float, lon: float, altitude_m: float) -> int:
        command, frame = mavlink.MAV_CMD_DO_REPOSITION, mavlink.MAV_FRAME_GLOBAL_RELATIVE_ALT
        place = (round(lat * 1e7), round(lon * 1e7), altitude_m)

        def send(confirmation: int) -> None:
            self._open().mav.command_int_send(
                self._system or 0, 1, frame, command, 0, 0, -1, mavlink.MAV_DO_REPOSITION_FLAGS_CHANGE_MODE, 0,
                math.nan, *place,
            )  # fmt: skip

        return await self._acknowledged(command, send, 5.0)

    def _set_target(self, lat: float, lon: float, altitude_m: float) -> None:
        """The older way, which is never acknowledged."""
        frame, only_position = mavlink.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT, 0b110111111000
        self._open().mav.set_position_target_global_int_send(
            0, self._system or 0, 1, frame, only_position, round(lat * 1e7), round(lon * 1e7), altitude_m,
            0, 0, 0, 0, 0, 0, 0, 0,
        )  # fmt: skip

    async def _acknowledged(self, command: int, send: Callable[[int], None], timeout_s: float) -> int:
        async with self._exchange:
            self._open()
            acks = self._acks[command] = deque(maxlen=8)
            ends, tries = self._clock.monotonic() + timeout_s, 0
            try:
                while (left := ends - self._clock.monotonic()) > 0:
                    send(min(tries, 255))
                    tries += 1
                    if await self._until(lambda: bool(acks), min(left, _RESEND_S)):
                        result = acks.popleft()
                        if result != mavlink.MAV_RESULT_IN_PROGRESS:
                            return result
            finally:
                self._acks.pop(command, None)
        raise NotConfirmed(f"the drone does not answer command {command} within {timeout_s:g} s")

    def _accepted(self, result: int, what: str, before: int) -> None:
        if result != mavlink.MAV_RESULT_ACCEPTED:
            name = mavlink.enums["MAV_RESULT"][result].name if result in mavlink.enums["MAV_RESULT"] else str(result)
            raise CommandRefused(f"the drone refuses {what} ({name})" + self._told(before))

    def _words_since(self, count: int) -> str:
        new = min(self._text_count - count, len(self._texts))
        return "; ".join(text for _, text in list(self._texts)[len(self._texts) - new :]) if new > 0 else ""

    def _told(self, count: int) -> str:
        words = self._words_since(count)
        return f": {words}" if words else ""

    # Receiving

    async def _until(self, seen: Callable[[], bool], seconds: float, *, need_link: bool = True) -> bool:
        """Wait until ``seen`` after some message; ``False`` when ``seconds`` passed, ``LinkLost`` without heartbeat."""
        deadline = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            while not seen():
                if need_link and not self.linked:
                    raise LinkLost(f"no heartbeat of the drone for {self.heartbeat_age_s() or 0.0:.1f} s")
                if deadline.done():
                    return False
                if self._changed is None or self._changed.done():
                    self._changed = asyncio.get_running_loop().create_future()
                await asyncio.wait({deadline, self._changed}, return_when=asyncio.FIRST_COMPLETED)
            return True
        finally:
            deadline.cancel()

    def _wake(self) -> None:
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)

    async def _keep_watch(self) -> None:
        """Send our heartbeat each second, and notice when the drone's stops."""
        while True:
            kind, invalid = mavlink.MAV_TYPE_GCS, mavlink.MAV_AUTOPILOT_INVALID
            self._open().mav.heartbeat_send(kind, invalid, 0, 0, mavlink.MAV_STATE_ACTIVE)
            age = self.heartbeat_age_s()
            if self.linked and age is not None and age > self._limit:
                self._set_link(False)
                self._open().forget()
            await self._clock.sleep(min(1.0, self._limit / 2))

    def _set_link(self, linked: bool) -> None:
        self.linked = linked
        if linked:
            for message, rate in _STREAMS.items():
                self._open().mav.command_long_send(
                    self._system or 0, 1, mavlink.MAV_CMD_SET_MESSAGE_INTERVAL, 0, message, 1e6 / rate, 0, 0, 0, 0, 0
                )
        if self._on_link is not None:
            self._on_link(linked)
        self._wake()

    def _receive(self, message: Any) -> None:
        if message.get_srcComponent() != mavlink.MAV_COMP_ID_AUTOPILOT1:
            return
        if message.get_type() == "HEARTBEAT" and self._system is None:
            self._system = message.get_srcSystem()
        if message.get_srcSystem() != self._system:
            return
        handler = _HANDLERS.get(message.get_type())
        if handler is not None:
            handler(self, message)
            self._wake()

    def _heartbeat(self, m: Any) -> None:
        self._beat = self._clock.monotonic()
        armed = bool(m.base_mode & mavlink.MAV_MODE_FLAG_SAFETY_ARMED)
        mode = MODES.get(m.custom_mode, f"MODE {m.custom_mode}")
        self.telemetry = replace(self.telemetry, armed=armed, mode=mode, heartbeat_at=self._clock.now())
        if not self.linked:
            self._set_link(True)

    def _position(self, m: Any) -> None:
        known = (m.lat, m.lon) != (0, 0) and abs(m.lat) <= 900_000_000 and abs(m.lon) <= 1_800_000_000
        self.telemetry = replace(
            self.telemetry,
            lat=m.lat / 1e7 if known else None,
            lon=m.lon / 1e7 if known else None,
            alt_m=m.alt / 1000,
            relative_alt_m=m.relative_alt / 1000,
            heading_deg=None if m.hdg == 65535 else m.hdg / 100 % 360,
            ground_speed_mps=math.hypot(m.vx, m.vy) / 100,
            fix_at=self._clock.now() if known else self.telemetry.fix_at,
        )

    def _system_status(self, m: Any) -> None:
        voltage = None if m.voltage_battery == 65535 else m.voltage_battery / 1000
        battery = float(m.battery_remaining) if 0 <= m.battery_remaining <= 100 else None
        self.telemetry = replace(self.telemetry, voltage=voltage, battery_pct=battery)

    def _gps(self, m: Any) -> None:
        satellites = None if m.satellites_visible == 255 else m.satellites_visible
        self.telemetry = replace(self.telemetry, gps_fix=m.fix_type, satellites=satellites)

    def _status_text(self, m: Any) -> None:
        """Texts over 50 bytes come in parts with the same id."""
        part = str(m.text).rstrip("\0")
        if m.id and m.chunk_seq and self._texts and self._texts[-1][0] == m.id:
            self._texts[-1] = (m.id, (self._texts[-1][1] + part)[:MAX_TEXT])
        else:
            self._texts.append((m.id, part[:MAX_TEXT]))
            self._text_count += 1
        self.telemetry = replace(self.telemetry, status_text=tuple(text for _, text in self._texts))

    def _acknowledgement(self, m: Any) -> None:
        if m.command in self._acks:
            self._acks[m.command].append(int(m.result))


_HANDLERS: dict[str, Callable[[Drone, Any], None]] = {
    "HEARTBEAT": Drone._heartbeat, "GLOBAL_POSITION_INT": Drone._position, "SYS_STATUS": Drone._system_status,
    "GPS_RAW_INT": Drone._gps, "STATUSTEXT": Drone._status_text, "COMMAND_ACK": Drone._acknowledgement,
}  # fmt: skip
