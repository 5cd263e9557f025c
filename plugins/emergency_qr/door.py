"""The citizens' pages: HTML of at most 10 KB that works on old phones and without a script."""

from __future__ import annotations

import json
import math
import re
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from hub.sdk import Context, HubError, InvalidInput, LimitExceeded, WebRequest, WebResponse

from .flood import Flood, sender
from .multipart import read_form
from .photos import photo_mime
from .reports import MAX_TEXT, Reports, Said
from .settings import Settings
from .stickers import Sticker, Stickers
from .words import WORDS, Language, language_of, script_words, with_number

HERE = Path(__file__).parent
BANGKOK = timezone(timedelta(hours=7))
CACHE = "public, max-age=3600"
_PHONE = re.compile(r"[0-9+() .-]{0,30}")
_KEPT = re.compile(r"([0-9A-Z]{3}-[0-9A-Z]{3})\.([A-Za-z0-9_-]{10,64})")


class Door:
    """Serves ``p/TOKEN`` (the sticker's page and its form) and ``r/RECEIPT/SECRET`` (what became of a report)."""

    def __init__(self, ctx: Context, config: Settings, stickers: Stickers, reports: Reports, flood: Flood) -> None:
        self._ctx, self._config, self._stickers, self._reports = ctx, config, stickers, reports
        self._flood = flood
        self._words = {language: with_number(language, config.emergency_number) for language in WORDS}
        made = Environment(loader=FileSystemLoader(HERE), autoescape=True, trim_blocks=True, lstrip_blocks=True)
        self._page, self._status = made.get_template("page.html"), made.get_template("status.html")
        self._said = made.get_template("said.html")
        self._style = (HERE / "page.css").read_text(encoding="utf-8").replace("\n", "")

    async def open(self) -> None:
        """Add the routes."""
        await self._ctx.route("GET", "p/*", self.page)
        await self._ctx.route("POST", "p/*", self.report)
        await self._ctx.route("GET", "r/*", self.status)
        await self._ctx.route("POST", "r/*", self.more)
        for name in ("page.js", "status.js"):
            await self._ctx.route("GET", name, _file((HERE / name).read_bytes()))
        for language, said in self._words.items():
            words = json.dumps(script_words(said), ensure_ascii=True)
            await self._ctx.route("GET", f"words-{language}.js", _file(f"window.WORDS={words};".encode()))

    # --- the sticker's page

    async def page(self, request: WebRequest) -> WebResponse:
        """The first page."""
        language, sticker = _language(request), self._sticker(request)
        return self._first(request, sticker, language) if sticker is not None else self._gone(language)

    async def report(self, request: WebRequest) -> WebResponse:
        """The form of the first page: 303 to the status page, or the page again with what was typed and what is
        wrong."""
        language, sticker = _language(request), self._sticker(request)
        if sticker is None:
            return self._gone(language)
        said, wrong = _read(request, self._words[language])
        if not wrong and not said.text:
            wrong = self._words[language]["empty"]
        if not wrong and not self._flood.take(request.remote):
            return self._first(request, sticker, language, said, self._words[language]["too_many"], 429)
        if wrong:
            return self._first(request, sticker, language, said, wrong, 400)
        try:
            receipt, key = await self._reports.file(sticker, said, sender(request.remote))
        except HubError as fault:
            self._ctx.log.error("a citizen's report was not kept: %s", fault.message)
            return self._first(request, sticker, language, said, self._words[language]["failed"], 503)
        where = f"/hook/{self._ctx.instance}/r/{receipt}/{key}?lang={language}"
        return WebResponse(303, headers={"location": where}, remember=f"{receipt}.{key}")

    def _sticker(self, request: WebRequest) -> Sticker | None:
        return self._stickers.at(request.path.strip("/").removeprefix("p/"))

    def _first(
        self, request: WebRequest, sticker: Sticker, language: Language, said: Said | None = None, wrong: str = "",
        status: int = 200,
    ) -> WebResponse:  # fmt: skip
        config, words, said = self._config, self._words[language], said or Said("")
        kept = _KEPT.fullmatch(request.remembered)
        return self._html(
            self._page, language, status, place=getattr(sticker.name, language), wrong=wrong, text=said.text,
            phone=said.phone, call=sticker.token, recorded=config.record, contact=config.contact,
            last=f"../r/{kept[1]}/{kept[2]}?lang={language}" if kept else "",
            responsible=getattr(config.responsible, language),
            kept=words["kept"].format(report_days=config.report_days, recording_days=config.recording_days),
        )  # fmt: skip

    # --- what became of it

    async def status(self, request: WebRequest) -> WebResponse:
        """The status page; ``?version`` answers its number alone, for the page's script."""
        language, (receipt, row) = _language(request), self._owned(request)
        if row is None:
            return self._unknown(language)
        if "version" in request.query:
            return WebResponse(200, str(row["version"]).encode(), headers={"cache-control": "no-store"})
        return self._about(language, receipt, row)

    async def more(self, request: WebRequest) -> WebResponse:
        """The status page's form."""
        language, (receipt, row) = _language(request), self._owned(request)
        if row is None:
            return self._unknown(language)
        said, wrong = _read(request, self._words[language])
        if not wrong and not said.text and not said.photo:
            wrong = self._words[language]["empty"]
        if not wrong and not self._flood.take(request.remote):
            return self._about(language, receipt, row, said, self._words[language]["too_many"], 429)
        if wrong:
            return self._about(language, receipt, row, said, wrong, 400)
        try:
            await self._reports.add(receipt, said, sender(request.remote))
        except InvalidInput:
            return self._about(language, receipt, row, said, self._words[language]["many_photos"], 400)
        except LimitExceeded:
            return self._about(language, receipt, row, said, self._words[language]["photo_many"], 429)
        except HubError as fault:
            self._ctx.log.error("what a citizen added was not kept: %s", fault.message)
            return self._about(language, receipt, row, said, self._words[language]["failed"], 503)
        return WebResponse(303, headers={"location": f"/hook/{self._ctx.instance}{request.path}?lang={language}"})

    def _owned(self, request: WebRequest) -> tuple[str, dict[str, Any] | None]:
        _, receipt, key, *_ = [*request.path.strip("/").split("/"), "", ""]
        return receipt, self._reports.open(receipt, key)

    def _about(
        self, language: Language, receipt: str, row: dict[str, Any], said: Said | None = None, wrong: str = "",
        status: int = 200,
    ) -> WebResponse:  # fmt: skip
        words = self._words[language]
        messages = [{"by": one["by"], "text": _text(one, words), "clock": _clock(one["at"])} for one in row["messages"]]
        return self._html(
            self._status, language, status, receipt=receipt, status=words.get(row["status"], row["status"]),
            result=row["result"], place=row["place"][language], messages=messages, version=row["version"],
            answered=any(one["by"] == "desk" for one in messages), open=row["status"] != "closed", wrong=wrong,
            text=said.text if said is not None else "",
        )  # fmt: skip

    # --- the rest

    def _gone(self, language: Language) -> WebResponse:
        words = self._words[language]
        note = f"{words['gone_note']} {self._config.emergency_number}"
        return self._html(self._said, language, 410, head=words["gone"], note=note)

    def _unknown(self, language: Language) -> WebResponse:
        words = self._words[language]
        return self._html(self._said, language, 404, head=words["unknown"], note=words["unknown_note"])

    def _html(self, template: Any, language: Language, code: int, **values: Any) -> WebResponse:
        body = template.render(
            w=self._words[language], style=self._style, number=self._config.emergency_number,
            simulated=self._config.simulated, **values,
        )  # fmt: skip
        headers = {"cache-control": "no-store", "content-language": language}
        return WebResponse(code, body.encode(), "text/html; charset=utf-8", headers, scripts=True)


