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
_WARM_UP = 3
_MAX_BOXES = 16
_DEFAULT_AREA = 0.0005  # of the picture: a person at some 60 m in a street camera's view
_THRESHOLD = 80
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

    ``boxes``: what moves in the last picture, as in ``MotionChange``.
    """

    def __init__(self, settings: MotionSettings, fps: float) -> None:
        self._settings = settings
        self._settle = max(10, min(8_000, round(SETTLE_S * fps)))
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

    def look(self, luma: NDArray[np.uint8], at: float) -> MotionChange | None:
        """Take one picture (uint8, H × W); returns what changed, if anything did."""
        if self._state is None or (self._state.height, self._state.width) != luma.shape:
            self._state = kernel.State(*luma.shape)
            self._mask(self._state)
        count, changed = kernel.update(self._state, luma, threshold=self._threshold, settle=self._settle)
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
        if self._moving and at - self._last_motion >= QUIET_S:
            self._moving = False
            return MotionChange(False, ())
        return None

    def _mask(self, state: kernel.State) -> None:
        """Nothing is looked for in cells whose middle lies in a mask."""
        rows, columns = state.use.shape
        for r in range(rows):
            for c in range(columns):
                middle = ((c + 0.5) / columns, (r + 0.5) / rows)
                state.use[r, c] = not any(inside(middle, mask) for mask in self._settings.masks)

    def _large(self, state: kernel.State, boxes: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Which components are large enough, by the operator's scale where there is one, else by their pixels."""
        scale = self._settings.scale
        if scale is None:
            pixels = state.height * state.width
            least = (self._settings.min_area_px or _DEFAULT_AREA * pixels) / state.block**2
            return np.asarray(boxes[:, AREA] >= max(least, 2))
        sides = np.maximum(boxes[:, X1] - boxes[:, X0], boxes[:, Y1] - boxes[:, Y0]) * state.block / state.height
        metres = [scale.metres_at(float(y) / state.grid.shape[0]) for y in boxes[:, Y1]]
        return np.asarray(sides * np.array(metres) >= self._settings.min_size_m)

    def _boxes(self, count: int) -> tuple[Fractions, ...]:
        """The largest components over the least size, as fractions of the picture, where a shaken camera saw them."""
        state = self._state
        if state is None or count == 0:
            return ()
        found = state.stats[1 : count + 1]
        found = found[self._large(state, found)]
        found = found[np.argsort(-found[:, AREA], kind="stable")][:_MAX_BOXES]
        rows, columns = state.grid.shape
        down, right = state.shift[0] / state.block, state.shift[1] / state.block
        return tuple(
            (
                round(min(max((float(x[X0]) + right) / columns, 0.0), 1.0), 4),
                round(min(max((float(x[Y0]) + down) / rows, 0.0), 1.0), 4),
                round(float(x[X1] - x[X0]) / columns, 4),
                round(float(x[Y1] - x[Y0]) / rows, 4),
            )
            for x in found
        )
