"""How many plates are read: ``python -m tests.bench plates DATA_DIR [--every N]``.

DATA_DIR holds pictures and ``labels.tsv`` (file, series, number, province). A reading is exact when series and number
are both right; a picture without a reading counts as wrong.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hub.vision.analysis import default_reader
from hub.vision.picture import StillPicture
from hub.vision.plates import PlateFinder, read_picture
from hub.vision.reader import PlateReader, PlateText


def best(reader: PlateReader, path: Path) -> tuple[PlateText | None, float]:
    """The surest reading of one picture and the seconds it took."""
    luma = StillPicture(path.read_bytes()).luma()
    began = time.perf_counter()
    texts = [s.text for s in read_picture(PlateFinder(), reader, luma) if s.text is not None]
    spent = time.perf_counter() - began
    return max(texts, key=lambda text: text.confidence, default=None), spent


def same(text: PlateText | None, row: dict[str, str]) -> bool:
    """Series and number are right."""
    return text is not None and (text.series, text.number) == (row["series"], row["number"])


def figures(rows: list[dict[str, str]], found: list[tuple[PlateText | None, float]]) -> dict[str, tuple[float, str]]:
    """Rates over all pictures. ``sure``: of readings with a confidence of 0.6 or more."""
    pairs = [(text, row) for (text, _), row in zip(found, rows, strict=True)]
    sure = [same(text, row) for text, row in pairs if text is not None and text.confidence >= 0.6]
    either = [text is not None and any(same(one, row) for one in (text, *text.alternatives)) for text, row in pairs]
    count = max(len(pairs), 1)
    seconds = sorted(spent for _, spent in found)
    return {
        "plates.pictures": (len(pairs), "count"),
        "plates.exact": (sum(same(text, row) for text, row in pairs) / count, "ratio"),
        "plates.number": (sum(t is not None and t.number == r["number"] for t, r in pairs) / count, "ratio"),
        "plates.province": (sum(t is not None and t.province == r["province"] for t, r in pairs) / count, "ratio"),
        "plates.exact_or_alternative": (sum(either) / count, "ratio"),
        "plates.unread": (sum(text is None for text, _ in pairs) / count, "ratio"),
        "plates.sure": (len(sure) / count, "ratio"),
        "plates.sure_exact": (sum(sure) / max(len(sure), 1), "ratio"),
        "plates.p50": (seconds[len(seconds) // 2] * 1e3 if seconds else 0.0, "ms"),
    }


def main(argv: list[str]) -> int:
    """Print the figures; 1 when there is nothing to measure or nothing to measure it with."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench plates", description=__doc__)
    root = os.environ.get("HUB_TEST_DATA")
    parser.add_argument("data", type=Path, nargs="?", default=Path(root) / "plates-thai" if root else None)
    parser.add_argument("--every", type=int, default=1, help="measure each Nth picture only")
    options = parser.parse_args(argv)
    reader = default_reader()
    if options.data is None or not (options.data / "labels.tsv").is_file() or reader is None:
        sys.stderr.write("needs DATA_DIR (or HUB_TEST_DATA) with labels.tsv, and tesseract with Thai\n")
        return 1
    with (options.data / "labels.tsv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table, delimiter="\t"))[:: options.every]
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda row: best(reader, options.data / row["file"]), rows))
    for name, (value, unit) in figures(rows, found).items():
        print(json.dumps({"name": name, "value": round(value, 4), "unit": unit}))
    return 0
