"""Whether the camera still sees its scene: moved, covered, out of focus or dark.

``sharpness`` reads few rows of the picture itself: what a lens out of focus loses first is finer than a cell of the
grid. ``edge_energy`` and ``alignment`` compare edges on the grid with those of the background, which a change of light
leaves where they are.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

from hub.kernels.slots import BLACK, BLURRED, EDGES, LIGHT, SCENE, SETTLE, SHARPNESS, SINCE

OK, MOVED, COVERED, DEFOCUSED, DARK = range(5)
NAMES = ("ok", "moved", "covered", "defocused", "dark")
_DARK = 10  # mean luma over black: under it nobody is recognised
BLANK = 64  # energy of edges of a picture that shows nothing at all: mist and walls have five times as much
ALIGNED = 0.3  # of edges: another light leaves more, another view less
_BLURRED = 8  # pictures out of focus: an automatic focus has found its place by then

_PLANE = nb.types.Array(nb.uint8, 1, "C", readonly=True)
_GRID16 = nb.int16[:, ::1]


@nb.njit(nb.int64(_PLANE, nb.int64[::1], nb.int64, nb.int64[::1]), cache=True, nogil=True)
def sharpness(plane: Any, shape: Any, every: Any, out: Any) -> Any:
    """Mean luma × 256 into ``out[0]``; returns 65536 × (mean |step| between pixels two apart) / (mean luma + 8).

    On one pixel row of each ``every``. A picture under three pixels wide has no steps and counts as light.
    """
    height, width, stride = shape[0], shape[1], shape[2]
    light, steps, number = 0, 0, 0
    if width < 3:
        out[0] = 255 * 256
        return 0
    for y in range(min(every, height) // 2, height, every):
        row = plane[y * stride : y * stride + width]
        first, second = row[: width - 2], row[2:width]
        part: Any = np.uint32(0)
        bright: Any = np.uint32(0)
        for x in range(width - 2):
            a, b = first[x], second[x]
            part += np.uint32(max(a, b) - min(a, b))
            bright += np.uint32(a)
        steps += part
        light += bright
        number += width - 2
    out[0] = light * 256 // number
    return steps * 65536 // (light + 8 * number)


@nb.njit(nb.int64(_GRID16), cache=True, nogil=True)
def edge_energy(grid: Any) -> Any:
    """Mean step of light between cells two apart, over what noise gives (32), × 16."""
    rows, columns = grid.shape
    total = 0
    for r in range(1, rows - 1, 2):
        for c in range(1, columns - 1):
            across = abs(np.int64(grid[r, c + 1]) - grid[r, c - 1])
            over = abs(np.int64(grid[r + 1, c]) - grid[r - 1, c])
            total += max(across + over - 64, 0)
    return total * 16 // max(((rows - 1) // 2) * (columns - 2), 1)


@nb.njit(nb.float64(_GRID16, _GRID16), cache=True, nogil=True)
def alignment(grid: Any, background: Any) -> Any:
    """Correlation of the strengths of edges at the same cells: near 0 for another view, over 0.3 for another light."""
    rows, columns = grid.shape
    one = two = both = first = second = 0.0
    number = 0
    for r in range(1, rows - 1):
        for c in range(1, columns - 1):
            a = abs(np.int64(grid[r, c + 1]) - grid[r, c - 1]) + abs(np.int64(grid[r + 1, c]) - grid[r - 1, c])
            b = abs(np.int64(background[r, c + 1]) - background[r, c - 1])
            b += abs(np.int64(background[r + 1, c]) - background[r - 1, c])
            a, b = min(a, 1024), min(b, 1024)
            one, two, number = one + a, two + b, number + 1
            first, second, both = first + a * a, second + b * b, both + a * b
    if number == 0:
        return 0.0
    spread = (first - one * one / number) * (second - two * two / number)
    return (both - one * two / number) / np.sqrt(spread) if spread > 0 else 0.0


@nb.njit(nb.void(nb.int64[::1], nb.int64[::1], _GRID16, _GRID16, nb.int64, nb.boolean, nb.boolean),
         cache=True, nogil=True)  # fmt: skip
def judge(settings: Any, memory: Any, grid: Any, background: Any, sharp: Any, fresh: Any, known: Any) -> None:
    """Which state the scene is in now. ``fresh``: most of it changed at once, to a scene that is ``known`` or not;
    ``background``: what was seen before, all 0 where nothing was."""
    now = memory[SCENE]
    usual = memory[SHARPNESS]
    memory[SINCE] += 1
    after = now
    if memory[LIGHT] < (_DARK + settings[BLACK]) * 256:
        after = DARK
    elif fresh:
        after = OK
        before = np.int64(0) if known else edge_energy(background)
        if edge_energy(grid) * 3 < before:
            after, memory[EDGES] = COVERED, before
        elif before > 0 and (now == MOVED or alignment(grid, background) < ALIGNED):  # it may turn for a while
            after = MOVED
            memory[SHARPNESS] = usual = sharp
            memory[SINCE] = 0
    elif now == DARK or (now == MOVED and memory[SINCE] > settings[SETTLE]):
        after = OK
    elif now == COVERED:  # it may be taken away bit by bit
        after = OK if edge_energy(grid) * 2 > memory[EDGES] else COVERED
    memory[BLURRED] = memory[BLURRED] + 1 if sharp * 5 < usual * 2 else 0
    if after == OK and memory[BLURRED] >= _BLURRED:
        after = DEFOCUSED
    elif after == DEFOCUSED and sharp * 5 > usual * 3:
        after = OK
    if after == OK and memory[BLURRED] == 0:
        memory[SHARPNESS] += (sharp - usual) >> 6 if usual else sharp
    if after != now:
        memory[SCENE], memory[SINCE] = after, 0
