"""A camera that shakes: where the picture is to be read so that it fits the background."""

from __future__ import annotations

from typing import Any

import numba as nb

from hub.kernels.background import PLANE, displacement, mismatch, shrink
from hub.kernels.light import GRID16
from hub.kernels.slots import BLOCK, CALM, DOWN, MISFIT, RIGHT, SHAKEN, USUAL_DOWN, USUAL_RIGHT

_FITS = 8 * 64  # a mismatch of 8 units is none
_HELPS = 15  # sixteenths of the mismatch that may be left for a step to be worth it
_CALM = 8  # pictures for which nothing is tried after it did not help
_SHAKEN = 50  # pictures after the last shake in which single pixels are tried too
_MODEL = nb.int16[:, :, ::1]
_MEMORY = nb.int64[::1]


@nb.njit(
    nb.int64(PLANE, _MEMORY, _MEMORY, nb.int64, nb.int64, nb.int64, GRID16, nb.uint16[:, ::1], nb.float32[::1],
             GRID16),
    cache=True, nogil=True,
)  # fmt: skip
def _nudge(
    plane: Any, shape: Any, memory: Any, reach: Any, offset: Any, centre: Any, background: Any, sums: Any, floats: Any,
    grid: Any,
) -> Any:  # fmt: skip
    """Try the four pixels around, within reach, as long as one fits better; returns the mismatch that is left."""
    for _ in range(2):
        down, right = memory[DOWN], memory[RIGHT]
        for y, x in ((down - 1, right), (down + 1, right), (down, right - 1), (down, right + 1)):
            if max(abs(y), abs(x)) > reach:
                continue
            shrink(plane, shape, y, x, sums, floats, grid)
            after = mismatch(grid, background, offset, 0, 0)
            if 16 * after < _HELPS * centre:
                memory[DOWN], memory[RIGHT], centre = y, x, after
        if memory[DOWN] == down and memory[RIGHT] == right:
            break
    shrink(plane, shape, memory[DOWN], memory[RIGHT], sums, floats, grid)
    return centre


@nb.njit(
    nb.int64(PLANE, nb.int64[::1], nb.int64[::1], nb.int64, _MODEL, nb.uint16[:, ::1], nb.float32[::1],
             nb.int16[:, ::1]),
    cache=True, nogil=True,
)  # fmt: skip
def steady(
    plane: Any, shape: Any, memory: Any, offset: Any, model: Any, sums: Any, floats: Any, grid: Any
) -> Any:
    """Read a shaken picture where the background fits best; returns the mismatch that is left.

    It begins where pictures fit on average, and goes on as long as that helps: at most four times two cells.
    """
    block, background = shape[BLOCK], model[0]
    reach = min(2 * block + 2, (min(grid.shape) * block - 1) // 2)
    centre = mismatch(grid, background, offset, 0, 0)
    sudden = 2 * centre > 3 * memory[MISFIT]
    memory[MISFIT] += (centre - memory[MISFIT]) >> 3
    if centre < _FITS or (memory[CALM] > 0 and not sudden):
        memory[CALM] = max(memory[CALM] - 1, 0)
        return centre
    for _ in range(4):
        down = displacement(mismatch(grid, background, offset, -1, 0), centre,
                            mismatch(grid, background, offset, 1, 0), block)  # fmt: skip
        right = displacement(mismatch(grid, background, offset, 0, -1), centre,
                             mismatch(grid, background, offset, 0, 1), block)  # fmt: skip
        down = min(max(memory[DOWN] + down, -reach), reach)
        right = min(max(memory[RIGHT] + right, -reach), reach)
        if down == memory[DOWN] and right == memory[RIGHT]:
            break
        for part in range(2):  # all the way, or half of it
            shrink(plane, shape, down, right, sums, floats, grid)
            after = mismatch(grid, background, offset, 0, 0)
            if part == 1 or 16 * after < _HELPS * centre:
                break
            down, right = (memory[DOWN] + down) // 2, (memory[RIGHT] + right) // 2
        if 16 * after >= _HELPS * centre:  # not the camera, but what it sees
            shrink(plane, shape, memory[DOWN], memory[RIGHT], sums, floats, grid)
            memory[CALM] = 0 if memory[SHAKEN] > 0 else _CALM
            break
        memory[DOWN], memory[RIGHT], centre = down, right, after
        memory[SHAKEN] = _SHAKEN
    if memory[SHAKEN] > 0 and centre >= 2 * _FITS:
        centre = _nudge(plane, shape, memory, reach, offset, centre, background, sums, floats, grid)
    memory[SHAKEN] = max(memory[SHAKEN] - 1, 0)
    memory[USUAL_DOWN] += (memory[DOWN] * 256 - memory[USUAL_DOWN]) >> 4
    memory[USUAL_RIGHT] += (memory[RIGHT] * 256 - memory[USUAL_RIGHT]) >> 4
    return centre
