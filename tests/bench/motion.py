"""Motion: ``python -m tests.bench motion speed`` and ``python -m tests.bench motion quality DATA_DIR``.

DATA_DIR is a scene of CDnet (see ``_motion_scenes``); without it HUB_TEST_DATA/motion-highway. ``quality`` also takes
names of perturbations after DATA_DIR. Settings were tuned on pictures 470 to 699 of motion-highway alone: figures are
given for those (``range`` "tuned"), for the rest ("kept") and for all. OpenCV's MOG2 and KNN, on the grid that ours
uses and at full size with a median filter, and Frigate's published algorithm run on the same pictures on one core;
where OpenCV is missing they are left out and a line says so. Their boxes count from the same least area.

``speed``: each picture is copied just before it is timed, as a decoder would have written it; rounds of twelve pictures
a method by turns, the median of all but the first two rounds. ``times`` is how many times longer a peer takes.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import json
import os
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hub.kernels import motion as kernel
from hub.kernels.motion_step import look
from tests.bench import _motion_peers as peers
from tests.bench import _motion_scenes as scenes

TUNED = (470, 699)
_ROUNDS, _EACH = 12, 12
_MISSING = "opencv-python-headless is not installed: no peers"


class Ours:
    """The kernel as the peers are asked."""

    def __init__(self, height: int, width: int) -> None:
        self.state = kernel.State(height, width)

    def time(self, luma: scenes.Luma) -> None:
        """What the clock runs over."""
        kernel.update(self.state, luma)

    def look(self, luma: scenes.Luma) -> tuple[peers.Mask, peers.Boxes]:
        """Mask and boxes at the picture's size, where the shaken camera saw them."""
        state, k = self.state, self.state.block
        count, _ = kernel.update(state, luma)
        mask = np.zeros(luma.shape, np.uint8)
        cells = state.moving.repeat(k, 0).repeat(k, 1)
        mask[: cells.shape[0], : cells.shape[1]] = cells
        down, right = state.shift
        least = max(2.0, 0.0005 * luma.size / k**2)
        boxes = [
            (max(x0 * k + right, 0), max(y0 * k + down, 0), x1 * k + right, y1 * k + down)
            for x0, y0, x1, y1, area in state.stats[1 : count + 1].tolist()
            if area >= least
        ]
        return scenes.shifted(mask, down, right) > 0, boxes


def tell(name: str, value: float, unit: str, **more: Any) -> None:
    """One line."""
    print(json.dumps({"name": name, "value": round(value, 4), "unit": unit, **more}))


def speed() -> int:
    """Milliseconds a picture, and what a picture allocates."""
    if peers.opencv() is None:
        sys.stderr.write(_MISSING + "\n")
    for height, width in ((720, 1280), (1080, 1920)):
        ours = Ours(height, width)
        tried: dict[str, Any] = {"hub": ours}
        tried.update(peers.peers(height, width, ours.state.block, shadows=False))
        spent: dict[str, list[float]] = {name: [] for name in tried}
        street = scenes.street(height, width)
        for _ in range(_ROUNDS):
            pictures = list(itertools.islice(street, _EACH))
            for name, one in tried.items():
                spent[name] += [_clock(one.time, picture) for picture in pictures]
        medians = {name: float(np.median(times[2 * _EACH :])) for name, times in spent.items()}
        for name, median in medians.items():
            tell(f"motion.{height}p.{name}", median * 1e3, "ms", times=round(median / medians["hub"], 2))
    _allocations(next(scenes.street(720, 1280)))
    return 0


def _clock(work: Callable[[scenes.Luma], None], picture: scenes.Luma) -> float:
    fresh = picture.copy()
    began = time.perf_counter()
    work(fresh)
    return time.perf_counter() - began


def _allocations(picture: scenes.Luma) -> None:
    """Bytes that stay and allocations in compiled code over 100 pictures, after warm-up.

    Numba counts one for the header of each array that is handed over, given back at return: these are told apart.
    """
    ours = Ours(*picture.shape)
    rolled = [np.roll(picture, shift, 1) for shift in (0, 3, 0, 9)]
    for i in range(20):
        ours.time(rolled[i % 4])
    nrt = importlib.import_module("numba.core.runtime._nrt_python")
    nrt.memsys_enable_stats()
    counted = nrt.memsys_get_stats_alloc()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for i in range(100):
        ours.time(rolled[i % 4])
    kept = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    compiled = nrt.memsys_get_stats_alloc() - counted
    headers = sum(getattr(kind, "ndim", 0) > 0 for kind in look.nopython_signatures[0].args)
    tell("motion.allocations.compiled", compiled / 100 - headers, "a picture", headers=headers)
    tell("motion.allocations.kept", kept / 100, "bytes a picture")


def quality(folder: Path, names: list[str]) -> int:
    """F1 by pixel and false boxes a picture, of every method under every perturbation."""
    scene = scenes.load(folder)
    if peers.opencv() is None:
        sys.stderr.write(_MISSING + "\n")
    height, width = scene.inside.shape
    for name in names:
        ours = Ours(height, width)
        tried: dict[str, Any] = {"hub": ours, **peers.peers(height, width, ours.state.block, shadows=False)}
        rows: dict[str, list[NDArray[np.int64]]] = {method: [] for method in tried}
        numbers = []
        for n, frame in enumerate(scene.frames, 1):
            picture = scenes.perturbed(name, frame, n)
            truth = scenes.truth_of(name, scene.truths[n], n) if n in scene.truths else None
            numbers += [n] if truth is not None else []
            for method, one in tried.items():
                mask, boxes = one.look(picture)
                if truth is not None:
                    false = scenes.false_boxes(boxes, truth, scene.inside)
                    rows[method].append(np.append(scenes.counts(mask, truth, scene.inside), false))
        for method in tried:
            _figures(f"motion.{name}.{method}", np.array(numbers), np.array(rows[method]))
    return 0


def _figures(name: str, numbers: NDArray[np.int64], rows: NDArray[np.int64]) -> None:
    """F1 with precision and recall, and false boxes, for the tuned pictures, the kept ones and all."""
    tuned = (numbers >= TUNED[0]) & (numbers <= TUNED[1])
    for label, part in (("tuned", tuned), ("kept", ~tuned), ("all", tuned | True)):
        if not part.any():
            continue
        right, wrong, missed, false = (int(n) for n in rows[part].sum(0))
        precision, recall = right / max(right + wrong, 1), right / max(right + missed, 1)
        f1 = 2 * precision * recall / max(precision + recall, 1e-9)
        more = {"range": label, "precision": round(precision, 4), "recall": round(recall, 4)}
        tell(f"{name}.f1", f1, "ratio", **more)
        tell(f"{name}.false_boxes", false / int(part.sum()), "a picture", range=label)


def main(argv: list[str]) -> int:
    """Print the figures; 1 when there is no data."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench motion", description=__doc__)
    root = os.environ.get("HUB_TEST_DATA")
    parser.add_argument("what", choices=("speed", "quality"))
    parser.add_argument("data", type=Path, nargs="?", default=Path(root) / "motion-highway" if root else None)
    parser.add_argument("names", nargs="*", metavar="PERTURBATION", help=", ".join(scenes.CHANGES))
    options = parser.parse_args(argv)
    if options.what == "speed":
        return speed()
    if options.data is None or not (options.data / "ROI.bmp").is_file():
        sys.stderr.write("needs DATA_DIR, or HUB_TEST_DATA, with ROI.bmp\n")
        return 1
    return quality(options.data, options.names or list(scenes.CHANGES))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
