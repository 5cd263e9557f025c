"""``plugin.toml``: what a plugin is, readable without running any of its code."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from hub.core.error import ConfigError, Mistake
from hub.core.event import EventType, explain
from hub.sdk.views import Section, View, Words

API_VERSION = 1
MAX_SIZE = 256 * 1024


class ActionTable(BaseModel):
    """One ``[[actions]]`` table: an action of the plugin itself. Its parameters are its handler's signature."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")
    title: Words
    right: str
    idempotent: bool = False
    dangerous: bool = False
    private: bool = False  # parameters and answer are written down nowhere; that it was done is
    timeout_s: float = Field(10.0, gt=0, le=600)

    @model_validator(mode="after")
    def _private(self) -> ActionTable:
        if self.private and (self.idempotent or self.dangerous):
            raise ValueError(f"{self.name}: what is written down nowhere cannot be sent again or wait for a person")
        return self


class Manifest(BaseModel):
    """The whole file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    title: Words
    description: Words
    api: int
    version: str = "0.1.0"
    # what the browser may ask its owner for on the plugin's own public pages; nothing when it does not say
    page_permissions: list[Literal["camera", "microphone", "geolocation"]] = []
    public_body_mib: int = Field(1, ge=1, le=16)  # the largest body of a request to its public addresses
    isolation: Literal["process", "child"] = "process"
    exclusive: bool = False  # the old instance must stop before a new one starts (it holds a port or a device)
    quality: int = Field(1, ge=1, le=4)
    silent_after_s: float | None = Field(None, gt=0)  # without a sign of life for so long, something is wrong
    section: Section | None = None  # where its pages stand; by the domains of its views when it does not say
    requires: list[str] = []  # Python distributions that its own environment needs
    debian: list[str] = []  # programs it needs, as Debian packages
    emits: list[str] = []  # event types it may emit
    calls: list[str] = []  # actions it may call; ``incident.*`` is allowed
    reads: list[str] = []  # rights to read people's data: ``plate``, ``position`` …
    roles: list[str] = []  # roles it acts with when it calls
    event_types: list[dict[str, Any]] = []
    actions: list[ActionTable] = []
    views: list[View] = []

    @field_validator("api")
    @classmethod
    def _api(cls, value: int) -> int:
        if value != API_VERSION:
            raise ValueError(f"this hub speaks plugin API {API_VERSION}")
        return value

    def types(self) -> list[EventType]:
        """The event types it declares."""
        return [EventType.from_table(table) for table in self.event_types]


def load_manifest(folder: Path) -> Manifest:
    """Read ``folder/plugin.toml``; ``ConfigError`` with file and line otherwise. Runs no code of the plugin."""
    path = folder / "plugin.toml"
    try:
        raw = path.read_bytes()
        if len(raw) > MAX_SIZE:
            raise ConfigError([Mistake(str(path), 1, 1, f"larger than {MAX_SIZE} bytes")])
        manifest = Manifest.model_validate(tomllib.loads(raw.decode()))
        manifest.types()
    except OSError as missing:
        raise ConfigError([Mistake(str(path), 1, 1, f"cannot be read: {missing.strerror}")]) from None
    except ValidationError as wrong:
        raise ConfigError([Mistake(str(path), 1, 1, explain(wrong))]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise ConfigError([Mistake(str(path), 1, 1, f"not TOML: {wrong}")]) from None
    except (KeyError, TypeError, ValueError) as wrong:
        raise ConfigError([Mistake(str(path), 1, 1, f"an [[event_types]] table is wrong: {wrong}")]) from None
    if manifest.name != folder.name:
        raise ConfigError([Mistake(str(path), 1, 1, f"name is {manifest.name!r} but the folder is {folder.name!r}")])
    return manifest
