"""Configuration of the red boxes."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator

from hub.sdk import Config, Name

from .windows import BadWindow, parse

ID = r"^[a-z0-9][a-z0-9_]{0,30}$"


def checked_windows(value: list[str]) -> list[str]:
    """As they are; ``ValueError`` names the first that is wrong."""
    for text in value:
        try:
            parse(text)
        except BadWindow as wrong:
            raise ValueError(str(wrong)) from None
    return value


class BoxSettings(Config):
    """A box that is there from the beginning; from then on the form changes it."""

    id: str = Field(pattern=ID, description="becomes checkpoint.ID")
    name: Name = Field(description="what the screens call it")
    position: tuple[float, float] = Field(description="latitude, longitude in degrees (WGS 84)")
    radius_m: float = Field(40.0, ge=5, le=1000, description="how far away a scan may be")
    windows: list[str] = Field([], max_length=10, description="its own windows instead of those of all")
    secret: str | None = Field(
        None, pattern=r"^[0-9A-HJKMNP-TV-Z]{8}$",
        description="second part of its code, where the QR is printed already; empty: the hub makes one up",
    )  # fmt: skip
    simulated: bool = Field(False, description="shown as จำลอง")

    @field_validator("windows")
    @classmethod
    def _windows(cls, value: list[str]) -> list[str]:
        return checked_windows(value)


class Settings(Config):
    """Configuration of the red boxes."""

    boxes: list[BoxSettings] = Field([], max_length=500, description="boxes to begin with")
    windows: list[str] = Field(
        ["22:00-06:00/120"], max_length=10, description="when boxes are to be visited: `[days] from-to/minutes`"
    )
    timezone: str = Field("Asia/Bangkok", description="IANA time zone of the windows")
    grace_min: float = Field(
        10.0, ge=0, le=240, description="minutes after a window before it counts as missed: phones may be offline"
    )
    clock_off_s: float = Field(120.0, ge=10, le=3600, description="seconds by which a phone's clock may be off")
    max_accuracy_m: float = Field(100.0, ge=5, le=5000, description="positions less sure than this are doubted")
    max_speed_kmh: float = Field(120.0, ge=10, le=400, description="faster from box to box than this is doubted")
    public_url: str = Field(
        "", pattern=r"^(https?://[^\s/]+)?$", max_length=200,
        description="address that the QR leads to, where it is not the hub's own (a reverse proxy)",
    )  # fmt: skip

    @field_validator("windows")
    @classmethod
    def _windows(cls, value: list[str]) -> list[str]:
        return checked_windows(value)

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"there is no time zone {value!r}") from None
        return value

    @field_validator("boxes")
    @classmethod
    def _once(cls, value: list[BoxSettings]) -> list[BoxSettings]:
        ids = [box.id for box in value]
        if twice := sorted({name for name in ids if ids.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} stands there twice")
        return value
