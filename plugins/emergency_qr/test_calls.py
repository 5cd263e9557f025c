"""Calls through real sockets: the queue, one named officer, both ways, dropped links, and what a flood does."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from hub.sdk import ManualClock
from hub.testing import contract, harness
from plugins.emergency_qr.conftest import SETTINGS, Desk, Talk, desk
from plugins.emergency_qr.flood import Flood, sender
from plugins.emergency_qr.ice import credential

test_contract = contract(
    Path(__file__).parent, SETTINGS,
    params={
        "sticker.put": {"id": "x", "th": "ก", "en": "a"}, "sticker.replace": {"id": "gate"},
        "sticker.revoke": {"id": "gate"},
    },
)  # fmt: skip


async def rung(phone: Talk) -> dict[str, Any]:
    await phone.say("ring", lang="th")
    return await phone.hear("ringing")


async def test_a_call_is_answered_by_one_officer_and_ended() -> None:
    async with desk() as at, at.phone() as phone:
        ringing = await rung(phone)
        call = ringing["call"]
        assert (await phone.hear("waiting"))["ahead"] == 0
        state = at.hub.state(call)
        assert state is not None and (state.state, state.attributes["place"]) == ("ringing", "ประตูศาลตาผาแดง")
        (report,) = at.told("report_received")
        assert (report["receipt"], report["reference"], report["priority"]) == (ringing["receipt"], call, "high")

        assert (await at.act("patrol", "call.answer", call))["error"]["code"] == "denied"
        assert (await at.act("noi", "call.answer", call))["status"] == "done"
        refused = await at.act("lek", "call.answer", call)
        assert (refused["status"], "has this call" in refused["error"]["message"]) == ("failed", True)
        await phone.hear("answered")
        async with at.staff("lek", "desk") as other:
            await other.say("attach", call=call)
            assert "has this call" in await other.closed()

        async with at.staff("noi", "desk") as officer:
            await officer.say("attach", call=call)
            assert (await officer.hear("attached"))["record"] is True
            turn = (await phone.hear("go"))["n"]
            await phone.say("offer", n=turn, sdp={"type": "offer", "sdp": "v=0"})
            assert (await officer.hear("offer"))["sdp"]["sdp"] == "v=0"
            await officer.say("answer", n=turn, sdp={"type": "answer", "sdp": "v=1"})
            assert (await phone.hear("answer"))["sdp"]["sdp"] == "v=1"
            await officer.say("ice", n=turn - 1, c={"candidate": "old"})
            await officer.say("ice", n=turn, c={"candidate": "new"})
            assert (await phone.hear("ice"))["c"]["candidate"] == "new"
            assert (await at.act("noi", "call.locate", call))["status"] == "done"
            await phone.hear("locate")
            await phone.say("position", lat=17.01, lon=99.8, accuracy=8.5)
            located = await at.hub.wait_event("call_located", entity=call)
            assert (located.data["lat"], located.data["accuracy_m"]) == (17.01, 8.5)
            assert (await at.act("noi", "call.end", call, reason="ช่วยแล้ว"))["status"] == "done"
            assert (await officer.hear("ended"))["by"] == "officer"
            assert (await phone.hear("ended"))["by"] == "officer"
        (ended,) = at.told("call_ended")
        assert (ended["ended_by"], ended["reason"]) == ("officer", "ช่วยแล้ว")
        assert at.told("call_link_changed") == []
        page = (await at.get(f"r/{ringing['receipt']}/{ringing['key']}"))[1]
        assert "[โทรวิดีโอ]" in page


async def test_who_waits_is_told_how_many_are_before() -> None:
    async with desk() as at, at.phone() as first, at.phone() as second:
        one, two = await rung(first), await rung(second)
        assert (await second.hear("waiting"))["ahead"] == 1
        await at.act("noi", "call.answer", one["call"])
        assert (await second.hear("waiting"))["ahead"] == 0
        await second.say("bye")
        await second.hear("ended")
        ended = await at.hub.wait_event("call_ended", entity=two["call"])
        assert (ended.data["ended_by"], ended.data["talked_s"]) == ("caller", 0.0)


async def test_who_hangs_up_before_an_answer_rings_no_longer() -> None:
    async with desk(memory=False) as at, at.phone() as phone:  # a real commit takes longer than closing the line
        call = (await rung(phone))["call"]
        rows = at.hub.app.pipeline.journal
        commit = rows.commit

        def slow(*group: Any) -> None:  # the disk of a small computer
            time.sleep(0.3)
            commit(*group)

        rows.commit = slow  # type: ignore[assignment, method-assign]
        await phone.say("bye")
        await phone.socket.close()
        ended = await at.hub.wait_event("call_ended", entity=call)
        assert ended.data["ended_by"] == "caller"
        await at.hub.restart()
        state = at.hub.state(call)
        assert state is not None
        assert state.state == "ended"


async def test_a_call_that_was_over_when_the_hub_was_killed_is_told_at_the_next_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with desk(memory=False) as at, at.phone() as phone:
        call = (await rung(phone))["call"]

        async def killed(*_: object) -> None:
            raise ConnectionError("killed before it was told")

        with monkeypatch.context() as before:
            before.setattr(sys.modules["hub_plugins.emergency_qr.calls"].Calls, "_tell_end", killed)
            await phone.say("bye")
            await phone.hear("ended")
        ringing = at.hub.state(call)
        assert ringing is not None
        assert ringing.state == "ringing"
        await at.hub.restart()
        ended = await at.hub.wait_event("call_ended", entity=call)
        assert ended.data["ended_by"] == "hub"


async def test_a_transfer_rings_again_and_another_officer_takes_it() -> None:
    async with desk() as at, at.phone() as phone, at.staff("noi", "desk") as officer:
        call = (await rung(phone))["call"]
        await at.act("noi", "call.answer", call)
        await officer.say("attach", call=call)
        await phone.hear("go")
        await at.act("noi", "call.transfer", call, to="desk2")
        assert (await officer.hear("released"))["why"] == "transferred"
        await phone.hear("transferred")
        state = at.hub.state(call)
        assert state is not None
        shown = [state.state, state.attributes["officer"], state.attributes["forwarded_to"]]
        assert shown == ["ringing", None, "desk2"]
        assert (await at.act("lek", "call.answer", call))["status"] == "done"
        async with at.staff("lek", "desk") as other:
            await other.say("attach", call=call)
            await phone.hear("go")
            await other.hear("peer")


async def clocked(hub: Any, clock: ManualClock, seconds: int) -> None:
    """Time passes a second at a time, and what it brings is done."""
    for _ in range(seconds):
        clock.advance(1.0)
        await hub.app.pipeline.settled()
        for _ in range(20):
            await asyncio.sleep(0)


async def test_nobody_answers_is_said_again_and_again() -> None:
    clock = ManualClock()
    async with harness(Path(__file__).parent, SETTINGS | {"ring_s": 10, "repeat_s": 20}, clock=clock) as hub:
        at = Desk(hub, ClientSession())
        async with at.http, at.phone() as phone:
            call = (await rung(phone))["call"]
            for _ in range(10):
                await clocked(hub, clock, 3)
                await phone.say("here")
                await phone.hear("here")
            told = [(one["count"], one["waited_s"]) for one in at.told("call_unanswered")]
            assert [count for count, _ in told] == [1, 2]
            assert 10 <= told[0][1] <= 12 and 30 <= told[1][1] <= 32
            assert hub.state(call).state == "ringing"  # type: ignore[union-attr]


async def test_a_dropped_link_comes_back_to_the_same_call_even_after_a_restart() -> None:
    async with desk() as at, at.staff("noi", "desk") as officer:
        async with at.phone() as phone:
            ringing = await rung(phone)
            call, secret = ringing["call"], {"call": ringing["call"], "key": ringing["key"]}
            await at.act("noi", "call.answer", call)
            await officer.say("attach", call=call)
            first = (await phone.hear("go"))["n"]
        assert (await officer.hear("peer"))["link"] == "up"
        assert (await officer.hear("peer"))["link"] == "lost"
        async with at.phone() as thief:
            await thief.say("resume", call=call, key="not the secret")
            assert "over" in await thief.closed()
        async with at.phone() as phone:
            await phone.say("resume", **secret)
            await phone.hear("answered")
            assert (await phone.hear("go"))["n"] == first + 1
        assert await at.hub.restart() == "running"
        async with at.phone() as phone, at.staff("noi", "desk") as window:
            await phone.say("resume", **secret)
            await phone.hear("answered")
            await window.say("attach", call=call)
            await phone.hear("go")
        assert [one["link"] for one in at.told("call_link_changed")][:2] == ["lost", "up"]
        assert at.told("call_ended") == []


async def test_a_caller_who_does_not_come_back_ends_the_call_and_a_desk_that_does_not_gives_it_up() -> None:
    clock = ManualClock()
    async with harness(Path(__file__).parent, SETTINGS | {"resume_s": 10}, clock=clock) as hub:
        at = Desk(hub, ClientSession()).officer("noi", "operator")
        async with at.http:
            async with at.phone() as phone:
                call = (await rung(phone))["call"]
                await at.act("noi", "call.answer", call)
                for _ in range(5):
                    await clocked(hub, clock, 3)
                    await phone.say("here")
                    await phone.hear("here")
                (back,) = at.told("call_transferred")
                assert (back["by"], hub.state(call).state) == ("hub", "ringing")  # type: ignore[union-attr]
            await hub.wait_event("call_link_changed", match={"link": "lost"})
            await clocked(hub, clock, 13)
            (ended,) = at.told("call_ended")
            assert ended["ended_by"] == "caller_lost"


BAD: dict[str, tuple[str | bytes, str]] = {
    "malformed": ("{", "not JSON"),
    "wrong type": ('["ring"]', 'object with a "t"'),
    "oversized": ('{"t": "' + "x" * 70_000 + '"}', "at most 65536"),
    "wrong first word": ('{"t": "offer"}', "ring or resume"),
    "bytes": (b"\x00\x01", "text"),
}


@pytest.mark.parametrize("kind", BAD)
async def test_bad_words_close_that_line_with_the_reason_and_no_other(kind: str) -> None:
    message, words = BAD[kind]
    async with desk() as at, at.phone() as good:
        await rung(good)
        async with at.phone() as bad:
            await (bad.socket.send_bytes(message) if isinstance(message, bytes) else bad.socket.send_str(message))
            assert words in await bad.closed()
        await good.say("here")
        await good.hear("here")
        assert len(at.told("call_started")) == 1


async def test_a_flood_closes_its_own_line_and_the_call_waits_for_its_caller() -> None:
    async with desk() as at, at.phone() as good, at.phone() as bad:
        await rung(good)
        call = (await rung(bad))["call"]
        for _ in range(200):
            await bad.say("here")
        assert "messages a second" in await bad.closed()
        await at.hub.wait_event("call_link_changed", entity=call, match={"link": "lost"})
        await good.say("here")
        await good.hear("here")


async def test_silence_after_the_socket_opened_is_ended() -> None:
    async with desk(first_word_s=0.2) as at, at.phone() as silent:
        assert "nothing was said within 0.2 s" in await silent.closed()


async def test_too_many_calls_are_refused_with_a_way_out() -> None:
    async with desk(max_waiting=1) as at, at.phone() as first, at.phone() as second:
        await rung(first)
        await second.say("ring")
        assert "all lines are taken" in await second.closed()
        async with at.phone("x" * 20) as stranger:
            assert "no longer used" in await stranger.closed()


def test_a_bucket_fills_with_time() -> None:
    clock = ManualClock()
    flood = Flood(clock, 2, 10)
    assert [flood.take("a"), flood.take("a"), flood.take("a"), flood.take("b")] == [True, True, False, True]
    clock.advance(10)
    assert [flood.take("a"), flood.take("a")] == [True, False]


async def test_one_phone_and_one_sticker_take_not_all_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    pier = {"id": "pier", "name": {"th": "ท่าน้ำ", "en": "Pier"}, "token": "test-sticker-token-2"}
    async with desk(stickers=[*SETTINGS["stickers"], pier]) as at, contextlib.AsyncExitStack() as stack:
        phones = [await stack.enter_async_context(at.phone()) for _ in range(5)]
        first = await rung(phones[0])
        await rung(phones[1])
        await phones[2].say("ring")
        assert "2 calls of this phone are ringing" in await phones[2].closed()
        line = sys.modules["hub_plugins.emergency_qr.line"]
        monkeypatch.setattr(line, "sender", lambda remote: "another phone")
        await rung(phones[3])
        await phones[4].say("ring")
        assert "3 calls of this sticker are ringing" in await phones[4].closed()
        await at.act("noi", "call.answer", first["call"])  # it rings no more
        monkeypatch.undo()
        await rung(await stack.enter_async_context(at.phone("test-sticker-token-2")))


def test_ten_phones_that_send_as_fast_as_they_may_do_not_take_the_others_turn() -> None:
    clock = ManualClock()
    flood = Flood(clock, 6, 20)
    for _ in range(30):
        for n in range(10):
            while flood.take(f"10.0.0.{n}"):
                pass
        citizen = [flood.take("192.0.2.7"), flood.take("192.0.2.7")]
        assert citizen == [True, True]
        clock.advance(40)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::5", "2001:db8:1:2:ffff::9", True), ("2001:db8:1:2::5", "2001:db8:1:3::5", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True), ("192.0.2.1", "192.0.2.2", False), ("fe80::1%eth0", "fe80::2", True),
        ("unknown", "unknown", True),
    ],
)  # fmt: skip
def test_who_counts_as_one_phone(one: str, other: str, same: bool) -> None:
    assert (sender(one) == sender(other)) is same


def test_turn_passwords_are_what_coturn_computes() -> None:
    # openssl: printf '1700000000:noi' | openssl dgst -sha1 -hmac north -binary | base64
    assert credential("north", "noi", 1_700_000_000) == ("1700000000:noi", "1cOltwtwZ65r3tEo5yH8DwXbHI8=")
