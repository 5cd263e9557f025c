"""The reporter's side: what citizens write becomes a report of the inbox, and they read what became of it.

What is owed to a person (a receipt, a picture to fetch) is a row first, so that a restart forgets nothing.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from typing import Any

from hub.capabilities import ReportAdded, ReportReceived
from hub.sdk import Context, Event, HubError, InvalidInput, receipt_of

from .channel import Channel, retry_key
from .device import LineClient, Malformed, NotAllowed, WebhookEvent, text_message

SAME_MATTER_S = 12 * 3600.0  # who writes again within half a day means the same matter
MAX_OPEN = 5_000
MAX_OWED = 5_000
MAX_TRIES = 20
LONGEST_WAIT_S = 600.0
_MIME = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,60}")
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
        self._refusals: dict[str, int] = {}  # say or get → how often in a row LINE did not allow it
        self._paused: dict[str, float] = {}  # say or get → until when it is not tried
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
        receipt = known or self._drawn(event.id)
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
            await self._owe(f"say:{event.id}", {
                "to": user, "text": thanks, "reply": event.reply_token, "receipt": receipt,
            })  # fmt: skip
        if message.kind in FETCHED:
            await self._owe(f"get:{event.id}", {"message": message.id, "receipt": receipt, "at": event.at})

    def _drawn(self, id: str) -> str:
        """The same when LINE delivers it again; another one when it is another person's."""
        receipt, turn = receipt_of(id), 0
        while receipt in self._open:
            turn += 1
            receipt = receipt_of(f"{id}#{turn}")
        return receipt

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
        receipt = str(event.data["receipt"])
        if (row := self._open.get(receipt)) is None:
            return  # a report from before, whose person is no longer known
        await self._owe(f"say:{event.id}", {"to": row["user"], "text": text, "reply": "", "receipt": receipt})

    # --- what is owed

    async def _owe(self, key: str, duty: dict[str, Any]) -> None:
        self._duties[key] = {**duty, "tries": 0, "after": 0.0}
        await self._owed.put(key, self._duties[key])
        while len(self._duties) > MAX_OWED:
            oldest = next(iter(self._duties))
            await self._give_up(oldest, self._duties[oldest], f"more than {MAX_OWED} wait for LINE")

    async def work(self) -> None:
        """Do what is owed and due; what fails is tried again, ever more seldom, and holds up nothing behind it."""
        async with self._working:
            for key, duty in list(self._duties.items()):
                now = self._ctx.clock.now()
                if float(duty["after"]) <= now and self._paused.get(key[:3], 0.0) <= now:
                    await self._try(key, duty)

    async def _try(self, key: str, duty: dict[str, Any]) -> None:
        try:
            await (self._fetch(duty) if key.startswith("get:") else self._say(key, duty))
        except NotAllowed as refused:
            await self._not_allowed(key, duty, refused)
        except (Malformed, InvalidInput) as wrong:  # the same again is refused again
            await self._give_up(key, duty, wrong.message)
        except Exception as later:
            await self._later(key, duty, later)
        else:
            self._refusals.pop(key[:3], None)
            await self._done(key)

    async def _done(self, key: str) -> None:
        if self._duties.pop(key, None) is not None:
            await self._owed.delete(key)

    async def _not_allowed(self, key: str, duty: dict[str, Any], refused: NotAllowed) -> None:
        """The token has expired, say: all of that kind waits until somebody has mended it, and nothing is lost."""
        kind = key[:3]
        turn = self._refusals[kind] = self._refusals.get(kind, 0) + 1
        self._paused[kind] = self._ctx.clock.now() + min(LONGEST_WAIT_S, 2.0 ** min(turn, 10))
        self._duties[key] = self._duties.pop(key, duty)  # next time another one is asked for first
        with suppress(HubError):  # it is shown with the next refusal
            await self._channel.failed(refused)

    async def _later(self, key: str, duty: dict[str, Any], why: Exception) -> None:
        duty["tries"] += 1
        if duty["tries"] >= MAX_TRIES:
            await self._give_up(key, duty, f"not done in {MAX_TRIES} tries: {why}")
            return
        duty["after"] = self._ctx.clock.now() + min(LONGEST_WAIT_S, 2.0 ** duty["tries"])
        self._ctx.log.info("what is owed to a reporter is tried again: %s", why)
        with suppress(HubError):  # only the count of the tries
            await self._owed.put(key, duty)

    async def _give_up(self, key: str, duty: dict[str, Any], reason: str) -> None:
        """Told first: when it cannot be told, it is still owed."""
        what = "picture" if key.startswith("get:") else "message"
        try:
            await self._channel.given_up(str(duty.get("receipt", "")), what, reason)
        except HubError as busy:
            duty["after"] = self._ctx.clock.now() + LONGEST_WAIT_S
            self._ctx.log.warning("it could not be told that a %s is given up: %s", what, busy)
            return
        await self._done(key)

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
        mime = mime if _MIME.fullmatch(mime) else "application/octet-stream"
        media = await self._ctx.media.put(content, mime, "messages")
        await self._ctx.emit(ReportAdded(receipt=duty["receipt"], media=[media]))
