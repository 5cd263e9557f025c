"""The contract that every plugin keeps, in the hub's process and in a child."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hub.testing import contract, harness
from plugins.radio_gateway import fake
from plugins.radio_gateway.conftest import settings

HERE = Path(__file__).parent


@asynccontextmanager
async def radio() -> AsyncIterator[Mapping[str, Any]]:
    server = fake.MumbleServer(("Root", "สายตรวจ"))
    yield settings(await server.start(), demo_tones=True)
    await server.stop()


@asynccontextmanager
async def silent() -> AsyncIterator[Mapping[str, Any]]:
    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    yield settings(server.sockets[0].getsockname()[1])
    server.close()


test_contract = contract(
    HERE, radio, dead_config=settings(9), silent_config=silent,
    params={"radio.announce": {"template": "sos", "params": {"unit": "211"}}},
)  # fmt: skip


async def test_in_a_child_it_hears_and_says() -> None:
    server = fake.MumbleServer(("Root", "สายตรวจ"))
    port = await server.start()
    server.add("S211", "สายตรวจ")
    async with harness(HERE, settings(port, demo_tones=True), isolation="child") as hub:
        await hub.wait_event("radio_channel_changed", match={"state": "quiet"})
        outcome = await hub.call("radio.announce", "radio.patrol", {"template": "sos", "params": {"unit": "211"}})
        assert (outcome.status, outcome.result["listeners"], outcome.result["missing"]) == ("done", 1, {})
        assert server.heard == [("CCOC", "ทุกหน่วยโปรดทราบ หน่วย 211 ขอความช่วยเหลือ")]
        server.text("S211", "รับทราบ")
        told = await hub.wait_event("radio_text_received")
        assert (told.entity, told.data["sender"], told.data["text"]) == ("radio.patrol", "S211", "รับทราบ")
    await server.stop()
