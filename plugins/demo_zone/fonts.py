"""Thai fonts of the system."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from PIL import ImageFont

FOLDERS = (Path("/usr/share/fonts/truetype/tlwg"), Path("/usr/share/fonts/opentype/tlwg"))
PACKAGE = "fonts-thai-tlwg"


class FontMissing(Exception):
    """There is no Thai font."""

    def __init__(self, face: str) -> None:
        super().__init__(
            f"the Thai font {face} is not installed, and plates cannot be drawn: apt-get install {PACKAGE}"
        )


@cache
def font(face: str, size: int, folders: tuple[Path, ...] = FOLDERS) -> ImageFont.FreeTypeFont:
    """A face of the TLWG family, such as ``Loma-Bold``, ``size`` pixels high. Errors: ``FontMissing``."""
    for folder in folders:
        for ending in (".ttf", ".otf"):
            path = folder / f"{face}{ending}"
            if path.is_file():
                return ImageFont.truetype(str(path), size)
    raise FontMissing(face)
