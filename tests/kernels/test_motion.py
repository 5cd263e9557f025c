"""The kernel of motion on made scenes: what moves is found where it is, and light, rain and shaking are no motion."""

from __future__ import annotations

import importlib
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hub.kernels import motion
from hub.kernels.background import shrink
from hub.kernels.light import parted
from hub.kernels.motion_step import look

Luma = NDArray[np.uint8]


def still(height: int = 240, width: int = 320) -> Luma:
    return np.random.default_rng(7).integers(60, 120, (height, width), dtype=np.uint8)


def street(height: int = 240, width: int = 320) -> Luma:
    """Surfaces of 20 to 40 pixels with soft texture: what a camera sees."""
    rng = np.random.default_rng(3)
    coarse = rng.integers(60, 150, (height // 24 + 1, width // 32 + 1)).repeat(24, 0).repeat(32, 1)[:height, :width]
    fine = rng.integers(-12, 13, (height // 3 + 1, width // 3 + 1)).repeat(3, 0).repeat(3, 1)[:height, :width]
    return (coarse + fine).astype(np.uint8)


def blurred(picture: Luma, reach: int) -> Luma:
    soft = picture.astype(np.float32)
    for axis in (0, 1):
        soft = np.mean([np.roll(soft, n, axis) for n in range(-reach, reach + 1)], axis=0)
    return soft.astype(np.uint8)


def with_block(picture: Luma, x: int = 100, y: int = 40, level: int = 230) -> Luma:
    moved = picture.copy()
    moved[y : y + 40, x : x + 60] = level
    return moved


def noisy(picture: Luma, seed: int, sigma: float = 2.0) -> Luma:
    noise = np.random.default_rng(seed).normal(0, sigma, picture.shape)
    return np.clip(picture + noise + 0.5, 0, 255).astype(np.uint8)


def trained(picture: Luma, **settings: int) -> motion.State:
    state = motion.State(*picture.shape)
    for _ in range(20):
        assert motion.update(state, picture, **settings) == (0, False)
    return state


def boxes(state: motion.State, picture: Luma) -> list[list[int]]:
    count, _ = motion.update(state, picture)
    return [[int(n) for n in row] for row in state.stats[1 : count + 1, :4]]


def test_a_bright_block_is_one_component_at_its_place() -> None:
    picture = still()
    state = trained(picture)
    assert state.block == 2 and state.grid.shape == (120, 160)
    picture[40:80, 100:160] = 240
    assert motion.update(state, picture) == (1, False)
    assert state.stats[1].tolist() == [50, 20, 80, 40, 30 * 20 - 4]  # the majority takes its four corners
    padded = np.zeros((240, 384), np.uint8)
    padded[:, :320] = picture
    assert motion.update(state, padded[:, :320])[0] == 1  # a view with a stride, as decoders give


def test_the_grid_of_usual_sizes() -> None:
    sizes = [(240, 320), (480, 640), (576, 704), (720, 1280), (1080, 1920), (2160, 3840), (1, 1)]
    assert [motion.block_for(*size) for size in sizes] == [2, 4, 4, 8, 12, 24, 1]


@pytest.mark.parametrize("size", [(96, 128), (240, 320), (360, 480), (480, 640), (720, 960), (720, 1280), (1080, 1920)])
def test_a_cell_is_the_logarithm_of_its_mean_wherever_it_is_read(size: tuple[int, int]) -> None:
    state = motion.State(*size)
    k, (rows, columns) = state.block, state.grid.shape
    levels = np.random.default_rng(k).integers(0, 256, (rows, columns), dtype=np.uint8)
    picture = np.zeros(size, np.uint8)
    picture[: rows * k, : columns * k] = levels.repeat(k, 0).repeat(k, 1)
    wanted = motion.SCALE * np.log2(levels + 8.0)
    for down, right in ((0, 0), (k, 0), (0, k), (-k, -k)):
        shrink(picture.reshape(-1), state.shape, down, right, state.sums, state.floats, state.grid)
        seen = state.grid[1:-1, 1:-1] - np.roll(wanted, (-down // k, -right // k), (0, 1))[1:-1, 1:-1]
        assert np.abs(seen).max() < 10


@given(st.integers(1, 70), st.integers(1, 90), st.integers(0, 2**32 - 1))
def test_any_size_and_any_pictures_are_taken(height: int, width: int, seed: int) -> None:
    rng, state = np.random.default_rng(seed), motion.State(height, width)
    for _ in range(6):
        count, _ = motion.update(state, rng.integers(0, 256, (height, width), dtype=np.uint8))
        found = state.stats[1 : count + 1]
        assert (found[:, 2] <= state.grid.shape[1]).all() and (found[:, 3] <= state.grid.shape[0]).all()
        assert int(state.moving.sum()) >= int(found[:, 4].sum()) >= 4 * count


@pytest.mark.parametrize("gain", [0.6, 0.8, 1.25, 1.7])
def test_exposure_is_no_motion(gain: float) -> None:
    picture = still()
    state = trained(picture)
    for _ in range(60):  # it lasts: the background takes the new exposure
        assert motion.update(state, np.round(picture * gain).clip(0, 255).astype(np.uint8)) == (0, False)
        assert int(state.moving.sum()) == 0
    assert motion.update(state, picture) == (0, False)


def test_lightning_that_adds_and_overdrives_is_no_motion_and_hides_none() -> None:
    picture = street()
    state = trained(picture)
    bright = np.clip(picture * 1.6 + 40, 0, 255).astype(np.uint8)
    assert motion.update(state, bright) == (0, False)
    hit = np.clip(with_block(picture, level=20) * 1.6 + 40, 0, 255).astype(np.uint8)
    assert boxes(state, hit) == [[50, 20, 80, 40]]
    assert motion.update(state, picture) == (0, False)


def lit(picture: Luma, x: float, y: float) -> Luma:
    """Headlights on the ground: light that fades out over sixty pixels."""
    rows, columns = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]]
    near = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 40.0**2))
    return np.asarray(np.clip(picture * (1 + 0.8 * near) + 0.5, 0, 255), np.uint8)


def test_a_glow_is_no_motion_and_a_thing_in_it_is() -> None:
    picture = street()
    state = trained(picture)
    for i in range(12):
        assert boxes(state, lit(picture, 60 + 6 * i, 150)) == []
    found = boxes(state, lit(with_block(picture, 110, 130, 20), 130, 150))
    assert len(found) == 1 and np.abs(np.subtract(found[0], [55, 65, 85, 85])).max() <= 4
    assert boxes(state, with_block(picture, 10, 10, 20)) == [[5, 5, 35, 25]]


def test_light_on_texture_is_no_edge_and_a_thing_before_it_is() -> None:
    assert not parted(-100, 200, 80)  # the ground's step of 300 is 200 in the light
    assert not parted(-220, 80, 80)  # nearly overdriven
    assert parted(300, 300, 80)  # a step where the ground had none
    assert parted(-400, -100, 80)  # the other way round
    assert not parted(60, 60, 80)


def rainy(picture: Luma, seed: int) -> Luma:
    rng, wet = np.random.default_rng(seed), picture.copy()
    for _ in range(120):
        x, y, length = int(rng.integers(0, 318)), int(rng.integers(0, 210)), int(rng.integers(10, 30))
        part = wet[y : y + length, x : x + 2]
        part += ((230 - part) * rng.uniform(0.2, 0.5)).astype(np.uint8)
    return wet


def test_rain_is_no_motion_and_a_thing_in_it_is() -> None:
    picture = street()
    state = trained(picture)
    large = 0
    for i in range(60):
        count, _ = motion.update(state, rainy(picture, i))
        large += int((state.stats[1 : count + 1, 4] >= 24).sum()) if i >= 20 else 0
    assert large <= 14  # in forty pictures, of the size of a person far away
    motion.update(state, rainy(with_block(picture, level=10), 100))
    found = boxes(state, rainy(with_block(picture, level=10), 101))
    around = [box for box in found if box[0] <= 52 and box[1] <= 22 and box[2] >= 78 and box[3] >= 38]
    assert len(around) == 1 and around[0][2] - around[0][0] <= 60  # streaks that touch it count as its own


def test_a_shaking_camera_is_no_motion_and_what_moves_is_found() -> None:
    picture = blurred(street(260, 340), 1)  # as a lens does
    moved = with_block(picture, 110, 50)
    state = trained(picture[10:250, 10:330])
    rng = np.random.default_rng(1)
    for i in range(30):
        down, right = (int(n) for n in rng.integers(-2, 3, 2))
        scene = moved if i == 20 else picture
        found = boxes(state, scene[10 - down : 250 - down, 10 - right : 330 - right])
        assert abs(state.shift[0] - down) <= 1 and abs(state.shift[1] - right) <= 1
        assert len(found) == (1 if i == 20 else 0)
        assert i != 20 or np.abs(np.subtract(found[0], [50, 20, 80, 40])).max() <= 1


def test_nothing_is_seen_where_the_operator_masked() -> None:
    picture = still()
    state = trained(picture)
    state.use[:, :80] = 0
    assert boxes(state, with_block(with_block(picture, 20, 20), 200, 100)) == [[100, 50, 130, 70]]
    assert boxes(state, with_block(picture, 20, 20)) == []


def test_another_scene_is_said_and_learned_at_once_and_the_first_is_known_again() -> None:
    picture = still()
    state = trained(picture)
    other = np.where(np.arange(240)[:, None] // 40 % 2, 230, 15).repeat(320, axis=1).astype(np.uint8)
    assert motion.update(state, other) == (0, True)
    assert motion.update(state, other) == (0, False)
    assert motion.update(state, picture) == (0, True)
    assert boxes(state, with_block(picture)) == [[50, 20, 80, 40]]


def test_what_comes_to_rest_becomes_background_and_what_comes_back_is_known() -> None:
    picture = still()
    state = trained(picture, settle=10)
    parked = with_block(picture, level=240)
    counts = [motion.update(state, parked, settle=10)[0] for _ in range(30)]
    assert counts[0] == 1 and counts[8] == 1 and counts[12:] == [0] * 18
    assert motion.update(state, picture, settle=10) == (0, False)  # it leaves: the street behind it is still known


def test_what_leaves_a_background_learned_with_it_is_soon_forgotten() -> None:
    picture = np.full((240, 320), 110, np.uint8)
    state = trained(with_block(picture))
    counts = [motion.update(state, picture)[0] for _ in range(12)]
    assert counts[0] == 1 and counts[8:] == [0] * 4


def tampered(state: motion.State, picture: Luma, number: int = 12) -> str:
    for i in range(number):
        motion.update(state, noisy(picture, i, 1.0))
    return state.scene


def test_a_camera_that_is_covered_moved_blurred_or_dark_says_so_and_that_it_is_well_again() -> None:
    picture = street()
    state = trained(picture)
    assert tampered(state, picture, 40) == "ok"
    assert tampered(state, np.full_like(picture, 60)) == "covered"
    assert tampered(state, picture) == "ok"
    assert tampered(state, np.full_like(picture, 3)) == "dark"
    assert tampered(state, picture) == "ok"
    assert tampered(state, blurred(picture, 6)) == "defocused"
    assert tampered(state, picture) == "ok"
    view = np.roll(picture, (13, 41), (0, 1))
    assert tampered(state, view) == "moved"
    assert tampered(state, view, 60) == "ok"  # the new view is the view now
    assert tampered(state, (view * 0.5).astype(np.uint8)) == "ok"  # evening


def test_a_picture_allocates_nothing() -> None:
    nrt = importlib.import_module("numba.core.runtime._nrt_python")
    nrt.memsys_enable_stats()
    picture = street()
    pictures = [noisy(with_block(picture, 20 * i), i) for i in range(10)]
    state = trained(picture)
    headers = sum(getattr(kind, "ndim", 0) > 0 for kind in look.nopython_signatures[0].args)
    for one in pictures:
        motion.update(state, one)
    before = nrt.memsys_get_stats_alloc()
    for one in pictures:
        motion.update(state, one)
    assert nrt.memsys_get_stats_alloc() - before == headers * len(pictures)  # of the arrays handed over
    tracemalloc.start()
    for one in pictures * 3:
        motion.update(state, one)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 1000
    with pytest.raises(ValueError, match="a picture of"):
        motion.update(state, still(100, 100))
