"""The demo's camera as others see it: plates from a seed, read by Tesseract, over RTSP to PyAV and to ffmpeg."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import struct
import subprocess
import sys
import time
import unicodedata
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image, ImageOps

from plugins.demo_zone import cars, encode, fonts, rtp, rtsp_server
from plugins.demo_zone.plates import Plate, plates_for, watched_plate
from plugins.demo_zone.scene import _LANE_M, FPS, FRAMES, HEIGHT, WIDTH, Passage, Scene, scale_at
from plugins.demo_zone.street import FOCAL, project

FONT = any((folder / f"Loma-Bold{end}").is_file() for folder in fonts.FOLDERS for end in (".ttf", ".otf"))
pytestmark = pytest.mark.skipif(not FONT, reason=f"needs a Thai font: apt-get install {fonts.PACKAGE}")
needs_tesseract = pytest.mark.skipif(shutil.which("tesseract") is None, reason="needs tesseract-ocr and its Thai data")
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg")
OPTIONS = {"rtsp_transport": "tcp", "analyzeduration": "0", "probesize": "32", "fflags": "nobuffer"}


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene(7)


@pytest.fixture
async def server() -> AsyncIterator[tuple[rtsp_server.RtspServer, int]]:
    made = rtsp_server.RtspServer(7, max_clients=4)
    yield made, await made.start()
    await made.stop()


def test_plates_are_the_same_for_a_seed_and_legal() -> None:
    assert plates_for(7) == plates_for(7)
    assert watched_plate(7) == plates_for(7)[0]
    drawn = {plate for seed in range(200) for plate in plates_for(seed)}
    assert len(drawn) > 700
    for plate in drawn:
        assert len(plate.series) == 2
        assert 1000 <= int(plate.number) <= 9999
    for seed in range(200):
        assert len({plate.number for plate in plates_for(seed)}) == 4


def test_a_missing_font_names_its_package(tmp_path: Path) -> None:
    with pytest.raises(fonts.FontMissing, match=r"Loma-Bold is not installed.*apt-get install fonts-thai-tlwg"):
        fonts.font("Loma-Bold", 20, (tmp_path,))


def test_the_watched_car_comes_first_at_six_seconds(scene: Scene) -> None:
    first = scene.passages[0]
    assert (first.plate, first.at) == (watched_plate(7), 6.0)
    shown = [index for index in range(0, FRAMES, 5) if scene.frame(index) is not scene.still]
    assert shown == [i for i in range(0, FRAMES, 5) if any(i in passage.frames for passage in scene.passages)]
    assert len(shown) < FRAMES / 5 / 2  # the street is empty most of the time
    assert max(shown) < FRAMES - FPS
    assert scene.frame(60).size == (WIDTH, HEIGHT) == (1280, 720)


def test_the_words_stand_in_every_picture(scene: Scene) -> None:
    """In the corner nothing but the caption is drawn, with or without a car."""
    corner = (WIDTH - 330, 14, WIDTH - 14, 62)
    words = np.asarray(scene.still.crop(corner))
    assert (words[..., 0] > 220).mean() > 0.08
    for index in (25, 60, 81):
        assert np.array_equal(np.asarray(scene.frame(index).crop(corner)), words)


def plate_box(index: int, passage: Passage) -> tuple[int, int, int, int]:
    """Where the plate is, from the road's geometry."""
    scale = scale_at(index / FPS - passage.at)
    x, ground = project(_LANE_M, 0.0, FOCAL / scale)
    y = ground - (cars.CAR_M[1] - cars._PLATE_Y) * scale
    wide, tall = (side / 2 * scale for side in cars.PLATE_M)
    return round(x - wide), round(y - tall), round(x + wide), round(y + tall)


def read(picture: Image.Image) -> str:
    """What the program makes of one line of text, cut to its ink and 40 pixels high."""
    line = picture.crop(picture.point([255 * (value < 120) for value in range(256)]).getbbox())
    large = ImageOps.expand(line.resize((round(line.width * 40 / line.height), 40)), 14, 230)
    raw = b"P5 %d %d 255\n" % large.size + large.tobytes()
    command = ["tesseract", "stdin", "stdout", "-l", "tha", "--psm", "7", "--dpi", "300"]
    done = subprocess.run(command, input=raw, capture_output=True, check=True, timeout=30)
    return unicodedata.normalize("NFKC", "".join(done.stdout.decode().split()))  # ำ is one sign or two


