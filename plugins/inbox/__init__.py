"""The inbox: every door for reports in one list, with receipts, answers and what became of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from pydantic import Field

from hub.capabilities import Priority, ReportReceived
from hub.sdk import Config, Context, PluginSpec, current_call, plugin, receipt_of

from .book import Book
from .near import Near

TIDY_S = 3_600.0


class Settings(Config):
    """Configuration of the inbox."""

    repeated_count: int = Field(3, ge=2, le=50, description="so many reports from one place are a repetition")
    repeated_metres: float = Field(100.0, gt=0, le=5_000, description="how far apart they may be, metres")
    repeated_minutes: float = Field(30.0, gt=0, le=1_440, description="within so many minutes")
    keep_closed_days: float = Field(7.0, ge=0, le=365, description="days that a closed report stays in the list")
    simulated: bool = Field(False, description="the station is invented: what is typed in says จำลอง")


async def setup(ctx: Context, config: Settings) -> AsyncIterator[None]:
    """Take up the reports and serve them."""
    near = Near(config.repeated_count, config.repeated_metres, config.repeated_minutes)
    book = Book(ctx, near, config.keep_closed_days)

    async def note(
        text: Annotated[str, Field(min_length=1, max_length=4_000, description="what the caller says")],
        reporter: Annotated[str, Field(max_length=300, description="name and telephone number")] = "",
        place: Annotated[str, Field(max_length=300)] = "",
        priority: Priority = Priority.NORMAL,
        lat: Annotated[float | None, Field(ge=-90, le=90)] = None,
        lon: Annotated[float | None, Field(ge=-180, le=180)] = None,
    ) -> str:
        """File what somebody says by telephone; the receipt to tell them."""
        receipt = receipt_of(current_call().key)
        said = ReportReceived(
            receipt=receipt, door=ctx.instance, channel="phone", text=text, reporter=reporter, place=place, lat=lat,
            lon=lon, priority=priority, simulated=config.simulated, received_at=ctx.clock.now(),
        )  # fmt: skip
        await ctx.emit(said)
        return receipt

    await ctx.act("inbox.note", note)
    await book.take_up()
    await ctx.every(TIDY_S, book.tidy)
    await ctx.every(30.0, ctx.alive)
    yield


@plugin
def hub_plugin() -> PluginSpec:
    """Declare the plugin."""
    return PluginSpec(Settings, setup)
