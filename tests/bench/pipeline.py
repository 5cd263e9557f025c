"""From ``emit`` to the device's call, and durable events a second: ``python -m tests.bench pipeline [--seconds N]``.

CPU of the loop's thread (``time.thread_time``) between the emit of an event and the moment at which the device is
called, which is after the commit; with the journal in memory and the real one, at 1 and 1,000 events a second. The
disk's waits are in the wall time beside it, not in the CPU.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hub.core.action import Call
from hub.core.clock import Clock
from hub.core.event import Draft, EventTypes
from hub.core.journal import Journal, MemoryJournal
from hub.store.journal_sqlite import SqliteJournal
from hub.store.keys import KeyRing
from tests.automation.zone import Zone

RULE = """\
- id: light
  mode: parallel
  max: 100
  triggers: {trigger: event, event_type: plate_read}
  actions: {action: light.turn_on, target: {entity_id: light.a}, data: {note: "{{ trigger.event.data.province }}"}}
"""


def report(name: str, value: float, unit: str) -> None:
    print(json.dumps({"name": name, "value": round(value, 3), "unit": unit}), flush=True)


class Device:
    """Notes when it is called."""

    def __init__(self) -> None:
        self.begun: dict[str, tuple[int, int]] = {}
        self.cpu_us: list[float] = []
        self.wall_ms: list[float] = []

    async def execute(self, call: Call) -> None:
        params: Mapping[str, Any] = call.params
        cpu, wall = self.begun.pop(params["note"])
        self.cpu_us.append((time.thread_time_ns() - cpu) / 1e3)
        self.wall_ms.append((time.monotonic_ns() - wall) / 1e6)


async def paced(zone: Zone, device: Device, rate: float, seconds: float) -> None:
    """Events in even steps of time."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for n in range(max(1, round(rate * seconds))):
        if (wait := begun + n / rate - loop.time()) > 0:
            await asyncio.sleep(wait)
        name = f"p{rate:g}n{n}"
        device.begun[name] = (time.thread_time_ns(), time.monotonic_ns())
        zone.plate("1กข1234", province=name)
    await zone.idle()


def summary(name: str, found: list[float], unit: str) -> None:
    ordered = sorted(found)
    report(f"{name} median", statistics.median(ordered), unit)
    report(f"{name} p99", ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], unit)


def opened(folder: Path | None, types: EventTypes, clock: Clock) -> Journal:
    if folder is None:
        return MemoryJournal()
    return SqliteJournal(folder / "journal.db", types, KeyRing.open(folder / "master.key"), clock)


async def latency(label: str, folder: Path | None, seconds: float) -> None:
    zone = await Zone(opener=lambda types, clock: opened(folder, types, clock)).start(RULE)
    device = Device()
    zone.actions.attach("light.a", device.execute)
    await paced(zone, device, 200, 0.5)  # warm
    for rate, length in ((1.0, max(seconds * 2, 10.0)), (1_000.0, seconds)):
        device.cpu_us.clear()
        device.wall_ms.clear()
        await paced(zone, device, rate, length)
        summary(f"{label}, {rate:g}/s, emit to device call, loop CPU", device.cpu_us, "us")
        summary(f"{label}, {rate:g}/s, emit to device call, wall", device.wall_ms, "ms")
    zone.engine.stop()
    await zone.pipeline.stop()


async def durable(folder: Path, count: int, at_once: int) -> None:
    """Acknowledged events a second with so many senders."""
    zone = await Zone(opener=lambda types, clock: opened(folder, types, clock)).start()
    kind = zone.types.need("plate_read")
    data = kind.validate({"plate": "1กข1234"})

    async def send(times: int) -> None:
        for _ in range(times):
            await zone.pipeline.submit(Draft("plate_read", data, "instance:cam", "camera.x"))

    begun, cpu = time.monotonic(), time.thread_time()
    await asyncio.gather(*(send(count // at_once) for _ in range(at_once)))
    took, spent = time.monotonic() - begun, time.thread_time() - cpu
    report(f"durable events, {at_once} senders", count / took, "1/s")
    report(f"durable events, {at_once} senders, loop CPU each", spent / count * 1e6, "us")
    await zone.pipeline.stop()


async def measure(seconds: float, events: int) -> None:
    gc.freeze()
    await latency("memory", None, seconds)
    with tempfile.TemporaryDirectory() as folder:
        await latency("sqlite", Path(folder), seconds)
    for at_once in (1, 10, 500):
        with tempfile.TemporaryDirectory() as folder:
            await durable(Path(folder), events if at_once > 1 else events // 10, at_once)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench pipeline", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="length of the run at 1,000 events a second")
    parser.add_argument("--events", type=int, default=20_000, help="events for the durable rate")
    options = parser.parse_args(argv)
    asyncio.run(measure(options.seconds, options.events))
    return 0
