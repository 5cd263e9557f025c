"""The demo zone in the real hub: its programs come in through the real doors, are kept up, and end with it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from hub.sdk import Context, ManualClock, SystemClock
from hub.testing import Harness, contract, harness
from plugins.demo_zone import fonts
from plugins.demo_zone.peers import RETRY_S, Peer, Program, peers
from plugins.demo_zone.plates import Plate, plates_for, watched_plate
from plugins.demo_zone.settings import Settings

HERE = Path(__file__).parent
WITHIN_S = 60.0
FONT = any((folder / f"Loma-Bold{end}").is_file() for folder in fonts.FOLDERS for end in (".ttf", ".otf"))
needs_font = pytest.mark.skipif(not FONT, reason=f"needs a Thai font: apt-get install {fonts.PACKAGE}")
UNITS = {
    "plugin": "units",
    "config": {"devices": [{"id": "s211", "name": {"th": "ก", "en": "A"}, "secret": "demo-phone-s211"}]},
}
PLATES_OF_7 = [
    Plate("ลย", "8908", "ตาก"), Plate("สส", "7113", "ตาก"), Plate("กว", "1061", "แพร่"), Plate("วจ", "5125", "แพร่"),
]  # fmt: skip
LIST: dict[str, Any] = {"plugin": "watchlist"}


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    with socket.socket(socket.AF_INET, kind) as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


PHONE = "s211:demo-phone-s211:traccar"


def config_of(camera: int, line: int, drone: int) -> dict[str, Any]:
    """Four programs as the repository's ``config.yaml`` names them."""
    rows: list[tuple[str, str, list[Any]]] = [
        ("street camera", "demo_zone/rtsp_server.py", ["--port", camera, "--seed", 7]),
        ("LINE server", "line_oa/fake.py", ["--port", line]),
        ("autopilot", "drone_mavlink/fake.py", ["--port", drone, "--speed-up", 2]),
        ("phones", "units/fake.py", ["--url", "{hub}/hook/units/position", "--phone", PHONE]),
    ]
    return {"programs": [{"name": name, "file": file, "arguments": told} for name, file, told in rows]}


def ports() -> tuple[int, int, int]:
    return free_port(), free_port(), free_port(socket.SOCK_DGRAM)


@asynccontextmanager
async def given() -> AsyncIterator[Mapping[str, Any]]:
    yield config_of(*ports())


if FONT:
    test_contract = contract(HERE, given)


def program(word: object) -> list[int]:
    """Process ids of this test's programs whose command line holds ``word``."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes().split(b"\0")
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if str(word).encode() in line and parent == os.getpid():  # another demo may run on this machine
            found.append(int(entry.name))
    return found


async def answers(port: int) -> bytes:
    """What stands at ``/_sent`` of the LINE server; nothing while it is away."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /_sent HTTP/1.0\r\n\r\n")
        answer = await reader.read(1 << 16)
    except OSError:
        return b""
    writer.close()
    return answer.partition(b"\r\n\r\n")[2]


async def seen_walking(hub: Harness) -> None:
    last = max((event.seq for event in hub.events("unit_moved")), default=0)
    await hub.wait_event("unit_moved", entity="unit.s211", after=last, timeout=WITHIN_S)


# --- plates


def test_plates_are_the_same_everywhere_for_a_seed() -> None:
    assert plates_for(7) == PLATES_OF_7
    assert watched_plate(7) == PLATES_OF_7[0]
    assert watched_plate(8) != watched_plate(7)


# --- the zone


@needs_font
async def test_it_comes_in_through_the_real_doors_and_says_nothing_itself() -> None:
    async with harness(HERE, config_of(*ports()), beside=[UNITS, LIST]) as hub:
        await seen_walking(hub)
        change = await hub.wait_event("watchlist_entry_changed", timeout=WITHIN_S)
        wanted = watched_plate(7)
        assert (change.data["plate"], change.data["by"]) == (wanted.series + wanted.number, "instance:demo_zone")
        (entry,) = (await hub.call("watchlist.entries")).result
        assert (entry["province"], entry["urgent_until"] > hub.app.clock.now()) == (wanted.province, True)
        assert (hub.supervised.state, hub.supervised.found.manifest.emits) == ("running", [])  # type: ignore[union-attr]
        assert {event.source for event in hub.events()} <= {"hub", "instance:units", "instance:watchlist"}


@needs_font
async def test_its_programs_end_with_it() -> None:
    held = ports()
    watched = [*held, PHONE]
    async with harness(HERE, config_of(*held), beside=[UNITS]) as hub:
        assert [len(program(word)) for word in watched] == [1, 1, 1, 1]
        await hub.unload()
        assert [program(word) for word in watched] == [[]] * 4
        assert await hub.restart() == "running"
        assert [len(program(word)) for word in watched] == [1, 1, 1, 1]
    assert [program(word) for word in watched] == [[]] * 4


