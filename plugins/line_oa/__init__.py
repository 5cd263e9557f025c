"""LINE: messages to groups and people, citizens' messages in, and how much of the month's quota is left."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aiohttp
from pydantic import Field, SecretStr, field_validator

from hub.sdk import Config, Context, Entity, Name, PluginSpec, plugin

from .channel import Channel
from .device import API, DATA_API, LineClient
from .door import Door
from .inbox import Inbox
from .status import Status


class Settings(Config):
    """Configuration of one LINE channel."""

    name: Name = Field(Name(th="LINE ทางการ", en="LINE Official Account"), description="its name on screens")
    base_url: str = Field(API, description="address of the Messaging API; another one only for tests and the demo")
    data_url: str = Field(DATA_API, description="where pictures of citizens are fetched; another one only for tests")
    channel_token: SecretStr = Field(min_length=1, description="channel access token; use !secret")
    channel_secret: SecretStr = Field(min_length=1, description="channel secret that signs webhooks; use !secret")
    answer_within_s: float = Field(8.0, gt=0, le=10, description="seconds LINE has for one answer")
    quota_check_s: float = Field(900.0, ge=10, le=86_400, description="seconds between looks at the quota")
    simulated: bool = Field(False, description="no message leaves the machine: shown as จำลอง")

    @field_validator("base_url", "data_url")
    @classmethod
    def _address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("an address such as https://api.line.me is needed")
        return value

    @field_validator("channel_token")
    @classmethod
    def _token(cls, value: SecretStr) -> SecretStr:
        held = value.get_secret_value()
        if not held.isascii() or not held.isprintable() or " " in held:
            raise ValueError("a token has no spaces, line ends or other letters than ASCII")
        return value


async def setup(ctx: Context, config: Settings) -> AsyncIterator[None]:
    """Serve ``line.push`` and the webhook ``/hook/INSTANCE/webhook``. LINE need not answer for that."""
    entity = Entity(f"line.{ctx.instance}", config.name.text(), simulated=config.simulated)
    async with aiohttp.ClientSession() as session:
        client = LineClient(
            session, config.channel_token.get_secret_value(), base_url=config.base_url,
            data_url=config.data_url, timeout_s=config.answer_within_s,
        )  # fmt: skip
        status = Status(ctx, entity.id)
        channel = Channel(ctx, client, entity.id, status, config.quota_check_s)
        door = Door(ctx, client, channel, config.simulated)
        inbox = Inbox(ctx, entity.id, status, door, config.channel_secret.get_secret_value())
        await ctx.add(entity)
        await status.take_up()
        await inbox.take_up()
        await door.take_up()
        await ctx.act("line.push", channel.push)
        await ctx.route("POST", "webhook", inbox.webhook)
        await ctx.every(1.0, channel.look)
        await ctx.every(0.5, door.work)
        yield


@plugin
def hub_plugin() -> PluginSpec:
    """Declare the plugin."""
    return PluginSpec(Settings, setup)
