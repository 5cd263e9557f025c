"""The still part of the demo's picture: a small town's street after dusk, drawn in perspective.

Metres: x to the right and y up from the camera's foot, z into the picture. The camera stands ``EYE`` above the road.
"""

from __future__ import annotations

import math
import random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from .fonts import font

WIDTH, HEIGHT = 1280, 720
FOCAL = 800.0
EYE = 1.1
VANISHING = (1000.0, 235.0)
_FINE = 2  # drawn twice as large and reduced, for smooth edges
_LEFT, _RIGHT, _FAR, _NEAR = -6.2, 2.6, 90.0, 1.2
_FRONT_M = 4.0
Colour = tuple[int, int, int]
Polygon = list[tuple[float, float]]


def project(x: float, y: float, z: float) -> tuple[float, float]:
    """A point in metres → pixels of the picture."""
    scale = FOCAL / z
    return VANISHING[0] + x * scale, VANISHING[1] - (y - EYE) * scale


class _Canvas:
    """The picture, and beside it what shines."""

    def __init__(self) -> None:
        size = (WIDTH * _FINE, HEIGHT * _FINE)
        self.picture, self.light = Image.new("RGB", size), Image.new("RGB", size)
        self.pen, self.glow = ImageDraw.Draw(self.picture), ImageDraw.Draw(self.light)

    def fill(self, points: Polygon, colour: Colour, shine: Colour | None = None) -> None:
        fine = [(x * _FINE, y * _FINE) for x, y in points]
        self.pen.polygon(fine, fill=colour)
        if shine is not None:
            self.glow.polygon(fine, fill=shine)

    def wall(
        self, x: float, z: tuple[float, float], y: tuple[float, float], c: Colour, shine: Colour | None = None
    ) -> None:
        """A rectangle of a house front at ``x``."""
        corners = ((z[0], y[0]), (z[0], y[1]), (z[1], y[1]), (z[1], y[0]))
        self.fill([project(x, height, depth) for depth, height in corners], c, shine)

    def ground(self, x: tuple[float, float], z: tuple[float, float], c: Colour, y: float = 0.0) -> None:
        """A rectangle on the ground."""
        corners = ((x[0], z[0]), (x[1], z[0]), (x[1], z[1]), (x[0], z[1]))
        self.fill([project(across, y, depth) for across, depth in corners], c)

    def disc(self, x: float, y: float, radius: float, colour: Colour, shine: Colour) -> None:
        box = tuple(v * _FINE for v in (x - radius, y - radius, x + radius, y + radius))
        self.pen.ellipse(box, fill=colour)
        self.glow.ellipse(box, fill=shine)

    def finished(self) -> Image.Image:
        """Both together: what shines gives a halo, wide and narrow."""
        picture = self.picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
        light = self.light.resize((WIDTH, HEIGHT), Image.Resampling.BOX)
        for radius in (6, 26, 70):
            picture = ImageChops.screen(picture, light.filter(ImageFilter.GaussianBlur(radius)))
        return picture


def dim(colour: Colour, share: float) -> Colour:
    """The colour, darker."""
    return int(colour[0] * share), int(colour[1] * share), int(colour[2] * share)


def background() -> Image.Image:
    """The street without cars, RGB 1280 × 720; always the same."""
    canvas, chance = _Canvas(), random.Random(1)  # noqa: S311 - looks, not secrets
    _sky(canvas, chance)
    _road(canvas)
    for side in (_LEFT, _RIGHT):
        _houses(canvas, chance, side)
    _wires(canvas)
    _lamps(canvas)
    picture = canvas.finished()
    _caption(picture)
    return picture


def _sky(canvas: _Canvas, chance: random.Random) -> None:
    horizon = int(VANISHING[1]) + 8
    for row in range(horizon):
        share = row / horizon
        colour = (int(14 + 58 * share**2), int(18 + 36 * share**2), int(44 + 40 * share))
        canvas.fill([(0, row), (WIDTH, row), (WIDTH, row + 1), (0, row + 1)], colour)
    for _ in range(60):
        x, y, bright = chance.uniform(300, WIDTH), chance.uniform(0, 150), chance.randint(90, 190)
        canvas.fill([(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)], (bright, bright, bright))


def _road(canvas: _Canvas) -> None:
    top = int(VANISHING[1])
    for row in range(top, HEIGHT):
        share = (row - top) / (HEIGHT - top)
        grey = int(34 + 26 * share)
        canvas.fill([(0, row), (WIDTH, row), (WIDTH, row + 1), (0, row + 1)], (grey, grey, grey + 5))
    for side, kerb in ((_LEFT, _LEFT + 1.9), (_RIGHT, _RIGHT - 1.0)):
        canvas.ground((side, kerb), (_NEAR, _FAR), (74, 70, 70), 0.12)
        z = _NEAR
        while z < 40:  # kerbs are painted red and white where nobody may stop
            for start, colour in ((z, (120, 44, 40)), (z + 1, (128, 126, 120))):
                near, far = project(kerb, 0.12, start), project(kerb, 0.12, start + 1)
                low_far, low_near = project(kerb, 0, start + 1), project(kerb, 0, start)
                canvas.fill([near, far, low_far, low_near], colour)
            z += 2
    z = _NEAR
    while z < 70:
        canvas.ground((-0.46, -0.34), (z, z + 1.5), (150, 146, 128))
        z += 4


_PAINT: tuple[Colour, ...] = ((150, 132, 104), (116, 124, 120), (142, 112, 92), (108, 110, 128), (146, 140, 118))
_SHUTTER: tuple[Colour, ...] = ((62, 72, 84), (78, 66, 58), (58, 76, 70))


