"""The list in the real hub: who may change it, when an entry lives, and what becomes of a plate that is read."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub.capabilities import PlateGuess, PlateRead
from hub.sdk import Denied, Event, InvalidInput, ManualClock, Outcome
from hub.testing import Harness, contract, harness

HERE = Path(__file__).parent
GROUND = {"reason": "รถหายจากตลาด", "legal_ground": "ป.วิ.อาญา ม.132"}
LISTED = {"plate": "1กข 1234", "province": "สุโขทัย", **GROUND}
GATE, MARKET = "camera.gate", "camera.market"
HOUR, DAY = 3600.0, 86_400.0

test_contract = contract(HERE, params={"watchlist.add": LISTED})


@asynccontextmanager
async def watching(clock: ManualClock | None = None, **config: Any) -> AsyncIterator[Harness]:
    async with harness(HERE, config, clock=clock) as hub:
        yield hub


def officer(hub: Harness, name: str) -> Harness:
    """The same hub, asked by a person of that name."""
    other, person = Harness(hub.app, hub.instance), replace(hub.person(), id=f"user:{name}")
    vars(other)["person"] = lambda roles=None: person
    return other


def running(module: str) -> Any:
    """A module of the plugin as the hub imported it."""
    return sys.modules[f"hub_plugins.watchlist.{module}"]


def done(outcome: Outcome) -> Any:
    assert outcome.status == "done", outcome
    return outcome.result


def words(outcome: Outcome) -> str:
    assert outcome.error is not None, outcome
    return str(outcome.error["message"])


async def listed(hub: Harness, approve: bool = True, **changed: Any) -> str:
    entry = str(done(await officer(hub, "noi").call("watchlist.add", params=LISTED | changed)))
    if approve:
        done(await officer(hub, "lek").call("watchlist.approve", params={"entry": entry}))
    return entry


async def read(hub: Harness, plate: str, camera: str = GATE, **more: Any) -> Event:
    """A camera read ``1กข1234``: all but the last four are the series."""
    given = PlateRead(series=plate[:-4], number=plate[-4:], **more)
    return await hub.emit(given, entity=camera)


async def seen(hub: Harness) -> list[tuple[str, str]]:
    """Camera and match of every hit, once all reads of before were compared: a read of a plate of its own tells."""
    number = len(hub.events("plate_read"))
    marker = await listed(hub, plate=f"99ฮฮ{number:04d}", province="")
    await read(hub, f"99ฮฮ{number:04d}", "camera.marker")
    await hub.wait_event("watchlist_hit", match={"entry": marker})
    done(await hub.call("watchlist.remove", params={"entry": marker, "note": "test is over"}))
    found = [event.data for event in hub.events("watchlist_hit") if event.data["camera"] != "camera.marker"]
    return [(data["camera"], data["match"]) for data in found]


async def seen_hits(hub: Harness, count: int) -> None:
    await hub.until(lambda: len(hub.events("watchlist_hit")) >= count)


async def taught(hub: Harness, answers: int) -> None:
    """Once so many answers of officers were counted: that is no event, so others are made until it is there."""
    for _ in range(100):
        kept = dict(hub.app.journal.records(f"plugin:{hub.instance}:lessons"))
        if kept and kept["rates"]["answers"] >= answers:
            return
        await seen(hub)
    raise AssertionError(f"{answers} answers were not counted")


def changes(hub: Harness) -> list[tuple[str, str]]:
    return [(one.data["change"], one.data["by"]) for one in hub.events("watchlist_entry_changed")]


# --- entries


async def test_a_second_person_approves() -> None:
    async with watching() as hub:
        noi, lek = officer(hub, "noi"), officer(hub, "lek")
        entry = await listed(hub, approve=False)
        await read(hub, "1กข1234")
        refused = await noi.call("watchlist.approve", params={"entry": entry})
        assert (refused.status, words(refused)) == ("failed", "who asks for an entry cannot approve it")
        assert await seen(hub) == []
        before = len(changes(hub))
        for _ in range(2):
            done(await lek.call("watchlist.approve", params={"entry": entry}))
        assert changes(hub)[before:] == [("approved", "user:lek")]
        await read(hub, "1กข1234")
        assert await seen(hub) == [(GATE, "exact")]
        shown = done(await lek.call("watchlist.entries", params={"search": "๑กข"}))
        assert [(one["plate"], one["owner"], one["requested_by"], one["approved_by"]) for one in shown] == [
            ("1กข1234", "user:noi", "user:noi", "user:lek")
        ]


async def test_the_real_roles_decide_who_approves() -> None:
    async with watching() as hub:
        entry = await listed(hub, approve=False)
        done(await officer(hub, "lek").call("watchlist.entries"))
        with pytest.raises(Denied, match=r"watchlist\.approve"):
            await hub.call("watchlist.approve", params={"entry": entry}, roles=["operator"])
        assert [change for change, _ in changes(hub)] == ["requested"]


async def test_an_urgent_entry_lives_two_hours_unless_it_is_approved() -> None:
    clock = ManualClock()
    async with watching(clock, quiet_s=0) as hub:
        await listed(hub, approve=False, urgent=True)
        kept = await listed(hub, approve=False, urgent=True, plate="2กข 9876")
        done(await officer(hub, "lek").call("watchlist.approve", params={"entry": kept}))
        clock.advance(2 * HOUR - 61)
        await read(hub, "1กข1234")
        assert await seen(hub) == [(GATE, "exact")]
        clock.advance(62)  # and the minute's look for what has ended
        gone = await hub.wait_event("watchlist_entry_changed", match={"change": "expired"})
        assert (gone.data["plate"], gone.data["by"]) == ("1กข1234", "hub")
        await read(hub, "1กข1234")
        await read(hub, "2กข9876")
        assert await seen(hub) == [(GATE, "exact"), (GATE, "exact")]
        assert [one["plate"] for one in done(await hub.call("watchlist.entries"))] == ["2กข9876"]


async def test_an_entry_ends_at_its_day() -> None:
    clock = ManualClock()
    async with watching(clock) as hub:
        await listed(hub, days=2)
        clock.advance(2 * DAY)
        await read(hub, "1กข1234")
        assert await seen(hub) == []
        late = await hub.call("watchlist.add", params=LISTED | {"days": 181})
        assert words(late) == "181 days is longer than 180"


@pytest.mark.parametrize("plate", ["..", "ป้ายที่ยาวเกินไปมากๆ"])
async def test_what_is_no_plate_is_refused(plate: str) -> None:
    async with watching() as hub:
        assert words(await hub.call("watchlist.add", params=LISTED | {"plate": plate})) == f"{plate!r} is no plate"


async def test_the_same_request_makes_one_entry_and_removing_needs_a_reason() -> None:
    async with watching() as hub:
        first, again = [done(await hub.call("watchlist.add", params=LISTED, key="k")) for _ in range(2)]
        assert first == again
        with pytest.raises(InvalidInput, match="note"):
            await hub.call("watchlist.remove", params={"entry": first, "note": ""})
        done(await hub.call("watchlist.remove", params={"entry": first, "note": "พบรถแล้ว"}))
        assert [change for change, _ in changes(hub)] == ["requested", "removed"]
        assert words(await hub.call("watchlist.approve", params={"entry": first})) == f"no entry {first!r}"


# --- hits


async def test_a_hit_says_what_was_read_and_what_is_listed() -> None:
    async with watching() as hub:
        entry = await listed(hub, priority="critical")
        other = PlateGuess(series="1กข", number="1234", province="สุโขทัย", confidence=0.3)
        given: dict[str, Any] = {"province": "สุโขทัย", "confidence": 0.7, "crop": "sha-of-crop", "alternatives": [other]}
        event = await read(hub, "1กช1234", **given)
        hit = await hub.wait_event("watchlist_hit")
        # ช read: ข itself of 0.3 · 0.973, and half of the 0.025 of 0.7 readings; six letters that were read right
        told = dict(hit.data)
        assert told.pop("probability") == pytest.approx((0.3 * 0.973 + 0.7 * 0.0125) * 0.98, abs=0.02)
        assert told == {
            "entry": entry, "plate": "1กข1234", "read_plate": "1กช1234", "province": "สุโขทัย", "match": "near",
            "confidence": 0.7, "camera": GATE, "crop": "sha-of-crop", "reason": GROUND["reason"],
            "priority": "critical", "lat": None, "lon": None, "read_seq": event.seq, "simulated": False,
            "differs": ["ข↔ช"], "alternatives": ["1กข1234"],
        }  # fmt: skip
        assert hit.cause == event.id
        found = hub.state(str(hit.entity))
        assert found is not None
        assert (found.state, found.attributes["plate"]) == ("pending", "1กข1234")


async def test_thai_digits_and_spaces_of_either_side_are_the_same_plate() -> None:
    async with watching(quiet_s=0) as hub:
        await listed(hub, plate="๑ กข-๑๒๓๔")
        await read(hub, "1กข1234")
        await read(hub, "๑กข๑๒๓๔")
        assert await seen(hub) == [(GATE, "exact"), (GATE, "exact")]


async def test_a_letter_the_reader_is_sure_of_is_believed() -> None:
    async with watching() as hub:
        await listed(hub)
        await read(hub, "1กช1234", province="สุโขทัย")
        await read(hub, "1กข1234", province="ตาก")  # another vehicle
        assert await seen(hub) == []
        await read(hub, "1กข1234", province="สุโขทัย")
        assert await seen(hub) == [(GATE, "exact")]


async def test_an_officers_correction_changes_the_next_match() -> None:
    async with watching(quiet_s=0) as hub:
        await listed(hub)
        await read(hub, "1กว1234", province="สุโขทัย")  # ว for ข: nobody thought of that
        assert await seen(hub) == []
        await listed(hub, plate="5กว7777")
        await read(hub, "5กว7777", province="สุโขทัย")
        hit = await hub.wait_event("watchlist_hit", match={"read_plate": "5กว7777"})
        done(await officer(hub, "lek").call("hit.correct", hit.entity, {"plate": "5กข7777"}))
        await taught(hub, 1)
        await read(hub, "1กว1234", province="สุโขทัย")
        near = await hub.wait_event("watchlist_hit", match={"read_plate": "1กว1234"})
        assert (near.data["match"], near.data["differs"]) == ("near", ["ข↔ว"])


async def test_officers_who_reject_make_it_quieter_and_each_answer_counts_once() -> None:
    async with watching(quiet_s=0, alarm_at=0.01) as hub:
        await listed(hub)
        for number in range(4):  # ช is taken for ข in 1.25 of 100 readings, until they say no often enough
            event = await read(hub, "1กช1234", province="สุโขทัย")
            hit = await hub.wait_event("watchlist_hit", match={"read_seq": event.seq})
            done(await officer(hub, "lek").call("hit.reject", hit.entity))
            await taught(hub, number + 1)
        await read(hub, "1กช1234", province="สุโขทัย")
        assert await hub.restart() == "running"  # what was learned is kept
        await read(hub, "1กช1234", province="สุโขทัย")
        assert await seen(hub) == [(GATE, "near")] * 4


async def test_a_witness_may_give_a_part_of_a_plate() -> None:
    async with watching(quiet_s=0) as hub:
        await listed(hub, plate="?ข 12?4 สุโขทัย", province="", priority="critical")
        for plate in ("1ข1234", "กข1294", "กค1234", "กข1235"):
            await read(hub, plate, province="สุโขทัย")
        await hub.wait_event("watchlist_hit", match={"read_plate": "กข1294"})
        await read(hub, "มข1204", province="สุโขทัย")
        await hub.wait_event("watchlist_hit", match={"read_plate": "มข1204"})
        hits = [one.data for one in hub.events("watchlist_hit")]
        assert [hit["read_plate"] for hit in hits] == ["1ข1234", "กข1294", "มข1204"]
        assert {(hit["match"], hit["priority"]) for hit in hits} == {("partial", "normal")}
        refused = await officer(hub, "noi").call("watchlist.add", params=LISTED | {"plate": "?? ??34"})
        assert words(refused) == "'?? ??34' leaves too much open"
        refused = await officer(hub, "noi").call("watchlist.add", params=LISTED | {"plate": "?ข 12?4 ตาก"})
        assert words(refused) == "'?ข 12?4 ตาก' names another province than 'สุโขทัย'"


async def test_one_hit_in_the_quiet_time_for_each_camera() -> None:
    clock = ManualClock()
    async with watching(clock, quiet_s=600) as hub:
        await listed(hub)
        for camera in (GATE, GATE, MARKET):
            await read(hub, "1กข1234", camera)
        assert await seen(hub) == [(GATE, "exact"), (MARKET, "exact")]
        clock.advance(599)
        await read(hub, "1กข1234")
        assert len(await seen(hub)) == 2
        clock.advance(1)
        await read(hub, "1กข1234")
        assert len(await seen(hub)) == 3


async def test_the_quiet_time_goes_on_after_a_restart_and_a_review_does_not_lengthen_it() -> None:
    clock = ManualClock()
    async with watching(clock, quiet_s=600) as hub:
        await listed(hub)
        await read(hub, "1กข1234")
        hit = await hub.wait_event("watchlist_hit")
        clock.advance(500)
        done(await hub.call("hit.confirm", hit.entity))
        assert await hub.restart() == "running"
        await read(hub, "1กข1234")
        assert len(await seen(hub)) == 1
        clock.advance(100)
        await read(hub, "1กข1234")
        assert len(await seen(hub)) == 2


async def test_reads_that_are_hardly_sure_are_not_compared() -> None:
    async with watching(lowest_confidence=0.5) as hub:
        await listed(hub)
        await read(hub, "1กข1234", confidence=0.49)
        assert await seen(hub) == []
        await read(hub, "1กข1234", confidence=0.5)
        assert len(await seen(hub)) == 1


async def test_plates_read_while_the_plugin_was_away_are_compared_when_it_is_back() -> None:
    async with watching() as hub:
        await listed(hub)
        await hub.unload()
        await read(hub, "1กข1234", MARKET)
        assert hub.events("watchlist_hit") == []
        assert await hub.restart() == "running"
        missed = await hub.wait_event("watchlist_hit")
        assert (missed.data["camera"], missed.data["match"]) == (MARKET, "exact")


async def test_the_same_event_twice_is_one_hit(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a kill between the hit's commit and the note that its read was dealt with."""
    came = list[int]()
    async with watching(quiet_s=0) as hub:
        book = running("hits").HitBook
        compare = book.compare

        async def twice(self: Any, event: Event) -> None:
            for _ in range(2):
                came.append(event.seq)
                await compare(self, event)

        monkeypatch.setattr(book, "compare", twice)
        assert await hub.restart() == "running"
        await listed(hub)
        event = await read(hub, "1กข1234")
        assert await seen(hub) == [(GATE, "exact")]
        assert came[:2] == [event.seq, event.seq]


