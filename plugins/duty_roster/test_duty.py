"""The roster in the real hub, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hub.sdk import Denied, Entity, InvalidInput, ManualClock, Outcome, Text
from hub.testing import Harness, harness
from plugins.duty_roster.handover import digest
from plugins.duty_roster.page import handover_page

HERE = Path(__file__).parent
CURRENT = "shift.current"
OFFICERS = [
    {"account": account, "name": name, "title": "ร.ต.อ."}
    for account, name in (("somchai", "สมชาย"), ("malee", "มาลี"), ("wichai", "วิชัย"), ("dao", "ดาว"))
]
CONFIG: dict[str, Any] = {
    "officers": OFFICERS,
    "shifts": [
        {"id": "day", "name": {"th": "กลางวัน", "en": "Day"}, "start": "08:00", "end": "20:00",
         "officers": ["somchai", "malee"]},
        {"id": "night", "name": {"th": "กลางคืน", "en": "Night"}, "start": "20:00", "end": "08:00",
         "officers": ["wichai", "dao"]},
    ],
}  # fmt: skip


def at(text: str) -> float:
    """A time in Bangkok (UTC+7) as seconds since 1970."""
    return datetime.fromisoformat(f"{text}+07:00").astimezone(UTC).timestamp()


@dataclass
class Station:
    """The hub, its clock, and officers who do things."""

    hub: Harness
    clock: ManualClock

    async def act(self, who: str, action: str, /, **params: Any) -> Outcome:
        """Ask as an officer of that account."""
        other, person = Harness(self.hub.app, self.hub.instance), replace(self.hub.person(["ccoc"]), id=f"user:{who}")
        vars(other)["person"] = lambda roles=None: person
        return await other.call(action, CURRENT if action.startswith("shift.") else None, params)

    async def to(self, time: str) -> None:
        """Move the clock; what it brings has come when this returns (an edit looks at the clock too)."""
        self.clock.advance_to(at(time))
        assert (await self.act("boss", "roster.clear_shift", day="2030-01-01", shift="day")).status == "done"

    def about(self, name: str) -> Any:
        state = self.hub.state(CURRENT)
        return state.attributes.get(name) if state else None

    def notes(self) -> dict[str, Any]:
        return dict(self.hub.app.pipeline.journal.records("plugin:duty_roster:handovers"))


@pytest.fixture
async def at_work() -> AsyncIterator[Station]:
    clock = ManualClock(at("2026-11-23 07:50"))
    async with harness(HERE, CONFIG, clock=clock) as made:
        yield Station(made, clock)


async def begin_day(at_work: Station) -> None:
    """Both officers of the day are there, a minute into the shift."""
    hub = at_work.hub
    await at_work.to("2026-11-23 08:01")
    await hub.wait_event("shift_started", match={"shift": "20261123_day"})
    for account in ("somchai", "malee"):
        assert (await at_work.act(account, "shift.sign_in")).status == "done"


async def test_shifts_begin_and_end_by_the_station_s_clock(at_work: Station) -> None:
    hub = at_work.hub
    (first,) = hub.events("shift_started")
    assert (first.data["shift"], first.data["since"], first.data["until"]) == (
        "20261122_night", at("2026-11-22 20:00"), at("2026-11-23 08:00"),
    )  # fmt: skip
    await at_work.to("2026-11-23 08:00")
    started = await hub.wait_event("shift_started", match={"shift": "20261123_day"})
    assert [one["account"] for one in started.data["officers"]] == ["somchai", "malee"]
    (ended,) = hub.events("shift_ended")
    assert (ended.data["shift"], ended.data["handed_over"], ended.data["sound_test"]) == ("20261122_night", False, None)
    await hub.until(lambda: (now := hub.state("roster.20261123_day")) and now.state == "running")
    planned = hub.state("roster.20261123_night")
    assert planned is not None and (planned.state, planned.attributes["names"]) == (
        "planned", ["ร.ต.อ. วิชัย", "ร.ต.อ. ดาว"],
    )  # fmt: skip


async def test_who_is_on_duty_is_a_service_and_the_shift_before_stays_until_the_time_to_sign_in_ends(
    at_work: Station,
) -> None:
    hub = at_work.hub
    await begin_day(at_work)
    await at_work.to("2026-11-23 19:45")
    early = await at_work.act("wichai", "shift.sign_in")
    assert early.result == {"shift": "20261123_night", "on_duty": ["user:malee", "user:somchai"]}
    await at_work.to("2026-11-23 20:00:01")
    await hub.wait_event("shift_started", match={"shift": "20261123_night"})
    await hub.until(lambda: at_work.about("count") == 3)
    assert at_work.about("names") == ["ร.ต.อ. มาลี", "ร.ต.อ. สมชาย", "ร.ต.อ. วิชัย"]
    assert not [event for event in hub.events("duty_short") if event.data["shift"] == "20261123_night"]
    await at_work.to("2026-11-23 20:15:01")
    short = await hub.wait_event("duty_short", match={"shift": "20261123_night"})
    assert (short.data["count"], short.data["needed"]) == (1, 2)
    state = hub.state(CURRENT)
    assert state is not None and (state.state, at_work.about("names")) == ("short", ["ร.ต.อ. วิชัย"])
    await at_work.act("dao", "shift.sign_in")
    filled = await hub.wait_event("duty_filled")
    assert filled.data["count"] == 2
    assert (now := hub.state(CURRENT)) is not None and now.state == "running"
    await at_work.act("dao", "shift.sign_out", reason="ป่วย")
    again = await hub.wait_event("duty_short", match={"shift": "20261123_night"}, after=filled.seq)
    assert again.data["count"] == 1
    left = hub.events("duty_changed")[-1]
    assert (left.data["change"], left.data["by"], left.data["reason"]) == ("signed_out", "dao", "ป่วย")


async def test_the_sound_test_is_overdue_once_and_its_result_is_kept(at_work: Station) -> None:
    hub = at_work.hub
    await begin_day(at_work)
    await at_work.to("2026-11-23 08:14:59")
    assert [one for one in hub.events("sound_test_overdue") if one.data["shift"] == "20261123_day"] == []
    await at_work.to("2026-11-23 08:15:01")
    overdue = await hub.wait_event("sound_test_overdue", match={"shift": "20261123_day"})
    assert (overdue.data["minutes"], overdue.at) == (15, at("2026-11-23 08:15:01"))
    await at_work.to("2026-11-23 08:20")
    assert (await at_work.act("malee", "shift.sound_test", result="weak", note="ลำโพงซ้าย")).status == "done"
    done = await hub.wait_event("sound_test_done")
    assert (done.data["by"], done.data["result"], at_work.about("sound_test")) == ("malee", "weak", "weak")
    await at_work.to("2026-11-23 20:00:01")
    ended = await hub.wait_event("shift_ended", match={"shift": "20261123_day"})
    assert ended.data["sound_test"] == "weak"
    await hub.until(lambda: at_work.about("sound_test") is None)
    assert len([one for one in hub.events("sound_test_overdue") if one.data["shift"] == "20261123_day"]) == 1
    with pytest.raises(InvalidInput, match="result"):
        await at_work.act("malee", "shift.sound_test", result="loud")


async def open_things(at_work: Station) -> None:
    """Something of each kind that a shift hands over."""
    hub = at_work.hub
    now = at_work.clock.now()
    for entity in ("incident.i1", "alarm.a1", "alarm.a2", "report.r1", "light.l1", "camera.c1"):
        made = Entity(entity, Text(f"ชื่อ {entity}", entity))
        await hub.emit("entity_added", {"description": made.describe("test")}, entity=entity)
    await hub.emit("incident_opened", {"kind": "theft", "title": "ชิงทรัพย์ร้านทอง", "reference": "ท-014",
                                       "opened_at": now - 60, "opened_by": "user:x"}, entity="incident.i1")  # fmt: skip
    for alarm, title in (("alarm.a1", "ไฟดับ"), ("alarm.a2", "กล้องเงียบ")):
        await hub.emit("alarm_raised", {"priority": "high", "title": title, "raised_at": now}, entity=alarm)
    await hub.emit("alarm_shelved", {"by": "user:x", "reason": "ซ่อม", "until": now + 600}, entity="alarm.a2")
    await hub.emit("report_filed", {"receipt": "K7M-2QX", "door": "qr", "channel": "qr", "place": "ตลาด",
                                    "received_at": now}, entity="report.r1")  # fmt: skip
    await hub.emit("light_overridden", {"override_pct": 0, "override_until": now + 3600, "override_by": "user:e"},
                   entity="light.l1")  # fmt: skip
    await hub.emit("entity_silent", {"last_sign": now - 900, "limit_s": 60}, entity="camera.c1")


async def test_the_note_writes_itself_and_both_sign(at_work: Station) -> None:
    hub = at_work.hub
    await begin_day(at_work)
    await open_things(at_work)
    await at_work.to("2026-11-23 19:50")
    await at_work.act("wichai", "shift.sign_in")
    given = await at_work.act("somchai", "shift.hand_over", note="ระวังน้ำท่วมตลาด")
    assert given.status == "done"
    signed = await hub.wait_event("shift_handover_signed")
    assert (signed.data["by"], signed.data["hash"]) == ("somchai", given.result["hash"])
    assert at_work.about("handover_state") == "waiting"

    own = await at_work.act("somchai", "shift.accept")
    assert own.error is not None and own.error["message"] == "who hands over cannot accept it"
    stranger = await at_work.act("dao", "shift.accept")
    assert stranger.error is not None and "signed in" in stranger.error["message"]
    accepted = await at_work.act("wichai", "shift.accept")
    done = await hub.wait_event("shift_handed_over")
    assert (done.data["given_by"], done.data["accepted_by"]) == ("somchai", "wichai")
    assert done.data["counts"] == {
        "incidents": 1, "alarms": 1, "shelved": 1, "silent": 1, "reports": 1, "lights": 1, "watchlist": 0,
    }  # fmt: skip
    note = at_work.notes()[done.data["handover"]]
    assert digest(note) == note["hash"] == done.data["hash"] == accepted.result["hash"]
    assert note["note"] == "ระวังน้ำท่วมตลาด"
    lines = {kind: [line["what"] for line in part["lines"]] for kind, part in note["sections"].items()}
    assert lines == {
        "incidents": ["ท-014 ชิงทรัพย์ร้านทอง"], "alarms": ["ไฟดับ"], "shelved": ["กล้องเงียบ"],
        "silent": ["ชื่อ camera.c1"], "reports": ["K7M-2QX ตลาด"], "lights": ["ชื่อ light.l1"], "watchlist": [],
    }  # fmt: skip
    assert note["sections"]["watchlist"]["problem"]  # it is not installed here, and the note says so
    assert digest({**note, "note": "ไม่มีอะไร"}) != note["hash"]
    await at_work.to("2026-11-23 20:00:01")
    ended = await hub.wait_event("shift_ended", match={"shift": "20261123_day"})
    assert ended.data["handed_over"] is True
    await hub.until(lambda: at_work.about("names") == ["ร.ต.อ. วิชัย"])  # relieved: the day's officers are gone


def told(hub: Harness) -> list[tuple[str, str | None]]:
    kinds = ("shift_started", "shift_ended", "duty_changed", "shift_planned", "officer_listed")
    return [(event.type, event.entity) for event in hub.events() if event.type in kinds]


async def test_days_that_went_by_while_it_was_away_leave_the_list(at_work: Station) -> None:
    hub = at_work.hub
    await begin_day(at_work)
    await hub.unload()
    at_work.clock.advance_to(at("2026-11-26 10:00"))
    assert await hub.restart() == "running"
    days = sorted(one.entity for one in hub.entities() if one.domain == "roster")
    assert (days[0], days[-1], len(days)) == ("roster.20261125_day", "roster.20261209_night", 30)
    (ended,) = [one for one in hub.events("shift_ended") if one.data["shift"] == "20261123_day"]
    assert ended.data["until"] == at("2026-11-23 20:00")
    assert [one.data["shift"] for one in hub.events("shift_started")][-1] == "20261126_day"
    assert at_work.about("names") == []  # nobody of three days ago is on duty


async def test_a_restart_goes_on_with_the_shift_and_tells_nothing_twice(at_work: Station) -> None:
    hub = at_work.hub
    await begin_day(at_work)
    before = told(hub)
    assert len(before) > 30
    assert await hub.restart() == "running"
    await at_work.to("2026-11-23 08:05")
    assert (await at_work.act("malee", "shift.sound_test", result="heard")).status == "done"
    assert told(hub) == before
    assert at_work.about("names") == ["ร.ต.อ. มาลี", "ร.ต.อ. สมชาย"]


async def test_the_roster_is_edited_for_days_and_says_where_it_is_short(at_work: Station) -> None:
    hub = at_work.hub
    made = await at_work.act(
        "boss", "roster.set_shift", day="2026-12-01", shift="night", officers=["malee"], number_of_days=2, start="21:00"
    )  # fmt: skip
    assert made.result == ["roster.20261201_night", "roster.20261202_night"]
    await hub.until(lambda: (one := hub.state("roster.20261202_night")) and one.state == "short")
    state = hub.state("roster.20261202_night")
    assert state is not None
    assert (state.attributes["since"], state.attributes["until"]) == (at("2026-12-02 21:00"), at("2026-12-03 08:00"))
    assert (state.attributes["names"], state.attributes["planned_by"]) == (["ร.ต.อ. มาลี"], "user:boss")
    await at_work.act("boss", "roster.set_officer", account="malee", name="มาลี ใจดี", title="ร.ต.ท.")
    await hub.until(
        lambda: (one := hub.state("roster.20261201_night")) and one.attributes["names"] == ["ร.ต.ท. มาลี ใจดี"]
    )
    await at_work.act("boss", "roster.clear_shift", day="2026-12-01", shift="night")
    await hub.until(lambda: (one := hub.state("roster.20261201_night")) and one.state == "planned")
    await at_work.act("boss", "roster.remove_officer", account="dao")
    await hub.until(lambda: hub.state("officer.dao") is None)
    await hub.until(lambda: (one := hub.state("roster.20261201_night")) and one.state == "short")
    assert await hub.restart() == "running"
    assert (one := hub.state("roster.20261202_night")) is not None and one.attributes["since"] == at("2026-12-02 21:00")


@pytest.mark.parametrize(("params", "where", "words"), [
    ({"day": "2026-02-30", "shift": "day", "officers": []}, "day", "'2026-02-30' is no date"),
    ({"day": "2026-12-01", "shift": "late", "officers": []}, "shift", "no shift 'late'"),
    ({"day": "2026-12-01", "shift": "day", "officers": ["nobody"]}, "officers", "not in the roster: nobody"),
    ({"day": "2026-12-01", "shift": "day", "officers": ["dao", "dao"]}, "officers", "an officer stands there twice"),
    ({"day": "2026-12-01", "shift": "day", "officers": [], "start": "25:00"}, "start", "'25:00' is no time of day"),
])  # fmt: skip
async def test_a_wrong_edit_is_named_and_changes_nothing(
    at_work: Station, params: dict[str, Any], where: str, words: str
) -> None:
    refused = await at_work.act("boss", "roster.set_shift", **params)
    assert refused.error is not None
    assert (refused.error["code"], refused.error["where"], refused.error["message"]) == ("invalid_input", where, words)
    assert at_work.hub.app.pipeline.journal.records("plugin:duty_roster:shifts") == []
    state = at_work.hub.state("roster.20261201_day")
    assert state is not None and state.state == "planned"


async def test_oversized_wrong_and_unallowed_input_stops_at_the_door(at_work: Station) -> None:
    hub = at_work.hub
    for action, params, words in (
        ("roster.set_officer", {"account": "x", "name": "ก" * 121}, "name"),
        ("roster.set_officer", {"account": "Robert'); DROP", "name": "ก"}, "account"),
        ("roster.set_shift", {"day": "2026-12-01", "shift": "day", "officers": ["malee"] * 21}, "officers"),
        ("roster.set_shift", {"day": 20261201, "shift": "day", "officers": []}, "day"),
        ("shift.hand_over", {"note": "ก" * 4_001}, "note"),
    ):
        with pytest.raises(InvalidInput, match=words):
            await at_work.act("somchai", action, **params)
    with pytest.raises(Denied):
        await hub.call("roster.set_officer", params={"account": "x", "name": "x"}, roles=["patrol"])
    with pytest.raises(Denied):
        await hub.call("shift.sign_in", CURRENT, roles=["operator"])


async def test_a_flood_of_signatures_ends_as_one_officer_on_duty(at_work: Station) -> None:
    hub = at_work.hub
    await at_work.to("2026-11-23 08:01")
    await hub.wait_event("shift_started", match={"shift": "20261123_day"})
    for _ in range(60):
        assert (await at_work.act("somchai", "shift.sign_in")).status == "done"
    assert len([one for one in hub.events("duty_changed") if one.data["change"] == "signed_in"]) == 1


async def test_where_nobody_needs_to_sign_in_the_roster_counts() -> None:
    clock = ManualClock(at("2026-11-23 08:10"))
    async with harness(HERE, {**CONFIG, "must_sign_in": False}, clock=clock) as hub:
        state = hub.state(CURRENT)
        assert state is not None and state.attributes["names"] == ["ร.ต.อ. มาลี", "ร.ต.อ. สมชาย"]
        clock.advance_to(at("2026-11-23 20:20"))
        await hub.until(lambda: (now := hub.state(CURRENT)) and now.attributes["names"] == ["ร.ต.อ. ดาว", "ร.ต.อ. วิชัย"])
        assert hub.events("duty_short") == []


async def test_the_printed_page_says_whether_it_is_the_signed_note(at_work: Station) -> None:
    await begin_day(at_work)
    await open_things(at_work)
    await at_work.act("somchai", "shift.hand_over", note="<b>ระวัง</b>")
    (note,) = at_work.notes().values()
    page = handover_page(note, ZoneInfo("Asia/Bangkok"))
    assert "ตรงกับเอกสาร" in page and "ผู้รับเวร: ยังไม่ลงนาม" in page
    assert "&lt;b&gt;ระวัง&lt;/b&gt;" in page and "<b>" not in page
    assert "กลางวัน · 23/11/2569 08:00 น. ถึง 23/11/2569 20:00 น." in page
    assert "ตรวจไม่ได้: " in page  # the watch-list is not installed here
    changed = {**note, "note": "ไม่มีอะไร"}
    assert "ถูกแก้ไข" in handover_page(changed, ZoneInfo("Asia/Bangkok"))
