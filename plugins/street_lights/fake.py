"""Street lamps that announce themselves and obey over MQTT, with a will; any of them can be made to fail.

As a program: ``python plugins/street_lights/fake.py --port 18883 --lamps 8 --fail lamp_03:90``. Lines on its standard
input do the same later: ``fail lamp_03``, ``heal lamp_03``, ``offline lamp_03``, ``online lamp_03``, ``dark lamp_03``.
It shares no code with the plugin. Every second lamp speaks the JSON schema, the others the plain one with
abbreviations.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import aiomqtt

from hub.sdk.program import end_asked, say_ready

AGAIN_S = 1.0
BRIDGE = "streetlights/bridge"


@dataclass
class Lamp:
    """One lamp. ``raw``: brightness on its own scale of 0 to 254. A failed one hears and does not obey."""

    name: str
    is_json: bool
    on: bool = False
    raw: int = 254
    failed: bool = False
    online: bool = True
    told: list[str] = field(default_factory=list)

    @property
    def base(self) -> str:
        return f"streetlights/{self.name}"

    @property
    def level(self) -> float:
        """Percent; 0 is off."""
        return round(self.raw * 100 / 254) if self.on else 0

    def config(self) -> dict[str, object]:
        """Its announcement."""
        device = {"ids": [self.name], "name": f"ไฟถนน {self.name}", "mf": "simulated"}
        there = [{"t": f"{BRIDGE}/state"}, {"topic": "~/availability"}]
        if self.is_json:
            return {
                "~": self.base, "unique_id": self.name, "schema": "json", "name": None, "state_topic": "~/state",
                "command_topic": "~/set", "brightness": True, "brightness_scale": 254, "availability": there,
                "availability_mode": "all", "device": device,
            }  # fmt: skip
        return {
            "~": self.base, "uniq_id": self.name, "name": "light", "stat_t": "~/state", "cmd_t": "~/set",
            "bri_stat_t": "~/brightness", "bri_cmd_t": "~/brightness/set", "bri_scl": 254, "avty": there,
            "avty_mode": "all", "dev": device,
        }  # fmt: skip

    def says(self) -> list[tuple[str, str]]:
        """Topics and payloads of its state."""
        word = "ON" if self.on else "OFF"
        if self.is_json:
            return [(f"{self.base}/state", json.dumps({"state": word, "brightness": self.raw}))]
        return [(f"{self.base}/state", word), (f"{self.base}/brightness", str(self.raw))]

    def hear(self, topic: str, payload: str) -> None:
        """A command."""
        self.told.append(f"{topic.removeprefix(self.base + '/')} {payload}")
        if self.failed:
            return
        if topic.endswith("/brightness/set"):
            self.raw = int(payload)
        elif self.is_json:
            asked = json.loads(payload)
            self.on = asked["state"] == "ON"
            self.raw = int(asked.get("brightness", self.raw))
        else:
            self.on = payload == "ON"


class Street:
    """The lamps behind one connection, as a gateway of real ones is."""

    def __init__(self, port: int, lamps: int = 4, prefix: str = "homeassistant", host: str = "127.0.0.1") -> None:
        self._host, self._port, self._prefix = host, port, prefix
        self.lamps = {name: Lamp(name, n % 2 == 1) for n in range(lamps) if (name := f"lamp_{n + 1:02d}")}
        self._client: aiomqtt.Client | None = None
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()
        self.ready = asyncio.Event()

    def begin(self) -> None:
        """Connect, and again whenever the connection is lost; the broker may come later."""
        self._task = asyncio.create_task(self._run(), name="street lamps")

    async def start(self) -> None:
        """Begin, and wait until the lamps have announced themselves."""
        self.begin()
        await asyncio.wait_for(self.ready.wait(), 20)

    async def stop(self) -> None:
        while self._task is not None and not self._task.done():
            self._task.cancel()  # more than once: before Python 3.12 aiomqtt's wait_for may forget a cancellation
            await asyncio.wait([self._task], timeout=1)

    async def until(self, what: Callable[[], bool], within: float = 15.0) -> None:
        """Wait until ``what()`` is true, asked after each command."""
        async with asyncio.timeout(within):
            while not what():
                self._changed.clear()
                await self._changed.wait()

    async def _run(self) -> None:
        while True:
            will = aiomqtt.Will(f"{BRIDGE}/state", "offline", qos=1, retain=True)
            with contextlib.suppress(aiomqtt.MqttError):
                async with aiomqtt.Client(self._host, self._port, will=will, timeout=5) as client:
                    self._client = client
                    await self._serve(client)
            self._client = None
            await asyncio.sleep(AGAIN_S)

    async def _serve(self, client: aiomqtt.Client) -> None:
        await client.subscribe([("streetlights/+/set", 1), ("streetlights/+/brightness/set", 1)])
        await client.subscribe(f"{self._prefix}/status")
        await client.publish(f"{BRIDGE}/state", "online", qos=1, retain=True)
        await self.announce()
        self.ready.set()
        async for message in client.messages:
            if message.topic.value == f"{self._prefix}/status":
                await self.announce()
                continue
            lamp = self.lamps.get(message.topic.value.split("/")[1])
            if lamp is not None and lamp.online:
                lamp.hear(message.topic.value, bytes(message.payload).decode())
                await self.say(lamp)
            self._changed.set()

    async def announce(self) -> None:
        """All lamps say what they are and how they are."""
        for lamp in self.lamps.values():
            topic = f"{self._prefix}/light/{lamp.name}/config"
            await self.publish(topic, json.dumps(lamp.config(), ensure_ascii=False))
            await self.publish(f"{lamp.base}/availability", "online" if lamp.online else "offline")
            await self.say(lamp)

    async def say(self, lamp: Lamp) -> None:
        """Its state, when it is there to say it."""
        for topic, payload in lamp.says() if lamp.online else ():
            await self.publish(topic, payload)

    async def publish(self, topic: str, payload: str, retain: bool = True) -> None:
        """Send as a lamp does."""
        if self._client is not None:
            await self._client.publish(topic, payload, qos=1, retain=retain)

    def cut(self) -> None:
        """The gateway's connection breaks without a good-bye, so that the broker tells its will."""
        made = self._client._client.socket() if self._client is not None else None
        if isinstance(made, socket.socket):
            made.shutdown(socket.SHUT_RDWR)

    async def do(self, word: str, name: str) -> None:
        """``fail``: hears, does not obey. ``dark``: goes out and stays so. ``heal``: well again. ``offline``,
        ``online``: loses or gets its power."""
        lamp = self.lamps[name]
        if word in ("fail", "dark", "heal"):
            lamp.failed = word != "heal"
            lamp.on = lamp.on and word != "dark"
        elif word in ("offline", "online"):
            lamp.online = word == "online"
            await self.publish(f"{lamp.base}/availability", word)
        await self.say(lamp)


