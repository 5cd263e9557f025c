"""One picture's way through the kernels of motion, compiled as a whole: ``look``.

``memory`` and ``settings`` are int64 arrays, indexed by the names below; ``hub.kernels.motion`` owns them.
"""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np

from hub.kernels import scene
from hub.kernels.background import PLANE, compare, restless, second_mode, shrink
from hub.kernels.light import (
    DARKEST,
    GRID16,
    ROW16,
    TONES,
    apply_tone,
    exposure,
    local_light,
    tone_curve,
)  # fmt: skip
from hub.kernels.regions import (
    AREA,
    BORDER,
    INTS,
    KEPT,
    MASK,
    SHARP,
    absorb,
    carve,
    erase,
    fill,
    find_runs,
    gather,
    join_runs,
    majority,
    measure,
    tally,
    unrest,
)  # fmt: skip
from hub.kernels.shake import steady
from hub.kernels.slots import (
    ACTIVE,
    BLOCK,
    CALM,
    CHANGED,
    DOWN,
    EDGES,
    LEAST,
    LIGHT,
    LIT,
    OFFSET,
    OTHER_SEEN,
    RAIN,
    RATE,
    RIGHT,
    SCENE,
    SEEN,
    SETTLE,
    SINCE,
    STEADY,
    THRESHOLD,
    USUAL_DOWN,
    USUAL_RIGHT,
    WIDE,
)  # fmt: skip

_FLASH = 64  # units of offset over which the tone curve is asked
_REBASE = 25  # pictures after which another exposure is the new one
_NEW = 600  # thousandths of the cells that differ at once in another view or light
_TURNING, _TURNS = 100, 10  # or as many within so many pictures of another view: the camera is not there yet
_LEARNED = 10  # pictures of a view that may be known again
_BROAD, _WIDE = 350, 3  # or as many for so many pictures in a row
_KNOWN = 30  # percent of cells that may differ from a view seen before: what moves in it
_BIRTHS = 3  # new small regions a picture that mean rain; in a downpour nothing under three times the least area
_LIT = 10  # pictures for which local light is looked for after it was last seen
_UNREST, _MOST_UNREST = 24, 320
_MODEL = nb.int16[:, :, ::1]
_MODELS = nb.int16[:, :, :, ::1]
_MEMORY = nb.int64[::1]


@nb.njit(nb.boolean(nb.int16[::1], nb.int16[:, ::1]), cache=True, nogil=True)
def _plausible(curve: Any, background: Any) -> Any:
    """Whether a tone curve keeps contrast: one that flattens everything is a cover, not a light."""
    low, high = np.int64(background[0, 0]), np.int64(background[0, 0])
    for r in range(0, background.shape[0], 4):
        for c in range(0, background.shape[1], 4):
            low, high = min(low, np.int64(background[r, c])), max(high, np.int64(background[r, c]))
    first = min(max((low - DARKEST) >> 4, 0), TONES - 1)
    last = min(max((high - DARKEST) >> 4, 0), TONES - 1)
    return 10 * (high + curve[last] - low - curve[first]) > 4 * (high - low)


@nb.njit(nb.void(GRID16, _MODEL, _MEMORY), cache=True, nogil=True)
def _begin(grid: Any, model: Any, memory: Any) -> None:
    """The picture becomes the background."""
    model[0], model[1] = grid, grid
    model[2], model[3], model[4], model[5] = 32, 0, 0, 0
    memory[SEEN], memory[STEADY], memory[OFFSET], memory[CALM] = 0, 0, 0, 0


@nb.njit(nb.int64(GRID16, nb.int64, GRID16, nb.int64), cache=True, nogil=True)
def _differing(grid: Any, offset: Any, background: Any, threshold: Any) -> Any:
    """Cells of every second row whose difference is over the threshold, in percent."""
    rows, columns = grid.shape
    count, number = 0, 0
    for r in range(0, rows, 2):
        for c in range(columns):
            d = np.int64(grid[r, c]) - offset - background[r, c]
            count += 1 if d > threshold or d < -threshold else 0
        number += columns
    return 100 * count // number


