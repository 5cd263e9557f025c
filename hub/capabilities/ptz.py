"""Cameras that turn and zoom."""

from __future__ import annotations

from typing import Annotated, Protocol

from pydantic import Field

from hub.core.action import action
from hub.core.event import EventData, Lane, Projection, event_type

Speed = Annotated[float, Field(ge=-1, le=1)]


class Ptz(Protocol):
    """A camera's motors. Whoever moves it holds it for some seconds; meanwhile others get ``Conflict``."""

    @action("หันและซูมกล้อง", "Turn and zoom", right="camera.control", timeout=40)
    async def move(
        self, pan: Speed = 0.0, tilt: Speed = 0.0, zoom: Speed = 0.0,
        seconds: Annotated[float, Field(gt=0, le=10)] = 1.0,
    ) -> None:  # fmt: skip
        """Move at these speeds, fractions of the fastest: right, up and in are positive. It stops after ``seconds``."""

    @action("หยุดกล้อง", "Stop the camera", right="camera.control", idempotent=True)
    async def stop(self) -> None:
        """Stop every motor. Whoever asks is heard: stopping needs no lock."""

    @action("ไปยังตำแหน่งที่บันทึกไว้", "Go to a preset", right="camera.control", timeout=20)
    async def goto_preset(self, preset: Annotated[str, Field(min_length=1, max_length=64)]) -> None:
        """Turn to a preset, by its name or its token. ``NotFound`` names those that there are."""


@event_type(
    "ptz_locked", "มีผู้ควบคุมกล้อง", "Camera held by somebody",
    projection=Projection(attributes={"ptz_by": "by", "ptz_until": "until"}),
)  # fmt: skip
class PtzLocked(EventData):
    """``by`` moves the camera and holds it until ``until`` (seconds since 1970)."""

    by: str
    until: float


@event_type(
    "camera_tampered", "กล้องถูกบังหรือขยับ", "Camera tampered with", lane=Lane.EMERGENCY, retention="operational",
    projection=Projection(attributes={"tampered": "active", "tampered_by": "what"}),
)  # fmt: skip
class CameraTampered(EventData):
    """The camera was covered, turned or blinded; ``active`` false: it is over. ``what``, where the hub saw it in the
    picture: moved, covered, defocused or dark; "" when the camera itself says so."""

    active: bool
    what: str = ""


@event_type(
    "digital_input_changed", "สัญญาณเข้าของกล้องเปลี่ยน", "Digital input changed", retention="operational",
    projection=Projection(attributes={"input": "input", "input_active": "active"}),
)  # fmt: skip
class DigitalInputChanged(EventData):
    """A contact at the camera's clamp (a door, a panic button) closed or opened. ``input``: the camera's name of it."""

    input: Annotated[str, Field(max_length=64)]
    active: bool
