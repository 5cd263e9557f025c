"""One hook: who may send to it, and its requests as events, each once."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any

from hub.sdk import Context, Entity, Query, WebRequest

from .board import Board
from .device import WINDOW_S, Bad, is_local, read_body, same, signed_at
from .limit import Limit
from .settings import HookSettings

PAGE = 1_000
KEPT_S = 2 * WINDOW_S  # a signature from the far end of the window is good for so long after it was first heard


class Hook:
    """One address. ``board``: what its line on the page says."""

    def __init__(self, ctx: Context, config: HookSettings) -> None:
        self._ctx, self._config = ctx, config
        self._secret = config.secret.get_secret_value().encode()
        self._entity = f"webhook.{config.id}"
        self.board = Board(ctx, self._entity)
        self._limit = Limit(ctx.clock, config.per_minute)
        self._heard: OrderedDict[str, float] = OrderedDict()  # delivery → when, the oldest first
        self._taking = asyncio.Lock()

    async def open(self) -> None:
        """Bring it in; know the signed requests that came before a restart."""
        config = self._config
        shown = {"methods": list(config.methods), "signed": config.sign, "local_only": config.local_only}
        await self._ctx.add(Entity(self._entity, config.name.text(), simulated=config.simulated, attributes=shown))
        await self.board.take_up()
        query = Query("webhook_received", self._entity, since=self._ctx.clock.now() - KEPT_S, limit=PAGE)
        while config.sign and (page := await self._ctx.history(query)):
            self._heard.update((event.data["delivery"], event.received) for event in page)
            query = Query(query.type, query.entity, since=query.since, after=page[-1].seq, limit=PAGE)

    def admits(self, request: WebRequest, given: str) -> str:
        """Why this request is not for this hook; "" when it is. The sender hears the reason of none of them."""
        config, header = self._config, request.headers.get("x-signature", "")
        # Both are made always: the time tells a stranger neither whether there is a hook nor of which kind.
        signed, named = signed_at(self._secret, header, request.body) is not None, same(self._secret, given)
        if config.sign and (given or not signed):
            if given:
                return "something stands in the address after the id; the address of a signed hook ends there"
            return "the signature does not fit; look at secret" if header else "X-Signature is missing"
        if not config.sign and not named:
            return "the last part of the address is not the secret"
        if request.method not in config.methods:
            return f"{request.method} is not one of methods"
        if config.local_only and not is_local(request.remote):
            return "it came from outside, and local_only is set"
        return ""

    async def take(self, request: WebRequest) -> bool:
        """Make it an event that is durable; ``False`` when it was one already. ``Bad`` when it cannot be taken."""
        if not self._limit.take(request.remote):
            raise Bad(429, "limit", f"more than {self._config.per_minute} a minute, or others took too many; slower")
        fields = self._fields(request)
        if not self._config.sign:
            await self._emit(fields)
            return True
        async with self._taking:  # the same request twice at the same time is one
            self._forget()
            if fields["delivery"] in self._heard:
                return False
            await self._emit(fields)
            self._heard[fields["delivery"]] = self._ctx.clock.now()
        return True

    def _fields(self, request: WebRequest) -> dict[str, Any]:
        content_type = request.headers.get("content-type", "")
        body = read_body(content_type, request.body)
        return {
            "webhook_id": self._config.id, "method": request.method, "local": is_local(request.remote),
            "content_type": content_type[:100], "json": body.json, "data": body.form, "query": dict(request.query),
            "delivery": self._delivery(request),
        }  # fmt: skip

    def _delivery(self, request: WebRequest) -> str:
        if not self._config.sign:
            return ""
        header = request.headers["x-signature"]
        away = self._ctx.clock.now() - (signed_at(self._secret, header, request.body) or 0)
        if abs(away) > WINDOW_S:
            raise Bad(401, "unauthenticated", f"signed {abs(away):.0f} s away from this clock; look at both clocks")
        if request.query:
            raise Bad(400, "invalid_input", "the signature does not cover what stands behind the ?: put it in the body")
        return header.rpartition("v1=")[2]

    async def _emit(self, fields: dict[str, Any]) -> None:
        await self._ctx.emit_named("webhook_received", fields, entity=self._entity)
        self.board.received()

    def _forget(self) -> None:
        now = self._ctx.clock.now()
        while self._heard and now - next(iter(self._heard.values())) > KEPT_S:
            self._heard.popitem(last=False)
