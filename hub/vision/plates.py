"""Plates in a picture: candidates by the kernels, text by a ``PlateReader``, and one picture's sightings."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hub.kernels import plate as kernel
from hub.vision.picture import Box, overlap
from hub.vision.reader import Luma, PlateReader, PlateText, Quad
from hub.vision.rows import RowFinder

WORK_PIXELS = 1_100_000
"""Larger pictures are searched at a whole fraction of their size; plates are still read at full size."""
_LOOK = (72, 160)
_MIN_SCORE = 0.4
AT_REST = 0.8
"""Overlap of two boxes of a plate that did not move between them."""
_SIGN_ROWS, _SIGN_COLUMNS = 9, 20


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A place that looks like a plate. ``quad``: float32 (4, 2) in pixels; ``sign``: its coarse look, int16 (9, 20).
    ``found``: the plate's own corners, once it was read there."""

    quad: Quad
    score: float
    sign: NDArray[np.int16]
    found: Quad | None = None

    @property
    def box(self) -> Box:
        """Left, top, right, bottom in whole pixels around the place."""
        return around(self.quad)

    @property
    def plate(self) -> Box:
        """The same around the plate itself."""
        return self.box if self.found is None else around(self.found)


def around(quad: Quad) -> Box:
    """Left, top, right, bottom in whole pixels around corners."""
    low, high = np.floor(quad.min(axis=0)), np.ceil(quad.max(axis=0))
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """A plate that was read in one picture."""

    candidate: Candidate
    text: PlateText


def _within(a: Box, b: Box) -> float:
    """Share of the smaller box that lies in the other."""
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0.0
    return wide * high / min((a[2] - a[0]) * (a[3] - a[1]), (b[2] - b[0]) * (b[3] - b[1]))


class PlateFinder:
    """Finds candidates. Keeps its scratch between pictures of one size; one thread at a time. ``rough``: also rows of
    characters whose plate's outline is not seen, for a reader that looks for the corners itself."""

    def __init__(self, *, rough: bool = False) -> None:
        self._scratch: kernel.Scratch | None = None
        self._rows = RowFinder() if rough else None

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
        return _apart([*_apart(found)[:limit], *self._rough(luma, limit)])

    def _rough(self, luma: Luma, limit: int) -> list[Candidate]:
        """Places around rows of characters: with what stands below them on a plate of two lines, and a margin."""
        found = []
        for row in self._rows.find(luma, limit) if self._rows is not None else ():
            left, top, right, bottom = row.box
            wide, high = right - left, bottom - top
            box = (left - 0.15 * wide, top - 0.45 * high, right + 0.15 * wide, bottom + 1.1 * high)
            quad = np.array([box[:2], (box[2], box[1]), box[2:], (box[0], box[3])], np.float32)
            # behind all whose outline is seen, among themselves by their own score
            found.append(Candidate(quad, min(row.score, 255.0) / 1_000, _sign(kernel.rectify(luma, quad, *_LOOK))))
        return found


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


def read_candidate(reader: PlateReader, luma: Luma, candidate: Candidate) -> Sighting | None:
    """Read one candidate; errors are the reader's."""
    read = reader.read(luma, candidate.quad)
    return None if read is None else Sighting(replace(candidate, found=read.quad), read.text)


def read_picture(finder: PlateFinder, reader: PlateReader, luma: Luma) -> list[Sighting]:
    """All plates of one picture that can be read, each once, best candidate first."""
    kept: list[Sighting] = []
    for one in finder.find(luma):
        sighting = read_candidate(reader, luma, one)
        if sighting is not None and all(
            _within(sighting.candidate.plate, other.candidate.plate) < 0.5 for other in kept
        ):
            kept.append(sighting)
    return kept
