"""Radio over Mumble: channels as entities, who talks, texts, calls for help, announcements of recorded phrases."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import PurePosixPath

from pydantic import Field, SecretStr, field_validator, model_validator

from hub.capabilities.radio import ANNOUNCE_LIMIT_S
from hub.sdk import Config, Context, Entity, Name, PluginSpec, plugin

from .alarms import Calls, Pattern
from .channel import LOOK_S, Channel, Limits
from .clips import Library, Phrase
from .device import Server

ANEW_S = 5.0
LONGEST_S = ANNOUNCE_LIMIT_S - 20  # the rest: to connect again, to send the text, to hear that it was said


class ChannelSettings(Config):
    """One channel."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_]{0,60}$", description="becomes radio.ID")
    name: Name = Field(description="what the screens call it")
    channel: str = Field("", max_length=200, description="its name on the server; empty: the root channel")


class PhraseSettings(Config):
    """One recorded phrase."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_]{0,59}$", description="what templates and rules call it")
    th: str = Field(min_length=1, max_length=300, description="its words, in Thai: sent as text beside the sound")
    en: str = Field(max_length=300, description="its words, in English")
    file: str = Field("", max_length=200, description="recording in the clips folder (WAV, Opus …); empty: none yet")

    @field_validator("file")
    @classmethod
    def _inside(cls, value: str) -> str:
        path = PurePosixPath(value)
        if path.is_absolute() or ".." in path.parts:
            raise ValueError("it must lie in the clips folder: no leading / and no ..")
        return value


class TemplateSettings(Config):
    """One announcement with blanks."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_]{0,59}$", description="what rules call it")
    phrases: list[str] = Field(min_length=1, max_length=40, description="phrase ids, and blanks such as {unit}")


class AlarmSettings(Config):
    """Words that call for help."""

    kind: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="what the event calls it")
    pattern: str = Field(max_length=300, description="regular expression; the group callsign says who it is")

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as wrong:
            raise ValueError(f"it is no regular expression: {wrong}") from None
        return value


SOS = AlarmSettings(kind="sos", pattern=r"(?i)^\s*(?:SOS|ขอความช่วยเหลือ)\b[\s:]*(?P<callsign>[A-Z]{0,3}\d{1,4})?")


class Settings(Config):
    """Configuration of the radio."""

    host: str = Field(min_length=1, max_length=253, description="the Mumble server")
    port: int = Field(64738, ge=1, le=65_535, description="its port (TCP)")
    username: str = Field("CCOC", min_length=1, max_length=60, description="the hub's name on the radio; with several "
                          "channels each is NAME-CHANNEL")  # fmt: skip
    password: SecretStr | None = Field(None, description="of the server or the user; use !secret")
    certificate_sha256: str = Field("", pattern=r"^$|^([0-9A-Fa-f]{2}:?){32}$", description="pin of the server's "
                                    "certificate (SHA-256 in hex)")  # fmt: skip
    check_certificate: bool = Field(False, description="accept only a certificate of a CA that this machine trusts")
    client_certificate: str = Field("", max_length=500, description="PEM file with certificate and key of the hub")
    channels: list[ChannelSettings] = Field(min_length=1, max_length=20, description="the channels the hub is in")
    clips_folder: str = Field("", max_length=500, description="where the recordings lie; relative to where the hub "
                              "was started")  # fmt: skip
    phrases: list[PhraseSettings] = Field([], max_length=500, description="recorded phrases; use !include clips.yaml")
    templates: list[TemplateSettings] = Field([], max_length=100, description="announcements made of them")
    demo_tones: bool = Field(False, description="demo: tones stand for phrases that are not recorded (not speech)")
    gap_ms: int = Field(80, ge=0, le=1_000, description="silence between two phrases")
    alarms: list[AlarmSettings] = Field([SOS], max_length=20, description="texts that call for help")
    alarm_quiet_s: float = Field(30.0, ge=0, le=3_600, description="the same call again within so many seconds is one")
    talk_gap_s: float = Field(0.6, ge=0.2, le=10, description="silence that ends a talk")
    longest_talk_s: float = Field(120.0, ge=5, le=3_600, description="a longer one is told as a stuck button")
    quiet_wait_s: float = Field(10.0, ge=0, le=60, description="how long an announcement waits for a talk to end")
    longest_announcement_s: float = Field(60.0, ge=1, le=90, description="what is longer is cut")
    waiting: int = Field(20, ge=1, le=200, description="announcements that may wait in one channel")
    patience_s: float = Field(50.0, ge=1, le=50, description="how long an announcement waits for its turn")
    ping_s: float = Field(10.0, ge=0.2, le=60, description="how often the server is asked for a sign of life")
    silent_s: float = Field(30.0, ge=1, le=300, description="silence after which the connection is made anew")
    simulated: bool = Field(False, description="shown as จำลอง")

    @model_validator(mode="after")
    def _agrees(self) -> Settings:
        for what in ("channels", "phrases", "templates"):
            ids = [one.id for one in getattr(self, what)]
            if twice := sorted({one for one in ids if ids.count(one) > 1}):
                raise ValueError(f"{what}: {', '.join(twice)} stands there twice")
        if not (self.certificate_sha256 or self.check_certificate or _loopback(self.host)):
            raise ValueError("off this machine give certificate_sha256 (a pin) or check_certificate: true")
        if self.silent_s < 2 * self.ping_s:
            raise ValueError("silent_s must be at least twice ping_s")
        if self.patience_s + self.quiet_wait_s + self.longest_announcement_s > LONGEST_S:
            raise ValueError(f"patience_s, quiet_wait_s and longest_announcement_s together exceed {LONGEST_S:g} s")
        return self


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _server(config: Settings, channel: ChannelSettings) -> Server:
    name = config.username if len(config.channels) == 1 else f"{config.username}-{channel.id}"
    password = config.password.get_secret_value() if config.password else ""
    return Server(
        config.host, config.port, name, password, channel.channel, config.certificate_sha256, config.check_certificate,
        config.client_certificate, config.ping_s, config.silent_s,
    )  # fmt: skip


