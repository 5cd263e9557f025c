"""The two lines of text on an upright plate: its frame removed, its rows cut out, black on white."""

from __future__ import annotations

from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from hub.kernels.components import AREA, STATS, X0, X1, Y0, Y1, label, parents_for
from hub.kernels.plate import otsu

_SMALL = 0.0003  # of the picture's area: less is a speck
_LUMA = nb.types.Array(nb.uint8, 2, "A", readonly=True)


@nb.njit(nb.void(_LUMA, nb.uint8[:, ::1]), cache=True, nogil=True)
def stretch(plate: Any, out: Any) -> None:
    """Contrast: the darkest twentieth becomes 0, the lightest third 255, linear between."""
    bins = np.zeros(256, np.int64)
    height, width = plate.shape
    for y in range(height):
        for x in range(width):
            bins[plate[y, x]] += 1
    low, high, below = -1, 255, 0
    for i in range(256):
        below += bins[i]
        if low < 0 and below * 20 >= height * width:
            low = i
        if below * 3 >= height * width * 2:
            high = i
            break
    span = max(high - low, 1)
    for y in range(height):
        for x in range(width):
            out[y, x] = min(max((np.int64(plate[y, x]) - low) * 255 // span, 0), 255)


def ink(plate: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Dark strokes that belong to characters: uint8 (H, W), 1 is ink.

    What lies on the rim (frame, screws, surroundings), what is wider or lower than a character, and specks are left
    out.
    """
    height, width = plate.shape
    mask = np.ascontiguousarray((plate <= otsu(plate)).astype(np.uint8))
    labels = np.zeros((height, width), np.int32)
    stats = np.zeros((512, STATS), np.int32)
    count = label(mask, labels, parents_for(height, width), stats)
    keep = np.zeros(count + 1, np.uint8)
    for number in range(1, count + 1):
        box = stats[number]
        wide, high = int(box[X1] - box[X0]), int(box[Y1] - box[Y0])
        middle = (box[Y0] + box[Y1]) / 2
        on_rim = box[X0] <= 1 or box[X1] >= width - 1 or box[Y0] <= 1 or box[Y1] >= height - 1
        outside = middle < 0.1 * height or middle > 0.95 * height
        flat = wide > 8 * high or high > 0.75 * height or wide > 0.8 * width
        keep[number] = not (on_rim or outside or flat or box[AREA] < _SMALL * height * width)
    return keep[labels]


def rows(strokes: NDArray[np.uint8]) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Rows of the registration and of the province: two ranges (first, past the last), or ``None`` without both.

    The rows part at the emptiest place between 50 and 75 hundredths of the height.
    """
    height = strokes.shape[0]
    profile = strokes.sum(axis=1, dtype=np.int64)
    first, last = int(0.5 * height), int(0.75 * height)
    window = profile[first:last]
    empty = np.flatnonzero(window == window.min())
    part = first + int(empty[len(empty) // 2])
    upper = np.flatnonzero(profile[:part])
    lower = np.flatnonzero(profile[part:])
    if not len(upper) or not len(lower):
        return None
    return (int(upper[0]), int(upper[-1]) + 1), (part + int(lower[0]), part + int(lower[-1]) + 1)


def columns(strokes: NDArray[np.uint8], row: tuple[int, int]) -> tuple[int, int] | None:
    """First column and past the last with ink in ``row``, or ``None`` when it is empty."""
    filled = np.flatnonzero(strokes[row[0] : row[1]].any(axis=0))
    return (int(filled[0]), int(filled[-1]) + 1) if len(filled) else None


def gap(strokes: NDArray[np.uint8], row: tuple[int, int]) -> tuple[int, int] | None:
    """The widest run of columns without ink in ``row``, where series and number part, or ``None`` without any.

    It begins between 20 and 75 hundredths of the text's width.
    """
    span = columns(strokes, row)
    if span is None:
        return None
    filled: NDArray[np.int8] = np.asarray(strokes[row[0] : row[1], span[0] : span[1]].any(axis=0), np.int8)
    steps = np.diff(filled)
    starts, ends = np.flatnonzero(steps == -1) + 1, np.flatnonzero(steps == 1) + 1
    inside = (starts > 0.2 * filled.size) & (starts < 0.75 * filled.size)
    if not inside.any():
        return None
    starts, ends = starts[inside], ends[inside]
    widest = int(np.argmax(ends - starts))
    return span[0] + int(starts[widest]), span[0] + int(ends[widest])


def line(
    plate: NDArray[np.uint8],
    strokes: NDArray[np.uint8],
    row: tuple[int, int],
    *,
    height: int,
    margin: int,
    between: tuple[int, int] | None = None,
) -> NDArray[np.uint8] | None:
    """One row of text as a picture of ``height`` + 2 × ``margin`` rows on white, or ``None`` when it is empty.

    ``between``: only these columns (first, past the last). Grey levels are kept where ink or its blurred edge is; the
    rest, frame and dirt, becomes white.
    """
    if between is not None:
        strokes = strokes.copy()
        strokes[:, : between[0]] = 0
        strokes[:, between[1] :] = 0
    span = columns(strokes, row)
    if span is None:
        return None
    pad = 3
    y0, y1 = max(row[0] - pad, 0), min(row[1] + pad, plate.shape[0])
    x0, x1 = max(span[0] - pad, 0), min(span[1] + pad, plate.shape[1])
    grey = np.empty((y1 - y0, x1 - x0), np.uint8)
    stretch(plate[y0:y1, x0:x1], grey)
    near = _grown(strokes[y0:y1, x0:x1], pad)
    grey[~near] = 255
    scaled = _scaled(grey, height)
    out = np.full((scaled.shape[0] + 2 * margin, scaled.shape[1] + 2 * margin), 255, np.uint8)
    out[margin:-margin, margin:-margin] = scaled
    return out


def _grown(strokes: NDArray[np.uint8], by: int) -> NDArray[np.bool_]:
    """Cells within ``by`` of ink, along rows and columns."""
    grown = strokes.astype(bool)
    for axis in (0, 1):
        wide = grown.copy()
        for step in range(1, by + 1):
            ahead = np.roll(grown, step, axis)
            back = np.roll(grown, -step, axis)
            if axis == 0:
                ahead[:step] = False
                back[-step:] = False
            else:
                ahead[:, :step] = False
                back[:, -step:] = False
            wide |= ahead | back
        grown = wide
    return grown


def _scaled(grey: NDArray[np.uint8], height: int) -> NDArray[np.uint8]:
    """Bilinear to ``height`` rows, keeping the proportions."""
    width = max(1, round(grey.shape[1] * height / grey.shape[0]))
    y = np.linspace(0, grey.shape[0] - 1, height)
    x = np.linspace(0, grey.shape[1] - 1, width)
    top, left = y.astype(int), x.astype(int)
    bottom, right = np.minimum(top + 1, grey.shape[0] - 1), np.minimum(left + 1, grey.shape[1] - 1)
    fy, fx = (y - top)[:, None], (x - left)[None, :]
    picture = grey.astype(np.float64)
    upper = picture[top][:, left] * (1 - fx) + picture[top][:, right] * fx
    lower = picture[bottom][:, left] * (1 - fx) + picture[bottom][:, right] * fx
    return np.asarray(upper * (1 - fy) + lower * fy + 0.5, dtype=np.uint8)
