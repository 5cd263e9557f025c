"""The contract of every plugin, against the fake device."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hub.testing import contract
from plugins.onvif_camera.fake import Camera

HERE = Path(__file__).parent


def closed_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def config(port: int, **more: Any) -> dict[str, Any]:
    camera = {
        "id": "gate", "name": {"th": "กล้องประตู", "en": "Gate"}, "host": "127.0.0.1", "port": port, "ptz": True, **more,
    }  # fmt: skip
    return {"cameras": [camera], "discovery_address": "127.0.0.1", "discovery_port": closed_port()}


@asynccontextmanager
async def one_camera() -> AsyncIterator[Mapping[str, Any]]:
    device = Camera(stream=f"rtsp://127.0.0.1:{closed_port()}/none")
    yield config(await device.start())
    await device.stop()


@asynccontextmanager
async def silent() -> AsyncIterator[Mapping[str, Any]]:
    """It takes the connection and says nothing."""

    async def hear(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    async with server:
        yield config(server.sockets[0].getsockname()[1])


test_contract = contract(
    HERE, one_camera, dead_config=config(closed_port()), silent_config=silent,
    params={"onvif.discover": {"seconds": 0.2}, "ptz.goto_preset": {"preset": "gate"}},
)  # fmt: skip
