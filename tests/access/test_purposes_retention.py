from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from hub.access.purposes import DUTIES, Purposes, require_purpose
from hub.access.retention import CLASSES, apply, due, with_days
from hub.access.rights import ROLES
from hub.core.access import Actor
from hub.core.error import Denied, InvalidInput


def officer(purpose: str | None, *roles: str) -> Actor:
    return Actor("user:somchai", frozenset(roles or ("ccoc",)), purpose=purpose, person=True)


PURPOSES = Purposes({"incident.7"}.__contains__)


@pytest.mark.parametrize("purpose", ["incident.7", "duty.ccoc_watch", "duty.missing_person"])
def test_purposes_that_hold(purpose: str) -> None:
    assert PURPOSES.require(officer(purpose)) == purpose


@pytest.mark.parametrize(
    ("purpose", "words"),
    [
        (None, "for a purpose only"),
        ("", "for a purpose only"),
        ("incident.8", "not an open incident"),
        ("incident.", "no purpose"),
        ("curiosity", "no purpose"),
        ("duty.curiosity", "no purpose"),
        ("duty.", "no purpose"),
        ("duty.patrol", "does not have the duty patrol"),
    ],
)
def test_purposes_that_do_not_hold_say_what_to_name(purpose: str | None, words: str) -> None:
    with pytest.raises(Denied, match=words) as denied:
        PURPOSES.require(officer(purpose))
    assert "incident.ID" in denied.value.hint
    assert denied.value.where == "purpose"


def test_duties_open_to_a_role() -> None:
    assert sorted(PURPOSES.open_to(officer(None, "patrol"))) == ["duty.missing_person", "duty.patrol", "duty.traffic"]
    assert PURPOSES.open_to(officer(None, "technician")) == {}
    assert require_purpose(officer("anything")) == "anything"


def test_every_duty_belongs_to_roles_that_exist_and_may_see_personal_data() -> None:
    for duty in DUTIES.values():
        assert all("personal.read" in ROLES[role] for role in duty.roles)


# --- retention


def test_what_is_due_on_a_day() -> None:
    assert dict(due(CLASSES.values(), date(2027, 3, 1))) == {
        "operational": "2026-12-01", "actions": "2026-03-01", "plates": "2027-01-30", "positions": "2027-01-30",
        "incidents": "2022-03-01", "audit": "2024-02-29", "snapshot": "2027-02-22", "messages": "2026-12-01",
    }  # fmt: skip


class Keys:
    """Keys per class and day, destroyed as the journal does."""

    def __init__(self, days: dict[str, list[str]]) -> None:
        self.days = days

    def destroy_keys(self, retention_class: str, before_day: str) -> list[dict[str, Any]]:
        gone = [day for day in self.days.get(retention_class, []) if day < before_day]
        self.days[retention_class] = [day for day in self.days.get(retention_class, []) if day >= before_day]
        return [{"class": retention_class, "day": day} for day in gone]


def test_apply_destroys_what_is_due_and_returns_the_receipts() -> None:
    keys = Keys({"plates": ["2027-01-28", "2027-01-29", "2027-01-30", "2027-03-01"], "snapshot": ["2027-02-21"]})
    assert apply(keys, date(2027, 3, 1)) == [
        {"class": "plates", "day": "2027-01-28"}, {"class": "plates", "day": "2027-01-29"},
        {"class": "snapshot", "day": "2027-02-21"},
    ]  # fmt: skip
    assert apply(keys, date(2027, 3, 1)) == []
    assert keys.days["plates"] == ["2027-01-30", "2027-03-01"]


def test_the_stations_own_days() -> None:
    classes = with_days({"plates": 14})
    assert (classes["plates"].days, classes["audit"].days) == (14, CLASSES["audit"].days)
    assert classes["plates"].title.th == "ป้ายทะเบียน"


@pytest.mark.parametrize("days", [{"plate": 14}, {"plates": 0}, {"plates": 5000}, {"plates": True}])
def test_senseless_days_are_refused(days: dict[str, int]) -> None:
    with pytest.raises(InvalidInput):
        with_days(days)


def test_every_class_has_a_ground_and_titles_in_both_languages() -> None:
    assert set(CLASSES) == {
        "operational",
        "actions",
        "plates",
        "positions",
        "incidents",
        "audit",
        "snapshot",
        "messages",
    }
    for kind in CLASSES.values():
        assert kind.ground
        assert any("\u0e00" <= ch <= "\u0e7f" for ch in kind.title.th)
        assert kind.title.en.isascii()
