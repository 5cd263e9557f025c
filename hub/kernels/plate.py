"""Number plates in a luma picture: where they are, straightened, and black on white.

A plate is a light quadrilateral with dark strokes. ``find`` cuts the picture at several levels (in the manner of
maximally stable regions: Matas and others, 2002), labels what is lighter, and fits four lines to the outline of each
component of a plausible size; the quadrilateral is kept when the outline lies on the lines. ``rectify`` warps it to an
upright picture. ``stroke_score`` says how much that picture looks like one wide row of characters above a narrow one.

A quadrilateral is float32 (4, 2): x, y of the corners top-left, top-right, bottom-right, bottom-left, in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from hub.kernels.components import AREA, STATS, X0, X1, Y0, Y1, label, parents_for

LEVELS = np.array([40, 60, 80, 100, 120, 140, 160, 180, 195, 210, 225, 240], np.uint8)
MIN_WIDTH, MIN_HEIGHT = 40, 16
MAX_QUADS = 64
_LUMA = nb.types.Array(nb.uint8, 2, "A", readonly=True)


@dataclass(slots=True)
class Scratch:
    """Arrays for pictures of ``height`` × ``width``, owned by the caller of ``find``."""

    height: int
    width: int
    mask: NDArray[np.uint8] = field(init=False)
    labels: NDArray[np.int32] = field(init=False)
    parent: NDArray[np.int32] = field(init=False)
    stats: NDArray[np.int32] = field(init=False)
    quads: NDArray[np.float32] = field(init=False)
    scores: NDArray[np.float32] = field(init=False)

    def __post_init__(self) -> None:
        self.mask = np.zeros((self.height, self.width), np.uint8)
        self.labels = np.zeros((self.height, self.width), np.int32)
        self.parent = parents_for(self.height, self.width)
        self.stats = np.zeros((4096, STATS), np.int32)
        self.quads = np.zeros((MAX_QUADS, 4, 2), np.float32)
        self.scores = np.zeros(MAX_QUADS, np.float32)


@nb.njit(nb.void(_LUMA, nb.uint8, nb.uint8[:, ::1]), cache=True, nogil=True)
def cut(luma: Any, level: Any, mask: Any) -> None:
    """1 where ``luma`` is above ``level``."""
    height, width = mask.shape
    for y in range(height):
        for x in range(width):
            mask[y, x] = 1 if luma[y, x] > level else 0


@nb.njit(nb.void(_LUMA, nb.int64, nb.uint8[:, ::1]), cache=True, nogil=True)
def shrink(luma: Any, block: Any, out: Any) -> None:
    """Mean of each ``block`` × ``block`` pixels into ``out``."""
    height, width = out.shape
    cells = block * block
    for r in range(height):
        for c in range(width):
            total = 0
            for y in range(r * block, r * block + block):
                for x in range(c * block, c * block + block):
                    total += luma[y, x]
            out[r, c] = total // cells


@nb.njit("UniTuple(float64, 3)(float64[::1])", cache=True, nogil=True)
def _line(profile: Any) -> Any:
    """Line through a profile, with its share of inliers: median of slopes over half the length (after Theil and Sen).

    Only the middle four fifths count: at the ends the profile runs around the corners.
    """
    count = profile.shape[0]
    first, last = count // 10, count - count // 10
    half = (last - first) // 2
    slopes = np.empty(half)
    for i in range(half):
        slopes[i] = (profile[first + i + half] - profile[first + i]) / half
    slope = np.median(slopes)
    rest = np.empty(last - first)
    for i in range(last - first):
        rest[i] = profile[first + i] - slope * (first + i)
    base = np.median(rest)
    near = 0
    tolerance = max(1.2, 0.012 * count)
    for i in range(last - first):
        if abs(rest[i] - base) <= tolerance:
            near += 1
    return slope, base, near / (last - first)


@nb.njit(
    nb.void(nb.int32[:, ::1], nb.int32, nb.int32[::1], nb.float64[:, ::1], nb.float64[:, ::1]), cache=True, nogil=True
)
def _outline(labels: Any, number: Any, box: Any, across: Any, down: Any) -> None:
    """First and last row of each column (``across``), first and last column of each row (``down``), from the box."""
    for i in range(across.shape[1]):
        across[0, i], across[1, i] = 1e6, -1.0
    for i in range(down.shape[1]):
        down[0, i], down[1, i] = 1e6, -1.0
    for y in range(box[Y0], box[Y1]):
        row = y - box[Y0]
        for x in range(box[X0], box[X1]):
            if labels[y, x] == number:
                column = x - box[X0]
                if across[0, column] > row:
                    across[0, column] = row
                across[1, column] = row
                if down[0, row] > column:
                    down[0, row] = column
                down[1, row] = column


@nb.njit(nb.float64(nb.int32[:, ::1], nb.int32, nb.int32[::1], nb.float32[:, ::1]), cache=True, nogil=True)
def fit(labels: Any, number: Any, box: Any, quad: Any) -> Any:
    """Fit a quadrilateral to component ``number`` with statistics ``box``; returns 0..1: how straight its sides are."""
    across = np.empty((2, box[X1] - box[X0]))
    down = np.empty((2, box[Y1] - box[Y0]))
    _outline(labels, number, box, across, down)
    lines = np.empty((4, 3))
    worst, mean = 1.0, 0.0
    for i in range(2):
        lines[i, 0], lines[i, 1], lines[i, 2] = _line(across[i])
        lines[2 + i, 0], lines[2 + i, 1], lines[2 + i, 2] = _line(down[i])
    for i in range(4):
        worst = min(worst, lines[i, 2])
        mean += lines[i, 2] / 4
    for i in range(4):
        flat = lines[0] if i < 2 else lines[1]
        steep = lines[2] if i in (0, 3) else lines[3]
        crossing = 1.0 - steep[0] * flat[0]
        if crossing < 0.2:  # the sides of something that is no quadrilateral
            return 0.0
        x = (steep[0] * flat[1] + steep[1]) / crossing
        quad[i, 0] = box[X0] + x
        quad[i, 1] = box[Y0] + flat[0] * x + flat[1]
    return mean if worst >= 0.5 else 0.0


@nb.njit(nb.float64(nb.float32[:, ::1]), cache=True, nogil=True)
def quad_area(quad: Any) -> Any:
    """Area in square pixels (shoelace), positive for corners in the order of this module."""
    total = 0.0
    for i in range(4):
        j = (i + 1) % 4
        total += quad[i, 0] * quad[j, 1] - quad[j, 0] * quad[i, 1]
    return total / 2


@nb.njit(nb.boolean(nb.float32[:, ::1], nb.int64), cache=True, nogil=True)
def _plausible(quad: Any, cells: Any) -> Any:
    """Sides and filling of a plate seen from in front to 45 degrees aside."""
    top = np.hypot(quad[1, 0] - quad[0, 0], quad[1, 1] - quad[0, 1])
    bottom = np.hypot(quad[2, 0] - quad[3, 0], quad[2, 1] - quad[3, 1])
    left = np.hypot(quad[3, 0] - quad[0, 0], quad[3, 1] - quad[0, 1])
    right = np.hypot(quad[2, 0] - quad[1, 0], quad[2, 1] - quad[1, 1])
    wide, high = (top + bottom) / 2, (left + right) / 2
    if min(top, bottom) < 0.7 * wide or min(left, right) < 0.7 * high:
        return False
    filling = cells / max(quad_area(quad), 1.0)
    return wide >= MIN_WIDTH and high >= MIN_HEIGHT and 1.2 <= wide / high <= 4.5 and 0.4 <= filling <= 1.05


@nb.njit(
    nb.int64(
        _LUMA, nb.types.Array(nb.uint8, 1, "C", readonly=True), nb.uint8[:, ::1], nb.int32[:, ::1], nb.int32[::1],
        nb.int32[:, ::1], nb.float32[:, :, ::1], nb.float32[::1],
    ),
    cache=True,
    nogil=True,
)  # fmt: skip
def _find(
    luma: Any, levels: Any, mask: Any, labels: Any, parent: Any, stats: Any, quads: Any, scores: Any
) -> Any:  # fmt: skip
    found = 0
    for level in levels:
        cut(luma, level, mask)
        count = label(mask, labels, parent, stats)
        for number in range(1, count + 1):
            box = stats[number]
            wide, high = box[X1] - box[X0], box[Y1] - box[Y0]
            if wide < MIN_WIDTH or high < MIN_HEIGHT or box[AREA] * 4 < wide * high or wide > 6 * high:
                continue
            if found == quads.shape[0]:
                return found
            score = fit(labels, number, box, quads[found])
            if score >= 0.7 and _plausible(quads[found], box[AREA]):
                scores[found] = score
                found += 1
    return found


def find(luma: NDArray[np.uint8], scratch: Scratch, levels: NDArray[np.uint8] = LEVELS) -> int:
    """Light quadrilaterals of ``luma`` (uint8, scratch.height × scratch.width).

    Returns their number n; ``scratch.quads[:n]`` are the corners and ``scratch.scores[:n]`` the straightness 0..1.
    One plate is usually found at several levels; at most ``MAX_QUADS`` are kept.
    """
    if luma.shape != (scratch.height, scratch.width):
        raise ValueError(f"a picture of {luma.shape} for scratch of {(scratch.height, scratch.width)}")
    return int(
        _find(luma, levels, scratch.mask, scratch.labels, scratch.parent, scratch.stats, scratch.quads, scratch.scores)
    )


def homography(quad: NDArray[np.float32], height: int, width: int) -> NDArray[np.float64]:
    """3 × 3 matrix that maps upright pixels (x, y, 1) of ``height`` × ``width`` onto ``quad``.

    The unit square onto a quadrilateral in closed form: Heckbert, Fundamentals of Texture Mapping (1989), section 2.2.
    """
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = quad.astype(np.float64)
    dx1, dy1, dx2, dy2 = x1 - x2, y1 - y2, x3 - x2, y3 - y2
    sx, sy = x0 - x1 + x2 - x3, y0 - y1 + y2 - y3
    nought = dx1 * dy2 - dx2 * dy1
    g = (sx * dy2 - dx2 * sy) / nought
    h = (dx1 * sy - sx * dy1) / nought
    unit = np.array([[x1 - x0 + g * x1, x3 - x0 + h * x3, x0], [y1 - y0 + g * y1, y3 - y0 + h * y3, y0], [g, h, 1.0]])
    return unit @ np.diag([1.0 / max(width - 1, 1), 1.0 / max(height - 1, 1), 1.0])


@nb.njit(nb.void(_LUMA, nb.float64[:, ::1], nb.uint8[:, ::1]), cache=True, nogil=True)
def warp(luma: Any, matrix: Any, out: Any) -> None:
    """Fill ``out`` from ``luma`` through ``matrix`` (``homography``), bilinear; its edge goes on outside."""
    height, width = luma.shape
    for r in range(out.shape[0]):
        for c in range(out.shape[1]):
            w = max(matrix[2, 0] * c + matrix[2, 1] * r + matrix[2, 2], 1e-6)
            x = (matrix[0, 0] * c + matrix[0, 1] * r + matrix[0, 2]) / w
            y = (matrix[1, 0] * c + matrix[1, 1] * r + matrix[1, 2]) / w
            x = min(max(x, 0.0), width - 1.0)
            y = min(max(y, 0.0), height - 1.0)
            left, top = int(x), int(y)
            right, bottom = min(left + 1, width - 1), min(top + 1, height - 1)
            fx, fy = x - left, y - top
            upper = luma[top, left] * (1 - fx) + luma[top, right] * fx
            lower = luma[bottom, left] * (1 - fx) + luma[bottom, right] * fx
            out[r, c] = np.uint8(upper * (1 - fy) + lower * fy + 0.5)


def rectify(luma: NDArray[np.uint8], quad: NDArray[np.float32], height: int, width: int) -> NDArray[np.uint8]:
    """The inside of ``quad`` as an upright picture, uint8 (height, width)."""
    out = np.empty((height, width), np.uint8)
    warp(luma, np.ascontiguousarray(homography(quad, height, width)), out)
    return out


@nb.njit(nb.int64(_LUMA), cache=True, nogil=True)
def otsu(luma: Any) -> Any:
    """Threshold that best parts dark from light: Otsu, A threshold selection method (1979). Dark is <= threshold."""
    bins = np.zeros(256, np.int64)
    height, width = luma.shape
    for y in range(height):
        for x in range(width):
            bins[luma[y, x]] += 1
    total, weighted = height * width, 0
    for i in range(256):
        weighted += i * bins[i]
    best, threshold, below, mass = -1.0, 127, 0, 0
    for i in range(256):
        below += bins[i]
        mass += i * bins[i]
        if below == 0 or below == total:
            continue
        gap = mass / below - (weighted - mass) / (total - below)
        between = below * (total - below) * gap * gap
        if between > best:
            best, threshold = between, i
    return threshold


@nb.njit(nb.float64(_LUMA), cache=True, nogil=True)
def stroke_score(plate: Any) -> Any:
    """How much an upright picture looks like a Thai plate: 0 (not) to 1.

    Its contrast must be clear, a tenth to a half dark, its upper rows cross 5 to 22 strokes as 3 to 7
    characters do, and its lower rows some too.
    """
    height, width = plate.shape
    threshold = otsu(plate)
    dark = 0
    dark_sum: Any = 0
    light_sum: Any = 0
    left, right = width // 20, width - width // 20
    good = np.zeros(2)
    for y in range(height // 10, height - height // 10):
        strokes = 0
        before = False
        for x in range(left, right):
            value = np.int64(plate[y, x])
            now = value <= threshold
            if now:
                dark += 1
                dark_sum += value
                if not before:
                    strokes += 1
            else:
                light_sum += value
            before = now
        upper = 20 * height <= 100 * y < 55 * height
        lower = 68 * height <= 100 * y < 85 * height
        if upper and 5 <= strokes <= 22:
            good[0] += 1 / (0.35 * height)
        if lower and strokes >= 2:
            good[1] += 1 / (0.17 * height)
    cells = (right - left) * (height - 2 * (height // 10))
    if dark == 0 or dark == cells:
        return 0.0
    contrast = light_sum / (cells - dark) - dark_sum / dark
    if contrast < 20 or not 0.06 <= dark / cells <= 0.5:
        return 0.0
    return min(good[0], 1.0) * (0.7 + 0.3 * min(good[1], 1.0))
