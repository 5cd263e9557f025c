"""The kernel of motion on views that sway, turn, are covered, unfocused or dark, and on pictures of odd shapes."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from hub.kernels import motion, slots
from tests.kernels.test_motion import Luma, blurred, boxes, noisy, still, street, tampered, trained, with_block

PERSON = 10  # cells of a person far away, at the block of 240 lines


def garden(n: int) -> Luma:
    """The street with two trees whose leaves sway by four pixels, each in its own time."""
    picture = blurred(street(), 1)
    rng = np.random.default_rng(9)
    for k, (x, y, w, h) in enumerate([(20, 20, 70, 60), (200, 10, 90, 80)]):
        leaves = rng.integers(30, 200, (h // 3 + 20, w // 3 + 20), np.uint8).repeat(3, 0).repeat(3, 1)
        right, down = round(4 * np.sin(2 * np.pi * n / (9 + 2 * k))), round(2 * np.sin(2 * np.pi * n / (13 - 2 * k)))
        picture[y : y + h, x : x + w] = leaves[20 + down : 20 + down + h, 20 + right : 20 + right + w]
    return picture


def test_trees_that_wave_settle_and_who_walks_beside_and_before_them_is_seen() -> None:
    state = motion.State(240, 320)
    large = []
    for n in range(200):
        count, _ = motion.update(state, noisy(garden(n), n, 1.5))
        large.append(int((state.stats[1 : count + 1, 4] >= PERSON).sum()))
    assert sum(large[:60]) > 60 and sum(large[60:]) == 0
    assert boxes(state, with_block(garden(200), 110, 150, 230)) == [[55, 75, 85, 95]]
    before = boxes(state, with_block(garden(201), 30, 30, 250))  # in the tree, and brighter than all leaves
    assert len([box for box in before if abs(box[0] - 15) <= 2 and abs(box[2] - 45) <= 2]) == 1


def test_a_busy_road_is_no_tree() -> None:
    state = trained(street())
    found = []
    for n in range(200):  # a car every ten pictures, forty pixels a picture
        count, _ = motion.update(state, with_block(street(), 40 * (n % 10), 100, 220) if n % 10 < 7 else street())
        found.append(count)
    assert found[100:] == [1] * 7 + [0] * 3 + found[110:] and found[190:] == [1] * 7 + [0] * 3


def town() -> Luma:
    """Five pictures' width of houses and walls."""
    rng = np.random.default_rng(5)
    coarse = rng.integers(50, 170, (20, 100)).repeat(24, 0).repeat(32, 1)
    fine = rng.integers(-12, 13, (160, 1067)).repeat(3, 0).repeat(3, 1)[:480, :3200]
    return blurred((coarse + fine).astype(np.uint8), 1)


