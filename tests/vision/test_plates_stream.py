"""Plates over a real RTSP stream and in single pictures. The pictures come from HUB_TEST_DATA."""

from __future__ import annotations

import csv
import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hub.core.error import InvalidInput, Unavailable
from hub.vision.network import MISSING, NetworkReader
from tests.vision.conftest import MakeCamera, Rgb, Vision

DATA = Path(os.environ.get("HUB_TEST_DATA", "/nonexistent")) / "plates-thai"
needs_plates = pytest.mark.skipif(
    not (DATA / "labels.tsv").is_file(), reason="needs HUB_TEST_DATA with plates-thai"
)
CLEAR = ("1aaaa6110CO.jpg", "1aaag5412BT.jpg", "1aaaa6628BH.jpg")


def labels() -> dict[str, dict[str, str]]:
    """Truth by file name."""
    with (DATA / "labels.tsv").open(encoding="utf-8", newline="") as table:
        return {row["file"]: row for row in csv.DictReader(table, delimiter="\t")}


def street(name: str | None, at: tuple[int, int] = (180, 160)) -> Rgb:
    """A dark textured street of 640 × 480 with a plate's picture in it, 220 pixels wide."""
    noise = np.random.default_rng(3).integers(0, 30, (480, 640, 1))
    picture = Image.fromarray((noise + 40).astype(np.uint8).repeat(3, axis=2))
    if name is not None:
        plate = Image.open(DATA / name).convert("RGB")
        picture.paste(plate.resize((220, round(220 * plate.height / plate.width))), at)
    return np.asarray(picture)


@needs_plates
async def test_each_plate_of_a_stream_is_told_once(camera: MakeCamera, vision: Vision) -> None:
    truth = labels()
    frames = [f for name in CLEAR for f in (street(name), street(None))]
    cam = camera(frames, fps=10, hold=25)
    await vision.call(
        "open", {"key": "g", "url": cam.url(), "analyse": ["plate"], "plate": {"min_interval_s": 600}, "fps": 5}
    )
    for name in CLEAR:
        row = truth[name]
        _, told, crop = await vision.told("plate", limit=45, key="g", series=row["series"], number=row["number"])
        assert told["confidence"] > 0.5
        assert all(other["confidence"] <= told["confidence"] for other in told["alternatives"])
        x, y, w, h = (told["box"][i] * (640, 480)[i % 2] for i in range(4))
        assert 172 <= x <= 190 and 152 <= y <= 170 and 205 <= w <= 230 and 85 <= h <= 108
        cut = Image.open(io.BytesIO(crop))
        assert w * 1.9 <= cut.width <= w * 2.3 and cut.height > h * 1.9  # 0.6 of its width around it
    seen = [(d["series"], d["number"]) for n, d, _ in vision.seen if n == "plate"]
    assert sorted(seen) == sorted(
        (truth[n]["series"], truth[n]["number"]) for n in CLEAR
    )  # 12 pictures each, told once


@needs_plates
async def test_one_picture_is_read(vision: Vision) -> None:
    row = labels()[CLEAR[0]]
    result = (await vision.call("read", {}, (DATA / CLEAR[0]).read_bytes())).header["result"]
    assert [(p["series"], p["number"]) for p in result["plates"]] == [(row["series"], row["number"])]
    empty = io.BytesIO()
    Image.fromarray(street(None)).save(empty, "PNG")
    assert (await vision.call("read", {}, empty.getvalue())).header["result"]["plates"] == []


async def test_what_is_no_picture_is_refused(vision: Vision) -> None:
    for blob in (b"", b"GIF89a....", b"\xff\xd8\xff\xe0 broken", os.urandom(2000)):
        with pytest.raises(InvalidInput):
            await vision.call("read", {}, blob)


def test_without_its_networks_the_reader_says_so(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=MISSING):
        NetworkReader(tmp_path)
