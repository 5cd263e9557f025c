"""Motion of one source: the kernel's components become "moving" and "quiet"."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub.kernels import motion as kernel
from hub.kernels.components import AREA, X0, X1, Y0, Y1
from hub.vision.spec import MotionSettings

QUIET_S = 2.0
SETTLE_S = 30.0
_WARM_UP = 3
_MAX_BOXES = 16
_DEFAULT_AREA = 0.0005  # of the picture: a person at some 60 m in a street camera's view
_SCENE_S = 10.0
_THRESHOLD = 80
Fractions = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class MotionChange:
    """Motion began or ended, or the whole scene changed. ``boxes``: x, y, w, h as fractions of the picture."""

    moving: bool
    boxes: tuple[Fractions, ...]
    scene: str

    def as_data(self) -> dict[str, object]:
        """JSON form."""
        return {"moving": self.moving, "boxes": [list(box) for box in self.boxes], "scene": self.scene}


class MotionWatch:
    """Motion starts when two pictures in a row show it, and ends after ``QUIET_S`` without. Times in seconds."""

    def __init__(self, settings: MotionSettings, fps: float) -> None:
        self._settings = settings
        self._settle = max(10, min(8_000, round(SETTLE_S * fps)))
        self._threshold = round(_THRESHOLD * 4.0 ** (0.5 - settings.sensitivity))
        self._state: kernel.State | None = None
        self._moving = False
        self._streak = 0
        self._last_motion = 0.0
        self._scene_told = float("-inf")

    def look(self, luma: NDArray[np.uint8], at: float) -> MotionChange | None:
        """Take one picture (uint8, H × W); returns what changed, if anything did."""
        if self._state is None or (self._state.height, self._state.width) != luma.shape:
            self._state = kernel.State(*luma.shape)
        count, changed = kernel.update(self._state, luma, threshold=self._threshold, settle=self._settle)
        if changed:
            self._streak = 0
            if at - self._scene_told >= _SCENE_S:
                self._scene_told = at
                return MotionChange(self._moving, (), "changed")
        boxes = self._boxes(count) if self._state.seen > _WARM_UP else ()
        self._streak = self._streak + 1 if boxes else 0
        if boxes:
            self._last_motion = at
        if self._streak >= 2 and not self._moving:
            self._moving = True
            return MotionChange(True, boxes, "ok")
        return self.quiet(at)

    def quiet(self, at: float) -> MotionChange | None:
        """The end of motion, when it is due; also to be asked when no pictures come."""
        if self._moving and at - self._last_motion >= QUIET_S:
            self._moving = False
            return MotionChange(False, (), "ok")
        return None

    def _boxes(self, count: int) -> tuple[Fractions, ...]:
        """The largest components over the least area, as fractions of the picture."""
        state = self._state
        if state is None:
            return ()
        pixels = state.height * state.width
        least = (self._settings.min_area_px or _DEFAULT_AREA * pixels) / state.block**2
        found = state.stats[1 : count + 1]
        found = found[found[:, AREA] >= max(least, 2)]
        found = found[np.argsort(-found[:, AREA], kind="stable")][:_MAX_BOXES]
        rows, columns = state.grid.shape
        return tuple(
            (
                round(float(x[X0]) / columns, 4),
                round(float(x[Y0]) / rows, 4),
                round(float(x[X1] - x[X0]) / columns, 4),
                round(float(x[Y1] - x[Y0]) / rows, 4),
            )
            for x in found
        )
