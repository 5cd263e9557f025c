"""Cars of the demo, seen from the front, and their number plates."""

from __future__ import annotations

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from .fonts import font
from .plates import Plate
from .street import Colour, dim

PIXELS_A_METRE = 600
CAR_M = (1.76, 1.46)
"""Width and height."""
PLATE_M = (0.53, 0.235)
"""Half as large again as a real one (0.34 × 0.15 m), so that it reads in a picture of a whole street."""
_PLATE_Y = 1.12
"""The plate's middle below the roof, in metres."""
_PLATE_FACE = "Loma-Bold"
COLOURS: tuple[Colour, ...] = ((176, 178, 184), (126, 26, 30), (34, 62, 110), (214, 212, 204))


def draw_plate(plate: Plate, width: int = 318) -> Image.Image:
    """A white car's plate with its two rows, RGB, ``width`` × (width · 0.235 / 0.53) pixels."""
    fine = 3 * width
    tall = round(fine * PLATE_M[1] / PLATE_M[0])
    picture = Image.new("RGB", (fine, tall), (232, 232, 228))
    pen, ink = ImageDraw.Draw(picture), (16, 16, 18)
    edge = fine // 70
    pen.rounded_rectangle((edge, edge, fine - edge, tall - edge), fine // 22, outline=ink, width=fine // 90)
    small = round(tall * 0.26)
    while font(_PLATE_FACE, small).getlength(plate.province) > 0.78 * fine:
        small -= 2
    row = _row(plate, round(tall * 0.62), round(0.86 * fine))
    picture.paste(ink, ((fine - row.width) // 2, round(tall * 0.59) - row.height * 3 // 4), row)
    pen.text((fine / 2, tall * 0.885), plate.province, font=font(_PLATE_FACE, small), fill=ink, anchor="ms")
    return picture.resize((width, round(tall / 3)), Image.Resampling.LANCZOS)


def _row(plate: Plate, size: int, room: int) -> Image.Image:
    """Series, gap and number as ink (L), the base line at three quarters of its height; as on real plates the
    characters are narrower, not lower, where they do not fit."""
    face = font(_PLATE_FACE, size)
    series, number = face.getlength(plate.series), face.getlength(plate.number)
    made = Image.new("L", (round(series + 0.3 * size + number), 4 * (size // 3)))
    pen, base = ImageDraw.Draw(made), made.height * 3 // 4
    pen.text((0, base), plate.series, font=face, fill=255, anchor="ls")
    pen.text((made.width, base), plate.number, font=face, fill=255, anchor="rs")
    return made.resize((min(made.width, room), made.height), Image.Resampling.LANCZOS)


def draw_car(plate: Plate, colour: Colour) -> Image.Image:
    """The car's front, RGBA, ``CAR_M`` × ``PIXELS_A_METRE``."""
    m = PIXELS_A_METRE
    wide, tall = (round(side * m) for side in CAR_M)
    car = Image.new("RGBA", (wide, tall), (0, 0, 0, 0))
    pen = ImageDraw.Draw(car)
    middle = wide / 2

    def shape(points: list[tuple[float, float]], fill: Colour) -> None:
        """A symmetric polygon from its right half, metres from the middle and below the roof."""
        right = [(middle + x * m, y * m) for x, y in points]
        pen.polygon(right + [(2 * middle - x, y) for x, y in reversed(right)], fill=(*fill, 255))

    for side in (-1, 1):
        wheel = middle + side * 0.7 * m
        pen.rounded_rectangle((wheel - 0.13 * m, 1.05 * m, wheel + 0.13 * m, tall), 40, fill=(12, 12, 14, 255))
    shape([(0.56, 0.0), (0.64, 0.06), (0.80, 0.56), (0.87, 0.68), (0.88, 1.25), (0.82, 1.36)], dim(colour, 0.55))
    shape([(0.52, 0.03), (0.58, 0.08), (0.74, 0.54)], dim(colour, 0.75))
    shape([(0.50, 0.09), (0.54, 0.12), (0.68, 0.52)], (20, 26, 36))
    pen.polygon([(middle - 0.3 * m, 0.1 * m), (middle - 0.1 * m, 0.1 * m), (middle - 0.3 * m, 0.52 * m),
                 (middle - 0.55 * m, 0.52 * m)], fill=(44, 54, 70, 255))  # fmt: skip
    shape([(0.76, 0.56), (0.84, 0.68), (0.86, 0.80)], dim(colour, 0.85))
    shape([(0.40, 0.60), (0.46, 0.78)], dim(colour, 0.95))
    shape([(0.86, 0.80), (0.86, 0.96)], dim(colour, 0.7))
    shape([(0.42, 0.80), (0.38, 0.93)], (18, 18, 20))
    shape([(0.86, 0.97), (0.87, 1.24), (0.80, 1.33)], dim(colour, 0.62))
    shape([(0.60, 1.26), (0.54, 1.33)], (14, 14, 16))
    car = _shaded(car)
    _mirrors_and_lights(ImageDraw.Draw(car), middle, m, colour)
    face = draw_plate(plate, round(PLATE_M[0] * m))
    car.paste(face, (round(middle - face.width / 2), round(_PLATE_Y * m - face.height / 2)))
    return car


def _shaded(car: Image.Image) -> Image.Image:
    """Light from above and rounded sides: brighter at the top, darker towards both edges and the ground."""
    down = Image.linear_gradient("L").resize(car.size).point([255 - value * 2 // 5 for value in range(256)])
    across = Image.linear_gradient("L").rotate(90).resize(car.size)
    sides = across.point([255 - round(110 * abs(value / 127.5 - 1) ** 3) for value in range(256)])
    shade = ImageChops.multiply(down, sides)
    lit = ImageChops.multiply(car.convert("RGB"), Image.merge("RGB", (shade, shade, shade)))
    lit.putalpha(car.getchannel("A"))
    return lit


def _mirrors_and_lights(pen: ImageDraw.ImageDraw, middle: float, m: int, colour: Colour) -> None:
    for side in (-1, 1):
        mirror, lamp = middle + side * 0.79 * m, middle + side * 0.64 * m
        pen.ellipse((mirror - 0.08 * m, 0.44 * m, mirror + 0.08 * m, 0.57 * m), fill=(*dim(colour, 0.5), 255))
        box = (lamp - 0.19 * m, 0.78 * m, lamp + 0.19 * m, 0.92 * m)
        pen.rounded_rectangle(box, 30, fill=(188, 194, 200, 255))
        pen.ellipse((lamp - 0.09 * m, 0.79 * m, lamp + 0.09 * m, 0.91 * m), fill=(255, 252, 236, 255))


def headlights() -> Image.Image:
    """What the two lamps add to the picture around them, RGB on black, as large as ``draw_car`` gives / 4, doubled."""
    m = PIXELS_A_METRE // 4
    wide, tall = (round(side * m) for side in CAR_M)
    light = Image.new("RGB", (2 * wide, 2 * tall))
    pen = ImageDraw.Draw(light)
    for side in (-1, 1):
        x, y = wide + side * 0.64 * m, tall / 2 + 0.85 * m
        pen.ellipse((x - 0.1 * m, y - 0.08 * m, x + 0.1 * m, y + 0.08 * m), fill=(250, 240, 212))
    wide_glow = light.filter(ImageFilter.GaussianBlur(18))
    return Image.blend(light.filter(ImageFilter.GaussianBlur(5)), wide_glow, 0.55)
