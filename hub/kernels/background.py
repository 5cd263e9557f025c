"""The background of a picture on a coarse grid: shrinking, camera shake, and two modes a cell.

Units: log-luma is ``SCALE * log2(luma + 8)``, in int16; a fall of light by one stop is ``SCALE``. Every loop over cells
stands alone with few arrays and stays in 16 bits: so the compiler turns it into vector instructions.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

from hub.kernels.light import GRID16, ROW16, tone

_ALL = np.uint64(0x0101010101010101)

PLANE = nb.types.Array(nb.uint8, 1, "C", readonly=True)
SUMS = nb.uint16[::1]
WORDS = nb.types.Array(nb.uint64, 1, "C", readonly=True)
_EVEN, _ONES = np.uint64(0x00FF00FF00FF00FF), np.uint64(0x0001000100010001)
_PAIR = nb.types.UniTuple(nb.int64, 2)  # type: ignore[no-untyped-call]
_SWAYS = 320  # ten changes of a cell by 32 in a short time: three things that pass by make six
_BYTE, _TOP = np.uint64(8), np.uint64(48)


@nb.njit(nb.void(SUMS, PLANE, PLANE, PLANE, PLANE), cache=True, nogil=True)
def _four_rows(sums: Any, a: Any, b: Any, c: Any, d: Any) -> None:
    for x in range(sums.shape[0]):
        sums[x] = np.uint16(np.uint16(a[x]) + np.uint16(b[x]) + np.uint16(c[x]) + np.uint16(d[x]))


@nb.njit(nb.void(SUMS, PLANE, PLANE), cache=True, nogil=True)
def _two_rows(sums: Any, a: Any, b: Any) -> None:
    for x in range(sums.shape[0]):
        sums[x] = np.uint16(np.uint16(a[x]) + np.uint16(b[x]))


@nb.njit(nb.void(SUMS, PLANE), cache=True, nogil=True)
def _one_row(sums: Any, row: Any) -> None:
    for x in range(sums.shape[0]):
        sums[x] = np.uint16(sums[x] + np.uint16(row[x]))


@nb.njit(nb.void(SUMS, WORDS, WORDS), cache=True, nogil=True)
def _eights(sums: Any, a: Any, b: Any) -> None:
    """Add up the eight pixels of each word of two rows: four sums of 16 bits in a word, then a product adds those."""
    for x in range(sums.shape[0]):
        even = (a[x] & _EVEN) + (b[x] & _EVEN)
        odd = ((a[x] >> _BYTE) & _EVEN) + ((b[x] >> _BYTE) & _EVEN)
        sums[x] = np.uint16(((even + odd) * _ONES) >> _TOP)


@nb.njit(nb.void(SUMS, SUMS, nb.int64), cache=True, nogil=True)
def _halve(old: Any, new: Any, wide: Any) -> None:
    for x in range(wide):
        new[x] = np.uint16(old[2 * x] + old[2 * x + 1])


@nb.njit(nb.void(SUMS, SUMS, nb.int64), cache=True, nogil=True)
def _third(old: Any, new: Any, wide: Any) -> None:
    for x in range(wide):
        new[x] = np.uint16(old[3 * x] + old[3 * x + 1] + old[3 * x + 2])


@nb.njit(nb.void(SUMS, nb.float32, nb.float32[::1], nb.int32[::1], ROW16), cache=True, nogil=True)
def _log(sums: Any, scale: Any, floats: Any, bits: Any, out: Any) -> None:
    """``SCALE * log2(sums * scale + 8)``, less than 10 units wrong: a float's bits are its logarithm but for a curve.

    ``bits`` is ``floats`` as int32. No table: a look-up a cell took as long as reading the picture.
    """
    for x in range(sums.shape[0]):
        floats[x] = np.float32(sums[x]) * scale + np.float32(8)
    for x in range(sums.shape[0]):
        part = np.int32(np.int32(bits[x] >> 13) & np.int32(1023))
        bend = np.int32(np.int32(part * np.int32(np.int32(1024) - part)) * np.int32(11)) >> np.int32(15)
        out[x] = np.int16(np.int32(np.int32(bits[x] >> 13) - np.int32(127 * 1024)) + bend)


@nb.njit(
    nb.void(PLANE, nb.int64[::1], nb.int64, nb.int64, nb.uint16[:, ::1], nb.float32[::1], GRID16),
    cache=True, nogil=True,
)  # fmt: skip
def shrink(plane: Any, shape: Any, down: Any, right: Any, sums: Any, floats: Any, grid: Any) -> None:
    """Mean log-luma of each cell into ``grid``, the picture read ``down`` and ``right`` pixels further on.

    ``shape``: height, width, stride from row to row, pixels a cell's side (of factors 2 and 3), rows read in a cell.
    Beyond the border its last pixels repeat. Few rows a cell are enough: reading is what costs.
    """
    height, width, stride, block, taps = shape[0], shape[1], shape[2], shape[3], shape[4]
    rows, columns = grid.shape
    wide, step = columns * block, block // taps
    low, high = max(0, -right), min(wide, width - right)
    number, edge = high - low, low + right
    scale = np.float32(1.0 / (taps * block))
    bits = floats.view(np.int32)
    last = height - 1
    words = block == 8 and taps == 2 and number == wide
    for r in range(rows):
        part, y = sums[0, low:high], r * block + step // 2 + down
        if words:
            a = min(max(y, 0), last) * stride + edge
            b = min(max(y + step, 0), last) * stride + edge
            whole = sums[0, :columns]
            _eights(whole, plane[a : a + wide].view(np.uint64), plane[b : b + wide].view(np.uint64))
            _log(whole, scale, floats, bits, grid[r])
            continue
        if taps == 4:
            a = min(max(y, 0), last) * stride + edge
            b = min(max(y + step, 0), last) * stride + edge
            c = min(max(y + 2 * step, 0), last) * stride + edge
            d = min(max(y + 3 * step, 0), last) * stride + edge
            _four_rows(part, plane[a : a + number], plane[b : b + number], plane[c : c + number], plane[d : d + number])
        elif taps == 2:
            a = min(max(y, 0), last) * stride + edge
            b = min(max(y + step, 0), last) * stride + edge
            _two_rows(part, plane[a : a + number], plane[b : b + number])
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
        _log(old[:columns], scale, floats, bits, grid[r])


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
        part: Any = np.int32(0)
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

    The threshold is ``threshold`` units, two and a half mean deviations and the cell's unrest. Mode 0 goes 1/2**rate of
    the way.
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


@nb.njit(nb.boolean(nb.int64, nb.int16[:, :, ::1], nb.int64, nb.int64, nb.int64, nb.int64, nb.int64),
         cache=True, nogil=True)  # fmt: skip
def _unknown(value: Any, model: Any, r: Any, c: Any, threshold: Any, rate: Any, settle: Any) -> Any:
    """Whether one cell is neither mode; mode 1 then begins anew at its value, unless it was seen lately."""
    gap, age = value - model[1, r, c], np.int64(model[4, r, c])
    if -threshold < gap < threshold:
        model[1, r, c] += (gap + (1 << (rate - 1))) >> rate
        model[4, r, c] = age + 1
        if age + 1 >= 2 * settle:
            model[0, r, c], model[1, r, c] = model[1, r, c], model[0, r, c]
            model[4, r, c] = 4 * settle
        return age < settle
    if age > 1:
        model[4, r, c] = age - 2
    else:
        model[1, r, c], model[4, r, c] = value, 1
    return True


@nb.njit(nb.boolean(nb.int64, nb.int16[:, :, ::1], nb.int64, nb.int64, nb.int64), cache=True, nogil=True)
def _swayed(value: Any, model: Any, r: Any, c: Any, threshold: Any) -> Any:
    """Whether a value lies between those of the background two cells around: leaves and water move so far."""
    low, high = np.int64(model[0, r, c]), np.int64(model[0, r, c])
    for y in range(max(r - 2, 0), min(r + 3, model.shape[2])):
        for x in range(max(c - 2, 0), min(c + 3, model.shape[2])):
            low, high = min(low, np.int64(model[0, y, x])), max(high, np.int64(model[0, y, x]))
    return low - threshold < value < high + threshold


@nb.njit(nb.void(nb.uint8[:, ::1], nb.uint8[:, ::1], GRID16), cache=True, nogil=True)
def restless(unknown: Any, before: Any, sway: Any) -> None:
    """Cells that come and go grow restless, by 32 each time; a 64th of it is lost a picture."""
    for r in range(unknown.shape[0]):
        now, last, row = unknown[r], before[r], sway[r]
        for c in range(unknown.shape[1]):
            change = np.int16(now[c] ^ last[c])
            kept = np.int16(row[c] - np.int16(np.int16(row[c] + np.int16(63)) >> 6))
            row[c] = np.int16(kept + np.int16(change << np.int16(5)))
        last[:] = now


@nb.njit(
    _PAIR(GRID16, nb.int64, ROW16, nb.boolean, nb.int16[:, :, ::1], nb.int64, nb.int64, nb.int64, nb.uint8[:, ::1],
          nb.uint8[:, ::1], nb.uint8[:, ::1], nb.uint8[:, ::1]),
    cache=True, nogil=True,
)  # fmt: skip
def second_mode(
    grid: Any, offset: Any, curve: Any, toned: Any, model: Any, threshold: Any, rate: Any, settle: Any, near: Any,
    use: Any, raw: Any, unknown: Any,
) -> Any:  # fmt: skip
    """What is not near mode 0: background of mode 1 when that was seen ``settle`` times, foreground otherwise.

    The age counts how long mode 1 was seen; at twice ``settle`` the modes change places, and the old background stays
    known for three times ``settle`` more. ``use`` is 0 where the operator masked the picture. ``unknown``: 1 where
    neither mode is seen, what sways too. Returns the number of foreground cells, which are 1 in ``raw``, and of those
    that would be without a mask.
    """
    rows, columns = grid.shape
    count, every_count, words = 0, 0, (columns + 7) // 8
    raw[:] = 0
    unknown[:] = 0
    for r in range(rows):
        eight = near[r, : columns // 8 * 8].view(np.uint64)
        every = _ALL
        for word in range(eight.shape[0]):
            every &= eight[word]
        if every == _ALL and columns % 8 == 0:
            continue
        for word in range(words):
            if word < eight.shape[0] and eight[word] == _ALL:
                continue
            for c in range(8 * word, min(8 * word + 8, columns)):
                if near[r, c]:
                    continue
                value = np.int64(grid[r, c]) - offset
                if toned:
                    value += curve[tone(model[0, r, c])] - curve[tone(model[1, r, c])]
                if _unknown(value, model, r, c, threshold, rate, settle):
                    unknown[r, c] = 1
                    if model[5, r, c] > _SWAYS and _swayed(value, model, r, c, threshold):
                        continue
                    every_count += 1
                    if use[r, c]:
                        raw[r, c] = 1
                        count += 1
    return count, every_count
