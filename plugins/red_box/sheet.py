"""The sheet of QR codes to print and glue into the boxes: A4, six of them on a page."""

from __future__ import annotations

from html import escape

import segno

from hub.sdk import Context, NotFound, WebRequest, WebResponse

from .boxes import BoxBook
from .device import Box

STYLE = """
@page { size: A4; margin: 10mm; }
body { font-family: "Sarabun", "Garuda", "Loma", "Waree", sans-serif; margin: 0; }
div.box { width: 90mm; height: 86mm; margin: 1mm; padding: 2mm; border: 0.3mm dashed #888; float: left;
  text-align: center; page-break-inside: avoid; box-sizing: border-box; }
img { width: 50mm; height: 50mm; display: block; margin: 1mm auto; }
h2 { font-size: 13pt; margin: 0; } p { font-size: 9pt; margin: 0.5mm 0; } code { font-size: 12pt; }
"""


def address_of(box: Box, base: str, instance: str) -> str:
    """What the QR says: the page of the patrol with the code in it."""
    return f"{base}/hook/{instance}/scan?c={box.code}"


def html_of(boxes: list[Box], base: str, instance: str) -> str:
    """The sheet as HTML."""
    parts = []
    for box in boxes:
        picture = segno.make(address_of(box, base, instance), error="q", micro=False).svg_data_uri(scale=4, border=4)
        mark = " (จำลอง)" if box.simulated else ""
        parts.append(
            f'<div class="box"><h2>{escape(box.th)}{mark}</h2><p>{escape(box.en)}</p>'
            f'<img src="{picture}" alt=""><p><code>{escape(box.code)}</code></p>'
            "<p>สายตรวจ: สแกนด้วยหน้าสแกนตู้แดง หรือพิมพ์รหัส<br>Patrol: scan, or type the code</p></div>"
        )
    return f'<!doctype html><html lang="th"><meta charset="utf-8"><style>{STYLE}</style>{"".join(parts)}</html>'


class Sheet:
    """The staff's route ``sheet``; ``?box=ID`` prints one."""

    def __init__(self, ctx: Context, book: BoxBook, public_url: str) -> None:
        self._ctx, self._book, self._url = ctx, book, public_url

    async def serve(self, request: WebRequest) -> WebResponse:
        wanted = request.query.get("box")
        boxes = [self._book.need(wanted)] if wanted else list(self._book.boxes.values())
        if not boxes:
            raise NotFound("there is no box to print", where="sheet", hint="add one with the form")
        made = await self._ctx.pdf(html_of(boxes, self._url or await self._ctx.address(), self._ctx.instance))
        head = {"Content-Disposition": 'inline; filename="red-boxes.pdf"', "Cache-Control": "no-store"}
        return WebResponse(200, made, "application/pdf", head)
