"""The control centre's roster: who is on duty, shift by shift, the sound test, and the handover that both sign."""

from __future__ import annotations

from collections.abc import AsyncIterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator, model_validator

from hub.capabilities import CAPABILITIES, Roster
from hub.sdk import (
    Config,
    Context,
    Entity,
    HubError,
    Name,
    PluginSpec,
    Text,
    WebRequest,
    WebResponse,
    plugin,
)

from .device import CURRENT, LOOK_S, Desk, Rules
from .handover import Handovers, Survey
from .page import handover_page
from .plan import ACCOUNT, Plan
from .times import HOURS, Pattern


class OfficerSettings(Config):
    """An officer who stands in the roster from the start."""

    account: str = Field(pattern=ACCOUNT, description="account name, as for signing in to the hub")
    name: str = Field(min_length=1, max_length=120, description="name")
    title: str = Field("", max_length=120, description="rank or post")


class ShiftSettings(Config):
    """A shift of every day."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,30}$", description="what the roster calls it")
    name: Name = Field(description="what the screens call it")
    start: str = Field(description="first minute, as in 08:00")
    end: str = Field(description="end, as in 20:00; at or before the start: the day after")
    officers: list[str] = Field([], max_length=20, description="accounts who are on it when the roster says no other")

    @field_validator("start", "end")
    @classmethod
    def _hours(cls, value: str) -> str:
        if not HOURS.fullmatch(value):
            raise ValueError(f"{value!r} is no time of day; write it in quotes, as in '08:00'")
        return value


DAY = ShiftSettings(id="day", name=Name(th="เวรกลางวัน", en="Day"), start="08:00", end="20:00")
NIGHT = ShiftSettings(id="night", name=Name(th="เวรกลางคืน", en="Night"), start="20:00", end="08:00")


class Settings(Config):
    """Configuration of the roster."""

    timezone: str = Field("Asia/Bangkok", description="of the hours below (IANA name)")
    shifts: list[ShiftSettings] = Field([DAY, NIGHT], min_length=1, max_length=12, description="shifts of every day")
    officers: list[OfficerSettings] = Field([], max_length=200, description="officers from the start; more by action")
    needed: int = Field(2, ge=1, le=20, description="how many must be on duty")
    must_sign_in: bool = Field(True, description="false: who stands in the roster counts as present")
    sign_in_within_min: float = Field(15.0, gt=0, le=240, description="minutes of a shift in which to sign in; the "
                                      "shift before stays on duty until then")  # fmt: skip
    sign_in_before_min: float = Field(30.0, ge=0, le=240, description="minutes before a shift in which to sign in")
    sound_test_within_min: float = Field(15.0, gt=0, le=240, description="minutes of a shift for the sound test")
    shown_days: int = Field(14, ge=1, le=62, description="days ahead that the screens show")
    expiring_days: float = Field(3.0, gt=0, le=90, description="watch-list entries that end so soon are handed over")
    device_domains: list[str] = Field([], max_length=50, description="further domains of devices whose silence is "
                                      "handed over, beside those of the capabilities")  # fmt: skip

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"there is no time zone {value!r}; write Asia/Bangkok") from None
        return value

    @model_validator(mode="after")
    def _agrees(self) -> Settings:
        for what, ids in (("shifts", [one.id for one in self.shifts]),
                          ("officers", [one.account for one in self.officers])):  # fmt: skip
            if twice := sorted({one for one in ids if ids.count(one) > 1}):
                raise ValueError(f"{what}: {', '.join(twice)} stands there twice")
        return self


def _plan(ctx: Context, config: Settings, zone: ZoneInfo) -> Plan:
    patterns = [
        Pattern(one.id, one.name.th, one.name.en, one.start, one.end, tuple(one.officers)) for one in config.shifts
    ]
    officers = {one.account: {"account": one.account, "name": one.name, "title": one.title} for one in config.officers}
    return Plan(ctx, patterns, zone, config.needed, config.shown_days, officers)


async def _serve_pdf(ctx: Context, handovers: Handovers, zone: ZoneInfo) -> None:
    async def pdf(request: WebRequest) -> WebResponse:
        try:
            note = handovers.note(request.query.get("id", ""))
            made = await ctx.pdf(handover_page(note, zone))
        except HubError as wrong:
            return WebResponse(wrong.status, str(wrong).encode())
        named = {"Content-Disposition": f'inline; filename="handover-{note["id"]}.pdf"'}
        return WebResponse(200, made, "application/pdf", named)

    await ctx.route("GET", "handover.pdf", pdf, right="document.read")


async def setup(ctx: Context, config: Settings) -> AsyncIterator[None]:
    """Take up the roster and the running shift, then serve."""
    zone = ZoneInfo(config.timezone)
    plan = _plan(ctx, config, zone)
    await plan.load()
    domains = {*CAPABILITIES, "plugin", "line", "mqtt", *config.device_domains}
    handovers = Handovers(ctx, Survey(ctx, domains, config.expiring_days))
    await handovers.load()
    rules = Rules(
        config.needed, config.sign_in_within_min * 60, config.sound_test_within_min * 60,
        config.sign_in_before_min * 60, config.must_sign_in,
    )  # fmt: skip
    desk = Desk(ctx, plan, rules, handovers)
    plan.changed = desk.look
    await ctx.add(Entity(CURRENT, Text("เวรปัจจุบัน", "Current shift"), ("shift",)), desk)
    await ctx.act("roster.set_officer", plan.set_officer)
    await ctx.act("roster.remove_officer", plan.remove_officer)
    await ctx.act("roster.set_shift", plan.set_shift)
    await ctx.act("roster.clear_shift", plan.clear_shift)
    await desk.take_up()
    await ctx.offer(Roster, desk)  # type: ignore[type-abstract]
    await _serve_pdf(ctx, handovers, zone)
    await ctx.every(LOOK_S, desk.look)
    yield


@plugin
def hub_plugin() -> PluginSpec:
    """Declare the plugin."""
    return PluginSpec(Settings, setup)
