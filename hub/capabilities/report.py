"""Reports: what citizens and officers bring in through any door, one case file each in the inbox.

A door (QR page, LINE, I Lert U, telephone note, SOS) emits ``report_received`` and ``report_added``; the inbox makes
the entity ``report.RECEIPT`` of them and emits the rest; the door tells the reporter what was answered.
"""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

from pydantic import Field

from hub.capabilities.incident import Priority
from hub.core.action import action
from hub.core.event import EventData, Lane, Personal, Projection, event_type, personal, same

ReportStatus = Literal["received", "seen", "helping", "closed"]
Receipt = Annotated[str, Field(pattern=r"^[0-9A-Z]{3}-[0-9A-Z]{3}$")]
Words = Annotated[str, Field(max_length=4000), personal(Personal.TEXT)]
Degrees = Annotated[float | None, personal(Personal.POSITION)]
MediaIds = Annotated[list[str], Field(max_length=20)]


class Report(Protocol):
    """One report, ``report.RECEIPT``: received → seen → helping → closed."""

    @action("รับเรื่อง", "Take the report", right="report.control", idempotent=True)
    async def take(self) -> None:
        """Become its owner; the reporter reads that it was seen."""

    @action("ตอบผู้แจ้ง", "Answer the reporter", right="report.control")
    async def answer(self, text: Annotated[str, Field(min_length=1, max_length=2000)]) -> None:
        """Send words back through the door by which it came."""

    @action("เปิดเหตุจากเรื่องนี้", "Open an incident", right="report.control", idempotent=True)
    async def open_incident(self, kind: str = "report", priority: Priority = Priority.HIGH) -> str:
        """Open an incident of it, once; the incident's entity id."""

    @action("รวมกับเรื่องอื่น", "Merge into another", right="report.control", idempotent=True)
    async def merge(self, into: str, reason: Annotated[str, Field(min_length=1, max_length=300)]) -> None:
        """The same matter as the report ``into``; both keep their reporters."""

    @action("แยกออก", "Un-merge", right="report.control", idempotent=True)
    async def unmerge(self, reason: Annotated[str, Field(min_length=1, max_length=300)]) -> None:
        """It was not the same matter."""

    @action("ปิดเรื่อง", "Close the report", right="report.control", idempotent=True)
    async def close(self, result: Annotated[str, Field(min_length=1, max_length=300)]) -> None:
        """Done; the reporter reads that it is closed."""


@event_type("report_received", "ได้รับแจ้ง", "Report received", lane=Lane.EMERGENCY, retention="messages")
class ReportReceived(EventData):
    """Somebody reports something. Emitted by a door without an entity, once a ``receipt``.

    ``channel``: qr, line, ilertu, phone, sos, form. ``door``: the instance that tells the reporter. ``reference``: the
    door's own id of it. ``place_entity``: the sticker, camera or unit it is about.
    """

    receipt: Receipt
    door: str
    channel: Annotated[str, Field(max_length=20)]
    text: Words = ""
    reporter: Annotated[str, Field(max_length=300), personal(Personal.PHONE)] = ""
    lat: Degrees = None
    lon: Degrees = None
    place: Annotated[str, Field(max_length=300)] = ""
    place_entity: str | None = None
    media: MediaIds = []
    reference: Annotated[str, Field(max_length=200)] = ""
    priority: Priority = Priority.NORMAL
    simulated: bool = False
    received_at: float


@event_type("report_added", "ข้อมูลเพิ่มเติม", "Report added to", retention="messages")
class ReportAdded(EventData):
    """The reporter says more about the same matter. Emitted by the door without an entity."""

    receipt: Receipt
    text: Words = ""
    lat: Degrees = None
    lon: Degrees = None
    media: MediaIds = []


@event_type(
    "report_filed", "เปิดเรื่อง", "Report filed", lane=Lane.EMERGENCY, retention="messages",
    projection=Projection(
        state="received",
        attributes=same(
            "receipt", "door", "channel", "text", "reporter", "lat", "lon", "place", "place_entity", "media",
            "priority", "simulated", "received_at",
        ),
    ),
)  # fmt: skip
class ReportFiled(ReportReceived):
    """The inbox has it; entity ``report.RECEIPT``."""


@event_type(
    "report_conversation", "ข้อความในเรื่อง", "Report's conversation", retention="messages",
    projection=Projection(attributes=same("messages", "media")),
)  # fmt: skip
class ReportConversation(EventData):
    """The last messages both ways, newest last: {at, by, text, media}; ``by`` is ``reporter`` or an officer."""

    messages: Annotated[list[dict[str, object]], Field(max_length=100), personal(Personal.TEXT)]
    media: Annotated[list[str], Field(max_length=100)]


@event_type("report_answered", "ตอบผู้แจ้งแล้ว", "Report answered", retention="messages")
class ReportAnswered(EventData):
    """Words for the reporter; ``door`` sends them."""

    receipt: Receipt
    door: str
    text: Words
    by: str


@event_type(
    "report_status_changed", "สถานะเรื่องเปลี่ยน", "Report's status changed", retention="messages",
    projection=Projection(
        state_from="status", attributes={"owner_officer": "by", "result": "result", "incident": "incident"}
    ),
)  # fmt: skip
class ReportStatusChanged(EventData):
    """How far it is; ``door`` tells the reporter."""

    receipt: Receipt
    door: str
    status: ReportStatus
    by: str
    incident: str | None = None
    result: Annotated[str, Field(max_length=300), personal(Personal.TEXT)] = ""


@event_type(
    "report_merged", "รวมเรื่อง", "Report merged", retention="messages",
    projection=Projection(attributes={"merged_into": "into", "merge_reason": "reason"}),
)  # fmt: skip
class ReportMerged(EventData):
    """It is the same matter as ``into`` (a report's entity id), or no longer (``None``)."""

    into: str | None
    reason: Annotated[str, Field(max_length=300), personal(Personal.TEXT)]
    by: str


@event_type("reports_repeated", "แจ้งซ้ำจากที่เดียวกัน", "Reports repeated from one place", lane=Lane.EMERGENCY,
            retention="messages")  # fmt: skip
class ReportsRepeated(EventData):
    """Several reports came from one place within ``minutes``; ``receipts``: all of them, oldest first."""

    count: int
    minutes: float
    place: Annotated[str, Field(max_length=300)] = ""
    receipts: list[str]
    lat: Degrees = None
    lon: Degrees = None
