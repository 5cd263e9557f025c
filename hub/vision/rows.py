"""Rows of characters in a picture, whatever their size: where a number plate may be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub.kernels import bands as kernel
from hub.kernels import plate
from hub.vision.picture import Box, overlap

WORK_PIXELS = 1_100_000
"""Larger pictures are looked at from a whole fraction of their size on."""
SIZES = (1, 2, 3, 4, 6)
"""Fractions of the picture in which a row is 6 to 30 pixels high: together 6 to 180."""
_LEAST_HEIGHT = 40  # of a picture worth looking at
_ASPECTS = (1.5, 9.0)
_EDGES = (5, 40)
_MARGIN = 0.17  # of a row's height, from the strokes to the plate's edge
_SAME = 0.4


@dataclass(frozen=True, slots=True)
class Row:
    """One row. ``box``: left, top, right, bottom in pixels, with the margin around its characters."""

    box: Box
    score: float


class RowFinder:
    """Keeps its scratch between pictures of one size; one thread at a time."""

    def __init__(self) -> None:
        self._scratch: dict[int, kernel.Scratch] = {}
        self._shape = (0, 0)

    def find(self, luma: NDArray[np.uint8], limit: int = 10) -> list[Row]:
        """The best rows, each at its own place. ``luma``: uint8 (H, W), any strides."""
        if luma.shape != self._shape:
            self._scratch, self._shape = {}, (luma.shape[0], luma.shape[1])
        found = [row for size in self._sizes() for row in self._at(luma, size)]
        kept: list[Row] = []
        for row in sorted(found, key=lambda row: -row.score):
            if all(overlap(row.box, other.box) < _SAME for other in kept):
                kept.append(row)
                if len(kept) == limit:
                    break
        return kept

    def _sizes(self) -> Iterator[int]:
        height, width = self._shape
        first = max(1, int(np.ceil((height * width / WORK_PIXELS) ** 0.5)))
        return (first * size for size in SIZES if height // (first * size) >= _LEAST_HEIGHT)

    def _at(self, luma: NDArray[np.uint8], size: int) -> Iterator[Row]:
        height, width = self._shape
        small = luma
        if size > 1:
            small = np.empty((height // size, width // size), np.uint8)
            plate.shrink(luma, size, small)
        scratch = self._scratch.get(size)
        if scratch is None:
            scratch = self._scratch[size] = kernel.Scratch(*small.shape)
        for band in scratch.bands[: kernel.find(small, scratch)].tolist():
            if (row := _row(band, size)) is not None:
                yield row


def _row(band: list[float], size: int) -> Row | None:
    """A band as a row, when its proportions and edges are those of a plate's characters."""
    left, top, right, bottom = (band[side] * size for side in (kernel.LEFT, kernel.TOP, kernel.RIGHT, kernel.BOTTOM))
    wide, high, count = right - left, bottom - top, band[kernel.EDGES]
    if not (_ASPECTS[0] <= wide / high <= _ASPECTS[1] and _EDGES[0] <= count <= _EDGES[1]):
        return None
    close = count * high / wide  # edges on a stretch as long as the row is high
    score = band[kernel.PEAK] * min(1.0, count / 8) * (1.0 if 1.0 <= close <= 4.5 else 0.5)
    margin = _MARGIN * high
    return Row((int(left - margin), int(top - margin), int(right + margin), int(bottom + margin)), score)

