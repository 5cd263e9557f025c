"""A drone with an ArduPilot autopilot over MAVLink 2."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from pydantic import Field, SecretStr, field_validator, model_validator

from hub.sdk import Config, Context, Entity, Name, PluginSpec, Unavailable, plugin

from .device import BadEndpoint, Drone, LinkLost
from .link import parse_endpoint
from .pilot import Pilot
from .rules import Authorisation, Checks, Fence, Rules

FIRST_HEARTBEAT_S = 2.0
REPORT_S = 1.0
SILENT_S = 30.0


class Settings(Config):
    """Configuration of one drone."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_]{0,60}$", description="becomes drone.ID")
    name: Name = Field(description="what the screens call it")
    endpoint: str = Field(description="udpout:ADDRESS:PORT (we speak first) or udpin:ADDRESS:PORT (the drone does)")
    signing_key: SecretStr | None = Field(None, description="64 hex digits; needed off this machine; use !secret")
    fence: Fence = Field(description="where flights may go")
    authorisations: list[Authorisation] = Field([], max_length=100, description="recorded permits; none: no flights")
    rules: Rules = Field(Rules(), description="what holds for every flight, with its source")
    min_battery_pct: float = Field(30.0, ge=0, le=100, description="percent of battery below which no flight begins")
    link_timeout_s: float = Field(5.0, ge=2, le=60, description="seconds without a heartbeat that mean a lost link")
    simulated: bool = Field(False, description="nothing flies: shown as จำลอง")

    @field_validator("endpoint")
    @classmethod
    def _endpoint(cls, value: str) -> str:
        parse_endpoint(value)
        return value

    @field_validator("authorisations")
    @classmethod
    def _once(cls, value: list[Authorisation]) -> list[Authorisation]:
        ids = [one.id for one in value]
        if twice := sorted({name for name in ids if ids.count(name) > 1}):
            raise ValueError(f"{', '.join(twice)} stands there twice")
        return value

    @model_validator(mode="after")
    def _signed(self) -> Settings:
        key = self.key
        if key is not None and len(key) != 32:
            raise ValueError("signing_key must be 64 hex digits (32 bytes)")
        if key is None and not parse_endpoint(self.endpoint).loopback:
            raise ValueError("off this machine MAVLink 2 signing is needed: give a signing_key")
        return self

    @property
    def key(self) -> bytes | None:
        """The signing key's bytes."""
        if self.signing_key is None:
            return None
        try:
            return bytes.fromhex(self.signing_key.get_secret_value())
        except ValueError:
            return b""


async def setup(ctx: Context, config: Settings) -> AsyncIterator[None]:
    """Bring the drone in and watch it. It need not be switched on."""
    entity = Entity(
        f"drone.{config.id}", config.name.text(), ("drone",), simulated=config.simulated,
        silent_after=SILENT_S,
    )  # fmt: skip
    drone = Drone(config.endpoint, clock=ctx.clock, signing_key=config.key, heartbeat_limit_s=config.link_timeout_s)
    checks = Checks(config.rules, config.fence, config.authorisations, config.min_battery_pct)
    pilot = Pilot(ctx, drone, entity.id, checks)
    try:
        with contextlib.suppress(LinkLost):  # it may come later
            await drone.connect(FIRST_HEARTBEAT_S)
        await ctx.add(entity, pilot)
        await ctx.every(REPORT_S, pilot.report)
        yield
    except BadEndpoint as wrong:
        raise Unavailable(str(wrong), where=entity.id, hint="look at endpoint in the configuration") from None
    finally:
        await drone.close()


@plugin
def hub_plugin() -> PluginSpec:
    """Declare the plugin."""
    return PluginSpec(Settings, setup)
