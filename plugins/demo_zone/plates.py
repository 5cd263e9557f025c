"""Invented number plates of the demo, drawn from a seed: the same seed gives the same plates everywhere."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

COUNT = 4
_LETTERS = "กขงจชนบตพยรลวส"
"""Consonants that an engine for printed Thai tells apart in a plate 200 pixels wide."""
_PROVINCES = ("สุโขทัย", "พิษณุโลก", "ตาก", "นครสวรรค์", "กรุงเทพมหานคร", "เชียงใหม่", "ลำปาง", "แพร่")


@dataclass(frozen=True, slots=True)
class Plate:
    """Series (``กข`` or ``1กข``), number and province, as on the plate."""

    series: str
    number: str
    province: str

    @property
    def text(self) -> str:
        """Series and number as people write them."""
        return f"{self.series} {self.number}"


def plates_for(seed: int) -> list[Plate]:
    """The plates of one round of the scene, in the order in which they pass. All differ; the first is watched."""
    found: list[Plate] = []
    number = 0
    while len(found) < COUNT:
        plate = _drawn(f"{seed}:{number}")
        number += 1
        if all(plate.text != other.text and plate.number != other.number for other in found):
            found.append(plate)
    return found


def watched_plate(seed: int) -> Plate:
    """The plate that the demo puts on the watch-list; it passes first."""
    return plates_for(seed)[0]


def _drawn(key: str) -> Plate:
    """A hash instead of ``random``, whose choices may change between versions of Python."""
    digest = hashlib.sha256(f"plate {key}".encode()).digest()
    first, second = _LETTERS[digest[0] % len(_LETTERS)], _LETTERS[digest[1] % len(_LETTERS)]
    number = 1000 + int.from_bytes(digest[2:6]) % 9000
    return Plate(first + second, str(number), _PROVINCES[digest[6] % len(_PROVINCES)])
