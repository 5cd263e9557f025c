"""Plates in a picture: candidates by the kernels, text by a ``PlateReader``, and one picture's sightings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hub.kernels import plate as kernel
from hub.vision.picture import Box, overlap
from hub.vision.reader import PlateReader, PlateText

WORK_PIXELS = 1_100_000
"""Larger pictures are searched at a whole fraction of their size; plates are still read at full size."""
_LOOK = (72, 160)
_READ = (176, 400)
_MIN_SCORE = 0.4
AT_REST = 0.8
"""Overlap of two boxes of a plate that did not move between them."""
_SIGN_ROWS, _SIGN_COLUMNS = 9, 20


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A place that looks like a plate. ``quad``: float32 (4, 2) in pixels; ``sign``: its coarse look, int16 (9, 20)."""

    quad: NDArray[np.float32]
    score: float
    sign: NDArray[np.int16]

    @property
    def box(self) -> Box:
        """Left, top, right, bottom in whole pixels around the corners."""
        low, high = np.floor(self.quad.min(axis=0)), np.ceil(self.quad.max(axis=0))
        return int(low[0]), int(low[1]), int(high[0]), int(high[1])


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """A plate in one picture; ``text`` is ``None`` when it was recognised without reading again."""

    candidate: Candidate
    text: PlateText | None


def _within(a: Box, b: Box) -> float:
    """Share of the smaller box that lies in the other."""
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0.0
    return wide * high / min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))


class PlateFinder:
    """Finds candidates. Keeps its scratch between pictures of one size; one thread at a time."""

    def __init__(self) -> None:
        self._scratch: kernel.Scratch | None = None

    def find(self, luma: NDArray[np.uint8], limit: int = 3) -> list[Candidate]:
        """Best candidates, each at its own place, at most ``limit``. ``luma``: uint8 (H, W), any strides."""
        height, width = luma.shape
        block = max(1, int(np.ceil((height * width / WORK_PIXELS) ** 0.5)))
        small = luma
        if block > 1:
            small = np.empty((height // block, width // block), np.uint8)
            kernel.shrink(luma, block, small)
        if min(small.shape) < kernel.MIN_HEIGHT:
            return []
        if self._scratch is None or (self._scratch.height, self._scratch.width) != small.shape:
            self._scratch = kernel.Scratch(*small.shape)
        count = kernel.find(small, self._scratch)
        found = []
        for i in range(count):
            quad = (self._scratch.quads[i] + 0.5) * block - 0.5
            upright = kernel.rectify(luma, quad, *_LOOK)
            score = float(kernel.stroke_score(upright)) * float(self._scratch.scores[i])
            candidate = Candidate(quad.astype(np.float32), score, _sign(upright))
            if score >= _MIN_SCORE and not _cut_off(candidate.box, width):
                found.append(candidate)
        return _apart(found)[:limit]


def _cut_off(box: Box, width: int) -> bool:
    """Whether a plate runs out of the picture at its left or right: what is left reads well, and wrong.

    Not so when it fills half of the picture: then it is a picture of a plate.
    """
    at_edge = box[0] <= 2 or box[2] >= width - 3
    return at_edge and 2 * (box[2] - box[0]) < width


def _apart(found: list[Candidate]) -> list[Candidate]:
    """The best of each place: levels find the same plate many times, and its mount around it."""
    kept: list[Candidate] = []
    for one in sorted(found, key=lambda c: -c.score):
        if all(_within(one.box, other.box) < 0.5 for other in kept):
            kept.append(one)
    return kept


def _sign(upright: NDArray[np.uint8]) -> NDArray[np.int16]:
    rows, columns = upright.shape[0] // _SIGN_ROWS, upright.shape[1] // _SIGN_COLUMNS
    cells = upright.reshape(_SIGN_ROWS, rows, _SIGN_COLUMNS, columns).mean(axis=(1, 3))
    return np.asarray(cells - cells.mean(), np.int16)


def looks_same(a: Candidate, b: Candidate) -> bool:
    """The same plate at rest: nearly the same place, and no part of it looks different."""
    return overlap(a.box, b.box) > AT_REST and int(np.abs(a.sign - b.sign).max()) < 24


def read_candidate(reader: PlateReader, luma: NDArray[np.uint8], candidate: Candidate) -> PlateText | None:
    """Straighten and read one candidate; errors are the reader's."""
    return reader.read(kernel.rectify(luma, candidate.quad, *_READ))


def read_picture(finder: PlateFinder, reader: PlateReader, luma: NDArray[np.uint8]) -> list[Sighting]:
    """All plates of one picture that can be read, best candidate first."""
    sightings = [Sighting(one, read_candidate(reader, luma, one)) for one in finder.find(luma)]
    return [sighting for sighting in sightings if sighting.text is not None]
