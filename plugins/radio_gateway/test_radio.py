"""A radio channel in the real hub against the fake server."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hub.capabilities import UnitStatusChanged
from hub.sdk import Entity, Text
from hub.testing import Harness, harness
from plugins.radio_gateway import fake
from plugins.radio_gateway.conftest import settings

HERE = Path(__file__).parent
PATROL = "radio.patrol"
THAI = "ถึงจุดตรวจแล้ว ไม่มีเหตุ ฎฏฐ"


@pytest.fixture
async def hub(server: fake.MumbleServer) -> AsyncIterator[Harness]:
    server.add("S211", "สายตรวจ")
    async with harness(HERE, settings(server.port, demo_tones=True), isolation="process") as made:
        await made.wait_event("radio_channel_changed", match={"state": "quiet", "count": 1})
        yield made


async def test_who_is_in_the_channel_is_its_state(hub: Harness, server: fake.MumbleServer) -> None:
    server.add("S212", "สายตรวจ")
    server.add("อื่น", "Root")
    event = await hub.wait_event("radio_channel_changed", match={"count": 2})
    assert event.data["users"] == ["S211", "S212"]
    server.leave("S211")
    await hub.until(lambda: (now := hub.state(PATROL)) and now.attributes["users"] == ["S212"])
    assert server.joined == ["CCOC"]


async def test_who_talks_and_how_long_is_told_and_nothing_of_the_sound(
    hub: Harness, server: fake.MumbleServer
) -> None:
    await server.talk("S211", 0.6)
    ended = await hub.wait_event("radio_talk_ended", entity=PATROL)
    (started,) = hub.events("radio_talk_started")
    assert started.data["speaker"] == ended.data["speaker"] == "S211"
    assert ended.data["duration_s"] == pytest.approx(0.6, abs=0.15)
    assert ended.data["cut"] is False
    assert set(ended.data) == {"speaker", "ended_at", "duration_s", "cut", "nobody"}
    states = [event.data["state"] for event in hub.events("radio_channel_changed")]
    assert states[-2:] == ["talking", "quiet"]
    now = hub.state(PATROL)
    assert now is not None and (now.state, now.attributes["speaker"]) == ("quiet", None)


async def test_a_talk_that_only_stops_ends_by_silence_and_a_stuck_button_is_told_once(
    server: fake.MumbleServer,
) -> None:
    more = {"longest_talk_s": 5, "talk_gap_s": 0.3}
    async with harness(HERE, settings(server.port, **more), isolation="process") as hub:
        await hub.wait_event("radio_channel_changed", match={"state": "quiet"})
        server.add("S211", "สายตรวจ")
        for _ in range(10):
            server.packet("S211", fake.SILENT_OPUS)
        ended = await hub.wait_event("radio_talk_ended")
        assert ended.data["duration_s"] < 0.3
        stuck = asyncio.create_task(server.talk("S211", 6.0))
        cut = await hub.wait_event("radio_talk_ended", match={"cut": True}, timeout=8)
        assert cut.data["duration_s"] == pytest.approx(5, abs=0.5)
        await stuck
        await hub.until(lambda: (now := hub.state(PATROL)) and now.state == "quiet")
        assert len(hub.events("radio_talk_ended")) == 2


async def test_text_goes_both_ways_with_thai_intact(hub: Harness, server: fake.MumbleServer) -> None:
    server.text("S211", f"<p>{THAI}<br/>บรรทัด &amp; สอง</p>")
    told = await hub.wait_event("radio_text_received")
    assert (told.data["sender"], told.data["private"]) == ("S211", False)
    assert told.data["text"] == f"{THAI}\nบรรทัด & สอง"
    outcome = await hub.call("radio.say_text", PATROL, {"text": f"{THAI} <ด่วน>\nสอง"})
    assert (outcome.status, outcome.result) == ("done", {"listeners": 1})
    assert server.heard == [("CCOC", f"{THAI} &lt;ด่วน&gt;<br/>สอง")]
    assert hub.events("radio_text_sent")[0].data["by"] == "user:test"


async def test_a_call_for_help_is_an_alarm_once_and_finds_its_unit(hub: Harness, server: fake.MumbleServer) -> None:
    unit = Entity("unit.s211", Text("สายตรวจ 211", "Patrol 211"), ("unit",))
    await hub.emit("entity_added", {"description": unit.describe("units")}, entity=unit.id)
    await hub.emit(UnitStatusChanged(status="available"), entity=unit.id)
    for name in ("S212", "S213"):
        server.add(name, "สายตรวจ")
    server.text("S212", "SOS S211 ถูกทำร้าย")
    alarm = await hub.wait_event("radio_alarm", entity=PATROL)
    assert [alarm.data[key] for key in ("callsign", "unit", "kind", "sender")] == ["S211", "unit.s211", "sos", "S212"]
    server.text("S212", "sos s211")
    server.text("S213", "SOS")
    own = await hub.wait_event("radio_alarm", match={"callsign": "S213"})
    assert own.data["unit"] is None
    assert len(hub.events("radio_alarm")) == 2
    server.text("S212", "ผู้ต้องสงสัยใช้คำว่า SOS S999 บนเสื้อ")  # in the middle of a sentence: no call
    await hub.wait_event("radio_text_received", match={"text": "ผู้ต้องสงสัยใช้คำว่า SOS S999 บนเสื้อ"})
    assert len(hub.events("radio_alarm")) == 2


async def test_an_announcement_sends_its_text_first_and_says_what_is_missing(server: fake.MumbleServer) -> None:
    async with harness(HERE, settings(server.port), isolation="process") as hub:
        await hub.wait_event("radio_channel_changed", match={"state": "quiet"})
        asked = {"template": "sos", "params": {"unit": "S211"}}
        outcome = await hub.call("radio.announce", PATROL, asked, key="k1")
        assert outcome.status == "done"
        assert outcome.result["clips"] == []
        assert sorted(outcome.result["missing"]) == ["1", "2", "attention", "s", "sos", "unit"]
        assert outcome.result["missing"]["sos"] == "it is not recorded"
        assert (server.heard, server.voice) == ([("CCOC", "ทุกหน่วยโปรดทราบ หน่วย S211 ขอความช่วยเหลือ")], [])
        event = hub.events("radio_announced")[0]
        assert (event.data["missing"], event.data["simulated"], event.data["duration_s"]) == (
            ["1", "2", "attention", "s", "sos", "unit"], False, 0,
        )  # fmt: skip
        wrong = await hub.call("radio.announce", PATROL, {"template": "fire"})
        assert wrong.error is not None and wrong.error["message"] == "there is no template 'fire'"
        assert wrong.error["hint"] == "there are: sos"


async def test_one_at_a_time_and_the_urgent_goes_first(hub: Harness, server: fake.MumbleServer) -> None:
    async def say(text: str, priority: str) -> Any:
        asked = {"clips": ["attention"], "text": text, "priority": priority}
        return (await hub.call("radio.announce", PATROL, asked)).result

    first = asyncio.create_task(say("one", "normal"))
    await hub.wait_event("radio_channel_changed", match={"state": "announcing"})
    rest = [asyncio.create_task(say(text, priority)) for text, priority in
            (("two", "info"), ("three", "normal"), ("four", "critical"))]  # fmt: skip
    await server.until(lambda: len(server.heard) == 4)  # every text is out before the second is spoken
    assert len(hub.events("radio_announced")) <= 1
    results = await asyncio.gather(first, *rest)
    assert [event.data["text"] for event in hub.events("radio_announced")] == ["one", "four", "three", "two"]
    assert results[1]["waited_s"] > results[3]["waited_s"] > 0.3
    packets = sum(1 for packet in server.voice)
    assert packets == 4 * 19  # 0.36 s of tones are 18 packets, and the encoder's look-ahead one more


async def test_the_same_call_sent_again_is_not_said_twice(hub: Harness, server: fake.MumbleServer) -> None:
    asked = {"clips": ["attention"]}
    once = await hub.call("radio.announce", PATROL, asked, key="run1:0")
    await hub.restart()
    await hub.until(lambda: len(server.joined) == 2)
    await hub.until(lambda: (now := hub.state(PATROL)) and now.state == "quiet")
    again = await hub.call("radio.announce", PATROL, asked, key="run1:0")
    assert (again.status, again.result) == ("done", once.result)
    assert len(server.heard) == 1


async def test_it_waits_for_a_talk_to_end(hub: Harness, server: fake.MumbleServer) -> None:
    talk = asyncio.create_task(server.talk("S211", 0.8))
    await hub.wait_event("radio_talk_started")
    await hub.call("radio.announce", PATROL, {"clips": ["attention"]})
    await talk
    ended, announced = hub.events("radio_talk_ended")[0], hub.events("radio_announced")[0]
    assert ended.seq < announced.seq


async def test_it_comes_back_after_the_connection_broke(hub: Harness, server: fake.MumbleServer) -> None:
    server.drop()
    gone = await hub.wait_event("radio_channel_changed", match={"state": "unavailable"})
    assert gone.data["reason"].startswith("the server closed the connection") or "broke" in gone.data["reason"]
    # what is to be announced meanwhile waits for it
    assert (await hub.call("radio.announce", PATROL, {"clips": ["attention"]})).status == "done"
    await hub.wait_event("radio_channel_changed", match={"state": "quiet"}, after=gone.seq)
    assert server.joined == ["CCOC", "CCOC"]


async def test_the_pin_and_the_password_are_checked(server: fake.MumbleServer) -> None:
    server.password = "เปิดประตู"
    for more, words in (
        ({"certificate_sha256": "00" * 32}, f"another certificate than the pinned one: its SHA-256 is {server.sha256}"),
        ({"certificate_sha256": server.sha256, "password": "x"}, "the server's password is wrong (Wrong password)"),
        ({"channels": [{"id": "patrol", "name": {"th": "ก", "en": "a"}, "channel": "โดรน"}], "password": "เปิดประตู"},
         "the server has no channel 'โดรน'; it has: Root, สายตรวจ"),
    ):  # fmt: skip
        async with harness(HERE, settings(server.port, **more), isolation="process") as hub:
            told = await hub.wait_event("radio_channel_changed", match={"state": "unavailable"})
            assert words in told.data["reason"]
            await hub.until(lambda: hub.supervised.reason.startswith("radio.patrol: "))
            outcome = await hub.call("radio.say_text", PATROL, {"text": "x"})
            assert outcome.error is not None and outcome.error["code"] == "unavailable"
    pin = {"certificate_sha256": server.sha256, "password": "เปิดประตู"}
    async with harness(HERE, settings(server.port, **pin), isolation="process") as hub:
        await hub.wait_event("radio_channel_changed", match={"state": "quiet"})


async def test_being_put_out_moved_or_kept_out_is_said_and_tried_again(
    hub: Harness, server: fake.MumbleServer
) -> None:
    server.send_away("CCOC", "ทดสอบ")
    out = await hub.wait_event("radio_channel_changed", match={"reason": "the server put us out: ทดสอบ"})
    back = await hub.wait_event("radio_channel_changed", match={"state": "quiet"}, after=out.seq)
    server.send_away("CCOC", channel=0)
    moved = await hub.wait_event("radio_channel_changed", match={"state": "unavailable"}, after=back.seq)
    assert moved.data["reason"] == "the server moved us out of the channel"
    server.closed_channels.add(1)
    kept_out = await hub.wait_event("radio_channel_changed", match={"state": "unavailable"}, after=moved.seq)
    words = "the server does not let us into the channel 'สายตรวจ': Enter is not allowed here"
    assert kept_out.data["reason"] == words


async def test_a_text_is_cut_to_what_the_server_takes_and_a_refusal_is_no_success(server: fake.MumbleServer) -> None:
    server.told_limit = 100
    async with harness(HERE, settings(server.port), isolation="process") as hub:
        await hub.wait_event("radio_channel_changed", match={"state": "quiet"})
        assert (await hub.call("radio.say_text", PATROL, {"text": "&" * 2_000})).status == "done"
        assert server.heard == [("CCOC", "&amp;" * 20)]
        server.text_limit = 10
        refused = await hub.call("radio.say_text", PATROL, {"text": "ยาวกว่าสิบตัวอักษร"})
        assert refused.error is not None
        assert refused.error["message"] == "the radio server refused it: the text is too long"
        assert len(hub.events("radio_text_sent")) == 1


async def test_settings_that_cannot_work_are_named_before_anything_connects() -> None:
    for more, words in (
        ({"host": "10.1.2.3"}, "give certificate_sha256 (a pin) or check_certificate: true"),
        ({"ping_s": 1, "silent_s": 1.5}, "silent_s must be at least twice ping_s"),
        ({"quiet_wait_s": 60, "longest_announcement_s": 90}, "together exceed 130 s"),
        ({"phrases": [{"id": "a", "th": "ก", "en": "a", "file": "../secret.wav"}]}, "it must lie in the clips folder"),
        ({"alarms": [{"kind": "sos", "pattern": "("}]}, "it is no regular expression"),
    ):
        with pytest.raises(AssertionError, match=re.escape(words)):
            async with harness(HERE, settings(9, **more), isolation="process"):
                pass
