"""An ONVIF camera on loopback: device, media, PTZ and pull-point events over SOAP, pictures over HTTP, and whatever
can go wrong with one.

As a program: ``python plugins/onvif_camera/fake.py --port 18600 --login hub:pass --stream rtsp://127.0.0.1:8554/scene``.
Lines on standard input make it report: ``motion on``, ``tamper off``, ``input door on``, ``reboot``. ``--play 20`` sees
somebody walk by every 20 seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import re
import sys
import time
import types
import xml.etree.ElementTree as ET
from calendar import timegm
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

if not __package__:  # started as a program: its folder is a package of its own, without the plugin's entry
    __package__ = "onvif_camera_program"
    sys.modules[__package__] = types.ModuleType(__package__)
    sys.modules[__package__].__path__ = [str(Path(__file__).resolve().parent)]

from hub.sdk.program import end_asked, say_ready

from . import fake_words as say

TOPICS = {
    "motion": ("tns1:RuleEngine/CellMotionDetector/Motion", "VideoSourceConfigurationToken", "IsMotion"),
    "tamper": ("tns1:RuleEngine/TamperDetector/Tamper", "VideoSourceConfigurationToken", "IsTamper"),
    "input": ("tns1:Device/Trigger/DigitalInput", "InputToken", "LogicalState"),
}
FRESH_S = 30.0  # how far a WS-UsernameToken's time may be off
OPEN = frozenset({"GetSystemDateAndTime"})
_PAIR = re.compile(r'(\w+)="?([^",]*)"?')


@dataclass
class Point:
    """A pull point."""

    queue: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    dead: bool = False


@dataclass
class Camera:
    """The camera. ``login``: name and password; ``skew``: seconds that its clock is ahead; ``picture_auth``: digest,
    basic or none; ``faults``: operations that fail and how (``fault``, ``garbage``, ``huge``, ``hang``, ``half``);
    ``named``: the host it says its services have."""

    login: tuple[str, str] | None = None
    skew: float = 0.0
    picture_auth: str = "digest"
    stream: str = ""
    named: str = ""
    services: tuple[str, ...] = ("device", "media", "ptz", "events")
    profiles: dict[str, tuple[str, int, int]] = field(default_factory=lambda: dict(say.PROFILES))
    faults: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    moves: list[tuple[str, Any]] = field(default_factory=list)
    points: dict[str, Point] = field(default_factory=dict)
    states: dict[tuple[str, str], bool] = field(default_factory=dict)
    shown: int = 0
    pan: float = 0.0
    port: int = 0
    discovery_port: int = 0
    asked: asyncio.Event = field(default_factory=asyncio.Event)  # set at each PullMessages
    _runner: web.AppRunner | None = None
    _udp: asyncio.DatagramTransport | None = None

    async def start(self, port: int = 0, discovery: int | None = None) -> int:
        """Listen on loopback; the port. ``discovery``: a UDP port that answers WS-Discovery, 0 for a free one."""
        app = web.Application(client_max_size=1 << 20)
        app.router.add_post("/onvif/{service}", self._soap)
        app.router.add_post("/onvif/events/{point}", self._soap)
        app.router.add_get("/picture", self._picture)
        app.router.add_get("/mjpeg", self._mjpeg)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self.port = int(self._runner.addresses[0][1])
        if discovery is not None:
            loop = asyncio.get_running_loop()
            self._udp, _ = await loop.create_datagram_endpoint(lambda: _Answer(self), ("127.0.0.1", discovery))
            self.discovery_port = self._udp.get_extra_info("sockname")[1]
        return self.port

    async def stop(self) -> None:
        """Be off."""
        if self._udp is not None:
            self._udp.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    @property
    def base(self) -> str:
        """Where it says that it is."""
        return f"http://{self.named or '127.0.0.1'}:{self.port}"

    # --- what it sees

    def see(self, kind: str, active: bool, source: str = "1") -> None:
        """Report motion, tamper or input to every pull point."""
        self.states[kind, source] = active
        for point in self.points.values():
            if not point.dead:
                point.queue.put_nowait(self._message(kind, source, active, "Changed"))

    def say_raw(self, message: str) -> None:
        """Report whatever."""
        for point in self.points.values():
            point.queue.put_nowait(message)

    def kill_points(self, *, quietly: bool) -> None:
        """As a restart does: pull points are gone, or answer for ever that nothing has happened."""
        if not quietly:
            self.points.clear()
        for point in self.points.values():
            point.dead = True

    def _message(self, kind: str, source: str, active: bool, operation: str) -> str:
        topic, name, item = TOPICS[kind]
        return say.message(topic, (name, source), (item, str(active).lower()), time.time() + self.skew, operation)

    # --- SOAP

    async def _soap(self, request: web.Request) -> web.StreamResponse:
        root = ET.fromstring(await request.read())
        body = next((part for part in root if part.tag.endswith("}Body")), None)
        if body is None or not len(body):
            return self._answer(say.fault("ter:WellFormed", "no body"), 400)
        name = body[0].tag.rpartition("}")[2]
        self.calls.append(name)
        if name not in OPEN and not self._knows(root):
            return self._answer(say.fault("ter:NotAuthorized", "Sender not Authorized"), 400)
        if (wrong := self.faults.get(name)) is not None:
            return await self._wrong(request, wrong)
        made = await self._made(name, body[0], request.match_info.get("point", ""))
        if made is None:
            return self._answer(say.fault("ter:ActionNotSupported", f"{name} is not supported"), 400)
        return self._answer(say.envelope(made))

    @staticmethod
    def _answer(content: bytes, status: int = 200) -> web.Response:
        return web.Response(body=content, status=status, content_type="application/soap+xml")

    def _knows(self, root: ET.Element) -> bool:
        """WS-UsernameToken with PasswordDigest (WSS 1.1, 3.1): right, and of this minute by its own clock."""
        if self.login is None:
            return True
        told = {part.tag.rpartition("}")[2]: part.text or "" for part in root.iter()}
        nonce, created = told.get("Nonce", ""), told.get("Created", "")
        try:
            made = time.strptime(created[:19], "%Y-%m-%dT%H:%M:%S")
            raw = base64.b64decode(nonce)
        except ValueError:
            return False
        fresh = abs(timegm(made) - (time.time() + self.skew)) <= FRESH_S
        proof = hashlib.sha1(raw + created.encode() + self.login[1].encode()).digest()
        return fresh and told.get("Username") == self.login[0] and told.get("Password") == base64.b64encode(
            proof
        ).decode()

    async def _wrong(self, request: web.Request, wrong: str) -> web.StreamResponse:
        if wrong == "fault":
            return self._answer(say.fault("ter:Action", "the device is tired"), 500)
        if wrong == "garbage":
            return self._answer(b"<<<< not & xml")
        if wrong == "hang":
            await asyncio.sleep(60)
        response = web.StreamResponse(headers={"Content-Type": "application/soap+xml"})
        if wrong == "half":
            response.content_length = 5_000
        await response.prepare(request)
        if wrong == "huge":
            for _ in range(64):
                await response.write(b" " * (1 << 16))
        else:
            await response.write(say.envelope("")[:60])
            await asyncio.sleep(60)
        return response

    async def _made(self, name: str, asked: ET.Element, point: str) -> str | None:
        now = time.time() + self.skew
        if name in ("GetStreamUri", "GetSnapshotUri"):
            stream = self.stream or f"{self.base}/mjpeg"
            return say.uri(name, stream if name == "GetStreamUri" else f"{self.base}/picture?token=1")
        if name in ("PullMessages", "Renew", "Unsubscribe", "SetSynchronizationPoint", "CreatePullPointSubscription"):
            return await self._events(name, asked, point, now)
        if name in ("ContinuousMove", "Stop", "GotoPreset"):
            return self._moved(name, asked)
        simple = {
            "GetSystemDateAndTime": lambda: say.system_time(now),
            "GetServices": lambda: say.services(self.base, self.services),
            "GetDeviceInformation": lambda: say.information("Market gate"),
            "GetProfiles": lambda: say.profiles(self.profiles),
            "GetPresets": lambda: say.presets({"p1": "gate", "p2": "ตลาด"}),
        }
        return simple[name]() if name in simple else None

    def _moved(self, name: str, asked: ET.Element) -> str:
        told: Any = {part.tag.rpartition("}")[2]: part.attrib or part.text for part in asked.iter()}
        if name == "ContinuousMove":
            turn = {**told.get("PanTilt", {}), "zoom": told.get("Zoom", {}).get("x")}
            self.moves.append(("move", (float(turn["x"]), float(turn["y"]), float(turn["zoom"]), told.get("Timeout"))))
            self.pan += float(turn["x"])
        else:
            self.moves.append(("stop", None) if name == "Stop" else ("preset", told["PresetToken"]))
        return f"<tptz:{name}Response/>"

    async def _events(self, name: str, asked: ET.Element, number: str, now: float) -> str | None:
        if name == "CreatePullPointSubscription":
            number = str(len(self.calls))
            self.points[number] = Point()
            return say.subscribed(f"{self.base}/onvif/events/{number}", now, now + 600)
        point = self.points.get(number)
        if point is None:
            return None
        if name == "Unsubscribe":
            del self.points[number]
            return "<wsnt:UnsubscribeResponse/>"
        if name == "Renew":
            return say.renewed(now, now + 600)
        if name == "SetSynchronizationPoint":
            for (kind, source), active in self.states.items():
                point.queue.put_nowait(self._message(kind, source, active, "Initialized"))
            return "<tev:SetSynchronizationPointResponse/>"
        limit = int(next((part.text or "" for part in asked.iter() if part.tag.endswith("}MessageLimit")), "1"))
        self.asked.set()
        return say.pulled(await _some(point, limit), now, now + 600)

    # --- pictures

    async def _picture(self, request: web.Request) -> web.Response:
        if self.login is not None and not self._may_see(request.headers.get("Authorization", "")):
            return web.Response(status=401, headers={"WWW-Authenticate": self._challenge()})
        if self.faults.get("picture") == "garbage":
            return web.Response(body=b"<html>login</html>", content_type="text/html")
        if self.faults.get("picture") == "huge":
            return web.Response(body=b"\xff\xd8\xff" + bytes(9 << 20), content_type="image/jpeg")
        self.shown += 1
        return web.Response(body=say.picture(self.shown, self.pan), content_type="image/jpeg")

    def _challenge(self) -> str:
        if self.picture_auth == "basic":
            return 'Basic realm="camera"'
        return 'Digest realm="camera", nonce="n1", qop="auth", algorithm=SHA-256, opaque="o"'

    def _may_see(self, header: str) -> bool:
        name, password = self.login or ("", "")
        scheme, _, rest = header.partition(" ")
        if self.picture_auth == "none":
            return True
        if self.picture_auth == "basic":
            return scheme == "Basic" and base64.b64decode(rest) == f"{name}:{password}".encode()
        told = dict(_PAIR.findall(rest))

        def hashed(text: str) -> str:
            return hashlib.sha256(text.encode()).hexdigest()

        proof = hashed(
            f"{hashed(f'{name}:camera:{password}')}:n1:{told.get('nc')}:{told.get('cnonce')}:auth:"
            f"{hashed('GET:' + told.get('uri', ''))}"
        )
        return scheme == "Digest" and told.get("response") == proof and told.get("opaque") == "o"

    async def _mjpeg(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "multipart/x-mixed-replace; boundary=frame"})
        await response.prepare(request)
        number = 0
        while True:
            drawn, number = say.picture(number, self.pan), number + 1
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(drawn)}\r\n\r\n"
            try:
                await response.write(head.encode() + drawn + b"\r\n")
            except ConnectionError:
                return response
            await asyncio.sleep(0.2)


async def _some(point: Point, limit: int) -> list[str]:
    """What happened, within a second; a real device waits for as long as it was asked to."""
    try:
        async with asyncio.timeout(1.0):
            kept = [await point.queue.get()]
    except TimeoutError:
        return []
    while len(kept) < limit and not point.queue.empty():
        kept.append(point.queue.get_nowait())
    return kept


class _Answer(asyncio.DatagramProtocol):
    """Answers WS-Discovery."""

    def __init__(self, camera: Camera) -> None:
        self._camera = camera
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        found = re.search(rb"MessageID>([^<]+)<", data)
        if found is None or self._transport is None or b"NetworkVideoTransmitter" not in data:
            return
        for extra in self._camera.faults.get("probe", "").encode().split(b"|"):
            if extra:
                self._transport.sendto(extra, addr)
        self._transport.sendto(say.found(found[1].decode(), f"{self._camera.base}/onvif/device"), addr)


def obey(camera: Camera, line: str) -> None:
    """A line of standard input."""
    words = line.split()
    if words == ["reboot"]:
        camera.kill_points(quietly=False)
    elif len(words) in (2, 3) and words[0] in TOPICS:
        camera.see(words[0], words[-1] == "on", words[1] if len(words) == 3 else "1")


async def play(camera: Camera, seconds: float) -> None:
    """Somebody walks by, again and again."""
    while True:
        await asyncio.sleep(seconds)
        camera.see("motion", True)
        await asyncio.sleep(min(5.0, seconds / 2))
        camera.see("motion", False)


async def main(arguments: Sequence[str]) -> None:
    """The program."""
    parser = argparse.ArgumentParser(description="an ONVIF camera (simulated)")
    parser.add_argument("--port", type=int, default=18600)
    parser.add_argument("--login", help="NAME:PASSWORD")
    parser.add_argument("--stream", default="", help="address of the stream it names; its own MJPEG without")
    parser.add_argument("--play", type=float, default=0.0, help="seconds between walkers; 0 for none")
    parser.add_argument("--discovery", type=int, help="UDP port that answers WS-Discovery")
    given = parser.parse_args(arguments)
    name, _, password = (given.login or "").partition(":")
    camera = Camera((name, password) if given.login else None, stream=given.stream)
    port = await camera.start(given.port, given.discovery)
    told = end_asked(lambda line: obey(camera, line))
    playing = asyncio.create_task(play(camera, given.play)) if given.play else None
    say_ready(port=port, discovery=camera.discovery_port)
    await told.wait()
    if playing is not None:
        playing.cancel()
    await camera.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
