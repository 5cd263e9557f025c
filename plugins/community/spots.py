"""Risk spots: places that frighten people, with a picture before and after."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from hub.sdk import Context, EntityState, current_call

from .book import Book, emit, picture
from .device import Id, Title

MAX_SPOTS = 300
MAX_ENCODED = 720_000
Kind = Literal["dark", "overgrown", "abandoned", "blind_corner", "traffic", "gathering", "other"]
Status = Literal["open", "working", "fixed", "dropped"]
Note = Annotated[str, Field(max_length=500)]
Picture = Annotated[str, Field(max_length=MAX_ENCODED, json_schema_extra={
    "contentEncoding": "base64", "contentMediaType": "image/jpeg",
    "words": {"th": "ภาพ (ไม่เกิน 512 KiB)", "en": "Picture (at most 512 KiB)"},
})]  # fmt: skip


class Spots:
    """All risk spots."""

    def __init__(self, ctx: Context, simulated: bool) -> None:
        self.ctx, self.book = ctx, Book(ctx, "risk_spot", MAX_SPOTS, ("fixed", "dropped"), simulated)

    async def report_spot(
        self, title: Title, kind: Kind, lat: Annotated[float, Field(ge=-90, le=90)],
        lon: Annotated[float, Field(ge=-180, le=180)], note: Note = "", picture_before: Picture = "",
    ) -> str:  # fmt: skip
        """Note a risk spot; its entity id."""
        taken = picture(picture_before) if picture_before else None
        entity, new = await self.book.begin(title, (lat, lon))
        if new:
            media = None if taken is None else await self.ctx.media.put(*taken, "incidents", entity)
            now = self.ctx.clock.now()
            fields = {
                "title": title, "kind": kind, "lat": lat, "lon": lon, "by": current_call().actor, "made_at": now,
                "simulated": self.book.simulated,
            }  # fmt: skip
            await emit(self.ctx, "risk_spot_reported", entity, fields)
            await self._change(entity, status="open", note=note, before=media, after=None)
        return entity

    async def update_spot(
        self, risk_spot: Id, status: Status, note: Note = "", picture_after: Picture = "", picture_before: Picture = "",
    ) -> None:  # fmt: skip
        """How far it is, with a picture of how it looks now."""
        known = await self.book.need(risk_spot)
        after = await self._kept(known, picture_after, "after")
        before = await self._kept(known, picture_before, "before")
        await self._change(known.entity, status=status, note=note, before=before, after=after)

    async def _kept(self, known: EntityState, encoded: str, which: str) -> str | None:
        if not encoded:
            held = known.attributes.get(which)
            return str(held) if held else None
        return await self.ctx.media.put(*picture(encoded), "incidents", known.entity)

    async def _change(self, entity: str, **fields: Any) -> None:
        shown = fields["after"] or fields["before"]
        more = {"crop": shown, "by": current_call().actor, "at": self.ctx.clock.now()}
        await emit(self.ctx, "risk_spot_changed", entity, fields | more)
