"""Helpers of automations: values that people and rules keep, timers, counters and schedules, as in Home Assistant."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from zoneinfo import ZoneInfo

from hub.sdk import Context, PluginSpec, plugin

from .agenda import AGAIN_S, Agenda
from .counters import Tally
from .helper import Helper
from .inputs import Choice, Note, Number, Switch
from .moments import Moment
from .schedules import Timetable
from .settings import Settings
from .timers import Countdown


def _helpers(ctx: Context, config: Settings, agenda: Agenda) -> Iterator[Helper]:
    zone = ZoneInfo(config.timezone)
    yield from (Switch(ctx, name, own) for name, own in config.input_boolean.items())
    yield from (Number(ctx, name, own) for name, own in config.input_number.items())
    yield from (Choice(ctx, name, own) for name, own in config.input_select.items())
    yield from (Note(ctx, name, own) for name, own in config.input_text.items())
    yield from (Moment(ctx, name, own, zone) for name, own in config.input_datetime.items())
    yield from (Tally(ctx, name, own) for name, own in config.counter.items())
    yield from (Countdown(ctx, name, own, agenda) for name, own in config.timer.items())
    yield from (Timetable(ctx, name, own, zone, agenda) for name, own in config.schedule.items())


async def setup(ctx: Context, config: Settings) -> AsyncIterator[None]:
    """Bring the helpers in with their values of before, and keep their times."""
    agenda = Agenda(ctx.clock)
    for helper in _helpers(ctx, config, agenda):
        await helper.take_up()
    # its own start is told to it when the rules are loaded, at a start of the hub as at one of the plugin alone
    await ctx.on("instance_changed", agenda.begin, match={"state": "running"}, entity=f"plugin.{ctx.instance}")
    await ctx.every(AGAIN_S, agenda.run)
    await ctx.every(30.0, ctx.alive)
    yield


@plugin
def hub_plugin() -> PluginSpec:
    """Declare the plugin."""
    return PluginSpec(Settings, setup)
