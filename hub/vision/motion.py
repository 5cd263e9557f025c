"""Motion of one source: the kernel's components become "moving" and "quiet"."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub.kernels import motion as kernel
from hub.kernels.components import AREA, X0, X1, Y0, Y1
from hub.vision.areas import inside
from hub.vision.spec import MotionSettings

QUIET_S = 2.0
SETTLE_S = 30.0
"""A thing that rests so long belongs to the background; a view that is as old is the usual one."""
_LEAST_SETTLE = 10  # pictures, where few come
_WARM_UP = 3  # pictures until the background tells its own noise from things
_MAX_BOXES = 16
_DEFAULT_AREA = 0.0005  # of the picture: a person at some 60 m in a street camera's view
_THRESHOLD = 80  # log-luma at the middle sensitivity: 5.6 % of the light; twice and half of it at the ends
Fractions = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class MotionChange:
    """Motion began or ended. ``boxes``: x, y, w, h as fractions of the picture."""

    moving: bool
    boxes: tuple[Fractions, ...]

    def as_data(self) -> dict[str, object]:
        """JSON form."""
        return {"moving": self.moving, "boxes": [list(box) for box in self.boxes]}


class MotionWatch:
    """Motion starts when two pictures in a row show it, and ends after ``QUIET_S`` without. Times in seconds.

    ``rate``: pictures a second. ``boxes``: what moves in the last picture, as in ``MotionChange``.
    """

    def __init__(self, settings: MotionSettings, rate: float) -> None:
        self._settings = settings
        self._settle = max(_LEAST_SETTLE, min(kernel.MOST_SETTLE, round(SETTLE_S * rate)))
        self._threshold = round(_THRESHOLD * 4.0 ** (0.5 - settings.sensitivity))
        self._state: kernel.State | None = None
        self._moving = False
        self._streak = 0
        self._last_motion = 0.0
        self.boxes: tuple[Fractions, ...] = ()

    @property
    def scene(self) -> str:
        """What the kernel makes of the last picture: ``ok``, ``moved``, ``covered``, ``defocused`` or ``dark``."""
        return self._state.scene if self._state else "ok"

    def look(self, luma: NDArray[np.uint8], at: float, black: int = 0) -> MotionChange | None:
        """Take one picture (uint8, H × W, ``black`` where no light is); returns what changed, if anything did."""
        if self._state is None or (self._state.height, self._state.width) != luma.shape:
            self._state = kernel.State(*luma.shape)
            self._mask(self._state)
        count, changed = kernel.update(self._state, luma, threshold=self._threshold, settle=self._settle, black=black)
        self.boxes = self._boxes(count) if not changed and self._state.seen > _WARM_UP else ()
        self._streak = self._streak + 1 if self.boxes else 0
        if self.boxes:
            self._last_motion = at
        if self._streak >= 2 and not self._moving:
            self._moving = True
            return MotionChange(True, self.boxes)
        return self.quiet(at)

    def quiet(self, at: float) -> MotionChange | None:
        """The end of motion, when it is due; also to be asked when no pictures come."""
        self._last_motion = min(self._last_motion, at)  # the clock may be set back
        if self._moving and at - self._last_motion >= QUIET_S:
            self._moving = False
            return MotionChange(False, ())
        return None

    def _mask(self, state: kernel.State) -> None:
        """Nothing is looked for in cells whose middle lies in a mask."""
        rows, columns = state.use.shape
        for r in range(rows):
            for c in range(columns):
                middle = ((c + 0.5) * state.block / state.width, (r + 0.5) * state.block / state.height)
                state.use[r, c] = not any(inside(middle, mask) for mask in self._settings.masks)

    def _large(self, state: kernel.State, boxes: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Which components are large enough, by the operator's scale where there is one, else by their pixels."""
        scale = self._settings.scale
        if scale is None:
            pixels = state.height * state.width
            least = (self._settings.min_area_px or _DEFAULT_AREA * pixels) / state.block**2
            return np.asarray(boxes[:, AREA] >= max(least, 2))
        sides = np.maximum(boxes[:, X1] - boxes[:, X0], boxes[:, Y1] - boxes[:, Y0]) * state.block / state.height
        metres = [scale.metres_at(float(y) * state.block / state.height) for y in boxes[:, Y1]]
        return np.asarray(sides * np.array(metres) >= self._settings.min_size_m)

    def _boxes(self, count: int) -> tuple[Fractions, ...]:
        """The largest components over the least size, as fractions of the picture, where a shaken camera saw them."""
        state = self._state
        if state is None or count == 0:
            return ()
        found = state.stats[1 : count + 1]
        found = found[self._large(state, found)]
        found = found[np.argsort(-found[:, AREA], kind="stable")][:_MAX_BOXES]
        return tuple(_fractions(state, box) for box in found)


def _fractions(state: kernel.State, box: NDArray[np.int32]) -> Fractions:
    """A component's box in the picture, of which the grid may leave out some pixels at the right and the bottom."""
    down, right = state.shift
    x0, x1 = (min(max(float(box[i]) * state.block + right, 0.0), state.width) / state.width for i in (X0, X1))
    y0, y1 = (min(max(float(box[i]) * state.block + down, 0.0), state.height) / state.height for i in (Y0, Y1))
    return round(x0, 4), round(y0, 4), round(x1 - x0, 4), round(y1 - y0, 4)
