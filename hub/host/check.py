"""``hub check``: everything that can be known to be wrong without starting an instance.

Code of a plugin that did not come with the hub runs in a child, as always; set-up is not begun.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from hub.core.error import ConfigError, Denied, HubError, Mistake
from hub.host.attempt import LOAD_WITHIN_S, checked
from hub.host.child import MODULE, bounds_of, load_there
from hub.host.config import HubConfig, InstanceConfig
from hub.host.discover import Discovery, Found, builtin_folder, discover
from hub.host.loading import did_you_mean
from hub.host.process import Bounds, Child
from hub.host.registry import Registry

AT_ONCE = 4  # children


def no_plugin(name: str, known: Discovery) -> str:
    """What to say of a plugin that is not there."""
    return f"there is no plugin {name!r}{did_you_mean(name, known.found)}"


def missing(config: HubConfig, known: Discovery) -> list[Mistake]:
    """Instances whose plugin is not there."""
    return [
        entry.place.mistake(no_plugin(entry.plugin, known))
        for entry in config.instances if entry.plugin not in known.found and not entry.mistakes
    ]  # fmt: skip


async def check(config: HubConfig, builtin: Path | None = None, installed: bool = True) -> list[Mistake]:
    """All mistakes of plugins and instances, by file, line and column. ``load`` has found those of the rest."""
    found = discover(config.plugin_folders, builtin or builtin_folder(), installed)
    places = asyncio.Semaphore(AT_ONCE)
    registry = Registry()

    async def one(entry: InstanceConfig) -> list[Mistake]:
        plugin = found.found.get(entry.plugin)
        if plugin is None or entry.mistakes:
            return []
        async with places:
            return await _check_one(config, entry, plugin, registry)

    told = await asyncio.gather(*(one(entry) for entry in config.instances))
    mistakes = [*config.mistakes, *found.mistakes, *missing(config, found), *(m for some in told for m in some)]
    return sorted(dict.fromkeys(mistakes), key=lambda m: (m.file, m.line, m.column))


async def _check_one(config: HubConfig, entry: InstanceConfig, plugin: Found, registry: Registry) -> list[Mistake]:
    try:
        if plugin.child:
            await _check_there(config, entry, plugin)
        else:
            checked(registry.load(plugin.name, plugin.folder, plugin.fingerprint), entry)
    except ConfigError as wrong:
        return wrong.mistakes
    except HubError as refused:
        return [entry.place.mistake(f"{plugin.name} could not be asked: {refused}")]
    return []


async def _check_there(config: HubConfig, entry: InstanceConfig, plugin: Found) -> None:
    child = Child(entry.name, MODULE, _refuse, bounds_of(config.children, entry, Bounds()), plugin.folder)
    try:
        async with asyncio.timeout(LOAD_WITHIN_S):
            await child.start()
            await load_there(child, plugin, entry)
    except TimeoutError:
        raise HubError(f"no answer within {LOAD_WITHIN_S:g} s") from None
    finally:
        await child.stop()


async def _refuse(name: str, args: dict[str, Any], blob: bytes) -> Any:
    raise Denied("the configuration is only checked", where=name)
