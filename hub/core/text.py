"""Words for the screen, in both languages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """One phrase: Thai first, English beside it."""

    th: str
    en: str

    def as_data(self) -> dict[str, str]:
        """JSON form."""
        return {"th": self.th, "en": self.en}
