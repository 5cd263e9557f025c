"""The door behind which plates are read: any reader takes a place in a picture and answers text or nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hub.vision.lattice import Lattice

TOLD = 5  # choices of each character that leave this process
Luma = NDArray[np.uint8]
Quad = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PlateText:
    """What stands on a plate. ``confidence`` 0..1: series and number are right. ``province`` may be empty, and so may
    ``series``, on a plate from abroad. ``lattice``: what each character may be, where the reader tells."""

    series: str
    number: str
    province: str
    confidence: float
    alternatives: tuple[PlateText, ...] = field(default=())
    lattice: Lattice = field(default=())

    @property
    def text(self) -> str:
        """Series and number, the key by which reads are compared."""
        return f"{self.series} {self.number}".lstrip()

    def as_data(self) -> dict[str, Any]:
        """JSON form, alternatives one level deep; of each character the likeliest."""
        flat = {"series": self.series, "number": self.number, "province": self.province}
        data: dict[str, Any] = {**flat, "confidence": round(self.confidence, 3)}
        if self.alternatives:
            data["alternatives"] = [other.as_data() for other in self.alternatives]
        if self.lattice:
            data["lattice"] = [[[letter, round(p, 3)] for letter, p in row[:TOLD]] for row in self.lattice]
        return data


@dataclass(frozen=True, slots=True, eq=False)
class PlateRead:
    """A plate that was read, and the corners of where it really is."""

    text: PlateText
    quad: Quad


class PlateReader(Protocol):
    """Reads one plate at a time. Called from several threads at once. ``refines``: it looks for the corners itself, so
    that a rough place is enough."""

    @property
    def refines(self) -> bool:
        """See the class."""
        ...

    def read(self, luma: Luma, quad: Quad) -> PlateRead | None:
        """The plate whose corners are about ``quad`` (float32 (4, 2), pixels, from top left clockwise) in
        ``luma`` (uint8 (H, W)); ``None`` when it cannot be read.

        Errors: ``Unavailable`` when the engine is missing or does not answer in time.
        """
        ...
