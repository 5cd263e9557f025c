"""The nightly round on the real journal: what is due is gone, a receipt stays, and a missed night is made up for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hub.access.nightly import Nightly
from hub.access.retention import with_days
from hub.core.clock import ManualClock
from hub.core.event import Draft, EventTypes
from hub.core.ids import Ids
from hub.core.journal import Query
from hub.core.pipeline import Pipeline
from hub.core.system import SYSTEM_TYPES
from hub.store.journal_sqlite import SqliteJournal
from hub.store.keys import KeyRing
from hub.store.media import MediaFiles
from tests.store.kit import DAY, NOON, CarSeen

BANGKOK = ZoneInfo("Asia/Bangkok")


class Station:
    """A journal, media and the round at 03:30, plates kept two days."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(NOON)
        types = EventTypes((*SYSTEM_TYPES, CarSeen.type))
        self.journal = SqliteJournal(folder / "journal.db", types, KeyRing.open(folder / "master.key"), self.clock)
        self.pipeline = Pipeline(self.journal, types, self.clock, Ids(self.clock))
        self.media = MediaFiles(folder / "media", self.clock)
        self.nightly = Nightly(self.pipeline, self.journal, self.media, with_days({"plates": 2}), BANGKOK, "03:30")

    async def see(self, plate: str) -> str:
        self.pipeline.emit(Draft("car_seen", CarSeen(plate=plate).model_dump(mode="json"), "instance:x", "camera.a"))
        await self.pipeline.settled()
        return await self.media.put(plate.encode(), "image/jpeg", "plates")

    def plates(self) -> list[str | None]:
        return [event.data["plate"] for event in self.journal.read(Query(type="car_seen"))]

    def receipts(self) -> list[list[dict[str, object]]]:
        return [list(event.data["receipts"]) for event in self.journal.read(Query(type="retention_applied"))]


@pytest.fixture
async def station(tmp_path: Path) -> AsyncIterator[Station]:
    made = Station(tmp_path)
    await made.pipeline.start()
    yield made
    await made.pipeline.stop()
    made.journal.close()


def test_a_night_begins_at_its_hour(tmp_path: Path) -> None:
    station = Station(tmp_path)  # 19:00 of 15 January in Bangkok
    assert station.nightly.night(NOON) == "2027-01-15"
    assert station.nightly.night(NOON + 8.4 * 3600) == "2027-01-15"  # 03:24 of the next day
    assert station.nightly.night(NOON + 8.5 * 3600) == "2027-01-16"
    station.journal.close()


async def test_what_is_due_is_destroyed_once_and_leaves_a_receipt(station: Station) -> None:
    picture = await station.see("1กข1234")
    assert await station.nightly.look() is True  # the first start makes up for the night before
    assert await station.nightly.look() is False
    assert (station.plates(), station.receipts()) == (["1กข1234"], [[]])
    station.clock.advance(3 * DAY)
    await station.see("2คค5678")
    assert await station.nightly.look() is True
    assert station.plates() == [None, "2คค5678"]
    assert station.receipts()[1] == [
        {"class": "plates", "kept_from": "2027-01-16", "keys": 1, "events": 1, "media_deleted": 1,
         "media_kept_by_others": 0}
    ]  # fmt: skip
    assert not any(path.name == picture for path in (station.media._folder).rglob("*"))
    state = station.pipeline.state.get("camera.a")
    assert state is not None and state.attributes["plate"] == "2คค5678"


async def test_the_state_in_memory_forgets_it_too(station: Station) -> None:
    await station.see("1กข1234")
    station.clock.advance(3 * DAY)
    assert await station.nightly.look() is True
    state = station.pipeline.state.get("camera.a")
    assert state is not None and state.attributes["plate"] is None


async def test_a_round_that_fails_is_made_again(station: Station, monkeypatch: pytest.MonkeyPatch) -> None:
    await station.see("1กข1234")
    station.clock.advance(3 * DAY)
    monkeypatch.setattr(station.media, "erase", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        await station.nightly.look()
    monkeypatch.undo()
    assert await station.nightly.look() is True
    assert station.plates() == [None]


async def test_a_damaged_note_is_told_once_a_night_and_the_round_is_made(station: Station) -> None:
    picture = await station.see("1กข1234")
    other = await station.see("2คค5678")
    about = station.media._folder / picture[:2] / f"{picture}.json"
    about.write_bytes(b"{")
    station.clock.advance(3 * DAY)
    assert await station.nightly.look() is True
    assert await station.nightly.look() is False
    told = [event.data for event in station.journal.read(Query(type="fault"))]
    assert [(data["where"], data["message"]) for data in told] == [
        (str(about), "the note beside the media file is damaged")
    ]
    assert station.receipts()[0][0]["media_deleted"] == 1
    assert not any(path.name == other for path in station.media._folder.rglob("*"))
