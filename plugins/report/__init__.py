"""Monthly and evaluation reports, in Thai with English beside the headings, made of committed events."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pydantic import Field

from hub.sdk import Config, Context, PluginSpec, plugin

from .device import Reports

LOOK_S = 30.0


class Settings(Config):
    """Configuration of the reports."""

    station: str = Field("สถานีตำรวจ", max_length=200, description="whose report it is, as it stands on the page")
    simulated: bool = Field(False, description="the station is invented: every page is stamped จำลอง")


async def setup(ctx: Context, config: Settings) -> AsyncIterator[None]:
    """Take up the reports of before, then serve."""
    reports = Reports(ctx, config.station, config.simulated)
    await reports.take_up()
    await ctx.act("report.make", reports.make)
    await ctx.act("report.evaluate", reports.evaluate)
    await ctx.route("GET", "r/*", reports.show, right="document.read")
    await reports.look()
    await ctx.every(LOOK_S, reports.look)
    yield


@plugin
def hub_plugin() -> PluginSpec:
    """Declare the plugin."""
    return PluginSpec(Settings, setup)
