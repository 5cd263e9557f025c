"""Rows of characters in pictures made here, and the kernel against plain numpy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hub.kernels import bands
from hub.vision.picture import Box, overlap
from hub.vision.rows import RowFinder

Luma = NDArray[np.uint8]


def street(seed: int, height: int = 360, width: int = 640) -> Luma:
    """Leaves (noise of a few pixels), a road, and a fence of wide bars."""
    rng = np.random.default_rng(seed)
    picture = np.full((height, width), 110, np.uint8)
    picture[: height // 3] = rng.integers(60, 160, (height // 3, width)).astype(np.uint8)
    picture[-height // 4 :, ::40] = 60
    return picture


def plate(picture: Luma, left: int, top: int, high: int, *, gap: int = 0, skew: float = 0.0) -> Box:
    """Eight characters of two strokes each, ``high`` pixels high, dark on light, a gap after the third; the box."""
    step, stroke = round(0.6 * high), max(1, high // 8)
    places = [left + n * step + (gap if n >= 3 else 0) for n in range(8)]
    right, margin = places[-1] + step, high // 4
    picture[top - margin : top + high + margin, left - margin : right + margin] = 220
    for place in places:
        for x in (place, place + step // 2):
            down = round(skew * (x - left))
            picture[top + down : top + high + down, x : x + stroke] = 30
    return left - margin, top - margin, right, top + high + margin


@pytest.mark.parametrize("high", [10, 14, 24, 40, 70])
def test_a_plate_of_any_size_is_the_first_row(high: int) -> None:
    picture = street(1)
    box = plate(picture, 200, 180, high)
    first = RowFinder().find(picture)[0]
    assert overlap(first.box, box) > 0.6


def test_a_wide_gap_parts_no_plate_and_a_slope_hides_none() -> None:
    for gap, skew in ((22, 0.0), (0, 0.08)):
        picture = street(2)
        box = plate(picture, 200, 180, 20, gap=gap, skew=skew)
        assert max(overlap(row.box, box) for row in RowFinder().find(picture, limit=3)) > 0.6


def test_leaves_and_fences_are_weaker_than_a_plate() -> None:
    bare = RowFinder().find(street(3))
    picture = street(3)
    plate(picture, 300, 200, 16)
    assert RowFinder().find(picture)[0].score > 2 * max((row.score for row in bare), default=0.0)


def test_two_plates_and_another_size_of_picture() -> None:
    finder, picture = RowFinder(), street(4)
    boxes = [plate(picture, 60, 200, 16), plate(picture, 400, 220, 30)]
    found = finder.find(picture)
    assert [max(overlap(row.box, box) for row in found[:3]) > 0.6 for box in boxes] == [True, True]
    large = np.repeat(np.repeat(picture, 3, axis=0), 3, axis=1)
    found = finder.find(large[:, :-1])  # rows with a stride
    assert max(overlap(row.box, tuple(3 * side for side in boxes[0])) for row in found) > 0.6  # type: ignore[arg-type]
    assert finder.find(picture)[0].box == RowFinder().find(picture)[0].box


def test_a_picture_too_small_has_no_rows() -> None:
    assert RowFinder().find(np.zeros((20, 20), np.uint8)) == []
    with pytest.raises(ValueError, match=r"a picture of \(20, 20\)"):
        bands.find(np.zeros((20, 20), np.uint8), bands.Scratch(20, 30))


@given(st.integers(6, 20), st.integers(6, 40), st.integers(0, 2**32 - 1))
def test_strokes_and_their_density_are_those_of_numpy(height: int, width: int, seed: int) -> None:
    luma = np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)
    scratch = bands.Scratch(height, width)
    bands.strokes(luma, scratch.column, scratch.upright)
    gradient = np.zeros((height, width), np.int64)
    gradient[:, 1:-1] = luma[:, 2:].astype(np.int64) - luma[:, :-2]
    padded = np.pad(gradient, ((2, 2), (0, 0)))
    sums = np.sum([padded[n : n + height] for n in range(5)], axis=0)
    assert np.array_equal(scratch.upright, np.minimum(np.abs(sums) // 5, 255))
    mean = bands.density(scratch.upright, scratch.dense)
    wide = np.pad(scratch.upright.astype(np.int64), ((0, 0), (12, 12)))
    expected = np.sum([wide[:, n : n + width] for n in range(25)], axis=0) // 25
    assert np.array_equal(scratch.dense, expected)
    assert mean == pytest.approx(float(expected.mean()))
