"""The project's own plate reader: three small networks (``training/plates`` made them) run by onnxruntime.

One looks for the corners of a plate in a rough cut, and again in what these straighten; one reads the row of
characters without cutting it into letters first; one tells the province. A motorcycle's plate, whose number stands
below the province, is laid out as a car's before it is read; a visitor's plate of one line fills the whole row.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from PIL import Image

from hub.core.error import Unavailable
from hub.kernels import plate as kernel
from hub.vision.compose import one_line, registration
from hub.vision.lattice import Columns, lattice
from hub.vision.layout import LINE, WHOLE, parts
from hub.vision.provinces import PROVINCES
from hub.vision.reader import Luma, PlateRead, Quad

MODELS = Path(__file__).parent / "models"
MISSING = "plate reading is off: the networks are not part of this installation"
_MARGIN = 0.06
_LOOKS = 3
MIN_SURE = 0.5
MIN_WIDE = 40  # pixels of a plate: with fewer no letter is told from the next
_UNIT = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """``quad``: float32 (4, 2) in pixels; ``sure`` 0..1: a plate is there; ``layout``: of
    ``hub.vision.layout``."""

    quad: Quad
    sure: float
    layout: int


class NetworkReader:
    """``PlateReader`` over the networks in ``folder``. Safe from several threads at once."""

    refines = True

    def __init__(self, folder: Path = MODELS) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # cameras run beside each other
        options.log_severity_level = 3

        def open_(name: str) -> ort.InferenceSession:
            path = folder / f"plate_{name}.onnx"
            if not path.is_file():
                raise Unavailable(MISSING, where=str(path))
            return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

        self._corners, self._row, self._province = open_("corners"), open_("row"), open_("province")

    def read(self, luma: Luma, quad: Quad) -> PlateRead | None:
        """See ``PlateReader``."""
        located = self.locate(luma, quad)
        if located.sure < MIN_SURE or float(np.linalg.norm(located.quad[1] - located.quad[0])) < MIN_WIDE:
            return None
        columns, provinces = self.look(luma, located)
        characters = lattice(columns)
        if located.layout == LINE:
            text = one_line(characters)
        else:
            text = registration(characters, PROVINCES[int(provinces.argmax())])
        return PlateRead(text, located.quad) if text is not None else None

    def locate(self, luma: Luma, quad: Quad) -> Located:
        """The corners of the plate that lies somewhere in ``quad``, looked for in ever better cuts."""
        quad = _grown(quad, 0.0)
        told = self._told(self._corners, _part(luma, quad, (0.0, 1.0), WHOLE))
        for _ in range(_LOOKS - 1):
            quad = _grown(_within(quad, told), _MARGIN)
            told = self._told(self._corners, _part(luma, quad, (0.0, 1.0), WHOLE))
        return Located(_within(quad, told), 1 / (1 + float(np.exp(-told[8]))), int(told[9:].argmax()))

    def look(self, luma: Luma, located: Located) -> tuple[Columns, NDArray[np.float32]]:
        """Probabilities: float32 (columns, classes) of the row of characters, and of the 77 provinces."""
        top, bottom = parts(located.layout, lambda rows, size: _part(luma, located.quad, rows, size))
        return self.columns(top), _shares(self._told(self._province, bottom))

    def columns(self, top: Luma) -> Columns:
        """Probabilities of a straightened row, uint8 ``TOP``."""
        return _shares(self._told(self._row, top))

    @staticmethod
    def _told(session: ort.InferenceSession, picture: Luma) -> NDArray[np.float32]:
        made: NDArray[np.float32] = session.run(None, {"luma": picture[None, None].astype(np.float32)})[0][0]
        return made


def whole(luma: Luma) -> Quad:
    """The corners of a picture: where to look when it shows one plate."""
    height, width = luma.shape
    return np.asarray(_UNIT * np.array((width, height), np.float32), np.float32)


def _shares(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities over the last axis."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float32)


def _onto(quad: Quad) -> NDArray[np.float64]:
    """The unit square onto a quadrilateral."""
    return kernel.homography(quad, 2, 2)


def _mapped(matrix: NDArray[np.float64], points: NDArray[np.float32]) -> Quad:
    homogeneous = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return np.asarray(homogeneous[:, :2] / homogeneous[:, 2:], np.float32)


def _within(quad: Quad, told: NDArray[np.float32]) -> Quad:
    """What a network told as fractions of ``quad``, in pixels."""
    return _mapped(_onto(quad), told[:8].reshape(4, 2))


def _grown(quad: Quad, margin: float) -> Quad:
    """With at least a margin around, as a fraction of its sides, and as wide as the pictures learned from: a plate of
    one line that is stretched to their form looks like a motorcycle's."""
    wide, deep = float(np.linalg.norm(quad[1] - quad[0])), float(np.linalg.norm(quad[3] - quad[0]))
    least, form = 1 + 2 * margin, WHOLE[1] / WHOLE[0]
    across = least * max(1.0, form * deep / max(wide, 1.0))
    down = least * max(1.0, wide / max(form * deep, 1.0))
    return _mapped(_onto(quad), (_UNIT - 0.5) * np.array((across, down), np.float32) + np.float32(0.5))


def _part(luma: Luma, quad: Quad, rows: tuple[float, float], size: tuple[int, int]) -> Luma:
    """Some rows (fractions) of what lies in a quadrilateral, upright, in ``size`` (height, width)."""
    height, width = size
    luma, quad = _shrunk(luma, quad, size, rows[1] - rows[0])
    tall = rows[1] - rows[0]
    pixels = np.array([[1 / width, 0, 0.5 / width], [0, tall / height, rows[0] + 0.5 * tall / height], [0, 0, 1]])
    out = np.empty(size, np.uint8)
    kernel.warp(luma, np.ascontiguousarray(_onto(quad) @ pixels), out)
    return out


def _shrunk(luma: Luma, quad: Quad, size: tuple[int, int], tall: float) -> tuple[Luma, Quad]:
    """The surroundings of ``quad``, smaller by a whole number when it is sampled too sparsely otherwise."""
    low = np.maximum(np.floor(quad.min(axis=0)).astype(int) - 2, 0)
    high = np.maximum(np.ceil(quad.max(axis=0)).astype(int) + 3, low + 1)
    part = luma[low[1] : high[1], low[0] : high[0]]
    if not part.size:
        return luma[:1, :1], quad
    moved = quad - low.astype(np.float32)
    wide = float(np.linalg.norm(quad[1] - quad[0])) / size[1]
    deep = float(np.linalg.norm(quad[3] - quad[0])) * tall / size[0]
    block = round(min(wide, deep))
    if block < 2:
        return part, moved
    small = Image.fromarray(part).reduce(block)
    return np.asarray(small, np.uint8), np.asarray((moved + 0.5) / block - 0.5, np.float32)
