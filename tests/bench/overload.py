"""Emergencies while 5,000 motion events a second are offered: ``python -m tests.bench overload [--seconds N]``.

The real journal and pipeline. The time is that of ``Pipeline.submit``: until the event is durable. Goal: p99 under
50 ms, none lost. Exit status 1 when an emergency was lost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from hub.capabilities import EVENT_TYPES, AlarmRaised, MotionStarted, Priority
from hub.core.clock import SystemClock
from hub.core.error import LimitExceeded
from hub.core.event import Draft, EventTypes
from hub.core.ids import Ids
from hub.core.journal import Query
from hub.core.pipeline import Pipeline
from hub.core.system import SYSTEM_TYPES
from hub.store.journal_sqlite import SqliteJournal
from hub.store.keys import KeyRing

CAMERAS = 200
EMERGENCIES_A_S = 50
STEP_S = 0.01


def report(name: str, value: float, unit: str) -> None:
    print(json.dumps({"name": name, "value": round(value, 3), "unit": unit}), flush=True)


class Offered:
    """Sends both kinds in even steps of time, and counts."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self.motion_ms: list[float] = []
        self.emergency_ms: list[float] = []
        self.acknowledged: set[int] = set()
        self.count: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, seconds: float, rate: int) -> None:
        loop = asyncio.get_running_loop()
        begun, sent, alarms = loop.time(), 0, 0
        while (gone := loop.time() - begun) < seconds:
            while sent < gone * rate:
                sent += 1
                self._begin(self._motion(sent))
            while alarms < gone * EMERGENCIES_A_S:
                alarms += 1
                self._begin(self._alarm(alarms))
            await asyncio.sleep(STEP_S)
        while self._tasks:
            await asyncio.gather(*self._tasks)

    def _begin(self, job: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _motion(self, n: int) -> None:
        data = MotionStarted(boxes=[[0.1, 0.2, 0.3, 0.4]]).model_dump(mode="json")
        self.count["motion offered"] += 1
        begun = time.monotonic()
        try:
            await self._pipeline.submit(Draft("motion_started", data, "instance:cameras", f"camera.c{n % CAMERAS}"))
        except LimitExceeded:
            self.count["motion refused"] += 1
        else:
            self.motion_ms.append((time.monotonic() - begun) * 1e3)

    async def _alarm(self, n: int) -> None:
        kind = AlarmRaised.type
        data = AlarmRaised(priority=Priority.CRITICAL, title="sos", raised_at=time.time()).model_dump(mode="json")
        self.count["emergencies offered"] += 1
        begun = time.monotonic()
        draft = Draft(kind.name, data, "instance:sos", f"alarm.a{n}", lane=kind.lane)
        self.acknowledged.add((await self._pipeline.submit(draft)).seq)
        self.emergency_ms.append((time.monotonic() - begun) * 1e3)


def summary(name: str, found: list[float]) -> None:
    ordered = sorted(found)
    report(f"{name} p50", statistics.median(ordered), "ms")
    report(f"{name} p99", ordered[int(len(ordered) * 0.99)], "ms")
    report(f"{name} max", ordered[-1], "ms")


async def measure(folder: Path, seconds: float, rate: int) -> int:
    clock, types = SystemClock(), EventTypes((*SYSTEM_TYPES, *EVENT_TYPES))
    journal = SqliteJournal(folder / "journal.db", types, KeyRing.open(folder / "master.key"), clock)
    pipeline = Pipeline(journal, types, clock, Ids(clock))
    await pipeline.start()
    offered = Offered(pipeline)
    begun = time.monotonic()
    await offered.run(seconds, rate)
    took = time.monotonic() - begun
    await pipeline.stop()
    kept: set[int] = set()
    while page := journal.read(Query(type="alarm_raised", after=max(kept, default=0), limit=1000)):
        kept |= {event.seq for event in page}
    journal.close()
    lost = offered.count["emergencies offered"] - len(kept & offered.acknowledged)
    summary(f"emergency, until durable, at {rate}/s motion", offered.emergency_ms)
    summary(f"motion, until durable, at {rate}/s motion", offered.motion_ms)
    for name, count in sorted(offered.count.items()):
        report(name, count, "1")
    report("durable motion events", len(offered.motion_ms) / took, "1/s")
    report("emergencies lost", lost, "1")
    return 1 if lost else 0


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench overload", description=__doc__)
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--rate", type=int, default=5_000, help="motion events a second")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(measure(Path(folder), options.seconds, options.rate))
