"""Reports by form: each has a receipt and a secret; what the desk answers is read on its status page."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from hub.capabilities import ReportAdded, ReportReceived
from hub.sdk import Context, Event, HubError, InvalidInput

from .device import hashed, same_secret
from .settings import Settings
from .stickers import Sticker, Stickers

MAX_TEXT = 2_000
MAX_PHOTO = 10 << 20
MAX_REPORTS = 5_000
MAX_MESSAGES = 60
MAX_PHOTOS = 10  # of one report


@dataclass(frozen=True, slots=True)
class Said:
    """What a form holds. ``photo``: the bytes of a picture, none when it is empty."""

    text: str
    phone: str = ""
    photo: bytes = b""
    lat: float | None = None
    lon: float | None = None


def photo_mime(content: bytes) -> str:
    """The kind of a picture by its first bytes; ``InvalidInput`` for anything else and over 10 MiB."""
    if len(content) <= MAX_PHOTO:
        if content.startswith(b"\xff\xd8\xff"):
            return "image/jpeg"
        if content.startswith(b"\x89PNG\r\n\x1a\n"):
            return "image/png"
        if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
            return "image/webp"
    raise InvalidInput("a photo is JPEG, PNG or WebP of at most 10 MiB", where="photo")


class Reports:
    """All that are open or closed lately; rows by receipt."""

    def __init__(self, ctx: Context, config: Settings, stickers: Stickers) -> None:
        self._ctx, self._config, self._stickers = ctx, config, stickers
        self._rows = ctx.records("reports")
        self._reports: dict[str, dict[str, Any]] = {}

    async def take_up(self) -> None:
        """Go on; hear what the inbox answers."""
        self._reports = await self._rows.all()
        mine = {"door": self._ctx.instance}
        await self._ctx.on("report_answered", self._answered, match=mine, durable=True)
        await self._ctx.on("report_status_changed", self._status, match=mine, durable=True)

    def open(self, receipt: str, key: str) -> dict[str, Any] | None:
        """The report, for who has its secret."""
        row = self._reports.get(receipt)
        return row if row is not None and key and same_secret(key, row["key"]) else None

    async def file(self, sticker: Sticker, said: Said) -> tuple[str, str]:
        """A new report; receipt and secret. It is durable when this returns."""
        media = await self._keep_photo(said.photo, needed=False)
        receipt, key, now = self._ctx.ids.receipt(), secrets.token_urlsafe(12), self._ctx.clock.now()
        row = self._row(sticker.name.as_data(), key, now)
        row["messages"] = [_message(now, "me", said.text, bool(media))]
        row["photos"] = len(media)
        await self._write(receipt, row)
        given = said.lat is not None and said.lon is not None
        await self._report(receipt, ReportReceived(
            receipt=receipt, door=self._ctx.instance, channel="qr", text=said.text, reporter=said.phone, media=media,
            lat=said.lat if given else sticker.lat, lon=said.lon if given else sticker.lon, place=sticker.name.th,
            place_entity=sticker.entity, reference=sticker.id, simulated=self._config.simulated, received_at=now,
        ))  # fmt: skip
        await self._stickers.count(sticker)
        return receipt, key

    async def _report(self, receipt: str, report: ReportReceived) -> None:
        """Its page is there before the inbox can answer; and goes when the report could not be kept."""
        try:
            await self._ctx.emit(report)
        except HubError:
            await self._forget(receipt)
            raise

    async def adopt(self, receipt: str, key: str, place: dict[str, str]) -> None:
        """A call's report: its status page exists as well. ``key``: the call's secret."""
        now = self._ctx.clock.now()
        row = self._row(place, key, now)
        row["messages"] = [_message(now, "me", "", False) | {"called": True}]
        await self._write(receipt, row)

    async def add(self, receipt: str, said: Said) -> None:
        """More about the same matter."""
        row = self._reports[receipt]
        if row["photos"] >= MAX_PHOTOS and said.photo:
            raise InvalidInput(f"a report has at most {MAX_PHOTOS} photos", where="photo")
        media = await self._keep_photo(said.photo)
        row["photos"] += len(media)
        await self._say(receipt, "me", said.text, bool(media))
        await self._ctx.emit(ReportAdded(receipt=receipt, text=said.text, media=media))

    def _row(self, place: dict[str, str], key: str, now: float) -> dict[str, Any]:
        return {
            "key": hashed(key), "at": now, "place": place, "status": "received", "result": "", "messages": [],
            "photos": 0, "version": 1,
        }  # fmt: skip

    async def _keep_photo(self, photo: bytes, needed: bool = True) -> list[str]:
        """Its media id. When it is not ``needed``, the words are not lost for a picture that cannot be kept."""
        try:
            return [await self._ctx.media.put(photo, photo_mime(photo), "messages")] if photo else []
        except HubError as fault:
            if needed:
                raise
            self._ctx.log.warning("a report's photo was not kept: %s", fault.message)
            return []

    async def _say(self, receipt: str, by: str, text: str, photo: bool, id: str = "") -> None:
        row = self._reports[receipt]
        if id and any(one.get("id") == id for one in row["messages"]):
            return  # told again after a restart
        row["messages"] = [*row["messages"], _message(self._ctx.clock.now(), by, text, photo, id)][-MAX_MESSAGES:]
        row["version"] += 1
        await self._write(receipt, row)

    async def _answered(self, event: Event) -> None:
        if (receipt := str(event.data["receipt"])) in self._reports:
            await self._say(receipt, "desk", str(event.data["text"]), False, event.id)

    async def _status(self, event: Event) -> None:
        row = self._reports.get(receipt := str(event.data["receipt"]))
        if row is not None:
            row["status"], row["result"] = str(event.data["status"]), str(event.data.get("result") or "")
            row["version"] += 1
            await self._write(receipt, row)

    async def _write(self, receipt: str, row: dict[str, Any]) -> None:
        self._reports[receipt] = row
        await self._rows.put(receipt, row)
        while len(self._reports) > MAX_REPORTS:
            await self._forget(min(self._reports, key=lambda one: float(self._reports[one]["at"])))

    async def _forget(self, receipt: str) -> None:
        del self._reports[receipt]
        await self._rows.delete(receipt)

    async def forget_old(self) -> None:
        """What is older than the days that the page promises goes."""
        oldest = self._ctx.clock.now() - self._config.report_days * 86_400
        for receipt in [one for one, row in self._reports.items() if row["at"] < oldest]:
            await self._forget(receipt)


def _message(at: float, by: str, text: str, photo: bool, id: str = "") -> dict[str, Any]:
    return {"at": at, "by": by, "text": text, "photo": photo, **({"id": id} if id else {})}
