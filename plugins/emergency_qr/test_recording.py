"""Recordings through the real staff socket: kept as they come, said when they fail; and the citizen as a program."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, WSMsgType

from hub.sdk import ManualClock
from hub.testing import harness
from plugins.emergency_qr import fake
from plugins.emergency_qr.conftest import HERE, SETTINGS, TOKEN, WEBM, Desk, Talk, desk

PIECE = WEBM + b"\x00" * 1000


async def talked(at: Desk, phone: Talk) -> str:
    """A call that ``noi`` has answered."""
    await phone.say("ring")
    call: str = (await phone.hear("ringing"))["call"]
    assert (await at.act("noi", "call.answer", call))["status"] == "done"
    return call


async def kept(recorder: Talk) -> int:
    message = await recorder.socket.receive(timeout=5)
    assert message.type == WSMsgType.TEXT, message
    return int(json.loads(message.data)["kept"])


async def test_each_second_is_on_the_disk_before_it_is_answered_and_the_end_makes_it_media() -> None:
    async with desk() as at, at.phone() as phone:
        call = await talked(at, phone)
        async with at.staff("noi", f"recording?call={call}") as recorder:
            await recorder.socket.send_str('{"mime": "video/webm;codecs=vp8,opus"}')
            await recorder.socket.send_bytes(PIECE)
            assert await kept(recorder) == len(PIECE)
            await recorder.socket.send_bytes(b"more")
            assert await kept(recorder) == len(PIECE) + 4
            (part,) = await asyncio.to_thread(lambda: list(at.hub.app.options.data.glob("media/drafts/*/*.part")))
            assert part.read_bytes() == PIECE + b"more"
            await recorder.socket.send_str("end")
            recorded = (await at.hub.wait_event("call_recorded", entity=call)).data
        whole = hashlib.sha256(PIECE + b"more").hexdigest()
        assert (recorded["media"], recorded["sha256"], recorded["interrupted"]) == (whole, whole, False)
        assert (recorded["bytes"], recorded["mime"], recorded["recordings"]) == (len(PIECE) + 4, "video/webm", [whole])
        assert await at.hub.app.media.get(whole) == (PIECE + b"more", "video/webm")
        assert (await at.hub.app.media.about(whole)).of == (call,)


async def test_what_came_before_the_line_broke_or_the_plugin_ended_is_kept() -> None:
    async with desk() as at, at.phone() as phone:
        call = await talked(at, phone)
        async with at.staff("noi", f"recording?call={call}") as recorder:
            await recorder.socket.send_str('{"mime": "video/webm"}')
            await recorder.socket.send_bytes(PIECE)
            await kept(recorder)
        first = await at.hub.wait_event("call_recorded", entity=call)
        assert (first.data["interrupted"], first.data["bytes"]) == (True, len(PIECE))
        async with at.staff("noi", f"recording?call={call}") as recorder:
            await recorder.socket.send_str('{"mime": "video/webm"}')
            await recorder.socket.send_bytes(PIECE + b"2")
            await kept(recorder)
            assert await at.hub.restart() == "running"
            await recorder.closed()  # the line to the old one
        second = await at.hub.wait_event("call_recorded", entity=call, after=first.seq)
        assert (second.data["interrupted"], len(second.data["recordings"])) == (True, 2)


async def test_a_draft_that_cannot_be_kept_is_said_and_stops_neither_reports_nor_the_other_drafts() -> None:
    async with desk() as at, at.phone() as phone:
        call = await talked(at, phone)
        for content in (PIECE, PIECE + b"2"):
            async with at.staff("noi", f"recording?call={call}") as recorder:
                await recorder.socket.send_str('{"mime": "video/webm"}')
                await recorder.socket.send_bytes(content)
                await kept(recorder)
                if content == PIECE:
                    await at.hub.unload()
                    await recorder.closed()
                    (first,) = at.hub.app.options.data.glob("media/drafts/*/*.json")
                    note = await asyncio.to_thread(first.read_bytes)
                    assert await at.hub.restart() == "running"
                    await at.hub.wait_event("call_recorded", entity=call)
                else:
                    await at.hub.unload()
                    await recorder.closed()
        (second,) = at.hub.app.options.data.glob("media/drafts/*/*.json")
        spoilt = second.with_name(f"{call.removeprefix('call.')}-1.json")  # in front of the good one
        await asyncio.to_thread(spoilt.write_bytes, note[:-1])
        assert await at.hub.restart() == "running"
        failed = await at.hub.wait_event("recording_failed", entity=call)
        assert "the note beside unfinished media is damaged" in failed.data["reason"]
        await at.hub.until(lambda: len(at.told("call_recorded")) == 2)
        assert (await at.post(f"p/{TOKEN}", {"text": "ยังแจ้งได้"}))[0] == 303


BAD: dict[str, tuple[list[str | bytes], str]] = {
    "malformed": (["{"], "the first word is"),
    "wrong type": (['{"mime": "text/html"}'], "no recordings of text/html"),
    "other bytes": (['{"mime": "video/webm"}', b"<html>"], "these bytes are no video/webm"),
    "oversized": (['{"mime": "video/webm"}', *[WEBM + b"\x00" * 1_000_000] * 16], "at most 15 MiB"),
}


@pytest.mark.parametrize("kind", BAD)
async def test_a_bad_recording_is_an_event_with_the_reason_and_the_call_goes_on(kind: str) -> None:
    messages, words = BAD[kind]
    async with desk() as at, at.phone() as phone:
        call = await talked(at, phone)
        async with at.staff("noi", f"recording?call={call}") as recorder:
            for message in messages:
                await (recorder.socket.send_bytes(message) if isinstance(message, bytes) else
                       recorder.socket.send_str(message))  # fmt: skip
            assert words in await recorder.closed()
        failed = await at.hub.wait_event("recording_failed", entity=call)
        assert words in failed.data["reason"]
        assert len(at.told("call_recorded")) == int(kind == "oversized")  # what had come is kept
        await phone.say("here")
        await phone.hear("here")


async def test_only_the_officer_who_has_the_call_records_it() -> None:
    async with desk() as at, at.phone() as phone:
        call = await talked(at, phone)
        async with at.staff("lek", f"recording?call={call}") as recorder:
            assert "has this call" in await recorder.closed()
        async with at.staff("noi", "recording?call=call.none") as recorder:
            assert "is over" in await recorder.closed()
        assert at.told("recording_failed") == []


@pytest.mark.parametrize("action", ["call.transfer", "call.end"])
async def test_the_former_officer_s_browser_records_no_further(action: str) -> None:
    async with desk() as at, at.phone() as phone:
        call = await talked(at, phone)
        async with at.staff("noi", f"recording?call={call}") as recorder:
            await recorder.socket.send_str('{"mime": "video/webm"}')
            await recorder.socket.send_bytes(PIECE)
            await kept(recorder)
            assert (await at.act("noi", action, call))["status"] == "done"
            await recorder.socket.send_bytes(b"what is said later")
            await recorder.closed()
            recorded = (await at.hub.wait_event("call_recorded", entity=call)).data
        assert (recorded["bytes"], recorded["interrupted"]) == (len(PIECE), False)
        assert at.told("recording_failed") == []


@pytest.mark.parametrize(("settings", "failures"), [({}, 1), ({"record": False}, 0), ({"simulated": True}, 0)])
async def test_no_picture_within_five_seconds_is_an_alarm_event(settings: dict[str, Any], failures: int) -> None:
    clock = ManualClock()
    async with harness(HERE, SETTINGS | settings, clock=clock) as hub, ClientSession() as http:
        at = Desk(hub, http).officer("noi", "operator")
        async with at.phone() as phone:
            call = await talked(at, phone)
            for second in range(8):
                if second == 4:
                    assert at.told("recording_failed") == []
                clock.advance(1.0)
                await phone.say("here")
                await phone.hear("here")
            told = at.told("recording_failed")
            assert len(told) == failures
            if failures:
                assert "within 5 s" in told[0]["reason"]
                assert hub.state(call).attributes["recording_fault"] == told[0]["reason"]  # type: ignore[union-attr]


async def test_the_citizen_as_a_program_reports_rings_and_is_answered() -> None:
    async with desk(simulated=True) as at:
        citizen = fake.Citizen(at.hub.hook(""), TOKEN, position=(17.0, 99.8))
        assert await citizen.report(at.http, fake.REPORT, "0812345678") == 303
        said: list[str] = []
        ringing = asyncio.create_task(citizen.ring(at.http, 30, said.append))
        started = await at.hub.wait_event("call_started")
        assert (started.data["simulated"], started.entity) == (True, citizen.call or started.entity)
        assert (await at.act("noi", "call.answer", str(started.entity)))["status"] == "done"
        await at.act("noi", "call.locate", str(started.entity))
        await at.hub.wait_event("call_located", entity=started.entity)
        await at.act("noi", "call.end", str(started.entity))
        assert await ringing == "ended by officer"
        assert {"ringing", "answered", "locate", "ended"} <= set(citizen.heard)
        assert [one["text"] for one in at.told("report_received")] == [fake.REPORT, "[โทรวิดีโอ]"]


async def test_the_program_says_that_it_is_ready_and_ends_with_its_input() -> None:
    async with desk(simulated=True) as at:
        program = await asyncio.create_subprocess_exec(
            sys.executable, str(Path(fake.__file__)), "--url", at.hub.hook(""), "--token", TOKEN,
            "--after", "0", "--ring-after", "0", cwd=HERE.parents[1], stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(HERE.parents[1])},
        )  # fmt: skip
        assert program.stdout is not None and program.stdin is not None
        assert json.loads(await program.stdout.readline())["ready"] is True
        await at.hub.wait_event("call_started", timeout=10)
        program.stdin.close()
        async with asyncio.timeout(10):
            assert await program.wait() == 0
