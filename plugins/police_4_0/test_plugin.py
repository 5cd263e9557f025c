"""Imports through the real hub, with the real red boxes beside, by the form and by the folder."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import pytest

from hub.sdk import ManualClock, Outcome
from hub.testing import Harness, contract, harness
from plugins.police_4_0 import fake

HERE = Path(__file__).parent
Isolation = Literal["process", "child"]
NOW = datetime.fromisoformat("2026-11-23T23:00:00+07:00").timestamp()
BOXES: dict[str, Any] = {
    "plugin": "red_box",
    "config": {"boxes": [
        {"id": "rb1", "name": {"th": "ตู้ 1", "en": "Box 1"}, "position": [17.0079, 99.8228]},
        {"id": "rb2", "name": {"th": "ตู้ 2", "en": "Box 2"}, "position": [17.0150, 99.8228]},
    ]},
}  # fmt: skip

test_contract = contract(HERE, {}, params={"police_4_0.import_log": {"content": "time,box\n"}})


@asynccontextmanager
async def office(
    running: bool = True, isolation: Isolation | None = None, **config: Any
) -> AsyncIterator[Harness]:
    clock = None if config else ManualClock(NOW)
    async with harness(HERE, config, beside=[BOXES], clock=clock, running=running, isolation=isolation) as hub:
        yield hub


async def imported(hub: Harness, raw: bytes, name: str = "night.csv") -> Outcome:
    return await hub.call("police_4_0.import_log", params={"content": raw.decode("utf-8-sig"), "name": name})


async def test_a_log_becomes_visits_once() -> None:
    async with office() as hub:
        rows = fake.visits(["RB1", "rb2", "RB9"], NOW, 9)
        done = await imported(hub, fake.as_csv(rows, bad=1))
        assert done.status == "done"
        told = {key: done.result[key] for key in ("result", "rows", "new", "known", "unknown_boxes", "bad")}
        assert told == {"result": "partly", "rows": 9, "new": 6, "known": 0, "unknown_boxes": 2, "bad": 1}
        assert done.result["mistakes"][0] == {"line": 4, "column": "box", "message": "no red box has the code 'RB9'"}
        assert done.result["mistakes"][-1]["column"] == "วันเวลา (1)"
        visits = hub.events("checkpoint_scanned")
        assert [event.entity for event in visits] == ["checkpoint.rb1", "checkpoint.rb2"] * 3
        first = visits[0]
        assert (first.source, first.data["source"], first.data["at"], first.data["officer"]) == (
            "instance:red_box", "police_4_0", rows[0][0], rows[0][2],
        )  # fmt: skip
        assert first.data["doubts"] == ["no_position", "outside_window"]  # 20:45; the window begins at 22:00
        again = await imported(hub, fake.as_json(rows[:8]), "night.json")
        assert (again.result["new"], again.result["known"]) == (0, 6)
        assert len(hub.events("checkpoint_scanned")) == 6
        assert [event.data["file"] for event in hub.events("patrol_log_imported")] == ["night.csv", "night.json"]
        state = hub.state("patrol_log.police_4_0")
        assert state is not None
        assert (state.state, state.attributes["file"], state.attributes["known"]) == ("partly", "night.json", 6)


async def test_a_row_in_two_requests_at_once_is_one_visit() -> None:
    async with office() as hub:
        raw = fake.as_csv(fake.visits(["RB1"], NOW, 5))
        done = await asyncio.gather(*(imported(hub, raw) for _ in range(4)))
        assert sum(one.result["new"] for one in done) == 5
        assert len(hub.events("checkpoint_scanned")) == 5


async def test_a_file_that_cannot_be_used_is_refused_in_words_and_written_down() -> None:
    async with office() as hub:
        for raw, where, words in (
            (b'{"scans": [\n{"time": }]}', "line 2, column 10", "no JSON: Expecting value"),
            (b"a,b\n1,2", "line 1, column time", "the first line names no column time or เวลา or วันเวลา or scanned_at"),
            (b"time,box\n" + b"23/11/2569 22:15,RB1\n" * 5001, "line 5002", "more than 5000 rows: export fewer days"),
        ):
            done = await imported(hub, raw)
            assert done.error is not None
            assert (done.error["where"], done.error["message"]) == (where, words)
        assert [event.data["result"] for event in hub.events("patrol_log_imported")] == ["refused"] * 3
        assert (await imported(hub, fake.as_csv(fake.visits(["RB1"], NOW, 2)))).result["new"] == 2


async def test_without_red_boxes_it_says_so_and_keeps_nothing() -> None:
    async with harness(HERE, {}) as hub:
        done = await imported(hub, fake.as_csv(fake.visits(["RB1"], 1_790_000_000.0, 2)))
        assert done.error is not None
        assert (done.error["message"], done.error["hint"]) == (
            "nobody keeps the red boxes now", "is the plugin red_box set up and running?",
        )  # fmt: skip


async def test_files_dropped_into_the_folder(tmp_path: Path) -> None:
    async with office(folder=str(tmp_path), look_s=0.05) as hub:
        now = hub.app.clock.now()
        fake.drop(tmp_path, "night.csv", fake.as_csv(fake.visits(["RB1", "RB2"], now, 4)))
        done = await hub.wait_event("patrol_log_imported", match={"file": "night.csv"})
        assert (done.data["result"], done.data["new"]) == ("imported", 4)
        fake.drop(tmp_path, "broken.json", b'{"scans": [')
        await hub.wait_event("patrol_log_imported", match={"file": "broken.json"})
        (tmp_path / "notes.txt").write_text("not a log")
        told = await until(tmp_path / "refused" / "broken.json.result.json")
        assert told["message"].startswith("no JSON: Expecting value")
        assert (await until(tmp_path / "done" / "night.csv.result.json"))["new"] == 4
        assert await asyncio.to_thread(names, tmp_path) == ["done", "notes.txt", "refused"]
        fake.drop(tmp_path, "copy.csv", (tmp_path / "done" / "night.csv").read_bytes())
        again = await hub.wait_event("patrol_log_imported", match={"file": "copy.csv"})
        assert (again.data["new"], again.data["known"]) == (0, 4)


@pytest.mark.parametrize("isolation", ["process", "child"])
async def test_a_relative_folder_is_meant_from_that_of_the_configuration(isolation: Isolation) -> None:
    async with office(isolation=isolation, running=False, folder="drop/logs", look_s=0.05) as hub:
        drop = hub.app.options.config.parent / "drop" / "logs"
        drop.mkdir(parents=True)
        fake.drop(drop, "night.csv", fake.as_csv(fake.visits(["RB1"], hub.app.clock.now(), 1)))
        done = await hub.wait_event("patrol_log_imported", match={"file": "night.csv"})
        assert done.data["new"] == 1


async def test_a_file_that_still_grows_waits(tmp_path: Path) -> None:
    """Silence in the middle: what is not finished is not read, until it does not change any more."""
    async with office(folder=str(tmp_path), look_s=0.2) as hub:
        raw = fake.as_csv(fake.visits(["RB1"], hub.app.clock.now(), 6))
        with (tmp_path / "slow.csv").open("wb") as file:
            for begin in range(0, len(raw), 60):
                file.write(raw[begin : begin + 60])
                file.flush()
                await asyncio.sleep(0.1)
        done = await hub.wait_event("patrol_log_imported")
        assert (done.data["result"], done.data["new"]) == ("imported", 6)
        assert len(hub.events("patrol_log_imported")) == 1


async def test_a_folder_that_is_gone_is_told_and_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / "drop"
    async with office(running=False, folder=str(folder), look_s=0.05) as hub:
        await hub.until(lambda: "cannot be read: No such file or directory" in hub.supervised.reason)
        folder.mkdir()
        await hub.until(lambda: hub.supervised.reason == "")


async def test_a_flood_of_files_is_worked_off(tmp_path: Path) -> None:
    async with office(folder=str(tmp_path), look_s=0.05) as hub:
        rows = fake.visits(["RB1", "RB2"], hub.app.clock.now(), 60)
        for n in range(30):
            fake.drop(tmp_path, f"{n:02}.csv", fake.as_csv(rows[n * 2 : n * 2 + 2]))
        await hub.until(lambda: len(hub.events("patrol_log_imported")) == 30, 30)
        assert len(hub.events("checkpoint_scanned")) == 60


async def until(path: Path) -> Any:
    """The JSON of a file, as soon as it is there."""

    def read() -> Any:
        for _ in range(250):
            if path.exists():
                return json.loads(path.read_text())
            time.sleep(0.02)
        raise AssertionError(f"{path} did not come")

    return await asyncio.to_thread(read)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