@nb.njit(
    nb.int64(_MEMORY, _MEMORY, GRID16, GRID16, _MODEL, MASK, nb.uint8[:, :, ::1], nb.int32[::1], INTS, ROW16,
             INTS, MASK),
    cache=True, nogil=True,
)  # fmt: skip
def _classify(
    settings: Any, memory: Any, grid: Any, delta: Any, model: Any, use: Any, masks: Any, histogram: Any, tones: Any,
    curve: Any, field: Any, kind: Any,
) -> Any:  # fmt: skip
    """Foreground cells into ``masks[0]``; returns their share in thousandths. The light is taken out first, the modes
    follow. The share is the lesser one of all cells and of those that are used: a mask that leaves little hides no turn
    of the camera, and what passes there is none.
    """
    offset, toned = memory[OFFSET], False
    if abs(offset) > _FLASH:
        flat = _differing(grid, offset, model[0], settings[THRESHOLD])
        tone_curve(grid, model[0], offset, tones, curve)
        if _plausible(curve, model[0]):
            apply_tone(grid, model[0], curve, -1)
            toned = _differing(grid, 0, model[0], settings[THRESHOLD]) + 2 < flat
            if toned:
                offset = 0
            else:
                apply_tone(grid, model[0], curve, 1)
    if memory[LIT] > 0:
        lit = local_light(grid, model[0], offset, delta, settings[THRESHOLD], field, kind)
        memory[LIT] = _LIT if lit else memory[LIT] - 1
    young = memory[SEEN]
    rate = 1
    while rate < settings[RATE] and (1 << rate) <= young:
        rate += 1
    settle = min(settings[SETTLE], max(4, young // 2))
    threshold = settings[THRESHOLD]
    compare(grid, offset, model, delta, threshold, rate, masks[1])
    count, every = second_mode(
        grid, offset, curve, toned, model, threshold, rate, settle, masks[1], use, masks[0], masks[4]
    )
    restless(masks[4], masks[5], model[5])
    used = np.int64(0)
    for r in range(use.shape[0]):
        for c in range(use.shape[1]):
            used += 1 if use[r, c] else 0
    if toned:
        memory[STEADY] += 1
        if memory[STEADY] >= _REBASE:
            apply_tone(model[0], model[0], curve, 1)
            apply_tone(model[1], model[1], curve, 1)
            memory[STEADY] = 0
    else:
        memory[STEADY] = 0
    return min(1000 * count // max(used, 1), 1000 * every // use.size)


@nb.njit(nb.void(MASK, nb.int64, nb.int64, nb.int64), cache=True, nogil=True)
def _clear_border(raw: Any, block: Any, down: Any, right: Any) -> None:
    """What lies outside a shaken picture is not known."""
    rows, columns = raw.shape
    over, beside = min((abs(down) + block - 1) // block, rows), min((abs(right) + block - 1) // block, columns)
    if down > 0:
        raw[rows - over :] = 0
    elif down < 0:
        raw[:over] = 0
    if right > 0:
        raw[:, columns - beside :] = 0
    elif right < 0:
        raw[:, :beside] = 0


@nb.njit(nb.void(_MEMORY, INTS, nb.int64, nb.int64, nb.int64), cache=True, nogil=True)
def _judge(memory: Any, marks: Any, final: Any, least: Any, cells: Any) -> None:
    """Drop regions that are too small; while it rains, also small ones that were not there in the last picture."""
    births = 0
    raining = memory[RAIN] >= _BIRTHS * 256
    if memory[RAIN] >= 4 * _BIRTHS * 256:
        least *= 3
    for i in range(1, final + 1):
        mark = marks[i]
        small = mark[AREA] * 100 < cells
        births += 1 if small and mark[KEPT] * 5 < mark[AREA] else 0
        if mark[AREA] < least or (raining and small and mark[KEPT] * 5 < 2 * mark[AREA]):
            mark[AREA] = 0
    memory[RAIN] += (births * 256 - memory[RAIN]) >> 4


@nb.njit(nb.boolean(INTS, nb.int64, MASK, GRID16, GRID16, nb.int64, MASK), cache=True, nogil=True)
def _carved(marks: Any, final: Any, moving: Any, grid: Any, delta: Any, threshold: Any, work: Any) -> Any:
    """Carve the regions without an edge; returns whether there were any."""
    found = False
    for i in range(1, final + 1):
        if marks[i, BORDER] >= 16 and marks[i, SHARP] * 2 < marks[i, BORDER]:
            if not found:
                work[:] = 0
            carve(marks, i, moving, grid, delta, threshold, work)
            found = True
    return found


@nb.njit(
    nb.int64(_MEMORY, _MEMORY, GRID16, GRID16, _MODEL, nb.uint8[:, :, ::1], MASK, nb.uint8[::1], INTS, nb.int32[::1],
             INTS, INTS),
    cache=True, nogil=True,
)  # fmt: skip
def _regions(
    settings: Any, memory: Any, grid: Any, delta: Any, model: Any, masks: Any, moving: Any, column: Any, runs: Any,
    parent: Any, marks: Any, stats: Any,
) -> Any:  # fmt: skip
    """Clean the foreground ``masks[0]`` into ``moving``; its components into ``stats``; returns their number."""
    raw, before, work = masks[0], masks[2], masks[3]
    threshold = settings[THRESHOLD]
    tally(raw, work, column)
    majority(work, moving)
    unrest(raw, work, model[3], _UNREST, _MOST_UNREST)
    number = find_runs(moving, runs)
    final = join_runs(runs, number, parent, marks)
    measure(runs, number, moving, before, grid, delta, threshold, marks)
    if _carved(marks, final, moving, grid, delta, threshold, work):
        memory[LIT] = _LIT
        tally(moving, work, column)
        majority(work, moving)
        number = find_runs(moving, runs)
        final = join_runs(runs, number, parent, marks)
        measure(runs, number, moving, before, grid, delta, threshold, marks)
    absorb(runs, number, marks, final, delta, model)
    before[:] = moving
    _judge(memory, marks, final, settings[LEAST], moving.size)
    erase(runs, number, marks, final, moving)
    fill(runs, number, marks, moving)
    return gather(marks, final, stats)


@nb.njit(
    nb.int64(PLANE, _MEMORY, _MEMORY, _MEMORY, nb.float32[::1], nb.uint16[:, ::1], GRID16, GRID16, _MODELS, MASK,
             nb.uint8[:, :, ::1], MASK, nb.uint8[::1], nb.int32[::1], INTS, ROW16, INTS, nb.int32[::1], INTS, INTS,
             INTS, MASK),
    cache=True, nogil=True,
)  # fmt: skip
def look(
    plane: Any, shape: Any, settings: Any, memory: Any, floats: Any, sums: Any, grid: Any, delta: Any, models: Any,
    use: Any, masks: Any, moving: Any, column: Any, histogram: Any, tones: Any, curve: Any, runs: Any, parent: Any,
    marks: Any, stats: Any, field: Any, kind: Any,
) -> Any:  # fmt: skip
    """Take one picture; returns the number of components. Arrays: see ``hub.kernels.motion.State``."""
    memory[CHANGED] = 0
    light = memory[LIGHT : LIGHT + 1]
    sharp = scene.sharpness(plane, shape, 8 * shape[BLOCK] + 13, light)
    memory[DOWN], memory[RIGHT] = (memory[USUAL_DOWN] + 128) >> 8, (memory[USUAL_RIGHT] + 128) >> 8
    shrink(plane, shape, memory[DOWN], memory[RIGHT], sums, floats, grid)
    first = memory[SEEN] == 0
    model = models[memory[ACTIVE]]
    fresh = False
    if not first:
        memory[OFFSET] = exposure(grid, model[0], histogram)
        steady(plane, shape, memory, memory[OFFSET], model, sums, floats, grid)
        share = _classify(settings, memory, grid, delta, model, use, masks, histogram, tones, curve, field, kind)
        memory[WIDE] = memory[WIDE] + 1 if share > _BROAD else 0
        fresh = share > _NEW or memory[WIDE] >= _WIDE
        if memory[SCENE] == scene.MOVED and memory[SINCE] < _TURNS:
            fresh = fresh or share > _TURNING
    if first or fresh:
        shrink(plane, shape, 0, 0, sums, floats, grid)
        memory[DOWN] = memory[RIGHT] = memory[USUAL_DOWN] = memory[USUAL_RIGHT] = 0
        if fresh:
            memory[CHANGED] = 1
            other = models[1 - memory[ACTIVE]]
            offset = exposure(grid, other[0], histogram)
            known = (
                memory[OTHER_SEEN] >= _LEARNED and _differing(grid, offset, other[0], 2 * settings[THRESHOLD]) <= _KNOWN
            )
            blind = memory[SCENE] == scene.COVERED or memory[SCENE] == scene.DARK
            scene.judge(settings, memory, grid, other[0] if blind else model[0], sharp, True, known)
            if known or not (blind or memory[SEEN] < _LEARNED):  # a cover, or a view in passing, is not worth keeping
                memory[OTHER_SEEN], memory[SEEN] = 0 if blind else memory[SEEN], memory[OTHER_SEEN]
                memory[ACTIVE] = 1 - memory[ACTIVE]
                model = other
            if not known:
                _begin(grid, model, memory)
        else:
            _begin(grid, model, memory)
            if scene.edge_energy(grid) < scene.BLANK:  # covered from the beginning: nothing to compare with
                memory[SCENE], memory[EDGES] = scene.COVERED, 4 * scene.BLANK
        memory[SEEN] += 1
        memory[WIDE] = 0
        moving[:] = 0
        masks[2] = 0
        return 0
    memory[SEEN] += 1
    _clear_border(masks[0], shape[BLOCK], memory[DOWN], memory[RIGHT])
    scene.judge(settings, memory, grid, model[0], sharp, False, False)
    return _regions(settings, memory, grid, delta, model, masks, moving, column, runs, parent, marks, stats)
