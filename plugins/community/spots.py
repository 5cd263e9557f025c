"""Risk spots: places that frighten people, with a picture before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from hub.capabilities.community import EncodedPicture, Remark
from hub.sdk import Context, EntityState, current_call

from .book import Book, emit, picture
from .device import Title

MAX_SPOTS = 300
Kind = Literal["dark", "overgrown", "abandoned", "blind_corner", "traffic", "gathering", "other"]


class Spots:
    """All risk spots."""

    def __init__(self, ctx: Context, simulated: bool) -> None:
        self.ctx, done = ctx, ("fixed", "dropped")
        self.book = Book(ctx, "risk_spot", MAX_SPOTS, done, simulated, lambda entity: OneSpot(self, entity))

    async def report_spot(
        self, title: Title, kind: Kind, lat: Annotated[float, Field(ge=-90, le=90)],
        lon: Annotated[float, Field(ge=-180, le=180)], note: Remark = "", picture_before: EncodedPicture = "",
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

    async def update(
        self, risk_spot: str, status: str, note: str, picture_after: str, picture_before: str
    ) -> None:
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


@dataclass(frozen=True, slots=True)
class OneSpot:
    """Serves the actions of one risk spot."""

    keeper: Spots
    entity: str

    async def update(self, status: str, note: str = "", picture_after: str = "", picture_before: str = "") -> None:
        await self.keeper.update(self.entity, status, note, picture_after, picture_before)