@pytest.mark.parametrize("speed", [8, 20, 60, 150])
def test_a_camera_that_turns_is_one_move_and_no_flood_of_boxes(speed: int) -> None:
    wide, state = town(), motion.State(240, 320)
    seen, told, flooded, x = "ok", [], 0, 100
    for n in range(160):
        x += speed if 40 <= n < 40 + min(60, 2600 // speed) else 0
        count, changed = motion.update(state, noisy(wide[100:340, x : x + 320], n, 1.5), settle=50)
        flooded += 1 if count and not changed and state.seen > 3 else 0  # later than the watch's own patience
        told += [state.scene] if state.scene != seen else []
        seen = state.scene
    assert told == ["moved", "ok"] and flooded <= 4


def test_a_camera_that_turns_and_comes_home_knows_its_view() -> None:
    wide, state = town(), motion.State(240, 320)
    home = wide[100:340, 100:420]
    for n in range(40):
        motion.update(state, noisy(home, n, 1.5))
    for n, x in enumerate((300, 500, 700, 500, 300)):
        motion.update(state, noisy(wide[100:340, x : x + 320], n, 1.5))
    assert state.scene == "moved"
    assert motion.update(state, noisy(home, 50, 1.5)) == (0, True) and state.scene == "ok"
    assert boxes(state, with_block(noisy(home, 51, 1.5))) == [[50, 20, 80, 40]]


def test_a_camera_covered_again_by_the_same_hand_says_so_again() -> None:
    picture, hand = street(), np.full((240, 320), 60, np.uint8)
    state = trained(picture)
    assert [tampered(state, one, 20) for one in (picture, hand, picture, hand, picture)] == [
        "ok", "covered", "ok", "covered", "ok"
    ]  # fmt: skip


def test_a_cover_that_slips_bit_by_bit_is_taken_away_in_the_end() -> None:
    picture = street()
    state = trained(picture)
    assert tampered(state, np.full_like(picture, 60)) == "covered"
    seen = []
    for free in range(0, 321, 20):
        half = np.full_like(picture, 60)
        half[:, :free] = picture[:, :free]
        seen.append(tampered(state, half, 20))
    assert seen[0] == "covered" and seen[-1] == "ok" and seen.count("moved") == 0


def test_a_camera_that_begins_covered_says_so_and_then_sees() -> None:
    state = motion.State(240, 320)
    assert tampered(state, np.full((240, 320), 60, np.uint8)) == "covered"
    assert tampered(state, street()) == "ok"
    assert tampered(state, street(), 20) == "ok"


def test_the_black_of_video_is_dark() -> None:
    for black, wanted in ((0, "ok"), (16, "dark")):
        state = motion.State(240, 320)
        for n in range(20):
            motion.update(state, noisy((street() * 0.09 + 16).astype(np.uint8), n, 1.0), black=black)
        assert state.scene == wanted  # mean 25: a street in the evening, or a lens cap in limited range


def test_a_large_mask_hides_no_turn_and_a_bus_in_a_small_rest_is_none() -> None:
    picture, view = street(), np.roll(street(), (13, 41), (0, 1))
    state = trained(picture)
    state.use[:, 40:] = 0
    assert motion.update(state, view) == (0, True) and state.scene == "moved"
    state = trained(picture)
    state.use[:, 24:] = 0
    bus = picture.copy()
    bus[20:220, :60] = 20
    assert [motion.update(state, bus)[1] for _ in range(4)] == [False] * 4


@pytest.mark.parametrize("size", [(241, 353), (5, 3000), (3000, 7), (17, 31), (1, 1), (2, 2), (3, 40), (11, 2)])
def test_odd_sizes_are_read_in_whole_cells_and_are_not_dark(size: tuple[int, int]) -> None:
    state = motion.State(*size)
    assert state.block in (1, 2, 3) and min(state.grid.shape) >= 1
    grey = np.full(size, 90, np.uint8)
    for _ in range(12):
        assert motion.update(state, grey) == (0, False)
    assert np.abs(state.grid - motion.SCALE * np.log2(98)).max() < 10
    assert state.scene in ("ok", "covered")  # a plain grey shows nothing


def views(picture: Luma) -> list[NDArray[np.uint8]]:
    """The same picture as decoders, crops and mirrors hold it."""
    padded = np.zeros((picture.shape[0], picture.shape[1] + 37), np.uint8)
    padded[:, : picture.shape[1]] = picture
    pairs = np.zeros((2 * picture.shape[0], picture.shape[1]), np.uint8)
    pairs[::2] = picture
    colour = np.repeat(picture[:, :, None], 3, axis=2)
    upside, mirrored = picture[::-1].copy()[::-1], picture[:, ::-1].copy()[:, ::-1]
    read_only = picture.copy()
    read_only.flags.writeable = False
    return [padded[:, : picture.shape[1]], pairs[::2], colour[:, :, 1], upside, mirrored, np.asfortranarray(picture),
            read_only]  # fmt: skip


def test_pictures_with_any_strides_are_the_same_picture() -> None:
    picture = street(241, 353)
    wanted = motion.State(241, 353)
    motion.update(wanted, picture)
    for one in views(picture):
        state = motion.State(241, 353)
        motion.update(state, one)
        assert (state.grid == wanted.grid).all() and state.memory[slots.LIGHT] == wanted.memory[slots.LIGHT]


def test_a_camera_that_drifts_is_read_no_further_off_than_it_can_be() -> None:
    wide, state = town(), motion.State(240, 320)
    reach = 2 * state.block + 2
    for n in range(120):
        motion.update(state, noisy(wide[100:340, 100 + n : 420 + n], n, 1.0))
        assert max(map(abs, state.shift)) <= reach


@pytest.mark.parametrize(
    "wrong", [{"threshold": 0}, {"threshold": 9_000}, {"rate": 0}, {"rate": 16}, {"settle": 9_000}]
)
def test_settings_that_sixteen_bits_do_not_hold_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="out of bounds"):
        motion.update(motion.State(240, 320), still(), **wrong)


def test_a_thing_that_rests_for_longest_becomes_background_without_an_overflow() -> None:
    picture = still()
    state = trained(picture, settle=motion.MOST_SETTLE)
    for age in (2 * motion.MOST_SETTLE - 1, 4 * motion.MOST_SETTLE):
        state.memory[slots.SEEN] = 4 * motion.MOST_SETTLE
        state.model[0, 1] = state.grid + 500
        state.model[0, 4] = age
        for one in (with_block(picture), picture, with_block(picture)):
            motion.update(state, one, settle=motion.MOST_SETTLE)
        assert state.model[0, 4].min() >= 0 and state.model[0, 4].max() <= 4 * motion.MOST_SETTLE + 2
