"""A street at dusk as pictures: cars come, stop before the camera and leave; each bears a Thai plate.

Everything is drawn from a seed and invented. The words จำลอง SIMULATED stand in every picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT, FPS = 1280, 720, 8
LOOP_S = 48.0
PLATE_W, PLATE_H = 300, 132  # Thai plates are 340 × 150 mm
FONT_FOLDERS = (Path("/usr/share/fonts/truetype/tlwg"), Path("/usr/share/fonts/opentype/tlwg"))
FONTS = ("Loma-Bold", "Garuda-Bold", "Waree-Bold")
# Letters and provinces that an ordinary text reader tells apart well: the demo shows the chain, not the reader.
CONSONANTS = "กขจตนบพมรลสอ"
PROVINCES = ("สุโขทัย", "ตาก", "เชียงใหม่", "ลำปาง", "น่าน")
CARS = 4
FIRST_S, EVERY_S = 3.0, 11.0  # the first car is the watched one, so that a demo has not long to wait
COME_S, STAY_S, LEAVE_S = 1.5, 4.5, 1.5


@dataclass(frozen=True, slots=True)
class Plate:
    """A plate: ``series`` is an optional digit and two consonants, ``number`` one to four digits."""

    series: str
    number: str
    province: str


def plates_for(seed: int) -> list[Plate]:
    """The plates of one loop, in the order in which they come."""
    random = Random(f"plates {seed}")  # noqa: S311 - a scene that can be drawn again, no secret
    return [
        Plate(
            f"{random.randint(1, 9)}{random.choice(CONSONANTS)}{random.choice(CONSONANTS)}",
            str(random.randint(1000, 9999)), random.choice(PROVINCES),
        )
        for _ in range(CARS)
    ]  # fmt: skip


def watched_plate(seed: int) -> Plate:
    """The plate that the demo puts on the watch-list: the first of the loop."""
    return plates_for(seed)[0]


class FontMissing(RuntimeError):
    """No Thai font is installed."""


@lru_cache(maxsize=16)
def font(size: int) -> ImageFont.FreeTypeFont:
    """A bold Thai face; ``FontMissing`` names the Debian package."""
    for folder in FONT_FOLDERS:
        for name in FONTS:
            for path in sorted(folder.glob(f"{name}.*")):
                return ImageFont.truetype(str(path), size)
    raise FontMissing("no Thai font is installed: apt-get install fonts-thai-tlwg")


def draw_plate(plate: Plate) -> Image.Image:
    """One plate, PLATE_W × PLATE_H."""
    picture = Image.new("RGB", (PLATE_W, PLATE_H), "#f4f4ef")
    pen = ImageDraw.Draw(picture)
    pen.rounded_rectangle((3, 3, PLATE_W - 4, PLATE_H - 4), 10, outline="#101010", width=4)
    pen.text((PLATE_W / 2, 47), f"{plate.series} {plate.number}", "#0a0a0a", font(54), anchor="mm")
    pen.text((PLATE_W / 2, 103), plate.province, "#0a0a0a", font(34), anchor="mm")
    return picture


def draw_street(seed: int) -> Image.Image:
    """The street without cars."""
    random = Random(f"street {seed}")  # noqa: S311 - as above
    picture = Image.new("RGB", (WIDTH, HEIGHT), "#20293a")
    pen = ImageDraw.Draw(picture)
    for row in range(330):  # sky
        shade = row / 330
        pen.line((0, row, WIDTH, row), (int(28 + 60 * shade), int(36 + 46 * shade), int(66 + 34 * shade)))
    left = 0
    while left < WIDTH:
        width, top = random.randint(120, 210), random.randint(90, 190)
        base = random.randint(48, 78)
        pen.rectangle((left, top, left + width - 8, 400), (base, base - 6, base - 14))
        for y in range(top + 18, 300, 44):
            for x in range(left + 14, left + width - 34, 42):
                pen.rectangle((x, y, x + 20, y + 24), random.choice(("#e7c46a", "#39415a", "#39415a", "#f0dca0")))
        pen.rectangle((left + 4, 330, left + width - 14, 396), random.choice(("#7b2b2b", "#27584a", "#6a5520")))
        left += width
    pen.rectangle((0, 396, WIDTH, 440), "#5b5f66")
    pen.rectangle((0, 440, WIDTH, HEIGHT), "#35383d")
    for x in range(20, WIDTH, 150):
        pen.rectangle((x, 690, x + 80, 698), "#b9b48f")
    label = "จำลอง SIMULATED · ถนนสาธิต"
    pen.rectangle((0, 0, 520, 46), "#000000")
    pen.text((14, 23), label, "#ffd166", font(28), anchor="lm")
    return picture


def draw_car(plate: Plate, colour: str) -> Image.Image:
    """A car seen from the front, with its plate."""
    picture = Image.new("RGBA", (560, 430), (0, 0, 0, 0))
    pen = ImageDraw.Draw(picture)
    pen.ellipse((20, 380, 540, 428), fill=(12, 12, 14, 200))
    for x in (52, 432):
        pen.rounded_rectangle((x, 330, x + 76, 412), 14, fill="#141416")
    pen.polygon([(120, 30), (440, 30), (512, 170), (48, 170)], fill=colour)
    pen.polygon([(140, 46), (420, 46), (470, 158), (90, 158)], fill="#1c2a36")
    pen.rounded_rectangle((28, 160, 532, 372), 34, fill=colour)
    for x in (46, 424):
        pen.rounded_rectangle((x, 184, x + 90, 226), 16, fill="#dfe6ea")
    pen.rounded_rectangle((150, 190, 410, 220), 8, fill="#22262b")
    picture.paste(draw_plate(plate), (130, 232))
    return picture


class Scene:
    """Draws the picture at any moment of the loop."""

    def __init__(self, seed: int) -> None:
        colours = ("#7d1f24", "#2b4a6f", "#8a8d90", "#2f5d3a")
        self._street = draw_street(seed)
        self._cars = [draw_car(plate, colours[i % 4]) for i, plate in enumerate(plates_for(seed))]

    def at(self, moment: float) -> Image.Image:
        """The picture ``moment`` seconds into the loop, WIDTH × HEIGHT."""
        picture = self._street.copy()
        for number, car in enumerate(self._cars):
            place = _place(moment - FIRST_S - number * EVERY_S)
            if place is not None:
                picture.paste(car, (place, 268), car)
        pen = ImageDraw.Draw(picture)
        pen.text((WIDTH - 14, 23), f"{moment:05.1f}", "#9fb3c8", font(24), anchor="rm")
        return picture


def _place(since: float) -> int | None:
    """Where a car's left side is ``since`` seconds after it came; ``None`` when it is not there."""
    middle = (WIDTH - 560) // 2
    if 0 <= since < COME_S:
        share = 1 - (1 - since / COME_S) ** 2
        return round(WIDTH + (middle - WIDTH) * share)
    if COME_S <= since < COME_S + STAY_S:
        return middle
    left = since - COME_S - STAY_S
    if 0 <= left < LEAVE_S:
        return round(middle - (middle + 560) * (left / LEAVE_S) ** 2)
    return None
