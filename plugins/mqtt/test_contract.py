"""The contract that every plugin keeps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hub.testing import contract
from plugins.mqtt.fake import Bench

HERE = Path(__file__).parent


@asynccontextmanager
async def broker() -> AsyncIterator[Mapping[str, Any]]:
    bench = Bench()
    yield {"host": "127.0.0.1", "port": await bench.start(), "events": ["zone/#"]}
    await bench.stop()


@asynccontextmanager
async def silent() -> AsyncIterator[Mapping[str, Any]]:
    bench = Bench(answer=None)
    yield {"host": "127.0.0.1", "port": await bench.start()}
    await bench.stop()


test_contract = contract(HERE, broker, dead_config={"host": "127.0.0.1", "port": 9}, silent_config=silent)
