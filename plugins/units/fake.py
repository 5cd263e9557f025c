"""Phones that walk a route and post their position, in the three forms that ``device.py`` reads.

As a program: ``python plugins/units/fake.py --url URL --phone s211:SECRET:traccar --phone s212:SECRET:owntracks``.
It shares no code with the reader. Everything it sends is invented.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import math
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp

from hub.sdk.program import end_asked, say_ready

FORMS = ("traccar", "osmand", "owntracks")
Point = tuple[float, float]
ROUTE: tuple[Point, ...] = (
    (17.00819, 99.82222), (17.00896, 99.82377), (17.00867, 99.82415), (17.00761, 99.82492), (17.00597, 99.82492),
    (17.00549, 99.82377), (17.00645, 99.82126), (17.00674, 99.82068), (17.00819, 99.82087),
)  # fmt: skip
"""A round through the demo zone, from the station along the shops and back."""
_DEGREE_M = 111_195.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a phone is: degrees, and the heading in degrees from north."""

    lat: float
    lon: float
    heading: float


def along(route: Sequence[Point], metres: float) -> Place:
    """The place ``metres`` from the start of the closed round ``route`` (two points at least)."""
    legs = list(zip(route, [*route[1:], route[0]], strict=True))
    lengths = [math.hypot(*_offset(a, b)) for a, b in legs]
    left = metres % sum(lengths)
    for (a, b), length in zip(legs, lengths, strict=True):
        if left <= length and length > 0:
            share, (north, east) = left / length, _offset(a, b)
            heading = math.degrees(math.atan2(east, north)) % 360
            return Place(a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, heading)
        left -= length
    return Place(*route[0], 0.0)


def _offset(a: Point, b: Point) -> tuple[float, float]:
    """Metres north and east from ``a`` to ``b``; good enough within a town."""
    return (b[0] - a[0]) * _DEGREE_M, (b[1] - a[1]) * _DEGREE_M * math.cos(math.radians(a[0]))


@dataclass(slots=True)
class Phone:
    """One phone. ``start_m``: where on the round it begins; ``battery``: percent."""

    device_id: str
    secret: str
    form: str = "traccar"
    route: Sequence[Point] = ROUTE
    speed_mps: float = 2.0
    start_m: float = 0.0
    battery: float = 87.0
    posted: int = 0
    failed: int = 0
    last_status: int | None = None

    async def post(self, session: aiohttp.ClientSession, url: str, walked_s: float, now: float) -> int | None:
        """Send the position after ``walked_s`` seconds of walking; the HTTP status, ``None`` when nobody answers."""
        place = along(self.route, self.start_m + self.speed_mps * walked_s)
        request = {"traccar": self._traccar, "osmand": self._osmand, "owntracks": self._owntracks}[self.form]
        try:
            async with session.post(url, **request(place, now)) as answer:
                await answer.content.read(1 << 16)
                self.last_status = answer.status
        except (aiohttp.ClientError, TimeoutError):
            self.last_status = None
        if self.last_status is not None and 200 <= self.last_status < 300:
            self.posted += 1
        else:
            self.failed += 1
        return self.last_status

    def _traccar(self, place: Place, now: float) -> dict[str, Any]:
        """Traccar Client 9 and newer."""
        moment = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        coords = {
            "latitude": round(place.lat, 7), "longitude": round(place.lon, 7), "accuracy": 6.0,
            "speed": self.speed_mps, "heading": round(place.heading, 1), "altitude": 54.0,
        }  # fmt: skip
        battery = {"level": round(self.battery / 100, 2), "is_charging": False}
        location = {
            "timestamp": moment, "coords": coords, "battery": battery, "is_moving": self.speed_mps > 0,
            "odometer": 0, "event": "motionchange", "activity": {"type": "walking"}, "extras": {},
        }  # fmt: skip
        return {"params": {"secret": self.secret}, "json": {"location": location, "device_id": self.device_id}}

    def _osmand(self, place: Place, now: float) -> dict[str, Any]:
        """Traccar Client before 9: everything in the query, speed in knots."""
        params = {
            "id": self.device_id, "secret": self.secret, "timestamp": str(int(now)), "lat": f"{place.lat:.7f}",
            "lon": f"{place.lon:.7f}", "speed": f"{self.speed_mps * 3600 / 1852:.3f}",
            "bearing": f"{place.heading:.1f}", "altitude": "54.0", "accuracy": "6.0", "batt": f"{self.battery:.0f}",
        }  # fmt: skip
        return {"params": params}

    def _owntracks(self, place: Place, now: float) -> dict[str, Any]:
        """OwnTracks in HTTP mode: who it is stands in HTTP Basic, speed in km/h."""
        body = {
            "_type": "location", "tid": self.device_id[-2:], "tst": int(now), "lat": round(place.lat, 7),
            "lon": round(place.lon, 7), "acc": 6, "batt": int(self.battery), "vel": round(self.speed_mps * 3.6),
            "cog": round(place.heading), "alt": 54, "t": "u", "conn": "m",
        }  # fmt: skip
        basic = base64.b64encode(f"{self.device_id}:{self.secret}".encode()).decode()
        return {"headers": {"Authorization": f"Basic {basic}"}, "json": body}


