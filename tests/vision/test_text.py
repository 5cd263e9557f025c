"""The grammar of plates, the provinces, passages, and what is asked to be watched."""

from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from hub.core.error import InvalidInput
from hub.vision import grammar, provinces
from hub.vision.motion import MotionWatch
from hub.vision.picture import Picture, StillPicture, overlap
from hub.vision.plates import Candidate, Sighting, looks_same
from hub.vision.platewatch import PlateWatch
from hub.vision.reader import Luma, PlateRead, PlateText, Quad
from hub.vision.spec import MotionSettings, PlateSettings, parse
from hub.vision.tracks import PlateTracks, Report


def symbols(text: str, likelihood: float = 0.95) -> list[grammar.Choices]:
    return [[(letter, likelihood)] for letter in text]


@pytest.mark.parametrize(
    ("read", "series", "number"),
    [
        ("1กข1234", "1กข", "1234"),
        ("กข7", "กข", "7"),
        ("1กข1234ก", "1กข", "1234"),
        (".1กข12-34", "1กข", "1234"),
        ("กข0123", "กข", "123"),
    ],
)
def test_the_likeliest_grammatical_text(read: str, series: str, number: str) -> None:
    best = grammar.readings(symbols(read))[0]
    assert (best.series, best.number) == (series, number)


def test_nothing_grammatical_is_nothing() -> None:
    for read in ("", "1234", "กข", "ก1", "HELLO", "กขคง"):
        assert [r for r in grammar.readings(symbols(read)) if r.likelihood > 0.2] == [], read


def test_a_doubtful_letter_costs_confidence_and_is_told_beside_the_best() -> None:
    sure = grammar.readings(symbols("1กย12"))[0]
    read = [[("1", 0.9)], [("ก", 0.9)], [("ญ", 0.5), ("ณ", 0.45)], [("5", 0.9)]]
    first, second = grammar.readings(read)[:2]
    assert (first.series, second.series) == ("1กญ", "1กณ")
    assert second.likelihood / first.likelihood == pytest.approx(0.45 / 0.5)
    assert sure.likelihood > 0.85 > 0.5 > first.likelihood


@given(st.from_regex(rf"\A(?:{grammar.SERIES.pattern})\Z"), st.from_regex(rf"\A(?:{grammar.NUMBER.pattern})\Z"))
def test_every_plate_reads_back_as_itself(series: str, number: str) -> None:
    best = grammar.readings(symbols(series + number))[0]
    assert (best.series, best.number) == (series, number)


def test_77_provinces_each_its_own_nearest() -> None:
    assert len(provinces.PROVINCES) == 77 == len(set(provinces.PROVINCES))
    assert "บึงกาฬ" in provinces.PROVINCES and "สุโขทัย" in provinces.PROVINCES
    for name in provinces.PROVINCES:
        assert provinces.nearest(name) == (name, 1.0)


@pytest.mark.parametrize(
    ("read", "name"),
    [
        ("สุโขทย\n", "สุโขทัย"),
        ("กรุงเทพมทานคร", "กรุงเทพมหานคร"),
        (" เชียงไหม่ ", "เชียงใหม่"),
        ("อํานาจเจริญ", "อำนาจเจริญ"),
        ("ลพบุรี", "ลพบุรี"),
    ],
)
def test_misread_provinces_snap(read: str, name: str) -> None:
    found = provinces.nearest(read)
    assert found is not None and found[0] == name


def test_a_province_between_two_or_far_from_all_is_none() -> None:
    for read in ("", "บุรี", "xyz 123", "ตรว"):
        assert provinces.nearest(read) is None, read


def candidate(x: float = 10, y: float = 10, w: float = 100, h: float = 45, sign: int = 0) -> Candidate:
    quad = np.array([[x, y], [x + w, y], [x + w, y + h], [x, y + h]], np.float32)
    return Candidate(quad, 0.9, np.full((9, 20), sign, np.int16))


def sighting(text: str, confidence: float = 0.7, sign: int = 0) -> Sighting:
    series, number = text.split()
    return Sighting(candidate(sign=sign), PlateText(series, number, "สุโขทัย", confidence))


PICTURE = io.BytesIO()
Image.new("L", (320, 240), 90).save(PICTURE, "PNG")
STILL = StillPicture(PICTURE.getvalue())


def test_two_pictures_that_agree_are_told_at_once_by_their_best() -> None:
    tracks = PlateTracks(10.0)
    assert tracks.observe([sighting("1กข 1234", 0.4)], STILL, 0.0) == []
    assert tracks.observe([sighting("1กข 1284", 0.9)], STILL, 0.2) == []
    told = tracks.observe([sighting("1กข 1234", 0.6)], STILL, 0.4)
    assert [(r.text.text, r.text.confidence, r.at) for r in told] == [("1กข 1234", 0.6, 0.4)]
    assert tracks.observe([sighting("1กข 1234", 0.9)], STILL, 0.6) == []
    assert tracks.ended(10.0) == []


