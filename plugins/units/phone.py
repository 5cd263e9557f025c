"""The page on the officer's phone: task, duty, SOS, dead-man timer. It works without a script, by forms; with one it
also sends the position and keeps what could not be sent."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import orjson
from jinja2 import Environment, FileSystemLoader

from hub.sdk import Context, InvalidInput, WebRequest, WebResponse

from .device import MAX_AGE_S, BadPosition, fix_of
from .door import REFUSED, answer
from .keys import Keys
from .unit import Unit

BANGKOK = timezone(timedelta(hours=7))
MAX_FORM, MAX_REPORT, MAX_ITEMS = 4 << 10, 64 << 10, 100
FILES = {"phone.js": "text/javascript", "phone_worker.js": "text/javascript"}
SOS_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
HERE = Path(__file__).parent

Form = dict[str, str]
FormHandler = Callable[[Unit, Form], Awaitable[None]]


class PhonePage:
    """Serves the page, its forms and its script's reports."""

    def __init__(self, ctx: Context, keys: Keys, minutes: Sequence[int], scan_page: str) -> None:
        self._ctx, self._keys, self._minutes, self._scan_page = ctx, keys, list(minutes), scan_page
        templates = Environment(loader=FileSystemLoader(HERE), autoescape=True)
        self._page, self._sign_in = templates.get_template("phone.html"), templates.get_template("sign_in.html")
        self._files = {name: (HERE / name).read_bytes() for name in FILES}

    async def open(self) -> None:
        """Add the routes."""
        await self._ctx.route("GET", "phone", self.page)
        await self._ctx.route("POST", "phone/sign_in", self.sign_in)
        await self._ctx.route("POST", "phone/sign_out", self.sign_out)
        await self._ctx.route("GET", "phone/state", self.state)
        await self._ctx.route("POST", "phone/report", self.report)
        forms: dict[str, FormHandler] = {
            "sos": self._sos, "sos_over": self._sos_over, "status": self._status, "seen": self._seen,
            "timer": self._timer,
        }  # fmt: skip
        for name, handler in forms.items():
            await self._ctx.route("POST", f"phone/{name}", self._form(handler))
        for name in FILES:
            await self._ctx.route("GET", name, self._file)

    # --- pages

    async def page(self, request: WebRequest) -> WebResponse:
        unit = self._keys.of_key(request.remembered)
        if unit is None:
            return self._html(self._sign_in.render(base=self._base, wrong=request.query.get("wrong") == "1"))
        now = self._ctx.clock.now()
        state, task = await self._shown(unit), await unit.task()
        shown = self._page.render(
            base=self._base, unit=state, task=task, version=_version(state, task), minutes=self._minutes,
            scan_page=self._scan_page, at=_clock(now), sos_id=self._ctx.ids.new(), time=_clock,
        )  # fmt: skip
        return self._html(shown)

    async def sign_in(self, request: WebRequest) -> WebResponse:
        given = form_of(request)
        key = await self._keys.admit(given.get("device", "").strip().lower(), given.get("secret", "").strip())
        if key is None:
            return self._back("?wrong=1")
        return self._back(remember=key)

    async def sign_out(self, request: WebRequest) -> WebResponse:
        return self._back(remember="")

    async def _file(self, request: WebRequest) -> WebResponse:
        name = request.path.strip("/")
        return WebResponse(200, self._files[name], FILES[name], {"Cache-Control": "no-cache"}, scripts=True)

    # --- forms

    def _form(self, handler: FormHandler) -> Callable[[WebRequest], Awaitable[WebResponse]]:
        async def serve(request: WebRequest) -> WebResponse:
            unit = self._keys.of_key(request.remembered)
            if unit is None:
                return self._back()
            await handler(unit, form_of(request))
            return self._back()

        return serve

    async def _sos(self, unit: Unit, form: Form) -> None:
        given = form.get("sos_id", "")
        await unit.sos(given if SOS_ID.fullmatch(given) else self._ctx.ids.new(), self._ctx.clock.now())

    @staticmethod
    async def _sos_over(unit: Unit, form: Form) -> None:
        await unit.end_sos(unit.entity, form.get("reason", "")[:300] or "phone")

    @staticmethod
    async def _status(unit: Unit, form: Form) -> None:
        await unit.change_status(form.get("status", ""))

    @staticmethod
    async def _seen(unit: Unit, form: Form) -> None:
        await unit.task_seen()

    async def _timer(self, unit: Unit, form: Form) -> None:
        given = form.get("minutes", "")
        if given == "tap":
            await unit.tap()
        elif given == "stop":
            await unit.set_timer(None)
        elif given.isdecimal() and int(given) in self._minutes:
            if (await unit.attributes())["state"] == "off_duty":
                raise InvalidInput("the timer runs on duty only", where="minutes", hint="set the status first")
            await unit.set_timer(int(given))
        else:
            words = ", ".join(map(str, self._minutes))
            raise InvalidInput("no such timer", where="minutes", hint=f"one of {words}, tap or stop")

    # --- the script

    async def state(self, request: WebRequest) -> WebResponse:
        unit = self._keys.of_key(request.remembered)
        if unit is None:
            return REFUSED
        state, task = await self._shown(unit), await unit.task()
        return answer({**state, "task": task, "version": _version(state, task), "now": self._ctx.clock.now()})

    async def report(self, request: WebRequest) -> WebResponse:
        """What the phone gathered: ``{"items": [{id, kind: sos | position | tap, at, lat, lon, …}]}``, oldest first.
        Each gets its answer, and only what is durable is answered ``taken``, ``not_kept`` or ``wrong``."""
        unit = self._keys.of_key(request.remembered)
        if unit is None:
            return REFUSED
        items = items_of(request.body)
        done = [{"id": one.get("id"), **await self._take(unit, one)} for one in items]
        return answer({"items": done, **await self._shown(unit)})

    async def _take(self, unit: Unit, item: dict[str, Any]) -> dict[str, str]:
        now = self._ctx.clock.now()
        try:
            fix = fix_of(item, now) if item.get("lat") is not None or item.get("kind") == "position" else None
        except BadPosition as wrong:
            if item.get("kind") != "sos":
                return {"result": "wrong", "reason": str(wrong)}
            fix = None  # a call for help is never refused for its position
        if item.get("kind") == "sos":
            given, at = str(item.get("id", "")), item.get("at")
            pressed = float(at) if isinstance(at, int | float) and now - MAX_AGE_S < at <= now else now
            await unit.sos(given if SOS_ID.fullmatch(given) else self._ctx.ids.new(), pressed, fix)
            return {"result": "taken"}
        if item.get("kind") == "tap":
            await unit.tap()
            return {"result": "taken"}
        if fix is None:
            return {"result": "wrong", "reason": "kind is sos, position or tap"}
        return {"result": "taken" if await unit.moved(fix) else "not_kept"}

    # --- parts

    @property
    def _base(self) -> str:
        return f"/hook/{self._ctx.instance}"

    async def _shown(self, unit: Unit) -> dict[str, Any]:
        a = await unit.attributes()
        names = ("name", "state", "sos_at", "sos_kind", "timer_due", "timer_minutes", "fix_at", "simulated")
        return {name: a.get(name) for name in names}

    def _back(self, query: str = "", remember: str | None = None) -> WebResponse:
        headers = {"Location": f"{self._base}/phone{query}", "Cache-Control": "no-store"}
        return WebResponse(303, b"", headers=headers, scripts=True, remember=remember)

    @staticmethod
    def _html(text: str) -> WebResponse:
        headers = {"Cache-Control": "no-store", "Content-Language": "th"}
        return WebResponse(200, text.encode(), "text/html; charset=utf-8", headers, scripts=True)