async def _kept(ctx: Context, work: Callable[[], Awaitable[None]]) -> None:
    """Go on with ``work`` until cancelled; what goes wrong in it is said, and it begins anew."""
    while True:
        try:
            await work()
        except Exception as wrong:  # a channel that is quietly dead is the worst of all
            ctx.log.exception("the radio's work begins anew")
            await ctx.health(False, f"{type(wrong).__name__}: {wrong}"[:300])
        await asyncio.sleep(ANEW_S)


async def setup(ctx: Context, config: Settings) -> AsyncIterator[None]:
    """Bring the channels in and keep their connections. The server need not be there yet."""
    library = Library(
        config.clips_folder, [Phrase(one.id, one.th, one.en, one.file) for one in config.phrases], config.gap_ms,
        config.demo_tones,
    )  # fmt: skip
    templates = {one.id: one.phrases for one in config.templates}
    calls = Calls([Pattern(one.kind, re.compile(one.pattern)) for one in config.alarms], config.alarm_quiet_s)
    limits = Limits(
        talk_gap=config.talk_gap_s, longest_talk=config.longest_talk_s, quiet_wait=config.quiet_wait_s,
        longest_announcement=config.longest_announcement_s, patience=config.patience_s, waiting=config.waiting,
    )  # fmt: skip
    channels: list[Channel] = []

    async def tell() -> None:
        wrong = [f"{one.entity}: {why}" for one in channels if (why := one.trouble())]
        await ctx.health(not wrong, "; ".join(wrong))

    for wanted in config.channels:
        entity = Entity(f"radio.{wanted.id}", wanted.name.text(), ("radio",), simulated=config.simulated)
        channel = Channel(
            ctx, entity.id, _server(config, wanted), library, templates, calls, limits, simulated=config.simulated,
            tell=tell,
        )  # fmt: skip
        channels.append(channel)
        await ctx.add(entity, channel)
    tasks = [asyncio.create_task(_kept(ctx, work), name=f"radio {one.entity}")
             for one in channels for work in (one.run, one.report)]  # fmt: skip
    for one in channels:
        await ctx.every(LOOK_S, one.look)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)


@plugin
def hub_plugin() -> PluginSpec:
    """Declare the plugin."""
    return PluginSpec(Settings, setup)
