"""The door behind which plates are read: any reader takes one upright plate and answers text or nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class PlateText:
    """What stands on a plate. ``confidence`` 0..1: series and number are right. ``province`` may be empty."""

    series: str
    number: str
    province: str
    confidence: float
    alternatives: tuple[PlateText, ...] = field(default=())

    @property
    def text(self) -> str:
        """Series and number, the key by which reads are compared."""
        return f"{self.series} {self.number}"

    def as_data(self) -> dict[str, Any]:
        """JSON form, alternatives one level deep."""
        flat = {"series": self.series, "number": self.number, "province": self.province}
        data: dict[str, Any] = {**flat, "confidence": round(self.confidence, 3)}
        if self.alternatives:
            data["alternatives"] = [other.as_data() for other in self.alternatives]
        return data


class PlateReader(Protocol):
    """Reads one plate at a time. Called from several threads at once."""

    def read(self, plate: NDArray[np.uint8]) -> PlateText | None:
        """Text of ``plate``, luma uint8 (H, W), upright and filling the picture; ``None`` when it cannot be read.

        Errors: ``Unavailable`` when the engine is missing or does not answer in time.
        """
        ...
