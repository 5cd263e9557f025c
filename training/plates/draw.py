"""Plates drawn from the front: their kinds, and where each character stands.

Sizes after the ministerial regulations on registration plates: cars 340 × 150 mm, motorcycles 220 × 172 mm, and for
visitors from abroad a plate of one line, 520 × 110 mm; a pixel is a millimetre here.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from hub.vision.grammar import CONFUSED, CONSONANTS, DIGITS
from hub.vision.lattice import LATIN
from hub.vision.layout import CAR, LINE
from hub.vision.provinces import PROVINCES
from training.plates.faces import Face
from training.plates.glyphs import mask

SIZES = ((150, 340), (172, 220), (110, 520))  # height, width
PRIVATE, COMMERCIAL, TAXI, RED, SPECIAL = range(5)
_KINDS = (0.6, 0.1, 0.1, 0.08, 0.12)  # how often each is drawn
HARD = "".join(CONFUSED)
FLAGGED = {"ช": "ข"}  # letters that are another one with a flag
NO_PROVINCE = -100
Picture = NDArray[np.float32]
Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class Faces:
    """From which a plate's faces are drawn by lot."""

    letters: tuple[Face, ...]
    digits: tuple[Face, ...]


@dataclass(frozen=True, slots=True)
class Plate:
    """``picture``: luma 0..255, float32 (H, W). ``places``: of each character of ``text`` its left and right in
    pixels, and its line."""

    picture: Picture
    layout: int
    text: str
    places: tuple[tuple[float, float, int], ...]
    province: int


def words(random: Random, letters: str | None = None) -> tuple[str, str]:
    """A series and a number. ``letters``: what the series' consonants are taken from."""

    def consonant() -> str:
        pool = letters or (HARD if random.random() < 0.42 else CONSONANTS)
        return pool[random.integers(len(pool))]

    digit = str(random.integers(1, 10)) if random.random() < 0.7 else ""
    length = random.choice(4, p=(0.06, 0.1, 0.2, 0.64)) + 1
    number = str(random.integers(10 ** (length - 1), 10**length))
    return digit + consonant() + consonant(), number


def draw(
    random: Random, faces: Faces, layout: int = CAR, letters: str | None = None, kind: int | None = None
) -> Plate:
    """One plate, of a kind by lot where none is asked for."""
    if layout == LINE:
        return _line(random, faces)
    series, number = words(random, letters)
    ink = np.zeros(SIZES[layout], np.float32)
    letter, digit, small = (pool[random.integers(len(pool))] for pool in (faces.letters, faces.digits, faces.letters))
    pen = _Pen(random, ink, letter, digit)
    province = int(random.integers(len(PROVINCES)))
    if layout == CAR:
        # most as the regulation has it, some as they are drawn elsewhere: corners must not be told by the text alone
        usual = random.random() < 0.65
        high = random.uniform(0.40, 0.52) if usual else random.uniform(0.28, 0.5)
        top = random.uniform(0.04, 0.11) if usual else random.uniform(0.05, 0.64 - high)
        places = pen.row(series, number, 0.10, top, high)
        pen.name(small, PROVINCES[province], random.uniform(0.74, 0.84), random.uniform(0.12, 0.2 if usual else 0.25))
    else:
        places = pen.row(series, "", 0.12, 0.06, random.uniform(0.24, 0.31))
        pen.name(small, PROVINCES[province], random.uniform(0.45, 0.52), random.uniform(0.10, 0.15))
        lower = pen.row(number, "", 0.08, random.uniform(0.58, 0.63), random.uniform(0.3, 0.36))
        places += [(left, right, 1) for left, right, _ in lower]
    _thicken(random, ink)
    return Plate(_coloured(random, ink, kind), layout, series + number, tuple(places), province)


