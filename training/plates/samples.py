"""What the two networks learn from: pictures with plates in them, and straightened plates."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from hub.vision.lattice import ALPHABET
from hub.vision.layout import CAR, LINE, MOTORCYCLE, TOP, WHOLE, parts
from training.plates.degrade import background, blurred, coded, lit
from training.plates.draw import SIZES, Faces, Plate, draw

STEP = 4  # pixels of the top picture for each column of the reader
COLUMNS = TOP[1] // STEP
IGNORED = -1
Luma = NDArray[np.uint8]
Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class Reading:
    """``columns``: class of each column, ``IGNORED`` where it may be either."""

    top: Luma
    bottom: Luma
    columns: NDArray[np.int8]
    province: int
    text: str


@dataclass(frozen=True, slots=True)
class Corners:
    """``corners``: (4, 2), x and y as fractions of the picture; ``there``: is there a plate?"""

    picture: Luma
    corners: NDArray[np.float32]
    layout: int
    there: bool


def reading(
    random: Random, faces: Faces, *, layout: int = CAR, letters: str | None = None, kind: int | None = None,
    ease: float = 1.0,
) -> Reading:  # fmt: skip
    """A plate as the corner network would straighten it. ``ease`` below 1 degrades less."""
    plate = draw(random, faces, layout, letters, kind)
    height, width = plate.picture.shape
    seen = cv2.copyMakeBorder(plate.picture, 12, 12, 24, 24, cv2.BORDER_CONSTANT, value=float(random.uniform(0, 255)))
    seen = lit(random, seen)
    # a plate 60 to 340 pixels wide in its picture
    scale = float(np.exp(random.uniform(np.log(0.19 + 0.2 * (1 - ease)), 0.0)))
    small = cv2.resize(seen, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    small = coded(random, blurred(random, small, (0.7 + 3.8 * scale) * ease))
    corners = np.array([[24, 12], [24 + width, 12], [24 + width, 12 + height], [24, 12 + height]], np.float32)
    error = random.normal(0, 0.011, (4, 2)).astype(np.float32).clip(-0.035, 0.035) * (width, height)
    return straightened(small, (corners + error) * scale, plate, error)


def straightened(small: Luma, quad: NDArray[np.float32], plate: Plate, error: NDArray[np.float32]) -> Reading:
    """Cut out and labelled."""
    height, width = SIZES[plate.layout]
    columns = np.zeros(COLUMNS, np.int8)
    back = cv2.getPerspectiveTransform(
        np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) + error.astype(np.float32),
        np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32),
    )
    middles = []
    for left, right, line in plate.places:
        level = (0.3, (0.2, 0.77)[line], 0.5)[plate.layout] * height
        ends = cv2.perspectiveTransform(np.array([[[left, level], [right, level]]], np.float32), back)[0, :, 0]
        if plate.layout == MOTORCYCLE:
            ends = ends / 2 + 0.5 * line
        middles.append((float(ends[0]) * COLUMNS, float(ends[1]) * COLUMNS))
    _label(columns, middles, plate.text)
    top, bottom = parts(plate.layout, lambda rows, size: part(small, quad, rows, size))
    return Reading(top, bottom, columns, plate.province, plate.text)


def _label(columns: NDArray[np.int8], places: list[tuple[float, float]], text: str) -> None:
    """The character in the middle of its place, none between two places, either in between."""
    for (left, right), char in zip(places, text, strict=True):
        first, last = max(0, int(np.floor(left))), min(COLUMNS - 1, int(np.ceil(right)))
        columns[first : last + 1] = IGNORED
        reach, middle = max(0.5, 0.22 * (right - left)), (left + right) / 2
        at = [c for c in range(COLUMNS) if abs(c + 0.5 - middle) <= reach]
        columns[at] = ALPHABET.index(char) + 1
    for (_, right), (left, _) in pairwise(places):
        between = int((right + left) / 2)
        if 0 <= between < COLUMNS and columns[between] <= 0:
            columns[between] = 0


def part(picture: Luma, quad: NDArray[np.float32], rows: tuple[float, float], size: tuple[int, int]) -> Luma:
    """Some rows (fractions) of what lies in a quadrilateral, upright, in ``size`` (height, width)."""
    height, width = size
    to = cv2.getPerspectiveTransform(np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32), quad.astype(np.float32))
    tall = rows[1] - rows[0]
    unit = np.array([[1 / width, 0, 0.5 / width], [0, tall / height, rows[0] + 0.5 * tall / height], [0, 0, 1]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    made = cv2.warpPerspective(picture, to @ unit, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(made, np.uint8)


def corners(random: Random, faces: Faces) -> Corners:
    """A picture with a plate somewhere in it, or without."""
    layout = int(random.choice((CAR, MOTORCYCLE, LINE), p=(0.6, 0.2, 0.2)))
    height, width = 128, 256
    scene = background(random, height, width)
    there = bool(random.random() < 0.9)
    quad = np.zeros((4, 2), np.float32)
    if there:
        plate = draw(random, faces, layout)
        quad = _placed(random, plate.picture.shape, height, width)
        deep, wide = plate.picture.shape
        to = cv2.getPerspectiveTransform(np.array([[0, 0], [wide, 0], [wide, deep], [0, deep]], np.float32), quad)
        shrunk = cv2.warpPerspective(lit(random, plate.picture), to, (width, height), flags=cv2.INTER_AREA)
        inside = cv2.warpPerspective(np.ones_like(plate.picture), to, (width, height))
        scene = scene * (1 - inside) + shrunk * inside
    seen = coded(random, blurred(random, cv2.resize(scene, (WHOLE[1], WHOLE[0]), interpolation=cv2.INTER_AREA), 1.3))
    return Corners(seen, (quad / (width, height)).astype(np.float32), layout, there)


def _placed(random: Random, shape: tuple[int, ...], height: int, width: int) -> NDArray[np.float32]:
    """Corners of a plate seen from aside, mostly inside the picture; often it nearly fills it."""
    aspect = shape[1] / shape[0] * random.uniform(0.85, 1.2)
    wide = random.uniform(0.38, 0.8) if random.random() < 0.6 else random.uniform(0.8, 1.0)
    wide = min(wide * width, 0.98 * height * aspect)
    box = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float32) * (wide / 2, wide / aspect / 2)
    box += random.uniform(-0.07, 0.07, (4, 2)) * (wide, wide / aspect)
    angle = random.normal(0, 0.07)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    box = box @ turn.T
    low, high = -box.min(axis=0), (width, height) - box.max(axis=0)
    middle = [random.uniform(min(a, b) - 2, max(a, b) + 2) for a, b in zip(low, high, strict=True)]
    return np.asarray(box + middle, np.float32)
