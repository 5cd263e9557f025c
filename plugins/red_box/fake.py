"""A patrol that walks from box to box and scans, over the same HTTP as the phone page. Everything it sends is invented.

As a program::

    python plugins/red_box/fake.py --url http://127.0.0.1:8123/hook/red_box --phone s211:SECRET \
        --box RB1-DEM00001@17.0079,99.8228 --box RB2-DEM00002@17.0090,99.8240

It shares no code with the plugin.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from hub.sdk.program import end_asked, say_ready

FAR_AWAY = 0.01  # degrees: about a kilometre


class UnknownBox(Exception):
    """The hub has no box of a code that was scanned: the command line is wrong."""


@dataclass(frozen=True, slots=True)
class QrCode:
    """What is glued into a box, and where."""

    code: str
    lat: float
    lon: float


@dataclass
class Patrol:
    """One phone. ``kept``: scans that wait for a network; ``skew_s``: how far ahead its clock is."""

    url: str
    device: str
    secret: str
    skew_s: float = 0.0
    now: Callable[[], float] = time.time
    kept: list[dict[str, Any]] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)
    _numbers: Any = field(default_factory=itertools.count)

    async def sign_in(self, http: aiohttp.ClientSession) -> bool:
        """Exchange the secret for the cookie."""
        data = {"device": self.device, "secret": self.secret}
        async with http.post(f"{self.url}/scan/sign_in", data=data, allow_redirects=False) as answer:
            return answer.status == 303 and "wrong" not in answer.headers.get("Location", "")

    def scan(self, qr: QrCode, far: bool = False) -> None:
        """Read a code; it is kept until ``sync``."""
        at = self.now() + self.skew_s
        self.kept.append({
            "id": f"{self.device}-{at:.3f}-{next(self._numbers)}", "code": f"{self.url}/scan?c={qr.code}", "at": at,
            "lat": qr.lat + (FAR_AWAY if far else 0.0), "lon": qr.lon, "accuracy_m": 9.0,
        })  # fmt: skip

    async def sync(self, http: aiohttp.ClientSession) -> int | None:
        """Send what is kept; the HTTP status, ``None`` when nobody answers. What was taken is kept no longer."""
        body = {"sent_at": self.now() + self.skew_s, "items": self.kept[:100]}
        try:
            async with http.post(f"{self.url}/scan/sync", json=body) as answer:
                if answer.status == 200:
                    told = (await answer.json())["items"]
                    self.answers += told
                    if any(one["result"] == "unknown_box" for one in told):
                        raise UnknownBox(", ".join(one["code"] for one in self.kept))
                    done = {one["id"] for one in told if one["result"] != "later"}
                    self.kept = [one for one in self.kept if one["id"] not in done]
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return None


async def walk(patrol: Patrol, codes: Sequence[QrCode], *, interval_s: float, far_every: int, rest: int) -> None:
    """Scan box after box until cancelled: each ``far_every``-th from far away, and the last ``rest`` boxes never."""
    jar = aiohttp.CookieJar(unsafe=True)
    visited = codes[: len(codes) - rest] or codes
    async with aiohttp.ClientSession(cookie_jar=jar, timeout=aiohttp.ClientTimeout(total=10)) as http:
        for turn, qr in enumerate(itertools.cycle(visited), 1):
            patrol.scan(qr, far=far_every > 0 and turn % far_every == 0)
            if await patrol.sync(http) == 401 and await patrol.sign_in(http):
                await patrol.sync(http)
            await asyncio.sleep(interval_s)


def parse_box(text: str) -> QrCode:
    """``CODE@lat,lon`` of the command line."""
    code, _, place = text.partition("@")
    try:
        lat, lon = map(float, place.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not CODE@lat,lon") from None
    return QrCode(code, lat, lon)


async def main(arguments: Sequence[str]) -> None:
    """The program."""
    parser = argparse.ArgumentParser(description="a patrol that scans red boxes (simulated)")
    parser.add_argument("--url", required=True, help="…/hook/red_box")
    parser.add_argument("--phone", required=True, metavar="ID:SECRET")
    parser.add_argument("--box", type=parse_box, action="append", required=True, metavar="CODE@LAT,LON")
    parser.add_argument("--interval", type=float, default=60.0, help="seconds between boxes")
    parser.add_argument("--far-every", type=int, default=5, help="each such scan is made far away; 0: none")
    parser.add_argument("--rest", type=int, default=1, help="boxes at the end of the list that are never visited")
    given = parser.parse_args(arguments)
    device, _, secret = given.phone.partition(":")
    patrol = Patrol(given.url, device, secret)
    walking = asyncio.create_task(
        walk(patrol, given.box, interval_s=given.interval, far_every=given.far_every, rest=given.rest)
    )
    told = end_asked()
    say_ready(port=None, phone=device)
    ended = asyncio.create_task(told.wait())
    await asyncio.wait({ended, walking}, return_when=asyncio.FIRST_COMPLETED)
    if walking.done():
        raise SystemExit(f"the hub knows no box of these codes: {walking.exception()}")
    walking.cancel()
    await asyncio.gather(walking, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