@needs_tesseract
def test_plates_are_large_and_read(scene: Scene) -> None:
    """The engine alone, without the hub's own reader, reads number and province of every plate of the round."""
    for passage in scene.passages:
        index = round(passage.at * FPS)
        left, top, right, bottom = plate_box(index, passage)
        assert right - left >= 200
        grey = scene.frame(index).convert("L").crop((left, top, right, bottom))
        wide, tall = grey.size
        upper = grey.crop((round(wide * 0.055), round(tall * 0.10), round(wide * 0.945), round(tall * 0.64)))
        lower = grey.crop((round(wide * 0.1), round(tall * 0.66), round(wide * 0.9), round(tall * 0.93)))
        assert read(upper) == passage.plate.series + passage.plate.number
        assert read(lower) == unicodedata.normalize("NFKC", passage.plate.province)


def test_a_plate_s_rows_keep_to_their_frame() -> None:
    """The widest letters too: ink never touches the plate's edge line."""
    grey = np.asarray(cars.draw_plate(Plate("ฌฌ", "8888", "พระนครศรีอยุธยา")).convert("L"))
    band = grey[round(grey.shape[0] * 0.1) : round(grey.shape[0] * 0.9)]
    margin = band[:, round(grey.shape[1] * 0.035) : round(grey.shape[1] * 0.06)]
    assert margin.min() > 150


def test_units_of_a_byte_stream() -> None:
    assert encode.units(b"\0\0\0\1\x67ab\0\0\1\x68c\0\0\0\1\x65\0\0\x03\1d\0") == [
        b"\x67ab",
        b"\x68c",
        b"\x65\0\0\x03\1d",
    ]
    assert encode.units(b"") == []


def test_fragments_can_be_joined_again() -> None:
    """A receiver of RFC 6184, 5.8, written from the RFC: every size around the limit comes out as it went in."""
    for size in (1, 1399, 1400, 1401, 1402, 2797, 2798, 100_000):
        unit = bytes([0x65]) + bytes(n % 251 for n in range(size - 1))
        sender = rtp.Sender(4, 0x11223344)
        sender.sequence = 65530
        raw, found, joined, sequence = sender.packets([b"\x67sps", unit], 2**32 + 90), [], b"", 65530
        while raw:
            magic, channel, length = struct.unpack(">BBH", raw[:4])
            packet, raw = raw[4 : 4 + length], raw[4 + length :]
            version, kind, number, stamp, source = struct.unpack(">BBHII", packet[:12])
            assert (magic, channel, version, kind & 0x7F, number, stamp) == (0x24, 4, 0x80, 96, sequence, 90)
            assert (bool(kind & 0x80), source, length <= 1412) == (not raw, 0x11223344, True)
            sequence = (sequence + 1) % 65536
            payload = packet[12:]
            if payload[0] & 0x1F != 28:
                found.append(payload)
                continue
            joined = (bytes([payload[0] & 0xE0 | payload[1] & 0x1F]) if payload[1] & 0x80 else joined) + payload[2:]
            if payload[1] & 0x40:
                found.append(joined)
        assert found == [b"\x67sps", unit]


def watch(url: str, count: int) -> tuple[list[float], list[Any]]:
    """``count`` pictures by PyAV: arrival times and pictures."""
    arrivals, pictures = [], []
    with av.open(url, format="rtsp", options=OPTIONS, timeout=(10, 5)) as stream:
        for frame in stream.decode(video=0):
            arrivals.append(time.monotonic())
            pictures.append(frame.to_ndarray(format="gray"))
            if len(pictures) == count:
                break
    return arrivals, pictures


async def test_pyav_sees_the_scene_in_real_time(server: tuple[rtsp_server.RtspServer, int], scene: Scene) -> None:
    """Two viewers at once; pictures are those of the scene, and later ones come at the pace of the clock."""
    url = f"rtsp://127.0.0.1:{server[1]}/scene"
    (arrivals, pictures), (_, others) = await asyncio.wait_for(
        asyncio.gather(asyncio.to_thread(watch, url, 40), asyncio.to_thread(watch, url, 40)), 60
    )
    still = np.asarray(scene.still.convert("L"), dtype=float)
    assert np.abs(pictures[0] - still).mean() < 3
    assert np.abs(others[0] - still).mean() < 3
    pace = (arrivals[-1] - arrivals[-11]) / 10
    assert 0.08 <= pace <= 0.13
    assert server[0].round.headers[0][0] & 0x1F == 7