def _file(content: bytes) -> Any:
    async def answer(request: WebRequest) -> WebResponse:
        return WebResponse(200, content, "text/javascript; charset=utf-8", {"cache-control": CACHE})

    return answer


def _language(request: WebRequest) -> Language:
    return language_of(request.query.get("lang", ""), request.headers.get("accept-language", ""))


def _read(request: WebRequest, words: dict[str, str]) -> tuple[Said, str]:
    """What the form says, and what is wrong with it in words for its reader."""
    try:
        form = read_form(request.headers.get("content-type", ""), request.body)
    except InvalidInput:
        return Said(""), words["bad_form"]
    fields, photo = form.fields, form.files.get("photo", b"")
    phone = fields.get("phone", "").strip()
    said = Said(
        fields.get("text", "").strip()[:MAX_TEXT], phone if _PHONE.fullmatch(phone) else "", photo,
        _degrees(fields.get("lat", ""), 90), _degrees(fields.get("lon", ""), 180),
    )  # fmt: skip
    try:
        if photo:
            photo_mime(photo)
    except InvalidInput:
        return said, words["bad_photo"]
    return said, ""


def _degrees(text: str, most: float) -> float | None:
    try:
        value = float(text[:30])
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) <= most else None


def _text(message: dict[str, Any], words: dict[str, str]) -> str:
    marks = [words["picture"]] if message["photo"] else []
    marks += [words[message["lost"]]] if message.get("lost") else []
    marks += [words["called"]] if message.get("called") else []
    return " ".join([message["text"], *marks]).strip()


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, BANGKOK).strftime("%H:%M")
