"""Names of the places in the int64 arrays of ``hub.kernels.motion.State``: ``shape``, ``memory`` and ``settings``."""

from __future__ import annotations

HEIGHT, WIDTH, STRIDE, BLOCK, TAPS = range(5)
(SEEN, ACTIVE, OFFSET, STEADY, DOWN, RIGHT, CALM, RAIN, SCENE, SINCE, BLURRED, SHARPNESS, CHANGED,
 LIGHT, USUAL_DOWN, USUAL_RIGHT, SHAKEN, LIT, WIDE, MISFIT, EDGES,
 OTHER_SEEN) = range(22)  # fmt: skip
MEMORY = 22
THRESHOLD, RATE, SETTLE, LEAST, BLACK = range(5)
SETTINGS = 5
