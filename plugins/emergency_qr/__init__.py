"""QR stickers for emergencies: a citizen's page to report and to call by video, and the desk's side of the call."""

from __future__ import annotations

from collections.abc import AsyncIterator

from hub.sdk import Context, InvalidInput, PluginSpec, plugin

from .calls import Calls
from .door import Door
from .flood import Flood
from .photos import Photos
from .recorder import Recorder
from .reports import Reports
from .settings import Settings
from .sheet import Sheet
from .signalling import CallerDoor, DeskDoor
from .stickers import Stickers

DESK = "call.control"
FORGET_S = 3_600.0


async def setup(ctx: Context, config: Settings) -> AsyncIterator[None]:
    """Take up stickers, reports and calls, keep what a crash cut, then open the doors."""
    stickers, calls = Stickers(ctx, config), Calls(ctx, config)
    photos, recorder = Photos(ctx, config.photos_mib_a_day << 20), Recorder(ctx, calls, config)
    reports = Reports(ctx, config, stickers, photos)
    await stickers.take_up()
    await calls.take_up()
    await recorder.take_up()
    await photos.take_up()
    await reports.take_up()
    await reports.forget_old()
    await ctx.act("sticker.put", stickers.put)
    await ctx.act("sticker.replace", stickers.replace)
    await ctx.act("sticker.revoke", stickers.revoke)
    await Sheet(ctx, config, stickers).open()
    await Door(ctx, config, stickers, reports, Flood(ctx.clock, 12, 10)).open()
    try:
        await ctx.socket("call", CallerDoor(calls, stickers, reports, Flood(ctx.clock, 6, 20)).serve)
        await ctx.socket("desk", DeskDoor(calls).serve, right=DESK)
        await ctx.socket("recording", recorder.serve, right=DESK)
    except InvalidInput as refused:  # reports come in all the same
        ctx.log.warning("no video calls: %s", refused.message)
    await ctx.every(1.0, calls.tick)
    await ctx.every(FORGET_S, reports.forget_old)
    await ctx.every(15.0, ctx.alive)
    yield


@plugin
def hub_plugin() -> PluginSpec:
    """Declare the plugin."""
    return PluginSpec(Settings, setup)
