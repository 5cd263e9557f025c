"""What a street, a night, a lens and a codec do to a picture. Luma 0..255, float32 in, uint8 out."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
Random = np.random.Generator


def lit(random: Random, picture: Picture) -> Picture:
    """Light: shade across, a shadow's edge, glare, dirt, night."""
    height, width = picture.shape
    if random.random() < 0.6:
        slope = random.uniform(-0.35, 0.35, 2)
        x, y = np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32)[:, None]
        picture = picture * (1 + slope[0] * x + slope[1] * y)
    if random.random() < 0.2:  # a shadow over a part
        corner = random.uniform(0, 1, (3, 2)) * (width * 1.5, height * 1.5)
        shade = np.ones((height, width), np.float32)
        cv2.fillConvexPoly(shade, corner.astype(np.int32), float(random.uniform(0.35, 0.8)))
        picture = picture * cv2.GaussianBlur(shade, (0, 0), random.uniform(0.5, 6))
    if random.random() < 0.15:
        spots = random.uniform(0, 1, (random.integers(3, 9), random.integers(4, 16))).astype(np.float32) ** 6
        picture = picture + (random.uniform(20, 160) - picture) * 0.8 * cv2.resize(spots, (width, height)).clip(0, 1)
    if random.random() < 0.1:
        x, y = np.meshgrid(np.arange(width), np.arange(height))
        near = ((x - random.uniform(0, width)) ** 2 + (y - random.uniform(0, height)) ** 2) / (0.25 * width) ** 2
        picture = picture + random.uniform(40, 160) * np.exp(-near).astype(np.float32)
    gain, lift = (random.uniform(0.2, 0.6), random.uniform(0, 40)) if random.random() < 0.3 else (
        random.uniform(0.7, 1.15), random.uniform(-15, 25)
    )  # fmt: skip
    return np.asarray(picture * gain + lift, np.float32)


def blurred(random: Random, picture: Picture, most: float = 2.2) -> Picture:
    """Out of focus, or moved."""
    lot = random.random()
    if lot < 0.5:
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), max(0.2, random.uniform(0, most))), np.float32)
    if lot < 0.65:
        length = int(random.integers(2, 3 + round(2.5 * most)))
        kernel = np.zeros((length, length), np.float32)
        angle = random.uniform(-0.5, 0.5)
        for step in np.linspace(-1, 1, 4 * length):
            down, across = (round((length - 1) / 2 * (1 + step * part)) for part in (np.sin(angle), np.cos(angle)))
            kernel[down, across] = 1
        return np.asarray(cv2.filter2D(picture, -1, kernel / kernel.sum()), np.float32)
    return picture


def coded(random: Random, picture: Picture) -> NDArray[np.uint8]:
    """The sensor's noise and a codec's blocks."""
    if random.random() < 0.7:
        picture = picture + random.standard_normal(picture.shape, np.float32) * np.float32(random.uniform(0.5, 10))
    seen = picture.clip(0, 255).astype(np.uint8)
    if random.random() < 0.4:
        _, bytes_ = cv2.imencode(".jpg", seen, (cv2.IMWRITE_JPEG_QUALITY, int(random.integers(25, 92))))
        seen = cv2.imdecode(bytes_, cv2.IMREAD_GRAYSCALE)
    return np.asarray(seen, np.uint8)


def background(random: Random, height: int, width: int) -> Picture:
    """A body's paint, a bumper's edges, leaves, or nothing."""
    base = np.full((height, width), random.uniform(0, 255), np.float32)
    if random.random() < 0.6:
        rough = random.uniform(-60, 60, (random.integers(2, 9), random.integers(2, 9))).astype(np.float32)
        base += cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(int(random.integers(0, 7))):
        a, b = ((random.uniform(-0.2, 1.2, 2) * (width, height)).astype(int).tolist() for _ in range(2))
        if random.random() < 0.5:
            cv2.line(base, a, b, float(random.uniform(0, 255)), int(random.integers(1, 9)))
        else:
            cv2.rectangle(base, a, b, float(random.uniform(0, 255)), int(random.choice((-1, 1, 2, 4))))
    if random.random() < 0.25:
        leaves = random.uniform(-70, 70, (height // 3 + 1, width // 3 + 1)).astype(np.float32)
        base += cv2.resize(leaves, (width, height))
    return base
