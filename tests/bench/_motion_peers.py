"""What motion is measured against: OpenCV's MOG2 and KNN, and Frigate's published algorithm, from its description.

OpenCV is no dependency of the hub: without it ``peers`` is empty and the benchmark says why.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Boxes = list[tuple[int, int, int, int]]


def opencv() -> Any:
    """The module on one thread, or ``None`` where it is not installed."""
    try:
        cv2 = importlib.import_module("cv2")
    except ImportError:
        return None
    cv2.setNumThreads(1)
    return cv2


class OpenCv:
    """A subtractor with its defaults; on a grid, as ours takes it, or at full size with a 5 × 5 median after it."""

    def __init__(self, cv2: Any, kind: str, block: int, *, shadows: bool = True) -> None:
        make = {"mog2": cv2.createBackgroundSubtractorMOG2, "knn": cv2.createBackgroundSubtractorKNN}[kind]
        self._cv2, self._block, self._model = cv2, block, make(detectShadows=shadows)

    def step(self, luma: Luma) -> Luma:
        """The cleaned foreground on its own grid, 0 or 255 (127: shadow)."""
        if self._block > 1:
            height, width = luma.shape
            size = (width // self._block, height // self._block)
            luma = luma[: size[1] * self._block, : size[0] * self._block]
            luma = self._cv2.resize(luma, size, interpolation=self._cv2.INTER_AREA)
            return np.asarray(self._cv2.medianBlur(self._model.apply(luma), 3), np.uint8)
        return np.asarray(self._cv2.medianBlur(self._model.apply(luma), 5), np.uint8)

    def look(self, luma: Luma) -> tuple[Mask, Boxes]:
        """Mask and boxes at the picture's size; boxes at least 0.0005 of the picture."""
        small = (self.step(luma) == 255).astype(np.uint8)
        k, least = self._block, max(2.0, 0.0005 * luma.size / self._block**2)
        _, _, stats, _ = self._cv2.connectedComponentsWithStats(small, connectivity=8)
        boxes = [(x * k, y * k, (x + w) * k, (y + h) * k) for x, y, w, h, area in stats[1:].tolist() if area >= least]
        mask = np.zeros(luma.shape, bool)
        cells = small.repeat(k, 0).repeat(k, 1)
        mask[: cells.shape[0], : cells.shape[1]] = cells > 0
        return mask, boxes

    def time(self, luma: Luma) -> None:
        """What the clock runs over: mask and components."""
        self._cv2.connectedComponentsWithStats(self.step(luma), connectivity=8)


class Frigate:
    """Frigate's improved motion detector as its documentation and settings describe it, written anew.

    Luma to a height of 100 without averaging, contrast between the 4th and 96th percentiles over the last fifty
    pictures, a small blur, a running average (alpha 0.01; 0.2 while it calibrates), difference over 30, dilated
    once, contours of at least 10; over 80 % at once is lightning and calibrates anew.
    """

    def __init__(self, cv2: Any, height: int, width: int) -> None:
        self._cv2 = cv2
        self._size = (100 * width // height, 100)
        self._average: NDArray[np.float32] = np.zeros((100, self._size[0]), np.float32)
        self._range = np.tile(np.array([0, 255], np.float64), (50, 1))
        self._seen, self._calibrating = 0, True

    def step(self, luma: Luma) -> tuple[Luma, list[Any]]:
        """Dilated mask at a height of 100, and the contours."""
        cv2 = self._cv2
        small = cv2.resize(luma, self._size, interpolation=cv2.INTER_NEAREST)
        small = cv2.GaussianBlur(small, (3, 3), 1)
        low, high = np.percentile(small, 4), np.percentile(small, 96)
        if low < high:
            self._range[self._seen % 50] = (low, high)
            low, high = self._range.mean(axis=0)
            small = ((np.clip(small, low, high) - low) / (high - low) * 255).astype(np.uint8)
        if self._seen == 0:
            self._average[:] = small
        self._seen += 1
        delta = cv2.absdiff(small, cv2.convertScaleAbs(self._average))
        mask = cv2.dilate(cv2.threshold(delta, 30, 255, cv2.THRESH_BINARY)[1], None, iterations=1)
        contours = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
        contours = [c for c in contours if cv2.contourArea(c) > 10]
        share = sum(cv2.contourArea(c) for c in contours) / mask.size
        self._calibrating = (self._calibrating and share > 0.05 and self._seen < 50) or share > 0.8
        cv2.accumulateWeighted(small, self._average, 0.2 if self._calibrating else 0.01)
        return mask, contours

    def look(self, luma: Luma) -> tuple[Mask, Boxes]:
        """Mask and boxes at the picture's size."""
        small, contours = self.step(luma)
        scale = luma.shape[0] / 100
        mask = self._cv2.resize(small, luma.shape[::-1], interpolation=self._cv2.INTER_NEAREST) > 0
        boxes = [self._cv2.boundingRect(c) for c in contours]
        if self._calibrating:
            boxes = []
        return mask, [
            (int(x * scale), int(y * scale), int((x + w) * scale), int((y + h) * scale)) for x, y, w, h in boxes
        ]

    def time(self, luma: Luma) -> None:
        """What the clock runs over."""
        _, contours = self.step(luma)
        for contour in contours:
            self._cv2.boundingRect(contour)


Look = Callable[[Luma], tuple[Mask, Boxes]]


def peers(height: int, width: int, block: int, *, shadows: bool = True) -> dict[str, Any]:
    """Peers by name for pictures of one size; ``block``: pixels a cell of the grid that ours uses."""
    cv2 = opencv()
    if cv2 is None:
        return {}
    found: dict[str, Any] = {"frigate": Frigate(cv2, height, width)}
    for kind in ("mog2", "knn"):
        found[f"{kind}-grid"] = OpenCv(cv2, kind, block, shadows=shadows)
        found[f"{kind}-full"] = OpenCv(cv2, kind, 1, shadows=shadows)
    return found
