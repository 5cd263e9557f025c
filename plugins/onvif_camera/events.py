"""What a camera reports (ONVIF Core 9): a pull point, a watchdog on its age, and its messages as ours.

Known faults of real cameras, all seen in the field: the pull point dies without a word when the camera starts anew;
some answer for ever that nothing has happened. So whoever is silent for too long is subscribed to again, which also
makes a camera tell its present state.
"""

from __future__ import annotations

import datetime as dt
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

import onvif_parsers

from hub.capabilities import CameraTampered, DigitalInputChanged, MotionEnded, MotionStarted
from hub.sdk import Clock, EventData, HubError

from .device import ANSWER_S, Device, bounded

PULL_S = 5.0
LEASE: Final = dt.timedelta(minutes=10)
MAX_MESSAGES = 100  # of one answer
MAX_A_MINUTE = 120  # events of one camera; what is more is counted and dropped
MAX_INPUTS = 32
MOTION: Final = ("CellMotionDetector/Motion", "MotionRegionDetector/Motion", "VideoSource/MotionAlarm")
TAMPER: Final = ("TamperDetector/Tamper", "VideoSource/GlobalSceneChange")
INPUT: Final = ("Device/Trigger/DigitalInput",)


@dataclass
class Told:
    """One camera's messages as events: only changes pass. ``strange``: those that were not understood."""

    clock: Clock
    strange: int = 0
    dropped: int = 0
    last_strange: str = ""
    _now: dict[str, bool] = field(default_factory=dict)
    _recent: deque[float] = field(default_factory=deque)

    async def read(self, message: Any) -> EventData | None:
        """The event in a message of the camera; ``None`` when nothing changed or it is of no kind we know."""
        topic = ""
        try:
            topic = str(message.Topic._value_1)[:200]
            kind = kind_of(topic)
            if kind is None:
                return None
            parsed = await onvif_parsers.parse(_plain(topic), "camera", message)
            if not parsed or not isinstance(parsed[0].value, bool):
                raise ValueError("no value")
            source, active = parsed[0].uid.rpartition("_")[2][:64], parsed[0].value
        except Exception as fault:  # a camera may send anything; each kind of nonsense raises another error
            self.strange += 1
            self.last_strange = f"{topic[:80] or 'no topic'}: {type(fault).__name__}"
            return None
        return self._change(kind, source, active)

    def _change(self, kind: str, source: str, active: bool) -> EventData | None:
        key = f"{kind} {source}" if kind == "input" else kind
        if self._now.get(key, False) == active or (key not in self._now and len(self._now) >= MAX_INPUTS):
            return None
        if not self._room():
            return None
        self._now[key] = active
        if kind == "motion":
            return MotionStarted() if active else MotionEnded()
        return CameraTampered(active=active) if kind == "tamper" else DigitalInputChanged(input=source, active=active)

    def _room(self) -> bool:
        now = self.clock.monotonic()
        while self._recent and self._recent[0] <= now - 60:
            self._recent.popleft()
        if len(self._recent) >= MAX_A_MINUTE:
            self.dropped += 1
            return False
        self._recent.append(now)
        return True


def kind_of(topic: str) -> str | None:
    """``motion``, ``tamper``, ``input``, or ``None`` for what the hub has no event for."""
    plain = _plain(topic)
    for kind, parts in (("motion", MOTION), ("tamper", TAMPER), ("input", INPUT)):
        if any(part in plain for part in parts):
            return kind
    return None


def _plain(topic: str) -> str:
    """Without spaces, and with the prefix by which the parsers know it: devices choose their own."""
    _, colon, rest = topic.strip().partition(":")
    return f"tns1:{rest}" if colon else topic.strip()


class PullPoint:
    """A subscription at one camera. ``pull`` again and again; it subscribes when it must."""

    def __init__(self, device: Device, clock: Clock, silent_s: float) -> None:
        self._device, self._clock, self._silent_s = device, clock, silent_s
        self._manager: Any = None
        self._heard = clock.monotonic()
        self.subscribed = 0
        self._lost = False

    @property
    def state(self) -> str:
        """``subscribed`` or ``waiting``."""
        return "subscribed" if self._manager is not None else "waiting"

    async def pull(self) -> list[Any]:
        """The messages since the last call, after at most ``PULL_S`` seconds; subscribes again when the camera was
        silent for too long. Errors as ``Device.ask``: the subscription is then void."""
        if self._lost or self._clock.monotonic() - self._heard >= self._silent_s:
            await self.close()
        if self._manager is None:
            await self._subscribe()
        try:
            service = bounded(self._manager.get_service())
            ask = {"MessageLimit": MAX_MESSAGES, "Timeout": dt.timedelta(seconds=PULL_S)}
            answer = await self._device.ask(service.PullMessages, PULL_S + ANSWER_S, ask)
        except HubError:
            await self.close()
            raise
        messages = list(answer.NotificationMessage or ())[:MAX_MESSAGES]
        if messages:
            self._heard = self._clock.monotonic()
        return messages

    async def _subscribe(self) -> None:
        camera = self._device.camera
        self._heard, self._lost = self._clock.monotonic(), False
        self._manager = await self._device.ask(
            lambda: camera.create_pullpoint_manager(LEASE, self._lose), ANSWER_S * 2
        )
        self.subscribed += 1
        # a courtesy: cameras that know it tell their present state at once
        await self._manager.set_synchronization_point()

    def _lose(self) -> None:
        self._lost = True

    async def close(self) -> None:
        """End the subscription, if the camera still listens."""
        manager, self._manager = self._manager, None
        if manager is not None:
            try:
                await self._device.ask(manager.shutdown, 2.0)
            except HubError:  # it expires by itself
                return
