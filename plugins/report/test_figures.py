"""Figures computed by hand."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from hub.sdk import Event, InvalidInput
from plugins.report import figures, period
from plugins.report.figures import Times, Turn

HOUR = 3600.0


def event(type_: str, at: float, entity: str | None = None, /, **data: Any) -> Event:
    return Event(int(at), f"id{at}", type_, at, at, entity, "test", data)


def opened(n: int, at: float, kind: str = "call_191", priority: str = "high", simulated: bool = False) -> Event:
    facts = {"kind": kind, "priority": priority, "opened_at": at, "simulated": simulated}
    return event("incident_opened", at, f"incident.{n}", **facts)


@pytest.mark.parametrize(
    ("seconds", "middle", "ninety"),
    [
        ([], None, None), ([7], 7, 7), ([1, 2, 3, 4], 2.5, 4), ([5, 1, 3], 3, 5), (list(range(1, 11)), 5.5, 9),
        (list(range(1, 12)), 6, 10), ([60] * 9 + [6000], 60, 60), ([60] * 8 + [6000] * 2, 60, 6000),
    ],
)  # fmt: skip
def test_median_and_the_nearest_rank_of_90_percent(seconds: list[float], middle: float, ninety: float) -> None:
    assert Times.of(seconds) == Times(len(seconds), middle, ninety)


def test_incidents_by_kind_and_priority_with_their_times() -> None:
    """Acknowledged after 60, 120, 300 s: median 120, 90 % within 300. Closed after 600 and 1,800 s: median 1,200."""
    begun = [
        opened(1, 1000), opened(2, 2000, "sos", "critical"), opened(3, 3000), opened(4, 4000, priority="normal"),
    ]  # fmt: skip
    followed = [
        event("incident_acknowledged", 1060, "incident.1", by="user:a", at=1060),
        event("incident_acknowledged", 1900, "incident.1", by="user:b", at=1900),  # the second time counts no more
        event("incident_assigned", 1090, "incident.1", unit="unit.s1", by="user:a"),
        event("incident_closed", 1600, "incident.1", by="user:a", at=1600, result="resolved"),
        event("incident_acknowledged", 2120, "incident.2", by="user:a", at=2120),
        event("incident_acknowledged", 3300, "incident.3", by="user:a", at=3300),
        event("incident_closed", 3800, "incident.2", by="user:a", at=3800, result="false_alarm"),
        event("incident_closed", 3900, "incident.of_before", by="user:a", at=3900, result="resolved"),
    ]
    found = figures.incidents(begun, followed)
    assert found.table == {
        "call_191": {"critical": 0, "high": 2, "normal": 1, "info": 0},
        "sos": {"critical": 1, "high": 0, "normal": 0, "info": 0},
    }
    assert (found.n, found.open, found.results) == (4, 2, {"resolved": 1, "false_alarm": 1})
    assert (found.acknowledge, found.assign) == (Times(3, 120, 300), Times(1, 90, 90))
    assert found.close == Times(2, 1200, 1800)


def test_simulated_incidents_never_mix_with_real_ones() -> None:
    mixed = figures.incidents([opened(1, 1), opened(2, 2, simulated=True), opened(3, 3, simulated=True)], [])
    assert (mixed.n, mixed.left_out, mixed.simulated) == (1, 2, False)
    alone = figures.incidents([opened(2, 2, simulated=True)], [])
    assert (alone.n, alone.left_out, alone.simulated) == (1, 0, True)


def test_a_camera_s_time_with_a_picture() -> None:
    """From 0 to 100 h. Up at the start, down from 10 to 15 h and from 40 to 60 h: 75 of 100 hours, two breaks."""
    turns = [Turn(-5 * HOUR, True), Turn(10 * HOUR, False), Turn(15 * HOUR, True), Turn(40 * HOUR, False),
             Turn(41 * HOUR, False), Turn(60 * HOUR, True), Turn(120 * HOUR, False)]  # fmt: skip
    found = figures.uptime("camera.a", turns, 0, 100 * HOUR)
    assert (found.percent, found.breaks, found.measured) == (75.0, 2, 100 * HOUR)


def test_before_a_camera_was_there_nothing_is_measured() -> None:
    found = figures.uptime("camera.a", [Turn(50 * HOUR, False), Turn(60 * HOUR, True)], 0, 100 * HOUR)
    assert (found.measured, found.up, found.percent) == (50 * HOUR, 40 * HOUR, 80.0)
    assert figures.uptime("camera.a", [], 0, HOUR).percent is None


def test_patrols_by_check_point() -> None:
    scans = [
        event("checkpoint_scanned", 1, "checkpoint.a", doubts=[]),
        event("checkpoint_scanned", 2, "checkpoint.a", doubts=["too_fast"]),
        event("checkpoint_scanned", 3, "checkpoint.b", doubts=[]),
    ]  # fmt: skip
    missed = [event("checkpoint_missed", 4, "checkpoint.b", window_start=1, window_end=2)]
    days = [  # of the first day only the last figure counts
        event("checkpoint_coverage", 10, "checkpoint.a", windows_due=2, windows_met=1),
        event("checkpoint_coverage", 20, "checkpoint.a", windows_due=4, windows_met=3),
        event("checkpoint_coverage", 86_400, "checkpoint.a", windows_due=4, windows_met=4),
    ]
    a, b = figures.patrol(scans, missed, days, lambda at: str(int(at // 86_400)))
    assert (a.entity, a.scans, a.doubtful, a.missed, a.due, a.met, a.coverage) == ("checkpoint.a", 2, 1, 0, 8, 7, 87.5)
    assert (b.scans, b.missed, b.coverage) == (1, 1, None)


def test_promises_in_and_before_the_period() -> None:
    def made(n: int, at: float, due: float) -> Event:
        return event("promise_made", at, f"promise.{n}", text=f"p{n}", partner="partner.a", due_at=due, simulated=False)

    def ended(n: int, at: float, state: str, late: float) -> Event:
        return event("promise_ended", at, f"promise.{n}", state=state, late_s=late)

    rows = [
        made(1, 10, 150), made(2, 20, 300), made(3, 110, 180), made(4, 120, 500), made(5, 130, 140),
        event("promise_moved", 135, "promise.5", due_at=900), made(6, 136, 300),
        ended(1, 140, "kept", 0), ended(2, 310, "kept", 10), ended(6, 160, "dropped", 0),
    ]  # fmt: skip
    found = figures.promises([one for one in rows if one.received < 200], 100, 200)
    assert (found.made, found.kept_in_time, found.kept_late, found.dropped, found.open) == (4, 1, 0, 1, 4)
    assert [one["text"] for one in found.overdue] == ["p3"]  # the fifth was moved, the second is due later
    later = figures.promises(rows, 200, 400)
    assert (later.made, later.kept_late, [one["text"] for one in later.overdue]) == (0, 1, ["p3"])


def test_orders_by_whom_and_how_they_ended() -> None:
    asked = [event("action_requested", n, action=name, actor=actor) for n, (name, actor) in enumerate([
        ("incident.open", "automation:x"), ("incident.open", "user:a"), ("light.on", "user:b"),
    ])]  # fmt: skip
    done = [event("action_finished", n, status=status) for n, status in enumerate(["done", "done", "failed"])]
    found = figures.orders(asked, done, [event("confirmation_answered", 1, answer="yes")])
    assert (found.n, found.by, found.ended) == (3, {"user": 2, "automation": 1}, {"done": 2, "failed": 1})
    assert (found.answers, found.top) == ({"yes": 1}, [("incident.open", 2), ("light.on", 1)])


def test_polls_show_the_newest_round_of_all_communities() -> None:
    rows = [
        event("survey_result", 1, "poll.f_fear", group="", verdict="met"),
        event("survey_result", 2, "poll.f_fear", group="", verdict="not_met"),
        event("survey_result", 3, "poll_cell.f_fear_x", group="x", verdict="met"),
    ]  # fmt: skip
    assert [(one.entity, one.data["verdict"]) for one in figures.polls(rows)] == [("poll.f_fear", "not_met")]


def test_months_by_the_calendar_of_bangkok() -> None:
    october = period.read_month("2026-10")
    begin = datetime.datetime(2026, 9, 30, 17, 0, tzinfo=datetime.UTC).timestamp()
    assert (october.begin, october.end - october.begin, october.th) == (begin, 31 * 86_400, "ตุลาคม 2569")
    assert period.read_month("2026-12").end == period.read_month("2027-01").begin
    assert period.month_before(october.begin) == "2026-09"
    assert period.month_before(october.begin - 1) == "2026-08"
    parts = period.months("2026-11", "2027-01")
    assert [one.name for one in parts] == ["2026-11", "2026-12", "2027-01"]
    assert period.whole(parts).th == "พฤศจิกายน 2569 – มกราคม 2570"
    assert period.thai_date(begin + 6 * HOUR + 300) == "1 ตุลาคม 2569 06:05 น."


@pytest.mark.parametrize("name", ["2026-13", "2569-10 ", "October", "2026-1", "1999-01", ""])
def test_what_is_no_month_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="is no month"):
        period.read_month(name)
