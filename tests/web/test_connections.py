"""Connections that ask nothing: one address holds so many, each for so long, and the staff's share is its own."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import ssl
from pathlib import Path

import pytest

from hub.core.clock import SystemClock
from hub.web import connections
from hub.web.server import Listener
from hub.web.tls import own_context
from tests.web.conftest import Door, Start

HALF = b"GET / HTTP/1.1\r\n"
WHOLE = HALF + b"Host: hub\r\n\r\n"
BOTH = "web: {host: 127.0.0.1, port: 0, public: {host: 127.0.0.1, port: 0}}\n"

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "EACH_PUBLIC", 5)
    monkeypatch.setattr(connections, "room", lambda: 40)


async def opened(door: Door, listener: int, sent: bytes, source: str = "127.0.0.1") -> Ends:
    ends = await asyncio.open_connection(*door.app.addresses[listener], local_addr=(source, 0))
    ends[1].write(sent)
    return ends


async def answer(ends: Ends) -> bytes:
    """The first line; nothing when it is closed instead."""
    async with asyncio.timeout(5):
        with contextlib.suppress(ConnectionError):
            return await ends[0].readline()
    return b""


async def test_one_address_holds_so_many_connections_and_others_are_answered(start: Start) -> None:
    door = await start(top=BOTH)
    held = [await opened(door, 1, HALF) for _ in range(8)]
    assert [await answer(ends) for ends in held[5:]] == [b""] * 3
    for source, listener in (("127.0.0.2", 1), ("127.0.0.1", 0)):
        assert (await answer(await opened(door, listener, WHOLE, source))).startswith(b"HTTP/1.1 ")
    held[0][1].close()
    async with asyncio.timeout(5):
        while not await answer(await opened(door, 1, WHOLE)):  # noqa: ASYNC110  # that the hub saw it go has no event
            await asyncio.sleep(0.01)


async def test_the_public_listener_full_leaves_the_staffs_share(start: Start) -> None:
    door = await start(top=BOTH)
    held = [await opened(door, 1, HALF, f"127.0.0.{1 + n // 5}") for n in range(20)]
    assert await answer(await opened(door, 1, WHOLE, "127.0.0.9")) == b""
    assert (await answer(await opened(door, 0, WHOLE))).startswith(b"HTTP/1.1 200")
    assert len(held) == 20


async def test_half_a_request_and_silence_are_closed_in_time(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.4)
    door = await start(top=BOTH)
    held = [await opened(door, listener, sent) for listener in (0, 1) for sent in (HALF, b"", WHOLE)]
    for ends in held:
        async with asyncio.timeout(5):
            with contextlib.suppress(ConnectionError):
                await ends[0].read()  # to its end: also after an answer, when no other request comes
    assert (await answer(await opened(door, 1, WHOLE))).startswith(b"HTTP/1.1 ")


async def test_drops_of_a_request_do_not_lengthen_the_time(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.4)
    door = await start(top=BOTH)
    reader, writer = await opened(door, 1, HALF)
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(3):
            while not reader.at_eof():
                writer.write(b"X-Drop: 1\r\n")
                await writer.drain()
                await asyncio.sleep(0.05)
    assert reader.at_eof() or reader.exception() is not None


async def test_a_proxy_of_ours_holds_more(start: Start) -> None:
    door = await start(top=BOTH.replace("web: {", "web: {proxies: [127.0.0.1], "))
    held = [await opened(door, 1, HALF) for _ in range(12)]
    assert (await answer(await opened(door, 1, WHOLE))).startswith(b"HTTP/1.1 ")
    assert len(held) == 12


async def test_silence_before_tls_is_counted_and_closed(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = await start(top=BOTH)
    server = door.app.server
    await server.stop()
    monkeypatch.setattr(connections, "HEAD_S", 0.4)
    door.app.addresses[:] = server.bind(
        Listener("127.0.0.1", 0), Listener("127.0.0.1", 0, own_context(tmp_path / "tls", "127.0.0.1", SystemClock()))
    )
    await server.start()
    held = [await opened(door, 1, b"") for _ in range(6)]
    assert await answer(held[5]) == b""
    assert [await answer(ends) for ends in held[:5]] == [b""] * 5
    trusting = ssl.create_default_context(cafile=tmp_path / "tls" / "ca.pem")
    async with asyncio.timeout(5):
        while True:  # that their places are given back has no event
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection(*door.app.addresses[1], ssl=trusting)
                writer.write(WHOLE)
                assert (await reader.readline()).startswith(b"HTTP/1.1 ")
                break
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("soft", "most"), [(1024, 768), (256, 192), (16_384, 4096), (resource.RLIM_INFINITY, 4096)]
)
def test_what_is_held_leaves_descriptors_for_the_rest(soft: int, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(resource, "getrlimit", lambda which: (soft, resource.RLIM_INFINITY))
    assert connections.room() == most
