"""Rows of characters in a luma picture: where many upright strokes stand close together, as on a number plate.

Upright strokes keep the sign of their horizontal gradient over some rows, and leaves, bricks and noise do not: the
gradient is summed with its sign over ``ROWS`` rows first, and only then its size taken. Where that is dense along a
row is a band (after Clark and Mirmehdi, Finding text regions using localised measures, 2000, and the many plate
finders by vertical edges since). Bands of a similar height beside each other are one plate with a gap.

The work is done on the picture at several sizes, so that a band is 6 to 30 rows high in one of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from hub.kernels.components import AREA, STATS, X0, X1, Y0, Y1, label, parents_for

ROWS, WIDE = 5, 25  # of the sums along and across strokes
LEVELS = np.array([2.0, 3.0, 4.5], np.float32)  # density over its mean
LEAST, MOST_COLUMNS = 8, 320
LOW, HIGH, NARROW = 6, 30, 30
MAX_BANDS = 512
FIELDS = 7
LEFT, TOP, RIGHT, BOTTOM, EDGES, DENSITY, PEAK = range(FIELDS)
"""Columns of ``Scratch.bands``: the box in pixels (right and bottom exclusive), the number of edges across (two a
stroke), and the mean and the highest density."""
_LUMA = nb.types.Array(nb.uint8, 2, "A", readonly=True)


@dataclass(slots=True)
class Scratch:
    """Arrays for pictures of ``height`` × ``width``, owned by the caller of ``find``."""

    height: int
    width: int
    upright: NDArray[np.uint8] = field(init=False)
    dense: NDArray[np.uint8] = field(init=False)
    mask: NDArray[np.uint8] = field(init=False)
    labels: NDArray[np.int32] = field(init=False)
    parent: NDArray[np.int32] = field(init=False)
    stats: NDArray[np.int32] = field(init=False)
    column: NDArray[np.int32] = field(init=False)
    profile: NDArray[np.float32] = field(init=False)
    bands: NDArray[np.float32] = field(init=False)

    def __post_init__(self) -> None:
        shape = (self.height, self.width)
        self.upright, self.dense, self.mask = (np.zeros(shape, np.uint8) for _ in range(3))
        self.labels = np.zeros(shape, np.int32)
        self.parent = parents_for(*shape)
        self.stats = np.zeros((4096, STATS), np.int32)
        self.column = np.zeros(self.width, np.int32)
        self.profile = np.zeros(max(shape) + 1, np.float32)
        self.bands = np.zeros((MAX_BANDS, FIELDS), np.float32)


@nb.njit(nb.void(nb.int32[::1], _LUMA, nb.int64, nb.int32), cache=True, nogil=True)
def _add(column: Any, luma: Any, y: Any, sign: Any) -> None:
    """The horizontal gradient of one row into the sums."""
    for x in range(1, luma.shape[1] - 1):
        column[x] += sign * (np.int32(luma[y, x + 1]) - np.int32(luma[y, x - 1]))


@nb.njit(nb.void(_LUMA, nb.int32[::1], nb.uint8[:, ::1]), cache=True, nogil=True)
def strokes(luma: Any, column: Any, out: Any) -> None:
    """Size of the mean signed horizontal gradient of ``ROWS`` rows around each pixel, at most 255."""
    height, width = luma.shape
    half = ROWS // 2
    column[:] = 0
    for y in range(min(half, height)):
        _add(column, luma, y, np.int32(1))
    for y in range(height):
        if y + half < height:
            _add(column, luma, y + half, np.int32(1))
        if y - half - 1 >= 0:
            _add(column, luma, y - half - 1, np.int32(-1))
        for x in range(width):
            out[y, x] = min(abs(column[x]) // ROWS, 255)


@nb.njit(nb.float64(nb.uint8[:, ::1], nb.uint8[:, ::1]), cache=True, nogil=True)
def density(upright: Any, out: Any) -> Any:
    """Mean of ``WIDE`` columns around each pixel; returns the mean of all."""
    height, width = upright.shape
    half, total = WIDE // 2, np.int64(0)
    for y in range(height):
        run = np.int64(0)
        for x in range(min(half, width)):
            run += upright[y, x]
        for x in range(width):
            if x + half < width:
                run += upright[y, x + half]
            if x - half - 1 >= 0:
                run -= upright[y, x - half - 1]
            out[y, x] = run // WIDE
            total += out[y, x]
    return total / (height * width)


@nb.njit(nb.void(nb.uint8[:, ::1], nb.float64, nb.uint8[:, ::1]), cache=True, nogil=True)
def _cut(dense: Any, limit: Any, mask: Any) -> None:
    for y in range(mask.shape[0]):
        for x in range(mask.shape[1]):
            mask[y, x] = 1 if dense[y, x] > limit else 0


@nb.njit("UniTuple(int64, 2)(float32[::1], int64, float64)", cache=True, nogil=True)
def _span(profile: Any, count: Any, limit: Any) -> Any:
    """First place over the limit, and past the last."""
    first, last = count, -1
    for i in range(count):
        if profile[i] > limit:
            first = min(first, i)
            last = i
    return first, last + 1


@nb.njit(
    nb.void(nb.uint8[:, ::1], nb.int64, nb.int64, nb.int64, nb.int64, nb.int64, nb.float32[::1]), cache=True, nogil=True
)
def _profile(upright: Any, top: Any, bottom: Any, left: Any, right: Any, axis: Any, out: Any) -> None:
    """Mean of each column (``axis`` 0) or of each row (1) of a box."""
    count = right - left if axis == 0 else bottom - top
    out[:count] = 0
    for y in range(top, bottom):
        for x in range(left, right):
            out[x - left if axis == 0 else y - top] += upright[y, x]
    out[:count] /= bottom - top if axis == 0 else right - left


@nb.njit(nb.float64(nb.float32[::1], nb.int64), cache=True, nogil=True)
def _strong(profile: Any, count: Any) -> Any:
    """Mean of the highest sixth."""
    ordered = np.sort(profile[:count])
    most = max(3, count // 6)
    return ordered[count - min(most, count) :].mean()


@nb.njit(nb.int64(_LUMA, nb.int64, nb.int64, nb.int64, nb.int64, nb.float32[::1]), cache=True, nogil=True)
def _edges(luma: Any, top: Any, bottom: Any, left: Any, right: Any, profile: Any) -> Any:
    """How often the box's columns turn from lighter to darker or back, by at least a third of the largest change."""
    largest = np.float32(0)
    for x in range(max(left, 1), min(right, luma.shape[1] - 1)):
        change = np.float32(0)
        for y in range(top, bottom):
            change += np.float32(luma[y, x + 1]) - np.float32(luma[y, x - 1])
        profile[x - left] = change
        largest = max(largest, abs(change))
    found, last = 0, np.float32(0)
    for x in range(max(left, 1), min(right, luma.shape[1] - 1)):
        change = profile[x - left]
        if abs(change) >= 0.35 * largest and change * last <= 0 and largest > 0:
            found += 1
            last = change
    return found


