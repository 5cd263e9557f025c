"""The routes that phones' apps use: Traccar Client and OwnTracks, and the task for an app of the station's own."""

from __future__ import annotations

import json

from hub.sdk import Context, LimitExceeded, WebRequest, WebResponse

from .device import BadPosition, Post, parse_post, presented
from .keys import Keys
from .unit import Unit

REFUSED = WebResponse(401, b'{"error":"unknown device or wrong secret"}', "application/json")
OFF_DUTY = {"kept": False, "reason": "off duty: this position is not kept"}


class Door:
    """Serves them."""

    def __init__(self, ctx: Context, keys: Keys) -> None:
        self._ctx, self._keys = ctx, keys

    async def open(self) -> None:
        """Add the routes."""
        for method in ("GET", "POST"):  # the older Traccar Client puts everything into the query of either
            await self._ctx.route(method, "position", self.position)
        await self._ctx.route("GET", "task", self.task)
        await self._ctx.route("POST", "task/seen", self.seen)

    async def position(self, request: WebRequest) -> WebResponse:
        named, secret = presented(request.query, request.headers)
        try:
            post = parse_post(request.query, request.body, self._ctx.clock.now(), named)
        except BadPosition as wrong:
            return REFUSED if named and not self._keys.known(named, secret) else answer({"error": str(wrong)}, 400)
        unit = self._keys.known(post.fix.device_id if post.fix else named, secret)
        return REFUSED if unit is None else await self._take(unit, post)

    @staticmethod
    async def _take(unit: Unit, post: Post) -> WebResponse:
        """200 off duty too: an app that was refused would send the same point again when duty begins."""
        if post.fix is not None:
            try:
                kept = await unit.moved(post.fix)
            except LimitExceeded as busy:
                return answer({"error": busy.message}, 429)
            if not kept and post.form != "owntracks":  # whose app reads nothing but its own array
                return answer(OFF_DUTY)
        return WebResponse(200, post.answer, "application/json")

    async def task(self, request: WebRequest) -> WebResponse:
        unit = self._keys.known(*presented(request.query, request.headers))
        return REFUSED if unit is None else answer(await unit.task())

    async def seen(self, request: WebRequest) -> WebResponse:
        unit = self._keys.known(*presented(request.query, request.headers))
        if unit is None:
            return REFUSED
        await unit.task_seen()
        return answer({"ok": True})


def answer(data: object, status: int = 200) -> WebResponse:
    """JSON that no cache keeps."""
    body = json.dumps(data, ensure_ascii=False).encode()
    return WebResponse(status, body, "application/json", {"Cache-Control": "no-store"})
