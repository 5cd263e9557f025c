"""Incidents and alarms. An event is not an alarm; rules make alarms."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Protocol

from pydantic import Field

from hub.core.action import action
from hub.core.event import EventData, Lane, Personal, Projection, event_type, personal, same


class Priority(StrEnum):
    """ISA-18.2: shown by shape, word, colour and sound."""

    CRITICAL = "critical"
    HIGH = "high"
    NORMAL = "normal"
    INFO = "info"


class Incident(Protocol):
    """One case, ``incident.ID``: open → acknowledged → assigned → closed."""

    @action("รับทราบเหตุ", "Acknowledge the incident", right="incident.control", idempotent=True)
    async def acknowledge(self) -> None:
        """Become its owner."""

    @action("มอบหมายสายตรวจ", "Assign a unit", right="incident.control", idempotent=True)
    async def assign(self, unit: str | None = None) -> str:
        """Give it to ``unit``, or to the nearest unit on duty; the unit's entity id."""

    @action("บันทึกข้อความ", "Add a note", right="incident.control")
    async def note(self, text: Annotated[str, Field(min_length=1, max_length=4000)]) -> None:
        """Add to the timeline."""

    @action("ปิดเหตุ", "Close the incident", right="incident.control", idempotent=True)
    async def close(self, result: str, note: str = "") -> None:
        """Close with a result: resolved, false_alarm, handed_over or duplicate."""


class Alarm(Protocol):
    """One alarm, ``alarm.ID``: unacknowledged → acknowledged or shelved → cleared."""

    @action("รับทราบสัญญาณเตือน", "Acknowledge the alarm", right="alarm.control", idempotent=True)
    async def acknowledge(self) -> None:
        """One named owner."""

    @action("พักสัญญาณเตือน", "Shelve the alarm", right="alarm.control", idempotent=True)
    async def shelve(
        self, reason: Annotated[str, Field(min_length=1, max_length=200)], minutes: Annotated[int, Field(ge=1, le=480)]
    ) -> None:
        """Silence it for a stated reason until a stated end; it stays visible."""


@event_type(
    "incident_opened", "เปิดเหตุ", "Incident opened", lane=Lane.EMERGENCY, retention="incidents",
    projection=Projection(state="open", attributes=same(
            "kind", "title", "priority", "lat", "lon", "area", "reference", "crop", "simulated",
            "opened_at", "opened_by",         "source_entity",
        )),
)  # fmt: skip
class IncidentOpened(EventData):
    """A case begins; entity ``incident.ID``. ``reference``: the number that people say aloud."""

    kind: str
    title: Annotated[str, Field(max_length=300), personal(Personal.TEXT)]
    priority: Priority = Priority.HIGH
    reference: str
    opened_at: float
    opened_by: str
    lat: float | None = None
    lon: float | None = None
    area: str | None = None
    crop: str | None = None
    source_entity: str | None = None
    simulated: bool = False


@event_type(
    "incident_acknowledged", "รับทราบเหตุ", "Incident acknowledged", retention="incidents",
    projection=Projection(state_from="state", attributes={"owner_officer": "by", "acknowledged_at": "at"}),
)  # fmt: skip
class IncidentAcknowledged(EventData):
    """An officer has it."""

    by: str
    at: float
    state: str = "acknowledged"


@event_type(
    "incident_assigned", "มอบหมายเหตุ", "Incident assigned", retention="incidents",
    projection=Projection(state="assigned", attributes={"unit": "unit", "distance_m": "distance_m"}),
)  # fmt: skip
class IncidentAssigned(EventData):
    """A unit has it."""

    unit: str
    by: str
    distance_m: float | None = None


@event_type("incident_noted", "บันทึกเหตุ", "Incident note", retention="incidents")
class IncidentNoted(EventData):
    """Words added by a person or a rule."""

    text: Annotated[str, Field(max_length=4000), personal(Personal.TEXT)]
    by: str


@event_type("incident_attached", "แนบข้อมูลกับเหตุ", "Attached to incident", retention="incidents")
class IncidentAttached(EventData):
    """Something that belongs to the case: another entity, event or media id."""

    what: str
    ref: str
    by: str


@event_type(
    "incident_closed", "ปิดเหตุ", "Incident closed", retention="incidents",
    projection=Projection(state="closed", attributes={"result": "result", "closed_at": "at"}),
)  # fmt: skip
class IncidentClosed(EventData):
    """The case ends."""

    result: str
    by: str
    at: float
    note: Annotated[str, personal(Personal.TEXT)] = ""


@event_type(
    "alarm_raised", "สัญญาณเตือน", "Alarm raised", lane=Lane.EMERGENCY, retention="incidents",
    projection=Projection(
        state="unacknowledged",
        attributes=same(
            "priority", "title", "detail", "incident", "subject", "lat", "lon", "place", "raised_at",
            "simulated", "count"
        ),
    ),
)  # fmt: skip
class AlarmRaised(EventData):
    """Something that asks for an officer now; entity ``alarm.ID``. ``count`` grows when the same comes again."""

    priority: Priority
    title: Annotated[str, Field(max_length=300), personal(Personal.TEXT)]
    detail: Annotated[str, Field(max_length=1000), personal(Personal.TEXT)] = ""
    incident: str | None = None
    subject: str | None = None
    lat: float | None = None
    lon: float | None = None
    place: str = ""
    raised_at: float
    simulated: bool = False
    count: int = 1


@event_type(
    "alarm_acknowledged", "รับทราบสัญญาณเตือน", "Alarm acknowledged", retention="incidents",
    projection=Projection(state="acknowledged", attributes={"owner_officer": "by", "acknowledged_at": "at"}),
)  # fmt: skip
class AlarmAcknowledged(EventData):
    """One named owner."""

    by: str
    at: float


@event_type(
    "alarm_shelved", "พักสัญญาณเตือน", "Alarm shelved", retention="incidents",
    projection=Projection(
        state="shelved", attributes={"shelved_by": "by", "shelve_reason": "reason", "shelved_until": "until"}
    ),
)  # fmt: skip
class AlarmShelved(EventData):
    """Silenced for a reason until an end."""

    by: str
    reason: Annotated[str, personal(Personal.TEXT)]
    until: float


@event_type(
    "alarm_returned", "สัญญาณเตือนกลับมา", "Alarm returned from the shelf", lane=Lane.EMERGENCY, retention="incidents",
    projection=Projection(state="unacknowledged"),
)  # fmt: skip
class AlarmReturned(EventData):
    """The shelf time is over."""


@event_type(
    "alarm_cleared", "สิ้นสุดสัญญาณเตือน", "Alarm cleared", retention="incidents", projection=Projection(remove=True)
)
class AlarmCleared(EventData):
    """Nothing more to do; it leaves the list."""

    by: str
    reason: str = ""
