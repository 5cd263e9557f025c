"""The kernels on made pictures whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hub.kernels import components, plate
from tests.bench import text_rows as text

Mask = NDArray[np.uint8]


def labelled(mask: Mask, limit: int = 100) -> tuple[int, NDArray[np.int32], NDArray[np.int32]]:
    labels, stats = np.zeros(mask.shape, np.int32), np.zeros((limit, components.STATS), np.int32)
    count = components.label(mask, labels, components.parents_for(*mask.shape), stats)
    return int(count), labels, stats[1 : count + 1]


def test_components_join_over_corners_and_from_two_sides() -> None:
    picture = ["#..#....", ".##....#", "......#.", "##...#..", "......##"]
    mask = np.array([[c == "#" for c in row] for row in picture], np.uint8)
    count, labels, stats = labelled(mask)
    assert count == 3
    assert stats.tolist() == [[0, 0, 4, 2, 4], [5, 1, 8, 5, 5], [0, 3, 2, 4, 2]]
    assert labels[0, 0] == labels[0, 3] == labels[1, 1] and labels[2, 6] == labels[4, 7] != labels[0, 0]


def flood(mask: Mask) -> list[tuple[int, int, int, int, int]]:
    left = {(int(y), int(x)) for y, x in np.argwhere(mask)}
    found = []
    while left:
        todo, part = [left.pop()], []
        while todo:
            y, x = todo.pop()
            part.append((y, x))
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= near
            todo += near
        ys, xs = [y for y, _ in part], [x for _, x in part]
        found.append((min(xs), min(ys), max(xs) + 1, max(ys) + 1, len(part)))
    return sorted(found)


@given(st.integers(1, 17), st.integers(1, 17), st.integers(0, 2**32 - 1), st.floats(0.1, 0.9))
def test_components_are_those_of_a_flood_fill(height: int, width: int, seed: int, share: float) -> None:
    mask = (np.random.default_rng(seed).random((height, width)) < share).astype(np.uint8)
    _, _, stats = labelled(mask, 200)
    assert sorted(map(tuple, stats.tolist())) == flood(mask)


def test_components_over_the_limit_are_left_out() -> None:
    mask = np.zeros((9, 9), np.uint8)
    mask[::2, ::2] = 1
    count, labels, _ = labelled(mask, 11)
    assert count == 10 and labels.max() == 10 and (labels > 0).sum() == 10


QUAD = np.array([[150, 90], [350, 110], [345, 200], [155, 175]], np.float32)


def drawn(quad: NDArray[np.float32] = QUAD) -> Mask:
    """A grey scene with a plate: a light quadrilateral, six tall dark bars above and four low ones below."""
    upright = np.full((150, 340), 235, np.uint8)
    for i in range(6):
        upright[20:85, 30 + 48 * i : 50 + 48 * i] = 20
    for i in range(4):
        upright[105:130, 100 + 36 * i : 112 + 36 * i] = 20
    scene = np.full((300, 500), 100, np.uint8)
    inverse = np.linalg.inv(plate.homography(quad, 150, 340))
    ys, xs = np.mgrid[0:300, 0:500]
    u, v, w = np.tensordot(inverse, np.stack([xs, ys, np.ones_like(xs)]), 1)
    inside = (u / w >= 0) & (u / w <= 339) & (v / w >= 0) & (v / w <= 149)
    scene[inside] = upright[(v / w)[inside].astype(int), (u / w)[inside].astype(int)]
    return scene


def test_homography_maps_corners_on_corners() -> None:
    matrix = plate.homography(QUAD, 150, 340)
    for (x, y), corner in zip([(0, 0), (339, 0), (339, 149), (0, 149)], QUAD, strict=True):
        u, v, w = matrix @ (x, y, 1)
        assert (u / w, v / w) == pytest.approx(tuple(corner), abs=1e-3)


def test_a_plate_aslant_is_found_by_its_corners_and_straightened() -> None:
    scene = drawn()
    scratch = plate.Scratch(*scene.shape)
    count = plate.find(scene, scratch, plate.LEVELS[plate.LEVELS >= 120])
    assert count >= 5  # at each level between the scene and the plate
    for quad, score in zip(scratch.quads[:count], scratch.scores[:count], strict=True):
        assert np.abs(quad - QUAD).max() < 3 and score > 0.8
    upright = plate.rectify(scene, scratch.quads[0], 150, 340)
    assert abs(int(upright[50, 40]) - 20) < 30 and abs(int(upright[50, 64]) - 235) < 30
    assert abs(int(upright[115, 106]) - 20) < 40 and abs(int(upright[95, 170]) - 235) < 20
    assert plate.stroke_score(upright) > 0.8


def test_light_things_that_are_no_plates() -> None:
    empty = np.full((72, 160), 200, np.uint8)
    window = empty.copy()
    window[:, 75:85] = 30
    noise = np.random.default_rng(1).integers(0, 255, (72, 160), dtype=np.uint8)
    assert [plate.stroke_score(picture) for picture in (empty, window, noise)] == [0.0, 0.0, 0.0]
    scene = np.full((200, 300), 80, np.uint8)
    yy, xx = np.mgrid[0:200, 0:300]
    scene[(xx - 150) ** 2 / 9 + (yy - 100) ** 2 < 900] = 220  # an ellipse
    assert plate.find(scene, plate.Scratch(200, 300), plate.LEVELS[plate.LEVELS >= 100]) == 0


@given(st.integers(0, 2**32 - 1))
def test_find_survives_any_picture(seed: int) -> None:
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (12, 16), dtype=np.uint8)
    picture = np.ascontiguousarray(small.repeat(10, axis=0).repeat(10, axis=1))
    scratch = plate.Scratch(*picture.shape)
    assert 0 <= plate.find(picture, scratch) <= plate.MAX_QUADS
    assert np.isfinite(scratch.quads).all()


def test_otsu_parts_two_levels() -> None:
    picture = np.array([[10] * 30 + [200] * 70] * 10, np.uint8)
    assert 10 <= plate.otsu(picture) < 200


def test_text_rows_without_frame_and_specks() -> None:
    upright = plate.rectify(drawn(), QUAD, 176, 400)
    upright[:4] = upright[-4:] = 10  # a dark frame
    upright[:, :4] = upright[:, -4:] = 10
    upright[100, 200] = 0  # a speck
    strokes = text.ink(upright)
    assert strokes[:, :6].sum() == 0 and strokes[100, 200] == 0
    parts = text.rows(strokes)
    assert parts is not None
    (top, middle), (below, bottom) = parts
    assert abs(top - 23) <= 3 and abs(middle - 100) <= 3 and abs(below - 123) <= 3 and abs(bottom - 153) <= 3
    strokes[20:110, 130:190] = 0
    between = text.gap(strokes, parts[0])
    assert between is not None and abs(between[0] - 115) <= 4 and abs(between[1] - 204) <= 4
    line = text.line(upright, strokes, parts[0], height=48, margin=14, between=(0, between[0]))
    assert line is not None and line.shape[0] == 48 + 28
    assert line[:14].min() == 255 and line[38, 14 + 8] < 60
    assert text.rows(np.zeros((176, 400), np.uint8)) is None
    assert text.line(upright, np.zeros_like(strokes), parts[0], height=48, margin=14) is None
