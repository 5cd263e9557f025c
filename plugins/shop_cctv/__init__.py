"""Private cameras of shops and hotels. What they show is seen by their owner alone, until the owner shares it: the
hub enforces that, this plugin only says whose they are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from hub.sdk import (
    Config,
    Context,
    Entity,
    HubError,
    MotionConfig,
    Name,
    PluginSpec,
    StateChanged,
    Unavailable,
    Video,
    VideoSource,
    plugin,
)

from .device import HTTP, RTSP, check_url, knock

Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]


class CameraSettings(Config):
    """One camera."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_]{0,60}$", description="becomes camera.ID")
    name: Name = Field(description="what the screens call it")
    kind: Literal["snapshot", "mjpeg", "stream"] = Field(
        "snapshot", description="snapshot: single pictures over HTTP; mjpeg: a row of them; stream: RTSP"
    )
    url: str = Field(description="http://HOST/PICTURE or rtsp://HOST/STREAM, without credentials")
    username: str | None = Field(None, max_length=64, description="name to sign in at the camera (Digest or Basic)")
    password: SecretStr | None = Field(None, description="password at the camera; use !secret")
    every_s: float = Field(1.0, ge=0.2, le=60, description="seconds between single pictures")
    position: tuple[Latitude, Longitude] | None = Field(None, description="latitude, longitude in degrees")
    area: str | None = Field(None, description="id of the area it stands in")
    analyse: list[Literal["motion", "plate"]] = Field([], description="what is looked for, if the owner agrees")
    motion: MotionConfig = Field(MotionConfig(), description="how motion is looked for")
    record_s: float = Field(0.0, ge=0, le=60, description="seconds of video held in memory for clips; 0 holds none")
    silent_after_s: float = Field(120.0, gt=0, description="seconds without a sign of life that mean a fault")
    simulated: bool = Field(False, description="the picture is made, not seen: shown as จำลอง")

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        return check_url(value)

    @model_validator(mode="after")
    def _fits(self) -> CameraSettings:
        wanted = RTSP if self.kind == "stream" else HTTP
        if self.url.partition(":")[0] not in wanted:
            raise ValueError(f"kind {self.kind} needs an address with {' or '.join(f'{one}://' for one in wanted)}")
        return self


class Settings(Config):
    """Configuration of one owner's cameras; each owner is an instance of their own."""

    owner: str = Field(pattern=r"^[a-z0-9][a-z0-9_]{0,60}$", description="whose they are, as in the owner's account")
    private: bool = Field(True, description="only the owner sees them, and whoever the owner shares them with")
    cameras: list[CameraSettings] = Field(min_length=1, max_length=32, description="the cameras")

    @field_validator("cameras")
    @classmethod
    def _once(cls, value: list[CameraSettings]) -> list[CameraSettings]:
        ids = [camera.id for camera in value]
        if twice := sorted({name for name in ids if ids.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} stands there twice")
        return value


class ShopCamera:
    """Serves the actions of one camera and knocks at it now and then."""

    def __init__(self, ctx: Context, entity: Entity, url: str) -> None:
        self._ctx, self._entity, self._url = ctx, entity, url
        self._shown: tuple[str, str] | None = None
        self.video: Video | None = None

    async def snapshot(self) -> str:
        return await self._open().snapshot()

    async def clip(self, before_s: float, after_s: float, incident: str | None) -> list[str]:
        return await self._open().clip(before_s, after_s, incident)

    def _open(self) -> Video:
        if self.video is None:
            raise Unavailable("the camera is not open yet", where=self._entity.id)
        return self.video

    async def look(self) -> None:
        """Is it there? An answer is a sign of life; what is wrong stands in its state, once."""
        try:
            await knock(self._url)
            shown = ("connected", "")
            await self._ctx.alive(self._entity.id)
        except HubError as refused:
            shown = ("away", str(refused)[:300])
        if shown != self._shown:
            self._shown = shown
            told = {"device": shown[0], "device_problem": shown[1]}
            await self._ctx.emit(StateChanged(attributes=told), entity=self._entity.id)


async def setup(ctx: Context, config: Settings) -> AsyncIterator[None]:
    """Bring every camera in; one that is off does not hold the others."""
    opened: list[Video] = []
    for one in config.cameras:
        entity = _entity(one, config)
        camera = ShopCamera(ctx, entity, one.url)
        await ctx.add(entity, camera)
        camera.video = await ctx.video(entity.id, _source(one))
        opened.append(camera.video)
        await camera.look()
        await ctx.every(one.silent_after_s / 3, camera.look)
    yield
    for video in opened:
        await video.close()


def _entity(one: CameraSettings, config: Settings) -> Entity:
    capabilities = ("camera", "plate_reader") if "plate" in one.analyse else ("camera",)
    return Entity(
        f"camera.{one.id}", one.name.text(), capabilities, area=one.area, position=one.position, owner=config.owner,
        simulated=one.simulated, silent_after=one.silent_after_s, attributes={"private": config.private},
    )  # fmt: skip


def _source(one: CameraSettings) -> VideoSource:
    password = one.password.get_secret_value() if one.password else None
    still = one.kind == "snapshot"
    return VideoSource(
        one.url, one.username, password, tuple(one.analyse), kind=one.kind, record_s=one.record_s,
        every_s=one.every_s if still else None, settings=one.motion.as_settings(),
    )  # fmt: skip


@plugin
def hub_plugin() -> PluginSpec:
    """Declare the plugin."""
    return PluginSpec(Settings, setup)
