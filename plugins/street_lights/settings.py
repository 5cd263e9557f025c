"""Configuration of the street lights."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, field_validator, model_validator

from hub.sdk import Config, InvalidInput, Name

from .plan import Limits, Schedule

Position = tuple[Annotated[float, Field(ge=-90, le=90)], Annotated[float, Field(ge=-180, le=180)]]


def _clock(value: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError("a time such as 22:00 is needed")
    return value


Clock = Annotated[str, AfterValidator(_clock)]


class LampSettings(Config):
    """One lamp that must be there."""

    unique_id: str = Field(min_length=1, max_length=200, description="its unique_id on MQTT")
    name: Name | None = Field(None, description="what the screens call it; else its own name")
    position: Position | None = Field(None, description="[latitude, longitude] in degrees")
    area: str | None = Field(None, max_length=100, description="area of the zone")


class GroupSettings(Config):
    """Lamps that are switched together."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_]{0,60}$", description="becomes light.ID")
    name: Name = Field(description="what the screens call it")
    members: list[str] = Field(min_length=1, max_length=200, description="unique_ids; * stands for any letters")
    position: Position | None = Field(None, description="where its sign stands on the map")


class ScheduleSettings(Config):
    """On and off by the sun."""

    position: Position = Field(description="the zone's [latitude, longitude] in degrees")
    on_at: Literal["dusk", "sunset"] = Field("dusk", description="the sun's event at which lamps go on")
    on_offset_min: float = Field(0.0, ge=-180, le=180, description="minutes after it; less than 0: before")
    off_at: Literal["dawn", "sunrise"] = Field("dawn", description="the sun's event at which they go off")
    off_offset_min: float = Field(0.0, ge=-180, le=180, description="minutes after it")
    level_pct: float = Field(100.0, ge=1, le=100, description="level in the night")

    def made(self) -> Schedule:
        """As the plan uses it."""
        return Schedule(
            *self.position, self.on_at, self.on_offset_min, self.off_at, self.off_offset_min, self.level_pct
        )


class LimitSettings(Config):
    """The municipality's limits, until it sets others with street_lights.set_limits."""

    max_brightness_pct: float = Field(100.0, ge=1, le=100, description="no lamp is brighter")
    max_boost_min: float = Field(60.0, ge=1, le=1440, description="no boost is longer, in minutes")
    quiet_from: Clock | None = Field(None, description="begin of the quiet hours, station's time, as 22:00")
    quiet_to: Clock | None = Field(None, description="their end")
    quiet_max_pct: float = Field(100.0, ge=1, le=100, description="level in them; boosts and overrides may exceed it")

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.quiet_from is None) != (self.quiet_to is None):
            raise ValueError("quiet_from and quiet_to come together")
        return self

    def made(self) -> Limits:
        """As the plan uses them."""
        return Limits(**self.model_dump())

    @staticmethod
    def check(values: dict[str, Any]) -> dict[str, Any]:
        """The same limits in canonical form; ``InvalidInput`` names what is wrong."""
        try:
            return asdict(LimitSettings.model_validate(values).made())
        except ValidationError as wrong:
            words = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'limits'}: {e['msg'].lower()}" for e in wrong.errors())
            raise InvalidInput(words, where="street_lights.set_limits") from None


class Settings(Config):
    """All of it."""

    name: Name = Field(Name(th="ไฟถนน", en="Street lights"), description="name of the whole on screens")
    discovery_prefix: str = Field(
        "homeassistant", pattern=r"^[^+#\s]{1,100}$", description="first part of the topics on which lamps announce"
    )
    lamps: list[LampSettings] = Field([], max_length=500, description="lamps that must be there, with their places")
    groups: list[GroupSettings] = Field([], max_length=50, description="lamps that are switched together")
    schedule: ScheduleSettings | None = Field(None, description="on and off by the sun; without it, as commanded")
    limits: LimitSettings = Field(LimitSettings(), description="the limits of the lamps' owner")
    fault_after_s: float = Field(20.0, ge=1, le=600, description="seconds a lamp has to do what it was told")
    announce_within_s: float = Field(30.0, ge=1, le=3600, description="seconds a lamp of lamps: has to announce itself")
    neighbours: int = Field(4, ge=0, le=20, description="lamps that count as a lamp's neighbours, at most")
    neighbour_radius_m: float = Field(120.0, gt=0, le=2000, description="metres within which they are")
    simulated: bool = Field(False, description="shown as จำลอง")

    @field_validator("lamps")
    @classmethod
    def _once(cls, value: list[LampSettings]) -> list[LampSettings]:
        _twice([lamp.unique_id for lamp in value])
        return value

    @field_validator("groups")
    @classmethod
    def _group_once(cls, value: list[GroupSettings]) -> list[GroupSettings]:
        _twice([group.id for group in value])
        return value


def _twice(ids: list[str]) -> None:
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise ValueError(f"{', '.join(twice)} stands there twice")