def test_a_plate_far_away_waits_for_a_better_picture_but_not_for_ever() -> None:
    tracks = PlateTracks(10.0)
    far = [tracks.observe([sighting("1กข 1284", 0.4)], STILL, at / 5) for at in range(3)]
    near = [tracks.observe([sighting("1กข 1234", 0.9)], STILL, 0.6 + at / 5) for at in range(2)]
    assert far == [[], [], []] and near[0] == []
    assert [(one.text.text, one.text.confidence) for one in near[1]] == [("1กข 1234", 0.9)]
    still = [tracks.observe([sighting("7ฮฮ 1", 0.4)], STILL, 20 + at / 5) for at in range(6)]
    assert [[one.text.text for one in told] for told in still] == [[], [], [], [], [], ["7ฮฮ 1"]]
    never = [tracks.observe([sighting(f"5ตต {n}", 0.3)], STILL, 40 + n / 5) for n in range(1, 30)]
    assert [len(told) for told in never].index(1) == 23  # a window that looks like a plate, each time another


def test_like_plates_that_follow_each_other_are_two_when_both_are_certain() -> None:
    tracks = PlateTracks(10.0)
    told = [tracks.observe([sighting(text, 0.97)], STILL, at / 5) for at, text in enumerate(
        ("1กข 1234", "1กข 1234", "1กข 1235", "1กข 1235")
    )]  # fmt: skip
    assert [one.text.text for some in told for one in some] == ["1กข 1234", "1กข 1235"]


def test_a_passage_seen_once_is_told_when_it_ends() -> None:
    tracks = PlateTracks(10.0)
    tracks.observe([sighting("1กข 1234", 0.4)], STILL, 0.0)
    tracks.observe([sighting("1กข 1284", 0.7)], STILL, 0.2)
    assert tracks.ended(1.6) == []
    assert [r.text.text for r in tracks.ended(1.8)] == ["1กข 1284"]
    assert tracks.ended(60.0) == []


def test_the_same_plate_is_told_again_only_after_the_interval() -> None:
    tracks, told = PlateTracks(10.0), []
    for at in (0.0, 0.2, 4.0, 4.2, 9.0, 9.2, 13.0, 13.2):
        told += [r.at for r in tracks.observe([sighting("1กข 1234")], STILL, at)]
    assert told == [0.0, 13.0]


def test_a_passage_is_told_once_however_long() -> None:
    tracks, told = PlateTracks(0.0), []
    for at in range(50):
        told += [r.at for r in tracks.observe([sighting("1กข 1234")], STILL, at / 5)]
    assert told == [0.0]


def test_two_plates_at_one_place_are_two_passages() -> None:
    tracks, told = PlateTracks(10.0), []
    for at, text in enumerate(["1กข 1234", "1กข 1234", "2งจ 9876", "2งจ 9876"]):
        told += [r.text.text for r in tracks.observe([sighting(text)], STILL, at / 5)]
    assert told == ["1กข 1234", "2งจ 9876"]


def test_two_plates_at_rest_that_differ_in_one_digit_are_two_when_they_look_it() -> None:
    tracks, told = PlateTracks(10.0), []
    for at, (text, sign) in enumerate([("1กข 1202", 0), ("1กข 1202", 3), ("1กข 1212", 40), ("1กข 1212", 42)]):
        told += [r.text.text for r in tracks.observe([sighting(text, sign=sign)], STILL, at / 5)]
    assert told == ["1กข 1202", "1กข 1212"]


def test_a_plate_that_moves_fast_and_is_misread_is_one_passage() -> None:
    tracks, told = PlateTracks(10.0), []
    for at, (text, x) in enumerate([("1กข 1234", 0), ("1กข 1234", 200), ("1กข 123", 400), ("1กบ 1234", 600)]):
        seen = Sighting(candidate(x=x), sighting(text).text)
        told += [r.text.text for r in tracks.observe([seen], STILL, at / 5)]
    assert told == ["1กข 1234"] and tracks.ended(9.0) == []


def test_like_plates_in_one_picture_are_two() -> None:
    tracks, told = PlateTracks(10.0), []
    for at in (0.0, 0.2):
        both = [Sighting(candidate(x=x), sighting(text).text) for x, text in ((0, "1กข 1234"), (150, "1กข 1235"))]
        told += [r.text.text for r in tracks.observe(both, STILL, at)]
    assert told == ["1กข 1234", "1กข 1235"]


def test_a_plate_at_rest_is_not_read_again_but_another_in_its_place_is() -> None:
    tracks = PlateTracks(10.0)
    assert not tracks.known(candidate(), 0.0)
    for at in (0.0, 0.2):
        tracks.observe([sighting("1กข 1234")], STILL, at)
    assert tracks.known(candidate(x=11, sign=10), 1.6)
    assert tracks.ended(3.0) == [] and tracks.known(candidate(), 3.0)  # seen at 1.6: the passage goes on
    assert not tracks.known(candidate(sign=60), 3.0)
    assert not tracks.known(candidate(x=60), 4.0)
    assert looks_same(candidate(), candidate()) and overlap((0, 0, 10, 10), (5, 0, 15, 10)) == pytest.approx(1 / 3)


