"""Scenes for the motion benchmark: a labelled folder, and perturbations of it written as code with a seed.

The folder is a scene of CDnet (Goyette and others 2012; Wang and others 2014): ``input/in%06d.jpg``,
``groundtruth/gt%06d.png`` (0 background, 50 shadow, 85 outside, 170 unknown, 255 moving) and ``ROI.bmp``.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Luma = NDArray[np.uint8]
Light = NDArray[np.float32]
SEED = 5
OUTSIDE, UNKNOWN, MOVING = 85, 170, 255


@dataclass(frozen=True, slots=True)
class Scene:
    """``frames`` uint8 (N, H, W), numbered from 1; ``truths`` by number; ``inside`` bool (H, W) of the ROI."""

    frames: Luma
    truths: dict[int, Luma]
    inside: NDArray[np.bool_]


def grey(path: Path) -> Luma:
    """Luma of a picture file."""
    return np.asarray(Image.open(path).convert("L"), np.uint8)


def load(folder: Path) -> Scene:
    """The scene of a folder."""
    paths = sorted((folder / "input").glob("in*.jpg"))
    frames = np.stack([grey(path) for path in paths])
    inside = grey(folder / "ROI.bmp")[: frames.shape[1], : frames.shape[2]] > 0
    truths = {int(path.stem[2:]): grey(path) for path in (folder / "groundtruth").glob("gt*.png")}
    return Scene(frames, dict(sorted(truths.items())), inside)


Change = Callable[[Light, int, np.random.Generator], Light]


def clean(light: Light, n: int, rng: np.random.Generator) -> Light:
    """As it is."""
    return light


def night(light: Light, n: int, rng: np.random.Generator) -> Light:
    """A fifth of the light, and the noise of a high gain."""
    return light * 0.2 + 6 + rng.normal(0, 3, light.shape).astype(np.float32)


def _smooth_field(n: int, height: int, width: int) -> Light:
    """Soft shapes drifting over the picture, -1 … 1."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / height
    drift = n * 0.01
    field = np.sin(3.1 * (x + drift)) * np.cos(2.3 * (y - 0.4 * drift)) + np.sin(1.7 * (x - y) + 2.1 * drift)
    return np.asarray(field / 2, np.float32)


def cloud(light: Light, n: int, rng: np.random.Generator) -> Light:
    """Clouds: light falls to half within two seconds, and their soft edges drift over the picture."""
    whole = 0.8 + 0.2 * math.sin(n / 12.0)
    return light * (whole * (1 + 0.2 * _smooth_field(n, *light.shape)))


def exposure(light: Light, n: int, rng: np.random.Generator) -> Light:
    """The automatic exposure steps every 25 pictures."""
    return light * (1.0, 0.65, 1.3, 0.8, 1.5, 0.55)[n // 25 % 6]


def flash(light: Light, n: int, rng: np.random.Generator) -> Light:
    """Lightning: two pictures of every thirty are far brighter."""
    return light * 1.6 + 40 if n % 30 < 2 else light


def rain(light: Light, n: int, rng: np.random.Generator) -> Light:
    """A hundred and twenty bright slanting streaks a picture, one to two pixels wide, and a veil."""
    light = light * 0.9 + 15
    height, width = light.shape
    scale = height / 240
    for _ in range(120):
        length, x, y = rng.uniform(8, 28) * scale, rng.uniform(0, width), rng.uniform(-10, height)
        strength, wide = rng.uniform(0.15, 0.5), int(rng.integers(1, 3))
        along = np.arange(int(length))
        rows = (y + along).astype(int)
        for side in range(max(1, round(wide * scale))):
            columns = (x + 0.2 * along).astype(int) + side
            good = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
            light[rows[good], columns[good]] += strength * (230 - light[rows[good], columns[good]])
    return light


def glow(light: Light, n: int, rng: np.random.Generator) -> Light:
    """Headlights beyond the picture: two soft lights sweep over the ground, which reflects them."""
    height, width = light.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    for phase, speed, size in ((0.0, 0.021, 0.16), (0.5, 0.013, 0.22)):
        along = (phase + n * speed) % 1.4 - 0.2
        cx, cy = along * width, (0.75 - 0.5 * along) * height
        near = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * (size * height) ** 2))
        light = light * (1 + 0.7 * near) + 12 * near
    return light


