"""The stream: state at N, then everything after N; slow clients; beats; what each reader may see."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType

from hub.core.event import Draft, Event
from hub.core.journal import Record
from hub.web.mask import MASK
from hub.web.stream import FAILED, SLOW_AFTER
from tests.web.conftest import WITHIN_S, Door, Start, frame_of

READ = {"series": "1กข", "number": "1234", "province": "สุโขทัย"}
ALARM: dict[str, Any] = {"priority": "high", "title": "smoke", "raised_at": 1.0}


class Reader:
    """Follows a stream as the board does: every frame begins where the one before it ended."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket
        self.seq = -1
        self.states: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.kinds: list[str] = []

    async def until(self, seq: int) -> None:
        async with asyncio.timeout(WITHIN_S * 2):
            while self.seq < seq:
                self.take(await self.socket.receive_json())

    async def until_beat(self) -> None:
        async with asyncio.timeout(WITHIN_S):
            while self.kinds[-1] != "beat":
                self.take(await self.socket.receive_json())

    def take(self, frame: dict[str, Any]) -> None:
        self.kinds.append(frame["type"])
        if frame["type"] == "state":
            self.seq = frame["seq"]
            self.states = {state["entity"]: state for state in frame["states"]}
        elif frame["type"] == "events":
            assert frame["from"] == self.seq + 1
            numbers = [row["event"]["seq"] for row in frame["events"]]
            assert numbers == sorted(numbers) and numbers[0] >= frame["from"] and numbers[-1] == frame["to"]
            self.seq = frame["to"]
            for row in frame["events"]:
                self.events.append(row["event"])
                if row["removed"]:
                    self.states.pop(row["event"]["entity"], None)
                elif row["state"]:
                    self.states[row["state"]["entity"]] = row["state"]
        elif frame["type"] == "coalesced":
            assert frame["seq"] >= self.seq
            self.seq = frame["seq"]
            self.states.update({state["entity"]: state for state in frame["states"]})
            for entity in frame["removed"]:
                self.states.pop(entity, None)
        else:
            assert frame["type"] == "beat" and frame["seq"] == self.seq


async def test_state_at_n_then_every_event_after_it(door: Door) -> None:
    async with door.stream("ccoc") as socket:
        reader = Reader(socket)
        await reader.until(door.app.pipeline.state.seq)
        began = reader.seq
        for n in range(300):
            door.emit("motion_started", {"boxes": [[n / 300, 0, 0.1, 0.1]]}, f"camera.{('own', 'other')[n % 2]}")
            if n % 40 == 0:
                await door.app.pipeline.settled()
        await reader.until(began + 300)
        assert [event["seq"] for event in reader.events] == list(range(began + 1, began + 301))
        served = (await door.ask("GET", "/api/states", "ccoc"))[1]
        assert served["seq"] == reader.seq
        assert reader.states == {state["entity"]: state for state in served["states"]}


async def test_resync_sends_the_state_again(door: Door) -> None:
    async with door.stream("ccoc") as socket:
        first = await frame_of(socket, "state")
        door.emit("motion_started", {}, "camera.other")
        await frame_of(socket, "events")
        await socket.send_str("no json")
        await socket.send_str("[1]")
        await socket.send_json({"type": "resync"})
        second = await frame_of(socket, "state")
        assert second["seq"] == first["seq"] + 1
        other = {state["entity"]: state["state"] for state in second["states"]}
        assert other["camera.other"] == "motion"


async def test_it_beats_each_second(door: Door) -> None:
    async with door.stream("ccoc") as socket:
        await frame_of(socket, "beat")
        begun = time.monotonic()
        beats = [await frame_of(socket, "beat") for _ in range(2)]
        took = time.monotonic() - begun
        assert 1.5 < took < 3.0
        assert 0.8 < beats[1]["now"] - beats[0]["now"] < 1.6


async def busy(door: Door, turn: int, count: int) -> list[int]:
    """Large ordinary events, then an alarm and an incident's note; the numbers of those two."""
    for n in range(count):
        door.emit("motion_started", {"boxes": [*[[0.5] * 4] * 300, [turn, n, 0, 0]]}, f"camera.n{n % 20}")
    alarm = door.emit("alarm_raised", ALARM, f"alarm.t{turn}")
    note = door.emit("incident_noted", {"text": "x", "by": "y"}, f"incident.t{turn}")
    await door.app.pipeline.settled()
    await asyncio.sleep(0)
    return [alarm.seq, note.seq]


