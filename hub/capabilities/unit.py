"""Units: officers and vehicles whose position is known while they are on duty."""

from __future__ import annotations

from typing import Annotated, Protocol

from pydantic import Field

from hub.core.action import action
from hub.core.event import EventData, Lane, Personal, Projection, event_type, personal, same


class Unit(Protocol):
    """One unit, ``unit.S211``."""

    @action("แจ้งเตือนสายตรวจ", "Alert the unit", right="unit.alert", idempotent=True)
    async def alert(
        self, text: str, incident: str | None = None, lat: float | None = None, lon: float | None = None
    ) -> None:
        """Put a task on the unit's phone."""

    @action("เปลี่ยนสถานะ", "Set the duty status", right="unit.control", idempotent=True)
    async def set_status(self, status: str, incident: str | None = None) -> None:
        """``available``, ``busy`` (with its incident) or ``off_duty``."""


@event_type(
    "unit_moved", "ตำแหน่งสายตรวจ", "Unit moved", lane=Lane.TELEMETRY, retention="positions",
    projection=Projection(
        attributes=same(
            "lat", "lon", "accuracy_m", "speed_mps", "heading_deg", "battery_pct", "fix_at"
        )
    ),
)  # fmt: skip
class UnitMoved(EventData):
    """A position by the device's own clock (``fix_at``, seconds since the epoch). Degrees WGS 84."""

    lat: Annotated[float, Field(ge=-90, le=90), personal(Personal.POSITION)]
    lon: Annotated[float, Field(ge=-180, le=180), personal(Personal.POSITION)]
    fix_at: float
    accuracy_m: float | None = None
    speed_mps: float | None = None
    heading_deg: float | None = None
    battery_pct: float | None = None


@event_type(
    "unit_status_changed", "สถานะสายตรวจเปลี่ยน", "Unit status changed",
    projection=Projection(state_from="status", attributes={"incident": "incident"}),
)  # fmt: skip
class UnitStatusChanged(EventData):
    """``available``, ``busy`` (with its incident) or ``off_duty``."""

    status: str
    incident: str | None = None


@event_type(
    "unit_alerted", "แจ้งเตือนสายตรวจแล้ว", "Unit alerted", retention="incidents",
    projection=Projection(
        attributes={"task": "text", "task_incident": "incident", "task_lat": "lat", "task_lon": "lon"}
    ),
)  # fmt: skip
class UnitAlerted(EventData):
    """A task was put on the unit's phone."""

    text: Annotated[str, Field(max_length=1000), personal(Personal.TEXT)]
    incident: str | None = None
    lat: float | None = None
    lon: float | None = None


@event_type(
    "unit_task_seen", "สายตรวจรับทราบ", "Unit saw its task", retention="incidents",
    projection=Projection(attributes={"task_seen_at": "seen_at"}),
)  # fmt: skip
class UnitTaskSeen(EventData):
    """The phone showed the task."""

    seen_at: float
    incident: str | None = None
