"""Bad input through the real doors, and a full disk: clear errors, nothing acknowledged lost, still serving."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.conftest import Begin
from tests.scenarios.kit import people, street, unit_secret, write_zone
from tests.scenarios.serve import Client, Served, session

READ: dict[str, Any] = {"series": "1กข", "number": "1234"}
GARBAGE = (
    b"", b"\x00" * 100, b"{", b"[]", b'{"location": 7}', b"\xff\xfe\xfd", b"[" * 50_000, b'{"_type": "location"}',
    b'{"device_id": "s1", "location": {"coords": {"latitude": 1e999}}}', b"null", b'"' + b"x" * 900_000 + b'"',
)  # fmt: skip


async def test_bad_input_is_refused_and_nothing_acknowledged_is_lost(begin: Begin, tmp_path: Path) -> None:
    scene = await begin(write_zone(tmp_path, plugins=street(tmp_path)))
    camera, url = scene.machine("ccoc"), scene.app.url
    acknowledged: list[int] = []

    async def good() -> None:
        status, answer = await camera.emit("plate_read", READ, "camera.c1")
        assert status == 200
        acknowledged.append(answer["seq"])

    async def post(path: str, data: bytes, **query: str) -> int:
        async with scene.http.post(url + path, data=data, params=query) as answer:
            await answer.read()
            return answer.status

    await good()
    for bad in ("x", "szh_0_0", f"{scene.folks.tokens['ccoc']}0", "\u0e01".encode().decode("latin-1")):
        stranger = Client(scene.http, url, {"Authorization": f"Bearer {bad}"})
        status, answer = await stranger.emit("plate_read", READ, "camera.c1")
        assert (status, answer["error"]["code"]) == (401, "unauthenticated")
        await good()
    forged = {"type": "plate_read", "data": READ, "entity": "camera.c1", "source": "instance:street"}
    assert (await camera.ask("POST", "/api/events", json=forged))[0] == 400
    assert (await camera.emit("action_finished", {"action": "a", "key": "k", "status": "done"}))[0] == 403
    assert (await camera.ask("POST", "/api/events", data=b"x" * (2 << 20)))[0] == 413
    await good()
    statuses = {await post("/hook/units/position", data, id="s1", secret=unit_secret("s1")) for data in GARBAGE}
    assert statuses <= {200, 400, 429} and 400 in statuses  # 200: OwnTracks' empty bodies are nothing wrong
    assert await post("/hook/units/position", b"x" * (2 << 20)) == 413
    assert scene.events("unit_moved") == []
    now = str(int(time.time()))
    for unit, secret in (("s1", "wrong"), ("s1", ""), ("none", unit_secret("s1")), ("s1", unit_secret("s2"))):
        assert await post("/hook/units/position", b"", id=unit, secret=secret, lat="1", lon="1", timestamp=now) == 401
    assert scene.events("unit_moved") == []
    await good()
    kept = [event.seq for event in scene.events("plate_read")]
    assert kept == acknowledged
    assert (await scene.machine("commander").get("/api/health"))["status"] == "ok"
    assert scene.events("fault") == []


async def test_half_requests_and_noise_on_the_socket_leave_it_serving(begin: Begin, tmp_path: Path) -> None:
    scene = await begin(write_zone(tmp_path))
    host, port = scene.app.addresses[0]
    half = b"POST /api/events HTTP/1.1\r\nContent-Le"
    for noise in (b"\x16\x03\x01" + b"\xff" * 300, b"GET / HTTP/9.9\r\n\r\n", half):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(noise)
        await writer.drain()
        if noise is not half:
            assert (await asyncio.wait_for(reader.read(20), 10)).startswith((b"HTTP/1.", b""))
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    assert (await scene.machine("commander").get("/api/health"))["status"] == "ok"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.getuid() != 0:
        pytest.skip("only root can mount a small file system")
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(folder)]
    mounted = subprocess.run(command, capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


async def test_a_full_disk_is_told_and_left_behind(small_disk: Path, tmp_path: Path) -> None:
    config, data = write_zone(tmp_path, plugins=street(tmp_path)), small_disk / "data"
    folks = people(data, ("ccoc", "commander"))
    acknowledged: dict[int, int] = {}
    large = [[float(n), 0, 0, 0] for n in range(2_000)]
    with Served(config, data) as hub:
        async with session() as http:
            client = Client(http, hub.url, folks.bearer("ccoc"))
            filler = small_disk / "filler"
            filler.write_bytes(b"x" * (3 << 20))

            async def send(n: int) -> int:
                body = {"boxes": [[float(n), 1, 1, 1], *large]}
                status, answer = await client.emit("motion_started", body, "camera.c1")
                if status == 200:
                    acknowledged[answer["seq"]] = n
                else:
                    assert (status, answer["error"]["code"]) == (507, "storage"), answer
                return status

            statuses = [await send(n) for n in range(150)]
            full = statuses.index(507)
            assert full > 5 and 507 in statuses[-20:]
            assert (await client.get("/api/health"))["status"] in ("ok", "degraded")
            filler.unlink()
            assert [await send(n) for n in range(1000, 1010)] == [200] * 10
            boxes = {seq: n for seq, n in acknowledged.items() if n >= 1000}
            assert len(boxes) == 10
        hub.kill()
    with Served(config, data) as hub:
        async with session() as http:
            events = await Client(http, hub.url, folks.bearer("ccoc")).events()
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    kept = {event["seq"]: int(event["data"]["boxes"][0][0]) for event in events if event["type"] == "motion_started"}
    assert {seq: kept.get(seq) for seq in acknowledged} == acknowledged
