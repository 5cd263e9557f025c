"""Configuration of the community's book."""

from __future__ import annotations

from pydantic import Field, field_validator

from hub.sdk import Config, Name


class Partner(Config):
    """One partner of the zone."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="its short name; becomes partner.ID")
    name: Name = Field(description="its name")
    kind: str = Field("", max_length=60, description="what it is, such as shop or school")
    duty: Name = Field(Name(th="-", en="-"), description="what it does in the zone")


class Settings(Config):
    """Configuration of the community's book."""

    partners: list[Partner] = Field([], max_length=50, description="the partners: the Big 6 and others")
    check_s: float = Field(30.0, gt=0, le=60, description="seconds between looks at what is overdue")
    simulated: bool = Field(False, description="all of it is invented: shown as จำลอง")

    @field_validator("partners")
    @classmethod
    def _once(cls, value: list[Partner]) -> list[Partner]:
        if len({one.id for one in value}) != len(value):
            raise ValueError("two partners have the same id")
        return value
