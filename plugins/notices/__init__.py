"""Notices to the public: drafted by one person, approved by another, published to LINE, RSS, CAP 1.2 and on paper."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pydantic import Field, field_validator

from hub.sdk import Config, Context, Name, PluginSpec, plugin

from .areas import Area
from .device import Board
from .feed import Sender
from .pages import Pages

ZONE = Area(id="zone", name=Name(th="พื้นที่ปลอดภัย", en="Safety zone"))


class Settings(Config):
    """Configuration of the notices."""

    sender: str = Field(
        "safety-zone.example", pattern=r"^[^\s,<>&]{1,100}$",
        description="who publishes, unique in CAP: a domain name or an e-mail address",
    )  # fmt: skip
    name: Name = Field(
        Name(th="ศูนย์ควบคุมพื้นที่ปลอดภัย", en="Safety zone control centre"), description="the publisher's name"
    )
    contact: str = Field("191", max_length=100, description="how the public reaches the publisher")
    areas: list[Area] = Field([ZONE], min_length=1, max_length=50, description="places that a notice may be for")
    line_to: list[str] = Field([], max_length=20, description="LINE ids of the groups that get the notices")
    check_s: float = Field(10.0, gt=0, le=60, description="seconds between looks at what has ended")
    simulated: bool = Field(False, description="nothing is meant: notices say จำลอง, CAP says Exercise")

    @field_validator("areas")
    @classmethod
    def _known(cls, value: list[Area]) -> list[Area]:
        if len({one.id for one in value}) != len(value):
            raise ValueError("two areas have the same id")
        short = [one.id for one in value if 0 < len(one.polygon) < 3]
        if short:
            raise ValueError(f"{short[0]}: a border has 3 points or more")
        return value


async def setup(ctx: Context, config: Settings) -> AsyncIterator[None]:
    """Serve the notices of before, then the pages."""
    board = Board(ctx, {one.id: one for one in config.areas}, tuple(config.line_to), config.simulated)
    base = f"{await ctx.address()}/hook/{ctx.instance}"
    pages = Pages(ctx, board, Sender(config.sender, config.name.th, config.name.en, config.contact, base))
    await board.take_up()
    await ctx.act("notice.draft", board.draft)
    await ctx.route("GET", "rss.xml", pages.feed)
    await ctx.route("GET", "cap/*", pages.cap)
    await ctx.route("GET", "n/*", pages.page)
    await ctx.route("GET", "poster/*", pages.poster, right="document.read")
    await ctx.every(config.check_s, board.expire)
    await ctx.every(config.check_s, board.finish)
    yield


@plugin
def hub_plugin() -> PluginSpec:
    """Declare the plugin."""
    return PluginSpec(Settings, setup)