def _line(random: Random, faces: Faces) -> Plate:
    """A plate of one line of Latin letters and digits, in two or three groups, perhaps with a country's band."""
    height, width = SIZES[LINE]
    ink = np.zeros((height, width), np.float32)
    groups, kind = [], int(random.integers(2))
    for length in random.integers(1, 5, random.integers(2, 4)):
        groups.append("".join((LATIN, DIGITS)[kind][n] for n in random.integers((26, 10)[kind], size=length)))
        kind = 1 - kind if random.random() < 0.9 else kind
    text = "".join(groups)[:9]
    face = faces.digits[random.integers(len(faces.digits))]
    pen = _Pen(random, ink, face, face)
    band = random.uniform(0.06, 0.1) if random.random() < 0.55 else 0.0
    high = random.uniform(0.55, 0.8)
    breaks = tuple(np.cumsum([len(group) for group in groups])[:-1])
    top = (1 - high) / 2 + random.uniform(-0.03, 0.03)
    places = pen.row(text, "", random.uniform(0.02, 0.1) + band, top, high, breaks)
    _thicken(random, ink)
    picture = _coloured(random, ink)
    for at in breaks:
        if 0 < at < len(places):
            _seal(random, picture, places[at - 1][1], places[at][0])
    if random.random() < 0.08:  # light characters on a dark plate
        picture = np.float32(255) - picture
    if band:
        wide = round(band * width)
        picture[:, :wide] = random.uniform(20, 220)
        _seal(random, picture[: 2 * height // 3], 0, wide)
        letters = "".join(LATIN[n] for n in random.integers(26, size=random.integers(1, 3)))
        country = _resized(mask(face, letters)[0], 0.25 * height, 0.6 * wide)
        part = picture[height - 10 - country.shape[0] : height - 10, wide // 5 : wide // 5 + country.shape[1]]
        part += (random.uniform(0, 255) - part) * country / np.float32(255)
    return Plate(picture, LINE, text, tuple(places), NO_PROVINCE)


def _seal(random: Random, picture: Picture, left: float, right: float) -> None:
    """What stands between two groups and is no character: a dash, a dot, inspection seals, a coat of arms."""
    height, wide = picture.shape[0], int(right - left)
    if wide < 6:
        return
    middle, kind = round((left + right) / 2), random.random()
    if kind < 0.35:
        half, thick = max(2, round(wide * random.uniform(0.2, 0.45))), int(random.integers(3, 8))
        y = round(height * random.uniform(0.42, 0.58))
        cv2.rectangle(picture, (middle - half, y), (middle + half, y + thick), float(random.uniform(5, 70)), -1)
    elif kind < 0.85:
        places = (0.5,) if random.random() < 0.4 else (0.3, 0.68)
        for place in places:
            radius = max(3, round(min(wide / 2, 0.27 * height) * random.uniform(0.6, 1.0)))
            y = round(place * height) + int(random.integers(-3, 4))
            shade, rim = (float(random.uniform(30, 220)) for _ in range(2))
            if random.random() < 0.5:
                cv2.circle(picture, (middle, y), radius, shade, -1)
            else:
                points = (random.uniform(0.5, 1.0, (6, 1)) * radius * _HEXAGON + (middle, y)).astype(np.int32)
                cv2.fillPoly(picture, [points], shade)
            cv2.circle(picture, (middle, y), max(2, radius // 2), rim, int(random.integers(1, 3)))


_HEXAGON = np.array([[np.cos(turn), np.sin(turn)] for turn in np.arange(6) * np.pi / 3])


class _Pen:
    def __init__(self, random: Random, ink: Picture, letter: Face, digit: Face) -> None:
        self.random, self.ink, self.letter, self.digit = random, ink, letter, digit
        self.wide = random.uniform(0.62, 1.1), random.uniform(0.62, 1.1)  # letters and digits stretch by themselves
        self.high = random.uniform(0.92, 1.08)  # of the digits beside the letters
        # on real plates a letter's foot or flag is squeezed into the height of the others, or hangs a little below
        # them; in print it stands out
        self.squeezed = bool(random.random() < 0.75)
        self.flag = bool(random.random() < 0.5)
        self.foot, self.hang = random.uniform(0.25, 0.9), random.uniform(0.0, 0.14)

    def row(
        self, first: str, second: str, margin: float, top: float, high: float, breaks: tuple[int, ...] = ()
    ) -> list[tuple[float, float, int]]:
        """A line of characters, centred, as wide as fits; where each stands. ``breaks``: before which there is room."""
        height, width = self.ink.shape
        body = high * height
        marks = [self._mark(char, body) for char in first + second]
        touching = self.random.uniform(-0.07, 0.10) * body
        if second:
            breaks = (len(first),)
        gaps = [touching + (self.random.uniform(0.12, 0.7) * body if n in breaks else 0.0) for n in range(len(marks))]
        gaps[0] = 0.0
        room, wanted = (1 - 2 * margin) * width, sum(m.shape[1] for m, _ in marks) + sum(gaps)
        squeeze = min(1.0, room / wanted)
        if squeeze < 1.0:
            marks = [(_resized(m, m.shape[0], m.shape[1] * squeeze), base) for m, base in marks]
            gaps = [gap * squeeze for gap in gaps]
        left = (width - sum(m.shape[1] for m, _ in marks) - sum(gaps)) / 2 + self.random.uniform(-0.02, 0.02) * width
        base, places = top * height + body, []
        for (made, up), gap in zip(marks, gaps, strict=True):
            left += gap
            self._stamp(made, left, base - up)
            places.append((left, left + made.shape[1], 0))
            left += made.shape[1]
        return places

    def _mark(self, char: str, body: float) -> tuple[NDArray[np.uint8], float]:
        latin = char.isascii()
        face, stretch = (self.digit, self.wide[1]) if latin else (self.letter, self.wide[0])
        shape, up = mask(face, char)
        reference = mask(face, "8" if latin else "ก")[0].shape[0]
        scale = body / max(reference, 1) * (self.high if latin else 1.0)
        if char in FLAGGED and self.flag:
            plain, low = mask(face, FLAGGED[char])
            shape, up = _flagged(self.random, plain), low + 0.06 * plain.shape[0]
        if self.squeezed and not latin:
            low = body * self.hang if shape.shape[0] - up > 0.08 * shape.shape[0] else 0.0
            high = body * self.random.uniform(0.97, 1.05) + low
            shape = _low_footed(shape, round(up), self.foot)
            made = _resized(shape, high, shape.shape[1] * scale * stretch * self.random.uniform(0.92, 1.06))
            return made, high - low - body * self.random.uniform(-0.01, 0.05)
        return _resized(shape, shape.shape[0] * scale, shape.shape[1] * scale * stretch), up * scale

    def name(self, face: Face, text: str, middle: float, high: float) -> None:
        """The province."""
        height, width = self.ink.shape
        shape, up = mask(face, text)
        scale = high * height / max(mask(face, "ก")[0].shape[0], 1) * 0.75
        wide = min(shape.shape[1] * scale * self.random.uniform(0.75, 1.15), 0.8 * width)
        made = _resized(shape, shape.shape[0] * scale, wide)
        left = (width - made.shape[1]) / 2 + self.random.uniform(-0.02, 0.02) * width
        self._stamp(made, left, middle * height + 0.3 * high * height - up * scale)

    def _stamp(self, made: NDArray[np.uint8], left: float, top: float) -> None:
        height, width = self.ink.shape
        x, y = round(left), round(top)
        x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + made.shape[1], width), min(y + made.shape[0], height)
        if x1 > x0 and y1 > y0:
            part = self.ink[y0:y1, x0:x1]
            np.maximum(part, made[y0 - y : y1 - y, x0 - x : x1 - x] / np.float32(255), out=part)


def _flagged(random: Random, shape: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A letter whose right stem ends in a short flag, as plates have it: in print the flag is as large as a loop."""
    high, wide = shape.shape
    stem = max(2, int(np.count_nonzero(shape[round(0.6 * high), wide // 2 :] > 128)))
    made = cv2.copyMakeBorder(shape, round(0.06 * high), 0, 0, round(0.12 * wide), cv2.BORDER_CONSTANT, value=0)
    start = (wide - stem // 2 - 1, round((0.06 + random.uniform(0.1, 0.18)) * high))
    end = (round(wide * random.uniform(1.0, 1.08)), round(random.uniform(0.01, 0.06) * high))
    cv2.line(made, start, end, 255, max(2, round(stem * random.uniform(0.75, 1.0))), cv2.LINE_AA)
    return np.asarray(made, np.uint8)


def _low_footed(shape: NDArray[np.uint8], base: int, share: float) -> NDArray[np.uint8]:
    """With what stands below the base line squeezed to a share of its height, and the gap above it closed."""
    foot = shape[base:]
    if foot.shape[0] < 0.08 * shape.shape[0] or base < 4:
        return shape
    inked = np.flatnonzero(foot.max(axis=1) > 128)
    foot = foot[max(int(inked[0]) - 1, 0) if inked.size else 0 :]
    return np.vstack([shape[:base], _resized(foot, max(3.0, share * foot.shape[0]), shape.shape[1])])


def _resized(shape: NDArray[np.uint8], high: float, wide: float) -> NDArray[np.uint8]:
    size = (max(2, round(wide)), max(2, round(high)))
    return np.asarray(cv2.resize(shape, size, interpolation=cv2.INTER_AREA), np.uint8)


def _thicken(random: Random, ink: Picture) -> None:
    """Strokes a little thinner or thicker."""
    lot = random.random()
    kernel = np.ones((2, 2) if random.random() < 0.5 else (3, 3), np.uint8)
    if lot < 0.3:
        ink[:] = cv2.dilate(ink, kernel)
    elif lot < 0.45:
        ink[:] = cv2.erode(ink, np.ones((2, 2), np.uint8))


def _coloured(random: Random, ink: Picture, kind: int | None = None) -> Picture:
    """Ink on a ground, with frame, embossing and what a plate carries: private, commercial, taxi, red, special."""
    height, width = ink.shape
    lot = int(random.choice(len(_KINDS), p=_KINDS))
    kind = lot if kind is None else kind
    ground = (random.uniform(215, 255), random.uniform(170, 215), random.uniform(180, 220), random.uniform(70, 130),
              random.uniform(150, 240))[kind]  # fmt: skip
    dark = random.uniform(5, 60) if kind != RED else random.uniform(0, 30)
    base = np.full(ink.shape, ground, np.float32)
    if kind == SPECIAL:  # the drawings of auctioned plates, and sky
        rough = random.uniform(-40, 30, (random.integers(2, 7), random.integers(2, 12))).astype(np.float32)
        base += cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC)
    if random.random() < 0.8:
        inset, thick = int(random.integers(2, 8)), int(random.integers(1, 4))
        cv2.rectangle(ink, (inset, inset), (width - 1 - inset, height - 1 - inset), 1.0, thick)
    if random.random() < 0.4:  # embossed: light from one side
        shift = cv2.GaussianBlur(ink, (0, 0), 1.2)
        base += (np.roll(shift, (1, 1), (0, 1)) - np.roll(shift, (-1, -1), (0, 1))) * random.uniform(-60, 60)
    for _ in range(int(random.integers(0, 5))):  # bolts and stickers
        x, y = int(random.uniform(0.03, 0.97) * width), int(random.choice((0.08, 0.92)) * height)
        cv2.circle(base, (x, y), int(random.integers(2, 6)), float(random.uniform(20, 250)), -1)
    return np.asarray(base * (1 - ink) + dark * ink, np.float32)
