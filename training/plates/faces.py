"""Free typefaces with looped Thai letters, from Debian's and npm's packages: named here, never part of the project.

``HELD_OUT`` is never trained on: the model card's figures by letter come from it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path

from PIL import ImageFont

FOLDER = Path(os.environ.get("PLATE_FONTS", Path(__file__).parent / "node_modules"))
DEBIAN = Path("/usr/share/fonts/truetype")


@dataclass(frozen=True, slots=True)
class Face:
    """``thai``: the file of the letters; ``latin``: of the digits (another for faces cut into subsets)."""

    name: str
    thai: Path
    latin: Path


def _debian(folder: str, *names: str) -> list[Face]:
    return [Face(name, path, path) for name in names if (path := DEBIAN / folder / f"{name}.ttf").is_file()]


def _fontsource(*names: str, weights: tuple[int, ...] = (500, 600, 700)) -> list[Face]:
    made = []
    for name in names:
        files = FOLDER / "@fontsource" / name / "files"
        for weight in weights:
            thai, latin = (files / f"{name}-{part}-{weight}-normal.woff2" for part in ("thai", "latin"))
            if thai.is_file() and latin.is_file():
                made.append(Face(f"{name}-{weight}", thai, latin))
    return made


def looped() -> list[Face]:
    """Faces for the letters."""
    found = [
        *_debian("tlwg", "Garuda", "Garuda-Bold", "Loma", "Loma-Bold", "Norasi-Bold", "Kinnari-Bold", "Waree",
                 "Waree-Bold", "Umpush", "Umpush-Bold", "Sawasdee", "Sawasdee-Bold", "TlwgTypo-Bold", "TlwgMono-Bold",
                 "TlwgTypist-Bold", "TlwgTypewriter-Bold"),
        *_debian("arundina", "ArundinaSans", "ArundinaSans-Bold", "ArundinaSansMono-Bold", "ArundinaSerif-Bold"),
        *_fontsource("sarabun", "niramit", "ibm-plex-sans-thai-looped", "trirong", "maitree", "noto-serif-thai"),
        *_fontsource("mali", weights=(500, 600)),
    ]  # fmt: skip
    if not found:
        raise SystemExit(f"no faces: apt-get install fonts-thai-tlwg fonts-arundina, and npm ci in {FOLDER.parent}")
    return found


def held_out() -> list[Face]:
    """Two faces for the figures."""
    return [*_debian("tlwg", "Laksaman-Bold"), *_fontsource("noto-sans-thai-looped", weights=(600,))]


def digits() -> list[Face]:
    """Faces for the digits: loops do not matter there."""
    others = ("kanit", "prompt", "k2d", "mitr", "bai-jamjuree", "athiti", "krub", "chakra-petch", "koho", "anuphan")
    return [*looped(), *_fontsource(*others)]


@cache
def font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    """A file at a size in pixels; woff2 is unpacked in memory."""
    if path.suffix == ".ttf":
        return ImageFont.truetype(str(path), size)
    from fontTools.ttLib import TTFont

    unpacked, whole = BytesIO(), TTFont(path)
    whole.flavor = None
    whole.save(unpacked)
    unpacked.seek(0)
    return ImageFont.truetype(unpacked, size)