def irswitch(light: Light, n: int, rng: np.random.Generator) -> Light:
    """Every 150 pictures the camera goes over to infrared and back: other tones, a lamp in the middle, noise."""
    if n // 150 % 2 == 0:
        return light
    height, width = light.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    lamp = np.exp(-((x / width - 0.5) ** 2 + (y / height - 0.6) ** 2) * 3)
    tones = 70 + 60 * np.sin(light / 255 * 4.0)
    return np.asarray(tones * lamp + rng.normal(0, 2, light.shape), np.float32)


def shift(n: int, height: int) -> tuple[int, int]:
    """How far picture ``n`` is shaken, in pixels down and right: up to two at a height of 240."""
    reach = max(1, round(2 * height / 240))
    rng = np.random.default_rng([SEED, n, 77])
    return int(rng.integers(-reach, reach + 1)), int(rng.integers(-reach, reach + 1))


def shifted(picture: Luma, down: int, right: int) -> Luma:
    """The picture moved; its border is repeated."""
    height, width = picture.shape
    rows = np.clip(np.arange(height) - down, 0, height - 1)
    columns = np.clip(np.arange(width) - right, 0, width - 1)
    return np.ascontiguousarray(picture[rows][:, columns])


CHANGES: dict[str, Change] = {
    "clean": clean, "night": night, "cloud": cloud, "exposure": exposure, "flash": flash, "rain": rain,
    "jitter": clean, "glow": glow, "irswitch": irswitch,
}  # fmt: skip


def perturbed(name: str, frame: Luma, n: int) -> Luma:
    """Picture ``n`` of a scene under perturbation ``name``: always the same one."""
    if name == "clean":
        return frame
    if name == "jitter":
        return shifted(frame, *shift(n, frame.shape[0]))
    rng = np.random.default_rng([SEED, n, sum(name.encode())])
    light = CHANGES[name](frame.astype(np.float32), n, rng)
    return np.asarray(np.clip(light + 0.5, 0, 255), np.uint8)


def truth_of(name: str, truth: Luma, n: int) -> Luma:
    """The truth of a perturbed picture: it shakes with the camera."""
    return shifted(truth, *shift(n, truth.shape[0])) if name == "jitter" else truth


def counts(found: NDArray[np.bool_], truth: Luma, inside: NDArray[np.bool_]) -> NDArray[np.int64]:
    """True positives, false positives, false negatives by pixel, where the truth is known."""
    counted = inside & (truth != OUTSIDE) & (truth != UNKNOWN)
    moving = truth == MOVING
    return np.array(
        [(found & moving & counted).sum(), (found & ~moving & counted).sum(), (~found & moving & counted).sum()]
    )


def false_boxes(boxes: list[tuple[int, int, int, int]], truth: Luma, inside: NDArray[np.bool_]) -> int:
    """How many boxes (x0, y0, x1, y1 in pixels) lie in the ROI and hold nothing that moves, known or not."""
    number = 0
    for x0, y0, x1, y1 in boxes:
        part = truth[y0:y1, x0:x1]
        if part.size and inside[y0:y1, x0:x1].mean() > 0.5 and not ((part == MOVING) | (part == UNKNOWN)).any():
            number += 1
    return number


def street(height: int, width: int) -> Iterator[Luma]:
    """A street for the clock, without end: still texture, the sensor's noise, six things that drive through."""
    rng = np.random.default_rng(SEED)
    coarse = rng.integers(60, 160, (6, 8)).repeat(height // 6 + 1, 0).repeat(width // 8 + 1, 1)[:height, :width]
    base = (coarse + rng.integers(-20, 21, (height, width))).astype(np.int16)
    noise = [rng.integers(-3, 4, (height, width), dtype=np.int16) for _ in range(5)]
    for n in itertools.count():
        frame = base + noise[n % 5]
        for i in range(6):
            x = (i * width // 6 + n * width // 160) % (width + width // 4) - width // 8
            y = height * (i + 1) // 8
            frame[y : y + height // 12, max(x, 0) : max(x + width // 14, 0)] = 30 + 40 * i
        yield np.clip(frame, 0, 255).astype(np.uint8)