@needs_font
async def test_a_program_that_is_killed_is_started_again() -> None:
    held = ports()
    port = held[1]
    async with harness(HERE, config_of(*held), beside=[UNITS]) as hub:
        assert await answers(port) == b"[]"
        (old,) = program(port)
        os.kill(old, signal.SIGKILL)
        async with asyncio.timeout(WITHIN_S):
            while old in program(port) or await answers(port) != b"[]":
                await seen_walking(hub)
        assert len(program(port)) == 1
        assert hub.supervised.state == "running"


@needs_font
async def test_what_cannot_run_is_said_and_the_rest_runs_without_it() -> None:
    held = ports()
    with socket.create_server(("127.0.0.1", held[1])):
        async with harness(HERE, config_of(*held), beside=[UNITS], running=False) as hub:
            async with asyncio.timeout(WITHIN_S):
                while hub.supervised.state == "starting":  # the patrols may walk before it has given up on the server
                    await seen_walking(hub)
            assert hub.supervised.state == "retrying"
            assert hub.supervised.reason.startswith("the demo's LINE server did not start: ")
            assert "address already in use" in hub.supervised.reason
            assert len(program(held[0])) == 1


# --- one program


class Bench:
    """What a peer needs of ``Context``."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.context = cast(Context, SimpleNamespace(clock=self.clock, log=logging.getLogger("demo")))

    def peer(self, file: Path, *arguments: str) -> Peer:
        return Peer(self.context, Program("street camera", file, arguments))


async def test_a_missing_thai_font_is_told_with_its_debian_package(tmp_path: Path) -> None:
    """The program itself, on a machine whose font folders are empty."""
    wrapper = tmp_path / "no_fonts.py"
    wrapper.write_text(
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        f"sys.path.insert(0, {str(HERE.parents[1])!r})\n"
        "from plugins.demo_zone import fonts\n"
        f"fonts.font.__wrapped__.__defaults__ = ((Path({str(tmp_path)!r}),),)\n"
        "from plugins.demo_zone import rtsp_server\n"
        "sys.exit(asyncio.run(rtsp_server.main(sys.argv[1:])))\n"
    )
    peer = Bench().peer(wrapper, "--port", "0")
    said = await peer.keep()
    assert said.startswith("the demo's street camera did not start: the Thai font Loma")
    assert said.endswith("is not installed, and plates cannot be drawn: apt-get install fonts-thai-tlwg")
    assert peer.pid is None
    await peer.stop()


async def test_who_ends_a_program_takes_no_status_from_asyncio(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``Popen.send_signal`` polls first: of a program that has just ended, asyncio would hear 255, and warn."""
    monkeypatch.setattr(subprocess.Popen, "send_signal", lambda process, number: pytest.fail("it polls"))
    file = tmp_path / "stays.py"
    file.write_text("import sys\nprint('{}', flush=True)\nsys.stdin.read()\n")
    peer = Bench().peer(file)
    assert await peer.keep() == "the demo's street camera did not start: no reason given"
    await peer.stop()


async def test_what_did_not_start_is_tried_again_but_not_at_once(tmp_path: Path) -> None:
    flag, file = tmp_path / "flag", tmp_path / "late.py"
    file.write_text(
        "import pathlib, sys\n"
        f"if not pathlib.Path({str(flag)!r}).exists():\n"
        "    sys.exit('not yet')\n"
        "print('{\"ready\": true}', flush=True)\n"
        "sys.stdin.read()\n"
    )
    bench = Bench()
    peer = bench.peer(file)
    assert await peer.keep() == "the demo's street camera did not start: not yet"
    flag.touch()
    bench.clock.advance(RETRY_S - 1)
    assert await peer.keep() == "the demo's street camera did not start: not yet"
    bench.clock.advance(1)
    assert await peer.keep() == ""
    pid = peer.pid
    assert pid is not None
    assert await peer.keep() == ""
    assert [peer.pid] == [pid]
    await peer.stop()
    assert (peer.pid, await peer.keep(), peer.pid) == (None, "", None)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_program_that_talks_much_does_not_stand_still(tmp_path: Path) -> None:
    """More than a pipe holds, on both of its outputs."""
    mark, file = tmp_path / "mark", tmp_path / "talker.py"
    file.write_text(
        "import pathlib, sys\n"
        "print('{\"ready\": true}', flush=True)\n"
        "for out in (sys.stdout, sys.stderr):\n"
        "    out.write('x' * 300_000)\n"
        "    out.flush()\n"
        f"pathlib.Path({str(mark)!r}).touch()\n"
        "sys.stdin.read()\n"
    )
    peer = Bench().peer(file)
    assert await peer.keep() == ""
    clock = SystemClock()
    async with asyncio.timeout(20):
        while not mark.exists():
            await clock.sleep(0.01)
    await peer.stop()


def test_the_programs_are_told_where_the_hub_is() -> None:
    made = peers(Settings.model_validate(config_of(1, 2, 3)), "http://h:4")
    assert {one.name: one.arguments for one in made} == {
        "street camera": ("--port", "1", "--seed", "7"), "LINE server": ("--port", "2"),
        "autopilot": ("--port", "3", "--speed-up", "2"),
        "phones": ("--url", "http://h:4/hook/units/position", "--phone", PHONE),
    }  # fmt: skip
    assert all(one.file.is_file() for one in made)
