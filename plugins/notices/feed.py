"""What the public reads: an RSS feed (RSS 2.0), one page for each notice, and CAP 1.2 for other systems.

CAP 1.2: OASIS Standard, Common Alerting Protocol Version 1.2, 1 July 2010, sections 3.2 and 3.3.
"""

from __future__ import annotations

import datetime
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import format_datetime
from html import escape
from typing import Any, Final

from .areas import Area

CAP: Final = "urn:oasis:names:tc:emergency:cap:1.2"
BANGKOK: Final = datetime.timezone(datetime.timedelta(hours=7))
ATOM: Final = "http://www.w3.org/2005/Atom"
MAX_ITEMS: Final = 50
URGENT: Final[Mapping[str, str]] = {
    "extreme": "Immediate", "severe": "Immediate", "moderate": "Expected", "minor": "Future",
}  # fmt: skip
_NOT_XML: Final = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
LEVELS: Final[Mapping[str, tuple[str, str]]] = {
    "extreme": ("ร้ายแรงที่สุด", "Extreme"), "severe": ("ร้ายแรง", "Severe"), "moderate": ("ปานกลาง", "Moderate"),
    "minor": ("แจ้งให้ทราบ", "Minor"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Published:
    """A notice that was published: its id, state and attributes."""

    id: str
    state: str
    facts: Mapping[str, Any]

    @property
    def open(self) -> bool:
        """Does it hold?"""
        return self.state == "published"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who publishes. ``id``: unique in CAP (section 3.2.1 sender); ``base``: the address of the public pages."""

    id: str
    name_th: str
    name_en: str
    contact: str
    base: str


def cap_time(at: float) -> str:
    """A time in CAP's form, with the zone's offset and no fraction (section 3.3.2)."""
    return datetime.datetime.fromtimestamp(int(at), BANGKOK).isoformat()


def thai_time(at: float) -> str:
    """``23 พ.ย. 2569 06:05 น.``"""
    months = "ม.ค. ก.พ. มี.ค. เม.ย. พ.ค. มิ.ย. ก.ค. ส.ค. ก.ย. ต.ค. พ.ย. ธ.ค.".split()
    when = datetime.datetime.fromtimestamp(at, BANGKOK)
    return f"{when.day} {months[when.month - 1]} {when.year + 543} {when:%H:%M} น."


def english_time(at: float) -> str:
    """``23 November 2026, 06:05``: people who read English count the years of the common era."""
    months = "January February March April May June July August September October November December".split()
    when = datetime.datetime.fromtimestamp(at, BANGKOK)
    return f"{when.day} {months[when.month - 1]} {when.year}, {when:%H:%M}"


def cap(notice: Published, sender: Sender, area: Area) -> bytes:
    """The notice as a CAP 1.2 alert; a withdrawn one as its cancellation."""
    facts, gone = notice.facts, notice.state == "withdrawn"
    alert = ET.Element("alert", {"xmlns": CAP})
    first = f"{sender.id},{notice.id},{cap_time(facts['published_at'])}"
    _put(alert, "identifier", f"{notice.id}-withdrawn" if gone else notice.id)
    _put(alert, "sender", sender.id)
    _put(alert, "sent", cap_time(facts["withdrawn_at"] if gone else facts["published_at"]))
    _put(alert, "status", "Exercise" if facts.get("simulated") else "Actual")
    _put(alert, "msgType", "Cancel" if gone else "Alert")
    _put(alert, "scope", "Public")
    if facts.get("simulated"):
        _put(alert, "note", "จำลอง / simulated")
    if gone:
        _put(alert, "references", first)
    for lang in ("th", "en"):
        _info(alert, notice, sender, area, lang)
    return _document(alert)


def _info(alert: ET.Element, notice: Published, sender: Sender, area: Area, lang: str) -> None:
    facts, info = notice.facts, ET.SubElement(alert, "info")
    _put(info, "language", {"th": "th-TH", "en": "en-US"}[lang])
    _put(info, "category", "Safety")
    _put(info, "event", "ประกาศความปลอดภัย" if lang == "th" else "Public safety notice")
    _put(info, "urgency", URGENT[facts["severity"]])
    _put(info, "severity", facts["severity"].capitalize())
    _put(info, "certainty", "Observed")
    _put(info, "effective", cap_time(facts["published_at"]))
    _put(info, "expires", cap_time(facts["until"]))
    _put(info, "senderName", sender.name_th if lang == "th" else sender.name_en)
    _put(info, "headline", facts[f"title_{lang}"])
    _put(info, "description", facts[f"text_{lang}"])
    _put(info, "web", f"{sender.base}/n/{notice.id}")
    if sender.contact:
        _put(info, "contact", sender.contact)
    place = ET.SubElement(info, "area")
    _put(place, "areaDesc", getattr(area.name, lang))
    if area.polygon:
        ring = [*area.polygon, area.polygon[0]]
        _put(place, "polygon", " ".join(f"{lat:.6f},{lon:.6f}" for lat, lon in ring))


def rss(notices: Sequence[Published], sender: Sender, now: float) -> bytes:
    """The notices that hold, newest first (RSS 2.0, rssboard.org/rss-specification)."""
    ET.register_namespace("atom", ATOM)
    root = ET.Element("rss", {"version": "2.0"})
    channel = ET.SubElement(root, "channel")
    _put(channel, "title", f"ประกาศ {sender.name_th}")
    _put(channel, "link", f"{sender.base}/rss.xml")
    _put(channel, "description", f"ประกาศด้านความปลอดภัย / public safety notices of {sender.name_en}")
    _put(channel, "language", "th")
    _put(channel, "lastBuildDate", _rfc822(max([one.facts["published_at"] for one in notices], default=now)))
    own = {"href": f"{sender.base}/rss.xml", "rel": "self", "type": "application/rss+xml"}
    ET.SubElement(channel, f"{{{ATOM}}}link", own)
    for one in sorted(notices, key=lambda one: -one.facts["published_at"])[:MAX_ITEMS]:
        _item(channel, one, sender)
    return _document(root)


def _item(channel: ET.Element, one: Published, sender: Sender) -> None:
    facts, item = one.facts, ET.SubElement(channel, "item")
    sim = "(จำลอง) " if facts.get("simulated") else ""
    _put(item, "title", f"{sim}{facts['title_th']} / {facts['title_en']}")
    _put(item, "link", f"{sender.base}/n/{one.id}")
    _put(item, "description", f"{facts['text_th']}\n\n{facts['text_en']}")
    _put(item, "category", LEVELS[facts["severity"]][1])
    ET.SubElement(item, "guid", {"isPermaLink": "false"}).text = f"{sender.id}:{one.id}"
    _put(item, "pubDate", _rfc822(facts["published_at"]))


def _document(root: ET.Element) -> bytes:
    body: bytes = ET.tostring(root, encoding="utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + body


def _rfc822(at: float) -> str:
    return format_datetime(datetime.datetime.fromtimestamp(int(at), datetime.UTC))


def _put(parent: ET.Element, tag: str, text: str) -> None:
    ET.SubElement(parent, tag).text = _clean(text)


def _clean(text: str) -> str:
    """Without the characters that XML 1.0 (section 2.2) does not know."""
    return _NOT_XML.sub("", text)


def page(notice: Published, sender: Sender, area: Area) -> bytes:
    """The notice for people, in both languages, without JavaScript."""
    facts = notice.facts
    level_th, level_en = LEVELS[facts["severity"]]
    ended = {"withdrawn": "ถอนประกาศแล้ว / withdrawn", "expired": "สิ้นสุดแล้ว / ended"}.get(notice.state, "")
    sim = "<p><b>จำลอง / simulated</b></p>" if facts.get("simulated") else ""
    body = (
        f'<p>{escape(sender.name_th)}</p>{sim}{f"<p class=bad>{ended}</p>" if ended else ""}'
        f"<h1>{escape(facts['title_th'])}</h1><p>{_lines(facts['text_th'])}</p>"
        f"<p>ระดับ: {level_th} · พื้นที่: {escape(area.name.th)} · ถึง {thai_time(facts['until'])}</p>"
        f'<section lang="en"><h2>{escape(facts["title_en"])}</h2><p>{_lines(facts["text_en"])}</p>'
        f"<p>{level_en} · {escape(area.name.en)} · until {english_time(facts['until'])}</p></section>"
        f'<p><a href="../cap/{notice.id}.xml">CAP 1.2</a> · <a href="../rss.xml">RSS</a></p>'
    )
    style = (
        "body{font:18px/1.6 sans-serif;max-width:38em;margin:0 auto;padding:1em;color:#111;background:#fff}"
        ".bad{border:2px solid #a40000;padding:.5em;font-weight:700}"
    )
    return (
        '<!doctype html><html lang="th"><meta charset="utf-8"><meta name="viewport" content="width=device-width,'
        f'initial-scale=1"><title>{escape(facts["title_th"])}</title><style>{style}</style><body>{body}</body></html>'
    ).encode()


def _lines(text: str) -> str:
    return "<br>".join(escape(line) for line in text.splitlines())
