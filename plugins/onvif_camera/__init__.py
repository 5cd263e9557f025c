"""Cameras that speak ONVIF: found, watched, turned, and heard."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from hub.sdk import Config, Context, Entity, MotionConfig, Name, PluginSpec, plugin

from .camera import OnvifCamera
from .device import Device
from .discover import GROUP, PORT, discover

Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]


class CameraSettings(Config):
    """One camera."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_]{0,60}$", description="becomes camera.ID")
    name: Name = Field(description="what the screens call it")
    host: str = Field(pattern=r"^[A-Za-z0-9.:_-]{1,253}$", description="address or name of the camera")
    port: int = Field(80, ge=1, le=65535, description="port of its ONVIF service; all its services are asked there")
    username: str | None = Field(None, max_length=64, description="name of an ONVIF user at the camera")
    password: SecretStr | None = Field(None, description="password of that user; use !secret")
    position: tuple[Latitude, Longitude] | None = Field(None, description="latitude, longitude in degrees")
    area: str | None = Field(None, description="id of the area it stands in")
    owner: str | None = Field(None, description="partner whose camera it is")
    private: bool = Field(False, description="only its owner sees it, and whoever the owner shares it with")
    ptz: bool = Field(False, description="it can be turned: offers move, stop and presets")
    ptz_hold_s: float = Field(15.0, ge=0, le=300, description="seconds that it belongs to whoever moved it last")
    events: bool = Field(True, description="hear its motion, tampering and digital inputs")
    events_silent_s: float = Field(600.0, ge=1, description="seconds without an event before it is subscribed to again")
    analyse: list[Literal["motion", "plate"]] = Field([], description="what the hub looks for in its picture")
    fps: float = Field(5.0, ge=0.1, le=25, description="pictures a second that are analysed")
    motion: MotionConfig = Field(MotionConfig(), description="how motion is looked for")
    record_s: float = Field(20.0, ge=0, le=60, description="seconds of video held in memory for clips; 0 holds none")
    silent_after_s: float = Field(120.0, gt=0, description="seconds without a sign of life that mean a fault")
    simulated: bool = Field(False, description="the picture is made, not seen: shown as จำลอง")

    @model_validator(mode="after")
    def _owned(self) -> CameraSettings:
        if self.private and not self.owner:
            raise ValueError("a private camera needs an owner")
        return self


class Settings(Config):
    """Configuration of the cameras."""

    cameras: list[CameraSettings] = Field([], max_length=32, description="the cameras")
    discovery_address: str = Field(GROUP, description="where the question for cameras goes (multicast group)")
    discovery_port: int = Field(PORT, ge=1, le=65535, description="port of that question")

    @field_validator("cameras")
    @classmethod
    def _once(cls, value: list[CameraSettings]) -> list[CameraSettings]:
        ids = [camera.id for camera in value]
        if twice := sorted({name for name in ids if ids.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} stands there twice")
        return value


async def setup(ctx: Context, config: Settings) -> AsyncIterator[None]:
    """Bring every camera in; contact is made afterwards, so that one that is off holds nobody."""

    async def look_around(seconds: Annotated[float, Field(ge=0.2, le=10)] = 3.0) -> dict[str, Any]:
        found = await discover(seconds, config.discovery_address, config.discovery_port)
        await ctx.alive()
        return found

    await ctx.act("onvif.discover", look_around)
    cameras = []
    for one in config.cameras:
        entity = _entity(one)
        camera = OnvifCamera(
            ctx, _device(one), entity, _source(one), events=one.events, events_silent_s=one.events_silent_s,
            hold_s=one.ptz_hold_s,
        )  # fmt: skip
        await ctx.add(entity, camera)
        await ctx.every(0.05, camera.turn)
        cameras.append(camera)
    if not cameras:
        await ctx.every(60, ctx.alive)  # nothing outside to hear from
    yield
    for camera in cameras:
        await camera.close()


def _entity(one: CameraSettings) -> Entity:
    capabilities = ("camera", *(("plate_reader",) if "plate" in one.analyse else ()), *(("ptz",) if one.ptz else ()))
    return Entity(
        f"camera.{one.id}", one.name.text(), capabilities, area=one.area, position=one.position, owner=one.owner,
        simulated=one.simulated, silent_after=one.silent_after_s, attributes={"private": one.private},
    )  # fmt: skip


def _device(one: CameraSettings) -> Device:
    return Device(one.host, one.port, one.username, _password(one))


def _password(one: CameraSettings) -> str | None:
    return one.password.get_secret_value() if one.password else None


def _source(one: CameraSettings) -> dict[str, Any]:
    return {
        "username": one.username, "password": _password(one), "analyse": tuple(one.analyse), "fps": one.fps,
        "record_s": one.record_s, "settings": one.motion.as_settings(),
    }  # fmt: skip


@plugin
def hub_plugin() -> PluginSpec:
    """Declare the plugin."""
    return PluginSpec(Settings, setup)
