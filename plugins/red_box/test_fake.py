"""The walking patrol against the real plugin: what it keeps, what it sends, and a clock that is off."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import aiohttp
import pytest

from plugins.red_box import fake

from .conftest import RB1, RB2, OpenPatrol


async def test_a_patrol_keeps_its_scans_until_they_are_taken(patrol: OpenPatrol) -> None:
    async with patrol("2026-11-23 22:30") as one, aiohttp.ClientSession(cookie_jar=one.http.cookie_jar) as http:
        walker = fake.Patrol("http://127.0.0.1:9/hook/red_box", "s1", "secret-of-s1", now=one.hub.app.clock.now)
        walker.scan(fake.QrCode(one.code(), *RB1))
        assert (await walker.sync(http), len(walker.kept)) == (None, 1)
        walker.url = one.hub.hook("").rstrip("/")
        assert await walker.sync(http) == 200
        assert ([answer["result"] for answer in walker.answers], walker.kept) == (["new"], [])


async def test_a_clock_that_is_an_hour_ahead_is_corrected_and_doubted(patrol: OpenPatrol) -> None:
    jar = aiohttp.CookieJar(unsafe=True)
    async with patrol("2026-11-23 22:30") as one, aiohttp.ClientSession(cookie_jar=jar) as http:
        clock = one.hub.app.clock
        walker = fake.Patrol(one.hub.hook("").rstrip("/"), "s1", "secret-of-s1", skew_s=3600, now=clock.now)
        walker.scan(fake.QrCode(one.code(), *RB1))
        assert await walker.sync(http) == 401
        assert await walker.sign_in(http)
        assert await walker.sync(http) == 200
        (event,) = one.hub.events("checkpoint_scanned")
        assert (event.data["at"], event.data["doubts"]) == (pytest.approx(clock.now()), ["clock_off"])


async def test_the_program_walks_the_boxes(patrol: OpenPatrol) -> None:
    async with patrol() as one:
        boxes = [f"--box={one.code(box)}@{lat},{lon}" for box, (lat, lon) in (("rb1", RB1), ("rb2", RB2))]
        program = str(Path(fake.__file__))
        process = await asyncio.create_subprocess_exec(
            sys.executable, program, "--url", one.hub.hook("").rstrip("/"), "--phone", "s1:secret-of-s1", *boxes,
            "--interval", "0.1", "--far-every", "2", "--rest", "1", stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE, cwd=str(Path(program).parents[2]), env={"PYTHONPATH": "."},
        )  # fmt: skip
        await one.hub.until(lambda: len(one.hub.events("checkpoint_scanned")) >= 2, 20)
        process.terminate()
        await process.wait()
        events = one.hub.events("checkpoint_scanned")[:2]
        assert [event.entity for event in events] == ["checkpoint.rb1"] * 2
        assert ["out_of_radius" in event.data["doubts"] for event in events] == [False, True]


async def test_a_program_with_a_code_that_no_box_has_ends_and_names_it(patrol: OpenPatrol) -> None:
    async with patrol() as one:
        program = str(Path(fake.__file__))
        process = await asyncio.create_subprocess_exec(
            sys.executable, program, "--url", one.hub.hook("").rstrip("/"), "--phone", "s1:secret-of-s1",
            "--box", "DEM00001@17.0,99.8", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE, cwd=str(Path(program).parents[2]), env={"PYTHONPATH": "."},
        )  # fmt: skip
        assert process.stderr is not None
        said = await asyncio.wait_for(process.stderr.read(), 20)
        assert await process.wait() == 1
        assert said.decode().startswith("the hub knows no box of these codes: http")
        assert "scan?c=DEM00001" in said.decode()
