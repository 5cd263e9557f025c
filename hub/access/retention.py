"""Retention classes as data, and what is due. Deletion destroys the day's key and leaves a receipt.

Event types and sealed records name a class. The days are the hub's defaults: the station's data protection officer
decides them (``with_days``), the ground written here is where to begin.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Final, Protocol

from hub.core.error import InvalidInput
from hub.core.text import Text

LONGEST_DAYS = 3_653  # ten years


@dataclass(frozen=True, slots=True)
class RetentionClass:
    """Data of day D is readable through day D + ``days``. ``ground``: why it may be kept so long."""

    name: str
    days: int
    title: Text
    ground: str


_TASK = "Personal Data Protection Act B.E. 2562, s. 24(4): a task carried out in the public interest"
_DUTY = "Personal Data Protection Act B.E. 2562, s. 24(6): compliance with a law (s. 37: security of data)"
_COPY = "a copy for a quick restart; no purpose of its own"

_TABLE: Final = (
    ("operational", 90, "ข้อมูลการทำงาน", "Operation of devices", _TASK),
    ("actions", 365, "การสั่งการ", "Orders and their outcome", f"{_TASK}; proof of who ordered what"),
    ("plates", 30, "ป้ายทะเบียน", "Plate reads", f"{_TASK}; longer only inside an incident"),
    ("positions", 30, "ตำแหน่ง", "Positions of people and units", _TASK),
    ("incidents", 1_826, "เหตุ", "Incidents and their evidence", f"{_TASK}; evidence of a case"),
    ("audit", 1_096, "รายละเอียดการเข้าถึง", "Details of look-ups", _DUTY),
    ("snapshot", 7, "ภาพรวมสถานะ", "Snapshots of the state", _COPY),
    ("messages", 90, "ข้อความ", "Messages with citizens and units", _TASK),
)

CLASSES: Final[Mapping[str, RetentionClass]] = {
    name: RetentionClass(name, days, Text(th, en), ground) for name, days, th, en, ground in _TABLE
}


class KeyStore(Protocol):
    """A journal that can destroy keys."""

    def destroy_keys(self, retention_class: str, before_day: str) -> list[dict[str, Any]]:
        """Destroy the class's keys of all days before ``before_day`` (ISO); one receipt for each key."""


def with_days(days: Mapping[str, int], classes: Mapping[str, RetentionClass] = CLASSES) -> dict[str, RetentionClass]:
    """The classes with the station's own days; ``InvalidInput`` for an unknown class or a senseless number."""
    for name, number in days.items():
        if name not in classes:
            known = ", ".join(sorted(classes))
            raise InvalidInput(f"no retention class {name!r}", where=f"retention.{name}", hint=f"classes: {known}")
        if isinstance(number, bool) or not 1 <= number <= LONGEST_DAYS:
            raise InvalidInput(f"days are 1 to {LONGEST_DAYS}", where=f"retention.{name}")
    return {name: replace(kind, days=days.get(name, kind.days)) for name, kind in classes.items()}


def due(classes: Iterable[RetentionClass], today: date) -> list[tuple[str, str]]:
    """What is to be destroyed today: (class, first day that is kept, ISO)."""
    return [(kind.name, (today - timedelta(days=kind.days)).isoformat()) for kind in classes]


def apply(journal: KeyStore, today: date, classes: Mapping[str, RetentionClass] = CLASSES) -> list[dict[str, Any]]:
    """Destroy all keys that are due and return the receipts; it blocks, and doing it twice a day is harmless."""
    return [receipt for name, before in due(classes.values(), today) for receipt in journal.destroy_keys(name, before)]
