"""Configuration of the units."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, field_validator, model_validator

from hub.sdk import Config, Name


class DeviceSettings(Config):
    """One phone."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_]{0,60}$", description="the device's id; becomes unit.ID")
    name: Name = Field(description="what the screens call it")
    secret: SecretStr = Field(min_length=8, max_length=128, description="secret of this device alone; use !secret")
    simulated: bool = Field(False, description="shown as จำลอง")


class TakTls(Config):
    """TLS to the TAK server."""

    ca_file: Path | None = Field(None, description="PEM file of the authority that signed the server's certificate")
    cert_file: Path | None = Field(None, description="PEM file of our own certificate, where the server asks for one")
    key_file: Path | None = Field(None, description="PEM file of its key")
    server_name: str = Field("", description="name in the server's certificate, when it is not the host")

    @model_validator(mode="after")
    def _pair(self) -> TakTls:
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file belong together")
        return self


class TakSettings(Config):
    """A TAK server."""

    host: str = Field(min_length=1, max_length=253, description="its address")
    port: int = Field(8087, ge=1, le=65535, description="its CoT port: 8087 plain, 8089 with TLS as a rule")
    tls: TakTls | None = Field(None, description="TLS; without it the network must be one that nobody else hears")
    prefix: str = Field("HUB", pattern=r"^[A-Za-z0-9]{1,20}$", description="our uids begin with it")
    callsign: str = Field("HUB", min_length=1, max_length=40, description="what the TAK server calls this hub")
    stale_s: float = Field(120.0, ge=10, le=3600, description="seconds for which a position we send is valid")
    rest_within_s: float = Field(15.0, gt=0, le=120, description="seconds in which the rest of an event must come")
    max_tracks: int = Field(100, ge=0, le=500, description="foreign tracks shown at once; 0 shows none")
    simulated: bool = Field(False, description="its tracks are shown as จำลอง")


class Settings(Config):
    """Configuration of the units."""

    devices: list[DeviceSettings] = Field(max_length=200, description="the phones that may post")
    silent_after_s: float = Field(180.0, gt=0, description="seconds without a position that mean a fault")
    timer_minutes: list[int] = Field(
        [15, 30, 60], min_length=1, max_length=6, description="minutes offered for the dead-man timer"
    )
    scan_page: str = Field(
        "/hook/red_box/scan", pattern=r"^(/[\w./-]*)?$", max_length=200,
        description="where the phone page's scan button leads; empty shows none",
    )  # fmt: skip
    tak: TakSettings | None = Field(None, description="a TAK server to share positions with")

    @field_validator("devices")
    @classmethod
    def _once(cls, value: list[DeviceSettings]) -> list[DeviceSettings]:
        ids = [device.id for device in value]
        if twice := sorted({name for name in ids if ids.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} stands there twice")
        return value

    @field_validator("timer_minutes")
    @classmethod
    def _minutes(cls, value: list[int]) -> list[int]:
        if wrong := [minutes for minutes in value if not 1 <= minutes <= 480]:
            raise ValueError(f"{wrong[0]} is not 1 to 480 minutes")
        return value
