"""Letters, digits and names of provinces as masks, drawn once and kept."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from training.plates.faces import Face, font

SIZE = 112  # pixels of an em: plates are drawn at 150 pixels high
Mask = NDArray[np.uint8]


@lru_cache(maxsize=20_000)
def mask(face: Face, text: str) -> tuple[Mask, float]:
    """Ink of a text, 0..255, cut to its columns and rows; and where its base line lies, in rows from the top."""
    made = font(face.latin if text.isascii() else face.thai, SIZE)
    left, top, right, bottom = made.getbbox(text, anchor="ls")
    picture = Image.new("L", (max(1, int(right - left)) + 4, max(1, int(bottom - top)) + 4))
    ImageDraw.Draw(picture).text((2 - left, 2 - top), text, fill=255, font=made, anchor="ls")
    ink = np.asarray(picture)
    rows, columns = np.flatnonzero(ink.max(axis=1) > 40), np.flatnonzero(ink.max(axis=0) > 40)
    if not rows.size:
        return np.zeros((1, 1), np.uint8), 0.0
    cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.ascontiguousarray(cut), 2.0 - top - float(rows[0])
