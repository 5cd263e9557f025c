"""The doors: citizens' pages, printed sheets, and the actions of the people who run a poll."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from urllib.parse import parse_qs, urlencode

import segno

from hub.sdk import Conflict, Context, LimitExceeded, NotFound, WebRequest, WebResponse, current_call

from . import tokens
from .forms import Form, Language, read
from .pages import form_page, message_page, thanks_page
from .poll import Poll, Sender

MAX_POST = 64 << 10
MAX_FIELDS = 200
MAX_SHEET = 120
VIAS = ("qr", "line", "tablet")
HTML = "text/html; charset=utf-8"
_PLAIN = {"Cache-Control": "no-store"}


class Refused(Exception):
    """The page cannot be taken: a key of the page's words and the HTTP status."""

    def __init__(self, key: str, status: int) -> None:
        super().__init__(key)
        self.key, self.status = key, status


class Doors:
    """Serves all forms of an instance."""

    def __init__(self, ctx: Context, polls: Mapping[str, Poll], key: bytes) -> None:
        self._ctx, self._polls, self._key = ctx, polls, key

    # --- citizens

    async def show(self, request: WebRequest) -> WebResponse:
        """``GET f/FORM``: the form."""
        given = {name: [value] for name, value in request.query.items()}
        lang, via = _language(given), _via(given)
        try:
            poll = self._poll(request)
            token = self._token(poll, given)
            if token and poll.spent(self._sender(poll, token, "", via, request)):
                raise Refused("used", 409)
        except Refused as why:
            return _page(message_page(lang, why.key), why.status)
        mark = tokens.make_mark(self._key, poll.form.id, self._ctx.clock.now(), self._ctx.ids.random)
        return _page(form_page(poll.form, lang, _hidden(lang, via, mark, token)))

    async def take(self, request: WebRequest) -> WebResponse:
        """``POST f/FORM``: a filled page; thanks only when it is durable."""
        lang: Language = "th"
        try:
            given = _fields(request)
            lang, via = _language(given), _via(given)
            poll = self._poll(request)
            token, mark = self._token(poll, given), _one(given, "n")
            if not tokens.mark_holds(self._key, poll.form.id, self._ctx.clock.now(), mark):
                raise Refused("old", 400)
            filled = read(poll.form, given)
            if filled.mistakes:
                return _page(form_page(poll.form, lang, _hidden(lang, via, mark, token), filled), 400)
            await poll.answer(filled, self._sender(poll, token, mark, via, request))
        except Refused as why:
            return _page(message_page(lang, why.key), why.status)
        except Conflict as why:
            used = "device" if why.message == "used" and poll.form.once == "device" else why.message
            return _page(message_page(lang, used), 409)
        except LimitExceeded as why:
            return _page(message_page(lang, why.message), 429)
        await self._ctx.alive()
        place = f"/hook/{self._ctx.instance}/thanks/{poll.form.id}?{urlencode({'lang': lang, 'via': via})}"
        return WebResponse(303, headers={**_PLAIN, "Location": place})

    async def thanks(self, request: WebRequest) -> WebResponse:
        """``GET thanks/FORM``; a tablet begins again from here."""
        given = {name: [value] for name, value in request.query.items()}
        lang, via = _language(given), _via(given)
        poll = self._polls.get(request.path.rstrip("/").rpartition("/")[2])
        if poll is None:
            return _page(message_page(lang, "no_form"), 404)
        begin = f"/hook/{self._ctx.instance}/f/{poll.form.id}?{urlencode({'via': 'tablet', 'lang': 'th'})}"
        return _page(thanks_page(poll.form, lang, begin if via == "tablet" else ""))

    def _poll(self, request: WebRequest) -> Poll:
        poll = self._polls.get(request.path.rstrip("/").rpartition("/")[2])
        if poll is None:
            raise Refused("no_form", 404)
        if not poll.open:
            raise Refused("closed", 410)
        return poll

    def _token(self, poll: Poll, given: Mapping[str, Sequence[str]]) -> str:
        if poll.form.once != "token":
            return ""
        said = _one(given, "t")
        token = tokens.read_token(self._key, poll.form.id, poll.round, said) if len(said) <= 64 else ""
        if not token:
            raise Refused("token", 403)
        return token

    def _sender(self, poll: Poll, token: str, mark: str, via: str, request: WebRequest) -> Sender:
        page = tokens.digest(self._key, poll.form.id, poll.round, f"page {mark}")
        once = {
            "open": f"page {mark}", "token": f"token {token}",
            "device": f"device {request.remote} {request.headers.get('user-agent', '')}",
        }[poll.form.once]  # fmt: skip
        return Sender(tokens.digest(self._key, poll.form.id, poll.round, once), page, via)

    # --- people who run the poll

    async def open(self, form: str) -> int:
        """Open the next round of a form; its number."""
        return await self._named(form).begin(current_call().actor)

    async def close(self, form: str) -> dict[str, object]:
        """Close the round and show its verdicts."""
        return await self._named(form).close(current_call().actor)

    def _named(self, form: str) -> Poll:
        poll = self._polls.get(form.removeprefix("form."))
        if poll is None:
            raise NotFound(f"no form {form!r}", where="form", hint=f"one of {', '.join(sorted(self._polls)) or 'none'}")
        return poll

    async def codes(self, request: WebRequest) -> WebResponse:
        """``GET codes.pdf``: a page with the QR code of each form that is open to all."""
        address = await self._ctx.address()
        pages = [
            _code_page(poll.form, f"{address}/hook/{self._ctx.instance}/f/{poll.form.id}?via=qr")
            for poll in self._polls.values() if poll.form.once != "token"
        ]  # fmt: skip
        return await self._pdf(pages, "codes.pdf")

    async def sheets(self, request: WebRequest) -> WebResponse:
        """``GET sheets.pdf?count=24``: new single-use tokens for each open form that needs them. That they were
        printed, by whom and how many, is an event: who prints sheets could answer with them."""
        text = request.query.get("count", "24")
        count = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
        if not 1 <= count <= MAX_SHEET:
            return WebResponse(400, f"count: 1 to {MAX_SHEET}".encode())
        address, pages = await self._ctx.address(), []
        for poll in self._polls.values():
            if poll.form.once == "token" and poll.open:
                random, form = self._ctx.ids.random, poll.form.id
                made = [tokens.make_token(self._key, form, poll.round, random) for _ in range(count)]
                fields = {"round": poll.round, "count": count, "by": request.actor or "unknown"}
                await self._ctx.emit_named("survey_sheet_printed", fields, entity=poll.entity)
                base = f"{address}/hook/{self._ctx.instance}/f/{poll.form.id}?via=qr&t="
                pages.append(_sheet(poll.form, [base + token for token in made]))
        return await self._pdf(pages, "sheets.pdf")

    async def _pdf(self, pages: Sequence[str], name: str) -> WebResponse:
        if not pages:
            return WebResponse(404, "ไม่มีแบบสอบถามที่ใช้วิธีนี้ / no form is answered this way".encode())
        made = await self._ctx.pdf(f"<!doctype html><meta charset='utf-8'><style>{_PRINT}</style>{''.join(pages)}")
        return WebResponse(200, made, "application/pdf", {"Content-Disposition": f'attachment; filename="{name}"'})


