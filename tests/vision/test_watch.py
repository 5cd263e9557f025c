"""All that is told of a source's pictures, from the pictures on: who crosses, who stays, and what the camera is."""

from __future__ import annotations

import io
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from av import VideoFrame
from av.video.reformatter import ColorRange
from numpy.typing import NDArray
from PIL import Image

from hub.vision.analysis import Analysis
from hub.vision.motion import MotionWatch
from hub.vision.passing import PassingWatch
from hub.vision.picture import StillPicture, StreamPicture
from hub.vision.spec import Area, Line, MotionSettings, parse
from hub.vision.tamper import TamperWatch
from hub.vision.tracking import MOST_TRACKS, Fractions


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
    assert told[0] == ("ok", 2.0)  # an earlier process may have said otherwise
    assert [scene for scene, _ in told[1:]] == ["dark", "ok"]
    assert told[1][1] == pytest.approx(50 / 5 + 2, abs=0.4) and told[2][1] == pytest.approx(80 / 5 + 2, abs=0.4)
    assert scenes_told(MotionSettings(), [picture()] * 50 + [dark] * 8 + [picture()] * 30) == [("ok", 2.0)]  # a truck
    assert scenes_told(MotionSettings(tamper=False), [picture()] * 50 + [dark] * 30) == []


def view(seed: int) -> NDArray[np.uint8]:
    """Another part of the town for each seed."""
    houses = np.random.default_rng(seed).integers(40, 220, (13, 17), np.uint8).repeat(20, 0).repeat(20, 1)
    return np.ascontiguousarray(houses[seed * 7 : seed * 7 + 240, seed * 5 : seed * 5 + 320])


def test_a_camera_that_is_turned_is_told_at_once_and_floods_nothing() -> None:
    told = emitted(MotionSettings(), [view(1)] * 50 + [view(2)] * 60)
    assert [(name, data.get("scene"), data["at"]) for name, data in told] == [
        ("scene", "ok", 2.0), ("scene", "moved", 10.0)
    ]  # fmt: skip


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


def test_who_is_hidden_on_the_line_has_crossed_it_all_the_same() -> None:
    gate = Line("gate", (0.5, 1.0), (0.5, 0.0))
    watch = PassingWatch(MotionSettings(lines=(gate,)), 5.0)
    steps: list[list[Fractions]] = [[(0.3, 0.4, 0.1, 0.2)], [(0.38, 0.4, 0.1, 0.2)], [], [], [(0.6, 0.4, 0.1, 0.2)]]
    told = [watch.look(boxes, n / 5) for n, boxes in enumerate(steps)]
    assert [[one.way for one in row] for row in told] == [[], [], [], [], ["right"]]


def test_who_sways_on_a_line_crosses_it_once() -> None:
    gate = Line("gate", (0.5, 1.0), (0.5, 0.0))
    watch = PassingWatch(MotionSettings(lines=(gate,)), 5.0)
    feet = [0.40, 0.45, 0.495, 0.508, 0.493, 0.507, 0.495, 0.509, 0.55, 0.60]
    told = [one.way for n, x in enumerate(feet) for one in watch.look([(x - 0.05, 0.4, 0.1, 0.2)], n / 5)]
    assert told == ["right"]


@pytest.mark.parametrize(("every_s", "stays_s"), [(0.2, 12.0), (10.0, 60.0)])
def test_a_camera_of_few_pictures_sees_who_stays(every_s: float, stays_s: float) -> None:
    spec = parse({"key": "k", "url": "http://h/s", "analyse": ["motion"], "every_s": every_s, "fps": 5})
    assert spec.rate == pytest.approx(1 / every_s)
    bank = Area("bank", ((0.3, 0.3), (0.7, 0.3), (0.7, 0.9), (0.3, 0.9)), stays_s - every_s)
    watch = PassingWatch(MotionSettings(areas=(bank,)), spec.rate)
    told = [
        one for n in range(round(stays_s / every_s) + 1) for one in watch.look([(0.45, 0.4, 0.1, 0.2)], n * every_s)
    ]
    assert [(one.what, one.name) for one in told] == [("stayed", "bank")]
    assert told[0].seconds == pytest.approx(stays_s - every_s, abs=0.3)


def test_a_clock_that_is_set_back_stops_nothing() -> None:
    gate = Line("gate", (0.5, 1.0), (0.5, 0.0))
    bank = Area("bank", ((0.3, 0.3), (0.7, 0.3), (0.7, 0.9), (0.3, 0.9)), 1.0)
    watch = PassingWatch(MotionSettings(lines=(gate,), areas=(bank,)), 5.0)
    watch.look([(0.015 * n, 0.0, 0.01, 0.01) for n in range(MOST_TRACKS)], 3600.0)  # all that are followed at once
    told = [one for n in range(8) for one in watch.look([(0.3 + 0.04 * n, 0.4, 0.1, 0.2)], n / 5)]
    assert [(one.what, one.way) for one in told] == [("crossed", "right"), ("stayed", "")]
    motion = MotionWatch(MotionSettings(), 5.0)
    for n in range(12):
        motion.look(picture() if n < 10 else picture((100, 100, 40)), 3600.0 + n / 5)
    ends = [motion.look(picture(), n / 5) for n in range(14)]
    assert [n for n, change in enumerate(ends) if change is not None and not change.moving] == [10]
    tamper = TamperWatch()
    assert [tamper.look("covered", at) for at in (3600.0, 1.0, 2.9, 3.0)] == [None, None, None, "covered"]


def test_another_size_in_mid_stream_begins_anew_and_odd_sizes_keep_their_places() -> None:
    watch = MotionWatch(MotionSettings(), 5.0)
    large = np.random.default_rng(2).integers(90, 130, (241, 353), np.uint8)
    for n in range(10):
        watch.look(picture(), n / 5)
    for n in range(10, 20):
        assert watch.look(large, n / 5) is None
    thing = large.copy()
    thing[181:241, 293:353] = 10  # in the corner, where the grid ends a pixel before the picture
    change = [watch.look(thing, n / 5) for n in range(20, 22)][-1]
    assert change is not None and change.moving
    assert len(change.boxes) == 1
    assert change.boxes[0] == pytest.approx((293 / 353, 181 / 241, 60 / 353, 60 / 241), abs=0.012)
    assert all(x + w <= 1.0001 and y + h <= 1.0001 for x, y, w, h in change.boxes)


def test_video_says_what_its_black_is() -> None:
    frames = {name: VideoFrame(16, 16, name) for name in ("yuv420p", "yuvj420p", "gray", "rgb24")}
    assert {name: StreamPicture(frame).black for name, frame in frames.items()} == {
        "yuv420p": 16, "yuvj420p": 0, "gray": 0, "rgb24": 0
    }  # fmt: skip
    full = VideoFrame(16, 16, "yuv420p")
    full.color_range = ColorRange.JPEG
    assert StreamPicture(full).black == 0 and still(picture()).black == 0