async def walk(
    url: str, phones: Sequence[Phone], *, interval_s: float = 2.0, posts: int | None = None,
    now: Callable[[], float] = time.time,
) -> None:  # fmt: skip
    """Let each phone post every ``interval_s`` seconds, ``posts`` times or until cancelled; none waits for another."""
    began = now()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:

        async def one(phone: Phone) -> None:
            while posts is None or phone.posted + phone.failed < posts:
                at = now()
                await phone.post(session, url, at - began, at)
                if phone.failed == 1 and phone.posted == 0:
                    sys.stderr.write(f"{phone.device_id}: {url} answers {phone.last_status or 'nothing'}\n")
                await asyncio.sleep(interval_s)

        async with asyncio.TaskGroup() as group:
            for phone in phones:
                group.create_task(one(phone))


def parse_phone(text: str) -> Phone:
    """``id:secret[:form]`` of the command line."""
    device, _, rest = text.partition(":")
    secret, _, form = rest.partition(":")
    if not device or not secret or (form and form not in FORMS):
        raise argparse.ArgumentTypeError(f"{text!r} is not id:secret[:form] with a form of {', '.join(FORMS)}")
    return Phone(device, secret, form or "traccar")


def parse_route(text: str) -> tuple[Point, ...]:
    """``lat,lon;lat,lon;…`` of the command line."""
    try:
        points = [(float(lat), float(lon)) for lat, lon in (point.split(",") for point in text.split(";"))]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not lat,lon;lat,lon") from None
    if len(set(points)) < 2:
        raise argparse.ArgumentTypeError("a route has two points at least")
    return tuple(points)


async def main(arguments: Sequence[str]) -> None:
    """The program."""
    parser = argparse.ArgumentParser(description="phones that post positions (simulated)")
    parser.add_argument("--url", required=True)
    parser.add_argument("--phone", type=parse_phone, action="append", required=True, metavar="ID:SECRET[:FORM]")
    parser.add_argument("--route", type=parse_route, default=ROUTE)
    parser.add_argument("--speed", type=float, default=2.0, help="metres a second")
    parser.add_argument("--interval", type=float, default=2.0, help="seconds between posts")
    given = parser.parse_args(arguments)
    for place, phone in enumerate(given.phone):
        phone.route, phone.speed_mps, phone.start_m = given.route, given.speed, 400.0 * place
    walking = asyncio.create_task(walk(given.url, given.phone, interval_s=given.interval))
    told = end_asked()
    say_ready(port=None, phones=[p.device_id for p in given.phone])
    await told.wait()
    walking.cancel()
    await asyncio.gather(walking, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
