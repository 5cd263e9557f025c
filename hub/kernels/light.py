"""Changes of light: of the whole picture, by its levels of brightness, and over parts of it.

Units: log-luma is ``SCALE * log2(luma + 8)``, in int16; a fall of light by one stop is ``SCALE``.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

SCALE = 1024
DARKEST, OVERDRIVEN = 3 * SCALE, 8212
"""Log-luma of 0 and of 250."""
BINS = 512
"""Of the histogram of differences: ±256 × 16 units = ±4 stops."""
LEVELS, FINE = 44, 8
"""Levels of brightness (128 units each) of the tone curve, and steps between two of them."""
TONES = LEVELS * FINE
TILE = 6
"""Cells along one side of a tile of the field of light."""
_SLOPE = 192  # units that light may differ from tile to tile
_DIM = 64  # units of light that are none
_LEAST = 6  # tiles in another light that are worth it

ROW16 = nb.int16[::1]
GRID16 = nb.int16[:, ::1]


@nb.njit(nb.int64(GRID16, GRID16, nb.int32[::1]), cache=True, nogil=True)
def exposure(grid: Any, background: Any, histogram: Any) -> Any:
    """The median of ``grid - background`` over an eighth of the cells, in steps of 16 units: the change of light."""
    rows, columns = grid.shape
    half = histogram.shape[0] // 2
    histogram[:] = 0
    number = 0
    for r in range(rows):
        for c in range((r % 4) * 2, columns, 8):
            bin_ = ((np.int64(grid[r, c]) - background[r, c] + 8) >> 4) + half
            histogram[min(max(bin_, 0), 2 * half - 1)] += 1
            number += 1
    left = (number + 1) // 2
    for bin_ in range(2 * half):
        left -= histogram[bin_]
        if left <= 0:
            return (bin_ - half) * 16
    return 0


@nb.njit(nb.void(GRID16, GRID16, nb.int64, nb.int32[:, ::1], ROW16), cache=True, nogil=True)
def tone_curve(grid: Any, background: Any, offset: Any, counts: Any, curve: Any) -> None:
    """How a change of light shifts each level of brightness: ``curve`` int16 (TONES,) over the background's level.

    A gain alone shifts all levels alike, but a flash that adds light, an overdriven picture or another gamma does not.
    Of each level the median counts, so that what moves does not; levels hardly seen take the nearest known one.
    ``counts``: int32 (LEVELS, 258) scratch: a histogram of 256 bins of 32 units a level, its total, its median.
    """
    rows, columns = grid.shape
    counts[:] = 0
    for r in range(rows):
        for c in range(r % 2, columns, 2):
            level = min(max((background[r, c] - DARKEST) >> 7, 0), LEVELS - 1)
            bin_ = min(max((np.int64(grid[r, c]) - background[r, c] + 16) >> 5, -128), 127) + 128
            counts[level, bin_] += 1
            counts[level, 256] += 1
    known = -1
    for level in range(LEVELS):
        left = (counts[level, 256] + 1) // 2
        if counts[level, 256] < 24:
            counts[level, 257] = counts[known, 257] if known >= 0 else offset
            continue
        for bin_ in range(256):
            left -= counts[level, bin_]
            if left <= 0:
                counts[level, 257] = (bin_ - 128) * 32
                break
        if known < 0:
            for before in range(level):
                counts[before, 257] = counts[level, 257]
        known = level
    for i in range(TONES):  # straight between the middles of levels
        place = i - FINE // 2
        level = min(max(place // FINE, 0), LEVELS - 2)
        share = min(max(place - level * FINE, 0), FINE)
        curve[i] = (counts[level, 257] * (FINE - share) + counts[level + 1, 257] * share) // FINE


@nb.njit(nb.int64(nb.int64), cache=True, nogil=True)
def tone(level: Any) -> Any:
    return min(max((level - DARKEST) >> 4, 0), TONES - 1)


@nb.njit(nb.void(GRID16, GRID16, ROW16, nb.int64), cache=True, nogil=True)
def apply_tone(grid: Any, background: Any, curve: Any, sign: Any) -> None:
    """Take the curve off ``grid`` (``sign`` -1), or put it on (+1), by the background's level at each cell."""
    rows, columns = grid.shape
    for r in range(rows):
        for c in range(columns):
            grid[r, c] += sign * curve[tone(background[r, c])]


