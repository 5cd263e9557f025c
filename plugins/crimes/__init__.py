"""CRIMES: looking people, vehicles and cases up for an open incident. Neither question nor answer is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aiohttp
from pydantic import Field, SecretStr, field_validator

from hub.sdk import Config, Context, Entity, Name, PluginSpec, plugin

from .desk import Desk
from .device import Register


class Settings(Config):
    """Configuration of the register."""

    name: Name = Field(Name(th="CRIMES", en="CRIMES"), description="its name on screens")
    url: str = Field("", description="address of the station's gateway; empty: officers look by hand")
    token: SecretStr = Field(SecretStr(""), description="bearer token of the gateway; use !secret")
    answer_within_s: float = Field(10.0, gt=0, le=25, description="seconds it has for one answer")
    per_hour: int = Field(20, ge=1, le=500, description="look-ups of one officer within an hour")
    check_s: float = Field(30.0, ge=1, le=3_600, description="seconds between looks whether it is there")
    simulated: bool = Field(False, description="shown as จำลอง")

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        parts = urlsplit(value)
        local = parts.hostname in ("127.0.0.1", "::1", "localhost")
        if value and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError("an address such as https://gateway.station.example/crimes is needed")
        if value and parts.scheme == "http" and not local:
            raise ValueError("people's data goes over https:// only")
        return value


async def setup(ctx: Context, config: Settings) -> AsyncIterator[None]:
    """Serve the look-ups; the register need not answer for that."""
    entity = f"register.{ctx.instance}"
    mode = "gateway" if config.url else "by hand"
    async with aiohttp.ClientSession() as session:
        register = None
        if config.url:
            register = Register(session, config.url, config.token.get_secret_value(), config.answer_within_s)
        await ctx.add(Entity(entity, config.name.text(), simulated=config.simulated, attributes={"mode": mode}))
        desk = Desk(ctx, entity, register, config.per_hour)
        await desk.take_up()
        await ctx.act("crimes.look_up", desk.look_up)
        await ctx.act("crimes.enter_result", desk.enter_result)
        await desk.look()
        await ctx.every(config.check_s, desk.look)
        yield


@plugin
def hub_plugin() -> PluginSpec:
    """Declare the plugin."""
    return PluginSpec(Settings, setup)
