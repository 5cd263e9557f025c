"""Drones. A take-off is dangerous: a person confirms, a licensed pilot decides."""

from __future__ import annotations

from typing import Annotated, Protocol

from pydantic import Field

from hub.core.action import action
from hub.core.event import EventData, Lane, Projection, event_type, same


class Drone(Protocol):
    """One drone, ``drone.NAME``."""

    @action("ส่งโดรน", "Dispatch the drone", right="drone.dispatch", dangerous=True, timeout=120)
    async def dispatch(
        self,
        lat: Annotated[float, Field(ge=-90, le=90)],
        lon: Annotated[float, Field(ge=-180, le=180)],
        altitude_m: Annotated[float, Field(gt=0, le=90)] = 40.0,
        incident: str | None = None,
    ) -> dict[str, float]:
        """Check authorisation, fence, battery and hours, arm, take off and go. Done when it is seen to move there."""

    @action("เรียกโดรนกลับ", "Bring the drone home", right="drone.return", idempotent=True, timeout=30)
    async def return_(self) -> None:
        """Return to launch."""


@event_type(
    "drone_telemetry", "ข้อมูลโดรน", "Drone telemetry", lane=Lane.TELEMETRY,
    projection=Projection(
        state_from="status",
        attributes=same(
            "lat", "lon", "altitude_m", "heading_deg", "speed_mps", "battery_pct", "armed", "mode",
            "fix_at", "link", "message"
        ),
    ),
)  # fmt: skip
class DroneTelemetry(EventData):
    """``status``: landed, flying, returning or lost. ``link``: ok or lost. Altitude above the take-off point."""

    status: str
    lat: float | None = None
    lon: float | None = None
    altitude_m: float | None = None
    heading_deg: float | None = None
    speed_mps: float | None = None
    battery_pct: float | None = None
    armed: bool = False
    mode: str = ""
    fix_at: float | None = None
    link: str = "ok"
    message: str = ""


@event_type(
    "drone_dispatched", "โดรนออกปฏิบัติการ", "Drone dispatched", retention="incidents",
    projection=Projection(attributes={"target_lat": "lat", "target_lon": "lon", "incident": "incident"}),
)  # fmt: skip
class DroneDispatched(EventData):
    """The drone was seen to move towards the place. ``authorisation`` names the permit it flies under."""

    lat: float
    lon: float
    altitude_m: float
    authorisation: str
    incident: str | None = None


@event_type("drone_arrived", "โดรนถึงที่หมาย", "Drone arrived", retention="incidents")
class DroneArrived(EventData):
    """The drone is within 15 m of the place."""

    lat: float
    lon: float
    incident: str | None = None


@event_type("drone_refused", "โดรนไม่ได้รับอนุญาตให้บิน", "Drone refused", retention="incidents")
class DroneRefused(EventData):
    """A check failed. ``check``: authorisation, fence, battery, hours or link; ``source``: where the rule stands."""

    check: str
    reason: str
    source: str = ""
    incident: str | None = None
