"""Cursor on Target: reading what is hostile, and a connection to a server of our own and to a real one (taky)."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.sdk import Unavailable
from hub.testing import Harness, harness
from plugins.units import cot, fake_tak
from plugins.units.cot import BadCot, CotEvent, Splitter
from plugins.units.tracks import entity_of

HERE = Path(__file__).parent
DEVICE = {"id": "s1", "name": {"th": "สายตรวจ ๑", "en": "Patrol 1"}, "secret": "secret-of-s1"}
THAI = "กู้ภัย 1"


def parsed(**changes: str) -> CotEvent:
    text = fake_tak.event("U-1", 17.0, 99.8, callsign=THAI, at=1_790_000_000.0).decode()
    for old, new in changes.items():
        text = re.sub(rf'{old}="[^"]*"', lambda _, old=old, new=new: f'{old}="{new}"', text, count=1)  # type: ignore[misc]
    return cot.parse(text.encode())


def test_thai_comes_out_of_character_references() -> None:
    raw = fake_tak.event("U-1", 17.0, 99.8, callsign=THAI, at=1_790_000_000.0)
    assert b"&#3585;" in raw
    assert cot.parse(raw) == CotEvent(
        "U-1", "a-f-G-U-C", 1_790_000_000.0, 1_790_000_060.0, 17.0, 99.8, 5.0, THAI, 1.5, 90.0
    )


def test_what_is_built_is_read_again() -> None:
    made = CotEvent('H"1', "a-f-G-U-C", 1_790_000_000.0, 1_790_000_120.0, 17.0079, 99.8228, None, "ส<&>1", 2.5, 359.5)
    assert cot.parse(cot.build(made)) == made


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"<event", "no XML"),
        (b"<event></event>", "event or point is missing"),
        (b'<!DOCTYPE e [<!ENTITY a "b">]><event></event>', "a document type or entity declaration is not taken"),
        (b"<event>" + b"<a>" * 30 + b"</a>" * 30 + b"</event>", "deeper than 24"),
        (b"<event>" + b"<a/>" * 500 + b"</event>", "more than 400 elements"),
        (b"<event>" + b" " * 70_000 + b"</event>", "an event is over 64 KB"),
    ],
)
def test_hostile_xml_is_refused_in_words(raw: bytes, words: str) -> None:
    with pytest.raises(BadCot, match=words):
        cot.parse(raw)


def test_an_entity_bomb_is_refused_at_its_declaration() -> None:
    bomb = '<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 9)
    )
    with pytest.raises(BadCot, match="declaration is not taken"):
        cot.parse(f"{bomb}]><event uid='&a8;'></event>".encode())


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("lat", "91", "lat is not within -90 to 90"), ("lon", "nan", "lon is not within -180 to 180"),
        ("time", "now", "time is no time: ISO 8601"), ("uid", "", "uid is no text of 1 to 100 characters"),
        ("type", "x" * 101, "type is no text of 1 to 100 characters"),
    ],
)  # fmt: skip
def test_wrong_fields_are_named(field: str, value: str, words: str) -> None:
    with pytest.raises(BadCot) as wrong:
        parsed(**{field: value})
    assert str(wrong.value) == words


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    with suppress(BadCot):
        cot.parse(raw)


@given(st.integers(min_value=1, max_value=50))
def test_a_stream_is_parted_wherever_it_breaks(step: int) -> None:
    whole = b"".join(fake_tak.event(f"U-{n}", 17, 99, at=1.0) for n in range(3))
    splitter, found = Splitter(), list[bytes]()
    for begin in range(0, len(whole), step):
        found += splitter.feed(whole[begin : begin + step])
    assert [cot.parse(raw).uid for raw in found] == ["U-0", "U-1", "U-2"]
    assert not splitter.inside


def test_an_event_without_an_end_stops_the_stream() -> None:
    with pytest.raises(BadCot, match="an event is over 64 KB"):
        list(Splitter().feed(b"<event>" + b"x" * 70_000))


# --- through the hub


@asynccontextmanager
async def joined(port: int, **tak: Any) -> AsyncIterator[Harness]:
    config = {"devices": [DEVICE], "tak": {"host": "127.0.0.1", "port": port, **tak}}
    async with harness(HERE, config) as hub:
        yield hub


async def moved(hub: Harness, lat: float = 17.0079, lon: float = 99.8228) -> None:
    query = {"id": "s1", "secret": "secret-of-s1", "lat": str(lat), "lon": str(lon), "timestamp": str(time.time())}
    async with aiohttp.ClientSession() as http, http.post(hub.hook("position"), params=query) as answer:
        assert answer.status == 200


@asynccontextmanager
async def own_server() -> AsyncIterator[tuple[fake_tak.TakServer, int]]:
    server = fake_tak.TakServer()
    port = await server.start()
    yield server, port
    await server.stop()


async def test_units_go_out_and_leave_when_duty_ends() -> None:
    async with own_server() as (server, port), joined(port, stale_s=90) as hub:
        await moved(hub)
        (sent,) = await server.until("a-f-G-U-C")
        out = cot.parse(sent.encode())
        assert (out.uid, out.callsign, out.lat, out.lon) == ("HUB.unit.s1", "สายตรวจ ๑", 17.0079, 99.8228)
        assert out.stale - out.time == pytest.approx(90, abs=0.01)
        assert out.time == pytest.approx(time.time(), abs=10)
        await hub.call("unit.set_status", "unit.s1", {"status": "off_duty"})
        (gone,) = await server.until("t-x-d-d")
        assert 'link uid="HUB.unit.s1"' in gone
        await moved(hub)
        assert len(server.events("a-f-G-U-C")) == 1


async def test_an_sos_is_an_emergency_there_too() -> None:
    async with own_server() as (server, port), joined(port) as hub:
        await moved(hub)
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
            await http.post(hub.hook("phone/sign_in"), data={"device": "s1", "secret": "secret-of-s1"})
            await http.post(hub.hook("phone/sos"))
            (alert,) = await server.until("b-a-o-tbl")
            assert 'emergency type="911 Alert"' in alert
            assert cot.parse(alert.encode()).lat == 17.0079
            await http.post(hub.hook("phone/sos_over"))
        (over,) = await server.until("b-a-o-can")
        assert 'emergency cancel="true"' in over


async def test_foreign_tracks_come_in_bounded_marked_and_without_our_own() -> None:
    async with own_server() as (server, port), joined(port, max_tracks=2) as hub:
        await server.joined.wait()
        for uid in ("HUB.unit.s9", "A-1", "B-2", "C-3"):
            await server.send(fake_tak.event(uid, 17.01, 99.81, callsign=THAI, kind="a-h-G"))
        await hub.wait_event("track_seen", entity=entity_of("B-2"))
        await moved(hub)  # what came before it was taken or left out
        tracks = [one for one in hub.entities() if one.domain == "track"]
        assert {one.entity for one in tracks} == {entity_of("A-1"), entity_of("B-2")}
        a = tracks[0].attributes
        assert (a["callsign"], a["affiliation"], a["source"], a["source_host"]) == (THAI, "hostile", "tak", "127.0.0.1")
        assert (tracks[0].state, a["lat"], a["lon"]) == ("current", 17.01, 99.81)


async def test_a_track_that_is_stale_on_arrival_is_left_out() -> None:
    """A server replays what it keeps to every new client."""
    async with own_server() as (server, port), joined(port) as hub:
        await server.joined.wait()
        await server.send(fake_tak.event("OLD", 17, 99, at=time.time() - 500) + fake_tak.event("NEW", 17, 99))
        await hub.wait_event("track_seen", entity=entity_of("NEW"))
        assert hub.state(entity_of("OLD")) is None


async def test_the_connection_begins_again_and_says_why_it_ended() -> None:
    async with own_server() as (server, port), joined(port) as hub:
        await server.joined.wait()
        server.drop()
        about = f"the TAK server 127.0.0.1:{port}: "
        told = await hub.until(lambda: [e for e in hub.events("instance_changed") if about in e.data["reason"]])
        assert told[0].entity == "plugin.units"
        assert "connection" in told[0].data["reason"].lower()  # closed, or reset when something was on its way
        async with asyncio.timeout(10):
            await server.joined.wait()
        await moved(hub)
        await server.until("a-f-G-U-C")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"<event>nonsense</event>" * 20, "20 events in a row cannot be read, the last one: event or point is missing"),
        (b"\x00\xff garbage" * 8000, "an event is over 64 KB"),
    ],
)
async def test_a_peer_that_speaks_no_cot_is_named_and_the_phones_go_on(raw: bytes, words: str) -> None:
    async with own_server() as (server, port), joined(port) as hub:
        await server.joined.wait()
        await server.send(raw)
        await hub.wait_event("instance_changed", match={"reason": f"the TAK server 127.0.0.1:{port}: {words}"})
        await moved(hub)
        assert len(hub.events("unit_moved")) == 1


async def test_bad_events_between_good_ones_are_left_out() -> None:
    async with own_server() as (server, port), joined(port) as hub:
        await server.joined.wait()
        bad = [b"<event/>x</event>", fake_tak.event("L", 95, 99), b"<!DOCTYPE a><event></event>"]
        await server.send(b"".join(bad) + fake_tak.event("GOOD", 17, 99, callsign=THAI))
        seen = await hub.wait_event("track_seen")
        assert seen.data["callsign"] == THAI


async def test_a_track_that_cannot_be_kept_is_told_and_the_next_one_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    async with own_server() as (server, port), joined(port) as hub:
        await server.joined.wait()
        tracks = sys.modules["hub_plugins.units.tracks"].Tracks
        real = tracks.take

        async def take(self: object, event: CotEvent) -> None:
            if event.uid == "BAD":
                raise Unavailable("the journal could not commit")
            await real(self, event)

        monkeypatch.setattr(tracks, "take", take)
        await server.send(fake_tak.event("BAD", 17, 99) + fake_tak.event("GOOD", 17, 99))
        await hub.wait_event("track_seen", entity=entity_of("GOOD"))
        words = "an event of the TAK server was not kept: the journal could not commit"
        assert hub.supervised.reason == words
        monkeypatch.setattr(sys.modules["hub_plugins.units.tak"], "TROUBLE_S", -1.0)
        await server.send(fake_tak.event("NEXT", 17, 99))
        await hub.until(lambda: hub.supervised.reason == "")


async def test_a_slip_ends_one_connection_and_the_next_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    async with own_server() as (server, port), joined(port) as hub:
        await server.joined.wait()
        tracks = sys.modules["hub_plugins.units.tracks"].Tracks
        real = tracks.take

        async def take(self: object, event: CotEvent) -> None:
            if event.uid == "SLIP":
                raise KeyError("a slip")
            await real(self, event)

        monkeypatch.setattr(tracks, "take", take)
        server.joined.clear()
        await server.send(fake_tak.event("SLIP", 17, 99))
        await hub.until(lambda: [e for e in hub.events("instance_changed") if "a slip" in e.data["reason"]])
        await asyncio.wait_for(server.joined.wait(), 10)
        await server.send(fake_tak.event("GOOD", 17, 99))
        await hub.wait_event("track_seen", entity=entity_of("GOOD"))


async def test_silence_in_mid_message_ends_the_connection() -> None:
    async with own_server() as (server, port), joined(port, rest_within_s=0.2) as hub:
        await server.joined.wait()
        await server.send(fake_tak.event("A", 17, 99)[:100])
        reason = f"the TAK server 127.0.0.1:{port}: it stopped in the middle of an event"
        await hub.wait_event("instance_changed", match={"reason": reason})


async def test_a_flood_of_tracks_stays_bounded() -> None:
    async with own_server() as (server, port), joined(port, max_tracks=5) as hub:
        await server.joined.wait()
        flood = b"".join(fake_tak.event(f"F-{n}", 17, 99) for n in range(2000))
        await server.send(flood)
        await hub.until(lambda: len(hub.events("track_seen")) >= 5)
        await moved(hub)
        assert len([one for one in hub.entities() if one.domain == "track"]) == 5


async def test_no_server_is_told_and_the_phones_go_on() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        async with joined(port) as hub:
            told = await hub.wait_event("instance_changed", match={"state": "running"}, after=1)
            await hub.until(lambda: "cannot be reached" in hub.supervised.reason)
            assert told is not None
            await moved(hub)
            assert len(hub.events("unit_moved")) == 1


# --- a real server


def taky() -> Path:
    """The program ``taky`` of an environment of its own."""
    if given := os.environ.get("HUB_TAKY") or shutil.which("taky"):
        return Path(given)
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "safezone-hub-tests" / "taky-0.10"
    program = home / "bin" / "taky"
    if not program.exists():
        try:
            subprocess.run([sys.executable, "-m", "venv", str(home)], check=True, capture_output=True, timeout=120)
            install = [str(home / "bin" / "pip"), "install", "-q", "taky==0.10", "setuptools<81"]
            subprocess.run(install, check=True, capture_output=True, timeout=240)
        except (subprocess.SubprocessError, OSError) as wrong:
            pytest.skip(f"taky 0.10 cannot be installed here: {wrong}")
    return program


TAKY_CONF = """\
[taky]
hostname=test
bind_ip=127.0.0.1
redis=false
root_dir={folder}
[cot_server]
port={port}
mon_ip=
[dp_server]
upload_path={folder}
[ssl]
enabled=false
"""


@pytest.mark.slow
async def test_with_taky(tmp_path: Path) -> None:
    program = await asyncio.to_thread(taky)
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    (tmp_path / "taky.conf").write_text(TAKY_CONF.format(folder=tmp_path, port=port))
    log = tmp_path / "taky.log"
    with log.open("wb") as out:
        server = await asyncio.create_subprocess_exec(
            str(program), "-c", str(tmp_path / "taky.conf"), "-l", "debug", stdout=out, stderr=out, cwd=tmp_path
        )
    try:
        reader, writer = await answering(port, server, log)
        async with joined(port) as hub:
            writer.write(fake_tak.event("ATAK-77", 17.01, 99.81, callsign=THAI, kind="a-f-G-U-C"))
            await writer.drain()
            seen = await hub.wait_event("track_seen", entity=entity_of("ATAK-77"), timeout=15)
            assert (seen.entity, seen.data["callsign"], seen.data["lat"]) == (entity_of("ATAK-77"), THAI, 17.01)
            await moved(hub)
            heard = Splitter()
            async with asyncio.timeout(15):
                while True:
                    found = [cot.parse(raw) for raw in heard.feed(await reader.read(1 << 16))]
                    ours = [one for one in found if one.uid == "HUB.unit.s1"]
                    if ours:
                        break
            assert (ours[0].callsign, ours[0].lat) == ("สายตรวจ ๑", 17.0079)
        writer.close()
    finally:
        if server.returncode is None:
            server.terminate()
        await server.wait()


async def answering(
    port: int, server: asyncio.subprocess.Process, log: Path
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A client of taky that is known to it, as soon as it serves."""
    async with asyncio.timeout(20):
        while True:
            assert server.returncode is None, await asyncio.to_thread(log.read_text)
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionError:
                await asyncio.sleep(0.1)
                continue
            writer.write(fake_tak.event("ME", 17.0, 99.8, callsign="other"))
            await writer.drain()
            return reader, writer
