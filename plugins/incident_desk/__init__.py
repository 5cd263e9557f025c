"""The control centre's desk: incidents with their timelines, the nearest unit, and alarms."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pydantic import Field

from hub.sdk import Config, Context, PluginSpec, plugin

from .alarms import AlarmBook
from .incidents import IncidentBook


class Settings(Config):
    """Configuration of the desk."""

    position_max_age_s: float = Field(300.0, gt=0, description="units with an older position are not offered")
    simulated: bool = Field(False, description="the station is invented: every incident and alarm says จำลอง")
    shelf_check_s: float = Field(5.0, gt=0, le=60, description="seconds between looks at shelved alarms")


async def setup(ctx: Context, config: Settings) -> AsyncIterator[None]:
    """Take up the open incidents and alarms, then serve."""
    alarms = AlarmBook(ctx, config.simulated)
    incidents = IncidentBook(ctx, alarms, config.position_max_age_s)
    await alarms.take_up()
    await incidents.take_up()
    await ctx.act("incident.open", incidents.open)
    await ctx.act("incident.call_note", incidents.call_note)
    await ctx.act("alarm.raise", alarms.raise_alarm)
    await incidents.follow()
    await ctx.every(config.shelf_check_s, alarms.return_from_shelf)
    await ctx.every(30.0, ctx.alive)
    yield


@plugin
def hub_plugin() -> PluginSpec:
    """Declare the plugin."""
    return PluginSpec(Settings, setup)
