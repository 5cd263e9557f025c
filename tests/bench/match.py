"""One read plate against 100,000 listed ones: ``python -m tests.bench match [--entries N] [--reads N]``.

``exact`` and ``one_error``: the index that the hub's own process holds. ``weighted``: the compiled comparison, for
reads that took a letter for one that looks like it and doubt it, with the threshold as it is set (``usual``), with the
widest that can be set (``widest``), and for reads that doubt every letter with the widest (``blurred``); ``partial``:
``widest`` on a list of which one entry in ten has two letters that nobody saw. ``row``: what becomes of a read before
it is compared; ``list``: what a change of the list costs the next read.

``rapidfuzz``: its ``process.cdist`` with Levenshtein's distance over the same list in the same run, one worker as we
have: one read a call, as passages come, and 64 a call, where it is at its best; whole, and cut off after one error.
CPU of this thread in milliseconds a read, medians of the calls.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from random import Random
from typing import Any

from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from hub.vision.grammar import CONSONANTS
from hub.vision.words import WordList
from plugins.watchlist import Settings
from plugins.watchlist.confusion import GAP, OTHER, Rates, Row, alike, letters_of
from plugins.watchlist.device import UNSEEN, Entry, PlateIndex

USUAL, WIDEST = -math.log(Settings().alarm_at), -math.log(0.001)


def told(name: str, value: float, unit: str = "ms") -> None:
    """One figure."""
    print(json.dumps({"name": f"match.{name}", "value": round(value, 4), "unit": unit}), flush=True)


def plate(draw: Random) -> str:
    """A car's plate."""
    return f"{draw.choice(['', *'123456789'])}{''.join(draw.choices(CONSONANTS, k=2))}{draw.randint(1, 9999)}"


def misread(word: str, draw: Random) -> str:
    """The same with a letter taken for one that looks like it, where it has such."""
    places = [at for at, letter in enumerate(word) if alike(letter)]
    at = draw.choice(places or [0])
    return word[:at] + draw.choice(alike(word[at]) or "ก") + word[at + 1 :]


def half_seen(word: str, draw: Random) -> str:
    """What a witness has of it."""
    hidden = draw.sample(range(len(word)), 2) if len(word) > 5 else []
    return "".join(UNSEEN if at in hidden else letter for at, letter in enumerate(word))


def doubtful(word: str, wrong: str) -> Row:
    """The costs of a read that took ``wrong`` for ``word``, and is not sure where they differ."""
    pairs = zip(word, wrong, strict=True)
    lattice = [[(seen, 0.99)] if real == seen else [(seen, 0.6), (real, 0.39)] for real, seen in pairs]
    return Rates().row(letters_of({"plate": wrong, "lattice": lattice}))


def blurred(word: str) -> Row:
    """The costs of a read that is sure of no letter."""
    lattice = [[(letter, 0.6), ((alike(letter) or "ก")[0], 0.3)] for letter in word]
    return Rates().row(letters_of({"plate": word, "lattice": lattice}))


def spent(call: Callable[[Any], Any], reads: Sequence[Any]) -> tuple[list[float], int]:
    """Milliseconds of each call, none of them for a read that was looked up before, and how many found something."""
    times, found = [], 0
    for read in reads:
        begun = time.thread_time_ns()
        answer = call(read)
        times.append((time.thread_time_ns() - begun) / 1e6)
        found += len(answer) > 0
    return times, found


def timed(name: str, call: Callable[[Any], Any], reads: Sequence[Any]) -> float:
    """The median, told with that of the slowest of a hundred and the share of reads that found an entry."""
    times, found = spent(call, reads)
    told(name, statistics.median(times))
    told(f"{name}.p99", sorted(times)[int(len(times) * 0.99)])
    told(f"{name}.found", found / len(reads), "ratio")
    return statistics.median(times)


def by_index(plates: list[str], exact: list[str], wrong: list[str]) -> float:
    """The list's own index; milliseconds of one error."""
    index = PlateIndex()
    for number, word in enumerate(plates):
        index.put(Entry(str(number), word, "", "r", "g", "o", "high", "a", 0.0, 2e9, approved_by="b"))
    timed("exact", index.exact, exact)
    return timed("one_error", index.near, wrong)


def near(words: WordList, bound: float, row: Row) -> list[tuple[int, float]]:
    """What the vision process does for a read."""
    return words.nearest(row, OTHER, GAP, bound, 64)


def by_kernel(plates: list[str], exact: list[str], wrong: list[str], draw: Random) -> float:
    """The compiled comparison; milliseconds of the slowest way over whole plates."""
    begun = time.thread_time_ns()
    words = WordList(plates)
    told("list", (time.thread_time_ns() - begun) / 1e6)
    told("row", statistics.median(spent(lambda word: Rates().row(letters_of({"plate": word})), wrong)[0]))
    rows = [doubtful(word, seen) for word, seen in zip(exact, wrong, strict=True)]
    parts = WordList([half_seen(word, draw) if number % 10 == 0 else word for number, word in enumerate(plates)])
    timed("partial", partial(near, parts, WIDEST), rows)
    unsure = [blurred(word) for word in exact]
    ways = [("usual", rows, USUAL), ("widest", rows, WIDEST), ("blurred", unsure, WIDEST)]
    return max(timed(f"weighted.{name}", partial(near, words, bound), reads) for name, reads, bound in ways)


def by_rapidfuzz(plates: list[str], wrong: list[str]) -> dict[int, float]:
    """Milliseconds a read at its fastest, by reads a call. It has no costs by letter: its problem is the smaller."""
    best: dict[int, float] = {}
    for cutoff, size in product((None, 1), (1, 64)):
        calls = [wrong[at : at + size] for at in range(0, len(wrong) - size + 1, size)]
        compare = partial(cdist, choices=plates, scorer=Levenshtein.distance, score_cutoff=cutoff, workers=1)
        usual = statistics.median(spent(compare, calls)[0]) / size
        told(f"rapidfuzz.{size}_a_call.{'whole' if cutoff is None else 'cut_off'}", usual)
        best[size] = min(usual, best.get(size, math.inf))
    return best


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench match", description=__doc__)
    parser.add_argument("--entries", type=int, default=100_000, help="plates of the list")
    parser.add_argument("--reads", type=int, default=1_024, help="plates looked up for each figure")
    options = parser.parse_args(argv)
    draw = Random(7)
    plates = list({plate(draw): None for _ in range(options.entries * 2)})[: options.entries]
    exact = draw.choices(plates, k=options.reads)
    wrong = [misread(word, draw) for word in exact]
    gc.freeze()
    one_error = by_index(plates, exact, wrong)
    slowest = by_kernel(plates, exact, wrong, draw)
    for size, peer in by_rapidfuzz(plates, wrong).items():
        told(f"rapidfuzz.{size}_a_call.over_slowest_weighted", peer / slowest, "ratio")
        told(f"rapidfuzz.{size}_a_call.over_one_error", peer / one_error, "ratio")
    return 0
