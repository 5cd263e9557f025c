"""The handover note as a printed page, in Thai with the hash at its foot."""

from __future__ import annotations

from html import escape
from typing import Any
from zoneinfo import ZoneInfo

from .handover import SECTIONS, digest
from .times import buddhist

TITLES = {
    "incidents": "เหตุที่ยังไม่ปิด", "alarms": "สัญญาณเตือนที่ยังอยู่", "shelved": "สัญญาณเตือนที่พักไว้",
    "silent": "อุปกรณ์ที่เงียบหรือติดต่อไม่ได้", "reports": "เรื่องรับแจ้งที่ยังไม่ปิด",
    "lights": "ไฟที่ควบคุมด้วยมือ", "watchlist": "บัญชีเฝ้าระวังที่ใกล้หมดอายุ",
}  # fmt: skip
SOUND = {"heard": "ได้ยินชัดเจน", "weak": "เบา", "not_heard": "ไม่ได้ยิน"}
WORDS = {
    "open": "เปิด", "acknowledged": "รับทราบแล้ว", "assigned": "มอบหมายแล้ว", "unacknowledged": "ยังไม่รับทราบ",
    "received": "รับแจ้งแล้ว", "seen": "เห็นแล้ว", "helping": "กำลังช่วย",
}  # fmt: skip
STYLE = """@page { size: A4; margin: 18mm 16mm; @bottom-right { content: "หน้า " counter(page) "/" counter(pages);
font: 8pt Loma } } body { font: 10.5pt/1.5 Loma, Sarabun, sans-serif } h1 { font-size: 16pt; margin: 0 } h2 { font-size:
12pt; margin: 5mm 0 1mm } table { width: 100%; border-collapse: collapse } td { border-bottom: .3pt solid #999; padding:
1mm; vertical-align: top } .when { width: 42mm; white-space: nowrap } .more { width:
48mm } .none { color: #555 } .hash { font: 7.5pt
monospace; word-break: break-all } .sign td { border: 0; padding-top: 14mm; width: 50% } pre { white-space: pre-wrap;
font: inherit; margin: 0 }"""


def handover_page(note: dict[str, Any], zone: ZoneInfo) -> str:
    """HTML for ``ctx.pdf``."""
    sections = "".join(_section(kind, note["sections"].get(kind, {}), zone) for kind in SECTIONS)
    on_duty = ", ".join(_person(one) for one in note["on_duty"]) or "–"
    sound = SOUND.get(str(note["sound_test"]), "ยังไม่ทดสอบ")
    whole = "ตรงกับเอกสาร" if digest(note) == note["hash"] else "ไม่ตรงกับเอกสาร: ถูกแก้ไข"
    return (
        f"<!doctype html><html lang=th><meta charset=utf-8><style>{STYLE}</style>"
        f"<h1>บันทึกส่งเวรศูนย์ควบคุม</h1><p>{escape(note['name'])} · {buddhist(note['since'], zone)} ถึง "
        f"{buddhist(note['until'], zone)}<br>ผู้เข้าเวร: {escape(on_duty)}<br>ทดสอบเสียง: {sound}</p>"
        f"<h2>ข้อความจากผู้ส่งเวร</h2><pre>{escape(note['note']) or '–'}</pre>{sections}"
        f"<table class=sign><tr>{_signature('ผู้ส่งเวร', note['given_by'], note['given_at'], zone)}"
        f"{_signature('ผู้รับเวร', note['accepted_by'], note['accepted_at'], zone)}</tr></table>"
        f"<p class=hash>{escape(note['id'])} · SHA-256 {note['hash']}<br>{whole}</p></html>"
    )


def _person(person: dict[str, Any]) -> str:
    return f"{person.get('title', '')} {person.get('name', '')}".strip() or str(person.get("account", ""))


def _signature(what: str, person: dict[str, Any] | None, at: float | None, zone: ZoneInfo) -> str:
    if person is None or at is None:
        return f"<td>{what}: ยังไม่ลงนาม</td>"
    return f"<td>{what}: {escape(_person(person))} ({escape(person['account'])})<br>{buddhist(at, zone)}</td>"


def _section(kind: str, section: dict[str, Any], zone: ZoneInfo) -> str:
    lines, count = section.get("lines", []), section.get("count", 0)
    head = f"<h2>{TITLES[kind]} ({count})</h2>"
    if section.get("problem"):
        return f"{head}<p class=none>ตรวจไม่ได้: {escape(section['problem'])}</p>"
    if not lines:
        return f"{head}<p class=none>ไม่มี</p>"
    rows = "".join(_row(line, zone) for line in lines)
    more = f"<p class=none>และอีก {count - len(lines)} รายการ</p>" if count > len(lines) else ""
    return f"{head}<table>{rows}</table>{more}"


def _row(line: dict[str, Any], zone: ZoneInfo) -> str:
    when = buddhist(line["since"], zone) if isinstance(line.get("since"), (int, float)) else ""
    until = f"<br>ถึง {buddhist(line['until'], zone)}" if isinstance(line.get("until"), (int, float)) else ""
    detail = " · ".join(WORDS.get(word, word) for word in line["detail"].split(" · "))
    return (
        f"<tr><td class=when>{when}{until}</td><td>{escape(line['what'])}<br><small>{escape(line['ref'])}</small></td>"
        f"<td class=more>{escape(detail)}</td></tr>"
    )
