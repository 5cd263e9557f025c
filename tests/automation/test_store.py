"""Runs over the real store: what was started survives, and nobody reads a plate in the file."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from hub.core.clock import Clock
from hub.core.event import EventTypes
from hub.core.journal import Journal
from hub.store.journal_sqlite import SqliteJournal
from hub.store.keys import KeyRing
from tests.automation.zone import START, Zone

TEXT = """
- id: a
  triggers: {trigger: event, event_type: plate_read}
  actions:
    - {action: light.turn_on, target: {entity_id: light.a}, data: {note: "{{ trigger.event.data.plate }}"}}
    - variables: {seen: "{{ trigger.event.time_fired }}"}
    - delay: 60
    - {action: notify.tell, data: {to: x, text: "{{ trigger.event.data.plate }} {{ seen }}"}}
- id: b
  triggers: {trigger: state, entity_id: light.b, to: "on", for: 60}
  actions: [{action: notify.tell, data: {to: x, text: "{{ trigger.to_state.state }}"}}]
"""


async def test_runs_and_waits_survive_in_the_real_store(tmp_path: Path) -> None:
    zone = Zone(opener=partial(opened, tmp_path))
    await zone.start(TEXT)
    zone.plate("ฆฆ7777")
    zone.set("light.b", "on")
    await zone.idle()
    assert [key.partition(":")[0] for key, _ in zone.runs()][1:] == ["for"]
    await close(zone)
    assert "ฆฆ7777".encode() not in everything(tmp_path)

    other = Zone(opener=partial(opened, tmp_path), now=START + 61, seed=9)
    await other.start(TEXT)
    assert sorted(other.told()) == ["on", "ฆฆ7777 2023-11-15 05:13:20+07:00"]
    assert (other.runs(), other.journal.records("automation_sources")) == ([], [])
    assert [trace["status"] for trace in other.engine.traces("a")] == ["finished"]
    await close(other)


def everything(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


def opened(folder: Path, types: EventTypes, clock: Clock) -> Journal:
    return SqliteJournal(folder / "journal.db", types, KeyRing.open(folder / "master.key"), clock)


async def close(zone: Zone) -> None:
    zone.engine.stop()
    await zone.actions.stop()
    await zone.pipeline.stop()
    zone.journal.close()
