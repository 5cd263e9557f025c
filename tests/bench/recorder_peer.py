"""Durable events a second against Home Assistant's recorder: ``python -m tests.bench recorder_peer --peer PYTHON``.

``PYTHON`` is the interpreter of an environment with ``homeassistant==2024.3.3 SQLAlchemy==2.0.27 fnv-hash-fast==0.5.0
psutil-home-assistant==0.0.1``. Both write to files in one folder, each event acknowledged only when a power cut can no
longer take it; the recorder's default, which may lose 5 seconds, stands beside it. CPU is that of the whole process.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hub.core.event import Draft
from tests.automation.zone import Zone
from tests.bench.pipeline import opened, report

PEER = Path(__file__).parent / "peer" / "home_assistant_recorder.py"
SENDERS = (1, 10, 500)
SAFE = "nothing may be lost"


def theirs(python: str, events: int, folder: Path) -> dict[str, float]:
    said = subprocess.run([python, str(PEER), str(events), str(folder)], capture_output=True, text=True, check=False)
    if said.returncode:
        raise SystemExit(f"the peer did not run: {said.stderr[-2000:]}")
    rows = [json.loads(line) for line in said.stdout.splitlines() if line.startswith("{")]
    return {row["name"]: row["value"] for row in rows}


async def ours(folder: Path, events: int, senders: int) -> tuple[float, float]:
    """Acknowledged events a second, and CPU microseconds of the process for each."""
    zone = await Zone(opener=lambda types, clock: opened(folder, types, clock)).start()
    kind = zone.types.need("plate_read")

    async def send(times: int) -> None:
        for _ in range(times):
            data = kind.validate({"plate": "1กข1234"})
            await zone.pipeline.submit(Draft("plate_read", data, "instance:cam", "camera.x"))

    begun, cpu = time.monotonic(), time.process_time()
    await asyncio.gather(*(send(events // senders) for _ in range(senders)))
    took, spent = time.monotonic() - begun, time.process_time() - cpu
    await zone.pipeline.stop()
    return events / took, spent / events * 1e6


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench recorder_peer", description=__doc__)
    parser.add_argument("--peer", metavar="PYTHON", help="the Python of an environment with Home Assistant's recorder")
    parser.add_argument("--events", type=int, default=20_000, help="events of the hub; the peer gets a tenth")
    options = parser.parse_args(argv)
    if options.peer is None:
        sys.stderr.write("skipped: --peer names no Python with homeassistant==2024.3.3 and its recorder\n")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        peer = theirs(options.peer, options.events // 10, Path(folder))
        for name, value in peer.items():
            report(f"Home Assistant's recorder: {name}", value, "us" if name.startswith("CPU") else "1/s")
        for senders in SENDERS:
            place = Path(folder, str(senders))
            place.mkdir()
            events = options.events if senders > 1 else options.events // 10
            rate, cpu = asyncio.run(ours(place, events, senders))
            report(f"hub: events, {senders} senders", rate, "1/s")
            report(f"hub: CPU each, {senders} senders", cpu, "us")
            report(f"{senders} senders: ratio of events, {SAFE}", rate / peer[f"events, {SAFE}"], "x")
            report(f"{senders} senders: ratio of CPU, {SAFE}", peer[f"CPU each, {SAFE}"] / cpu, "x")
    return 0
