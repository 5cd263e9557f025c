"""Cameras by address: each becomes an entity, and its picture goes to the vision process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator

from hub.sdk import Config, Context, Entity, MotionConfig, Name, PluginSpec, Unavailable, Video, VideoSource, plugin

from .device import check_url

LOOK_S = 5.0
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]


class CameraSettings(Config):
    """One camera."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_]{0,60}$", description="becomes camera.ID")
    name: Name = Field(description="what the screens call it")
    url: str = Field(description="rtsp://HOST:PORT/PATH, rtsps:// or an http(s):// picture; without credentials")
    username: str | None = Field(None, description="name to sign in at the camera")
    password: SecretStr | None = Field(None, description="password at the camera; use !secret")
    position: tuple[Latitude, Longitude] | None = Field(None, description="latitude, longitude in degrees")
    area: str | None = Field(None, description="id of the area it stands in")
    owner: str | None = Field(None, description="partner whose camera it is")
    analyse: list[Literal["motion", "plate"]] = Field(["motion"], description="what is looked for")
    fps: float = Field(5.0, ge=0.1, le=25, description="pictures a second that are analysed")
    motion: MotionConfig = Field(MotionConfig(), description="how motion is looked for")
    kind: Literal["stream", "snapshot", "mjpeg"] | None = Field(
        None, description="what the address gives; left out, it is seen from the address"
    )
    every_s: float | None = Field(None, ge=0.05, le=3600, description="seconds between single pictures over HTTP")
    live_url: str | None = Field(None, description="another stream of it for viewers and clips, H.264: rtsp://…")
    record_s: float = Field(20.0, ge=0, le=60, description="seconds of video held in memory for clips; 0 holds none")
    silent_after_s: float = Field(60.0, gt=0, description="seconds without a sign of life that mean a fault")
    simulated: bool = Field(False, description="the picture is made, not seen: shown as จำลอง")

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        return check_url(value)

    @field_validator("live_url")
    @classmethod
    def _live(cls, value: str | None) -> str | None:
        return None if value is None else check_url(value, ("rtsp", "rtsps"))


class Settings(Config):
    """Configuration of the cameras."""

    cameras: list[CameraSettings] = Field(max_length=64, description="the cameras")

    @field_validator("cameras")
    @classmethod
    def _once(cls, value: list[CameraSettings]) -> list[CameraSettings]:
        ids = [camera.id for camera in value]
        if twice := sorted({name for name in ids if ids.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} stands there twice")
        return value


class _Camera:
    """Serves the actions of one camera. The video is opened after the entity is there."""

    def __init__(self) -> None:
        self.video: Video | None = None

    async def snapshot(self) -> str:
        if self.video is None:
            raise Unavailable("the camera is not open yet")
        return await self.video.snapshot()

    async def clip(self, before_s: float, after_s: float, incident: str | None) -> list[str]:
        if self.video is None:
            raise Unavailable("the camera is not open yet")
        return await self.video.clip(before_s, after_s, incident)


async def setup(ctx: Context, config: Settings) -> AsyncIterator[None]:
    """Bring every camera in; one that is off does not hold the others."""
    open_videos: list[Video] = []
    for settings in config.cameras:
        entity, camera = _entity(settings), _Camera()
        await ctx.add(entity, camera)
        camera.video = await ctx.video(entity.id, _source(settings))
        open_videos.append(camera.video)

    async def look() -> None:
        """A camera whose picture runs is alive, and so is what it hangs on."""
        for one in config.cameras:
            seen = await ctx.state(f"camera.{one.id}")
            if seen is not None and seen.attributes.get("video") == "running":
                await ctx.alive(f"camera.{one.id}")

    await ctx.every(LOOK_S, look)
    yield
    for video in open_videos:
        await video.close()


def _entity(settings: CameraSettings) -> Entity:
    capabilities = ("camera", "plate_reader") if "plate" in settings.analyse else ("camera",)
    return Entity(
        f"camera.{settings.id}", settings.name.text(), capabilities, area=settings.area,
        position=settings.position, owner=settings.owner, simulated=settings.simulated,
        silent_after=settings.silent_after_s,
    )  # fmt: skip


def _source(settings: CameraSettings) -> VideoSource:
    password = settings.password.get_secret_value() if settings.password else None
    return VideoSource(
        settings.url, settings.username, password, tuple(settings.analyse), settings.fps, kind=settings.kind or "",
        every_s=settings.every_s, live_url=settings.live_url or "", record_s=settings.record_s,
        settings=settings.motion.as_settings(),
    )  # fmt: skip


@plugin
def hub_plugin() -> PluginSpec:
    """Declare the plugin."""
    return PluginSpec(Settings, setup)
