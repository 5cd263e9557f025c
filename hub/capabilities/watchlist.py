"""Watch-lists: a hit is a lead that a person confirms."""

from __future__ import annotations

from typing import Annotated, Protocol

from pydantic import Field

from hub.core.action import action
from hub.core.event import EventData, Lane, Personal, Projection, event_type, personal, same


class Hit(Protocol):
    """One hit, ``hit.ID``: an officer looks at the crop and decides."""

    @action("ยืนยันว่าใช่", "Confirm the hit", right="watchlist.review", idempotent=True)
    async def confirm(self, note: str = "") -> None:
        """It is that plate."""

    @action("ปฏิเสธ", "Reject the hit", right="watchlist.review", idempotent=True)
    async def reject(self, note: str = "") -> None:
        """It is another plate."""

    @action("แก้ไขการอ่าน", "Correct the reading", right="watchlist.review", idempotent=True)
    async def correct(self, plate: str, note: str = "") -> None:
        """It is this plate instead."""


@event_type(
    "watchlist_hit", "พบป้ายในบัญชีเฝ้าระวัง", "Watch-list hit", lane=Lane.EMERGENCY, retention="incidents",
    projection=Projection(
        state="pending",
        attributes=same(
            "entry", "plate", "province", "read_plate", "match", "confidence", "camera", "crop", "reason",
            "priority", "lat", "lon", "read_seq", "simulated", "probability", "differs", "alternatives"
        ),
    ),
)  # fmt: skip
class WatchlistHit(EventData):
    """A plate read matches an entry; entity ``hit.ID``. A lead, not a finding. ``match``: exact, near (some letters are
    easily taken for others) or partial (a witness's entry). ``probability``: that the plate shows the entry, given the
    reading. ``differs``: letters as listed and as read, such as ``ญ↔ณ``; ``alternatives``: other readings."""

    entry: str
    plate: Annotated[str, personal(Personal.PLATE)]
    read_plate: Annotated[str, personal(Personal.PLATE)]
    province: Annotated[str, personal(Personal.PLATE)] = ""
    match: str
    confidence: float
    camera: str
    crop: str | None = None
    reason: str = ""
    priority: str = "high"
    lat: float | None = None
    lon: float | None = None
    read_seq: int | None = None
    simulated: bool = False
    probability: float | None = None
    differs: Annotated[list[str], Field(max_length=16), personal(Personal.PLATE)] = []
    alternatives: Annotated[list[str], Field(max_length=16), personal(Personal.PLATE)] = []


@event_type(
    "watchlist_reviewed", "ตรวจสอบป้ายแล้ว", "Watch-list hit reviewed", retention="incidents",
    projection=Projection(state_from="verdict", attributes={"reviewed_by": "by", "note": "note"}),
)  # fmt: skip
class WatchlistReviewed(EventData):
    """An officer's verdict on a hit: confirmed, rejected or corrected."""

    verdict: str
    by: str
    note: Annotated[str, personal(Personal.TEXT)] = ""
    correct_plate: Annotated[str, personal(Personal.PLATE)] = ""
