"""Partners, meetings, promises and risk spots in the real hub."""

from __future__ import annotations

import asyncio
import base64
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from hub.sdk import Denied, InvalidInput, ManualClock, Outcome
from hub.testing import Harness, contract, harness

HERE = Path(__file__).parent
START = 1_795_400_000.0
DAY = 86_400.0
PARTNERS = [
    {"id": "temple", "name": {"th": "วัด", "en": "Temple"}, "duty": {"th": "ไฟหน้าวัด", "en": "Lights"}},
    {"id": "school", "name": {"th": "โรงเรียน", "en": "School"}},
]
JPEG = b"\xff\xd8\xff\xe0" + b"invented picture"
PROMISE = {"text": "ติดไฟหน้าวัด", "partner": "partner.temple", "owner": "สมชาย", "due_at": START + DAY}
MEETING = {
    "title": "ประชุมชุมชน", "held_at": START - 100, "partners": ["temple"], "minutes": "คุณสมศรีขอไฟเพิ่ม", "people": 12,
}  # fmt: skip
SPOT = {"title": "ซอยมืดข้างวัด", "kind": "dark", "lat": 17.0055, "lon": 99.8201}

test_contract = contract(HERE, {"partners": PARTNERS}, params={
    "community.make_promise": PROMISE | {"due_at": 1.0}, "community.note_meeting": MEETING,
    "community.report_spot": SPOT, "community.update_partner": {"partner": "temple", "contact": "x"},
})  # fmt: skip


@asynccontextmanager
async def zone(clock: ManualClock | None = None, **changed: Any) -> AsyncIterator[Harness]:
    async with harness(HERE, {"partners": PARTNERS} | changed, clock=clock or ManualClock(START)) as hub:
        yield hub


async def do(hub: Harness, verb: str, /, **params: Any) -> Any:
    outcome = await hub.call(f"community.{verb}", params=params)
    assert outcome.status == "done", outcome
    return outcome.result


async def on(hub: Harness, action: str, target: str, /, **params: Any) -> None:
    outcome = await hub.call(action, target, params)
    assert outcome.status == "done", outcome


def words(outcome: Outcome) -> str:
    assert outcome.error is not None, outcome
    return str(outcome.error["message"])


def shown(hub: Harness, entity: str) -> tuple[str, Mapping[str, Any]]:
    found = hub.state(entity)
    assert found is not None
    return found.state, found.attributes


async def test_a_meeting_notes_who_was_there_and_who_was_not() -> None:
    async with zone() as hub:
        meeting = await do(hub, "note_meeting", **MEETING)
        state, facts = shown(hub, meeting)
        assert (state, facts["partners"], facts["absent"]) == ("held", ["partner.temple"], ["partner.school"])
        kind = hub.app.pipeline.types.need("meeting_held")
        assert {name: one.value for name, one in kind.personal.items()} == {"minutes": "text"}
        await do(hub, "note_meeting", **MEETING | {"held_at": START - 900})
        state, facts = shown(hub, "partner.temple")
        assert (state, facts["meetings"], facts["last_meeting_at"]) == ("active", 2, START - 100)
        await on(hub, "meeting.add_minutes", meeting, text="นัดครั้งหน้าวันพุธ")
        assert shown(hub, meeting)[1]["minutes"] == "คุณสมศรีขอไฟเพิ่ม\nนัดครั้งหน้าวันพุธ"
        early = await hub.call("community.note_meeting", params=MEETING | {"held_at": START + 2 * DAY})
        assert words(early) == "a meeting is noted when it was held, not before"


async def test_a_promise_falls_due_once_and_is_kept_late() -> None:
    clock = ManualClock(START)
    async with zone(clock) as hub:
        meeting = await do(hub, "note_meeting", **MEETING)
        promise = await do(hub, "make_promise", **PROMISE, meeting=meeting)
        clock.advance(DAY - 1)
        assert shown(hub, promise)[0] == "open"
        clock.advance(31)
        due = await hub.wait_event("promise_overdue", entity=promise)
        assert due.data == {
            "due_at": START + DAY, "text": "ติดไฟหน้าวัด", "partner": "partner.temple", "at": clock.now(),
        }  # fmt: skip
        assert await hub.restart() == "running"
        for _ in range(3):
            clock.advance(30)
            await do(hub, "update_partner", partner="temple", contact="พระมหา")  # the look had its turn
        assert len(hub.events("promise_overdue")) == 1
        assert shown(hub, promise)[1]["owner_name"] == "สมชาย"
        await on(hub, "promise.keep", promise, note="ติดแล้ว 4 ต้น")
        await on(hub, "promise.keep", promise)
        (ended,) = hub.events("promise_ended")
        assert (ended.data["state"], ended.data["late_s"]) == ("kept", clock.now() - START - DAY)
        late = await hub.call("promise.drop", promise, {"reason": "x"})
        assert words(late) == "this promise is kept"


async def test_a_promise_that_is_moved_is_open_again_and_falls_due_again() -> None:
    clock = ManualClock(START)
    async with zone(clock) as hub:
        promise = await do(hub, "make_promise", **PROMISE)
        clock.advance(DAY + 30)
        await hub.wait_event("promise_overdue", entity=promise)
        await on(hub, "promise.move", promise, due_at=START + 3 * DAY, reason="รอหลอดไฟ")
        assert shown(hub, promise)[0] == "open"
        clock.advance(2 * DAY)
        await hub.until(lambda: len(hub.events("promise_overdue")) == 2)
        past = await hub.call("promise.move", promise, {"due_at": START, "reason": "x"})
        assert words(past) == "the day must lie in the next 730 days"


