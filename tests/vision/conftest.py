"""Real cameras and a real vision process for the tests here."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hub.core.wire import Message, Peer

SERVER = Path(__file__).with_name("rtsp_server.py")
SYSTEM_PYTHON = "/usr/bin/python3"
_PROBE = (
    "import gi; gi.require_version('Gst', '1.0'); gi.require_version('GstRtspServer', '1.0')\n"
    "from gi.repository import Gst, GstRtspServer\nGst.init(None)\n"
    "wanted = 'x264enc x265enc jpegenc rtph264pay rtph265pay rtpjpegpay appsrc'\n"
    "assert all(Gst.ElementFactory.find(n) for n in wanted.split())"
)
Rgb = NDArray[np.uint8]


@functools.cache
def rtsp_missing() -> str:
    """Why no RTSP server can run here, or ""."""
    try:
        probe = subprocess.run([SYSTEM_PYTHON, "-c", _PROBE], capture_output=True, timeout=60, check=False)
    except OSError:
        return f"no {SYSTEM_PYTHON}"
    if probe.returncode:
        return (
            "no RTSP server: apt-get install python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good "
            "gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly"
        )
    return ""


@dataclass
class Camera:
    """One RTSP server process with one or more paths."""

    folder: Path
    spec: dict[str, Any]
    process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start, or start again on the same port."""
        path = self.folder / "camera.json"
        path.write_text(json.dumps(self.spec))
        self.process = subprocess.Popen([SYSTEM_PYTHON, str(SERVER), str(path)], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        words = self.process.stdout.readline().split()
        assert words[:1] == ["port"], "the RTSP server did not start"
        self.spec["port"] = int(words[1])

    def kill(self) -> None:
        """kill -9."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def url(self, path: str = "/cam") -> str:
        """Address of one path."""
        return f"rtsp://127.0.0.1:{self.spec['port']}{path}"


MakeCamera = Callable[..., Camera]


@pytest.fixture
def camera(tmp_path: Path) -> Iterator[MakeCamera]:
    """Start a camera: ``camera(frames, fps=10, codec="h264", hold=1, user=..., password=..., paths=...)``."""
    if rtsp_missing():
        pytest.skip(rtsp_missing())
    made: list[Camera] = []

    def make(
        frames: list[Rgb], *, fps: int = 10, codec: str = "h264", hold: int = 1, paths: tuple[str, ...] = ("/cam",),
        **login: str,
    ) -> Camera:  # fmt: skip
        folder = tmp_path / f"camera{len(made)}"
        folder.mkdir()
        names = []
        for i, frame in enumerate(frames):
            names.append(str(folder / f"{i}.raw"))
            Path(names[-1]).write_bytes(np.ascontiguousarray(frame).tobytes())
        height, width = frames[0].shape[:2]
        mount = {"fps": fps, "width": width, "height": height, "codec": codec, "frames": names, "hold": hold}
        made.append(Camera(folder, {"mounts": dict.fromkeys(paths, mount), **login}))
        made[-1].start()
        return made[-1]

    yield make
    for one in made:
        one.kill()


@dataclass
class Vision:
    """A running vision process as the hub sees it."""

    peer: Peer
    process: asyncio.subprocess.Process
    seen: list[tuple[str, dict[str, Any], bytes]] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def call(
        self, name: str, args: dict[str, Any] | None = None, blob: bytes = b"", limit: float = 60
    ) -> Message:
        """Ask, within ``limit`` seconds."""
        return await asyncio.wait_for(self.peer.call(name, args or {}, blob), limit)

    async def told(
        self, name: str, limit: float = 30, since: int = 0, **wanted: Any
    ) -> tuple[int, dict[str, Any], bytes]:
        """The first notification from position ``since`` that has these values: its position, data and blob."""

        def find() -> tuple[int, dict[str, Any], bytes] | None:
            for i, (kind, data, blob) in enumerate(self.seen[since:], since):
                if kind == name and all(data.get(k) == v for k, v in wanted.items()):
                    return i, data, blob
            return None

        async with self.changed:
            try:
                await asyncio.wait_for(self.changed.wait_for(lambda: find() is not None), limit)
            except TimeoutError:
                raise AssertionError(f"no {name} {wanted} in {limit} s; seen: {self.names()}") from None
        found = find()
        assert found is not None
        return found

    def names(self) -> list[str]:
        """What was told so far, short."""
        return [f"{name} {data}"[:160] for name, data, _ in self.seen[-20:]]


@pytest.fixture
async def vision() -> AsyncIterator[Vision]:
    """``python -m hub.vision`` over a socket pair."""
    async with running() as process:
        yield process


@contextlib.asynccontextmanager
async def running(**environment: str) -> AsyncIterator[Vision]:
    """A vision process with further environment variables."""
    ours, theirs = socket.socketpair()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hub.vision", "--fd", str(theirs.fileno()), pass_fds=[theirs.fileno()],
        env={**os.environ, **environment}, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    theirs.close()
    reader, writer = await asyncio.open_connection(sock=ours)
    box: list[Vision] = []

    async def heard(name: str, args: dict[str, Any], blob: bytes) -> None:
        async with box[0].changed:
            box[0].seen.append((name, args, blob))
            box[0].changed.notify_all()

    peer = Peer(reader, writer, heard, name="vision")
    box.append(Vision(peer, process))
    task = asyncio.create_task(peer.run())
    try:
        yield box[0]
    finally:
        await peer.close()
        await asyncio.wait_for(task, 10)
        await asyncio.wait_for(process.wait(), 10)
