"""Police I Lert U: its reports in, by signed webhook, file or form, and their status back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aiohttp
from pydantic import Field, SecretStr, field_validator

from hub.sdk import Config, Context, Entity, Name, PluginSpec, plugin

from .door import Door

WITHIN_S = 10.0


class Settings(Config):
    """Configuration of the door."""

    name: Name = Field(Name(th="Police I Lert U", en="Police I Lert U"), description="its name on screens")
    secret: SecretStr = Field(min_length=16, description="shared secret that signs both ways; use !secret")
    status_url: str = Field("", description="where the status of reports is sent; empty: nowhere")
    simulated: bool = Field(False, description="shown as จำลอง")

    @field_validator("status_url")
    @classmethod
    def _address(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError("an address such as https://ilertu.example/status is needed")
        return value


async def setup(ctx: Context, config: Settings) -> AsyncIterator[None]:
    """Open the door."""
    entity = f"ilertu.{ctx.instance}"
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=WITHIN_S)) as session:
        await ctx.add(Entity(entity, config.name.text(), simulated=config.simulated))
        secret = config.secret.get_secret_value()
        door = Door(ctx, entity, secret, config.status_url, session, config.simulated)
        await door.take_up()
        await ctx.act("ilertu.enter", door.enter)
        await ctx.act("ilertu.import_file", door.import_file)
        await ctx.route("POST", "report", door.webhook)
        await ctx.every(0.5, door.work)
        await ctx.every(30.0, ctx.alive)
        yield


@plugin
def hub_plugin() -> PluginSpec:
    """Declare the plugin."""
    return PluginSpec(Settings, setup)
