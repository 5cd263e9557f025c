"""The report as HTML for the screen and for print, by jinja2 with autoescape."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .gather import Facts
from .period import thai_date

FOLDER = Path(__file__).with_name("templates")
WORDS: dict[str, dict[str, str]] = {
    "priority": {"critical": "วิกฤต", "high": "สูง", "normal": "ปกติ", "info": "แจ้งให้ทราบ"},
    "verdict": {
        "met": "ถึงเป้า / met", "not_met": "ไม่ถึงเป้า / not met", "cannot_tell": "ยังสรุปไม่ได้ / cannot tell",
        "hidden": "คำตอบน้อยเกินไป / too few answers",
    },
    "kind": {
        "watchlist_hit": "พบป้ายเฝ้าระวัง", "call_191": "แจ้ง 191", "report": "ประชาชนแจ้ง", "sos": "ขอความช่วยเหลือ (SOS)",
        "checkpoint_missed": "ขาดตรวจตู้แดง",
    },
    "result": {
        "resolved": "คลี่คลายแล้ว", "false_alarm": "แจ้งเท็จหรือเข้าใจผิด", "handed_over": "ส่งต่อหน่วยอื่น",
        "duplicate": "ซ้ำกับเหตุอื่น",
    },
    "actor": {"user": "เจ้าหน้าที่", "automation": "กฎอัตโนมัติ", "instance": "ปลั๊กอิน", "hub": "ระบบ"},
    "status": {
        "done": "สำเร็จ", "failed": "ไม่สำเร็จ", "timed_out": "เกินเวลา", "unknown": "ไม่ทราบผล", "refused": "ถูกปฏิเสธ",
        "expired": "หมดเวลายืนยัน",
    },
    "answer": {"yes": "ยืนยัน", "no": "ไม่ยืนยัน", "expired": "ไม่มีผู้ตอบทัน"},
    "channel": {
        "qr": "คิวอาร์", "line": "LINE", "ilertu": "I Lert U", "phone": "โทรศัพท์", "sos": "SOS", "form": "แบบฟอร์ม",
    },
}  # fmt: skip


def duration(seconds: float | None) -> str:
    """``1 ชม. 02 นาที``, ``3 นาที 05 วินาที``; a dash for nothing."""
    if seconds is None:
        return "–"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} วินาที"
    if whole < 3600:
        return f"{whole // 60} นาที {whole % 60:02d} วินาที"
    return f"{whole // 3600} ชม. {whole % 3600 // 60:02d} นาที"


def percent(value: float | None) -> str:
    """``97.3 %``; a dash for nothing."""
    return "–" if value is None else f"{value:.1f} %"


def word(value: str, of: str) -> str:
    """The Thai word of a name, or the name itself."""
    return WORDS[of].get(value, value)


def environment() -> Environment:
    """Made at each use: describing a plugin reads no file."""
    made = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    made.filters.update(duration=duration, percent=percent, thai_date=thai_date, word=word)
    return made


def render(facts: Facts, months: Sequence[Facts], station: str, simulated: bool) -> str:
    """The page. ``months``: one by one, for an evaluation; empty for a month's report."""
    given: dict[str, Any] = {"facts": facts, "months": months, "station": station, "simulated": simulated}
    return environment().get_template("report.html").render(given)
