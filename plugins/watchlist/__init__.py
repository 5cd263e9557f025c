"""The plate watch-list: entries with a second approver, hits that a person reviews."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pydantic import Field

from hub.sdk import Config, Context, PluginSpec, plugin

from .entries import EntryBook
from .hits import HitBook
from .lessons import LessonBook
from .matching import Matching


class Settings(Config):
    """Configuration of the watch-list."""

    quiet_s: float = Field(600.0, ge=0, description="the same entry at the same camera is one hit for this long")
    urgent_s: float = Field(7200.0, gt=0, le=7200, description="how long an entry is active without a second approver")
    longest_days: int = Field(180, gt=0, le=366, description="an entry may not be asked for longer than this")
    lowest_confidence: float = Field(0.0, ge=0, le=1, description="reads less sure than this are not compared")
    alarm_at: float = Field(
        0.05, ge=0.001, le=0.9, description="a read that shows a listed plate with at least this probability is a hit"
    )


async def setup(ctx: Context, config: Settings) -> AsyncIterator[None]:
    """Load the list, serve its actions, compare every plate that is read."""
    entries = EntryBook(ctx, config.urgent_s, config.longest_days)
    lessons = LessonBook(ctx)
    matching = Matching(entries.index, entries.words, await lessons.load(), config.alarm_at)
    hits = HitBook(ctx, matching, config.quiet_s, config.lowest_confidence)
    await entries.load()
    await hits.take_up()
    for verb in ("add", "approve", "reject", "remove", "entries"):
        await ctx.act(f"watchlist.{verb}", getattr(entries, verb))
    await ctx.on("plate_read", hits.compare, durable=True)
    await ctx.on("watchlist_reviewed", lessons.learn, durable=True)
    await ctx.every(60, entries.expire)
    await ctx.every(30.0, ctx.alive)
    yield


@plugin
def hub_plugin() -> PluginSpec:
    """Declare the plugin."""
    return PluginSpec(Settings, setup)
