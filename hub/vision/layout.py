"""Which part of a plate each network sees: one place for training and for reading, which must not differ."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

CAR, MOTORCYCLE, LINE = 0, 1, 2
WHOLE, TOP, BOTTOM = (64, 128), (48, 224), (24, 128)
"""Height and width in pixels: where corners are looked for, the row of characters, the province."""
Rows = tuple[float, float]
"""First and last row of a plate, as fractions of its height."""
Cut = Callable[[Rows, tuple[int, int]], NDArray[np.uint8]]
"""Some rows of a plate, upright, in a size (height, width)."""
_UPPER: dict[int, Rows] = {CAR: (0.0, 0.70), LINE: (0.0, 1.0)}
_LOWER: Rows = (0.62, 1.0)
_FIRST, _NAME, _SECOND = (0.0, 0.42), (0.38, 0.62), (0.54, 1.0)  # of a motorcycle's


def parts(layout: int, cut: Cut) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """``TOP`` and ``BOTTOM`` of a plate. A motorcycle's two rows of characters stand beside each other then."""
    if layout != MOTORCYCLE:
        return cut(_UPPER[layout], TOP), cut(_LOWER, BOTTOM)
    half = (TOP[0], TOP[1] // 2)
    return np.hstack([cut(_FIRST, half), cut(_SECOND, half)]), cut(_NAME, BOTTOM)