async def test_a_slow_client_gets_states_and_loses_no_alarm_hit_or_incident(door: Door) -> None:
    for n in range(20):
        door.entity(f"camera.n{n}")
    await door.app.pipeline.settled()
    async with door.stream("ccoc") as socket:
        reader = Reader(socket)
        await reader.until(door.app.pipeline.state.seq)
        asked: list[int] = []
        for turn in range(40):  # nobody reads meanwhile: what the sockets hold is soon full
            asked += await busy(door, turn, 150)
        reading = asyncio.create_task(reader.until(door.app.pipeline.state.seq + 60 * 12))
        for turn in range(40, 100):  # more comes while the long line is read
            asked += await busy(door, turn, 10)
        await reading
        await reader.until_beat()
        critical = [e["seq"] for e in reader.events if (e["entity"] or "").partition(".")[0] in ("alarm", "incident")]
        assert critical == asked
        assert "coalesced" in reader.kinds
        ordinary = sum(event["type"] == "motion_started" for event in reader.events)
        assert SLOW_AFTER <= ordinary < 40 * 150 + 60 * 10
        served = (await door.ask("GET", "/api/states?domain=camera", "ccoc"))[1]["states"]
        assert {s["entity"]: s for s in served} == {k: v for k, v in reader.states.items() if k.startswith("camera.")}


async def test_an_alarm_does_not_wait_for_the_collected_rest(door: Door) -> None:
    async with door.stream("ccoc") as socket:
        await frame_of(socket, "beat")
        took = []
        for _ in range(5):
            await frame_of(socket, "beat")
            begun = time.monotonic()
            door.emit("alarm_raised", ALARM, "alarm.a")
            await frame_of(socket, "events")
            took.append(time.monotonic() - begun)
        assert sorted(took)[2] < 0.08


async def test_personal_data_is_masked_for_who_is_not_cleared(door: Door) -> None:
    async with door.stream("ccoc") as clear, door.stream("display") as wall:
        await frame_of(clear, "state")
        await frame_of(wall, "state")
        hit: dict[str, Any] = {
            "entry": "e1", "plate": "1กข1234", "read_plate": "1กข1234", "match": "exact", "confidence": 0.9,
            "camera": "camera.other",
        }  # fmt: skip
        door.emit("plate_read", READ, "camera.other")
        door.emit("watchlist_hit", hit, "hit.h1")
        seen = [await frame_of(socket, "events") for socket in (clear, wall)]
    for frame, plate in zip(seen, ("1กข1234", MASK), strict=True):
        read, found = frame["events"]
        assert (read["event"]["data"]["plate"], read["event"]["data"]["confidence"]) == (plate, 1.0)
        assert read["event"]["data"]["alternatives"] == ([] if plate != MASK else MASK)
        assert found["state"]["attributes"]["plate"] == plate
        assert found["state"]["attributes"]["camera"] == "camera.other"
    async with door.stream("display") as wall:
        states = {state["entity"]: state for state in (await frame_of(wall, "state"))["states"]}
    assert states["hit.h1"]["attributes"]["read_plate"] == MASK
    for path in ("/api/events?type=plate_read", "/api/events?type=watchlist_hit"):
        for role, plate in (("ccoc", "1กข1234"), ("display", MASK)):
            assert (await door.ask("GET", path, role))[1][0]["data"]["plate"] == plate


async def test_a_partner_sees_only_what_is_its_own(door: Door) -> None:
    async with door.stream("partner") as socket:
        first = await frame_of(socket, "state")
        assert [state["entity"] for state in first["states"]] == ["camera.own"]
        door.emit("motion_started", {}, "camera.other")
        door.emit("alarm_raised", ALARM, "alarm.a")
        door.emit("entity_removed", {}, "alarm.a")
        door.emit("fault", {"where": "disk", "message": "full"})
        door.emit("watchlist_entry_changed", {"entry": "e", "change": "approved", "by": "x", "plate": "1กข1"})
        door.emit("motion_started", {}, "camera.own")
        door.emit("entity_removed", {}, "camera.own")
        reader = Reader(socket)
        reader.seq = first["seq"]
        await reader.until(door.app.pipeline.state.seq)
        assert [(e["type"], e["entity"]) for e in reader.events] == [
            ("motion_started", "camera.own"), ("entity_removed", "camera.own"),
        ]  # fmt: skip
        assert reader.events[0]["seq"] > first["seq"] + 4


