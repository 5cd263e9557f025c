"""From a picture to a plate's row of classes and its province, with the networks as they are trained."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from training.plates.draw import CAR, SIZES
from training.plates.networks import CornerFinder, ProvinceReader, RowReader
from training.plates.samples import BOTTOM, BOTTOM_OF, FIRST_OF, NAME_OF, SECOND_OF, TOP, TOP_OF, WHOLE, part

MARGIN = 0.12  # around the plate in the second look
Luma = NDArray[np.uint8]
Quad = NDArray[np.float32]


@torch.no_grad()
def _told(model: nn.Module, picture: Luma) -> NDArray[np.float32]:
    made: NDArray[np.float32] = model(torch.from_numpy(picture)[None, None].float()).numpy()[0]
    return made


def corners_in(model: CornerFinder, luma: Luma) -> tuple[Quad, float, int]:
    """Corners in pixels, how sure a plate is there, and its layout: looked for twice."""
    height, width = luma.shape
    small = cv2.resize(luma, (WHOLE[1], WHOLE[0]), interpolation=cv2.INTER_AREA)
    told = _told(model, np.asarray(small, np.uint8))
    quad = told[:8].reshape(4, 2) * np.float32((width, height))
    return refined(model, luma, quad)


def refined(model: CornerFinder, luma: Luma, quad: Quad) -> tuple[Quad, float, int]:
    """The same in the picture that the first corners straighten, with a margin."""
    m = MARGIN
    outer = np.array([[-m, -m], [1 + m, -m], [1 + m, 1 + m], [-m, 1 + m]], np.float32)
    to = cv2.getPerspectiveTransform(np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32), quad)
    wide = cv2.perspectiveTransform(outer[None], to)[0]
    told = _told(model, part(luma, wide, (0.0, 1.0), WHOLE))
    back = cv2.getPerspectiveTransform(np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32), wide)
    found = cv2.perspectiveTransform(told[None, :8].reshape(1, 4, 2), back)[0]
    sure = 1 / (1 + float(np.exp(-told[8])))
    return np.asarray(found, np.float32), sure, int(told[9] > 0)


def softmax(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Over the last axis."""
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float32)


def read(
    row: RowReader, province: ProvinceReader, luma: Luma, quad: Quad, layout: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Probabilities: (columns, classes) of the upper row, and of the provinces."""
    wide = float(np.linalg.norm(quad[1] - quad[0]) + np.linalg.norm(quad[2] - quad[3])) / 2
    shrunk = wide / (1.2 * SIZES[layout][1])  # a much larger plate would be sampled too sparsely
    if shrunk > 1.5:
        luma = np.asarray(cv2.resize(luma, None, fx=1 / shrunk, fy=1 / shrunk, interpolation=cv2.INTER_AREA), np.uint8)
        quad = quad / np.float32(shrunk)
    if layout == CAR:
        top, bottom = part(luma, quad, TOP_OF, TOP), part(luma, quad, BOTTOM_OF, BOTTOM)
    else:
        half = (TOP[0], TOP[1] // 2)
        top = np.hstack([part(luma, quad, FIRST_OF, half), part(luma, quad, SECOND_OF, half)])
        bottom = part(luma, quad, NAME_OF, BOTTOM)
    return softmax(_told(row, top)), softmax(_told(province, bottom))
