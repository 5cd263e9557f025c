"""The patrol's page for red boxes: scan or type the code; works without a script, and with one without a network."""

from __future__ import annotations

import asyncio
import json
import math
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader

from hub.capabilities import PhoneKeys
from hub.sdk import Context, HubError, InvalidInput, Unavailable, WebRequest, WebResponse

from .boxes import BoxBook
from .device import Scan
from .scans import ScanLog

MAX_FORM, MAX_SYNC, MAX_ITEMS = 4 << 10, 64 << 10, 100
MAX_ID, MAX_CODE = 64, 300
KEYS_WITHIN_S = 5.0
HERE = Path(__file__).parent
FILES = {"scan.js": "text/javascript", "reader.js": "text/javascript", "scan_worker.js": "text/javascript"}
WORDS = {
    "out_of_radius": "ไกลจากตู้ / far from the box", "no_position": "ไม่มีตำแหน่ง / no position",
    "poor_position": "ตำแหน่งไม่แม่นยำ / position not sure", "outside_window": "นอกช่วงเวลา / outside the hours",
    "clock_off": "นาฬิกาเครื่องไม่ตรง / the phone's clock is off",
    "too_fast": "เร็วเกินไปจากจุดก่อน / too fast from the last box",
    "old_challenge": "รหัส QR เก่า / an old QR code", "unknown_officer": "ไม่ทราบผู้ตรวจ / officer not known",
}  # fmt: skip


class ScanPage:
    """Serves the page, its form and what its script sends."""

    def __init__(self, ctx: Context, book: BoxBook, log: ScanLog, zone: str) -> None:
        self._ctx, self._book, self._log, self._zone = ctx, book, log, ZoneInfo(zone)
        templates = Environment(loader=FileSystemLoader(HERE), autoescape=True)
        self._page, self._sign_in = templates.get_template("scan.html"), templates.get_template("sign_in.html")
        self._files = {name: (HERE / name).read_bytes() for name in FILES}
        self._keys: PhoneKeys | None = None

    async def open(self) -> None:
        """Add the routes."""
        await self._ctx.route("GET", "scan", self.page)
        await self._ctx.route("POST", "scan", self.form)
        await self._ctx.route("POST", "scan/sign_in", self.sign_in)
        await self._ctx.route("POST", "scan/sync", self.sync)
        for name in FILES:
            await self._ctx.route("GET", name, self._file)

    # --- who it is

    async def _phones(self) -> PhoneKeys:
        """The service that knows the phones. It may come later than we do, so it is asked for when it is needed."""
        if self._keys is not None:
            return self._keys
        try:
            async with asyncio.timeout(KEYS_WITHIN_S):
                found: PhoneKeys = await self._ctx.need(PhoneKeys)  # type: ignore[type-abstract] # its name
        except TimeoutError:
            raise Unavailable(
                "phones cannot be recognised now", where="units", hint="is the plugin units set up and running?"
            ) from None
        self._keys = found
        return found

    async def _unit(self, request: WebRequest) -> str | None:
        return await (await self._phones()).holder(request.remembered) if request.remembered else None

    async def sign_in(self, request: WebRequest) -> WebResponse:
        given = form_of(request)
        code = given.get("c", "")[:MAX_CODE]
        device, secret = given.get("device", "").strip().lower(), given.get("secret", "").strip()
        key = await (await self._phones()).admit(device, secret)
        query = f"?c={quote(code)}" if code else "?"
        where = f"{self._base}/scan{query if key else query + '&wrong=1'}".rstrip("?")
        return WebResponse(303, b"", headers={"Location": where, "Cache-Control": "no-store"}, remember=key)

    # --- pages

    async def page(self, request: WebRequest) -> WebResponse:
        code = request.query.get("c", "")[:MAX_CODE]
        if await self._unit(request) is None:
            shown = self._sign_in.render(base=self._base, code=code, wrong=request.query.get("wrong") == "1")
            return _html(shown)
        return _html(await self._shown(code=code))

    async def form(self, request: WebRequest) -> WebResponse:
        """A code that was typed, or opened by the phone's own camera app, without a script."""
        unit = await self._unit(request)
        if unit is None:
            return WebResponse(303, b"", headers={"Location": f"{self._base}/scan"})
        given = form_of(request)
        item = {"id": given.get("id") or self._ctx.ids.new(), "code": given.get("code", "")}
        return _html(await self._shown(done=await self._take(unit, item, None)))

    async def _shown(self, code: str = "", done: dict[str, Any] | None = None) -> str:
        now, boxes = self._ctx.clock.now(), []
        for box in self._book.boxes.values():
            state = await self._ctx.state(box.entity)
            a: Any = state.attributes if state is not None else {}
            last, due = a.get("last_scan_at"), a.get("next_window_end")
            boxes.append({
                "name": box.th, "en": box.en, "state": state.state if state else "", "last": self._time(last),
                "due": self._time(due) if due is not None and due > now else "",
            })  # fmt: skip
        new = self._ctx.ids.new()
        return self._page.render(base=self._base, code=code, done=done, boxes=boxes, id=new, words=WORDS)

    def _time(self, at: float | None) -> str:
        return f"{datetime.fromtimestamp(at, self._zone):%H:%M}" if at is not None else "–"

    async def _file(self, request: WebRequest) -> WebResponse:
        name = request.path.strip("/")
        return WebResponse(200, self._files[name], FILES[name], {"Cache-Control": "no-cache"}, scripts=True)

    # --- what the script gathered

    async def sync(self, request: WebRequest) -> WebResponse:
        """``{"sent_at", "items": [{id, code, at, lat, lon, accuracy_m}]}``, times in seconds by the phone's clock.
        Each item gets its answer once it is durable: ``new``, ``known``, ``unknown_box`` or ``wrong``."""
        unit = await self._unit(request)
        if unit is None:
            return WebResponse(401, b'{"error":"sign in again"}', "application/json")
        sent_at, items = sync_of(request.body)
        done = [{"id": one.get("id"), **await self._take(unit, one, sent_at)} for one in items]
        body = json.dumps({"items": done}, ensure_ascii=False).encode()
        return WebResponse(200, body, "application/json", {"Cache-Control": "no-store"})

    async def _take(self, unit: str, item: dict[str, Any], sent_at: float | None) -> dict[str, Any]:
        scan_id, code = item.get("id"), item.get("code")
        if not isinstance(scan_id, str) or not 1 <= len(scan_id) <= MAX_ID or not scan_id.isprintable():
            return {"result": "wrong", "reason": f"id is no text of 1 to {MAX_ID} characters"}
        if not isinstance(code, str) or not code.strip() or len(code) > MAX_CODE:
            return {"result": "wrong", "reason": f"code is no text of 1 to {MAX_CODE} characters"}
        found = self._book.find(code)
        if found is None or not found[1]:  # from a phone the id alone is no proof
            return {"result": "unknown_box", "reason": "no box has this code", "code": code[:40]}
        box, secret = found
        lat, lon = number(item.get("lat"), -90, 90), number(item.get("lon"), -180, 180)
        scan = Scan(
            f"{unit}:{scan_id}", secret, "phone", self._ctx.clock.now(), number(item.get("at"), 0, 4e9), sent_at,
            lat if lon is not None else None, lon if lat is not None else None,
            number(item.get("accuracy_m"), 0, 1e6), unit,
        )  # fmt: skip
        try:
            judged = await self._log.take(box, scan)
        except HubError as refused:
            return {"result": "later", "reason": refused.message}
        name = {"box": box.id, "name": box.th, "en": box.en}
        if judged is None:
            return {"result": "known", **name, "doubts": []}
        return {"result": "new", **name, "doubts": judged.doubts, "distance_m": judged.distance_m}

    @property
    def _base(self) -> str:
        return f"/hook/{self._ctx.instance}"


