"""The journal's speed: ``python -m tests.bench store [--folder DIR] [--events N]``.

Rows a second at several group sizes, plain and personal, and ``durable.events_per_s``: events that concurrent senders
got acknowledged through the pipeline. ``cpu`` figures are microseconds of processor time an event.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path
from typing import Annotated

from hub.core.clock import SystemClock
from hub.core.event import Draft, Event, EventData, EventTypes, Lane, Personal, event_type, personal
from hub.core.ids import Ids
from hub.core.journal import Query
from hub.core.pipeline import Pipeline
from hub.store.journal_sqlite import SqliteJournal
from hub.store.keys import KeyRing

GROUPS = (1, 10, 100, 512)
SENDERS = 500


@event_type("bench_motion", "เคลื่อนไหว", "Motion")
class BenchMotion(EventData):
    """A plain event."""

    score: float
    tiles: list[int]


@event_type("bench_plate", "ป้าย", "Plate", retention="plates")
class BenchPlate(EventData):
    """An event with a personal field that is looked up."""

    plate: Annotated[str, personal(Personal.PLATE)]
    confidence: float


TYPES = EventTypes((BenchMotion.type, BenchPlate.type))


def show(name: str, value: float, unit: str) -> None:
    print(json.dumps({"name": name, "value": round(value, 1), "unit": unit}), flush=True)


def events(kind: str, first: int, count: int) -> list[Event]:
    made = []
    for seq in range(first, first + count):
        data = (
            {"plate": f"กข{seq % 5000}", "confidence": 0.93}
            if kind == "bench_plate"
            else {"score": 0.5, "tiles": [1, 2, 3]}
        )
        made.append(
            Event(seq, f"01hzz{seq:021d}", kind, time.time(), time.time(), f"camera.c{seq % 40}", "instance:cams", data)
        )
    return made


def commits(folder: Path, kind: str, size: int, total: int) -> None:
    """Groups of one size, one after the other."""
    journal = SqliteJournal(folder / "journal.db", TYPES, KeyRing(bytes(32)), SystemClock())
    groups = [events(kind, 1 + i, size) for i in range(0, total, size)]
    began, busy = time.perf_counter(), time.process_time()
    for group in groups:
        journal.commit(group, [])
    spent, cpu = time.perf_counter() - began, time.process_time() - busy
    word = "personal" if kind == "bench_plate" else "plain"
    written = len(groups) * size
    show(f"journal.{word}.group_{size}.rows_per_s", written / spent, "1/s")
    show(f"journal.{word}.group_{size}.cpu_us", cpu / written * 1e6, "us")
    if kind == "bench_motion" and size == GROUPS[-1]:
        began = time.perf_counter()
        found = len(journal.read(Query(limit=written)))
        show("journal.read.rows_per_s", found / (time.perf_counter() - began), "1/s")
    journal.close()


async def durable(folder: Path, total: int, lane: Lane) -> None:
    """Senders that each wait for their acknowledgement before they send again."""
    clock = SystemClock()
    journal = SqliteJournal(folder / "journal.db", TYPES, KeyRing(bytes(32)), clock)
    pipeline = Pipeline(journal, TYPES, clock, Ids(clock))
    await pipeline.start()
    waits: list[float] = []

    async def send(number: int) -> None:
        for _ in range(total // SENDERS):
            began = time.perf_counter()
            data = {"score": 0.5, "tiles": [1, 2, 3]}
            await pipeline.submit(Draft("bench_motion", data, "instance:cams", f"camera.c{number}", lane=lane))
            waits.append(time.perf_counter() - began)

    began, busy = time.perf_counter(), time.process_time()
    await asyncio.gather(*(send(number) for number in range(SENDERS)))
    spent, cpu = time.perf_counter() - began, time.process_time() - busy
    await pipeline.stop()
    assert journal.last_seq() == len(waits)
    journal.close()
    waits.sort()
    show("durable.events_per_s", len(waits) / spent, "1/s")
    show("durable.cpu_us", cpu / len(waits) * 1e6, "us")
    show("durable.ack_p50_ms", waits[len(waits) // 2] * 1e3, "ms")
    show("durable.ack_p99_ms", waits[len(waits) * 99 // 100] * 1e3, "ms")


def main(argv: list[str]) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench store", description=__doc__)
    parser.add_argument("--folder", type=Path, help="on which disk; the system's temporary folder by default")
    parser.add_argument("--events", type=int, default=50_000)
    options = parser.parse_args(argv)
    for kind in ("bench_motion", "bench_plate"):
        for size in GROUPS:
            with tempfile.TemporaryDirectory(dir=options.folder) as folder:
                commits(Path(folder), kind, size, max(size, min(options.events, size * 400)))
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        asyncio.run(durable(Path(folder), options.events, Lane.NORMAL))
    return 0