def form_of(request: WebRequest) -> Form:
    """The fields of a form, each once."""
    if len(request.body) > MAX_FORM:
        raise InvalidInput(f"the form is over {MAX_FORM >> 10} KB", where="body")
    try:
        return dict(parse_qsl(request.body.decode(), max_num_fields=20))
    except (UnicodeDecodeError, ValueError):
        raise InvalidInput("the body is no form", where="body", hint="application/x-www-form-urlencoded") from None


def items_of(body: bytes) -> list[dict[str, Any]]:
    """The items of a report; ``InvalidInput`` says what is wrong."""
    if len(body) > MAX_REPORT:
        raise InvalidInput(f"the body is over {MAX_REPORT >> 10} KB", where="body")
    try:
        document = orjson.loads(body)  # what json.loads lets in (half a surrogate pair) could not be answered
    except orjson.JSONDecodeError:
        raise InvalidInput("the body is no JSON", where="body") from None
    items = document.get("items") if isinstance(document, dict) else None
    if not isinstance(items, list) or not all(isinstance(one, dict) for one in items):
        raise InvalidInput("items is no list of objects", where="items")
    if len(items) > MAX_ITEMS:
        raise InvalidInput(f"more than {MAX_ITEMS} items", where="items", hint="send the rest afterwards")
    return items


def _version(state: Mapping[str, Any], task: Any) -> str:
    """Names what the page shows; a page of another version is old. Only the position may move meanwhile."""
    shown = json.dumps([{**state, "fix_at": None}, task], sort_keys=True, default=str)
    return hashlib.sha256(shown.encode()).hexdigest()[:16]


def _clock(at: float) -> str:
    return f"{datetime.fromtimestamp(at, BANGKOK):%H:%M:%S}"
