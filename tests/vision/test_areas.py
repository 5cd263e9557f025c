"""Tracks, lines, areas and sizes in a picture; and what the motion watch makes of masks, scales and tampering."""

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

from hub.core.error import InvalidInput
from hub.vision.analysis import Analysis
from hub.vision.areas import LineCounter, Loitering, Scale, crossing, inside
from hub.vision.motion import MotionWatch
from hub.vision.picture import StillPicture
from hub.vision.spec import Area, Line, MotionSettings, parse
from hub.vision.tracking import GONE_S, Tracker, shared

SQUARE = ((0.2, 0.2), (0.6, 0.2), (0.6, 0.6), (0.2, 0.6))


def test_inside_follows_the_polygon_and_not_its_box() -> None:
    corner = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))
    assert inside((0.3, 0.3), corner) and not inside((0.7, 0.7), corner)
    hollow = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 0.2), (0.0, 1.0))
    assert not inside((0.5, 0.6), hollow) and inside((0.1, 0.6), hollow)


def test_a_line_is_crossed_between_its_ends_and_to_a_side() -> None:
    start, end = (0.5, 0.8), (0.5, 0.2)  # upwards
    assert crossing((0.4, 0.5), (0.6, 0.5), start, end) == "right"
    assert crossing((0.6, 0.5), (0.4, 0.5), start, end) == "left"
    assert crossing((0.4, 0.1), (0.6, 0.1), start, end) == ""  # past its end
    assert crossing((0.3, 0.5), (0.4, 0.5), start, end) == ""


def test_who_stops_on_a_line_crosses_it_once_and_who_turns_back_not_at_all() -> None:
    line = LineCounter((0.5, 1.0), (0.5, 0.0))
    steps = [{1: (0.4, 0.5), 2: (0.4, 0.5)}, {1: (0.5, 0.5), 2: (0.5, 0.5)}, {1: (0.6, 0.5), 2: (0.4, 0.5)}]
    assert [line.step(step) for step in steps] == [[], [], [(1, "right")]]
    assert line.step({1: (0.7, 0.5), 2: (0.6, 0.4)}) == [(2, "right")]
    assert line.step({1: (0.3, 0.5)}) == [(1, "left")]
    assert line.step({3: (0.9, 0.5)}) == [] and list(line.places) == [3]


def test_loitering_counts_the_time_inside_and_tells_once() -> None:
    area = Loitering(SQUARE, after_s=3.0)
    told = [area.step([(1, (0.4, 0.4)), (2, (0.9, 0.9))], at) for at in (0.0, 1.0, 2.0, 3.0, 4.0)]
    assert told == [[], [], [], [1], []] and area.seconds(1) == 4.0 and area.seconds(2) == 0.0
    area = Loitering(SQUARE, after_s=3.0)
    places = [(0.4, 0.4), (0.4, 0.4), (0.7, 0.4), (0.4, 0.4), (0.4, 0.4)]
    told = [area.step([(1, place)], float(at)) for at, place in enumerate(places)]
    assert told == [[]] * 5 and area.seconds(1) == 2.0  # outside it does not count
    assert area.step([], 20.0) == [] and area.seconds(1) == 0.0


def test_the_scale_goes_straight_between_two_rows_and_stays_beyond() -> None:
    scale = Scale(((0.9, 6.0), (0.3, 18.0)))
    assert [scale.metres_at(row) for row in (0.1, 0.3, 0.6, 0.9, 1.0)] == pytest.approx([18, 18, 12, 6, 6])
    assert Scale(((0.5, 7.0),)).metres_at(0.9) == 7.0


def test_two_that_meet_keep_their_numbers_and_directions() -> None:
    tracker = Tracker()
    for i in range(11):
        right, left = (0.1 + 0.06 * i, 0.40, 0.1, 0.1), (0.8 - 0.06 * i, 0.55, 0.1, 0.1)
        seen = tracker.step([right, left] if i % 2 else [left, right], i / 5)
    assert [track.number for track in sorted(seen, key=lambda track: track.number)] == [1, 2]
    first, second = sorted(seen, key=lambda track: track.box[1])
    assert first.direction == pytest.approx(90) and second.direction == pytest.approx(270)
    assert first.speed[0] == pytest.approx(0.3) and first.pictures == 11
    assert first.foot == pytest.approx((0.75, 0.5))


def test_a_fast_small_thing_is_followed_and_one_that_was_gone_is_another() -> None:
    tracker = Tracker()
    numbers = [tracker.step([(0.1 + 0.05 * i, 0.5, 0.03, 0.04)], i / 5)[0].number for i in range(8)]
    assert numbers == [1] * 8  # no two boxes share anything
    assert tracker.step([(0.1, 0.1, 0.03, 0.04)], 1.6)[0].number == 2
    assert tracker.step([(0.1, 0.1, 0.03, 0.04)], 1.6 + 2 * GONE_S)[0].number == 3
    assert tracker.tracks[0].direction is None
    assert shared((0, 0, 0.2, 0.2), (0.1, 0, 0.2, 0.2)) == pytest.approx(1 / 3)


def picture(*blocks: tuple[int, int, int]) -> NDArray[np.uint8]:
    """A grey street with dark squares: x, y, side."""
    scene = (np.random.default_rng(4).integers(100, 130, (80, 107)).repeat(3, 0).repeat(3, 1)[:240, :320]).astype("u1")
    for x, y, side in blocks:
        scene[y : y + side, x : x + side] = 20
    return scene


def boxes_of(settings: MotionSettings, *blocks: tuple[int, int, int]) -> list[tuple[float, ...]]:
    watch = MotionWatch(settings, 5.0)
    scenes = [picture()] * 10 + [picture(*blocks)] * 2
    changes = [watch.look(scene, at / 5) for at, scene in enumerate(scenes)]
    return [tuple(box) for change in changes if change for box in change.boxes]


def test_the_least_size_is_in_metres_where_a_scale_is_set() -> None:
    near, far = (200, 190, 24), (100, 60, 24)  # the same pixels: a dog near by, a person far away
    assert len(boxes_of(MotionSettings(), near, far)) == 2
    scaled = MotionSettings(min_size_m=1.0, scale=Scale(((0.3, 20.0), (0.9, 5.0))))
    assert boxes_of(scaled, near, far) == [pytest.approx((100 / 320, 60 / 240, 24 / 320, 24 / 240), abs=0.01)]


def test_masks_hide_what_is_in_them() -> None:
    masked = MotionSettings(masks=(((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)),))
    assert [box[0] for box in boxes_of(masked, (60, 60, 30), (220, 120, 30))] == [pytest.approx(220 / 320, abs=0.01)]


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


def test_scale_and_masks_are_checked() -> None:
    def motion(**settings: object) -> MotionSettings:
        return parse({"key": "k", "url": "rtsp://h/s", "analyse": ["motion"], "motion": settings}).motion

    made = motion(scale=[[0.5, 8]], min_size_m=0.8, masks=[[[0, 0], [1, 0], [0, 1]]])
    assert made == MotionSettings(
        min_size_m=0.8, scale=Scale(((0.5, 8.0),)), masks=(((0.0, 0.0), (1.0, 0.0), (0.0, 1.0)),)
    )
    for wrong in ({"scale": [[0.5, 0]]}, {"scale": [[2, 5]]}, {"scale": [[0.5]]}, {"masks": [[[0, 0], [1, 1]]]}):
        with pytest.raises(InvalidInput):
            motion(**wrong)
    with pytest.raises(InvalidInput, match="fractions"):
        motion(masks=[[[0, 0], [5, 0], [0, 1]]])
