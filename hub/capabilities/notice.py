"""Notices: what the station tells the public, drafted by one person and approved by another."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

from pydantic import Field

from hub.core.action import action
from hub.core.event import EventData, Projection, event_type, same

Severity = Literal["extreme", "severe", "moderate", "minor"]
"""As in CAP 1.2, section 3.2.2."""


class Notice(Protocol):
    """One notice, ``notice.ID``: draft → published → withdrawn or expired; or draft → rejected."""

    @action("อนุมัติและเผยแพร่", "Approve and publish the notice", right="notice.approve", idempotent=True, timeout=60)
    async def approve(self) -> None:
        """Publish it. ``Conflict`` for the person who drafted it, and after its end."""

    @action("ไม่อนุมัติประกาศ", "Reject the notice", right="notice.approve", idempotent=True)
    async def reject(self, reason: Annotated[str, Field(min_length=1, max_length=300)]) -> None:
        """Not to be published."""

    @action("ถอนประกาศ", "Withdraw the notice", right="notify.control", idempotent=True, timeout=60)
    async def withdraw(self, reason: Annotated[str, Field(min_length=1, max_length=300)]) -> None:
        """It no longer holds: it leaves the feed, and whoever got it is told."""


@event_type(
    "notice_drafted", "ร่างประกาศ", "Notice drafted", retention="actions",
    projection=Projection(state="draft", attributes={"place": "area"} | same(
        "title_th", "title_en", "text_th", "text_en", "severity", "until", "drafted_by", "drafted_at", "quota_left",
        "line_recipients", "simulated",
    )),
)  # fmt: skip
class NoticeDrafted(EventData):
    """The words of a notice, for a second person to read. ``until``: seconds since 1970 when it ends by itself.
    ``quota_left``: how many messages LINE still takes this month, when known."""

    title_th: Annotated[str, Field(max_length=160)]
    title_en: Annotated[str, Field(max_length=160)]
    text_th: Annotated[str, Field(max_length=2000)]
    text_en: Annotated[str, Field(max_length=2000)]
    severity: Severity
    area: str
    until: float
    drafted_by: str
    drafted_at: float
    line_recipients: int = 0
    quota_left: int | None = None
    simulated: bool = False


@event_type(
    "notice_approved", "อนุมัติประกาศ", "Notice approved", retention="actions",
    projection=Projection(state="published", attributes={"approved_by": "by", "published_at": "at"}),
)  # fmt: skip
class NoticeApproved(EventData):
    """A second person approved it: it is public from now on."""

    by: str
    at: float


@event_type(
    "notice_rejected", "ไม่อนุมัติประกาศ", "Notice rejected", retention="actions",
    projection=Projection(state="rejected", attributes={"rejected_by": "by", "reason": "reason"}),
)  # fmt: skip
class NoticeRejected(EventData):
    """A second person did not approve it."""

    by: str
    reason: Annotated[str, Field(max_length=300)]


@event_type(
    "notice_delivered", "ผลการส่งประกาศ", "Notice delivered", retention="actions",
    projection=Projection(attributes={
        "line_reached": "reached", "line_recipients": "recipients", "line_detail": "detail",
        "line_purpose": "purpose", "quota_left": "quota_left",
    }),
)  # fmt: skip
class NoticeDelivered(EventData):
    """A channel that sends to people took it, or did not and why. ``purpose``: published or withdrawn."""

    channel: str
    purpose: Literal["published", "withdrawn"]
    reached: int
    recipients: int
    detail: Annotated[str, Field(max_length=500)] = ""
    quota_left: int | None = None


@event_type(
    "notice_withdrawn", "ถอนประกาศ", "Notice withdrawn", retention="actions",
    projection=Projection(state="withdrawn", attributes={
        "withdrawn_by": "by", "withdrawn_at": "at", "reason": "reason",
    }),
)  # fmt: skip
class NoticeWithdrawn(EventData):
    """It does not hold any more."""

    by: str
    at: float
    reason: Annotated[str, Field(max_length=300)]


@event_type(
    "notice_expired", "ประกาศสิ้นสุด", "Notice expired", retention="actions", projection=Projection(state="expired")
)
class NoticeExpired(EventData):
    """Its time is over."""
