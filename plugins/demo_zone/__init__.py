"""The demo zone: devices without hardware, as programs that speak the real protocols to the hub's real doors.

It has no right to emit: what comes from its devices comes in as from any camera, phone or drone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from hub.sdk import Context, NotFound, PluginSpec, Unavailable, plugin

from .evening import Evening
from .peers import Peer, peers
from .plates import watched_plate
from .settings import Settings

ENTRY_DAYS = 1.0
RENEW_S = 7200.0
LOOK_S = 2.0


async def setup(ctx: Context, config: Settings) -> AsyncIterator[None]:
    """Start the programs, put the watched plate on the list, keep both up. What cannot run is said, and the rest runs
    without it."""
    hub = await ctx.address()
    running = [Peer(ctx, program) for program in peers(config, hub)]
    evening = Evening(ctx, hub, config.evening, config.password)
    told = ""

    async def keep_running() -> None:
        nonlocal told
        said = [*await asyncio.gather(*(peer.keep() for peer in running)), evening.wrong]
        wrong = "; ".join(filter(None, said))
        if wrong != told:
            told = wrong
            await ctx.health(not wrong, wrong)

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

    try:
        await keep_running()
        await ctx.every(LOOK_S, keep_listed)
        await ctx.every(LOOK_S, keep_running)
        await ctx.every(LOOK_S, evening.look)
        await ctx.every(30.0, ctx.alive)
        yield
    finally:
        await evening.close()
        await asyncio.gather(*(peer.stop() for peer in running))


@plugin
def hub_plugin() -> PluginSpec:
    """Declare the plugin."""
    return PluginSpec(Settings, setup, setup_limit=60)
