"""Live pictures and clips from real RTSP cameras: what comes is played by a decoder of another program."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from hub.core.error import InvalidInput, NotFound, Unavailable
from tests.vision.conftest import MakeCamera, Rgb, Vision
from tests.vision.test_process import snapshots

WIDE, HIGH, FPS = 320, 240, 10


def counted(n: int = 40) -> list[Rgb]:
    """Pictures whose brightness tells their number."""
    return [np.full((HIGH, WIDE, 3), 20 + i * 5, np.uint8) for i in range(n)]


async def header(vision: Vision, key: str, kind: str, since: int = 0) -> tuple[int, dict[str, Any], bytes]:
    """The next header of that kind."""
    at = since
    while True:
        at, data, blob = await vision.told("live", key=key, since=at)
        if data.get("header", {}).get("kind") == kind:
            return at, data["header"], blob
        at += 1


async def pieces(vision: Vision, key: str, count: int, since: int) -> list[tuple[dict[str, Any], bytes]]:
    """The next pieces after a position."""
    found: list[tuple[dict[str, Any], bytes]] = []
    at = since
    while len(found) < count:
        at, data, blob = await vision.told("live", key=key, since=at + 1)
        assert "at" in data, data
        found.append((data, blob))
    return found


def shades(data: bytes) -> list[int]:
    """The brightness of each decoded picture."""
    with av.open(io.BytesIO(data), "r", format="mp4") as box:
        return [int(frame.to_ndarray(format="gray").mean()) for frame in box.decode(video=0)]


async def test_fragments_play_and_begin_at_a_key_frame(vision: Vision, camera: MakeCamera) -> None:
    source = camera(counted(), fps=FPS)
    await vision.call("open", {"key": "a", "url": source.url(), "record_s": 5})
    await vision.told("camera", key="a", state="running")
    await vision.call("live", {"key": "a", "on": True})
    at, said, init = await header(vision, "a", "fmp4")
    assert (said["width"], said["height"], said["codecs"][:5]) == (WIDE, HIGH, "avc1.")
    assert init[4:8] == b"ftyp" and b"moov" in init and b"moof" not in init
    got = await pieces(vision, "a", 25, at)
    assert got[0][0]["key_frame"] and [data["n"] for data, _ in got] == list(range(got[0][0]["n"], got[0][0]["n"] + 25))
    assert all(blob[4:8] == b"moof" for _, blob in got)
    times = [data["at"] for data, _ in got[5:]]
    assert times == sorted(times)
    shown = shades(init + b"".join(blob for _, blob in got))
    steps = [b - a for a, b in itertools.pairwise(shown)]
    assert len(shown) == 25 and sum(4 <= step <= 6 for step in steps) >= 22  # each picture once, in order
    keys = [i for i, (data, _) in enumerate(got) if data["key_frame"]]
    assert keys[:3] == [0, 5, 10]  # as the camera sends them
    await vision.call("live", {"key": "a", "on": False})


async def test_without_viewers_and_ring_nothing_is_muxed(vision: Vision, camera: MakeCamera) -> None:
    source = camera(counted(), fps=FPS)
    await vision.call("open", {"key": "a", "url": source.url(), "record_s": 0})
    await vision.told("camera", key="a", state="running")
    assert (await vision.call("status")).header["result"]["sources"]["a"]["ring_mb"] == 0
    await vision.call("live", {"key": "a", "on": True})
    await header(vision, "a", "fmp4")
    await vision.call("live", {"key": "a", "on": False})
    count = len([1 for name, _, _ in vision.seen if name == "live"])
    for _ in range(5):
        await vision.call("status")
    assert len([1 for name, _, _ in vision.seen if name == "live"]) == count


async def test_h265_is_said_plainly_and_the_sub_stream_is_shown_instead(vision: Vision, camera: MakeCamera) -> None:
    source = camera(counted(), fps=FPS, codec="h265")
    await vision.call("open", {"key": "a", "url": source.url(), "record_s": 5})
    await vision.call("live", {"key": "a", "on": True})
    at, said = -1, dict[str, Any]()
    while said.get("code") != "h265":
        at, data, _ = await vision.told("live", key="a", since=at + 1)
        said = data.get("header", {})
    assert said["reason"] == "the camera sends H.265, which browsers do not play: choose an H.264 stream as live_url"
    sub = camera(counted(), fps=FPS)
    await vision.call("open", {"key": "b", "url": source.url(), "live_url": sub.url()})
    await vision.told("camera", key="b", state="running")
    await vision.call("live", {"key": "b", "on": True})
    at, said, init = await header(vision, "b", "fmp4")
    got = await pieces(vision, "b", 8, at)
    assert len(shades(init + b"".join(blob for _, blob in got))) == 8
    status = (await vision.call("status")).header["result"]["sources"]["b"]
    assert (status["state"], status["width"]) == ("running", WIDE)  # and what is analysed is the first stream


async def test_a_camera_that_dies_and_comes_back_begins_a_new_stream(vision: Vision, camera: MakeCamera) -> None:
    source = camera(counted(), fps=FPS)
    await vision.call("open", {"key": "a", "url": source.url(), "record_s": 5})
    await vision.call("live", {"key": "a", "on": True})
    at, _, _ = await header(vision, "a", "fmp4")
    await pieces(vision, "a", 6, at)
    source.kill()
    at, said, _ = await header(vision, "a", "none", at)
    assert said["code"] == "off" and said["reason"]
    source.start()
    at, _, init = await header(vision, "a", "fmp4", at)
    got = await pieces(vision, "a", 6, at)
    assert got[0][0]["key_frame"] and len(shades(init + b"".join(blob for _, blob in got))) == 6


async def test_a_clip_reaches_back_plays_elsewhere_and_says_its_times(
    vision: Vision, camera: MakeCamera, tmp_path: Path
) -> None:
    source = camera(counted(), fps=FPS)
    await vision.call("open", {"key": "a", "url": source.url(), "record_s": 5})
    await vision.call("live", {"key": "a", "on": True})
    at, _, _ = await header(vision, "a", "fmp4")
    await pieces(vision, "a", 30, at)  # three seconds are there
    made = (await vision.call("clip", {"key": "a", "before_s": 2, "after_s": 1})).header["result"]
    (part,) = made["parts"]
    assert 2.8 <= part["ends"] - part["begins"] <= 4.0 and made["full"] is False
    answer = await vision.call("clip_part", {"clip": made["clip"], "part": 0})
    assert len(answer.blob) == part["size"]
    shown = shades(answer.blob)
    assert len(shown) == pytest.approx((part["ends"] - part["begins"]) * FPS + 1, abs=1.5)
    assert shown == sorted(shown) or sum(b < a for a, b in itertools.pairwise(shown)) == 1  # one circle's end
    with pytest.raises(NotFound):
        await vision.call("clip_part", {"clip": made["clip"], "part": 0})
    if shutil.which("ffprobe") is None:
        pytest.skip("no ffprobe: apt-get install ffmpeg")
    file = tmp_path / "clip.mp4"
    file.write_bytes(answer.blob)
    asked = ["ffprobe", "-v", "error", "-show_streams", "-show_format", "-of", "json", str(file)]
    seen = json.loads((await asyncio.to_thread(subprocess.run, asked, capture_output=True, check=True)).stdout)
    assert seen["streams"][0]["codec_name"] == "h264" and float(seen["format"]["start_time"]) == 0
    assert float(seen["format"]["duration"]) == pytest.approx(len(shown) / FPS, abs=0.3)
    assert seen["format"]["tags"]["creation_time"].startswith("20")


async def test_a_clip_of_single_pictures_is_a_film_of_them(vision: Vision) -> None:
    async with snapshots((200, 40, 40)) as url:
        given = {"key": "s", "url": url + "/snap", "kind": "snapshot", "every_s": 0.1, "record_s": 5}
        await vision.call("open", given)
        await vision.call("live", {"key": "s", "on": True})
        at, said, init = await header(vision, "s", "jpeg")
        assert (said, init) == ({"kind": "jpeg"}, b"")
        got = await pieces(vision, "s", 5, at)
        assert all(Image.open(io.BytesIO(blob)).size == (160, 120) for _, blob in got)
        made = (await vision.call("clip", {"key": "s", "before_s": 1, "after_s": 0.3})).header["result"]
        film = (await vision.call("clip_part", {"clip": made["clip"], "part": 0})).blob
        with av.open(io.BytesIO(film), "r", format="mp4") as box:
            frames = [frame.to_ndarray(format="rgb24")[60, 80] for frame in box.decode(video=0)]
        assert len(frames) >= 5 and np.abs(frames[0].astype(int) - (200, 40, 40)).max() < 12


async def test_mjpeg_over_rtsp_is_shown_as_pictures(vision: Vision, camera: MakeCamera) -> None:
    source = camera(counted(), fps=FPS, codec="jpeg")
    await vision.call("open", {"key": "j", "url": source.url(), "record_s": 5})
    await vision.call("live", {"key": "j", "on": True})
    at, _, _ = await header(vision, "j", "jpeg")
    ((_, blob),) = await pieces(vision, "j", 1, at)
    assert Image.open(io.BytesIO(blob)).size == (WIDE, HIGH)


async def test_wrong_questions_are_named(vision: Vision) -> None:
    bad: list[tuple[dict[str, Any], str]] = [
        ({"kind": "film"}, "kind"), ({"kind": "snapshot"}, "kind"), ({"every_s": 0}, "every_s"),
        ({"record_s": 61}, "record_s"), ({"live_url": "http://h/x"}, "live_url"),
        ({"live_url": "file:///x"}, "live_url"),
    ]  # fmt: skip
    for args, field in bad:
        with pytest.raises(InvalidInput) as refused:
            await vision.call("open", {"key": "x", "url": "rtsp://127.0.0.1:1/x", **args})
        assert refused.value.where == field, args
    await vision.call("open", {"key": "x", "url": "rtsp://127.0.0.1:1/x", "record_s": 5})
    with pytest.raises(Unavailable, match="no video to keep"):
        await vision.call("clip", {"key": "x", "before_s": 5, "after_s": 0})
    for args in ({"before_s": 61, "after_s": 0}, {"before_s": 0, "after_s": True}, {"before_s": 0}):
        with pytest.raises(InvalidInput):
            await vision.call("clip", {"key": "x", **args})
    for clip, part in (("9", 0), (None, 0), ("9", "x")):
        with pytest.raises(NotFound):
            await vision.call("clip_part", {"clip": clip, "part": part})
