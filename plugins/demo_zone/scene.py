"""The demo's picture over one round of a minute: a street, and cars whose plates can be read.

The first car has the watched plate and stands out in the picture about six seconds after the start of each round.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from PIL import Image, ImageChops

from .cars import CAR_M, COLOURS, PIXELS_A_METRE, draw_car, headlights
from .plates import Plate, plates_for, watched_plate
from .street import FOCAL, HEIGHT, WIDTH, background, project

__all__ = ["FPS", "FRAMES", "HEIGHT", "ROUND_S", "WIDTH", "Passage", "Plate", "Scene", "plates_for", "watched_plate"]

FPS = 10
ROUND_S = 60
FRAMES = FPS * ROUND_S
_NEAREST_AT = (6.0, 20.0, 34.0, 48.0)
_LANE_M = -1.42
# Seconds before and after a car is nearest → pixels a metre there: it comes, slows at a crossing, and goes by.
_PATH = ((-4.0, 24.0), (-2.1, 70.0), (-1.3, 370.0), (-0.6, 395.0), (1.2, 432.0), (1.7, 560.0), (2.2, 1500.0))


@dataclass(frozen=True, slots=True)
class Passage:
    """One car of the round. ``at``: seconds into the round when its plate is best seen."""

    plate: Plate
    at: float

    @property
    def frames(self) -> range:
        """Pictures in which the car may be seen."""
        return range(math.ceil((self.at + _PATH[0][0]) * FPS), math.floor((self.at + _PATH[-1][0]) * FPS) + 1)


class Scene:
    """Pictures of a round for a seed. Errors: ``FontMissing``."""

    def __init__(self, seed: int) -> None:
        self.passages = [Passage(plate, at) for plate, at in zip(plates_for(seed), _NEAREST_AT, strict=True)]
        self.still = background()
        self._glow = headlights()
        self._sprite: tuple[Plate, Image.Image] | None = None

    def frame(self, index: int) -> Image.Image:
        """Picture ``index`` of the round, RGB 1280 × 720; the still one itself when no car is there."""
        for number, passage in enumerate(self.passages):
            if index in passage.frames:
                return self._with_car(passage, COLOURS[number % len(COLOURS)], index / FPS - passage.at)
        return self.still

    def _with_car(self, passage: Passage, colour: tuple[int, int, int], moment: float) -> Image.Image:
        if self._sprite is None or self._sprite[0] != passage.plate:
            self._sprite = (passage.plate, draw_car(passage.plate, colour))
        car, scale = self._sprite[1], scale_at(moment)
        x, ground = project(_LANE_M, 0.0, FOCAL / scale)
        left, top = x - CAR_M[0] / 2 * scale, ground - CAR_M[1] * scale
        picture = self.still.copy()
        _shadow(picture, x, ground, scale)
        _place(picture, car, left, top, scale / PIXELS_A_METRE)
        zoom = scale * 4 / PIXELS_A_METRE
        corner = (x - CAR_M[0] * scale, ground - 1.5 * CAR_M[1] * scale)
        _shine(picture, self._glow, *corner, zoom)
        return picture


def scale_at(moment: float) -> float:
    """Pixels a metre of a car ``moment`` seconds after it was nearest: smooth between the points of ``_PATH``."""
    for (before, low), (after, high) in itertools.pairwise(_PATH):
        if moment <= after:
            share = max(0.0, (moment - before) / (after - before))
            return low * math.pow(high / low, share)
    return _PATH[-1][1]


def _visible(left: float, top: float, wide: float, tall: float) -> tuple[int, int, int, int] | None:
    """The part of a rectangle that lies in the picture, whole pixels."""
    box = (max(0, round(left)), max(0, round(top)), min(WIDTH, round(left + wide)), min(HEIGHT, round(top + tall)))
    return box if box[2] > box[0] and box[3] > box[1] else None


def _fitted(sprite: Image.Image, box: tuple[int, int, int, int], left: float, top: float, zoom: float) -> Image.Image:
    """What of the sprite lies in ``box`` when it stands at ``left``, ``top``, ``zoom`` times as large."""
    source = ((box[0] - left) / zoom, (box[1] - top) / zoom, (box[2] - left) / zoom, (box[3] - top) / zoom)
    within = (max(0.0, source[0]), max(0.0, source[1]), min(sprite.width, source[2]), min(sprite.height, source[3]))
    size = (box[2] - box[0], box[3] - box[1])
    return sprite.resize(size, Image.Resampling.BICUBIC, box=within, reducing_gap=2.0)


def _place(picture: Image.Image, sprite: Image.Image, left: float, top: float, zoom: float) -> None:
    box = _visible(left, top, sprite.width * zoom, sprite.height * zoom)
    if box is not None:
        part = _fitted(sprite, box, left, top, zoom)
        picture.paste(part, box[:2], part)


def _shine(picture: Image.Image, glow: Image.Image, left: float, top: float, zoom: float) -> None:
    box = _visible(left, top, glow.width * zoom, glow.height * zoom)
    if box is not None:
        part = _fitted(glow, box, left, top, zoom)
        picture.paste(ImageChops.screen(picture.crop(box), part), box[:2])


def _shadow(picture: Image.Image, x: float, ground: float, scale: float) -> None:
    """A dark patch under the car, so that it stands on the road."""
    wide, tall = 1.9 * scale, 0.22 * scale
    mask = Image.radial_gradient("L").point([max(0, 200 - value) for value in range(256)])
    box = _visible(x - wide / 2, ground - tall * 0.7, wide, tall)
    if box is not None:
        part = _fitted(mask, box, x - wide / 2, ground - tall * 0.7, wide / 256)
        picture.paste((6, 6, 8), box, part)
