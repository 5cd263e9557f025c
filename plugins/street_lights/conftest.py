"""A hub with both plugins, lamps that speak MQTT, and a mosquitto of the test's own."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from hub.sdk import Clock
from hub.testing import Harness, harness
from plugins.street_lights.fake import Street

HERE = Path(__file__).parent
MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def mosquitto(folder: Path) -> AsyncIterator[int]:
    """Its port."""
    port = free_port()
    conf = folder / "mosquitto.conf"
    conf.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    process = await asyncio.create_subprocess_exec(str(MOSQUITTO), "-c", str(conf), stderr=asyncio.subprocess.PIPE)
    assert process.stderr is not None
    async with asyncio.timeout(10):
        while b"running" not in await process.stderr.readline():
            pass
    try:
        yield port
    finally:
        process.kill()
        await process.wait()


class Scene:
    """The hub and its lamps."""

    def __init__(self, hub: Harness, street: Street, port: int) -> None:
        self.hub, self.street, self.port = hub, street, port

    def light(self, name: str) -> Mapping[str, Any]:
        """State and attributes of a light."""
        held = self.hub.state(f"light.{name}")
        return {"state": held.state, **held.attributes} if held else {"state": None}

    async def until(self, what: Callable[[], Any], within: float = 20.0) -> Any:
        """Wait for something in the hub's state."""
        return await self.hub.until(what, within)

    async def shows(self, name: str, **wanted: Any) -> Mapping[str, Any]:
        """Wait until a light shows these values."""
        try:
            await self.until(lambda: all(self.light(name).get(key) == value for key, value in wanted.items()))
        except AssertionError:
            shown = {key: self.light(name).get(key) for key in wanted}
            raise AssertionError(f"light.{name} shows {shown}, not {wanted}; {self.light(name)}") from None
        return self.light(name)

    async def do(self, action: str, name: str, **params: Any) -> Any:
        """The result of an action that must succeed."""
        outcome = await self.hub.call(f"light.{action}", f"light.{name}", params)
        assert outcome.status == "done", outcome
        return outcome.result


def _port(hub: Harness) -> int:
    held = hub.state("mqtt.broker")
    return int(held.attributes["port"]) if held is not None and held.state == "connected" else 0


@asynccontextmanager
async def scene(
    count: int = 2, clock: Clock | None = None, port: int | None = None, **config: Any
) -> AsyncIterator[Scene]:
    """A hub with the embedded broker, or one at ``port``, and so many lamps that it knows."""
    where = {"port": 0} if port is None else {"host": "127.0.0.1", "port": port}
    beside = [{"plugin": "mqtt", "config": where}]
    settings = {"fault_after_s": 2, "announce_within_s": 2} | config
    async with harness(HERE, settings, beside=beside, clock=clock) as hub:
        at = await hub.until(lambda: _port(hub), 20)
        street = Street(at, count)
        await street.start()
        made = Scene(hub, street, at)
        try:
            for name in street.lamps:
                await made.shows(name, state="off")
            yield made
        finally:
            await street.stop()
