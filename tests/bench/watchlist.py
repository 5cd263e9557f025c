"""What a watch-list costs by its length: ``python -m tests.bench watchlist``.

The list's own index with 10 to 100,000 entries (a read that matches none, one that matches exactly, one with an
error), and the same plates as 10 to 10,000 automations of the engine. CPU of this thread. Uncertain reads: ``match``.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import time
from random import Random

from plugins.watchlist.device import Entry, PlateIndex
from tests.automation.zone import Zone
from tests.bench.automation import matching_none, plate_rules

LENGTHS = (10, 1_000, 10_000, 100_000)
RULES = (10, 1_000, 10_000)
CONSONANTS = "กขคฆงจฉชฌญฎฏฐฑฒณดตถทธนบปผพฟภมยรลวศษสฬอฮ"


def report(name: str, value: float, unit: str) -> None:
    print(json.dumps({"name": name, "value": round(value, 3), "unit": unit}), flush=True)


def plate(source: Random) -> str:
    series = source.choice(["", *"123456789"]) + source.choice(CONSONANTS) + source.choice(CONSONANTS)
    return f"{series}{source.randint(1, 9999)}"


def index_of(count: int, source: Random) -> tuple[PlateIndex, list[str]]:
    index, plates = PlateIndex(), [plate(source) for _ in range(count)]
    for n, word in enumerate(plates):
        index.put(Entry(str(n), word, "", "reason", "ground", "owner", "high", "a", 0.0, 2e9, approved_by="b"))
    return index, plates


def wrong(word: str, source: Random) -> str:
    at = source.randrange(len(word))
    return word[:at] + ("ฮ" if word[at] != "ฮ" else "ก") + word[at + 1 :]


def timed(index: PlateIndex, words: list[str], name: str) -> None:
    spent, found = [], 0
    for word in words:
        begun = time.thread_time_ns()
        matches = index.exact(word) or index.near(word)
        spent.append((time.thread_time_ns() - begun) / 1e3)
        found += bool(matches)
    report(f"{name}, median", statistics.median(spent), "us")
    report(f"{name}, p99", sorted(spent)[int(len(spent) * 0.99)], "us")
    report(f"{name}, found", found / len(words), "ratio")


def lists(reads: int) -> None:
    for count in LENGTHS:
        source = Random(7)
        begun = time.thread_time()
        index, plates = index_of(count, source)
        report(f"list of {count}: build", time.thread_time() - begun, "s")
        timed(index, [f"X{n}Y" for n in range(reads)], f"list of {count}: no match")
        timed(index, [source.choice(plates) for _ in range(reads)], f"list of {count}: exact")
        timed(index, [wrong(source.choice(plates), source) for _ in range(reads)], f"list of {count}: one error")


async def matching_one(count: int, reads: int) -> None:
    """The whole emit of an event that one of so many rules wants."""
    zone = await Zone().start(plate_rules(count))
    spent: list[float] = []
    for n in range(reads):
        begun = time.thread_time_ns()
        zone.plate(f"A{n % count}")
        spent.append((time.thread_time_ns() - begun) / 1e3)
        if n % 50 == 49:
            await zone.idle()
    await zone.idle()
    report(f"event that matches one of {count} rules, whole emit with the run", statistics.median(spent), "us")


async def rules(reads: int) -> None:
    for count in RULES:
        await matching_none(count, reads)
        await matching_one(count, min(reads, 1_000))


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench watchlist", description=__doc__)
    parser.add_argument("--reads", type=int, default=2_000, help="plates looked up for each figure")
    options = parser.parse_args(argv)
    gc.freeze()
    lists(options.reads)
    asyncio.run(rules(options.reads))
    return 0
