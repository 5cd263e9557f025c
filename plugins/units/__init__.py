"""Officers' phones: positions in, tasks out, one secret a device."""

from __future__ import annotations

import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

from pydantic import Field, SecretStr, field_validator

from hub.capabilities import UnitAlerted, UnitMoved, UnitStatusChanged, UnitTaskSeen
from hub.sdk import (
    Config,
    Context,
    Entity,
    InvalidInput,
    LimitExceeded,
    Name,
    PluginSpec,
    StateChanged,
    WebRequest,
    WebResponse,
    plugin,
)

from .device import BadPosition, Fix, Post, parse_post, presented

STATUSES = ("available", "busy", "off_duty")
REFUSED = WebResponse(401, b'{"error":"unknown device or wrong secret"}', "application/json")


class DeviceSettings(Config):
    """One phone."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_]{0,60}$", description="the device's id; becomes unit.ID")
    name: Name = Field(description="what the screens call it")
    secret: SecretStr = Field(min_length=8, description="secret of this device alone; use !secret")
    simulated: bool = Field(False, description="shown as จำลอง")


class Settings(Config):
    """Configuration of the units."""

    devices: list[DeviceSettings] = Field(max_length=200, description="the phones that may post")
    silent_after_s: float = Field(180.0, gt=0, description="seconds without a position that mean a fault")

    @field_validator("devices")
    @classmethod
    def _once(cls, value: list[DeviceSettings]) -> list[DeviceSettings]:
        ids = [device.id for device in value]
        if twice := sorted({name for name in ids if ids.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} stands there twice")
        return value


class _Unit:
    """Serves one unit's actions, and keeps what its phone last said."""

    def __init__(self, ctx: Context, entity: str, secret: str) -> None:
        self._ctx, self.entity, self.secret = ctx, entity, secret
        self._newest = float("-inf")

    async def take_up(self) -> None:
        """Begin with the state of before a restart; a new unit is available."""
        state = await self._ctx.state(self.entity)
        if state is not None and state.state in STATUSES:
            self._newest = float(state.attributes.get("fix_at") or "-inf")
        else:
            await self._ctx.emit(UnitStatusChanged(status="available"), entity=self.entity)

    async def alert(
        self, text: str, incident: str | None = None, lat: float | None = None, lon: float | None = None
    ) -> None:
        state = await self._ctx.state(self.entity)
        if state is not None and state.attributes.get("task_seen_at") is not None:  # of the task before
            await self._ctx.emit(StateChanged(attributes={"task_seen_at": None}), entity=self.entity)
        await self._ctx.emit(UnitAlerted(text=text, incident=incident, lat=lat, lon=lon), entity=self.entity)

    async def set_status(self, status: str, incident: str | None = None) -> None:
        if status not in STATUSES:
            raise InvalidInput(f"{status!r} is no status", where="status", hint=f"one of {', '.join(STATUSES)}")
        await self._ctx.emit(UnitStatusChanged(status=status, incident=incident), entity=self.entity)

    async def moved(self, fix: Fix) -> None:
        """Report a position; one that is older than what is known came late and changes nothing."""
        before = self._newest
        if fix.at <= before:
            return
        self._newest = fix.at  # at once, so that an older point that comes meanwhile is late
        data = UnitMoved(
            lat=fix.lat, lon=fix.lon, fix_at=fix.at, accuracy_m=fix.accuracy_m, speed_mps=fix.speed_mps,
            heading_deg=fix.heading_deg, battery_pct=fix.battery_pct,
        )  # fmt: skip
        try:
            await self._ctx.emit(data, entity=self.entity, at=fix.at)
        except BaseException:  # it was not kept: the phone sends it again
            self._newest = before if self._newest == fix.at else self._newest
            raise

    async def task(self) -> dict[str, Any]:
        """What the phone should show: nothing of a case that is closed."""
        state = await self._ctx.state(self.entity)
        a = state.attributes if state else {}
        case = a.get("task_incident")
        if isinstance(case, str) and (known := await self._ctx.state(case)) is not None and known.state == "closed":
            a = {}
        return {"status": state.state if state else None, "text": a.get("task"), "incident": a.get("task_incident"),
                "lat": a.get("task_lat"), "lon": a.get("task_lon")}  # fmt: skip

    async def task_seen(self) -> None:
        """The phone showed the task; harmless when there is none, or it was seen before."""
        task, state = await self.task(), await self._ctx.state(self.entity)
        if task["text"] is not None and state is not None and state.attributes.get("task_seen_at") is None:
            seen = UnitTaskSeen(seen_at=self._ctx.clock.now(), incident=task["incident"])
            await self._ctx.emit(seen, entity=self.entity)


class _Door:
    """The routes that phones use. Who is not known, and whose secret is wrong, are told the same."""

    def __init__(self, ctx: Context, units: dict[str, _Unit]) -> None:
        self._ctx, self._units = ctx, units

    async def position(self, request: WebRequest) -> WebResponse:
        named, secret = presented(request.query, request.headers)
        try:
            post = parse_post(request.query, request.body, self._ctx.clock.now(), named)
        except BadPosition as wrong:
            return REFUSED if named and not self._known(named, secret) else _json({"error": str(wrong)}, 400)
        unit = self._known(post.fix.device_id if post.fix else named, secret)
        return REFUSED if unit is None else await self._take(unit, post)

    @staticmethod
    async def _take(unit: _Unit, post: Post) -> WebResponse:
        if post.fix is not None:
            try:
                await unit.moved(post.fix)
            except LimitExceeded as busy:
                return _json({"error": busy.message}, 429)
        return WebResponse(200, post.answer, "application/json")

    async def task(self, request: WebRequest) -> WebResponse:
        unit = self._known(*presented(request.query, request.headers))
        return REFUSED if unit is None else _json(await unit.task())

    async def seen(self, request: WebRequest) -> WebResponse:
        unit = self._known(*presented(request.query, request.headers))
        if unit is None:
            return REFUSED
        await unit.task_seen()
        return _json({"ok": True})

    def _known(self, device: str, secret: str) -> _Unit | None:
        unit = self._units.get(device)
        held = unit.secret if unit else ""
        fits = hmac.compare_digest(held.encode(), secret.encode())
        return unit if unit is not None and fits else None


def _json(data: object, status: int = 200) -> WebResponse:
    return WebResponse(status, json.dumps(data, ensure_ascii=False).encode(), "application/json")


async def setup(ctx: Context, config: Settings) -> AsyncIterator[None]:
    """Bring the units in and open their door."""
    units: dict[str, _Unit] = {}
    for device in config.devices:
        entity = Entity(
            f"unit.{device.id}", device.name.text(), ("unit",), simulated=device.simulated,
            silent_after=config.silent_after_s,
        )  # fmt: skip
        unit = _Unit(ctx, entity.id, device.secret.get_secret_value())
        await ctx.add(entity, unit)
        await unit.take_up()
        units[device.id] = unit
    door = _Door(ctx, units)
    for method in ("GET", "POST"):  # the older Traccar Client puts everything into the query of either
        await ctx.route(method, "position", door.position)
    await ctx.route("GET", "task", door.task)
    await ctx.route("POST", "task/seen", door.seen)
    yield


@plugin
def hub_plugin() -> PluginSpec:
    """Declare the plugin."""
    return PluginSpec(Settings, setup)
