"""A camera over ONVIF (Profiles S and T): who it is, its streams, its picture's address, its motors."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import aiohttp
from onvif import ONVIFCamera, ONVIFService

from hub.sdk import ActionFailed, HubError, LimitExceeded, NotFound, Unavailable

ANSWER_S = 8.0
MAX_ANSWER = 2 << 20
H264: Final = "H264"
STREAMS: Final = ("rtsp", "rtsps", "http", "https")


class _Bounded(aiohttp.ClientResponse):
    """An answer of at most ``MAX_ANSWER`` bytes: the library would read as much as a device sends."""

    async def read(self) -> bytes:
        if self._body is None:
            kept = bytearray()
            try:
                async for chunk in self.content.iter_chunked(1 << 16):
                    kept += chunk
                    if len(kept) > MAX_ANSWER:
                        raise LimitExceeded(f"the camera's answer is over {MAX_ANSWER >> 20} MiB", where=self.url.path)
            except BaseException:
                self.close()
                raise
            self._body = bytes(kept)
        return self._body


@dataclass(frozen=True)
class Profile:
    """A media profile: ``encoding`` as the device says it (H264, JPEG, H265 …), size in pixels."""

    token: str
    name: str
    encoding: str
    width: int
    height: int


@dataclass(frozen=True)
class Facts:
    """What a device said of itself. ``clock_offset_s``: its clock less ours. ``live``: the profile that browsers can
    show, the smallest H.264 one; ``None`` when there is none."""

    manufacturer: str
    model: str
    firmware: str
    clock_offset_s: float
    profiles: tuple[Profile, ...]
    live: Profile | None
    has_ptz: bool
    has_events: bool


def choose(profiles: tuple[Profile, ...]) -> Profile | None:
    """The H.264 profile for viewers and analysis: the smallest from 320 pixels of width on, else the largest."""
    fit = sorted((one for one in profiles if one.encoding.upper() == H264), key=lambda one: one.width * one.height)
    return next((one for one in fit if one.width >= 320), fit[-1] if fit else None)


def bounded(service: ONVIFService) -> ONVIFService:
    """A service that reads at most ``MAX_ANSWER`` bytes; the library itself offers no bound."""
    service._session._response_class = _Bounded
    return service


class Device:
    """One camera. ``connect`` first, and again after a failure. Every service is asked at ``host:port``, whatever
    addresses the device names: those may lie behind NAT, or be somebody else's."""

    def __init__(self, host: str, port: int, username: str | None, password: str | None) -> None:
        self.host, self.port, self.username, self.password = host, port, username, password
        self._camera: ONVIFCamera | None = None
        self.facts: Facts | None = None

    @property
    def where(self) -> str:
        """For people."""
        return f"{self.host}:{self.port}"

    async def connect(self) -> Facts:
        """Ask who it is and what it can do; errors as ``ask``."""
        await self.close()
        self._camera = ONVIFCamera(
            self.host, self.port, self.username or "", self.password or "", adjust_time=True, nat_override=True
        )
        await self.ask(self._camera.update_xaddrs, ANSWER_S * 2)
        management = await self.service("devicemgmt")
        about = await self.ask(management.GetDeviceInformation)
        media = await self.service("media")
        profiles = tuple(_profile(one) for one in (await self.ask(media.GetProfiles))[:32])
        if not profiles:
            raise ActionFailed("the camera has no media profile", where=self.where)
        names = " ".join(self._camera.xaddrs)
        offset = self._camera.dt_diff.total_seconds() if self._camera.dt_diff else 0.0
        self.facts = Facts(
            _text(about.Manufacturer), _text(about.Model), _text(about.FirmwareVersion), round(offset, 1), profiles,
            choose(profiles), "/ptz/" in names, "/events/" in names,
        )  # fmt: skip
        return self.facts

    async def service(self, name: str) -> ONVIFService:
        """One service; ``Unavailable`` when the device has none of that name."""
        return bounded(await self.ask(self.camera.create_onvif_service, ANSWER_S, name))

    async def ask(self, call: Callable[..., Awaitable[Any]], limit: float = ANSWER_S, /, *args: Any) -> Any:
        """Call the device. The library lets errors of four others through (zeep, lxml, aiohttp, its own), so every
        one is put into words here: ``Unavailable`` when it does not answer or lets nobody in, ``ActionFailed`` when
        it refuses or what it says cannot be understood."""
        try:
            async with asyncio.timeout(limit):
                return await call(*args)
        except HubError:
            raise
        except TimeoutError:
            raise Unavailable(f"the camera did not answer within {limit:g} s", where=self.where) from None
        except Exception as fault:
            raise self._told(fault) from None

    def _told(self, fault: Exception) -> HubError:
        words, kind = f"{fault}"[:200], type(fault).__name__
        if "Unauthorized" in words or "NotAuthorized" in words or "not authorized" in words.lower():
            offset = self._camera.dt_diff.total_seconds() if self._camera and self._camera.dt_diff else 0.0
            clock = f" (its clock is off by {offset:.0f} s)" if abs(offset) > 5 else ""
            return Unavailable(
                f"the camera refuses the user name or password{clock}", where=self.where, hint="check the settings"
            )
        if isinstance(fault, (aiohttp.ClientConnectionError, OSError)) or "Cannot connect" in words:
            return Unavailable(f"nothing answers at the address ({kind})", where=self.where)
        if kind == "Fault":
            return ActionFailed(f"the camera refused: {words}", where=self.where)
        return ActionFailed(f"the camera's answer cannot be understood ({kind})", where=self.where)

    # --- pictures

    async def stream(self, profile: Profile) -> str:
        """The address of a profile's stream, without credentials and at our ``host``."""
        media = await self.service("media")
        setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
        answer = await self.ask(media.GetStreamUri, ANSWER_S, {"StreamSetup": setup, "ProfileToken": profile.token})
        return self._ours(_text(answer.Uri, 500))

    async def picture(self, profile: Profile) -> str:
        """The address of a profile's still picture."""
        media = await self.service("media")
        answer = await self.ask(media.GetSnapshotUri, ANSWER_S, {"ProfileToken": profile.token})
        return self._ours(_text(answer.Uri, 500))

    def _ours(self, url: str) -> str:
        """The address the device named, on the host that was configured: credentials go nowhere else."""
        try:
            split = urlsplit(url)
            port = split.port
        except ValueError:
            split, port = urlsplit(""), None
        if split.scheme not in STREAMS:
            raise ActionFailed("the camera named an address that is none", where=self.where)
        host = f"[{self.host}]" if ":" in self.host else self.host
        return urlunsplit(split._replace(netloc=f"{host}:{port}" if port else host, fragment=""))

    # --- motors (ONVIF PTZ 5.3, 5.4)

    async def move(self, pan: float, tilt: float, zoom: float, seconds: float) -> None:
        """Move at these speeds, -1 to 1; the camera stops by itself after ``seconds``, if it keeps to the word."""
        speed = {"PanTilt": {"x": pan, "y": tilt}, "Zoom": {"x": zoom}}
        ptz = await self._ptz()
        given = {"ProfileToken": self._token(), "Velocity": speed, "Timeout": dt.timedelta(seconds=seconds)}
        await self.ask(ptz.ContinuousMove, ANSWER_S, given)

    async def stop(self) -> None:
        """Stop every motor."""
        ptz = await self._ptz()
        await self.ask(ptz.Stop, ANSWER_S, {"ProfileToken": self._token(), "PanTilt": True, "Zoom": True})

    async def goto_preset(self, preset: str) -> None:
        """Turn to a preset by name or token; ``NotFound`` names those there are."""
        ptz = await self._ptz()
        known = [
            (_text(one.token), _text(one.Name))
            for one in await self.ask(ptz.GetPresets, ANSWER_S, {"ProfileToken": self._token()}) or ()
        ]
        token = next((token for token, name in known if preset in (token, name)), None)
        if token is None:
            names = ", ".join(name or token for token, name in known[:20]) or "none"
            raise NotFound(f"no preset {preset!r}", where=self.where, hint=f"presets: {names}")
        await self.ask(ptz.GotoPreset, ANSWER_S, {"ProfileToken": self._token(), "PresetToken": token})

    async def _ptz(self) -> ONVIFService:
        if self.facts is not None and not self.facts.has_ptz:
            raise ActionFailed("the camera has no motors (no PTZ service)", where=self.where)
        return await self.service("ptz")

    def _token(self) -> str:
        if self.facts is None:
            raise Unavailable("the camera is not connected", where=self.where)
        return (self.facts.live or self.facts.profiles[0]).token

    async def close(self) -> None:
        """Let go of every connection."""
        camera, self._camera = self._camera, None
        if camera is not None:
            await camera.close()

    @property
    def camera(self) -> ONVIFCamera:
        """The library's own camera; ``Unavailable`` before ``connect``."""
        if self._camera is None:
            raise Unavailable("the camera is not connected", where=self.where)
        return self._camera


def _profile(told: Any) -> Profile:
    encoder = told.VideoEncoderConfiguration
    size = encoder.Resolution if encoder is not None else None
    return Profile(
        _text(told.token), _text(told.Name), _text(encoder.Encoding) if encoder is not None else "",
        int(size.Width) if size is not None else 0, int(size.Height) if size is not None else 0,
    )  # fmt: skip


def _text(value: Any, limit: int = 120) -> str:
    return "" if value is None else str(value)[:limit]