async def test_a_risk_spot_from_before_to_after() -> None:
    async with zone() as hub:
        encoded = base64.b64encode(JPEG).decode()
        spot = await do(hub, "report_spot", **SPOT, note="มืดมาก", picture_before=encoded)
        state, facts = shown(hub, spot)
        assert (state, facts["lat"], facts["lon"], facts["after"]) == ("open", 17.0055, 99.8201, None)
        assert facts["crop"] == facts["before"]
        assert await hub.app.media.get(facts["before"]) == (JPEG, "image/jpeg")
        after = base64.b64encode(JPEG + b"with light").decode()
        await on(hub, "risk_spot.update", spot, status="fixed", note="ติดไฟแล้ว", picture_after=after)
        assert await hub.restart() == "running"
        state, now = shown(hub, spot)
        assert (state, now["before"], now["note"], now["lat"]) == ("fixed", facts["before"], "ติดไฟแล้ว", 17.0055)
        assert (await hub.app.media.get(now["after"]))[0] == JPEG + b"with light"
        assert now["crop"] == now["after"] != now["before"]


async def test_the_same_call_makes_one_thing() -> None:
    async with zone() as hub:
        made = [
            (await hub.call("community.make_promise", params=PROMISE, key="k")).result,
            (await hub.call("community.make_promise", params=PROMISE, key="k")).result,
        ]
        assert (made[0] == made[1], len(hub.events("promise_made"))) == (True, 1)


async def test_names_and_numbers_of_people_are_marked() -> None:
    async with zone() as hub:
        await do(hub, "update_partner", partner="school", contact="ครูดาว", phone="0810000000")
        found = hub.state("partner.school")
        assert found is not None
        assert dict(found.personal) == {"contact": "name", "phone": "phone"}
        promise = hub.state(await do(hub, "make_promise", **PROMISE))
        assert promise is not None and promise.personal == {"owner_name": "name"}


async def test_who_may_not_write_documents_changes_nothing() -> None:
    async with zone() as hub:
        with pytest.raises(Denied, match=r"document\.write"):
            await hub.call("community.make_promise", params=PROMISE, roles=["patrol"])
        assert hub.events("promise_made") == []


# --- bad input


@pytest.mark.parametrize(
    ("encoded", "said"),
    [
        ("not base64!", "the picture is not base64"),
        (base64.b64encode(b"GIF89a").decode(), "neither a JPEG nor a PNG"),
        (base64.b64encode(b"\xff\xd8\xff" + b"x" * (512 << 10)).decode(), "the picture has 512 KiB, at most 512"),
    ],
)  # fmt: skip
async def test_what_is_no_picture_leaves_no_spot(encoded: str, said: str) -> None:
    async with zone() as hub:
        outcome = await hub.call("community.report_spot", params=SPOT | {"picture_before": encoded})
        assert said in words(outcome)
        assert hub.events("risk_spot_reported") == [] and [one for one in hub.entities() if "risk" in one.entity] == []


@pytest.mark.parametrize(
    ("verb", "changed", "field"),
    [
        ("report_spot", {"kind": "scary"}, "kind"), ("report_spot", {"lat": "north"}, "lat"),
        ("report_spot", {"lat": 91}, "lat"),
        ("make_promise", {"due_at": "soon"}, "due_at"), ("make_promise", {"text": "ก" * 201}, "text"),
        ("note_meeting", {"partners": "temple"}, "partners"), ("note_meeting", {"minutes": "x" * 8001}, "minutes"),
    ],
)  # fmt: skip
async def test_a_wrong_field_is_named(verb: str, changed: dict[str, Any], field: str) -> None:
    given: Mapping[str, Any] = {"report_spot": SPOT, "make_promise": PROMISE, "note_meeting": MEETING}[verb]
    async with zone() as hub:
        with pytest.raises(InvalidInput, match=field):
            await hub.call(f"community.{verb}", params={**given, **changed})


async def test_unknown_names_say_what_there_is() -> None:
    async with zone() as hub:
        for verb, params, said in (
            ("make_promise", PROMISE | {"partner": "mars"}, "no partner 'mars'"),
            ("make_promise", PROMISE | {"meeting": "mars"}, "no meeting 'mars'"),
            ("update_partner", {"partner": "mars", "contact": "x"}, "no partner 'mars'"),
        ):  # fmt: skip
            assert words(await hub.call(f"community.{verb}", params=params)) == said


async def test_a_flood_of_promises_ends_at_the_limit_and_loses_none() -> None:
    async with zone() as hub:
        book = sys.modules["hub_plugins.community.device"]
        assert book.MAX_PROMISES == 500
        made = [await do(hub, "make_promise", **PROMISE | {"text": f"คำมั่น {n}"}) for n in range(500)]
        full = await hub.call("community.make_promise", params=PROMISE)
        assert words(full) == "there are 500 that are not finished"
        await on(hub, "promise.drop", made[0], reason="ซ้ำ")
        await do(hub, "make_promise", **PROMISE)
        assert [hub.state(one) is None for one in made] == [True] + [False] * 499


async def test_silence_in_the_middle_of_a_call_harms_nobody() -> None:
    async with zone() as hub, aiohttp.ClientSession() as session:
        reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
        writer.write(b"POST /api/actions/community.make_promise HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{")
        await writer.drain()
        async with session.post(f"http://127.0.0.1:{hub.port}/api/actions/community.make_promise", json={}) as answer:
            assert answer.status == 401  # nobody is signed in
        await do(hub, "make_promise", **PROMISE)
        writer.close()
        del reader
        assert len(hub.events("promise_made")) == 1