@nb.njit(
    nb.boolean(_LUMA, nb.uint8[:, ::1], nb.int32[::1], nb.float32[::1], nb.float32[::1]), cache=True, nogil=True
)
def _refine(luma: Any, upright: Any, box: Any, profile: Any, band: Any) -> Any:
    """The band in a component's box: its columns and rows with strokes, which may reach half its height beyond."""
    top, bottom, left, right = box[Y0], box[Y1], box[X0], box[X1]
    _profile(upright, top, bottom, left, right, 0, profile)
    first, last = _span(profile, right - left, 0.35 * _strong(profile, right - left))
    if last - first < 2:
        return False
    left, right, reach = left + first, left + last, (bottom - top) // 2
    top, bottom = max(0, top - reach), min(upright.shape[0], bottom + reach)
    _profile(upright, top, bottom, left, right, 1, profile)
    peak = profile[: bottom - top].max()
    first, last = _span(profile, bottom - top, 0.5 * peak)
    top, bottom = top + first, top + last
    if bottom <= top:
        return False
    _profile(upright, top, bottom, left, right, 0, profile)
    band[LEFT], band[TOP], band[RIGHT], band[BOTTOM] = left, top, right, bottom
    band[DENSITY] = profile[: right - left].mean()
    band[EDGES] = _edges(luma, top, bottom, left, right, profile)
    band[PEAK] = peak
    return True


