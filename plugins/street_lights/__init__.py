"""Street lights over MQTT: found by themselves, on by the sun, brighter when it matters, the owner's hand first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from hub.capabilities import Mqtt
from hub.sdk import Context, HubError, PluginSpec, plugin

from .device import Zone
from .settings import Settings
from .street import Street

TICK_S, LONGEST_WAIT_S = 1.0, 60.0


async def listen(ctx: Context, street: Street) -> None:
    """Until the street hears its lamps: whatever stands in the way is told and tried again."""
    wait = 1.0
    while True:
        try:
            await street.connect(await ctx.need(Mqtt))  # type: ignore[type-abstract] # a Protocol is its name here
            return
        except Exception as failed:
            why = failed.message if isinstance(failed, HubError) else f"{type(failed).__name__}: {failed}"
            ctx.log.warning("the lamps cannot be heard: %s", why, exc_info=not isinstance(failed, HubError))
            with suppress(HubError):
                await ctx.health(False, f"the lamps cannot be heard: {why}; it is tried again")
        await ctx.clock.sleep(wait)
        wait = min(2 * wait, LONGEST_WAIT_S)


async def setup(ctx: Context, config: Settings) -> AsyncIterator[None]:
    """Bring back the lamps that are known, then listen. Neither broker nor lamps need be there."""
    schedule = config.schedule.made() if config.schedule else None
    zone = Zone(
        ctx, config.limits.made(), config.fault_after_s, config.announce_within_s,
        lambda: schedule.now(ctx.clock.now()) if schedule else None, lambda words: None, lost_at=ctx.clock.now(),
    )  # fmt: skip
    street = Street(ctx, config, zone)
    await street.take_up()
    await ctx.act("street_lights.set_limits", street.set_limits)
    await ctx.act("street_lights.forget", street.forget)

    listening = asyncio.create_task(listen(ctx, street), name="listening to lamps")
    try:
        await ctx.every(TICK_S, street.tick)
        yield
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


@plugin
def hub_plugin() -> PluginSpec:
    """Declare the plugin."""
    return PluginSpec(Settings, setup)
