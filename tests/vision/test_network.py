"""The reader on plates that the demo zone draws, and what is made of its columns."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from hub.kernels.plate import rectify
from hub.vision.lattice import ALPHABET, symbols
from hub.vision.network import NetworkReader, whole
from hub.vision.plates import PlateFinder, read_picture
from plugins.demo_zone import cars, fonts
from plugins.demo_zone.plates import Plate

FONT = any((folder / f"Loma-Bold{end}").is_file() for folder in fonts.FOLDERS for end in (".ttf", ".otf"))
needs_font = pytest.mark.skipif(not FONT, reason=f"needs a Thai font: apt-get install {fonts.PACKAGE}")
PLATES = (Plate("1กข", "1234", "สุโขทัย"), Plate("ผต", "87", "พิษณุโลก"), Plate("9ทย", "5061", "กรุงเทพมหานคร"))
Luma = NDArray[np.uint8]


@pytest.fixture(scope="module")
def reader() -> NetworkReader:
    return NetworkReader()


def drawn(plate: Plate, wide: int = 240) -> Luma:
    grey = cars.draw_plate(plate).convert("L")
    return np.asarray(grey.resize((wide, round(wide * grey.height / grey.width))), np.uint8)


def street(*plates: tuple[Luma, int, int]) -> Luma:
    """Plates (picture, left, top) in a grey street of 1280 × 720."""
    picture = np.random.default_rng(3).integers(50, 90, (720, 1280)).astype(np.uint8)
    for luma, left, top in plates:
        picture[top : top + luma.shape[0], left : left + luma.shape[1]] = luma
    return picture


@needs_font
@pytest.mark.parametrize("plate", PLATES, ids=lambda plate: plate.number)
def test_a_plate_is_read(reader: NetworkReader, plate: Plate) -> None:
    luma = np.pad(drawn(plate), 30, constant_values=70)
    read = reader.read(luma, whole(luma))
    assert read is not None
    assert (read.text.series, read.text.number, read.text.province) == (plate.series, plate.number, plate.province)
    assert read.text.confidence > 0.5
    height, width = luma.shape
    corners = np.array([[30, 30], [width - 30, 30], [width - 30, height - 30], [30, height - 30]])
    assert np.abs(read.quad - corners).max() < 0.05 * width  # of where the plate really is


@needs_font
def test_a_plate_seen_from_aside_is_read(reader: NetworkReader) -> None:
    luma = np.pad(drawn(PLATES[0]), 40, constant_values=70)
    aside = np.array([[-20, -30], [300, 20], [310, 190], [-10, 170]], np.float32)
    seen = rectify(luma, aside, 150, 300)
    read = reader.read(seen, whole(seen))
    assert read is not None and read.text.text == "1กข 1234"


@needs_font
def test_plates_in_a_street_are_read_once_each(reader: NetworkReader) -> None:
    picture = street((drawn(PLATES[0]), 120, 420), (drawn(PLATES[2], 160), 800, 300))
    found = read_picture(PlateFinder(rough=True), reader, picture)
    assert sorted(one.text.text for one in found) == ["1กข 1234", "9ทย 5061"]
    left, top, right, bottom = next(one.candidate.plate for one in found if one.text.series == "1กข")
    assert abs(left - 120) < 12 and abs(top - 420) < 12 and abs(right - 360) < 12 and bottom - top < 130


def test_where_nothing_is_nothing_is_read(reader: NetworkReader) -> None:
    assert read_picture(PlateFinder(rough=True), reader, street()) == []
    grey = np.asarray(Image.new("L", (300, 120), 128), np.uint8)
    assert reader.read(grey, whole(grey)) is None


def columns(*parts: tuple[str, int]) -> NDArray[np.float32]:
    """Columns that are sure of a letter (blank: a space) for so many."""
    made = np.full((sum(count for _, count in parts), len(ALPHABET) + 1), 0.0005, np.float32)
    at = 0
    for letter, count in parts:
        made[at : at + count, 0 if letter == " " else ALPHABET.index(letter) + 1] = 0.97
        at += count
    return made


def told(made: NDArray[np.float32]) -> str:
    return "".join(symbol.choices[0][0] for symbol in symbols(made))


def test_columns_become_characters() -> None:
    apart = columns((" ", 3), ("1", 3), (" ", 1), ("ก", 4), (" ", 1), ("ก", 4), (" ", 5), ("7", 3), (" ", 1))
    assert told(apart) == "1กก7"
    assert told(columns((" ", 10))) == ""
    # two that touch, without a column between them
    touching = columns(("ก", 4), (" ", 1), ("ข", 4), ("ค", 4), (" ", 1), ("1", 4))
    assert told(touching) == "กขค1"


def test_a_doubtful_character_keeps_its_alternatives() -> None:
    made = columns((" ", 2), ("ฎ", 4), (" ", 2))
    made[2:6, ALPHABET.index("ฏ") + 1] = 0.4
    made[2:6, ALPHABET.index("ฎ") + 1] = 0.57
    (symbol,) = symbols(made)
    assert (symbol.first, symbol.last) == (2, 6)
    assert [letter for letter, _ in symbol.choices[:2]] == ["ฎ", "ฏ"]
    assert symbol.choices[1][1] == pytest.approx(0.4 / 0.97, abs=0.02)
