"""Configuration of the demo zone."""

from __future__ import annotations

from pydantic import Field

from hub.sdk import Config


class Settings(Config):
    """Configuration of the demo zone. The ports are those that the other instances of the demo are told."""

    seed: int = Field(7, ge=0, description="draws the plates of the scene: the same seed, the same evening")
    camera_port: int = Field(18554, ge=1, le=65535, description="RTSP port of the rendered street")
    line_port: int = Field(18080, ge=1, le=65535, description="HTTP port of the LINE server")
    drone_port: int = Field(18570, ge=1, le=65535, description="UDP port of the autopilot")
    phones: list[str] = Field(
        ["s211:demo-phone-s211:traccar", "s212:demo-phone-s212:osmand", "s213:demo-phone-s213:owntracks"],
        description="DEVICE:SECRET:FORM of each phone that walks through the zone",
    )
    phones_path: str = Field("/hook/units/position", description="where the phones post")
