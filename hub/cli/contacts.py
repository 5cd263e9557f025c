"""``hub contacts``: the sheet that hangs beside the desk for the night when nothing else works."""

from __future__ import annotations

import argparse
import asyncio
import datetime
import html
from pathlib import Path
from typing import TYPE_CHECKING

from hub.cli import options

if TYPE_CHECKING:
    from hub.host.config import HubConfig

_STYLE = (
    "@page { size: A4; margin: 18mm } body { font-family: 'Sarabun', 'Garuda', 'Loma', sans-serif; line-height: 1.7 }"
    "h1 { font-size: 22pt; margin: 0 } table { width: 100%; border-collapse: collapse; font-size: 14pt }"
    "td, th { border-bottom: 1px solid #999; text-align: left; padding: 6pt 4pt } .big { font-size: 20pt }"
    "footer { margin-top: 12pt; font-size: 10pt }"
)
ALWAYS = (("ตำรวจ / Police", "191"), ("กู้ชีพ / Ambulance", "1669"), ("ดับเพลิง / Fire", "199"))


def add(commands: options.Commands) -> None:
    """Declare the command."""
    made = options.command(commands, "contacts", _contacts, "print the sheet of fall-back contacts as PDF")
    options.config(made)
    made.add_argument("output", type=Path, metavar="FILE", help="the PDF")


def _contacts(given: argparse.Namespace) -> int:
    from hub.host.config import load
    from hub.host.pdf import Pdf

    config = load(given.config)
    made = asyncio.run(Pdf()(sheet(config, datetime.datetime.now(tz=datetime.UTC).date())))
    given.output.write_bytes(made)
    print(f"{given.output}: {len(config.upkeep.contacts)} contacts")
    return 0


def sheet(config: HubConfig, today: datetime.date) -> str:
    """The page in HTML; Buddhist-era date."""
    rows = [_row(name, phone, "", "") for name, phone in ALWAYS]
    for one in config.upkeep.contacts:
        note = f"{one.note.th} / {one.note.en}" if one.note else ""
        rows.append(_row(f"{one.name.th} / {one.name.en}", one.phone, one.radio, note))
    name = config.zone.name
    date = f"{today.day}/{today.month}/{today.year + 543}"
    return (
        f"<!doctype html><meta charset=utf-8><style>{_STYLE}</style><h1>ติดต่อเมื่อระบบใช้ไม่ได้</h1>"
        f"<p>When nothing else works · {html.escape(name.th)} · {html.escape(name.en)}</p>"
        "<table><tr><th>ใคร / Who<th>โทร / Phone<th>วิทยุ / Radio<th></tr>" + "".join(rows) + "</table>"
        f"<footer>พิมพ์ {date} · ตรวจทุกเดือน / Printed; check every month</footer>"
    )


def _row(name: str, phone: str, radio: str, note: str) -> str:
    cells = "".join(f"<td>{html.escape(text)}" for text in (radio, note))
    return f"<tr><td>{html.escape(name)}<td class=big>{html.escape(phone)}{cells}</tr>"
