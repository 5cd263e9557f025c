"""Officers' phones: positions on duty, tasks, SOS and a dead-man timer, and a TAK server beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator

from hub.capabilities import PhoneKeys
from hub.sdk import Context, Entity, PluginSpec, plugin

from .door import Door
from .keys import Keys
from .phone import PhonePage
from .settings import Settings
from .tak import TakLink
from .unit import Unit

TIMER_CHECK_S = 1.0


async def setup(ctx: Context, config: Settings) -> AsyncIterator[None]:
    """Bring the units in, open their doors, and join the TAK server when there is one."""
    units: dict[str, Unit] = {}
    link = TakLink(ctx, config.tak) if config.tak is not None else None
    for device in config.devices:
        entity = Entity(
            f"unit.{device.id}", device.name.text(), ("unit",), simulated=device.simulated,
            silent_after=config.silent_after_s,
        )  # fmt: skip
        unit = Unit(ctx, entity, device.secret.get_secret_value())
        if link is not None:
            unit.told = link.tell
        await unit.take_up()
        units[device.id] = unit
    keys = Keys(ctx.clock, units)
    await ctx.offer(PhoneKeys, keys)  # type: ignore[type-abstract] # a Protocol is its name here
    await Door(ctx, keys).open()
    await PhonePage(ctx, keys, config.timer_minutes, config.scan_page).open()

    async def check_timers() -> None:
        now = ctx.clock.now()
        for state in await ctx.states("unit"):
            due, unit = state.attributes.get("timer_due"), units.get(state.entity.partition(".")[2])
            if unit is not None and due is not None and due <= now:
                await unit.timer_ended(due)

    await ctx.every(TIMER_CHECK_S, check_timers)
    if link is not None:
        await link.start()
    await ctx.every(30.0, ctx.alive)
    yield
    if link is not None:
        await link.stop()


@plugin
def hub_plugin() -> PluginSpec:
    """Declare the plugin."""
    return PluginSpec(Settings, setup)