@nb.njit(nb.boolean(nb.int64, nb.int64, nb.int64), cache=True, nogil=True)
def parted(step: Any, seen: Any, threshold: Any) -> Any:
    """Whether a thing ends between two cells: their differences from the background step, and not as light on it would.

    ``seen``: the picture's own step. Light on a textured ground changes the size of the ground's steps, not their sign.
    """
    if abs(step) < threshold:
        return False
    known = seen - step
    return seen * known <= 0 or abs(seen) > 2 * abs(known) or 4 * abs(seen) < abs(known)


@nb.njit(nb.boolean(nb.int16[:, ::1], nb.int16[:, ::1], nb.int64, nb.int64, nb.int64), cache=True, nogil=True)
def rough(grid: Any, delta: Any, r: Any, c: Any, threshold: Any) -> Any:
    """Whether a thing ends at this cell, seen over its neighbours across or along; overdriven cells say nothing."""
    rows, columns = grid.shape
    up, down, left, right = max(r - 1, 0), min(r + 1, rows - 1), max(c - 1, 0), min(c + 1, columns - 1)
    if grid[r, c] >= OVERDRIVEN:
        return False
    least = max(threshold, abs(np.int64(delta[r, c])) // 5)
    step, seen = np.int64(delta[down, c]) - delta[up, c], np.int64(grid[down, c]) - grid[up, c]
    if parted(step, seen, least):
        return True
    step, seen = np.int64(delta[r, right]) - delta[r, left], np.int64(grid[r, right]) - grid[r, left]
    return parted(step, seen, least)


@nb.njit(nb.int64(GRID16, nb.int64, nb.int64), cache=True, nogil=True)
def _tile_mean(delta: Any, top: Any, left: Any) -> Any:
    """The mean of ``delta`` over a tile without its lowest and its highest row."""
    total, low, high, rows = 0, 1 << 30, -(1 << 30), 0
    columns = min(TILE, delta.shape[1] - left)
    for r in range(top, min(top + TILE, delta.shape[0])):
        part = 0
        for c in range(left, left + columns):
            part += delta[r, c]
        total, low, high, rows = total + part, min(low, part), max(high, part), rows + 1
    return total // (rows * columns) if rows < 3 else (total - low - high) // ((rows - 2) * columns)


@nb.njit(nb.boolean(GRID16, GRID16, nb.int64, nb.int32[:, ::1], nb.uint8[:, ::1]),
         cache=True, nogil=True)  # fmt: skip
def _tiles(grid: Any, delta: Any, threshold: Any, field: Any, kind: Any) -> Any:
    """The level of ``delta`` in each tile; ``kind``: 0 where it changed and something has an edge, 1 where it changed
    smoothly, 2 where it is as it was. Returns whether there are smooth changes."""
    changed = False
    for i in range(field.shape[0]):
        for j in range(field.shape[1]):
            field[i, j] = _tile_mean(delta, i * TILE, j * TILE)
            kind[i, j] = 2
            if abs(field[i, j]) <= _DIM:
                continue
            number, edges = 0, 0
            for r in range(i * TILE, min(i * TILE + TILE, grid.shape[0])):
                for c in range(j * TILE, min(j * TILE + TILE, grid.shape[1])):
                    number += 1
                    edges += 1 if rough(grid, delta, r, c, threshold) else 0
            kind[i, j] = 0 if edges * 2 > number else 1
            changed = changed or kind[i, j] == 1
    return changed


@nb.njit(nb.void(nb.int32[:, ::1], nb.uint8[:, ::1]), cache=True, nogil=True)
def _spread(field: Any, kind: Any) -> None:
    """Smooth tiles count (2) that a chain of smooth tiles, each near the last, joins to one that is as it was."""
    rows, columns = field.shape
    taken = True
    while taken:
        taken = False
        for i in range(rows):
            for j in range(columns):
                if kind[i, j] != 1:
                    continue
                for y, x in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
                    if not (0 <= y < rows and 0 <= x < columns) or kind[y, x] != 2:
                        continue
                    if abs(field[y, x] - field[i, j]) <= _SLOPE:
                        kind[i, j], taken = 2, True


@nb.njit(nb.int64(nb.int32[:, ::1], nb.uint8[:, ::1]), cache=True, nogil=True)
def _lit(field: Any, kind: Any) -> Any:
    """The number of tiles in another light; one with fewer than three such neighbours of its sign is noise: 0."""
    rows, columns = field.shape
    for i in range(rows):
        for j in range(columns):
            if kind[i, j] != 2 or abs(field[i, j]) <= _DIM:
                continue
            like = -1
            for y in range(max(i - 1, 0), min(i + 2, rows)):
                for x in range(max(j - 1, 0), min(j + 2, columns)):
                    same = (field[y, x] > _DIM) if field[i, j] > 0 else (field[y, x] < -_DIM)
                    like += 1 if same and kind[y, x] >= 2 else 0
            if like < 3:
                kind[i, j] = 3
    number = 0
    for i in range(rows):
        for j in range(columns):
            if kind[i, j] == 3:
                kind[i, j], field[i, j] = 2, 0
            elif kind[i, j] == 2 and abs(field[i, j]) > _DIM:
                number += 1
    return number


@nb.njit(nb.void(nb.int32[:, ::1], nb.uint8[:, ::1]), cache=True, nogil=True)
def _guess(field: Any, kind: Any) -> None:
    """The level of tiles that do not count: the mean of the neighbours that do, or 0."""
    rows, columns = field.shape
    for i in range(rows):
        for j in range(columns):
            if kind[i, j] == 2:
                continue
            total, number = 0, 0
            for y in range(max(i - 1, 0), min(i + 2, rows)):
                for x in range(max(j - 1, 0), min(j + 2, columns)):
                    if kind[y, x] == 2:
                        total += field[y, x]
                        number += 1
            field[i, j] = total // number if number else 0


@nb.njit(nb.boolean(GRID16, GRID16, nb.int64, GRID16, nb.int64, nb.int32[:, ::1], nb.uint8[:, ::1]),
         cache=True, nogil=True)  # fmt: skip
def local_light(
    grid: Any, background: Any, offset: Any, delta: Any, threshold: Any, field: Any, kind: Any
) -> Any:
    """Take out of ``grid`` what light does to parts of the picture: glow of headlights, a cloud's edge, a lamp.

    Light changes slowly from place to place and leaves the ground's texture; a thing has an edge. So tiles (``field``,
    ``kind``: a tile for each 6 × 6 cells) are levelled where no edge parts them from what is as it was. ``delta`` is
    scratch. Returns whether there was any such light.
    """
    rows, columns = grid.shape
    level = np.int16(offset)
    for r in range(rows):
        here, there, out = grid[r], background[r], delta[r]
        for c in range(columns):
            out[c] = np.int16(np.int16(here[c] - level) - there[c])
    if not _tiles(grid, delta, threshold, field, kind):
        return False
    _spread(field, kind)
    if _lit(field, kind) < _LEAST:
        return False
    _guess(field, kind)
    most_y, most_x = field.shape[0] - 1, field.shape[1] - 1
    for r in range(rows):
        y = max(2 * r + 1 - TILE, 0)  # in halves of a cell from the first tile's middle
        i, fy = min(y // (2 * TILE), most_y), y % (2 * TILE)
        below = min(i + 1, most_y)
        for c in range(columns):
            x = max(2 * c + 1 - TILE, 0)
            j, fx = min(x // (2 * TILE), most_x), x % (2 * TILE)
            beside = min(j + 1, most_x)
            top = field[i, j] * (2 * TILE - fx) + field[i, beside] * fx
            low = field[below, j] * (2 * TILE - fx) + field[below, beside] * fx
            grid[r, c] -= (top * (2 * TILE - fy) + low * fy) // (4 * TILE * TILE)
    return True
