"""One attempt at running an instance: set-up, service, unload. In the hub's process, or (``child``) in its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from hub.core.error import ConfigError
from hub.host.config import InstanceConfig
from hub.host.context import LocalContext
from hub.host.discover import Found
from hub.host.live import limit_of, live
from hub.host.problems import mistakes, problems
from hub.host.registry import Registry
from hub.sdk.spec import PluginSpec

LOAD_WITHIN_S = 30.0


class Attempt(Protocol):
    """What the supervisor drives."""

    ctx: LocalContext
    limit: float  # seconds for set-up, and for unload; known better once the plugin is loaded
    schema: dict[str, Any] | None  # JSON Schema of its settings, once it is loaded

    async def run(self, ready: Callable[[], None], stop: asyncio.Event) -> None:
        """Set up, say ``ready``, serve until ``stop``, unload. Raises what went wrong; ``ConfigError`` when trying
        again cannot help."""

    def pid(self) -> int | None:
        """Its own process, if it has one."""


class LocalAttempt:
    """In the hub's process."""

    def __init__(self, found: Found, config: InstanceConfig, ctx: LocalContext, registry: Registry) -> None:
        self.ctx, self._found, self._config, self._registry = ctx, found, config, registry
        self.limit = LOAD_WITHIN_S
        self.schema: dict[str, Any] | None = None

    def pid(self) -> int | None:
        return None

    async def run(self, ready: Callable[[], None], stop: asyncio.Event) -> None:
        spec = self._registry.load(self._found.name, self._found.folder, self._found.fingerprint)
        self.limit = limit_of(spec)
        self.schema = spec.config.model_json_schema()
        settings = checked(spec, self._config)
        await live(spec, self.ctx, settings, ready, stop)


def checked(spec: PluginSpec, config: InstanceConfig) -> Any:
    """The instance's settings as the plugin's model; ``ConfigError`` with the line of each mistake."""
    found = problems(spec.config, config.config, config.beside)
    if found:
        raise ConfigError(mistakes(found, config.places))
    return spec.config.model_validate(config.config, context={"beside": config.beside})
