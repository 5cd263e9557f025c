"""One drone as the hub sees it: checked before each flight, believed when it is seen to move, never without a link."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from hub.capabilities import DroneArrived, DroneDispatched, DroneRefused, DroneTelemetry
from hub.sdk import ActionFailed, Conflict, Context, HubError, Unavailable, current_call

from .device import Drone, DroneError, LinkLost
from .rules import Authorisation, Checks, Flight, Refusal

FLIGHT_S = 105.0
"""Arming, climbing and moving off together; with ``HOME_S`` less than the action's own 120 s."""
ARM_S, CLIMB_S, MOVE_S, HOME_S = 30.0, 60.0, 20.0, 8.0
ARRIVED_M = 15.0
AIRBORNE_M = 1.0
GPS_3D = 3
HOMING = frozenset({"RTL", "SMART_RTL", "LAND"})


@dataclass(frozen=True, slots=True)
class Goal:
    """Where a dispatched drone is going."""

    lat: float
    lon: float
    incident: str | None
    cause: str


class Pilot:
    """Serves the actions of one drone and reports what it does."""

    def __init__(self, ctx: Context, drone: Drone, entity: str, checks: Checks) -> None:
        self._ctx, self._drone, self._entity, self._checks = ctx, drone, entity, checks
        self._flight: asyncio.Task[float] | None = None
        self._goal: Goal | None = None
        self._link: bool | None = None

    # --- actions

    async def dispatch(
        self, lat: float, lon: float, altitude_m: float = 40.0, incident: str | None = None
    ) -> dict[str, float]:
        """Check, arm, climb, go; ``{"distance_m", "altitude_m"}`` when it is seen to come nearer."""
        if self._flight is not None:
            raise Conflict("another dispatch of this drone is under way", where=self._entity, hint="call it home first")
        call = current_call()
        permit = await self._permit(lat, lon, altitude_m, incident)
        self._flight = asyncio.create_task(self._fly(lat, lon, altitude_m))
        try:
            left = await self._flight
        except asyncio.CancelledError:
            if (here := asyncio.current_task()) is not None and here.cancelling():
                raise  # the hub itself ends the call
            raise ActionFailed("the drone was called home on its way", where=self._entity) from None
        finally:
            self._flight = None
        said = DroneDispatched(lat=lat, lon=lon, altitude_m=altitude_m, authorisation=permit.id, incident=incident)
        self._goal = Goal(lat, lon, incident, call.cause or call.key)
        await self._ctx.emit(said, entity=self._entity)
        return {"distance_m": round(left, 1), "altitude_m": altitude_m}

    async def return_(self) -> None:
        """Home, also in the middle of a dispatch; a drone that stands disarmed is home."""
        flight, self._goal = self._flight, None
        if flight is not None:
            flight.cancel()
            await asyncio.wait({flight})
        elif self._drone.linked and not self._drone.telemetry.armed:
            return
        try:
            await self._drone.return_to_launch(HOME_S)
        except DroneError as failed:
            raise self._explained(failed) from None

    async def _permit(self, lat: float, lon: float, altitude_m: float, incident: str | None) -> Authorisation:
        seen = self._drone.telemetry
        fixed = seen.lat is not None and (seen.gps_fix or 0) >= GPS_3D
        asked = Flight(self._ctx.clock.now(), (lat, lon), altitude_m, self._drone.linked, fixed, seen.battery_pct)
        judged = self._checks.judge(asked)
        if isinstance(judged, Refusal):
            said = DroneRefused(check=judged.check, reason=judged.reason, source=judged.source, incident=incident)
            await self._ctx.emit(said, entity=self._entity)
            hint = f"{judged.check}: {judged.source}" if judged.source else judged.check
            raise ActionFailed(judged.reason, where=self._entity, hint=hint)
        return judged

    async def _fly(self, lat: float, lon: float, altitude_m: float) -> float:
        """Metres left when it is under way. What took off in vain is sent home; what flew already flies on."""
        climbed = False
        try:
            async with asyncio.timeout(FLIGHT_S):
                await self._drone.set_mode("GUIDED")  # RTL cannot arm
                if not self._airborne():
                    await self._drone.arm(ARM_S, self._not_armed)
                    climbed = True
                    await self._drone.takeoff(altitude_m, CLIMB_S)
                return await self._drone.goto(lat, lon, altitude_m, MOVE_S)
        except (DroneError, TimeoutError) as failed:
            fate = await self._stand_down() if climbed else ""
            raise self._explained(failed, fate) from None

    def _airborne(self) -> bool:
        seen = self._drone.telemetry
        return seen.armed and (seen.relative_alt_m or 0.0) > AIRBORNE_M

    def _not_armed(self, reason: str) -> None:
        self._ctx.log.info("%s does not arm yet: %s", self._entity, reason)

    async def _stand_down(self) -> str:
        with contextlib.suppress(DroneError):
            await self._drone.return_to_launch(HOME_S)
            return "; it was sent home"
        return "; it could NOT be sent home: look at it and take the remote control"

    def _explained(self, failed: DroneError | TimeoutError, fate: str = "") -> HubError:
        if isinstance(failed, LinkLost):
            words = f"{failed}{fate}; the drone follows its own fail-safe"
            return Unavailable(words, where=self._entity, hint="look at the radio link and at the drone")
        words = str(failed) or f"the drone was not under way within {FLIGHT_S:g} s"
        return ActionFailed(words + fate, where=self._entity, hint="the words after the colon are the autopilot's own")

    # --- reports

    async def report(self) -> None:
        """Each second: telemetry, the link's loss once, and the arrival."""
        linked = self._drone.linked
        if linked or self._link is not False:
            await self._ctx.emit(self._telemetry(), entity=self._entity)
        if linked != self._link:
            self._link = linked
            await self._ctx.health(linked, "" if linked else self._lost())
        await self._arrival()

    async def _arrival(self) -> None:
        goal, seen = self._goal, self._drone.telemetry
        if goal is None or not self._drone.linked:
            return
        left = seen.distance_m(goal.lat, goal.lon)
        if not seen.armed or seen.mode in HOMING:
            self._goal = None
        elif left is not None and left <= ARRIVED_M:
            self._goal = None
            said = DroneArrived(lat=goal.lat, lon=goal.lon, incident=goal.incident)
            await self._ctx.emit(said, entity=self._entity, cause=goal.cause)

    def _telemetry(self) -> DroneTelemetry:
        seen, linked = self._drone.telemetry, self._drone.linked
        speed = seen.ground_speed_mps
        return DroneTelemetry(
            status=self._status(), lat=seen.lat, lon=seen.lon, altitude_m=seen.relative_alt_m,
            heading_deg=seen.heading_deg, speed_mps=None if speed is None else round(speed, 2),
            battery_pct=seen.battery_pct, armed=seen.armed, mode=seen.mode, fix_at=seen.fix_at,
            link="ok" if linked else "lost",
            message=seen.status_text[-1] if linked and seen.status_text else "" if linked else self._lost(),
        )  # fmt: skip

    def _status(self) -> str:
        seen = self._drone.telemetry
        if not self._drone.linked:
            return "lost"
        if not seen.armed:
            return "landed"
        if seen.mode in HOMING:
            return "returning"
        return "flying" if self._airborne() else "landed"

    def _lost(self) -> str:
        age = self._drone.heartbeat_age_s()
        return "the drone was not heard yet" if age is None else f"no heartbeat for {age:.0f} s"