def parse_fail(text: str) -> tuple[str, float]:
    """``NAME:SECONDS`` of the command line."""
    name, _, seconds = text.partition(":")
    try:
        return name, float(seconds)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME:SECONDS") from None


async def main(arguments: Sequence[str]) -> None:
    """The program."""
    parser = argparse.ArgumentParser(description="street lamps (simulated)")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--lamps", type=int, default=8)
    parser.add_argument("--prefix", default="homeassistant")
    parser.add_argument("--fail", type=parse_fail, metavar="NAME:SECONDS", help="this one goes dark so many s later")
    parser.add_argument("--heal-after", type=float, default=120.0, help="seconds after which it is well again")
    given = parser.parse_args(arguments)
    street = Street(given.port, given.lamps, given.prefix, given.host)
    tasks: set[asyncio.Task[None]] = set()

    def told(line: str) -> None:
        word, _, name = line.strip().partition(" ")
        if name in street.lamps:
            task = asyncio.get_running_loop().create_task(street.do(word, name))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    async def fail(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await street.do("dark", name)
        await asyncio.sleep(given.heal_after)
        await street.do("heal", name)

    ended = end_asked(told)
    street.begin()
    if given.fail and given.fail[0] in street.lamps:
        tasks.add(asyncio.create_task(fail(*given.fail)))
    say_ready(port=None, lamps=[*street.lamps])
    await ended.wait()
    for task in tasks:
        task.cancel()
    await street.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