def _houses(canvas: _Canvas, chance: random.Random, x: float) -> None:
    """Shophouses from far to near, so that near ones cover far ones."""
    start = _NEAR + _FRONT_M * int((_FAR - _NEAR) / _FRONT_M)
    while start >= _NEAR - 0.01:
        _house(canvas, chance, x, start, gold=x < 0 and 9.0 < start < 13.1)
        start -= _FRONT_M


def _house(canvas: _Canvas, chance: random.Random, x: float, z: float, *, gold: bool) -> None:
    end, tall = z + _FRONT_M, chance.choice((6.6, 7.2, 9.4))
    share = 0.55 if z > 30 else 0.42
    canvas.wall(x, (z, end), (0, tall), dim(chance.choice(_PAINT), share))
    canvas.wall(x, (z, end), (tall, tall + 0.25), dim((150, 140, 130), share * 0.8))
    for floor in range(1, int(tall // 3)):
        for window in range(3):
            left, base = z + 0.5 + window * 1.15, floor * 3.0 + 0.9
            lit = chance.random() < 0.4
            colour: Colour = (236, 196, 122) if lit else (34, 40, 54)
            canvas.wall(x, (left, left + 0.7), (base, base + 1.2), colour, (60, 44, 20) if lit else None)
    if gold:
        canvas.wall(x, (z + 0.2, end - 0.2), (0.1, 2.6), (240, 206, 130), (120, 84, 26))
        canvas.wall(x, (z + 0.1, end - 0.1), (2.7, 3.5), (158, 22, 24), (60, 6, 6))
        for shelf in (0.7, 1.2, 1.7):
            canvas.wall(x, (z + 0.5, end - 0.5), (shelf, shelf + 0.14), (196, 40, 34))
    elif chance.random() < 0.45:
        _lit_shop(canvas, chance, x, z, end)
    else:
        canvas.wall(x, (z + 0.3, end - 0.3), (0.1, 2.5), dim(chance.choice(_SHUTTER), 0.8))
    out = 1.1 if x < 0 else -0.7
    colour = dim(chance.choice(((150, 40, 40), (40, 96, 80), (44, 70, 130), (150, 104, 40))), 0.5)
    canvas.fill(
        [project(x, 3.0, z), project(x, 3.0, end), project(x + out, 2.6, end), project(x + out, 2.6, z)], colour
    )


def _lit_shop(canvas: _Canvas, chance: random.Random, x: float, z: float, end: float) -> None:
    """An open shop: light on the back wall, shelves with goods, frames of the door, a counter."""
    light = chance.choice(((206, 190, 146), (184, 196, 190), (212, 178, 122)))
    canvas.wall(x, (z + 0.3, end - 0.3), (0.1, 2.5), light, dim(light, 0.24))
    for board in (0.9, 1.35, 1.8):
        canvas.wall(x, (z + 0.5, end - 0.5), (board, board + 0.05), dim(light, 0.5))
        at = z + 0.55
        while at < end - 0.75:
            wide, goods = chance.uniform(0.08, 0.24), chance.choice(_PAINT + _SHUTTER)
            canvas.wall(x, (at, at + wide), (board + 0.05, board + chance.uniform(0.14, 0.34)), dim(goods, 0.75))
            at += wide + chance.uniform(0.02, 0.12)
    canvas.wall(x, (z + 0.4, end - 1.4), (0.1, 0.75), dim(light, 0.42))
    for frame in (z + 0.3, end - 1.3, end - 0.36):
        canvas.wall(x, (frame, frame + 0.07), (0.1, 2.5), (40, 38, 38))


def _wires(canvas: _Canvas) -> None:
    for height in (6.2, 6.5, 6.8, 7.4):
        points = [project(_LEFT + 1.7, height - 0.35 * (z % 24 / 12) * (2 - z % 24 / 12), z) for z in range(3, 88)]
        fine = [(x * _FINE, y * _FINE) for x, y in points]
        canvas.pen.line(fine, fill=(12, 13, 20), width=3)


_CIRCLE = [(math.cos(turn / 24 * math.tau), math.sin(turn / 24 * math.tau)) for turn in range(24)]


def _lamps(canvas: _Canvas) -> None:
    for z in (86.0, 66.0, 50.0, 38.0, 26.0, 14.0, 7.5):
        x = _LEFT + 1.7
        post = 0.07
        foot = [project(x - post, 0, z), project(x + post, 0, z), project(x + post, 5.6, z), project(x - post, 5.6, z)]
        canvas.fill(foot, (22, 23, 28))
        arm = [project(x, 5.6, z), project(x + 1.3, 5.8, z), project(x + 1.3, 5.7, z), project(x, 5.45, z)]
        canvas.fill(arm, (22, 23, 28))
        for radius, share in ((1.9, 0.07), (1.3, 0.11), (0.7, 0.15)):  # its pool of light on the road
            pool = [(x + 1.3 + radius * a, z + 1.2 * radius * b) for a, b in _CIRCLE]
            spots = [project(across, 0.0, depth) for across, depth in pool if depth > 1]
            fine = [(px * _FINE, py * _FINE) for px, py in spots]
            canvas.glow.polygon(fine, fill=dim((255, 206, 140), share))
        lamp = project(x + 1.3, 5.6, z)
        canvas.disc(*lamp, max(1.5, 0.16 * FOCAL / z), (255, 232, 184), (230, 170, 92))


def _caption(picture: Image.Image) -> None:
    """Whoever sees the picture, anywhere, sees that it is none of a real street."""
    pen = ImageDraw.Draw(picture, "RGBA")
    pen.rectangle((WIDTH - 330, 14, WIDTH - 14, 62), fill=(0, 0, 0, 150))
    pen.text((WIDTH - 172, 37), "จำลอง SIMULATED", font=font("Loma-Bold", 32), fill=(255, 214, 92), anchor="mm")