def test_an_address_gives_up_its_credentials() -> None:
    spec = parse({"key": "k", "url": "rtsp://us%40er:p%3Aw@[::1]:8554/a?b=c#d"})
    assert (spec.url, spec.username, spec.password) == ("rtsp://[::1]:8554/a?b=c", "us@er", "p:w")
    assert spec.full_url == "rtsp://us%40er:p%3Aw@[::1]:8554/a?b=c"
    assert "p:w" not in repr(spec) and "p%3Aw" not in repr(spec)
    spec = parse({"key": "k", "url": "http://h/s", "username": "a", "password": "b/c", "fps": 2, "analyse": ["plate"]})
    assert spec.full_url == "http://a:b%2Fc@h/s" and not spec.is_stream and spec.analyse == {"plate"}
    with pytest.raises(InvalidInput) as refused:
        parse({"key": "k", "url": "ftp://user:secret@h/x"})
    assert "secret" not in str(refused.value)


def test_motion_watch_says_when_the_scene_changed() -> None:
    rng = np.random.default_rng(2)
    day = rng.integers(60, 120, (240, 320), dtype=np.uint8)
    other = rng.integers(60, 120, (24, 32), dtype=np.uint8).repeat(10, 0).repeat(10, 1)
    watch = MotionWatch(MotionSettings(), 5.0)
    assert [watch.look(day, at / 5) for at in range(20)] == [None] * 20
    assert (watch.look(other, 4.0), watch.scene, watch.boxes) == (None, "moved", ())
    assert [watch.look(other, 4.2 + at / 5) for at in range(20)] == [None] * 20
    bright = np.clip(other * 1.5, 0, 255).astype(np.uint8)  # the exposure, not the scene
    assert watch.look(bright, 30.0) is None


def test_motion_needs_its_area_and_its_strength() -> None:
    def begins(side: int, level: int, settings: MotionSettings) -> bool:
        watch = MotionWatch(settings, 5.0)
        still = np.full((240, 320), 100, np.uint8)
        moved = still.copy()
        moved[100 : 100 + side, 100 : 100 + side] = level
        pictures = [still] * 10 + [moved] * 3
        return any(watch.look(p, at / 5) is not None for at, p in enumerate(pictures))

    usual, large = MotionSettings(), MotionSettings(min_area_px=500)
    assert begins(20, 140, usual) and not begins(20, 101, usual)
    assert not begins(20, 140, large) and begins(30, 140, large)
    assert begins(20, 112, MotionSettings(sensitivity=1.0)) and not begins(20, 112, MotionSettings(sensitivity=0.0))


class _Script:
    """A reader that answers what it is told to, and counts."""

    refines = False

    def __init__(self, answers: list[PlateText | None]) -> None:
        self.answers, self.asked = answers, 0

    def read(self, luma: Luma, quad: Quad) -> PlateRead | None:
        self.asked += 1
        text = self.answers.pop(0) if self.answers else None
        return PlateRead(text, quad) if text is not None else None


def plate_scene() -> StillPicture:
    """A grey picture with something that looks like a plate."""
    scene = np.full((240, 400), 90, np.uint8)
    scene[80:170, 100:300] = 230
    for i in range(7):
        scene[92:132, 116 + 25 * i : 126 + 25 * i] = 20
    for i in range(3):
        scene[145:158, 160 + 25 * i : 168 + 25 * i] = 20
    out = io.BytesIO()
    Image.fromarray(scene).save(out, "PNG")
    return StillPicture(out.getvalue())


def test_one_bad_picture_does_not_hide_a_plate_and_a_hopeless_one_is_let_be() -> None:
    good = PlateText("1กข", "1234", "สุโขทัย", 0.8)
    with ThreadPoolExecutor(1) as pool:
        reader = _Script([None, good, good])
        watch = PlateWatch(PlateSettings(), reader, pool, lambda report: None)
        told = [report.text for at in range(6) for report in watch.look(plate_scene(), at / 5)]
        assert told == [good] and reader.asked == 3  # told: at rest it is not read again
        reader = _Script([])
        watch = PlateWatch(PlateSettings(), reader, pool, lambda report: None)
        assert [watch.look(plate_scene(), at / 5) for at in range(20)] == [[]] * 20 and reader.asked == 3
        assert watch.look(plate_scene(), 9.0) == [] and reader.asked == 4


def test_while_one_picture_is_read_only_the_newest_other_waits() -> None:
    entered, leave, done = threading.Event(), threading.Event(), threading.Event()
    seen: list[float] = []

    class Slow(PlateWatch):
        def look(self, picture: Picture | None, at: float) -> list[Report]:
            seen.append(at)
            entered.set()
            leave.wait(10)
            if at == 9.0:
                done.set()
            return []

    with ThreadPoolExecutor(1) as pool:
        watch = Slow(PlateSettings(), _Script([]), pool, lambda report: None)
        watch.offer(None, 0.0)
        assert entered.wait(10)
        for at in range(1, 10):
            watch.offer(None, float(at))
        leave.set()
        assert done.wait(10)
    assert seen == [0.0, 9.0]
