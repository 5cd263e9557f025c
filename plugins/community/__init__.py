"""The community's book: partners, meetings, promises with owner and date, and risk spots with before and after."""

from __future__ import annotations

from collections.abc import AsyncIterator

from hub.sdk import Context, PluginSpec, plugin

from .device import Meetings, Partners, Promises
from .settings import Settings
from .spots import Spots


async def setup(ctx: Context, config: Settings) -> AsyncIterator[None]:
    """Take up what was there, then serve the actions."""
    partners = Partners(ctx, config.partners, config.simulated)
    meetings = Meetings(ctx, partners, config.simulated)
    promises = Promises(ctx, partners, meetings, config.simulated)
    spots = Spots(ctx, config.simulated)
    await partners.take_up()
    for book in (meetings.book, promises.book, spots.book):
        await book.take_up()
    for keeper, verbs in (
        (partners, ("update_partner",)), (meetings, ("note_meeting",)), (spots, ("report_spot",)),
        (promises, ("make_promise",)),
    ):  # fmt: skip
        for verb in verbs:
            await ctx.act(f"community.{verb}", getattr(keeper, verb))
    await ctx.every(config.check_s, promises.look)
    yield


@plugin
def hub_plugin() -> PluginSpec:
    """Declare the plugin."""
    return PluginSpec(Settings, setup)
