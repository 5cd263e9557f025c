"""What a station and its community keep together: meetings, promises, risk spots."""

from __future__ import annotations

from typing import Annotated, Literal, Protocol

from pydantic import Field

from hub.core.action import action

Reason = Annotated[str, Field(min_length=1, max_length=300)]
Remark = Annotated[str, Field(max_length=500)]
SpotStatus = Literal["open", "working", "fixed", "dropped"]
MAX_ENCODED_PICTURE = 720_000
EncodedPicture = Annotated[str, Field(max_length=MAX_ENCODED_PICTURE, json_schema_extra={
    "contentEncoding": "base64", "contentMediaType": "image/jpeg",
})]  # fmt: skip
"""A JPEG or PNG as base64 (RFC 4648), empty for none."""


class Meeting(Protocol):
    """A meeting that was held, ``meeting.ID``."""

    @action("เพิ่มบันทึกการประชุม", "Add to the minutes", right="document.write")
    async def add_minutes(self, text: Annotated[str, Field(min_length=1, max_length=4000)]) -> None:
        """Add to what was noted; nothing that was noted is changed."""


class Promise(Protocol):
    """What somebody promised, ``promise.ID``: open → overdue → kept or dropped."""

    @action("ทำตามคำมั่นแล้ว", "The promise was kept", right="document.write", idempotent=True)
    async def keep(self, note: Remark = "") -> None:
        """It was kept."""

    @action("เลื่อนกำหนดคำมั่น", "Move the day", right="document.write")
    async def move(self, due_at: Annotated[float, Field(ge=0)], reason: Reason) -> None:
        """Another day (seconds since 1970), and why."""

    @action("ยกเลิกคำมั่น", "Drop the promise", right="document.write", idempotent=True)
    async def drop(self, reason: Reason) -> None:
        """It will not be kept, and why."""


class RiskSpot(Protocol):
    """A place that frightens people, ``risk_spot.ID``: open → working → fixed or dropped."""

    @action("ปรับสถานะจุดเสี่ยง", "Change the risk spot", right="document.write")
    async def update(
        self, status: SpotStatus, note: Remark = "", picture_after: EncodedPicture = "",
        picture_before: EncodedPicture = "",
    ) -> None:  # fmt: skip
        """How far it is, with a picture of how it looks now."""
