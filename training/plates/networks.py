"""The networks: where a plate's corners are, what stands in its upper row, and which province.

All take luma as float32 0..255 and take light and contrast out themselves. Small enough for a station's old computer:
together about a million weights.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hub.vision.lattice import ALPHABET
from hub.vision.provinces import PROVINCES
from training.plates.draw import SIZES
from training.plates.samples import COLUMNS

CLASSES = len(ALPHABET) + 1


class Level(nn.Module):
    """Mean out, deviation to one."""

    def forward(self, luma: Tensor) -> Tensor:
        """(N, 1, H, W) → the same shape."""
        mean = luma.mean((2, 3), keepdim=True)
        spread = (luma - mean).pow(2).mean((2, 3), keepdim=True).sqrt()
        return (luma - mean) / (spread + 4.0)


def conv(into: int, out: int, kernel: int | tuple[int, int] = 3, stride: int | tuple[int, int] = 1) -> nn.Sequential:
    """Convolution, normalisation, rectifier."""
    pad = (kernel // 2, kernel // 2) if isinstance(kernel, int) else (0, kernel[1] // 2)
    return nn.Sequential(
        nn.Conv2d(into, out, kernel, stride, pad, bias=False), nn.BatchNorm2d(out), nn.ReLU(inplace=True)
    )


class RowReader(nn.Module):
    """(N, 1, 48, 224) → (N, COLUMNS, CLASSES) logits."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            Level(), conv(1, 16, 5, 2), conv(16, 32), nn.MaxPool2d(2), conv(32, 64), conv(64, 96, 3, (2, 1)),
            conv(96, 128, 3, (2, 1)), conv(128, 160, (3, 3)),
        )  # fmt: skip
        self.around = nn.Sequential(nn.Conv1d(160, 160, 5, padding=2), nn.ReLU(inplace=True), nn.Dropout(0.1))
        self.head = nn.Conv1d(160, CLASSES, 1)

    def forward(self, top: Tensor) -> Tensor:
        """See the class."""
        seen = self.body(top).squeeze(2)
        return self.head(seen + self.around(seen)).transpose(1, 2)


class ProvinceReader(nn.Module):
    """(N, 1, 24, 128) → (N, 77) logits."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            Level(), conv(1, 16, 5, 2), conv(16, 32), nn.MaxPool2d(2), conv(32, 64), conv(64, 96, 3, (2, 1)),
            conv(96, 96, (3, 3), (1, 2)),
        )  # fmt: skip
        self.head = nn.Sequential(nn.Dropout(0.1), nn.Linear(96 * 16, len(PROVINCES)))

    def forward(self, bottom: Tensor) -> Tensor:
        """See the class."""
        return self.head(self.body(bottom).flatten(1))


class CornerFinder(nn.Module):
    """(N, 1, 64, 128) → (N, 12): x and y of four corners as fractions, the logits of "a plate" and of the layouts."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            Level(), conv(1, 16, 5, 2), conv(16, 32, 3, 2), conv(32, 48), conv(48, 64, 3, 2), conv(64, 64, 3, 2),
        )  # fmt: skip
        self.head = nn.Sequential(nn.Linear(64 * 4 * 8, 96), nn.ReLU(inplace=True), nn.Linear(96, 9 + len(SIZES)))

    def forward(self, picture: Tensor) -> Tensor:
        """See the class."""
        return self.head(self.body(picture).flatten(1))


def check() -> None:
    """The reader's columns are those of the samples."""
    with torch.no_grad():
        shape = RowReader().eval()(torch.zeros(1, 1, 48, 224)).shape
    assert shape == (1, COLUMNS, CLASSES), shape  # noqa: S101 - a slip of the pen, not of a user
