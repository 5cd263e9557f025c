"""A citizen as a program: sends a report by the page's form, then rings as the page's script does, without a camera.

``python plugins/emergency_qr/fake.py --url http://127.0.0.1:8124/hook/emergency_qr --token TOKEN`` speaks the real
protocol and shares no code with the plugin. It says what it hears on standard error. Everything it sends is invented.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from hub.sdk.program import end_asked, say_ready

BEAT_S = 3.0
REPORT = "มีควันออกจากร้านข้างตลาด (จำลอง)"


@dataclass(slots=True)
class Citizen:
    """One phone. ``heard``: the kinds of messages that came, in order; ``call``: its call's entity id."""

    url: str
    token: str
    lang: str = "th"
    position: tuple[float, float] | None = None
    heard: list[str] = field(default_factory=list)
    call: str = ""
    key: str = ""
    status_page: str = ""

    async def report(self, http: aiohttp.ClientSession, text: str, phone: str = "") -> int:
        """Send the form; the HTTP status. The address of the status page is then known."""
        form = aiohttp.FormData({"text": text, "phone": phone}, default_to_multipart=True)
        async with http.post(f"{self.url}/p/{self.token}", data=form, allow_redirects=False) as answer:
            self.status_page = answer.headers.get("Location", "")
            return answer.status

    async def ring(self, http: aiohttp.ClientSession, stay_s: float, say: Callable[[str], None]) -> str:
        """Ring and stay for ``stay_s`` seconds, then hang up; how it ended. A dropped link is taken up again."""
        end = asyncio.get_running_loop().time() + stay_s
        while asyncio.get_running_loop().time() < end:
            try:
                return await self._once(http, end, say)
            except (aiohttp.ClientError, ConnectionError, EOFError) as lost:
                say(f"the line dropped: {lost}")
                await asyncio.sleep(1.0)
        return "gone"

    async def _once(self, http: aiohttp.ClientSession, end: float, say: Callable[[str], None]) -> str:
        async with http.ws_connect(f"{self.url}/call?token={self.token}") as socket:
            back = {"t": "resume", "call": self.call, "key": self.key}
            await socket.send_json(back if self.key else {"t": "ring", "lang": self.lang})
            while (left := end - asyncio.get_running_loop().time()) > 0:
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(BEAT_S, left)):
                        if (ended := await self._hear(socket, say)) is not None:
                            return ended
                        continue
                await socket.send_json({"t": "here"})
            await socket.send_json({"t": "bye"})
            return "hung up"

    async def _hear(self, socket: aiohttp.ClientWebSocketResponse, say: Callable[[str], None]) -> str | None:
        message = await socket.receive()
        if message.type != aiohttp.WSMsgType.TEXT:
            if message.type == aiohttp.WSMsgType.CLOSE and message.data == aiohttp.WSCloseCode.POLICY_VIOLATION:
                return f"refused: {message.extra}"
            raise EOFError(str(message.extra or "closed"))
        said: dict[str, Any] = json.loads(message.data)
        self.heard.append(said["t"])
        if said["t"] == "ringing":
            self.call, self.key = said["call"], said.get("key", self.key)
            say(f"rings as {said['receipt']}")
        elif said["t"] == "locate" and self.position is not None:
            lat, lon = self.position
            await socket.send_json({"t": "position", "lat": lat, "lon": lon, "accuracy": 12})
        elif said["t"] == "ended":
            return f"ended by {said['by']}"
        elif said["t"] not in ("here", "go"):  # it has no camera, so it makes no offer
            say(f"hears {said['t']}")
        return None


def parse_position(text: str) -> tuple[float, float]:
    """``lat,lon`` of the command line."""
    try:
        lat, lon = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not lat,lon") from None
    return lat, lon


async def act(given: argparse.Namespace, say: Callable[[str], None]) -> None:
    """The evening of one citizen: wait, report, wait, ring; again and again when ``--every`` is given."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None, sock_connect=5)) as http:
        await asyncio.sleep(given.after)
        while True:
            citizen = Citizen(given.url.rstrip("/"), given.token, given.lang, given.position)
            try:
                if given.report:
                    say(f"report: HTTP {await citizen.report(http, given.report, given.phone)}")
                if given.stay > 0:
                    await asyncio.sleep(given.ring_after)
                    say(f"call: {await citizen.ring(http, given.stay, say)}")
            except aiohttp.ClientError as fault:
                say(f"{given.url}: {fault}")
            if not given.every:
                return
            await asyncio.sleep(given.every)


async def main(arguments: Sequence[str]) -> None:
    """The program."""
    parser = argparse.ArgumentParser(description="a citizen at a sticker (simulated)")
    parser.add_argument("--url", required=True, help="…/hook/INSTANCE")
    parser.add_argument("--token", required=True, help="of the sticker")
    parser.add_argument("--lang", choices=("th", "en"), default="th")
    parser.add_argument("--report", default=REPORT, help="words of the report; empty sends none")
    parser.add_argument("--phone", default="", help="telephone number in the report")
    parser.add_argument("--position", type=parse_position, default=None, metavar="LAT,LON")
    parser.add_argument("--after", type=float, default=5.0, help="seconds before the report")
    parser.add_argument("--ring-after", type=float, default=15.0, help="seconds from the report to the call")
    parser.add_argument("--stay", type=float, default=90.0, help="seconds to stay in the call; 0 does not ring")
    parser.add_argument("--every", type=float, default=0.0, help="seconds until it all begins again; 0: once")
    given = parser.parse_args(arguments)
    acting = asyncio.create_task(act(given, lambda words: print(f"citizen: {words}", file=sys.stderr)))
    told = end_asked()
    say_ready(port=None, sticker=given.token)
    await told.wait()
    acting.cancel()
    await asyncio.gather(acting, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
