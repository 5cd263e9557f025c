"""The poster: one A4 page with a QR code that leads to the notice."""

from __future__ import annotations

from html import escape

import segno

from .areas import Area
from .feed import LEVELS, Published, Sender, thai_time

_STYLE = (
    "@page{size:A4;margin:14mm}body{font-family:'Garuda','Loma',sans-serif;line-height:1.6;text-align:center}"
    "h1{font-size:30pt;line-height:1.6;margin:6mm 0}h2{font-size:18pt;font-weight:normal;margin:2mm 0}"
    "p{font-size:15pt;margin:3mm 0}p.en{font-size:12pt}img{width:62mm}.level{font-size:15pt;border:.8mm solid #111;"
    "padding:2mm 5mm;display:inline-block}.sim{font-size:16pt;border:.8mm dashed #111;padding:2mm}.s{font-size:9pt}"
)


def poster(notice: Published, sender: Sender, area: Area) -> str:
    """The page as HTML for ``ctx.pdf``."""
    facts, url = notice.facts, f"{sender.base}/n/{notice.id}"
    th, en = LEVELS[facts["severity"]]
    sim = '<p class="sim">จำลอง / simulated</p>' if facts.get("simulated") else ""
    return (
        f'<!doctype html><html lang="th"><meta charset="utf-8"><title>{escape(facts["title_th"])}</title>'
        f"<style>{_STYLE}</style>{sim}<p>{escape(sender.name_th)}</p>"
        f'<p class="level">{th} / {en}</p><h1>{escape(facts["title_th"])}</h1><h2>{escape(facts["title_en"])}</h2>'
        f"<p>{_lines(facts['text_th'])}</p><p class='en'>{_lines(facts['text_en'])}</p>"
        f"<p>{escape(area.name.th)} · ถึง {thai_time(facts['until'])}</p>"
        f'<img alt="QR" src="{segno.make(url, error="m").svg_data_uri(border=4)}">'
        f'<p>สแกนเพื่ออ่านประกาศล่าสุด / Scan for the notice as it is now</p><p class="s">{escape(url)}</p></html>'
    )


def _lines(text: str) -> str:
    return "<br>".join(escape(line) for line in text.splitlines())