def form_of(request: WebRequest) -> dict[str, str]:
    """The fields of a form, each once."""
    if len(request.body) > MAX_FORM:
        raise InvalidInput(f"the form is over {MAX_FORM >> 10} KB", where="body")
    try:
        return dict(parse_qsl(request.body.decode(), max_num_fields=20))
    except (UnicodeDecodeError, ValueError):
        raise InvalidInput("the body is no form", where="body", hint="application/x-www-form-urlencoded") from None


def sync_of(body: bytes) -> tuple[float | None, list[dict[str, Any]]]:
    """When the phone sent it, by its own clock, and the items; ``InvalidInput`` says what is wrong."""
    if len(body) > MAX_SYNC:
        raise InvalidInput(f"the body is over {MAX_SYNC >> 10} KB", where="body", hint="send fewer scans at once")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidInput("the body is no JSON", where="body") from None
    items = document.get("items") if isinstance(document, dict) else None
    if not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
        raise InvalidInput("items is no list of objects", where="items")
    if len(items) > MAX_ITEMS:
        raise InvalidInput(f"more than {MAX_ITEMS} scans", where="items", hint="send the rest afterwards")
    return number(document.get("sent_at"), 0, 4e9), items


def number(value: Any, low: float, high: float) -> float | None:
    """A number within its limits; else it is not known."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value) if low <= value <= high else None


def _html(text: str) -> WebResponse:
    headers = {"Cache-Control": "no-store", "Content-Language": "th"}
    return WebResponse(200, text.encode(), "text/html; charset=utf-8", headers, scripts=True)
