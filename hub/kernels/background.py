"""The background of a picture on a coarse grid: shrinking, camera shake, and two modes a cell.

Units: log-luma is ``SCALE * log2(luma + 8)``, in int16; a fall of light by one stop is ``SCALE``. Every loop over cells
stands alone with few arrays and stays in 16 bits: so the compiler turns it into vector instructions.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

from hub.kernels.light import GRID16, LOG, ROW16, SCALE, tone


__all__ = ["LOG", "SCALE"]
_ALL = np.uint64(0x0101010101010101)

PLANE = nb.types.Array(nb.uint8, 1, "C", readonly=True)
SUMS = nb.uint16[::1]


@nb.njit(nb.void(SUMS, PLANE, PLANE, PLANE, PLANE), cache=True, nogil=True)
def _four_rows(sums: Any, a: Any, b: Any, c: Any, d: Any) -> None:
    for x in range(sums.shape[0]):
        sums[x] = np.uint16(np.uint16(a[x]) + np.uint16(b[x]) + np.uint16(c[x]) + np.uint16(d[x]))


@nb.njit(nb.void(SUMS, PLANE), cache=True, nogil=True)
def _one_row(sums: Any, row: Any) -> None:
    for x in range(sums.shape[0]):
        sums[x] = np.uint16(sums[x] + np.uint16(row[x]))


@nb.njit(nb.void(SUMS, SUMS, nb.int64), cache=True, nogil=True)
def _halve(old: Any, new: Any, wide: Any) -> None:
    for x in range(wide):
        new[x] = np.uint16(old[2 * x] + old[2 * x + 1])


@nb.njit(nb.void(SUMS, SUMS, nb.int64), cache=True, nogil=True)
def _third(old: Any, new: Any, wide: Any) -> None:
    for x in range(wide):
        new[x] = np.uint16(old[3 * x] + old[3 * x + 1] + old[3 * x + 2])


@nb.njit(
    nb.void(PLANE, nb.int64[::1], nb.int64, nb.int64, nb.uint16[:, ::1], ROW16, GRID16), cache=True, nogil=True
)  # fmt: skip
def shrink(plane: Any, shape: Any, down: Any, right: Any, sums: Any, log: Any, grid: Any) -> None:
    """Mean log-luma of each cell into ``grid``, the picture read ``down`` and ``right`` pixels further on.

    ``shape``: height, width, stride from row to row, pixels a cell's side (of factors 2 and 3), rows read in a cell.
    Beyond the border its last pixels repeat. Few rows a cell are enough: reading is what costs.
    """
    height, width, stride, block, taps = shape[0], shape[1], shape[2], shape[3], shape[4]
    rows, columns = grid.shape
    wide, step = columns * block, block // taps
    low, high = max(0, -right), min(wide, width - right)
    number, edge = high - low, low + right
    scale = (np.int64(4) << 20) // (taps * block) + 1
    last = height - 1
    for r in range(rows):
        part, y = sums[0, low:high], r * block + step // 2 + down
        if taps == 4:
            a = min(max(y, 0), last) * stride + edge
            b = min(max(y + step, 0), last) * stride + edge
            c = min(max(y + 2 * step, 0), last) * stride + edge
            d = min(max(y + 3 * step, 0), last) * stride + edge
            _four_rows(part, plane[a : a + number], plane[b : b + number], plane[c : c + number], plane[d : d + number])
        else:
            part[:] = 0
            for tap in range(taps):
                a = min(max(y + tap * step, 0), last) * stride + edge
                _one_row(part, plane[a : a + number])
        sums[0, :low], sums[0, high:wide] = part[0], part[number - 1]
        old, new, left, count = sums[0], sums[1], block, wide
        while left > 1:
            if left % 2 == 0:
                left, count = left // 2, count // 2
                _halve(old, new, count)
            else:
                left, count = left // 3, count // 3
                _third(old, new, count)
            old, new = new, old
        out = grid[r]
        for x in range(columns):
            out[x] = log[(np.uint32(old[x]) * scale) >> 20]


@nb.njit(nb.int64(GRID16, GRID16, nb.int64, nb.int64, nb.int64), cache=True, nogil=True)
def mismatch(grid: Any, background: Any, offset: Any, down: Any, right: Any) -> Any:
    """Mean of |picture - background|, at most 512, with the picture ``down`` and ``right`` cells on (-1, 0, 1).

    On every third row; in 1/64 units. All shifts are measured over the same cells.
    """
    rows, columns = grid.shape
    total, number = 0, 0
    level = np.int16(offset)
    for r in range(1, rows - 1, 3):
        here, there = grid[r + down, 1 + right : columns - 1 + right], background[r, 1 : columns - 1]
        part = np.int32(0)
        for c in range(columns - 2):
            d = np.int16(np.int16(here[c] - there[c]) - level)
            d = np.int16(max(d, np.int16(-d)))
            part += np.int32(min(d, np.int16(512)))
        total += part
        number += columns - 2
    return total * 64 // max(number, 1)


@nb.njit(nb.int64(nb.int64, nb.int64, nb.int64, nb.int64), cache=True, nogil=True)
def displacement(before: Any, centre: Any, after: Any, block: Any) -> Any:
    """Pixels to go for the least mismatch, of those at -1, 0 and +1 cell: where two lines of one slope meet."""
    sign = -1 if after >= before else 1
    near, far = (before, after) if after >= before else (after, before)
    slope = far - centre
    if slope <= 0:
        return sign * block
    share = min(max(0.5 - (near - centre) / (2.0 * slope), 0.0), 1.0)
    return sign * np.int64(share * block + 0.5)


@nb.njit(nb.void(GRID16, nb.int64, nb.int16[:, :, ::1], GRID16, nb.int64, nb.int64, nb.uint8[:, ::1]),
         cache=True, nogil=True)  # fmt: skip
def compare(grid: Any, offset: Any, model: Any, delta: Any, threshold: Any, rate: Any, near: Any) -> None:
    """``delta``: picture - mode 0; ``near``: 1 where it is within the cell's threshold, and the mode then follows.

    The threshold is ``threshold`` units, two and a half mean deviations and the cell's unrest. Mode 0 goes 1/2**rate of the way.
    """
    rows, columns = grid.shape
    base, level = np.int16(threshold), np.int16(offset)
    half = np.int16(1 << (rate - 1))
    for r in range(rows):
        value, mode, spread, unrest, age = grid[r], model[0, r], model[2, r], model[3, r], model[4, r]
        out, close = delta[r], near[r]
        for c in range(columns):
            out[c] = np.int16(np.int16(value[c] - level) - mode[c])
        for c in range(columns):
            d = np.int16(max(out[c], np.int16(-out[c])))
            limit = np.int16(np.int16(base + np.int16(np.int16(spread[c] * np.int16(5)) >> 1)) + unrest[c])
            inside = d < limit
            close[c] = np.uint8(inside)
            step = np.int16(np.int16(np.int16(min(d, np.int16(128)) - spread[c]) + np.int16(16)) >> 5)
            spread[c] = np.int16(spread[c] + (step if inside else np.int16(0)))
        for c in range(columns):
            step = np.int16(np.int16(out[c] + half) >> rate)
            mode[c] = np.int16(mode[c] + (step if close[c] else np.int16(0)))
        for c in range(columns):
            age[c] = np.int16(max(np.int16(age[c] - np.int16(close[c])), np.int16(0)))


@nb.njit(nb.int64(GRID16, nb.int64, ROW16, nb.boolean, nb.int16[:, :, ::1], nb.int64, nb.int64, nb.int64, nb.uint8[:, ::1],
                  nb.uint8[:, ::1], nb.uint8[:, ::1]), cache=True, nogil=True)  # fmt: skip
def second_mode(
    grid: Any, offset: Any, curve: Any, toned: Any, model: Any, threshold: Any, rate: Any, settle: Any, near: Any,
    use: Any, raw: Any,
) -> Any:
    """What is not near mode 0: background of mode 1 when that was seen ``settle`` times, foreground otherwise.

    The age counts how long mode 1 was seen; at twice ``settle`` the modes change places, and the old background stays
    known for three times ``settle`` more. ``use`` is 0 where the operator masked the picture. Returns the number of
    foreground cells, which are 1 in ``raw``.
    """
    rows, columns = grid.shape
    count = 0
    raw[:] = 0
    for r in range(rows):
        close, mark, wanted = near[r], raw[r], use[r]
        first, second, age = model[0, r], model[1, r], model[4, r]
        eight = close[: columns // 8 * 8].view(np.uint64)
        c = -1
        while c + 1 < columns:
            c += 1
            if c & 7 == 0 and c >> 3 < eight.shape[0] and eight[c >> 3] == _ALL:
                c += 7
                continue
            if close[c]:
                continue
            value = np.int64(grid[r, c]) - offset
            if toned:
                value += curve[tone(first[c])] - curve[tone(second[c])]
            gap = value - second[c]
            count_now = np.int64(age[c])
            moved = 1
            if -threshold < gap < threshold:
                moved = 0 if count_now >= settle else 1
                second[c] += (gap + (1 << (rate - 1))) >> rate
                count_now += 1
                if count_now >= 2 * settle:
                    first[c], second[c] = second[c], first[c]
                    count_now = 4 * settle
            elif count_now > 1:
                count_now -= 2
            else:
                second[c] = value
                count_now = 1
            age[c] = count_now
            if moved and wanted[c]:
                mark[c] = 1
                count += 1
    return count
