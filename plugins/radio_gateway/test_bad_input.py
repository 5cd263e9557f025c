"""Five kinds of bad input from the server's side, through the real door: a named reason, and the radio goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.testing import Harness, harness
from plugins.radio_gateway import fake
from plugins.radio_gateway.conftest import settings

HERE = Path(__file__).parent
PATROL = "radio.patrol"

ENDS: list[tuple[str, bytes, str]] = [
    ("malformed", fake.message(11, (5, "ดี"))[:-1] + b"\xff",
     "the server sent what is not Mumble: TextMessage is malformed: message is no UTF-8 text"),
    ("oversized", (11).to_bytes(2, "big") + (1 << 31).to_bytes(4, "big"),
     "the server sent a message of 2147483648 bytes; at most 1048576 are taken"),
    ("wrong type", fake.message(9, (1, "session as a text"), (3, "S999")),
     "the server sent what is not Mumble: UserState is malformed: session has the wrong type"),
    ("silence in mid-message", (11).to_bytes(2, "big") + (50).to_bytes(4, "big") + b"\x2a\x30half",
     "the server has been silent for 1.5 s"),
]  # fmt: skip


@pytest.fixture
async def hub(server: fake.MumbleServer) -> AsyncIterator[Harness]:
    server.add("S211", "สายตรวจ")
    async with harness(HERE, settings(server.port), isolation="process") as made:
        await made.wait_event("radio_channel_changed", match={"state": "quiet", "count": 1})
        yield made


@pytest.mark.parametrize(("kind", "raw", "reason"), ENDS, ids=[one[0] for one in ENDS])
async def test_the_connection_is_made_anew_and_says_why(
    hub: Harness, server: fake.MumbleServer, kind: str, raw: bytes, reason: str
) -> None:
    server.text("S211", "ก่อน")
    server.raw(raw)
    server.mute = kind.startswith("silence")  # no later answer may complete the message
    gone = await hub.wait_event("radio_channel_changed", match={"state": "unavailable"})
    assert gone.data["reason"] == reason
    await hub.until(lambda: hub.supervised.reason == f"{PATROL}: {reason}")
    server.mute = False
    await hub.wait_event("radio_channel_changed", match={"state": "quiet"}, after=gone.seq)
    await hub.until(lambda: hub.supervised.reason == "")
    server.text("S211", "หลัง")
    await hub.wait_event("radio_text_received", match={"text": "หลัง"})
    assert [event.data["text"] for event in hub.events("radio_text_received")] == ["ก่อน", "หลัง"]


async def test_a_flood_is_named_and_no_call_for_help_drowns_in_it(hub: Harness, server: fake.MumbleServer) -> None:
    server.add("S212", "สายตรวจ")
    for number in range(3_000):
        server.text("S211", f"น้ำท่วม {number}")
    server.text("S211", "SOS S211")
    server.text("S212", "ปกติ")
    alarm = await hub.wait_event("radio_alarm", timeout=15)
    assert alarm.data["callsign"] == "S211"
    await hub.wait_event("radio_text_received", match={"sender": "S212"}, timeout=15)
    texts = [event.data["text"] for event in hub.events("radio_text_received") if event.data["sender"] == "S211"]
    assert texts == [f"น้ำท่วม {number}" for number in range(20)]
    words = "too much at once by S211: 2981 were not reported; calls for help were"
    await hub.until(lambda: hub.supervised.reason == f"{PATROL}: {words}", 15)


async def test_a_button_that_flutters_is_no_flood_of_events(hub: Harness, server: fake.MumbleServer) -> None:
    for _ in range(500):
        server.packet("S211", fake.SILENT_OPUS)
        server.packet("S211", fake.SILENT_OPUS, last=True)
    server.text("S211", "จบ")
    await hub.wait_event("radio_text_received")
    assert len(hub.events("radio_talk_started")) == len(hub.events("radio_talk_ended")) == 20


async def test_a_bad_voice_packet_ends_nothing(hub: Harness, server: fake.MumbleServer) -> None:
    server.raw((1).to_bytes(2, "big") + (3).to_bytes(4, "big") + b"\x80\x01\xf8")
    server.raw((1).to_bytes(2, "big") + (0).to_bytes(4, "big"))
    await server.talk("S211", 0.1)
    await hub.wait_event("radio_talk_ended")
    assert server.joined == ["CCOC"]


async def test_many_announcements_at_once_are_refused_by_name(server: fake.MumbleServer) -> None:
    async with harness(
        HERE, settings(server.port, waiting=1, demo_tones=True), isolation="process"
    ) as hub:
        await hub.wait_event("radio_channel_changed", match={"state": "quiet"})

        async def say(priority: str) -> str:
            asked = {"clips": ["attention"], "text": priority, "priority": priority}
            outcome = await hub.call("radio.announce", PATROL, asked)
            return outcome.status if outcome.error is None else str(outcome.error["code"])

        first = asyncio.create_task(say("high"))
        await hub.wait_event("radio_channel_changed", match={"state": "announcing"})
        second = asyncio.create_task(say("normal"))
        await server.until(lambda: len(server.heard) == 2)
        third, fourth = asyncio.create_task(say("normal")), asyncio.create_task(say("critical"))
        assert list(await asyncio.gather(first, second, third, fourth)) == ["done", "limit", "limit", "done"]
        assert [event.data["text"] for event in hub.events("radio_announced")] == ["high", "critical"]
        assert len(server.heard) == 4  # the texts of those refused went out all the same
