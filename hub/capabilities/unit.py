"""Units: officers and vehicles whose position is known while they are on duty."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

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
        """``available``, ``busy`` (with its incident) or ``off_duty``. Only a person or the unit's own phone brings a
        unit on duty that is off: nobody is followed because a case was closed."""

    @action("ยุติ SOS", "Clear the SOS", right="unit.control", idempotent=True)
    async def clear_sos(self, reason: Annotated[str, Field(min_length=1, max_length=300)]) -> None:
        """The officer is safe, or it was pressed by mistake."""


class Track(Protocol):
    """A position that another system tells, ``track.ID``. Nothing can be asked of it."""


class PhoneKeys(Protocol):
    """The service of who knows the officers' phones, for other plugins' pages on them."""

    async def admit(self, device: str, secret: str) -> str | None:
        """A key for the phone's cookie, when the secret is that device's; ``None`` otherwise."""

    async def holder(self, key: str) -> str | None:
        """The unit (entity id) whose key this is; ``None`` when it is nobody's, has ended, or its secret changed."""


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
    projection=Projection(state_from="status", attributes=same("incident", "on_duty_since")),
)  # fmt: skip
class UnitStatusChanged(EventData):
    """``available``, ``busy`` (with its incident) or ``off_duty``. ``on_duty_since``: seconds since 1970, ``None`` off
    duty; positions of before are not taken."""

    status: str
    incident: str | None = None
    on_duty_since: float | None = None


@event_type(
    "unit_alerted", "แจ้งเตือนสายตรวจแล้ว", "Unit alerted", retention="incidents",
    projection=Projection(
        attributes={
            "task": "text", "task_incident": "incident", "task_lat": "lat", "task_lon": "lon",
            "task_seen_at": "seen_at",
        }
    ),
)  # fmt: skip
class UnitAlerted(EventData):
    """A task was put on the unit's phone. ``seen_at`` is empty: nobody has seen the new one yet."""

    text: Annotated[str, Field(max_length=1000), personal(Personal.TEXT)]
    incident: str | None = None
    lat: float | None = None
    lon: float | None = None
    seen_at: None = None


@event_type(
    "unit_task_seen", "สายตรวจรับทราบ", "Unit saw its task", retention="incidents",
    projection=Projection(attributes={"task_seen_at": "seen_at"}),
)  # fmt: skip
class UnitTaskSeen(EventData):
    """The phone showed the task."""

    seen_at: float
    incident: str | None = None


@event_type(
    "unit_timer_set", "ตั้งเวลาแจ้งว่าปลอดภัย", "Dead-man timer set", retention="incidents",
    projection=Projection(attributes={"timer_due": "due", "timer_minutes": "minutes"}),
)  # fmt: skip
class UnitTimerSet(EventData):
    """The officer must tap again before ``due`` (seconds since 1970), else an SOS is raised; ``None``: no timer."""

    minutes: int | None
    due: float | None


@event_type(
    "sos_raised", "แจ้งขอความช่วยเหลือฉุกเฉิน", "SOS raised", lane=Lane.EMERGENCY, retention="incidents",
    projection=Projection(
        attributes={
            "sos_at": "raised_at", "sos_kind": "kind", "sos_id": "sos_id", "sos_lat": "lat", "sos_lon": "lon",
        }
    ),
)  # fmt: skip
class SosRaised(EventData):
    """An officer needs help. ``kind``: ``button``, or ``dead_man`` when a timer ran out without a tap.

    ``sos_id``: the phone's own id, the same when it is sent again. ``lat``, ``lon``: degrees WGS 84, of ``fix_at``;
    ``None`` when no position is known.
    """

    kind: Literal["button", "dead_man"]
    sos_id: Annotated[str, Field(max_length=80)]
    raised_at: float
    lat: Annotated[float | None, Field(ge=-90, le=90), personal(Personal.POSITION)] = None
    lon: Annotated[float | None, Field(ge=-180, le=180), personal(Personal.POSITION)] = None
    accuracy_m: float | None = None
    fix_at: float | None = None
    simulated: bool = False


@event_type(
    "sos_cleared", "ยุติการขอความช่วยเหลือ", "SOS cleared", retention="incidents",
    projection=Projection(
        attributes={"sos_at": "nothing", "sos_kind": "nothing", "sos_id": "nothing", "sos_lat": "nothing",
                    "sos_lon": "nothing"}
    ),
)  # fmt: skip
class SosCleared(EventData):
    """It is over. ``nothing`` empties what the unit showed of it."""

    by: str
    reason: Annotated[str, Field(max_length=300), personal(Personal.TEXT)]
    nothing: None = None


@event_type(
    "track_seen", "ตำแหน่งจากระบบอื่น", "Track seen", lane=Lane.TELEMETRY, retention="positions",
    projection=Projection(
        state="current",
        attributes=same("lat", "lon", "fix_at", "stale_at", "callsign", "affiliation", "kind", "heading_deg",
                        "speed_mps", "accuracy_m", "source"),
    ),
)  # fmt: skip
class TrackSeen(EventData):
    """A position that another system told; entity ``track.ID``. ``kind``: the Cursor-on-Target type. ``affiliation``:
    friend, neutral, hostile, unknown, as that system says; a claim, no finding of the hub. ``stale_at``: until when."""

    lat: Annotated[float, Field(ge=-90, le=90), personal(Personal.POSITION)]
    lon: Annotated[float, Field(ge=-180, le=180), personal(Personal.POSITION)]
    fix_at: float
    stale_at: float
    callsign: Annotated[str, Field(max_length=100), personal(Personal.NAME)] = ""
    affiliation: Literal["friend", "neutral", "hostile", "unknown"] = "unknown"
    kind: Annotated[str, Field(max_length=100)]
    heading_deg: float | None = None
    speed_mps: float | None = None
    accuracy_m: float | None = None
    source: str
