"""What comes in: LINE's webhook. Each event becomes a fact once, however often LINE delivers it: what a person writes
to the account a report, what is written in a group a message."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict

from hub.capabilities import MessageReceived
from hub.sdk import Context, WebRequest, WebResponse

from .device import BadWebhook, WebhookEvent, parse_webhook, verify_signature
from .door import Door, words_of
from .status import Status

MAX_KNOWN = 5_000
"""Ids of delivered events that are remembered; LINE delivers again within minutes."""


class Inbox:
    """The webhook of one channel."""

    def __init__(
        self, ctx: Context, entity: str, status: Status, door: Door, secret: str, max_known: int = MAX_KNOWN
    ) -> None:
        self._ctx, self._entity, self._status, self._door = ctx, entity, status, door
        self._secret, self._max_known = secret, max_known
        self._records = ctx.records("webhook_events")
        self._known: OrderedDict[str, float] = OrderedDict()
        self._one_by_one = asyncio.Lock()

    async def take_up(self) -> None:
        """Remember what was delivered before a restart."""
        rows = await self._records.all()
        known = sorted((float(row["at"]), key) for key, row in rows.items())
        self._known = OrderedDict((key, at) for at, key in known)

    async def webhook(self, request: WebRequest) -> WebResponse:
        """200 when every event is durable; 401 without LINE's signature; 400 for what LINE does not send."""
        if not verify_signature(request.body, request.headers.get("x-line-signature", ""), self._secret):
            self._ctx.log.warning("a webhook from %s without LINE's signature was refused", request.remote)
            return _answer(401, "the signature does not fit; look at channel_secret")
        try:
            events = parse_webhook(request.body)
        except BadWebhook as wrong:
            return _answer(400, str(wrong))
        async with self._one_by_one:  # the same event in two deliveries at once is still one
            for event in events:
                await self._take(event)
        return WebResponse(200, b"{}", "application/json")

    async def _take(self, event: WebhookEvent) -> None:
        """The fact first, then the mark: a crash between them may bring a fact twice, and never loses one."""
        if event.id in self._known:
            return
        await self._ctx.alive()
        if event.kind == "message" and event.source.kind == "user":
            await self._door.said(event)
        elif (data := received(event)) is not None:
            await self._ctx.emit(data, entity=self._entity, at=event.at)
        if group := event.source.group_id or event.source.room_id:
            await self._status.show(last_group=group)  # nowhere else is the id found that line.push needs
        now = self._ctx.clock.now()
        await self._records.put(event.id, {"at": now})
        self._known[event.id] = now
        while len(self._known) > self._max_known:
            oldest, _ = self._known.popitem(last=False)
            await self._records.delete(oldest)


def received(event: WebhookEvent) -> MessageReceived | None:
    """The fact of a message; ``None`` for what is none (a follow, a join, something unsent)."""
    message = event.message
    if event.kind != "message" or message is None:
        return None
    return MessageReceived(
        channel="line", sender=event.source.user_id or event.source.reply_to, text=words_of(event)[:5000],
        message_id=message.id or event.id, lat=message.lat, lon=message.lon,
    )  # fmt: skip


def _answer(status: int, message: str) -> WebResponse:
    return WebResponse(status, json.dumps({"error": message}).encode(), "application/json")
