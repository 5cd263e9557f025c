"""Motion against a labelled scene: ``python -m tests.bench motion DATA_DIR``.

DATA_DIR is a scene of CDnet (Goyette and others 2012; Wang and others 2014): ``input/in%06d.jpg``,
``groundtruth/gt%06d.png`` (0 background, 50 shadow, 85 outside, 170 unknown, 255 moving) and ``ROI.bmp``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hub.kernels import motion as kernel


def grey(path: Path) -> NDArray[np.uint8]:
    """Luma of a picture file."""
    return np.asarray(Image.open(path).convert("L"), np.uint8)


def counts(state: kernel.State, truth: NDArray[np.uint8], inside: NDArray[np.bool_]) -> NDArray[np.int64]:
    """True positives, false positives, false negatives by pixel."""
    found = np.zeros(truth.shape, bool)
    cells = state.moving.repeat(state.block, axis=0).repeat(state.block, axis=1)
    found[: cells.shape[0], : cells.shape[1]] = cells > 0
    counted = inside & (truth != 85) & (truth != 170)
    moving = truth == 255
    return np.array(
        [(found & moving & counted).sum(), (found & ~moving & counted).sum(), (~found & moving & counted).sum()]
    )


def speed(height: int, width: int, rounds: int = 60) -> float:
    """Median milliseconds a picture of noise with a moving block."""
    rng = np.random.default_rng(1)
    pictures = [rng.integers(90, 110, (height, width), dtype=np.uint8) for _ in range(4)]
    state, spent = kernel.State(height, width), []
    for i in range(rounds):
        began = time.perf_counter()
        kernel.update(state, pictures[i % 4])
        spent.append(time.perf_counter() - began)
    return sorted(spent)[rounds // 2] * 1e3


def main(argv: list[str]) -> int:
    """Print the figures; 1 when there is no data."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench motion", description=__doc__)
    root = os.environ.get("HUB_TEST_DATA")
    parser.add_argument("data", type=Path, nargs="?", default=Path(root) / "motion-highway" if root else None)
    options = parser.parse_args(argv)
    if options.data is None or not (options.data / "ROI.bmp").is_file():
        sys.stderr.write("needs DATA_DIR, or HUB_TEST_DATA, with ROI.bmp\n")
        return 1
    inside = grey(options.data / "ROI.bmp") > 0
    state, total = kernel.State(*inside.shape), np.zeros(3, np.int64)
    for path in sorted((options.data / "input").glob("in*.jpg")):
        kernel.update(state, grey(path))
        truth = options.data / "groundtruth" / f"gt{path.stem[2:]}.png"
        if truth.is_file():
            total += counts(state, grey(truth), inside)
    right, wrong, missed = (int(n) for n in total)
    precision, recall = right / max(right + wrong, 1), right / max(right + missed, 1)
    figures = {
        "motion.precision": (precision, "ratio"),
        "motion.recall": (recall, "ratio"),
        "motion.f1": (2 * precision * recall / max(precision + recall, 1e-9), "ratio"),
        "motion.720p": (speed(720, 1280), "ms"),
        "motion.1080p": (speed(1080, 1920), "ms"),
    }
    for name, (value, unit) in figures.items():
        print(json.dumps({"name": name, "value": round(value, 4), "unit": unit}))
    return 0
