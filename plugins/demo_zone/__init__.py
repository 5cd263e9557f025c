"""The demo zone: devices without hardware, as programs that speak the real protocols to the hub's real doors.

It has no right to emit: what comes from its devices comes in as from any camera, phone or drone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from hub.sdk import Context, NotFound, PluginSpec, Unavailable, plugin

from .peers import Peer, peers
from .plates import watched_plate
from .settings import Settings

ENTRY_DAYS = 1.0
RENEW_S = 7200.0


async def setup(ctx: Context, config: Settings) -> AsyncIterator[None]:
    """Start the programs, put the watched plate on the list, keep both up."""
    running = [Peer(ctx, spec) for spec in peers(config, await ctx.address())]
    begun = await asyncio.gather(*(peer.start() for peer in running), return_exceptions=True)
    if failed := next((fault for fault in begun if isinstance(fault, BaseException)), None):
        await asyncio.gather(*(peer.stop() for peer in running))
        raise failed

    async def keep_listed() -> None:
        # as one officer may: active for two hours without a second approver; so it is asked for again in time
        plate, period = watched_plate(config.seed), int(ctx.clock.now() // RENEW_S)
        params = {
            "plate": plate.series + plate.number, "province": plate.province, "urgent": True, "days": ENTRY_DAYS,
            "reason": "รถในฉากจำลอง / car of the simulated scene", "legal_ground": "จำลอง / simulated",
            "priority": "critical",
        }  # fmt: skip
        with contextlib.suppress(NotFound, Unavailable):  # the list may come later than this; it is asked again
            await ctx.call("watchlist.add", params=params, key=f"demo:{config.seed}:{period}")

    await ctx.every(2.0, keep_listed)
    for peer in running:
        await ctx.every(2.0, peer.look)
    yield
    await asyncio.gather(*(peer.stop() for peer in running))


@plugin
def hub_plugin() -> PluginSpec:
    """Declare the plugin."""
    return PluginSpec(Settings, setup, setup_limit=60)
