"""The addresses: RSS, CAP and a page for the public, a poster for the staff."""

from __future__ import annotations

from hub.sdk import Context, NotFound, WebRequest, WebResponse

from .areas import Area
from .device import PUBLIC, Board
from .feed import Published, Sender, cap, page, rss
from .poster import poster


class Pages:
    """Serves them."""

    def __init__(self, ctx: Context, board: Board, sender: Sender) -> None:
        self._ctx, self._board, self._sender = ctx, board, sender

    async def feed(self, request: WebRequest) -> WebResponse:
        """``GET rss.xml``: the notices that hold."""
        open_ = [one for one in await self._all() if one.open]
        body = rss(open_, self._sender, self._ctx.clock.now())
        return WebResponse(200, body, "application/rss+xml; charset=utf-8", {"Cache-Control": "max-age=60"})

    async def cap(self, request: WebRequest) -> WebResponse:
        """``GET cap/ID.xml``: one notice, or its cancellation, in CAP 1.2."""
        one = await self._one(request.path.rpartition("/")[2].removesuffix(".xml"))
        return WebResponse(200, cap(one, self._sender, self._area(one)), "application/cap+xml; charset=utf-8")

    async def page(self, request: WebRequest) -> WebResponse:
        """``GET n/ID``: one notice for people."""
        one = await self._one(request.path.rpartition("/")[2])
        return WebResponse(200, page(one, self._sender, self._area(one)), "text/html; charset=utf-8")

    async def poster(self, request: WebRequest) -> WebResponse:
        """``GET poster/ID.pdf``, for staff; ``latest`` is the newest that holds."""
        name = request.path.rpartition("/")[2].removesuffix(".pdf")
        if name == "latest":
            held = [one for one in await self._all() if one.open]
            if not held:
                return WebResponse(404, "ไม่มีประกาศที่เผยแพร่อยู่ / no notice is published now".encode())
            one = max(held, key=lambda one: float(one.facts["published_at"]))
        else:
            one = await self._one(name)
        made = await self._ctx.pdf(poster(one, self._sender, self._area(one)))
        name = f'attachment; filename="notice-{one.id}.pdf"'
        return WebResponse(200, made, "application/pdf", {"Content-Disposition": name})

    async def _all(self) -> list[Published]:
        return [
            Published(one.entity.partition(".")[2], one.state, one.attributes)
            for one in await self._board.mine() if one.state in PUBLIC and one.attributes.get("published_at")
        ]  # fmt: skip

    async def _one(self, name: str) -> Published:
        found = next((one for one in await self._all() if one.id == name), None)
        if found is None:
            raise NotFound("ไม่มีประกาศนี้ / there is no such notice", where="notice")
        return found

    def _area(self, one: Published) -> Area:
        areas = self._board.areas
        return areas.get(str(one.facts.get("place"))) or next(iter(areas.values()))
