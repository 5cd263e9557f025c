"""Scans at the real HTTP door, missed windows by a clock moved by hand, and five kinds of bad input."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from hub.testing import contract

from .conftest import CONFIG, HERE, OpenPatrol, Patrol, at

test_contract = contract(
    HERE, CONFIG,
    params={
        "red_box.save": {"box": "rb3", "name_th": "ตู้ 3", "lat": 17.0, "lon": 99.8},
        "red_box.remove": {"box": "rb2"}, "red_box.renew_code": {"box": "rb1"},
        "checkpoint.note_visit": {"unit": "unit.s1", "reason": "by radio"},
    },
)  # fmt: skip


def attributes(one: Patrol, box: str = "rb1") -> dict[str, Any]:
    state = one.hub.state(f"checkpoint.{box}")
    assert state is not None
    return {**state.attributes, "state": state.state}


async def test_a_scan_is_a_visit_once(patrol: OpenPatrol) -> None:
    async with patrol("2026-11-23 22:30") as one:
        assert attributes(one)["state"] == "waiting"
        status, answer = await one.sync(one.scan("a"), sent_at=at("2026-11-23 22:30"))
        assert (status, answer["items"][0]["result"], answer["items"][0]["doubts"]) == (200, "new", [])
        for _ in range(3):
            assert (await one.sync(one.scan("a")))[1]["items"][0]["result"] == "known"
        (event,) = one.hub.events("checkpoint_scanned")
        assert (event.entity, event.data["unit"], event.data["source"]) == ("checkpoint.rb1", "unit.s1", "phone")
        assert (event.data["at"], event.data["received_at"]) == (at("2026-11-23 22:30"), at("2026-11-23 22:30"))
        assert event.data["distance_m"] == pytest.approx(0, abs=0.1)
        shown = attributes(one)
        assert (shown["state"], shown["last_unit"], shown["next_window_end"]) == (
            "visited", "unit.s1", at("2026-11-24 00:00"),
        )  # fmt: skip
        assert await one.hub.restart() == "running"
        assert (await one.sync(one.scan("a")))[1]["items"][0]["result"] == "known"
        assert len(one.hub.events("checkpoint_scanned")) == 1


async def test_doubtful_scans_are_marked_and_taken(patrol: OpenPatrol) -> None:
    async with patrol("2026-11-23 12:00") as one:
        old = one.code()
        assert (await one.hub.call("red_box.renew_code", params={"box": "rb1"})).status == "done"
        away: dict[str, Any] = {"lat": 17.02, "lon": 99.9, "code": old}
        _, answer = await one.sync(one.scan("a", **away))
        assert answer["items"][0]["doubts"] == ["out_of_radius", "outside_window", "old_challenge"]
        _, answer = await one.sync(one.scan("b", "rb2", lat=None))
        assert answer["items"][0]["doubts"] == ["no_position", "outside_window", "too_fast"]
        assert [event.data["doubts"] for event in one.hub.events("checkpoint_scanned")] == [
            ["out_of_radius", "outside_window", "old_challenge"], ["no_position", "outside_window", "too_fast"],
        ]  # fmt: skip


async def test_a_window_without_a_visit_is_missed_once_and_coverage_says_so(patrol: OpenPatrol) -> None:
    async with patrol("2026-11-23 22:30") as one:
        assert one.clock is not None
        await one.sync(one.scan("a"))
        one.clock.advance_to(at("2026-11-24 00:05"))  # within the ten minutes of grace
        await one.turns(4)
        assert attributes(one, "rb2")["windows_due"] == 1
        assert one.hub.events("checkpoint_missed") == []
        one.clock.advance_to(at("2026-11-24 00:11"))
        (missed,) = await one.missed(1)
        assert (missed.entity, missed.data["window_start"], missed.data["window_end"]) == (
            "checkpoint.rb2", at("2026-11-23 22:00"), at("2026-11-24 00:00"),
        )  # fmt: skip
        assert missed.data["name"] == {"th": "ตลาด", "en": "Market"}
        assert attributes(one, "rb2")["state"] == "missed"
        assert (attributes(one)["coverage_pct"], attributes(one, "rb2")["coverage_pct"]) == (100.0, 0.0)
        await one.hub.restart()
        one.clock.advance_to(at("2026-11-24 02:30"))
        rows = [(event.entity, event.data["window_end"]) for event in await one.missed(3)]
        assert rows == [("checkpoint.rb2", at("2026-11-24 00:00")), ("checkpoint.rb1", at("2026-11-24 02:00")),
                        ("checkpoint.rb2", at("2026-11-24 02:00"))]  # fmt: skip


async def test_a_scan_that_comes_late_fills_the_window_that_was_missed(patrol: OpenPatrol) -> None:
    async with patrol("2026-11-23 22:30") as one:
        assert one.clock is not None
        one.clock.advance_to(at("2026-11-24 00:11"))
        await one.missed(2)
        late = one.scan("a", at=at("2026-11-23 23:15"))
        _, answer = await one.sync(late, sent_at=one.clock.now())
        assert answer["items"][0]["doubts"] == []
        shown = attributes(one)
        assert (shown["state"], shown["coverage_pct"], shown["last_scan_at"]) == (
            "visited", 100.0, at("2026-11-23 23:15"),
        )  # fmt: skip


async def test_an_older_scan_does_not_become_the_newest(patrol: OpenPatrol) -> None:
    async with patrol("2026-11-23 23:30") as one:
        await one.sync(one.scan("new"))
        await one.sync(one.scan("old", at=at("2026-11-23 22:10"), lat=None), sent_at=at("2026-11-23 23:30"))
        shown = attributes(one)
        assert (shown["last_scan_at"], shown["last_doubts"]) == (at("2026-11-23 23:30"), [])
        assert len(one.hub.events("checkpoint_scanned")) == 2


async def test_boxes_are_added_changed_and_removed_for_good(patrol: OpenPatrol) -> None:
    async with patrol("2026-11-23 22:30") as one:
        new = {"box": "RB3", "name_th": "วัด", "lat": 17.01, "lon": 99.82, "windows": "mon,tue 08:00-16:00/240"}
        assert (await one.hub.call("red_box.save", params=new)).result == "checkpoint.rb3"
        code = one.code("rb3")
        await one.hub.call("red_box.save", params={**new, "radius_m": 60.0})
        assert (one.code("rb3"), attributes(one, "rb3")["radius_m"]) == (code, 60.0)
        wrong = await one.hub.call("red_box.save", params={**new, "windows": "at night"})
        assert wrong.error is not None
        assert wrong.error["where"] == "windows"
        assert wrong.error["message"].startswith("'at night' is no window: write it as")
        await one.hub.call("red_box.remove", params={"box": "rb2"})
        assert await one.hub.restart() == "running"
        assert one.hub.state("checkpoint.rb2") is None
        assert one.hub.state("checkpoint.rb3") is not None


async def test_a_visit_noted_by_hand_says_who_noted_it(patrol: OpenPatrol) -> None:
    async with patrol("2026-11-23 22:30") as one:
        note = {"unit": "unit.s1", "reason": "แจ้งทางวิทยุ"}
        assert (await one.hub.call("checkpoint.note_visit", "checkpoint.rb1", note)).status == "done"
        (event,) = one.hub.events("checkpoint_scanned")
        assert (event.data["source"], event.data["officer"], event.data["doubts"]) == (
            "form", "user:test", ["no_position"],
        )  # fmt: skip


async def test_without_a_script_a_code_is_typed(patrol: OpenPatrol) -> None:
    async with patrol("2026-11-23 22:30") as one:
        async with one.http.get(one.hub.hook("scan"), params={"c": one.code()}) as answer:
            page = await answer.text()
            assert f'value="{one.code()}"' in page
            assert "script-src" in answer.headers["Content-Security-Policy"]
        form = {"id": "x1", "code": one.code().lower()}
        async with one.http.post(one.hub.hook("scan"), data=form) as answer:
            page = await answer.text()
        assert "บันทึกแล้ว ร้านทอง 1" in page
        assert "ไม่มีตำแหน่ง / no position" in page
        async with one.http.post(one.hub.hook("scan"), data={"id": "x2", "code": "rb1-wrong"}) as answer:
            assert "ไม่มีตู้ที่ใช้รหัสนี้" in await answer.text()


async def test_only_phones_with_their_secret_may_scan(patrol: OpenPatrol) -> None:
    async with patrol("2026-11-23 22:30") as one:
        one.http.cookie_jar.clear()
        assert (await one.sync(one.scan("a")))[0] == 401
        assert await one.sign_in("wrong-secret") == (303, "/hook/red_box/scan?&wrong=1")
        assert (await one.sync(one.scan("a")))[0] == 401
        assert (await one.sign_in())[0] == 303
        assert (await one.sync(one.scan("a")))[0] == 200


# --- five kinds of bad input


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"{", 400, "the body is no JSON"),  # malformed
        (b'{"items": [' + b'{"id":"x"},' * 8000 + b"{}]}", 400, "the body is over 64 KB"),  # oversized
        (b'{"items": "all"}', 400, "items is no list of objects"),  # of a wrong type
        (b'{"items": [' + b"{}," * 100 + b"{}]}", 400, "more than 100 scans"),
        (b"[" * 60_000, 400, "the body is no JSON"),
    ],
)
async def test_bad_bodies_are_named(patrol: OpenPatrol, body: bytes, status: int, words: str) -> None:
    async with patrol("2026-11-23 22:30") as one:
        got, answer = await one.sync(body=body)
        assert (got, answer["error"]["message"]) == (status, words)
        assert (await one.sync(one.scan("a")))[1]["items"][0]["result"] == "new"


async def test_bad_items_harm_no_good_one(patrol: OpenPatrol) -> None:
    async with patrol("2026-11-23 22:30") as one:
        bad: list[dict[str, Any]] = [
            {"id": 5, "code": one.code()}, {"id": "a", "code": None}, {"id": "b" * 65, "code": "x"},
            {"id": "c", "code": "rb9-AAAAAAAA"}, {"id": "d", "code": "rb1"},
        ]  # fmt: skip
        odd = one.scan("e", at="yesterday", lat="north", lon=True, accuracy_m=-1)
        _, answer = await one.sync(*bad, odd, one.scan("f", lat=float("1e300")))
        results = [item["result"] for item in answer["items"]]
        assert results == ["wrong", "wrong", "wrong", "unknown_box", "unknown_box", "new", "new"]
        assert answer["items"][5]["doubts"] == ["no_position"]


async def test_a_flood_is_slowed_and_loses_nothing_that_was_acknowledged(patrol: OpenPatrol) -> None:
    async with patrol("2026-11-23 22:30") as one:
        answers = await asyncio.gather(*(one.sync(one.scan(f"n{n}")) for n in range(120)))
        taken = [answer["items"][0] for status, answer in answers if status == 200]
        assert {status for status, _ in answers} == {200, 429}
        assert len(one.hub.events("checkpoint_scanned")) == sum(item["result"] == "new" for item in taken) == len(taken)


async def test_silence_in_the_middle_of_a_message_stops_nobody(patrol: OpenPatrol) -> None:
    async with patrol("2026-11-23 22:30") as one:
        _, writer = await asyncio.open_connection("127.0.0.1", one.hub.port)
        head = "POST /hook/red_box/scan/sync HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n"
        writer.write(head.encode() + json.dumps({"items": []})[:5].encode())
        await writer.drain()
        assert (await one.sync(one.scan("a")))[1]["items"][0]["result"] == "new"
        writer.close()
        assert len(one.hub.events("checkpoint_scanned")) == 1
