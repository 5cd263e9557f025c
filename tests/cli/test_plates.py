"""``hub plates read`` on files: a picture the demo zone draws, one without a plate, and what is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from plugins.demo_zone import cars, fonts
from plugins.demo_zone.plates import Plate
from tests.cli.hubctl import hub

FONT = any((folder / f"Loma-Bold{end}").is_file() for folder in fonts.FOLDERS for end in (".ttf", ".otf"))
needs_font = pytest.mark.skipif(not FONT, reason=f"needs a Thai font: apt-get install {fonts.PACKAGE}")


@needs_font
def test_plates_in_files_are_read_and_what_is_no_picture_is_named(tmp_path: Path) -> None:
    street = Image.new("L", (640, 360), 70)
    street.paste(cars.draw_plate(Plate("1กข", "1234", "สุโขทัย")).convert("L").resize((240, 106)), (200, 180))
    street.save(tmp_path / "street.png")
    Image.new("L", (640, 360), 70).save(tmp_path / "empty.jpg")
    (tmp_path / "notes.txt").write_text("no picture")
    files = [tmp_path / name for name in ("street.png", "empty.jpg", "notes.txt", "missing.jpg")]

    said = hub("plates", "read", "--json", *files)
    first, second = (json.loads(line) for line in said.lines)
    (plate,) = first["plates"]
    assert (first["file"], first["width"], first["height"]) == (str(files[0]), 640, 360)
    assert (plate["series"], plate["number"], plate["province"]) == ("1กข", "1234", "สุโขทัย")
    assert plate["box"] == pytest.approx([200 / 640, 180 / 360, 240 / 640, 106 / 360], abs=0.03)
    assert [choices[0][0] for choices in plate["lattice"]] == list("1กข1234")
    assert second["plates"] == []
    assert said.status == 1
    told = said.err.splitlines()
    assert told[0].startswith(f"hub: {files[2]}: ") and "picture" in told[0]
    assert told[1] == f"hub: {files[3]}: No such file or directory"

    words = hub("plates", "read", files[0], files[1])
    assert words.status == 0
    assert words.lines[0].startswith(f"{files[0]}: 1กข 1234 สุโขทัย (") and words.lines[1] == f"{files[1]}: no plate"
