"""``PluginSpec`` and the one hook through which a plugin's module declares it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pluggy
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo

from hub.core.text import Text
from hub.sdk.context import Context

PROJECT = "hub"
hookspec = pluggy.HookspecMarker(PROJECT)
plugin = pluggy.HookimplMarker(PROJECT)


class Config(BaseModel):
    """Base of a plugin's configuration: unknown fields are mistakes; every field carries a description."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _beside(path: Path, info: ValidationInfo) -> Path:
    return Path((info.context or {}).get("beside", "")) / path


LocalPath = Annotated[Path, AfterValidator(_beside)]
"""A file or folder in a plugin's configuration: a relative one is meant from the folder of ``config.yaml``."""


class Name(Config):
    """A name in both languages, as a field of a plugin's configuration."""

    th: str = Field(min_length=1, max_length=200, description="in Thai")
    en: str = Field(min_length=1, max_length=200, description="in English")

    def text(self) -> Text:
        """As the hub's own words."""
        return Text(self.th, self.en)


Setup = Callable[[Context, Any], AsyncIterator[None]]


@dataclass(frozen=True, slots=True)
class PluginSpec:
    """What a plugin is to the hub.

    ``setup(ctx, config)`` is an async generator: before its one ``yield`` is set-up, after it is unload.
    ``setup_limit``: seconds that set-up may take; the same for unload.
    """

    config: type[Config]
    setup: Setup
    setup_limit: float = 20.0


class Hooks:
    """The hook specification."""

    @hookspec(firstresult=True)
    def hub_plugin(self) -> PluginSpec:  # type: ignore[empty-body]
        """Declare the plugin. Must not have side effects: no I/O, no task, no global."""
