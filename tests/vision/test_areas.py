"""Tracks, lines, areas and sizes in a picture; and what the motion watch makes of masks, scales and tampering."""

from __future__ import annotations

import math

import pytest

from hub.core.error import InvalidInput
from hub.vision.areas import LineCounter, Loitering, Scale, crossing, inside
from hub.vision.motion import MotionWatch
from hub.vision.spec import MotionSettings, parse
from hub.vision.tracking import GONE_S, Tracker, shared
from tests.vision.test_watch import picture

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


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"lines": [{"name": "a", "points": [[0, 0], [0, 0]]}]}, "two different points"),
        ({"lines": [{"name": "a", "points": [[0, 0], [2, 0]]}]}, "fractions"),
        ({"lines": [{"name": "a" * 61, "points": [[0, 0], [1, 0]]}]}, "lines.name: must have at most 60"),
        ({"lines": [{"name": "a", "points": [[0, 0], [1, 0]]}] * 2}, "two have the name a"),
        ({"lines": [{"name": "a", "points": [[0, 0], [1, 0]]}] * 17}, "at most 16"),
        ({"lines": [{"points": [[0, 0], [1, 0]]}]}, "name"),
        ({"areas": [{"name": "a", "points": [[0, 0], [1, 1], [0.5, 0.5]], "after_s": 5}]}, "lie on one line"),
        ({"areas": [{"name": "a", "points": [[0, 0], [1, 1], [0, 1]]}]}, "areas.after_s"),
        ({"areas": [{"name": "a", "points": [[0, 0], [1, 1], [0, 1]], "after_s": math.nan}]}, "after_s"),
        ({"areas": [{"name": "a", "points": [[0, 0], [1, math.nan], [0, 1]], "after_s": 5}]}, "areas"),
        ({"sensitivity": math.nan}, "sensitivity"),
        ({"min_size_m": math.inf}, "min_size_m"),
        ({"tamper": "no"}, "true or false"),
    ],
)
def test_wrong_lines_areas_and_numbers_are_named(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        parse({"key": "k", "url": "rtsp://h/s", "analyse": ["motion"], "motion": wrong})
