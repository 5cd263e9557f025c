"""Sample logs of a night's patrol, as a station would export them. Everything in them is invented.

As a program: ``python plugins/police_4_0/fake.py --folder DIR --box RB1 --box RB2`` drops a log of the last hours into
the folder that the plugin watches, and another every ``--every`` seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import io
import json
import random
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hub.sdk.program import end_asked, say_ready

OFFICERS = ("ด.ต. สมชาย (จำลอง)", "จ.ส.ต. วิชัย (จำลอง)", "ส.ต.อ. มานะ (จำลอง)")
BANGKOK_H = 7


def visits(boxes: Sequence[str], now: float, count: int, seed: int = 7) -> list[tuple[float, str, str]]:
    """``count`` visits (time, box, officer) of the last hours, oldest first, a quarter of an hour apart."""
    dice = random.Random(seed)
    rows = [(now - 900 * (count - n), boxes[n % len(boxes)], dice.choice(OFFICERS)) for n in range(count)]
    return sorted(rows)


def thai_time(at: float) -> str:
    """``23/11/2569 22:15:00``, as a Thai office writes it."""
    moment = datetime.fromtimestamp(at, UTC) + timedelta(hours=BANGKOK_H)
    return f"{moment.day}/{moment.month:02d}/{moment.year + 543} {moment:%H:%M:%S}"


def as_csv(rows: Sequence[tuple[float, str, str]], bad: int = 0) -> bytes:
    """A CSV with Thai headings and the mark that Excel writes; the last ``bad`` rows hold a time that is none."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["วันเวลา", "รหัสตู้", "เจ้าหน้าที่"])
    for n, (at, box, officer) in enumerate(rows):
        writer.writerow(["เมื่อคืน" if n >= len(rows) - bad else thai_time(at), box, officer])
    return out.getvalue().encode("utf-8-sig")


def as_json(rows: Sequence[tuple[float, str, str]]) -> bytes:
    """The same as JSON."""
    scans = [{"time": datetime.fromtimestamp(at, UTC).isoformat(), "box": box, "officer": who} for at, box, who in rows]
    return json.dumps({"scans": scans}, ensure_ascii=False).encode()


def drop(folder: Path, name: str, content: bytes) -> None:
    """Put a file there in one step."""
    part = folder / f".{name}.part"
    part.write_bytes(content)
    part.replace(folder / name)


async def main(arguments: Sequence[str]) -> None:
    """The program."""
    parser = argparse.ArgumentParser(description="drops invented patrol logs into a folder")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--box", action="append", required=True, help="id of a red box; may be repeated")
    parser.add_argument("--rows", type=int, default=8)
    parser.add_argument("--bad", type=int, default=1, help="rows that are wrong")
    parser.add_argument("--every", type=float, default=300.0, help="seconds between files")
    given = parser.parse_args(arguments)
    told = end_asked()
    await asyncio.to_thread(given.folder.mkdir, parents=True, exist_ok=True)
    say_ready(port=None, folder=str(given.folder))
    while not told.is_set():
        now = time.time()
        content = as_csv(visits(given.box, now, given.rows), given.bad)
        await asyncio.to_thread(drop, given.folder, f"patrol-{now:.0f}.csv", content)
        try:
            async with asyncio.timeout(given.every):
                await told.wait()
        except TimeoutError:
            continue


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
