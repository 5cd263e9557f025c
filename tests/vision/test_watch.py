"""All that is told of a source's pictures, from the pictures on: who crosses, who stays, and what the camera is."""

from __future__ import annotations

import io
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from hub.vision.analysis import Analysis
from hub.vision.picture import StillPicture
from hub.vision.spec import Area, Line, MotionSettings, parse


def picture(*blocks: tuple[int, int, int]) -> NDArray[np.uint8]:
    """A grey street with dark squares: x, y, side."""
    scene = (np.random.default_rng(4).integers(100, 130, (80, 107)).repeat(3, 0).repeat(3, 1)[:240, :320]).astype("u1")
    for x, y, side in blocks:
        scene[y : y + side, x : x + side] = 20
    return scene


def still(luma: NDArray[np.uint8]) -> StillPicture:
    kept = io.BytesIO()
    Image.fromarray(luma).save(kept, "PNG")
    return StillPicture(kept.getvalue())


def emitted(settings: MotionSettings, pictures: Iterable[NDArray[np.uint8]]) -> list[tuple[str, dict[str, Any]]]:
    """What the analysis of a source tells of five pictures a second."""
    told: list[tuple[str, dict[str, Any]]] = []
    spec = replace(parse({"key": "k", "url": "rtsp://h/s", "analyse": ["motion"]}), motion=settings)
    with ThreadPoolExecutor(1) as pool:
        analysis = Analysis(spec, lambda name, data, _: told.append((name, data)), pool)
        for number, luma in enumerate(pictures):
            analysis.take(still(luma), number / 5)
    return told


def scenes_told(settings: MotionSettings, pictures: Iterable[NDArray[np.uint8]]) -> list[tuple[str, float]]:
    return [(data["scene"], data["at"]) for name, data in emitted(settings, pictures) if name == "scene"]


def test_a_lens_that_is_covered_is_told_when_it_lasts_and_when_it_is_free_again() -> None:
    dark = np.full((240, 320), 4, np.uint8)
    told = scenes_told(MotionSettings(), [picture()] * 50 + [dark] * 30 + [picture()] * 30)
    assert [scene for scene, _ in told] == ["dark", "ok"]
    assert told[0][1] == pytest.approx(50 / 5 + 2, abs=0.4) and told[1][1] == pytest.approx(80 / 5 + 2, abs=0.4)
    assert scenes_told(MotionSettings(), [picture()] * 50 + [dark] * 8 + [picture()] * 30) == []  # a truck
    assert scenes_told(MotionSettings(tamper=False), [picture()] * 50 + [dark] * 30) == []


def view(seed: int) -> NDArray[np.uint8]:
    """Another part of the town for each seed."""
    houses = np.random.default_rng(seed).integers(40, 220, (13, 17), np.uint8).repeat(20, 0).repeat(20, 1)
    return np.ascontiguousarray(houses[seed * 7 : seed * 7 + 240, seed * 5 : seed * 5 + 320])


def test_a_camera_that_is_turned_is_told_at_once_and_floods_nothing() -> None:
    told = emitted(MotionSettings(), [view(1)] * 50 + [view(2)] * 60)
    assert [(name, data.get("scene"), data["at"]) for name, data in told] == [("scene", "moved", 10.0)]


def walks(xs: Iterable[int], y: int = 120) -> list[NDArray[np.uint8]]:
    return [picture((x, y, 30)) for x in xs]


def test_who_crosses_a_line_is_told_with_the_way() -> None:
    gate = Line("gate", (0.5, 1.0), (0.5, 0.0))  # upwards: to the right is to the right
    pictures = [picture()] * 20 + walks(range(20, 270, 12)) + [picture()] * 15 + walks(range(260, 20, -12))
    told = [data for name, data in emitted(MotionSettings(lines=(gate,)), pictures) if name == "passed"]
    assert [(one["what"], one["name"], one["way"]) for one in told] == [
        ("crossed", "gate", "right"), ("crossed", "gate", "left")
    ]  # fmt: skip


def test_who_stays_in_an_area_is_told_once() -> None:
    bank = Area("bank", ((0.3, 0.3), (0.7, 0.3), (0.7, 0.9), (0.3, 0.9)), 4.0)
    to_and_fro = [110 + 12 * (n % 5) if n // 5 % 2 == 0 else 158 - 12 * (n % 5) for n in range(50)]
    told = [data for name, data in emitted(MotionSettings(areas=(bank,)), [picture()] * 20 + walks(to_and_fro))
            if name == "passed"]  # fmt: skip
    assert [(one["what"], one["name"]) for one in told] == [("stayed", "bank")]
    assert 4.0 <= told[0]["seconds"] < 4.5


