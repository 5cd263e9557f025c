"""Many cameras on one core: ``python -m tests.bench cameras [--count 16] [--seconds 30]``.

Real RTSP streams, 640 × 360 at 5 pictures a second, through the real vision process with motion detection, held on one
core; the server runs on another. The processor seconds are those of the whole process: receiving, decoding, motion.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from hub.host.process import Bounds, Child
from hub.host.vision import KEEP, MODULE
from tests.e2e.live_kit import walk
from tests.vision.conftest import Camera, rtsp_missing

WIDE, HIGH, FPS = 640, 360, 5
STEADY_PICTURES = 60  # of each camera before the measuring begins
READY_WITHIN_S = 120.0


def say(name: str, value: float, unit: str) -> None:
    """One JSON line."""
    print(json.dumps({"name": name, "value": round(value, 3), "unit": unit}), flush=True)


def server(folder: Path, count: int) -> Camera:
    """One path a camera, a person walking through each."""
    names = []
    for number, frame in enumerate(walk(25, WIDE, HIGH)):
        names.append(str(folder / f"{number}.raw"))
        Path(names[-1]).write_bytes(frame.tobytes())
    mount = {"fps": FPS, "width": WIDE, "height": HIGH, "codec": "h264", "frames": names, "hold": 1}
    made = Camera(folder, {"mounts": {f"/cam{number}": mount for number in range(count)}})
    made.start()
    return made


async def _heard(call: str, args: dict[str, Any], blob: bytes) -> None:
    """What is seen does not matter here."""


async def pictures(child: Child) -> list[int]:
    """So far, of each camera."""
    sources = (await child.ask("status", {}, limit=20.0)).header["result"]["sources"]
    return [source["frames"] for source in sources.values()]


async def measure(camera: Camera, count: int, seconds: float) -> None:
    """Print the figures."""
    child = Child("vision", MODULE, _heard, Bounds(silent_s=60.0, keep=KEEP))
    await child.start()
    try:
        assert child.pid is not None
        process = psutil.Process(child.pid)
        process.cpu_affinity([0])
        for number in range(count):
            args = {"key": f"camera.{number}", "url": camera.url(f"/cam{number}"), "analyse": ["motion"], "fps": FPS}
            await child.ask("open", args, limit=30.0)
        async with asyncio.timeout(READY_WITHIN_S):
            while min(await pictures(child)) < STEADY_PICTURES:  # noqa: ASYNC110 - the process is asked, it does not tell
                await asyncio.sleep(0.5)
        before, times = await pictures(child), process.cpu_times()
        await asyncio.sleep(seconds)  # the span that is measured
        after, now = await pictures(child), process.cpu_times()
        spent = now.user + now.system - times.user - times.system
        rates = [(b - a) / seconds for a, b in zip(before, after, strict=True)]
        say("cameras.count", count, "count")
        say("cameras.core", 100 * spent / seconds, "%")
        say("cameras.core_per_camera", 100 * spent / seconds / count, "%")
        say("cameras.slowest_fps", min(rates), "1/s")
        say("cameras.rss", process.memory_info().rss / 1e6, "MB")
    finally:
        await child.stop()


def main(argv: list[str]) -> int:
    """Print the figures; 1 when no stream can be made here."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench cameras", description=__doc__)
    parser.add_argument("--count", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=30.0)
    options = parser.parse_args(argv)
    if missing := rtsp_missing():
        sys.stderr.write(f"{missing}\n")
        return 1
    with tempfile.TemporaryDirectory() as name:
        camera = server(Path(name), options.count)
        if camera.process is not None:
            os.sched_setaffinity(camera.process.pid, {1 % (os.cpu_count() or 1)})
        try:
            asyncio.run(measure(camera, options.count, options.seconds))
        finally:
            camera.kill()
    return 0
