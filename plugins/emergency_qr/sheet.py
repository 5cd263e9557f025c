"""The sheet of stickers for the printer: A4, six to a page, each with its QR code, place and the number 191."""

from __future__ import annotations

from html import escape

import segno

from hub.sdk import Context, InvalidInput, WebRequest, WebResponse

from .settings import Settings
from .stickers import Sticker, Stickers

AT_ONCE = 120
_STYLE = """
@page { size: A4; margin: 10mm }
body { font-family: Sarabun, Loma, Waree, sans-serif; margin: 0; color: #000 }
.one { display: inline-block; box-sizing: border-box; width: 94mm; height: 90mm; padding: 4mm; text-align: center;
       border: 0.3mm dashed #999; page-break-inside: avoid; vertical-align: top }
.one img { width: 46mm; height: 46mm }
.one b { display: block; font-size: 15pt }
.one .dial { font-size: 17pt; color: #b8103c }
.one small { display: block; font-size: 8pt }
"""


class Sheet:
    """Serves ``sheet.pdf`` to staff; ``?id=…&from=…`` takes one sticker, or the next ones of a long list."""

    def __init__(self, ctx: Context, config: Settings, stickers: Stickers) -> None:
        self._ctx, self._config, self._stickers = ctx, config, stickers

    async def open(self) -> None:
        """Add the route."""
        await self._ctx.route("GET", "sheet.pdf", self.pdf, right="document.read")

    async def pdf(self, request: WebRequest) -> WebResponse:
        """The PDF."""
        wanted, first = request.query.get("id", ""), request.query.get("from", "0")
        usable = [one for one in self._stickers.usable() if wanted in ("", one.id)]
        start = int(first) if first.isascii() and first.isdigit() and len(first) < 6 else 0
        chosen = usable[start : start + AT_ONCE]
        if not chosen:
            raise InvalidInput("there is no sticker to print", where="sheet.pdf", hint="add one first")
        base = await self._ctx.address()
        body = "".join(self._one(sticker, base) for sticker in chosen)
        page = f'<!doctype html><html lang="th"><meta charset="utf-8"><style>{_STYLE}</style><body>{body}</body></html>'
        headers = {"content-disposition": 'inline; filename="stickers.pdf"', "cache-control": "no-store"}
        return WebResponse(200, await self._ctx.pdf(page), "application/pdf", headers)

    def address_of(self, sticker: Sticker, base: str) -> str:
        """What its QR code says."""
        return f"{base.rstrip('/')}/hook/{self._ctx.instance}/p/{sticker.token}"

    def _one(self, sticker: Sticker, base: str) -> str:
        # level M: readable with 15 % of it scratched (ISO/IEC 18004)
        code = segno.make(self.address_of(sticker, base), error="m").svg_data_uri(scale=8)
        number = escape(self._config.emergency_number)
        mark = "<small>จำลอง / SIMULATED</small>" if self._config.simulated else ""
        return (
            f'<div class="one"><b>แจ้งเหตุ สแกนที่นี่</b><small>Emergency: scan here</small><img src="{code}">'
            f'<b class="dial">โทร {number}</b>{escape(sticker.name.th)}<small>{escape(sticker.name.en)} · '
            f"{escape(sticker.id)}</small>{mark}</div>"
        )
