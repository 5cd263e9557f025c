"""Regions of foreground on a coarse grid: cleaning, components by runs, and what speaks for or against them.

Components are found over runs of set cells, with the forest of ``hub.kernels.components``. A region is measured by the
steps of light at its border: a thing has an edge, a glow or a soft shadow fades out (what CDnet's and traffic papers
call ghosts by headlights; the ratio of picture and background is smooth inside and across its border).
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from hub.kernels.components import X0, X1, Y0, Y1, _join
from hub.kernels.light import parted, rough

AREA, SHARP, BORDER, KEPT, GHOST = 4, 5, 6, 7, 8
MARKS = 9
"""Columns of a region: bounding box, cells, border links over a step of light, all border links, cells set before, and
border links where the background has an edge and the picture none."""
ROW, LEFT, RIGHT, LABEL = range(4)
_STILL = 4  # pictures

MASK = nb.uint8[:, ::1]
INTS = nb.int32[:, ::1]


def runs_for(rows: int, columns: int) -> NDArray[np.int32]:
    """Room for the runs of any mask: row, first column, column after the last, label."""
    return np.zeros((rows * ((columns + 1) // 2) + 1, 4), np.int32)


@nb.njit(nb.void(MASK, MASK, nb.uint8[::1]), cache=True, nogil=True)
def tally(raw: Any, votes: Any, column: Any) -> None:
    """How many of the 3 × 3 cells around each are 1; outside is 0. ``column``: scratch, width + 2."""
    rows, columns = raw.shape
    column[0] = column[columns + 1] = 0
    inner, left, right = column[1 : columns + 1], column[:columns], column[2 : columns + 2]
    for r in range(rows):
        out, middle, above, below = votes[r], raw[r], raw[max(r - 1, 0)], raw[min(r + 1, rows - 1)]
        top, bottom = np.uint8(r > 0), np.uint8(r + 1 < rows)
        for c in range(columns):
            inner[c] = np.uint8(np.uint8(above[c] * top) + middle[c] + np.uint8(below[c] * bottom))
        for c in range(columns):
            out[c] = np.uint8(left[c] + inner[c] + right[c])


@nb.njit(nb.void(MASK, MASK), cache=True, nogil=True)
def majority(votes: Any, clean: Any) -> None:
    """1 where at least 5 of the 3 × 3 cells around are 1."""
    for r in range(votes.shape[0]):
        row, out = votes[r], clean[r]
        for c in range(votes.shape[1]):
            out[c] = np.uint8(row[c] >= np.uint8(5))


@nb.njit(nb.void(MASK, MASK, nb.int16[:, ::1], nb.int64, nb.int64), cache=True, nogil=True)
def unrest(raw: Any, votes: Any, restless: Any, step: Any, most: Any) -> None:
    """Cells that are foreground alone or in a line, as in rain, grow restless, up to ``most``; ``votes`` is used up.

    The border of a thing is not meant: it has more neighbours. A 64th of the unrest is lost a picture.
    """
    rise, limit = np.int16(step), np.int16(most)
    for r in range(raw.shape[0]):
        mark, alone, row = raw[r], votes[r], restless[r]
        for c in range(raw.shape[1]):
            alone[c] = np.uint8(np.uint8(alone[c] <= np.uint8(3)) & mark[c])
        for c in range(raw.shape[1]):
            rest = np.int16(row[c] - np.int16(np.int16(row[c] + np.int16(63)) >> 6))
            row[c] = np.int16(min(np.int16(rest + (rise if alone[c] else np.int16(0))), limit))


@nb.njit(nb.int64(MASK, INTS), cache=True, nogil=True)
def find_runs(mask: Any, runs: Any) -> Any:
    """The runs of set cells, row by row; returns their number. Eight empty cells are passed at once."""
    rows, columns = mask.shape
    number = 0
    words = columns // 8
    for r in range(rows):
        row = mask[r]
        eight = row[: words * 8].view(np.uint64)
        any_ = np.uint64(0)
        for word in range(words):
            any_ |= eight[word]
        for c in range(words * 8, columns):
            any_ |= np.uint64(row[c])
        if any_ == 0:
            continue
        first = -1  # of the run that is open
        for word in range(words + 1):
            if first < 0 and word < words and eight[word] == 0:
                continue
            for c in range(8 * word, min(8 * word + 8, columns)):
                if row[c] != 0:
                    first = c if first < 0 else first
                elif first >= 0:
                    runs[number, ROW], runs[number, LEFT], runs[number, RIGHT] = r, first, c
                    number, first = number + 1, -1
        if first >= 0:
            runs[number, ROW], runs[number, LEFT], runs[number, RIGHT] = r, first, columns
            number += 1
    return number


@nb.njit(nb.int64(INTS, nb.int64, nb.int32[::1], INTS), cache=True, nogil=True)
def join_runs(runs: Any, number: Any, parent: Any, marks: Any) -> Any:
    """Number the 8-connected components of runs, 1 …; their boxes and areas into ``marks``. Those beyond are 0."""
    parent[0] = 0
    above, labels = 0, 0
    for i in range(number):
        r, left, right = runs[i, ROW], runs[i, LEFT], runs[i, RIGHT]
        while above < i and (runs[above, ROW] < r - 1 or (runs[above, ROW] == r - 1 and runs[above, RIGHT] < left)):
            above += 1
        mine, other = np.int32(0), above
        while other < i and runs[other, ROW] == r - 1 and runs[other, LEFT] <= right:
            mine = runs[other, LABEL] if mine == 0 else _join(parent, mine, runs[other, LABEL])
            other += 1
        if mine == 0:
            labels += 1
            mine = np.int32(labels)
            parent[mine] = mine
        runs[i, LABEL] = mine
    final = np.int32(0)
    for i in range(1, labels + 1):
        if parent[i] == i:
            final += 1
            parent[i] = final if final < marks.shape[0] else 0
        else:
            parent[i] = parent[parent[i]]
    final = min(final, np.int32(marks.shape[0] - 1))
    marks[: final + 1] = 0
    marks[: final + 1, X0] = marks[: final + 1, Y0] = 1 << 30
    for i in range(number):
        mark = marks[parent[runs[i, LABEL]]]
        runs[i, LABEL] = parent[runs[i, LABEL]]
        mark[X0], mark[X1] = min(mark[X0], runs[i, LEFT]), max(mark[X1], runs[i, RIGHT])
        mark[Y0], mark[Y1] = min(mark[Y0], runs[i, ROW]), runs[i, ROW] + 1
        mark[AREA] += runs[i, RIGHT] - runs[i, LEFT]
    return final


@nb.njit(nb.void(nb.int32[::1], nb.int64, nb.int64, nb.int64, nb.int64), cache=True, nogil=True)
def _link(mark: Any, inside: Any, outside: Any, seen: Any, threshold: Any) -> None:
    """Count one border link: the differences from the background inside and outside, and the picture's own step."""
    mark[BORDER] += 1
    step = inside - outside
    if parted(step, seen, max(threshold, max(abs(inside), abs(outside)) // 3)):
        mark[SHARP] += 1
    known = abs(seen - step)
    if known >= 2 * threshold and abs(seen) * 2 < known:
        mark[GHOST] += 1


@nb.njit(nb.void(INTS, nb.int64, MASK, MASK, nb.int16[:, ::1], nb.int16[:, ::1], nb.int64, INTS),
         cache=True, nogil=True)  # fmt: skip
def measure(
    runs: Any, number: Any, mask: Any, before: Any, grid: Any, delta: Any, threshold: Any, marks: Any
) -> None:
    """The border links of each region, to two cells outside, and how many of its cells were set before."""
    rows, columns = mask.shape
    for i in range(number):
        r, left, right, mark = runs[i, ROW], runs[i, LEFT], runs[i, RIGHT], marks[runs[i, LABEL]]
        d, g = delta[r], grid[r]
        if left >= 2:
            _link(mark, d[left], d[left - 2], np.int64(g[left]) - g[left - 2], threshold)
        if right + 1 < columns:
            _link(mark, d[right - 1], d[right + 1], np.int64(g[right - 1]) - g[right + 1], threshold)
        for c in range(left, right):
            mark[KEPT] += before[r, c]
            if r >= 2 and mask[r - 1, c] == 0:
                _link(mark, d[c], delta[r - 2, c], np.int64(g[c]) - grid[r - 2, c], threshold)
            if r + 2 < rows and mask[r + 1, c] == 0:
                _link(mark, d[c], delta[r + 2, c], np.int64(g[c]) - grid[r + 2, c], threshold)


@nb.njit(nb.void(INTS, nb.int64, INTS, nb.int64, nb.int16[:, ::1], nb.int16[:, :, ::1]), cache=True, nogil=True)
def absorb(runs: Any, number: Any, marks: Any, final: Any, delta: Any, model: Any) -> None:
    """Regions that are a hole in the background (what stood there when it was learned has left) become background.

    Such a region has its edge in the background and not in the picture. Its area is set to 0.
    """
    found = False
    for i in range(1, final + 1):
        mark = marks[i]
        mark[GHOST] = 1 if mark[BORDER] >= 8 and mark[GHOST] * 3 > mark[BORDER] * 2 else 0
        found = found or mark[GHOST] != 0
    if not found:
        return
    for i in range(number):  # how long the picture was there, by mode 1
        mark, r = marks[runs[i, LABEL]], runs[i, ROW]
        if mark[GHOST]:
            for c in range(runs[i, LEFT], runs[i, RIGHT]):
                mark[GHOST] += model[4, r, c]
    for i in range(1, final + 1):
        if marks[i, GHOST] > _STILL * marks[i, AREA]:
            marks[i, AREA] = 0
    for i in range(number):
        label, r = runs[i, LABEL], runs[i, ROW]
        if label and marks[label, AREA] == 0:
            for c in range(runs[i, LEFT], runs[i, RIGHT]):
                model[1, r, c] = model[0, r, c]
                model[0, r, c] += delta[r, c]
                model[4, r, c] = 0


@nb.njit(nb.void(INTS, nb.int64, INTS, nb.int64, MASK), cache=True, nogil=True)
def erase(runs: Any, number: Any, marks: Any, final: Any, mask: Any) -> None:
    """Take away the cells of regions whose area was set to 0, and of those beyond the last."""
    for i in range(number):
        label = runs[i, LABEL]
        if label == 0 or marks[label, AREA] == 0:
            mask[runs[i, ROW], runs[i, LEFT] : runs[i, RIGHT]] = 0


@nb.njit(nb.void(INTS, nb.int64, INTS, MASK), cache=True, nogil=True)
def fill(runs: Any, number: Any, marks: Any, mask: Any) -> None:
    """Fill holes: cells between two runs of one region in a row that have it above and below too."""
    for i in range(number - 1):
        label, r = runs[i, LABEL], runs[i, ROW]
        if label == 0 or runs[i + 1, LABEL] != label or runs[i + 1, ROW] != r or marks[label, AREA] == 0:
            continue
        for c in range(runs[i, RIGHT], runs[i + 1, LEFT]):
            above, below = r - 1, r + 1
            while above >= marks[label, Y0] and mask[above, c] == 0:
                above -= 1
            while below < marks[label, Y1] and mask[below, c] == 0:
                below += 1
            if above >= marks[label, Y0] and below < marks[label, Y1]:
                mask[r, c] = 1
                marks[label, AREA] += 1


@nb.njit(nb.int64(INTS, nb.int64, INTS), cache=True, nogil=True)
def gather(marks: Any, final: Any, stats: Any) -> Any:
    """The regions whose area is not 0, in order, into ``stats[1:]``: as many as fit; returns how many."""
    count = 0
    for i in range(1, final + 1):
        if marks[i, AREA] and count + 1 < stats.shape[0]:
            count += 1
            stats[count] = marks[i, :5]
    return count


@nb.njit(nb.boolean(MASK, nb.int64, nb.int64, nb.int64), cache=True, nogil=True)
def _next_to(work: Any, r: Any, c: Any, value: Any) -> Any:
    rows, columns = work.shape
    for y in range(max(r - 1, 0), min(r + 2, rows)):
        for x in range(max(c - 1, 0), min(c + 2, columns)):
            if work[y, x] == value:
                return True
    return False


@nb.njit(nb.void(MASK, nb.int64, nb.int64, nb.int64, nb.int64), cache=True, nogil=True)
def _flood(work: Any, top: Any, bottom: Any, left: Any, right: Any) -> None:
    """From cells of value 3 over smooth ones (1) that are next to no rough one (2), until nothing more is reached."""
    for _ in range(16):
        taken = 0
        for r in range(top, bottom):
            for c in range(left, right):
                if work[r, c] == 1 and _next_to(work, r, c, 3) and not _next_to(work, r, c, 2):
                    work[r, c] = 3
                    taken += 1
        for r in range(bottom - 1, top - 1, -1):
            for c in range(right - 1, left - 1, -1):
                if work[r, c] == 1 and _next_to(work, r, c, 3) and not _next_to(work, r, c, 2):
                    work[r, c] = 3
                    taken += 1
        if taken == 0:
            break


@nb.njit(nb.void(INTS, nb.int64, MASK, nb.int16[:, ::1], nb.int16[:, ::1], nb.int64, MASK), cache=True, nogil=True)
def carve(mark: Any, label: Any, mask: Any, grid: Any, delta: Any, threshold: Any, work: Any) -> None:
    """Leave of region ``mark[label]`` only what an edge encloses: the things within a glow.

    ``work``: 1 smooth, 2 rough, 3 reached from around the region's box over smooth cells that are not next to rough
    ones: a hole of two cells in an edge lets nothing through.
    """
    rows, columns = mask.shape
    left, top, right, bottom = mark[label, X0] - 1, mark[label, Y0] - 1, mark[label, X1] + 1, mark[label, Y1] + 1
    for r in range(max(top, 0), min(bottom, rows)):
        for c in range(max(left, 0), min(right, columns)):
            ring = r == top or r == bottom - 1 or c == left or c == right - 1
            work[r, c] = 3 if ring else 2 if rough(grid, delta, r, c, threshold) else 1
    left, top, right, bottom = max(left, 0), max(top, 0), min(right, columns), min(bottom, rows)
    _flood(work, top, bottom, left, right)
    for r in range(top, bottom):
        for c in range(left, right):
            if work[r, c] == 3 or (work[r, c] == 1 and _next_to(work, r, c, 3)):
                mask[r, c] = 0
    work[top:bottom, left:right] = 0
