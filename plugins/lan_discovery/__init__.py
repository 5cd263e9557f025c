"""What is on the local network: the hub says that it is there, and lists who else is. It adds nothing by itself."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import suppress
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from zeroconf import Error as ZeroconfError

from hub.sdk import Config, Context, Entity, LimitExceeded, Name, PluginSpec, StateChanged, Text, plugin

from .device import Found, Network, default_interface

AGAIN_S = 30.0
OWN_TYPE = "_safezone-hub._tcp.local."
VERSION = "1"
USUAL = ["_rtsp._tcp", "_axis-video._tcp", "_mqtt._tcp", "_http._tcp", "_mumble._tcp", "_safezone-hub._tcp"]


def _type(value: str) -> str:
    if not re.fullmatch(r"_[a-z0-9](?:[a-z0-9-]{0,13}[a-z0-9])?\._(?:tcp|udp)", value):
        raise ValueError("a service type such as _rtsp._tcp is needed (RFC 6763, section 7)")
    return value


def _address(value: str) -> str:
    try:
        return str(ip_address(value))
    except ValueError:
        raise ValueError("an address such as 192.168.1.20 is needed") from None


class HostSettings(Config):
    """Something that is there and does not announce itself."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_]{0,60}$", description="becomes found.ID")
    name: Name = Field(description="what the screens call it")
    service: Annotated[str, AfterValidator(_type)] = Field(description="what it offers, as _rtsp._tcp")
    address: Annotated[str, AfterValidator(_address)] = Field(description="its address")
    port: int = Field(ge=1, le=65535, description="its port")


class Settings(Config):
    """Configuration of the discovery."""

    name: str = Field("Safe Zone hub", min_length=1, max_length=60, description="under which the hub announces itself")
    types: list[Annotated[str, AfterValidator(_type)]] = Field(
        USUAL, max_length=30, description="service types to look for; an empty list: only announce"
    )
    interface: Annotated[str, AfterValidator(_address)] | None = Field(
        None, description="address of the interface to use; else the one that leads outside"
    )
    hosts: list[HostSettings] = Field([], max_length=200, description="what is there and does not announce itself")
    most: int = Field(200, ge=1, le=2000, description="services that are shown at most")


class _Board:
    """What is shown of the network."""

    def __init__(self, ctx: Context, config: Settings) -> None:
        self._ctx, self._config = ctx, config
        self._network: Network | None = None
        self._shown: dict[str, Found] = {}
        self._entity = f"discovery.{ctx.instance}"
        self._hidden = 0
        self._said: tuple[str, dict[str, Any]] | None = None

    async def show(self, reason: str = "") -> None:
        """The whole on one line."""
        attributes = {"found": len(self._shown), "hidden": self._hidden, "reason": reason}
        state = "announcing" if self._network is not None else "alone"
        if self._said != (state, attributes):
            self._said = (state, attributes)
            await self._ctx.emit(StateChanged(state=state, attributes=attributes), entity=self._entity)

    async def take_up(self) -> None:
        await self._ctx.add(Entity(self._entity, Text("เครือข่ายของสถานี", "The station's network")))
        for host in self._config.hosts:
            entity = Entity(f"found.{host.id}", host.name.text())
            await self._ctx.add(entity)
            attributes = {
                "service": host.service, "address": host.address, "port": host.port, "origin": "configuration",
                "seen_at": None, "properties": {},
            }  # fmt: skip
            await self._ctx.emit(StateChanged(state="configured", attributes=attributes), entity=entity.id)

    async def keep(self) -> None:
        """Join the network when that is not so yet; what prevents it is told, and nothing else stops."""
        if self._network is not None:
            return
        network: Network | None = None
        try:
            interface = self._config.interface or default_interface()
            types = [f"{one}.local." for one in self._config.types]
            network = Network(interface, types, self.told, f"safezone-hub-{self._ctx.ids.new()[-8:]}")
            parts = urlsplit(await self._ctx.address())
            properties = {"version": VERSION, "path": "/", "scheme": parts.scheme or "http"}
            await network.start(self._config.name, OWN_TYPE, parts.port or 443, properties)
        except (OSError, ZeroconfError) as wrong:
            if network is not None:
                await network.stop()
            words = f"the network cannot be joined ({wrong}); it is tried again every {AGAIN_S:g} s"
            await self._ctx.health(False, words)
            await self.show(words)
            return
        self._network = network
        await self._ctx.health(True)
        await self.show()

    async def told(self, key: str, found: Found | None) -> None:
        """A service came, changed or went. A busy hub hears of it with its next announcement."""
        with suppress(LimitExceeded):
            if found is None:
                await self._went(key)
            else:
                await self._came(found)

    async def _came(self, found: Found) -> None:
        before = self._shown.get(found.key)
        if before is None and len(self._shown) >= self._config.most:
            self._hidden += 1
            await self.show(f"over {self._config.most} services: the rest is not shown")
            return
        entity = Entity(f"found.{found.object}", Text(found.name, found.name))
        if before is None:
            self._shown[found.key] = found
            await self._ctx.add(entity)
        await self._ctx.emit(StateChanged(state="there", attributes=self._told_of(found)), entity=entity.id)
        self._shown[found.key] = found
        if before is None:
            await self.show()

    def _told_of(self, found: Found) -> dict[str, Any]:
        return {
            "service": found.service.removesuffix(".local."), "address": found.address, "port": found.port,
            "origin": "network", "properties": dict(found.properties), "seen_at": self._ctx.clock.now(),
        }  # fmt: skip

    async def _went(self, key: str) -> None:
        if (found := self._shown.pop(key, None)) is not None:
            await self._ctx.remove(f"found.{found.object}")
            await self.show()

    async def stop(self) -> None:
        if self._network is not None:
            await self._network.stop()


async def setup(ctx: Context, config: Settings) -> AsyncIterator[None]:
    """Show what is configured, then join the network if it is there."""
    board = _Board(ctx, config)
    await board.take_up()
    await board.keep()
    await ctx.every(AGAIN_S, board.keep)
    await ctx.every(30.0, ctx.alive)
    try:
        yield
    finally:
        await board.stop()


@plugin
def hub_plugin() -> PluginSpec:
    """Declare the plugin."""
    return PluginSpec(Settings, setup)
