"""Reports by form: each has a receipt and a secret; what the desk answers is read on its status page."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from hub.capabilities import ReportAdded, ReportReceived
from hub.sdk import Context, Event, HubError, InvalidInput, LimitExceeded

from .device import hashed, same_secret
from .photos import Photos
from .settings import Settings
from .stickers import Sticker, Stickers

MAX_TEXT = 2_000
MAX_REPORTS = 5_000
MAX_MESSAGES = 60
MAX_PHOTOS = 10  # of one report
NOT_KEPT = "[ภาพที่ส่งมาไม่ได้เก็บ]"  # for the desk, which may ask for it


@dataclass(frozen=True, slots=True)
class Said:
    """What a form holds. ``photo``: the bytes of a picture, none when it is empty."""

    text: str
    phone: str = ""
    photo: bytes = b""
    lat: float | None = None
    lon: float | None = None


class Reports:
    """All that are open or closed lately; rows by receipt."""

    def __init__(self, ctx: Context, config: Settings, stickers: Stickers, photos: Photos) -> None:
        self._ctx, self._config, self._stickers, self._photos = ctx, config, stickers, photos
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

    async def file(self, sticker: Sticker, said: Said, sender: str) -> tuple[str, str]:
        """A new report; receipt and secret. It is durable when this returns."""
        media, lost = await self._keep_photo(said, sender)
        receipt, key, now = self._ctx.ids.receipt(), secrets.token_urlsafe(12), self._ctx.clock.now()
        row = self._row(sticker.name.as_data(), key, now)
        row["messages"] = [_message(now, "me", said.text, bool(media), lost=lost)]
        row["photos"] = len(media)
        await self._write(receipt, row)
        given = said.lat is not None and said.lon is not None
        await self._report(receipt, ReportReceived(
            receipt=receipt, door=self._ctx.instance, channel="qr", text=_told(said.text, lost),
            reporter=said.phone, media=media,
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

    async def add(self, receipt: str, said: Said, sender: str) -> None:
        """More about the same matter."""
        row = self._reports[receipt]
        if row["photos"] >= MAX_PHOTOS and said.photo:
            raise InvalidInput(f"a report has at most {MAX_PHOTOS} photos", where="photo")
        media, lost = await self._keep_photo(said, sender)
        row["photos"] += len(media)
        await self._say(receipt, "me", said.text, bool(media), lost=lost)
        await self._ctx.emit(ReportAdded(receipt=receipt, text=_told(said.text, lost), media=media))

    def _row(self, place: dict[str, str], key: str, now: float) -> dict[str, Any]:
        return {
            "key": hashed(key), "at": now, "place": place, "status": "received", "result": "", "messages": [],
            "photos": 0, "version": 1,
        }  # fmt: skip

    async def _keep_photo(self, said: Said, sender: str) -> tuple[list[str], str]:
        """Its media id, or the name of the words that say why it was not kept: the text is not lost for a picture.
        Without a text the error is the answer."""
        try:
            return [await self._photos.keep(said.photo, sender)] if said.photo else [], ""
        except HubError as fault:
            if not said.text:
                raise
            self._ctx.log.warning("a report's photo was not kept: %s", fault.message)
            return [], "photo_many" if isinstance(fault, LimitExceeded) else "photo_lost"

    async def _say(self, receipt: str, by: str, text: str, photo: bool, id: str = "", lost: str = "") -> None:
        row = self._reports[receipt]
        if id and any(one.get("id") == id for one in row["messages"]):
            return  # told again after a restart
        said = _message(self._ctx.clock.now(), by, text, photo, id, lost)
        row["messages"] = [*row["messages"], said][-MAX_MESSAGES:]
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
            await self._forget(min(self._reports, key=self._worth))

    def _worth(self, receipt: str) -> tuple[bool, float]:
        """Closed ones go first, then the oldest."""
        row = self._reports[receipt]
        return row["status"] != "closed", float(row["at"])

    async def _forget(self, receipt: str) -> None:
        del self._reports[receipt]
        await self._rows.delete(receipt)

    async def forget_old(self) -> None:
        """What is older than the days that the page promises goes."""
        oldest = self._ctx.clock.now() - self._config.report_days * 86_400
        for receipt in [one for one, row in self._reports.items() if row["at"] < oldest]:
            await self._forget(receipt)


def _message(at: float, by: str, text: str, photo: bool, id: str = "", lost: str = "") -> dict[str, Any]:
    more = {name: value for name, value in (("id", id), ("lost", lost)) if value}
    return {"at": at, "by": by, "text": text, "photo": photo, **more}


def _told(text: str, lost: str) -> str:
    return f"{text}\n{NOT_KEPT}" if lost else text
