"""Events from outside: validated, stamped, refused, and answered when they are durable."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from hub.core.event import Event
from hub.core.journal import Query, Record
from hub.web.guard import MAX_BODY
from tests.web.conftest import Door, Start

READ = {"series": "1กข", "number": "1234", "province": "สุโขทัย"}


async def test_an_event_is_validated_stamped_and_kept(door: Door) -> None:
    body = {"type": "plate_read", "data": READ, "entity": "camera.other", "at": 1_700_000_000.5}
    status, answer = await door.ask("POST", "/api/events", "ccoc", json=body)
    assert status == 200
    event = door.app.journal.read(Query(after=answer["seq"] - 1, limit=1))[0]
    token = door.folks.tokens["ccoc"].split("_")[1]
    assert (event.id, event.type, event.entity, event.at) == (answer["id"], "plate_read", "camera.other", 1700000000.5)
    assert (event.source, event.data["plate"], event.depth) == (f"token:{token}", "1กข1234", 0)
    signed = await door.signed_in("ccoc")
    answer = (await door.ask("POST", "/api/events", headers=signed, json=body))[1]
    assert door.app.journal.read(Query(after=answer["seq"] - 1, limit=1))[0].source == "user:is_ccoc"


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"type": "plate_read", "data": {"series": "1กข"}}, 400, "number: field required"),
        ({"type": "plate_read", "data": {**READ, "confidence": 7}}, 400, "confidence: input should be less than"),
        ({"type": "plate_read", "data": {**READ, "colour": "red"}}, 400, "colour: extra inputs are not permitted"),
        ({"type": "plate_read", "data": READ, "source": "instance:units"}, 400, "source: extra inputs"),
        ({"type": "plate_read", "data": READ, "cause": "x", "seq": 3}, 400, "cause: extra inputs"),
        ({"data": READ}, 400, "type: field required"),
        ({"type": "plate_read", "data": []}, 400, "data: input should be a valid dictionary"),
        ({"type": "no_such_type", "data": {}}, 404, "no event type 'no_such_type'"),
        ({"type": "motion_ended", "data": {}, "entity": "camera.nowhere"}, 404, "no entity 'camera.nowhere'"),
        ([1, 2], 400, "should be a valid dictionary"),
    ],
)
async def test_what_is_wrong_is_named(door: Door, body: Any, status: int, words: str) -> None:
    before = door.app.pipeline.state.seq
    got, answer = await door.ask("POST", "/api/events", "ccoc", json=body)
    assert got == status
    assert words in answer["error"]["message"]
    assert door.app.pipeline.state.seq == before


@pytest.mark.parametrize(
    "kind",
    [
        "entity_added", "entity_removed", "availability_changed", "instance_changed", "fault", "action_requested",
        "action_finished", "confirmation_requested", "confirmation_answered", "state_changed",
    ],
)  # fmt: skip
async def test_the_hubs_own_records_have_no_outside_door(door: Door, kind: str) -> None:
    before = door.app.pipeline.state.seq
    body = {"type": kind, "data": {}, "entity": "camera.other"}
    status, answer = await door.ask("POST", "/api/events", "commander", json=body)
    assert (status, answer["error"]["code"]) == (403, "denied")
    assert door.app.pipeline.state.seq == before


async def test_a_token_with_one_grant_emits_that_type_alone(door: Door) -> None:
    token, _ = door.folks.accounts.add_token("is_ccoc", grants=["event.emit:plate_read"])
    headers = {"Authorization": f"Bearer {token}"}
    plate = {"type": "plate_read", "data": READ, "entity": "camera.other"}
    motion = {"type": "motion_ended", "data": {}, "entity": "camera.other"}
    assert (await door.ask("POST", "/api/events", headers=headers, json=plate))[0] == 200
    status, answer = await door.ask("POST", "/api/events", headers=headers, json=motion)
    assert (status, answer["error"]["where"]) == (403, "camera.other")
    assert (await door.ask("GET", "/api/states", headers=headers))[0] == 403


@pytest.mark.parametrize(
    ("raw", "words"),
    [(b"{", "not JSON"), (b"\xff\xfe", "not JSON"), (b"[" * 100_000, "not JSON"), (b"NaN", "not JSON")],
)
async def test_what_is_no_json_is_refused_in_words(door: Door, raw: bytes, words: str) -> None:
    status, answer = await door.ask("POST", "/api/events", "ccoc", data=raw)
    assert (status, answer["error"]["code"], answer["error"]["where"]) == (400, "invalid_input", "body")
    assert words in answer["error"]["message"]


async def test_a_body_over_the_limit_is_refused(door: Door) -> None:
    large = orjson.dumps({"type": "plate_read", "data": {"series": "x" * MAX_BODY, "number": "1"}})
    status, answer = await door.ask("POST", "/api/events", "ccoc", data=large)
    assert (status, answer["error"]["code"]) == (413, "invalid_input")
    assert f"larger than {MAX_BODY} bytes" in answer["error"]["message"]
    assert (await door.ask("GET", "/api/health"))[0] == 200


async def test_the_answer_waits_for_the_commit_and_so_does_every_read(start: Start) -> None:
    door = await start(memory=False)
    door.entity("camera.other")
    await door.app.pipeline.settled()
    commit, reached, release = door.app.journal.commit, threading.Event(), threading.Event()

    def held(events: Sequence[Event], records: Sequence[Record]) -> None:
        reached.set()
        assert release.wait(20)
        commit(events, records)

    door.app.journal.commit = held  # type: ignore[method-assign]
    body = {"type": "plate_read", "data": READ, "entity": "camera.other"}
    asked = [asyncio.ensure_future(door.ask("POST", "/api/events", "ccoc", json=body))]
    assert await asyncio.to_thread(reached.wait, 10)
    asked.append(asyncio.ensure_future(door.ask("GET", "/api/states", "ccoc")))
    asked.append(asyncio.ensure_future(door.ask("GET", "/api/states/camera.other", "ccoc")))
    status, health = await door.ask("GET", "/api/health")  # the loop turns; only what says something new waits
    assert status == 200
    done, _ = await asyncio.wait(asked, timeout=0.3)
    assert done == set()
    release.set()
    answers = await asyncio.wait_for(asyncio.gather(*asked), 10)
    assert [status for status, _ in answers] == [200, 200, 200]
    assert answers[0][1]["seq"] > health["seq"]


async def test_a_commit_that_fails_is_told_and_nothing_of_it_stays(start: Start) -> None:
    door = await start(memory=False)
    door.entity("camera.other")
    await door.app.pipeline.settled()
    before, commit = door.app.pipeline.state.seq, door.app.journal.commit
    failures = [OSError("the disk is on fire")]

    def failing(events: Sequence[Event], records: Sequence[Record]) -> None:
        if failures:
            raise failures.pop()
        commit(events, records)

    door.app.journal.commit = failing  # type: ignore[method-assign]
    body = {"type": "motion_started", "data": {}, "entity": "camera.other"}
    status, answer = await door.ask("POST", "/api/events", "ccoc", json=body)
    assert (status, answer["error"]["code"]) == (507, "storage")
    state = door.app.pipeline.state.get("camera.other")
    assert state is not None and state.state == "unknown"
    status, answer = await door.ask("POST", "/api/events", "ccoc", json=body)
    assert status == 200
    kept = door.app.journal.read(Query(after=before, limit=10))
    assert [(event.seq - before, event.type) for event in kept] == [(1, "fault"), (2, "motion_started")]


async def test_queries_are_bounded_and_wrong_ones_named(door: Door) -> None:
    for query, where in (("limit=1001", "limit"), ("limit=0", "limit"), ("after=x", "after"), ("after=-1", "after")):
        status, answer = await door.ask("GET", f"/api/events?{query}", "ccoc")
        assert (status, answer["error"]["where"]) == (400, where)
    for n in range(5):
        door.emit("motion_started", {"boxes": [[n / 10, 0, 0.1, 0.1]]}, "camera.other")
    newest = (await door.ask("GET", "/api/events?type=motion_started&newest=1&limit=2", "ccoc"))[1]
    assert [event["data"]["boxes"][0][0] for event in newest] == [0.4, 0.3]
    first = (await door.ask("GET", "/api/events?entity=camera.other&limit=2", "ccoc"))[1]
    assert [event["type"] for event in first] == ["entity_added", "motion_started"]