@nb.njit(nb.boolean(nb.float32[::1], nb.float32[::1]), cache=True, nogil=True)
def _beside(a: Any, b: Any) -> Any:
    """Does ``b`` follow ``a`` on the same line?"""
    high, other = a[BOTTOM] - a[TOP], b[BOTTOM] - b[TOP]
    if a[EDGES] < 2 or b[EDGES] < 2 or not 0.65 < high / other < 1.55:
        return False
    if abs(a[TOP] + a[BOTTOM] - b[TOP] - b[BOTTOM]) > 0.6 * min(high, other):
        return False
    return -2 <= b[LEFT] - a[RIGHT] < 1.3 * max(high, other)


@nb.njit(nb.int64(nb.float32[:, ::1], nb.int64), cache=True, nogil=True)
def _join(bands: Any, count: Any) -> Any:
    """Bands that follow each other, together, behind the others."""
    made = count
    for i in range(count):
        for j in range(count):
            if i == j or made == bands.shape[0] or not _beside(bands[i], bands[j]):
                continue
            bands[made, LEFT], bands[made, RIGHT] = bands[i, LEFT], bands[j, RIGHT]
            bands[made, TOP] = min(bands[i, TOP], bands[j, TOP])
            bands[made, BOTTOM] = max(bands[i, BOTTOM], bands[j, BOTTOM])
            bands[made, EDGES] = bands[i, EDGES] + bands[j, EDGES]
            bands[made, DENSITY] = (bands[i, DENSITY] + bands[j, DENSITY]) / 2
            bands[made, PEAK] = max(bands[i, PEAK], bands[j, PEAK])
            made += 1
    return made


@nb.njit(
    nb.int64(
        _LUMA, nb.types.Array(nb.float32, 1, "C", readonly=True), nb.uint8[:, ::1], nb.uint8[:, ::1], nb.uint8[:, ::1],
        nb.int32[:, ::1], nb.int32[::1], nb.int32[:, ::1], nb.int32[::1], nb.float32[::1], nb.float32[:, ::1],
    ),
    cache=True,
    nogil=True,
)  # fmt: skip
def _find(
    luma: Any, levels: Any, upright: Any, dense: Any, mask: Any, labels: Any, parent: Any, stats: Any, column: Any,
    profile: Any, bands: Any,
) -> Any:  # fmt: skip
    strokes(luma, column, upright)
    mean, found = density(upright, dense), 0
    for level in levels:
        limit = max(LEAST, level * mean)
        if limit > 200:
            continue
        _cut(dense, limit, mask)
        for number in range(1, label(mask, labels, parent, stats) + 1):
            box = stats[number]
            wide, high = box[X1] - box[X0], box[Y1] - box[Y0]
            if not (LOW <= high <= HIGH and NARROW <= wide <= MOST_COLUMNS and wide >= 1.6 * high):
                continue
            if box[AREA] >= 0.45 * wide * high and found < bands.shape[0] and _refine(
                luma, upright, box, profile, bands[found]
            ):
                found += 1
    return _join(bands, found)


def find(luma: NDArray[np.uint8], scratch: Scratch) -> int:
    """Bands of ``luma`` (uint8, scratch.height × scratch.width). Returns their number n; ``scratch.bands[:n]`` are
    they: see ``FIELDS``. A band is often found at several levels; at most ``MAX_BANDS`` are kept."""
    if luma.shape != (scratch.height, scratch.width):
        raise ValueError(f"a picture of {luma.shape} for scratch of {(scratch.height, scratch.width)}")
    s = scratch
    return int(_find(
        luma, LEVELS, s.upright, s.dense, s.mask, s.labels, s.parent, s.stats, s.column, s.profile, s.bands
    ))  # fmt: skip
