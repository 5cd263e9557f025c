"""How well plates are read: ``python -m tests.bench plates DATA_DIR [--every N] [--no-peer]``.

DATA_DIR holds pictures and ``labels.tsv`` (file, series, number, province): the whole way from picture to text, one
thread. Exact: series and number are both right; without a reading all is wrong. ``.tesseract``: the program on the
picture as it is, ``.tesseract_rectified``: on the plate that our corners straighten. Or it holds street photographs
with ``NAME.txt`` beside each (file, x, y, w, h, plate): found where it is, of at most three places and the rows of
characters; read from the whole photograph; read where it is known to be.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hub.vision.network import NetworkReader, whole
from hub.vision.picture import Box, StillPicture, overlap
from hub.vision.plates import PlateFinder, around
from hub.vision.reader import PlateReader, PlateText

Luma = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Truth:
    """What stands on a plate."""

    file: str
    series: str
    number: str
    province: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read of it, in seconds."""

    truth: Truth
    text: PlateText | None
    seconds: float

    @property
    def exact(self) -> bool:
        return self.text is not None and (self.text.series, self.text.number) == (self.truth.series, self.truth.number)

    @property
    def province(self) -> bool:
        return self.text is not None and self.text.province == self.truth.province


def told(name: str, value: float, unit: str = "ratio") -> None:
    """One figure."""
    print(json.dumps({"name": name, "value": round(value, 4), "unit": unit}), flush=True)


def luma_of(path: Path) -> Luma:
    """A picture file's luma."""
    return np.ascontiguousarray(StillPicture(path.read_bytes()).luma())


def measured(reader: PlateReader, folder: Path, truths: list[Truth]) -> Iterator[Seen]:
    """Each picture shows one plate."""
    for truth in truths:
        luma = luma_of(folder / truth.file)
        began = time.perf_counter()
        read = reader.read(luma, whole(luma))
        yield Seen(truth, read.text if read else None, time.perf_counter() - began)


def letters_right(seen: Seen) -> float:
    """Share of the characters at their places."""
    wanted = seen.truth.series + seen.truth.number
    got = seen.text.series + seen.text.number if seen.text else ""
    return sum(a == b for a, b in zip(wanted, got, strict=False)) / len(wanted) if len(wanted) == len(got) else 0.0


def figures(found: list[Seen], behind: str = "") -> None:
    """The rates of one reader."""
    count = max(len(found), 1)
    told(f"plates.exact{behind}", sum(one.exact for one in found) / count)
    told(f"plates.province{behind}", sum(one.province for one in found) / count)
    told(f"plates.both{behind}", sum(one.exact and one.province for one in found) / count)
    told(f"plates.char{behind}", sum(map(letters_right, found)) / count)
    told(f"plates.ms{behind}", sorted(one.seconds for one in found)[len(found) // 2] * 1e3, "ms")


def trust(found: list[Seen]) -> None:
    """How far its own confidence can be trusted."""
    ranked = sorted(found, key=lambda one: -(one.text.confidence if one.text else 0.0))
    most = ranked[: round(0.9 * len(ranked))]
    told("plates.exact_at_90_percent", sum(one.exact for one in most) / max(len(most), 1))
    sure = [one for one in found if one.text is not None and one.text.confidence >= 0.95]
    told("plates.sure", len(sure) / max(len(found), 1))
    told("plates.sure_exact", sum(one.exact for one in sure) / max(len(sure), 1))
    slips = Counter(
        f"{a}→{b}" for one in found if one.text is not None
        for a, b in zip(one.truth.series, one.text.series, strict=False) if a != b
    )  # fmt: skip
    print(json.dumps({"name": "plates.confusions", "value": dict(slips.most_common(10)), "unit": "count"}))


@dataclass(frozen=True, slots=True)
class Street:
    """A photograph, where its plate is (x, y, right, bottom), and what stands on it."""

    file: str
    box: Box
    plate: str


def photographs(folder: Path) -> Iterator[Street]:
    """What the text files say."""
    for path in sorted(folder.glob("*.txt")):
        name, x, y, w, h, plate = path.read_text().split()[:6]
        yield Street(name, (int(x), int(y), int(x) + int(w), int(y) + int(h)), plate)


def streets(folder: Path) -> None:
    """Plates in photographs of streets: found, and read where they are known to be."""
    finder, reader = PlateFinder(rough=True), NetworkReader()
    found, exact, alone, spent = [], [], [], []
    for street in photographs(folder):
        luma = luma_of(folder / street.file)
        began = time.perf_counter()
        seen = [(reader.locate(luma, one.quad), reader.read(luma, one.quad)) for one in finder.find(luma)]
        spent.append(time.perf_counter() - began)
        there = [read for located, read in seen if overlap(around(located.quad), street.box) >= 0.5]
        found.append(bool(there))
        exact.append(any(read is not None and same_letters(read.text, street.plate) for read in there))
        x, y, right, bottom = street.box
        box = np.array([[x, y], [right, y], [right, bottom], [x, bottom]], np.float32)
        read = reader.read(luma, box)
        alone.append(read is not None and same_letters(read.text, street.plate))
    for name, rates in (("recall", found), ("exact_end_to_end", exact), ("exact", alone)):
        told(f"plates.{name}", sum(rates) / len(rates))
    told("plates.picture_ms", sorted(spent)[len(spent) // 2] * 1e3, "ms")


def same_letters(text: PlateText, plate: str) -> bool:
    """Whether the text is the plate's. O and 0 count as one: the labels write either for the other (``OYO9FEU``)."""
    return (text.series + text.number).replace("O", "0") == plate.replace("O", "0")


def peers() -> dict[str, Callable[[], PlateReader]]:
    """Other readers, by what stands behind their figures."""
    from tests.bench.tesseract import Rectified, TesseractReader, installed

    return {".tesseract": TesseractReader, ".tesseract_rectified": Rectified} if installed() else {}


def main(argv: list[str]) -> int:
    """Print the figures; 1 when there is nothing to measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench plates", description=__doc__)
    root = os.environ.get("HUB_TEST_DATA")
    parser.add_argument("data", type=Path, nargs="?", default=Path(root) / "plates-thai" if root else None)
    parser.add_argument("--every", type=int, default=1, help="measure each Nth picture only")
    parser.add_argument("--no-peer", action="store_true", help="without Tesseract, which takes a second a plate")
    options = parser.parse_args(argv)
    if options.data is None or not options.data.is_dir():
        sys.stderr.write("needs DATA_DIR (or HUB_TEST_DATA)\n")
        return 1
    if not (options.data / "labels.tsv").is_file():
        streets(options.data)
        return 0
    with (options.data / "labels.tsv").open(encoding="utf-8", newline="") as table:
        truths = [Truth(**row) for row in csv.DictReader(table, delimiter="\t")][:: options.every]
    told("plates.pictures", len(truths), "count")
    found = list(measured(NetworkReader(), options.data, truths))
    figures(found)
    trust(found)
    for behind, make in ({} if options.no_peer else peers()).items():
        figures(list(measured(make(), options.data, truths)), behind)
    return 0