async def test_a_partners_history_holds_only_what_is_its_own(door: Door) -> None:
    door.emit("motion_started", {}, "camera.other")
    door.emit("fault", {"where": "disk", "message": "full"})
    door.emit("alarm_raised", ALARM, "alarm.a")
    door.emit("entity_removed", {}, "alarm.a")
    await door.app.pipeline.settled()
    status, events = await door.ask("GET", "/api/events?limit=1000", "partner")
    assert status == 200 and {event["entity"] for event in events} == {"camera.own"}
    assert (await door.ask("GET", "/api/states/camera.other", "partner"))[0] == 404
    assert (await door.ask("GET", "/api/states/camera.own", "partner"))[0] == 200
    states = (await door.ask("GET", "/api/states", "partner"))[1]["states"]
    assert [state["entity"] for state in states] == ["camera.own"]


async def closed(socket: ClientWebSocketResponse) -> int:
    async with asyncio.timeout(WITHIN_S):
        while (message := await socket.receive()).type is WSMsgType.TEXT:
            pass
    assert message.type is WSMsgType.CLOSE
    return int(message.data)


async def test_revocation_cuts_the_stream(door: Door) -> None:
    async with door.stream("partner") as by_token:
        await frame_of(by_token, "state")
        door.folks.accounts.revoke_token(door.folks.tokens["partner"].split("_")[1])
        assert await closed(by_token) == 4401
    async with door.stream("ccoc") as disabled:
        await frame_of(disabled, "state")
        door.folks.accounts.set_disabled("is_ccoc", True)
        assert await closed(disabled) == 4401


async def test_a_change_of_roles_changes_what_an_open_stream_shows(door: Door) -> None:
    door.emit("watchlist_hit", {
        "entry": "e1", "plate": "1กข1234", "read_plate": "1กข1234", "match": "exact", "confidence": 0.9, "camera": "c",
    }, "hit.h1")  # fmt: skip
    async with door.stream("patrol") as socket:
        assert plate_of(await frame_of(socket, "state")) == "1กข1234"
        door.folks.accounts.set_roles("is_patrol", ["display"])
        assert plate_of(await frame_of(socket, "state")) == MASK


def plate_of(frame: dict[str, Any]) -> str:
    states = {state["entity"]: state for state in frame["states"]}
    return str(states["hit.h1"]["attributes"]["plate"])


async def test_after_a_lost_commit_the_stream_goes_on_without_what_was_lost(start: Start) -> None:
    door = await start(memory=False)
    door.entity("camera.other")
    await door.app.pipeline.settled()
    commit, failures = door.app.journal.commit, [OSError("no"), OSError("no")]

    def failing(events: Sequence[Event], records: Sequence[Record]) -> None:
        if failures:
            raise failures.pop()
        commit(events, records)

    async with door.stream("ccoc") as socket:
        reader = Reader(socket)
        await reader.until(door.app.pipeline.state.seq)
        door.app.journal.commit = failing  # type: ignore[method-assign]
        for _ in range(3):
            await socket.send_json({"type": "resync"})
            door.emit("motion_started", {}, "camera.other")
            with contextlib.suppress(Exception):
                await door.app.pipeline.settled()
        last = door.emit("motion_ended", {}, "camera.other").seq
        await door.app.pipeline.settled()
        await reader.until(last)
        assert reader.states["camera.other"]["state"] == "idle"
        served = (await door.ask("GET", "/api/states", "ccoc"))[1]
        assert reader.states == {state["entity"]: state for state in served["states"]}


async def test_half_a_character_in_one_entity_does_not_blind_the_board(door: Door) -> None:
    odd = {"state": "on", "attributes": {"words": "\ud800", "n": 2**70}}
    async with door.stream("ccoc") as socket:
        await frame_of(socket, "state")
        door.app.pipeline.emit(Draft("state_changed", odd, "automation", "camera.other"))  # past the plugins' doors
        (row,) = (await frame_of(socket, "events"))["events"]
        assert row["state"]["attributes"]["words"] == "\ud800"
        assert (await frame_of(socket, "beat"))["seq"] == row["event"]["seq"]
    for path in ("/api/states", "/api/states/camera.other", "/api/events?type=state_changed"):
        assert (await door.ask("GET", path, "ccoc"))[0] == 200


@pytest.mark.parametrize("part", ["_still", "_send_waiting"])
async def test_a_stream_that_fails_is_cut_and_not_left_silent(
    door: Door, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    async with door.stream("ccoc") as socket:
        await frame_of(socket, "beat")
        monkeypatch.setattr(door.app.stream, part, lambda *_: 1 / 0)
        assert await closed(socket) == FAILED
