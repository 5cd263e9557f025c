"""One camera in the hub: keeps contact, passes on what it reports, serves its actions."""

from __future__ import annotations

import asyncio
from typing import Any

from hub.capabilities import PtzLocked
from hub.sdk import (
    Clock,
    Conflict,
    Context,
    Entity,
    HubError,
    StateChanged,
    Unavailable,
    Video,
    VideoSource,
    current_call,
)

from .device import Device, Facts
from .events import PullPoint, Told
from .fetch import fetch

FIRST_WAIT_S = 5.0
BACKOFF_FIRST_S, BACKOFF_MOST_S = 1.0, 60.0
LOOK_S = 20.0  # how often a camera without events is asked whether it is there


class Lock:
    """One person moves a camera at a time, and holds it for some seconds after each move."""

    def __init__(self, clock: Clock, hold_s: float) -> None:
        self._clock, self._hold_s = clock, hold_s
        self.by, self.until = "", 0.0

    def take(self, who: str, seconds: float = 0.0) -> None:
        """Hold it for the move and some more; ``Conflict`` names who does."""
        now = self._clock.now()
        if self.by not in ("", who) and now < self.until:
            left = max(1, round(self.until - now))
            raise Conflict(f"{self.by} moves this camera", hint=f"free in {left} s")
        self.by, self.until = who, now + seconds + self._hold_s


class OnvifCamera:
    """Serves the actions of one camera; ``turn`` is called again and again."""

    def __init__(
        self, ctx: Context, device: Device, entity: Entity, source: dict[str, Any], *, events: bool,
        events_silent_s: float, hold_s: float,
    ) -> None:  # fmt: skip
        self._ctx, self._device, self._entity, self._source = ctx, device, entity, source
        self._wants_events = events
        self._told = Told(ctx.clock)
        self._points = PullPoint(device, ctx.clock, events_silent_s)
        self._lock = Lock(ctx.clock, hold_s)
        self._tried = asyncio.Event()
        self._video: Video | None = None
        self._stream = self._picture = ""
        self._connected = False
        self._backoff = BACKOFF_FIRST_S
        self._shown: dict[str, Any] = {}

    # --- keeping contact

    async def turn(self) -> None:
        """Connect, or hear what the camera reports; after a failure wait longer each time, up to a minute."""
        try:
            if not self._connected:
                await self._connect()
            elif self._wants_events and self._device.facts is not None and self._device.facts.has_events:
                await self._hear()
            else:
                await self._ctx.clock.sleep(LOOK_S)
                await self._look()
            self._backoff = BACKOFF_FIRST_S
        except HubError as refused:
            self._connected = False
            await self._show(device="away", device_problem=str(refused)[:300], events_state=self._points.state)
            self._tried.set()
            await self._ctx.clock.sleep(self._backoff)
            self._backoff = min(self._backoff * 2, BACKOFF_MOST_S)

    async def _connect(self) -> None:
        await self._points.close()
        facts = await self._device.connect()
        profile = facts.live or facts.profiles[0]
        stream = await self._device.stream(profile)
        try:
            self._picture = await self._device.picture(profile)
        except HubError:  # some have none: the picture then comes from the video
            self._picture = ""
        await self._open(stream)
        self._connected = True
        await self._show(device="connected", device_problem=_concern(facts), **_facts(facts))
        await self._sign()
        self._tried.set()

    async def _open(self, stream: str) -> None:
        if self._video is None or stream != self._stream:
            if self._video is not None:
                await self._video.close()
            self._video = await self._ctx.video(self._entity.id, VideoSource(url=stream, **self._source))
            self._stream = stream

    async def _look(self) -> None:
        management = await self._device.service("devicemgmt")
        await self._device.ask(management.GetDeviceInformation)
        await self._sign()

    async def _hear(self) -> None:
        messages = await self._points.pull()
        await self._sign()
        for message in messages:
            event = await self._told.read(message)
            if event is not None:
                await self._ctx.emit(event, entity=self._entity.id)
        told = self._told
        odd = f"{told.strange} messages were not understood, the last {told.last_strange}" if told.strange else ""
        flood = f"{told.dropped} events were dropped: more than 2 a second" if told.dropped else ""
        concern = "; ".join(filter(None, (_concern(self._device.facts), odd, flood)))
        await self._show(
            device_problem=concern, events_state=self._points.state, events_subscribed=self._points.subscribed
        )

    async def _sign(self) -> None:
        """The camera answered: a quiet street is no silent camera."""
        await self._ctx.alive(self._entity.id)

    async def _show(self, **facts: Any) -> None:
        """Say in the state what is new."""
        new = {key: value for key, value in facts.items() if self._shown.get(key) != value}
        if new:
            self._shown.update(new)
            await self._ctx.emit(StateChanged(attributes=new), entity=self._entity.id)

    async def close(self) -> None:
        """Let go of everything."""
        if self._video is not None:
            await self._video.close()
        await self._points.close()
        await self._device.close()

    # --- actions

    async def _there(self) -> None:
        if not self._connected:
            try:
                async with asyncio.timeout(FIRST_WAIT_S):
                    await self._tried.wait()
            except TimeoutError:
                pass
        if not self._connected:
            problem = self._shown.get("device_problem") or "it did not answer yet"
            raise Unavailable(f"the camera is away: {problem}", where=self._entity.id)

    async def snapshot(self) -> str:
        await self._there()
        if self._picture:
            try:
                content, mime = await fetch(self._picture, self._device.username, self._device.password)
                return await self._ctx.media.put(content, mime, "incidents", self._entity.id)
            except HubError as refused:
                self._ctx.log.info("%s: %s; the video's picture is taken", self._entity.id, refused)
        return await self._video_now().snapshot()

    async def clip(self, before_s: float, after_s: float, incident: str | None) -> list[str]:
        await self._there()
        return await self._video_now().clip(before_s, after_s, incident)

    def _video_now(self) -> Video:
        if self._video is None:
            raise Unavailable("the camera's video is not open", where=self._entity.id)
        return self._video

    async def move(self, pan: float, tilt: float, zoom: float, seconds: float) -> None:
        await self._hold(seconds)
        await self._there()
        await self._device.move(pan, tilt, zoom, seconds)
        try:
            await self._ctx.clock.sleep(seconds)
        finally:  # not every camera keeps to the time it was given
            await self._device.stop()

    async def stop(self) -> None:
        await self._there()
        await self._device.stop()

    async def goto_preset(self, preset: str) -> None:
        await self._hold()
        await self._there()
        await self._device.goto_preset(preset)

    async def _hold(self, seconds: float = 0.0) -> None:
        self._lock.take(current_call().actor, seconds)
        await self._ctx.emit(PtzLocked(by=self._lock.by, until=self._lock.until), entity=self._entity.id)


def _facts(facts: Facts) -> dict[str, Any]:
    profile = facts.live
    return {
        "manufacturer": facts.manufacturer, "model": facts.model, "firmware": facts.firmware,
        "clock_offset_s": facts.clock_offset_s, "has_ptz": facts.has_ptz,
        "stream": f"{profile.name} {profile.encoding} {profile.width}×{profile.height}" if profile else "no H.264",
    }  # fmt: skip


def _concern(facts: Facts | None) -> str:
    """What a technician should mend, though the camera works."""
    if facts is None:
        return ""
    words = []
    if facts.live is None:
        words.append("no H.264 stream: browsers cannot show it live; switch a sub-stream to H.264")
    if abs(facts.clock_offset_s) > 60:
        words.append(f"its clock is off by {facts.clock_offset_s:.0f} s: set NTP")
    return "; ".join(words)
