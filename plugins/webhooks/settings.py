"""Configuration of the hooks."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from hub.sdk import Config, Name

_IN_ADDRESS = re.compile(r"[A-Za-z0-9_-]+")


class HookSettings(Config):
    """One address that another system sends to."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_]{0,63}$", description="the automations' webhook_id")
    name: Name = Field(description="what the screens call it")
    secret: SecretStr = Field(
        min_length=16, max_length=200,
        description="the last part of the address, or with sign the key of the signature; use !secret",
    )  # fmt: skip
    sign: bool = Field(False, description="each request carries X-Signature, and one that comes again is taken once")
    methods: list[Literal["POST", "PUT", "GET"]] = Field(
        ["POST", "PUT"], min_length=1, max_length=3, description="what is taken; a signed hook takes no GET"
    )
    local_only: bool = Field(True, description="only from loopback and private networks")
    per_minute: int = Field(
        60, ge=1, le=600, description="requests that one sender may make in a minute; all together four times as many"
    )
    simulated: bool = Field(False, description="shown as จำลอง")

    @model_validator(mode="after")
    def _fits(self) -> HookSettings:
        if not self.sign and not _IN_ADDRESS.fullmatch(self.secret.get_secret_value()):
            raise ValueError("the secret stands in the address: use letters, digits, _ and -")
        if self.sign and "GET" in self.methods:
            raise ValueError("a signature covers the body, and GET has none: leave GET out")
        return self


class Settings(Config):
    """Configuration of the plugin."""

    hooks: list[HookSettings] = Field(min_length=1, max_length=200, description="the addresses")

    @field_validator("hooks")
    @classmethod
    def _apart(cls, hooks: list[HookSettings]) -> list[HookSettings]:
        ids = [hook.id for hook in hooks]
        if twice := next((name for name in ids if ids.count(name) > 1), None):
            raise ValueError(f"the id {twice!r} is used twice")
        # With one secret for two, what was signed for one would pass at the other.
        if len({hook.secret.get_secret_value() for hook in hooks}) < len(hooks):
            raise ValueError("each hook needs a secret of its own")
        return hooks
