"""The table of rights and of roles: data, in one place. What is not written here is denied.

A right is ``domain.verb``. A role holds patterns: a right itself, ``incident.*`` (every verb of a domain) or
``*.control`` (that verb in every domain: the default right of an action that names none, so actions of a plugin that
was written after this table reach the control desk). ``OWN`` holds what a role may do with its owner's entities only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from hub.core.text import Text

RIGHT_FORM: Final = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
PATTERN_FORM: Final = re.compile(r"\*|(?:[a-z][a-z0-9_]*|\*)\.[a-z][a-z0-9_]*|[a-z][a-z0-9_]*\.\*")

RIGHTS: Final[Mapping[str, Text]] = {
    "state.read": Text("ดูสถานะอุปกรณ์และแผนที่", "See entities and the map"),
    "event.read": Text("ดูเหตุการณ์ในบันทึก", "See recorded events"),
    "event.emit": Text("ส่งเหตุการณ์เข้าระบบ", "Send events in"),
    "personal.read": Text("เห็นข้อมูลส่วนบุคคลที่ไม่ปิดบัง", "See personal data unmasked"),
    "media.read": Text("ดูภาพและวิดีโอ", "See pictures and video"),
    "unit.read": Text("ดูตำแหน่งสายตรวจ", "See where units are"),
    "unit.control": Text("เปลี่ยนสถานะสายตรวจ", "Change a unit's duty status"),
    "unit.alert": Text("แจ้งเตือนสายตรวจ", "Alert a unit"),
    "incident.read": Text("ดูเหตุ", "See incidents"),
    "incident.control": Text("เปิด รับทราบ มอบหมาย ปิดเหตุ", "Open, acknowledge, assign and close incidents"),
    "alarm.control": Text("รับทราบและพักสัญญาณเตือน", "Acknowledge and shelve alarms"),
    "camera.view": Text("สั่งถ่ายภาพจากกล้อง", "Take a camera's picture"),
    "camera.watch": Text("ดูภาพสดจากกล้อง", "Watch cameras live"),
    "camera.clip": Text("เก็บคลิปเป็นหลักฐาน", "Keep clips as evidence"),
    "camera.control": Text("หมุนและซูมกล้อง", "Move and zoom cameras"),
    "share.manage": Text("แบ่งปันกล้องของตน และดูว่าใครดู", "Share one's own cameras and see who looked"),
    "share.ask": Text("ขอดูกล้องของเอกชน", "Ask owners to share their cameras"),
    "light.control": Text("ควบคุมไฟถนน", "Control street lights"),
    "light.limits": Text("กำหนดเพดานไฟถนน", "Set the limits of the street lights"),
    "drone.dispatch": Text("ส่งโดรนและยืนยันการบิน", "Dispatch a drone and confirm its flight"),
    "drone.return": Text("เรียกโดรนกลับ", "Bring a drone home"),
    "drone.control": Text("ควบคุมโดรน", "Control drones"),
    "radio.control": Text("ประกาศทางวิทยุ", "Announce on the radio"),
    "notify.control": Text("ส่งข้อความแจ้งเตือน", "Send notices"),
    "notice.approve": Text("อนุมัติประกาศที่ผู้อื่นร่าง", "Approve a notice that another person drafted"),
    "call.control": Text("รับสายฉุกเฉิน", "Take emergency calls"),
    "report.control": Text("รับ ตอบ รวม และปิดเรื่องในกล่องรับแจ้ง", "Take, answer, merge and close reports"),
    "checkpoint.control": Text("จัดการจุดตรวจตู้แดง", "Manage red-box check-points"),
    "watchlist.read": Text("ดูบัญชีเฝ้าระวัง", "See the watch-list"),
    "watchlist.control": Text("เพิ่มและแก้บัญชีเฝ้าระวัง", "Add and change watch-list entries"),
    "watchlist.review": Text("ยืนยันหรือปฏิเสธป้ายที่พบ", "Confirm or reject a hit"),
    "watchlist.approve": Text("อนุมัติบัญชีเฝ้าระวัง", "Approve watch-list entries"),
    "helper.control": Text("ตั้งค่าตัวช่วยของกฎ", "Set the helpers of rules"),
    "duty.sign": Text("ลงชื่อเข้าเวร ทดสอบเสียง ส่งและรับเวร", "Sign in to a shift, test its sound, hand it over"),
    "register.look_up": Text("ค้นทะเบียนของตำรวจ", "Look up in police registers"),
    "document.read": Text("ดูเอกสารประจำสถานี", "See the station's documents"),
    "document.write": Text("แก้เอกสารประจำสถานี", "Change the station's documents"),
    "automation.read": Text("ดูกฎอัตโนมัติและร่องรอย", "See automations and traces"),
    "automation.write": Text("แก้ร่างกฎอัตโนมัติ", "Edit drafts of automations"),
    "automation.publish": Text("เผยแพร่กฎอัตโนมัติ", "Publish automations"),
    "plugin.read": Text("ดูสภาพปลั๊กอิน", "See the health of plugins"),
    "plugin.manage": Text("ตั้งค่าและเริ่มปลั๊กอินใหม่", "Set up and restart plugins"),
    "system.manage": Text("โหลดค่าใหม่ สำรอง ปรับรุ่น", "Reload, back up, migrate"),
    "user.manage": Text("จัดการบัญชีผู้ใช้", "Manage accounts"),
    "grant.manage": Text("ให้และถอนสิทธิชั่วคราว", "Give and revoke grants"),
    "audit.read": Text("ดูและตรวจบันทึกการเข้าถึง", "See and verify the audit ledger"),
    "public.read": Text("ดูหน้าสำหรับประชาชน", "See the citizens' pages"),
    "public.report": Text("แจ้งเหตุจากหน้าประชาชน", "Report from the citizens' pages"),
}

_PUBLIC: Final = frozenset({"public.read", "public.report"})
_BOARD: Final = frozenset({"state.read", "event.read", "incident.read", "unit.read", "media.read", "plugin.read"})
_DESK: Final = _PUBLIC | _BOARD | {
    "personal.read", "event.emit", "*.control", "camera.*", "share.ask", "drone.*", "unit.*", "incident.*",
    "watchlist.read", "watchlist.review", "document.read", "automation.read",
}  # fmt: skip

ROLES: Final[Mapping[str, frozenset[str]]] = {
    "commander": _DESK | {"register.look_up",
        "watchlist.approve", "notice.approve", "document.write", "duty.sign", "user.manage", "grant.manage",
        "audit.read",
    },
    "ccoc": _DESK | {"register.look_up", "document.write", "duty.sign", "notice.approve"},
    "operator": _DESK | {
        "document.write", "automation.write", "automation.publish", "plugin.manage",
    },
    "patrol": _PUBLIC | _BOARD | {"personal.read", "incident.control", "watchlist.read", "document.read"},
    "municipality": _PUBLIC | {"state.read", "plugin.read", "light.*"},
    "partner": _PUBLIC,
    "auditor": _PUBLIC | {"state.read", "event.read", "automation.read", "plugin.read", "audit.read"},
    "technician": _PUBLIC | {
        "state.read", "event.read", "plugin.read", "plugin.manage", "system.manage", "automation.read",
    },
    # the wall: anyone in the room sees it, so it reads, and sees no plate that was read, neither as text nor as picture
    "display": (_BOARD - {"media.read"}) | {"camera.watch"},
    "public": _PUBLIC,
    "system": frozenset({"*"}),  # the hub itself; no account may have it
}  # fmt: skip

OWN: Final[Mapping[str, frozenset[str]]] = {
    "partner": frozenset(
        {"state.read", "event.read", "camera.view", "camera.watch", "camera.control", "media.read", "share.manage"}
    ),
}

# Rights that an owner may ask for without naming an entity, because the answer is a list which the caller filters
# with ``Roles.may(actor, right, entity)``.
LISTS: Final = frozenset({"state.read", "event.read"})

ASSIGNABLE: Final = tuple(sorted(ROLES.keys() - {"system", "public"}))


def matches(pattern: str, right: str) -> bool:
    """Does a pattern cover the right?"""
    if pattern in (right, "*"):
        return True
    domain, _, verb = pattern.partition(".")
    own_domain, _, own_verb = right.partition(".")
    return (verb == "*" and domain == own_domain) or (domain == "*" and verb == own_verb)


def holders(right: str) -> list[str]:
    """The roles that have the right, by name (``partner`` when it is for own entities only); not ``system``."""
    return sorted(
        role for role in ROLES if role != "system"
        and any(matches(pattern, right) for pattern in ROLES[role] | OWN.get(role, frozenset()))
    )  # fmt: skip
