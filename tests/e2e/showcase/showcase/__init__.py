"""Every kind of card, with names that strangers might give. For the tests of the screens only."""

from __future__ import annotations

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field

from hub.capabilities import LightReported, ReportReceived, SosCleared, SosRaised, UnitMoved
from hub.sdk import Config, Context, Entity, PluginSpec, Text, WebRequest, WebResponse, plugin

HOSTILE: Final = (
    '<img src=x onerror="document.title=\'broken\'">',
    "ก" * 190,
    "ถนนราชธานี\u202egnp.exe",
    "ก" + "\u0e49" * 80,
    "a\u0000b\u200bc",
)
CENTER: Final = (17.0079, 99.8228)
ROWS: Final = 500


class Settings(Config):
    """Configuration of the showcase."""

    greeting: str = Field("สวัสดี", max_length=80, description="said by the paper")
    rows: int = Field(ROWS, ge=0, le=5_000, description="rows of the long table")


class Colour(StrEnum):
    """A choice."""

    RED = "red"
    HIGH = "high"


class Person(BaseModel):
    """A group of fields."""

    name: Annotated[str, Field(max_length=80)]
    age: Annotated[int | None, Field(ge=0, le=120)] = None


class Lamp:
    """A light that does what it is told and tells it."""

    def __init__(self, ctx: Context, entity: str) -> None:
        self._ctx, self._entity = ctx, entity

    async def _tell(self, level: float) -> dict[str, Any]:
        told = LightReported(state="on" if level else "off", level_pct=level, reported_at=self._ctx.clock.now())
        await self._ctx.emit(told, entity=self._entity)
        return {"level_pct": level, "until": None, "limited_by": None}

    async def turn_on(self, brightness_pct: float = 100.0) -> dict[str, Any]:
        return await self._tell(brightness_pct)

    async def turn_off(self) -> dict[str, Any]:
        return await self._tell(0)

    async def boost(self, brightness_pct: float = 100.0, minutes: float = 15.0, reason: str = "") -> dict[str, Any]:
        return await self._tell(brightness_pct)

    async def override(
        self, level_pct: float, reason: str, minutes: float = 60.0, until: str | None = None
    ) -> dict[str, Any]:
        return await self._tell(level_pct)

    async def release(self) -> dict[str, Any]:
        return await self._tell(50)


class Officer:
    """A unit that is told things."""

    def __init__(self, ctx: Context, entity: str) -> None:
        self._ctx, self._entity = ctx, entity

    async def alert(
        self, text: str, incident: str | None = None, lat: float | None = None, lon: float | None = None
    ) -> None:
        """Nothing follows."""

    async def set_status(self, status: str, incident: str | None = None) -> None:
        """Nothing follows."""

    async def clear_sos(self, reason: str) -> None:
        await self._ctx.emit(SosCleared(by="user:demo", reason=reason), entity=self._entity)


async def everything(
    text: Annotated[str, Field(min_length=2, max_length=40, description="ข้อความสั้น")],
    story: Annotated[str, Field(max_length=2_000)] = "",
    colour: Colour = Colour.RED,
    loud: bool = False,
    level: Annotated[float, Field(ge=0, le=100)] = 50.0,
    count: Annotated[int, Field(ge=1, le=9)] = 1,
    names: Annotated[list[str], Field(max_length=5)] = [],  # noqa: B006 - only read for the form
    colours: list[Colour] = [],  # noqa: B006
    people: Annotated[list[Person], Field(max_length=3)] = [],  # noqa: B006
    starts_at: float | None = None,
    light: str | None = None,
    sheet: Annotated[str, Field(json_schema_extra={"contentMediaType": "text/csv"})] = "",
    picture: Annotated[str, Field(json_schema_extra={"contentEncoding": "base64"})] = "",
) -> dict[str, Any]:
    """What was filled in, as it arrived."""
    return {
        "text": text, "colour": colour, "loud": loud, "level": level, "names": ", ".join(names),
        "people": [person.model_dump() for person in people], "starts_at": starts_at, "light": light,
        "sheet": len(sheet), "picture": len(picture),
    }  # fmt: skip


async def exhibits(ctx: Context) -> None:
    """The table with every format."""
    for index, name in enumerate(HOSTILE):
        low = index * 18.0
        about = {
            "share": {"low": low, "estimate": low + 10, "high": low + 20, "mark": 40}, "seconds": 90 + index * 4_000,
            "phrase": {"th": name, "en": name}, "items": [name, "b"], "good": index % 2 == 0,
            "at": ctx.clock.now() - index * 86_400, "reason": name, "owner": name,
        }  # fmt: skip
        await ctx.add(Entity(f"exhibit.e{index}", Text(name, name), simulated=index == 1, attributes=about))


async def lamps(ctx: Context) -> None:
    """Lights on the map: on, off, out of reach."""
    for index in range(6):
        entity = f"light.lamp_{index}"
        at = (CENTER[0] + index * 0.0006, CENTER[1] + index * 0.0005)
        name = HOSTILE[index % len(HOSTILE)] if index % 2 else f"โคม {index}"
        await ctx.add(Entity(entity, Text(name, name), ("light",), position=at), Lamp(ctx, entity))
        state = ("on", "off", "unavailable")[index % 3]
        told = LightReported(state=state, level_pct=80 if state == "on" else 0, reported_at=ctx.clock.now())
        await ctx.emit(told, entity=entity)


async def calls_for_help(ctx: Context) -> None:
    """A unit with a hostile name that asks for help, and reports of every door."""
    now = ctx.clock.now()
    await ctx.add(Entity("unit.x1", Text(HOSTILE[0], HOSTILE[0]), ("unit",), simulated=True), Officer(ctx, "unit.x1"))
    await ctx.emit(UnitMoved(lat=CENTER[0], lon=CENTER[1], fix_at=now, battery_pct=40), entity="unit.x1")
    raised = SosRaised(kind="button", sos_id="s1", raised_at=now, lat=CENTER[0], lon=CENTER[1], fix_at=now)
    await ctx.emit(raised, entity="unit.x1")
    doors = ("qr", "line", "ilertu", "phone", "sos", "form")
    for index, door in enumerate(doors):
        text = HOSTILE[index % len(HOSTILE)]
        await ctx.emit(ReportReceived(
            receipt=f"AAA-AA{index}", door=ctx.instance, channel=door, text=text, reporter=text, place=text,
            lat=CENTER[0] - index * 0.0004, lon=CENTER[1] - index * 0.0003, received_at=now - index * 60,
            simulated=True,
        ))  # fmt: skip


async def setup(ctx: Context, config: Settings) -> AsyncIterator[None]:
    """Show everything at once."""

    async def paper(_: WebRequest) -> WebResponse:
        return WebResponse(200, f"<!doctype html><title>{config.greeting}</title>".encode(), "text/html")

    await ctx.route("GET", "paper.html", paper, right="state.read")
    await ctx.act("showcase.everything", everything)
    await exhibits(ctx)
    await lamps(ctx)
    for number in range(config.rows):
        await ctx.add(Entity(f"row.r{number}", Text(f"แถว {number}", f"Row {number}"), attributes={"number": number}))
    for index in range(24):
        data = {"level": index * 3.5, "second": 60 - index, "words": HOSTILE[index % len(HOSTILE)]}
        await ctx.emit_named("showcase_measured", data, at=ctx.clock.now() - index * 1_800)
    await calls_for_help(ctx)
    yield


@plugin
def hub_plugin() -> PluginSpec:
    """Declare the plugin."""
    return PluginSpec(Settings, setup)
