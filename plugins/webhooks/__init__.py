"""Webhooks: requests of other systems as events, for automations with ``trigger: webhook``."""

from __future__ import annotations

from collections.abc import AsyncIterator

from hub.sdk import Context, PluginSpec, plugin

from .door import Door
from .settings import Settings


async def setup(ctx: Context, config: Settings) -> AsyncIterator[None]:
    """Open the door."""
    door = Door(ctx, config)
    await door.open()
    await ctx.every(0.5, door.look)
    await ctx.every(30.0, ctx.alive)
    yield


@plugin
def hub_plugin() -> PluginSpec:
    """Declare the plugin."""
    return PluginSpec(Settings, setup)