# --- review


@pytest.mark.parametrize(
    ("verb", "params", "verdict", "plate"),
    [
        ("confirm", {"note": "เห็นป้ายชัด"}, "confirmed", ""),
        ("reject", {}, "rejected", ""),
        ("correct", {"plate": "๑กช 1234"}, "corrected", "1กช1234"),
    ],
)
async def test_an_officer_decides(verb: str, params: dict[str, str], verdict: str, plate: str) -> None:
    async with watching() as hub:
        await listed(hub)
        await read(hub, "1กข1234")
        hit = await hub.wait_event("watchlist_hit")
        assert await hub.restart() == "running"  # also hits of before are served
        done(await officer(hub, "lek").call(f"hit.{verb}", hit.entity, params))
        told = await hub.wait_event("watchlist_reviewed", entity=hit.entity)
        assert told.data == {
            "verdict": verdict, "by": "user:lek", "note": params.get("note", ""), "correct_plate": plate,
        }  # fmt: skip
        found = hub.state(str(hit.entity))
        assert found is not None
        assert (found.state, found.attributes["reviewed_by"]) == (verdict, "user:lek")


async def test_a_correction_must_be_a_plate() -> None:
    async with watching() as hub:
        await listed(hub)
        await read(hub, "1กข1234")
        hit = await hub.wait_event("watchlist_hit")
        assert words(await hub.call("hit.correct", hit.entity, {"plate": "?"})) == "'?' is no plate"
        assert hub.events("watchlist_reviewed") == []


async def test_reviewed_hits_leave_the_list_when_it_is_full_and_pending_ones_do_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with watching(quiet_s=0) as hub:
        monkeypatch.setattr(running("hits"), "MAX_HITS", 2)
        await listed(hub)
        names = []
        for number in range(4):
            await read(hub, "1กข1234")
            await seen_hits(hub, number + 1)
            names.append(str(hub.events("watchlist_hit")[-1].entity))
            if number == 1:
                done(await hub.call("hit.reject", names[1]))
        await hub.until(lambda: hub.state(names[1]) is None)
        assert [name for name in names if hub.state(name)] == [names[0], names[2], names[3]]
