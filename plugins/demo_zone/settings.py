"""Configuration of the demo zone."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from hub.sdk import Config

Word = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int | float) else value)]


class ProgramSettings(Config):
    """A program that plays a device: its file says that it is ready in one line of JSON (``hub.sdk.program``)."""

    name: str = Field(max_length=60, description="what the plugins page calls it")
    file: str = Field(pattern=r"^[a-z0-9_]+/[a-z0-9_]+\.py$", description="its file below the folder of the plugins")
    arguments: list[Word] = Field([], max_length=40, description="what it is told; {hub} is the hub's own address")


class StepSettings(Config):
    """One thing that somebody at the station does in the simulated evening, through the staff API."""

    after_s: float = Field(ge=0, le=86_400, description="seconds after the start")
    action: str = Field("", description="the action, domain.verb")
    path: str = Field("", pattern=r"^(/api/[a-z/-]+)?$", description="or an address of the API that is posted to")
    target: str | None = Field(None, description="the entity it is for")
    params: dict[str, Any] = Field({}, description="its parameters; {NAME}: a kept result; {now+60}: a time")
    user: str = Field("demo", description="who does it: an account of the demo")
    keep: str | None = Field(None, description="the name under which its result is kept for later steps")


class Settings(Config):
    """Configuration of the demo zone."""

    seed: int = Field(7, ge=0, description="draws the plates of the scene: the same seed, the same evening")
    programs: list[ProgramSettings] = Field([], max_length=50, description="the simulated devices")
    evening: list[StepSettings] = Field([], max_length=200, description="what people do, in order of time")
    password: str = Field("sukhothai-demo", description="of the demo's accounts")