_PRINT = (
    "@page{size:A4;margin:12mm}body{font-family:'Garuda','Loma',sans-serif;line-height:1.6}section{break-after:page}"
    "section:last-child{break-after:auto}h1{font-size:22pt}.one{text-align:center}.one img{width:110mm}"
    ".many div{display:inline-block;width:44mm;height:58mm;text-align:center;border:.3mm dashed #888;font-size:8pt;"
    "padding:1.5mm 0;break-inside:avoid}.many img{width:34mm}p.s{font-size:11pt}"
)


def _code_page(form: Form, url: str) -> str:
    sim = " (จำลอง / simulated)" if form.simulated else ""
    return (
        f'<section class="one"><h1>{escape(form.title.th)}{sim}</h1><p>{escape(form.title.en)}</p>'
        f'<img src="{segno.make(url, error="m").svg_data_uri(border=4)}"><p>สแกนเพื่อตอบ / Scan to answer</p>'
        f'<p class="s">{escape(url)}</p></section>'
    )


def _sheet(form: Form, urls: Sequence[str]) -> str:
    cards = "".join(
        f'<div><img src="{segno.make(url, error="m").svg_data_uri(border=4)}"><br>{escape(form.title.th)}<br>'
        "หนึ่งใบตอบหนึ่งครั้ง · one answer</div>"
        for url in urls
    )
    return f'<section class="many"><p class="s">{escape(form.title.th)} — {escape(form.title.en)}</p>{cards}</section>'


def _fields(request: WebRequest) -> dict[str, list[str]]:
    """The posted fields; ``Refused`` for anything else than a filled page."""
    if len(request.body) > MAX_POST:
        raise Refused("big", 413)
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise Refused("broken", 415)
    try:
        return parse_qs(request.body.decode("utf-8"), max_num_fields=MAX_FIELDS, errors="strict", strict_parsing=True)
    except ValueError:
        raise Refused("broken", 400) from None


def _one(given: Mapping[str, Sequence[str]], name: str) -> str:
    return next(iter(given.get(name, ())), "")


def _language(given: Mapping[str, Sequence[str]]) -> Language:
    return "en" if _one(given, "lang") == "en" else "th"


def _via(given: Mapping[str, Sequence[str]]) -> str:
    via = _one(given, "via")
    return via if via in VIAS else "qr"


def _hidden(lang: Language, via: str, mark: str, token: str) -> dict[str, str]:
    return {"n": mark, "via": via, "lang": lang, **({"t": token} if token else {})}


def _page(body: bytes, status: int = 200) -> WebResponse:
    return WebResponse(status, body, HTML, _PLAIN)
