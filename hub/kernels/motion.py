"""Motion in a sequence of luma pictures, on a coarse grid.

Each grid cell is the mean of k × k pixels, as log-luma: a change of exposure then is one offset for the whole picture,
taken out by the median difference. Each cell keeps two modes of its background (after Stauffer and Grimson, Adaptive
background mixture models, 1999, reduced to two modes with a running mean and deviation in integers). Cells away from
both modes are foreground; a 3 × 3 majority cleans them; their connected components are what moves.

All arrays belong to the caller (``State``); nothing is allocated per picture.

Units: log-luma is ``SCALE * log2(luma + 8)``, in int16. A fall of light by one stop is ``SCALE``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from hub.kernels.components import STATS, label, parents_for

SCALE = 1024
CELLS = 20_000
"""Aim for the size of the grid: small enough to be cheap, fine enough for a person at 30 metres."""
LOG = np.round(SCALE * np.log2(np.arange(1024) / 4.0 + 8.0)).astype(np.int16)
"""Log-luma of a mean luma in quarters (0..1023)."""
_OK, _CHANGED = 0, 1
_BINS = 512  # of the histogram of differences: ±256 × 16 units = ±4 stops
_CELLS_CHANGED = 0.6


def block_for(height: int, width: int) -> int:
    """Pixels k along one side of a cell, so that the grid has about ``CELLS`` cells."""
    return max(1, round(math.sqrt(height * width / CELLS)))


@dataclass(slots=True)
class State:
    """What the kernel remembers of one camera between pictures of ``height`` × ``width``.

    ``moving`` is the cleaned foreground of the last picture, uint8 (rows, columns).
    ``stats[1 : n + 1]`` holds the n components: x0, y0, x1, y1, cells, in grid cells.
    """

    height: int
    width: int
    max_components: int = 256
    block: int = field(init=False)
    seen: int = field(init=False, default=0)
    grid: NDArray[np.int16] = field(init=False)
    modes: NDArray[np.int16] = field(init=False)
    spread: NDArray[np.int16] = field(init=False)
    weight: NDArray[np.int16] = field(init=False)
    raw: NDArray[np.uint8] = field(init=False)
    moving: NDArray[np.uint8] = field(init=False)
    sums: NDArray[np.uint32] = field(init=False)
    histogram: NDArray[np.int32] = field(init=False)
    labels: NDArray[np.int32] = field(init=False)
    parent: NDArray[np.int32] = field(init=False)
    stats: NDArray[np.int32] = field(init=False)

    def __post_init__(self) -> None:
        self.block = block_for(self.height, self.width)
        rows, columns = max(1, self.height // self.block), max(1, self.width // self.block)
        self.grid = np.zeros((rows, columns), np.int16)
        self.modes = np.zeros((2, rows, columns), np.int16)
        self.spread = np.zeros((rows, columns), np.int16)
        self.weight = np.zeros((rows, columns), np.int16)
        self.raw = np.zeros((rows, columns), np.uint8)
        self.moving = np.zeros((rows, columns), np.uint8)
        self.sums = np.zeros(self.width, np.uint32)
        self.histogram = np.zeros(_BINS, np.int32)
        self.labels = np.zeros((rows, columns), np.int32)
        self.parent = parents_for(rows, columns)
        self.stats = np.zeros((self.max_components + 1, STATS), np.int32)


@nb.njit(
    nb.void(
        nb.types.Array(nb.uint8, 1, "C", readonly=True),
        nb.int64,
        nb.int64,
        nb.uint32[::1],
        nb.int16[::1],
        nb.int16[:, ::1],
    ),
    cache=True,
    nogil=True,
)
def shrink(plane: Any, stride: Any, block: Any, sums: Any, log: Any, grid: Any) -> None:
    """Mean log-luma of each ``block`` × ``block`` pixels into ``grid``.

    ``plane``: the picture's bytes, ``stride`` from row to row. Rows are first added up pixel by pixel, into ``sums``: a
    loop without dependence, which the compiler turns into vector instructions.
    """
    rows, columns = grid.shape
    cells = np.uint32(block * block)
    wide = columns * block
    for r in range(rows):
        sums[:wide] = 0
        for y in range(r * block, r * block + block):
            row = plane[y * stride : y * stride + wide]
            for x in range(wide):
                sums[x] += row[x]
        for c in range(columns):
            total = np.uint32(0)
            for x in range(c * block, c * block + block):
                total += sums[x]
            grid[r, c] = log[(total * 4) // cells]


@nb.njit(nb.int64(nb.int16[:, ::1], nb.int16[:, ::1], nb.int32[::1]), cache=True, nogil=True)
def exposure(grid: Any, background: Any, histogram: Any) -> Any:
    """The median of ``grid - background``, in steps of 16 units: how much brighter the whole picture became."""
    rows, columns = grid.shape
    half = histogram.shape[0] // 2
    histogram[:] = 0
    for r in range(rows):
        for c in range(columns):
            bin_ = (np.int64(grid[r, c]) - background[r, c] + 8) // 16 + half
            histogram[min(max(bin_, 0), 2 * half - 1)] += 1
    left = (rows * columns + 1) // 2
    for bin_ in range(2 * half):
        left -= histogram[bin_]
        if left <= 0:
            return (bin_ - half) * 16
    return 0


@nb.njit(
    nb.int64(
        nb.int16[:, ::1], nb.int64, nb.int16[:, :, ::1], nb.int16[:, ::1], nb.int16[:, ::1], nb.int64, nb.int64,
        nb.int64, nb.uint8[:, ::1],
    ),
    cache=True,
    nogil=True,
)  # fmt: skip
def classify(
    grid: Any,
    offset: Any,
    modes: Any,
    spread: Any,
    weight: Any,
    threshold: Any,
    rate: Any,
    settle: Any,
    raw: Any,
) -> Any:
    """Foreground of one picture, and the background's step towards it.

    A cell is background when it is within its threshold of mode 0, or of mode 1 once that was seen ``settle`` times;
    the threshold is ``threshold`` units plus three mean deviations. The mean moves 1/2**rate of the way. ``weight``
    counts how long mode 1 was seen; at twice ``settle`` the modes change places, and the old background stays known
    for three times ``settle`` more. Returns the number of foreground cells.
    """
    rows, columns = grid.shape
    count = 0
    for r in range(rows):
        for c in range(columns):
            value = np.int64(grid[r, c]) - offset
            first = value - modes[0, r, c]
            second = value - modes[1, r, c]
            limit = threshold + 3 * np.int64(spread[r, c])
            near_first = -limit < first < limit
            near_second = -threshold < second < threshold
            age = weight[r, c]
            known = near_second and age >= settle
            if near_first:
                modes[0, r, c] += (first + (1 << (rate - 1))) >> rate
                spread[r, c] += (min(abs(first), 512) - spread[r, c] + 16) >> 5
                age = max(age - 1, 0)
            elif near_second:
                modes[1, r, c] += (second + (1 << (rate - 1))) >> rate
                age += 1
                if age >= 2 * settle:
                    modes[0, r, c], modes[1, r, c] = modes[1, r, c], modes[0, r, c]
                    age = 4 * settle
            elif age > 1:
                age -= 2
            else:
                modes[1, r, c] = value
                age = 1
            weight[r, c] = age
            moved = 0 if near_first or known else 1
            raw[r, c] = moved
            count += moved
    return count


@nb.njit(nb.void(nb.uint8[:, ::1], nb.uint8[:, ::1]), cache=True, nogil=True)
def majority(raw: Any, clean: Any) -> None:
    """1 where at least 5 of the 3 × 3 cells around are 1; outside the picture is 0."""
    rows, columns = raw.shape
    for r in range(rows):
        top, bottom = max(r - 1, 0), min(r + 2, rows)
        for c in range(columns):
            votes = 0
            for y in range(top, bottom):
                for x in range(max(c - 1, 0), min(c + 2, columns)):
                    votes += raw[y, x]
            clean[r, c] = 1 if votes >= 5 else 0


def update(
    state: State, luma: NDArray[np.uint8], *, threshold: int = 80, rate: int = 5, settle: int = 50
) -> tuple[int, bool]:
    """Take one picture. Returns the number of components in ``state.stats[1:]`` and whether the scene changed.

    ``luma``: uint8 (state.height, state.width), any strides. ``threshold``: log-luma units (``SCALE`` a
    stop). ``rate``: the background moves 1/2**rate a picture. ``settle``: pictures after which something that came to
    rest counts as background. The first picture, and one in which most cells differ, becomes the background at once:
    there are no components then.
    """
    if luma.shape != (state.height, state.width):
        raise ValueError(f"a picture of {luma.shape} for a state of {(state.height, state.width)}")
    plane, stride = _flat(luma)
    shrink(plane, stride, state.block, state.sums, LOG, state.grid)
    offset = exposure(state.grid, state.modes[0], state.histogram) if state.seen else 0
    fresh = state.seen == 0
    if not fresh:
        pace = min(rate, max(1, state.seen.bit_length()))  # young backgrounds learn faster
        count = classify(
            state.grid, offset, state.modes, state.spread, state.weight, threshold, pace, settle, state.raw
        )
        fresh = count > _CELLS_CHANGED * state.raw.size
    changed = fresh and state.seen > 0
    state.seen += 1
    if fresh:
        _restart(state)
        return 0, changed
    majority(state.raw, state.moving)
    return int(label(state.moving, state.labels, state.parent, state.stats)), False


def _flat(luma: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
    """The bytes under a picture from its first to its last pixel, and its stride; a copy only when rows run oddly."""
    if luma.strides[1] != 1 or luma.strides[0] < luma.shape[1]:
        luma = np.ascontiguousarray(luma)
    stride = luma.strides[0]
    length = (luma.shape[0] - 1) * stride + luma.shape[1]
    return np.lib.stride_tricks.as_strided(luma, (length,), (1,), writeable=False), stride


def _restart(state: State) -> None:
    state.modes[:] = state.grid
    state.spread[:] = 32
    state.weight[:] = 0
    state.moving[:] = 0
    state.seen = 1
