"""Motion in a sequence of luma pictures, on a coarse grid.

Each grid cell is the mean of k × k pixels, as log-luma: a change of exposure then is one offset for the whole picture,
taken out by the median difference, and by a tone curve where light is added or overdriven. Each cell keeps two modes of
its background (after Stauffer and Grimson, Adaptive background mixture models, 1999, reduced to two modes with a
running mean and deviation in integers) and its unrest (after St-Charles and others, SuBSENSE, 2015: a cell that blinks
alone, as in rain, needs more). A shaking camera is read at the pixel where the background fits. Cells away from both
modes are foreground; a 3 × 3 majority cleans them; their connected components are what moves, if they have an edge.

All arrays belong to the caller (``State``); nothing is allocated per picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hub.kernels import motion_step as step
from hub.kernels import regions, scene, slots
from hub.kernels.components import STATS, parents_for
from hub.kernels.light import BINS, LEVELS, SCALE, TILE, TONES

__all__ = ["SCALE", "State", "block_for", "update"]

CELLS = 19_000
"""Aim for the size of the grid: small enough to be cheap, fine enough for a person at 30 metres."""
_BLOCKS = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48)
_COARSE = 8  # pixels a cell from which two of its rows are enough: 16 pixels, and half of the memory is not read
_MODELS, _PLANES = 2, 6  # two scenes; mode 0, mode 1, spread, unrest, age, sway
_REGIONS = 1024
MOST_SETTLE, MOST_THRESHOLD, MOST_RATE = 8_000, 2_000, 10
"""What 16 bits hold: ages go to four times ``settle``, and thresholds are added up."""


def block_for(height: int, width: int) -> int:
    """Pixels k along one side of a cell, of factors 2 and 3, so that the grid has about ``CELLS`` cells."""
    fitting = [k for k in _BLOCKS if k <= min(height, width)]
    return min(fitting, key=lambda k: abs(math.log((height // k) * (width // k) / CELLS)))


@dataclass(slots=True)
class State:
    """What the kernel remembers of one camera between pictures of ``height`` × ``width``.

    ``use``: uint8 (rows, columns), 0 where nothing shall be seen; the caller may write it at any time.
    ``moving`` is the cleaned foreground of the last picture, uint8 (rows, columns).
    ``stats[1 : n + 1]`` holds the n components: x0, y0, x1, y1, cells, in grid cells.
    """

    height: int
    width: int
    max_components: int = 256
    block: int = field(init=False)
    shape: NDArray[np.int64] = field(init=False)
    memory: NDArray[np.int64] = field(init=False)
    settings: NDArray[np.int64] = field(init=False)
    grid: NDArray[np.int16] = field(init=False)
    model: NDArray[np.int16] = field(init=False)
    delta: NDArray[np.int16] = field(init=False)
    use: NDArray[np.uint8] = field(init=False)
    masks: NDArray[np.uint8] = field(init=False)
    moving: NDArray[np.uint8] = field(init=False)
    sums: NDArray[np.uint16] = field(init=False)
    floats: NDArray[np.float32] = field(init=False)
    column: NDArray[np.uint8] = field(init=False)
    histogram: NDArray[np.int32] = field(init=False)
    tones: NDArray[np.int32] = field(init=False)
    curve: NDArray[np.int16] = field(init=False)
    runs: NDArray[np.int32] = field(init=False)
    parent: NDArray[np.int32] = field(init=False)
    marks: NDArray[np.int32] = field(init=False)
    stats: NDArray[np.int32] = field(init=False)
    light: NDArray[np.int32] = field(init=False)
    kind: NDArray[np.uint8] = field(init=False)

    def __post_init__(self) -> None:
        if min(self.height, self.width) < 1:
            raise ValueError(f"no picture has {self.height} × {self.width} pixels")
        self.block = block = block_for(self.height, self.width)
        rows, columns = self.height // block, self.width // block
        taps = 2 if block >= _COARSE else max(n for n in range(1, 5) if block % n == 0)
        self.shape = np.array([self.height, self.width, self.width, block, taps], np.int64)
        self.memory = np.zeros(slots.MEMORY, np.int64)
        self.settings = np.zeros(slots.SETTINGS, np.int64)
        self.grid = np.zeros((rows, columns), np.int16)
        self.delta = np.zeros((rows, columns), np.int16)
        self.model = np.zeros((_MODELS, _PLANES, rows, columns), np.int16)
        self.use = np.ones((rows, columns), np.uint8)
        self.masks = np.zeros((6, rows, columns), np.uint8)  # raw, near, before, work, unknown, unknown before
        self.moving = np.zeros((rows, columns), np.uint8)
        self.sums = np.zeros((2, self.width), np.uint16)
        self.floats = np.zeros(columns, np.float32)
        self.column = np.zeros(columns + 2, np.uint8)
        self.histogram = np.zeros(BINS, np.int32)
        self.tones = np.zeros((LEVELS, 258), np.int32)
        self.curve = np.zeros(TONES, np.int16)
        self.runs = regions.runs_for(rows, columns)
        self.parent = parents_for(rows, columns)
        self.marks = np.zeros((_REGIONS, regions.MARKS), np.int32)
        self.stats = np.zeros((self.max_components + 1, STATS), np.int32)
        tiles = (-(-rows // TILE), -(-columns // TILE))
        self.light = np.zeros(tiles, np.int32)
        self.kind = np.zeros(tiles, np.uint8)

    @property
    def seen(self) -> int:
        """Pictures since the background was begun."""
        return int(self.memory[slots.SEEN])

    @property
    def scene(self) -> str:
        """``ok``, ``moved``, ``covered``, ``defocused`` or ``dark``."""
        return scene.NAMES[self.memory[slots.SCENE]]

    @property
    def shift(self) -> tuple[int, int]:
        """Pixels down and right by which the last picture was shaken against the background."""
        return int(self.memory[slots.DOWN]), int(self.memory[slots.RIGHT])


def update(
    state: State, luma: NDArray[np.uint8], *, threshold: int = 80, rate: int = 5, settle: int = 50, least: int = 4,
    black: int = 0,
) -> tuple[int, bool]:  # fmt: skip
    """Take one picture. Returns the number of components in ``state.stats[1:]`` and whether the scene changed.

    ``luma``: uint8 (state.height, state.width), any strides. ``threshold``: log-luma units (``SCALE`` a
    stop). ``rate``: the background moves 1/2**rate a picture. ``settle``: pictures after which something that came to
    rest counts as background. ``least``: cells that a component has at least. ``black``: the luma where no light is, by
    which ``dark`` is meant. The first picture, and one in which most cells differ and which fits no scene seen before,
    becomes the background at once: there are no components then. ``ValueError`` for a picture of another size, and for
    settings beyond ``MOST_…``.
    """
    if luma.shape != (state.height, state.width):
        raise ValueError(f"a picture of {luma.shape} for a state of {(state.height, state.width)}")
    if not (0 < threshold <= MOST_THRESHOLD and 0 < rate <= MOST_RATE and 0 < settle <= MOST_SETTLE):
        raise ValueError(f"threshold {threshold}, rate {rate} or settle {settle} is out of bounds")
    plane, state.shape[slots.STRIDE] = _flat(luma)
    settings = state.settings
    settings[slots.THRESHOLD], settings[slots.RATE] = threshold, rate
    settings[slots.SETTLE], settings[slots.LEAST], settings[slots.BLACK] = settle, least, black
    count = step.look(
        plane, state.shape, settings, state.memory, state.floats, state.sums, state.grid, state.delta, state.model,
        state.use, state.masks, state.moving, state.column, state.histogram, state.tones, state.curve, state.runs,
        state.parent, state.marks, state.stats, state.light, state.kind,
    )  # fmt: skip
    return count, bool(state.memory[slots.CHANGED])


def _flat(luma: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
    """The bytes under a picture from its first to its last pixel, and its stride; a copy only when rows run oddly."""
    if luma.flags.c_contiguous:
        return luma.reshape(-1), luma.shape[1]
    if luma.strides[1] != 1 or luma.strides[0] < luma.shape[1]:
        luma = np.ascontiguousarray(luma)
    stride = luma.strides[0]
    length = (luma.shape[0] - 1) * stride + luma.shape[1]
    return np.lib.stride_tricks.as_strided(luma, (length,), (1,), writeable=False), stride
