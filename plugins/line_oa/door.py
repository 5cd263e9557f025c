"""The reporter's side: what citizens write becomes a report of the inbox, and they read what became of it.

What is owed to a person (a receipt, a picture to fetch) is a row first, so that a restart forgets nothing.
"""

from __future__ import annotations

import asyncio
from typing import Any

from hub.capabilities import ReportAdded, ReportReceived
from hub.sdk import Context, Event, Unavailable, receipt_of

from .channel import Channel, retry_key
from .device import LineClient, LineError, Malformed, NoAnswer, QuotaSpent, TooMany, WebhookEvent, text_message

SAME_MATTER_S = 12 * 3600.0  # who writes again within half a day means the same matter
MAX_OPEN = 5_000
MAX_TRIES = 20
WORDS = {
    "image": "[ภาพ]", "video": "[วิดีโอ]", "audio": "[เสียง]", "file": "[ไฟล์]", "sticker": "[สติกเกอร์]",
}  # fmt: skip
FETCHED = ("image", "video", "audio", "file")
STATUS = {
    "helping": "เจ้าหน้าที่กำลังเดินทางไปช่วยเหลือ / Officers are on their way",
    "closed": "ปิดเรื่องแล้ว ขอบคุณที่แจ้ง / This report is closed. Thank you",
}  # fmt: skip
THANKS = (
    "ได้รับแจ้งแล้ว เลขรับเรื่อง {receipt}\nเหตุด่วนโทร 191\n"
    "We have your report, receipt {receipt}. In an emergency call 191"
)


def words_of(event: WebhookEvent) -> str:
    """The message as text."""
    message = event.message
    if message is None:
        return ""
    place = " ".join(word for word in (message.title, message.address) if word)
    return message.text or place or WORDS.get(message.kind, "")


class Door:
    """The reports of one channel."""

    def __init__(self, ctx: Context, client: LineClient, channel: Channel, simulated: bool) -> None:
        self._ctx, self._client, self._channel, self._simulated = ctx, client, channel, simulated
        self._rows, self._owed = ctx.records("reporters"), ctx.records("owed")
        self._open: dict[str, dict[str, Any]] = {}  # receipt → {"user", "at"}
        self._duties: dict[str, dict[str, Any]] = {}
        self._working = asyncio.Lock()

    async def take_up(self) -> None:
        """Go on where it was; hear what the inbox answers."""
        self._open, self._duties = await self._rows.all(), await self._owed.all()
        mine = {"door": self._ctx.instance}
        await self._ctx.on("report_answered", self._answered, match=mine, durable=True)
        await self._ctx.on("report_status_changed", self._status, match=mine, durable=True)

    async def said(self, event: WebhookEvent) -> None:
        """A person wrote: a new report with a receipt, or more of an open one."""
        message = event.message
        if message is None:
            return
        user, text = event.source.user_id, words_of(event)[:4000]
        known = self._matter_of(user, event.at)
        receipt = known or receipt_of(event.id)  # the same when LINE delivers it again
        if known is not None:
            more = ReportAdded(receipt=receipt, text=text, lat=message.lat, lon=message.lon)
            await self._ctx.emit(more, at=event.at)
            await self._keep(receipt, user, event.at)
        else:
            report = ReportReceived(
                receipt=receipt, door=self._ctx.instance, channel="line", text=text, reporter=user, lat=message.lat,
                lon=message.lon, reference=event.id, simulated=self._simulated, received_at=self._ctx.clock.now(),
            )  # fmt: skip
            await self._ctx.emit(report, at=event.at)
            await self._keep(receipt, user, event.at)
            thanks = THANKS.format(receipt=receipt)
            await self._owe(f"say:{event.id}", {"to": user, "text": thanks, "reply": event.reply_token})
        if message.kind in FETCHED:
            await self._owe(f"get:{event.id}", {"message": message.id, "receipt": receipt, "at": event.at})

    def _matter_of(self, user: str, at: float) -> str | None:
        open_ = [(row["at"], receipt) for receipt, row in self._open.items() if row["user"] == user]
        newest = max(open_, default=None)
        return newest[1] if newest is not None and at - newest[0] <= SAME_MATTER_S else None

    async def _keep(self, receipt: str, user: str, at: float) -> None:
        self._open[receipt] = {"user": user, "at": at}
        await self._rows.put(receipt, self._open[receipt])
        while len(self._open) > MAX_OPEN:
            await self._forget(min(self._open, key=lambda one: float(self._open[one]["at"])))

    async def _forget(self, receipt: str) -> None:
        if self._open.pop(receipt, None) is not None:
            await self._rows.delete(receipt)

    # --- what the inbox says

    async def _answered(self, event: Event) -> None:
        await self._tell(event, f"{event.data['text']}\n(เลขรับเรื่อง {event.data['receipt']})")

    async def _status(self, event: Event) -> None:
        status = str(event.data["status"])
        if (words := STATUS.get(status)) is not None:  # pushes cost: that it was seen is not worth one
            result = f"\n{event.data['result']}" if event.data.get("result") else ""
            await self._tell(event, f"{words}{result}\n(เลขรับเรื่อง {event.data['receipt']})")
        if status == "closed":
            await self._forget(str(event.data["receipt"]))

    async def _tell(self, event: Event, text: str) -> None:
        row = self._open.get(str(event.data["receipt"]))
        if row is None:
            return  # a report from before, whose person is no longer known
        await self._owe(f"say:{event.id}", {"to": row["user"], "text": text, "reply": ""})

    # --- what is owed

    async def _owe(self, key: str, duty: dict[str, Any]) -> None:
        self._duties[key] = {**duty, "tries": 0, "after": 0.0}
        await self._owed.put(key, self._duties[key])

    async def work(self) -> None:
        """Do what is owed and due; what fails is tried again, ever more seldom."""
        async with self._working:
            for key, duty in list(self._duties.items()):
                if float(duty["after"]) <= self._ctx.clock.now():
                    await self._try(key, duty)

    async def _try(self, key: str, duty: dict[str, Any]) -> None:
        try:
            await (self._fetch(duty) if key.startswith("get:") else self._say(key, duty))
        except (NoAnswer, TooMany, QuotaSpent, Unavailable) as later:
            duty["tries"] += 1
            if duty["tries"] < MAX_TRIES:
                duty["after"] = self._ctx.clock.now() + min(600.0, 2.0 ** duty["tries"])
                await self._owed.put(key, duty)
                return
            self._ctx.log.warning("given up after %d tries: %s", MAX_TRIES, later)
        except LineError as refused:  # the same again is refused again
            self._ctx.log.warning("LINE refuses what is owed to a reporter: %s", refused.message)
        del self._duties[key]
        await self._owed.delete(key)

    async def _say(self, key: str, duty: dict[str, Any]) -> None:
        if duty["reply"] and not duty["tries"]:  # a reply costs nothing, and works once within a minute
            try:
                await self._client.reply(duty["reply"], [text_message(duty["text"])])
                return
            except Malformed:
                duty["reply"] = ""
        await self._channel.tell(duty["to"], duty["text"], retry_key(f"{self._ctx.instance}:{key}"))

    async def _fetch(self, duty: dict[str, Any]) -> None:
        content, mime = await self._client.content(duty["message"])
        media = await self._ctx.media.put(content, mime, "messages")
        await self._ctx.emit(ReportAdded(receipt=duty["receipt"], media=[media]))