@needs_ffmpeg
async def test_ffmpeg_plays_it(server: tuple[rtsp_server.RtspServer, int]) -> None:
    command = ["-v", "error", "-rtsp_transport", "tcp", "-i", f"rtsp://127.0.0.1:{server[1]}/scene", "-frames:v", "12"]
    program = await asyncio.create_subprocess_exec(
        "ffmpeg", *command, "-f", "framemd5", "-", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(program.communicate(), 60)
    assert err == b""
    assert sum(not line.startswith(b"#") for line in out.splitlines()) == 12


@contextlib.contextmanager
def connection(port: int) -> Iterator[Any]:
    """A plain socket's file to the server."""
    import socket

    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain, plain.makefile("rwb") as both:
        yield both


def ask(both: Any, text: str) -> str:
    """Send and read the answer's first line."""
    both.write(text.replace("\n", "\r\n").encode())
    both.flush()
    first = both.readline().decode().strip()
    while both.readline().strip():
        continue
    return str(first)


async def test_what_breaks_the_rules_is_answered_and_ended(server: tuple[rtsp_server.RtspServer, int]) -> None:
    port = server[1]
    url = f"rtsp://127.0.0.1:{port}"

    def talk() -> None:
        with connection(port) as c:
            assert ask(c, f"OPTIONS {url} RTSP/1.0\nCSeq: 1\n\n") == "RTSP/1.0 200 OK"
            assert ask(c, f"DESCRIBE {url}/other RTSP/1.0\nCSeq: 2\n\n") == "RTSP/1.0 404 Not Found"
            assert ask(c, f"PLAY {url}/scene RTSP/1.0\nCSeq: 3\n\n") == "RTSP/1.0 455 Method Not Valid in This State"
            setup = f"SETUP {url}/scene/track1 RTSP/1.0\nCSeq: 4\nTransport: "
            assert ask(c, setup + "RTP/AVP;unicast;client_port=1-2\n\n") == "RTSP/1.0 461 Unsupported Transport"
            assert ask(c, setup + "RTP/AVP/TCP;unicast;interleaved=2-3\n\n") == "RTSP/1.0 200 OK"
            assert ask(c, f"PLAY {url}/scene RTSP/1.0\nCSeq: 5\nSession: x\n\n") == "RTSP/1.0 454 Session Not Found"
            assert ask(c, f"RECORD {url}/scene RTSP/1.0\nCSeq: 6\n\n") == "RTSP/1.0 405 Method Not Allowed"
        for wrong, status in (("hello\n\n", "400 Bad Request"), ("X" * 20_000, "413 Request Too Large")):
            with connection(port) as c:
                assert ask(c, wrong) == f"RTSP/1.0 {status}"
                assert c.read() == b""

    await asyncio.wait_for(asyncio.to_thread(talk), 30)


async def test_no_more_viewers_than_allowed(server: tuple[rtsp_server.RtspServer, int]) -> None:
    opened = [await asyncio.open_connection("127.0.0.1", server[1]) for _ in range(4)]
    for _, writer in opened:  # answered: the server has taken it
        writer.write(b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")
    for reader, _ in opened:
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    reader, writer = await asyncio.open_connection("127.0.0.1", server[1])
    assert (await asyncio.wait_for(reader.read(), 10)).startswith(b"RTSP/1.0 453 Not Enough Bandwidth")
    for _, one in [*opened, (reader, writer)]:
        one.close()


async def test_the_program() -> None:
    program = await asyncio.create_subprocess_exec(
        sys.executable, str(Path(rtsp_server.__file__)), "--seed", "7", stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert program.stdin is not None
    assert program.stdout is not None
    ready = json.loads(await asyncio.wait_for(program.stdout.readline(), 60))
    assert ready["ready"] is True
    assert ready["watched"] == watched_plate(7).text
    with contextlib.closing((await asyncio.open_connection("127.0.0.1", ready["port"]))[1]):
        program.terminate()
        assert await asyncio.wait_for(program.wait(), 10) == 0
