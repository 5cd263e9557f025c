"""From one configuration to the next: what changed is replaced, the new before the old unless it is exclusive; when a
new version does not start, all is as it was."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from hub.core.error import ConfigError, Unavailable
from hub.host.config import InstanceConfig
from hub.host.discover import Discovery
from hub.host.instance import Instance

FIRST_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Change:
    """Names of instances by what becomes of them."""

    started: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()

    def as_data(self) -> dict[str, list[str]]:
        """JSON form."""
        return {
            "started": list(self.started), "stopped": list(self.stopped), "replaced": list(self.replaced),
            "unchanged": list(self.unchanged),
        }  # fmt: skip


def changes(running: Mapping[str, Instance], configs: Mapping[str, InstanceConfig], found: Discovery) -> Change:
    """What differs: the entry itself, or the plugin's files."""
    both = [name for name in configs if name in running]
    same = [name for name in both if _same(running[name], configs[name], found)]
    return Change(
        tuple(name for name in configs if name not in running),
        tuple(name for name in running if name not in configs),
        tuple(name for name in both if name not in same),
        tuple(same),
    )


def _same(instance: Instance, config: InstanceConfig, found: Discovery) -> bool:
    new = found.found.get(config.plugin)
    old = instance.found
    return instance.config == config and old is not None and new is not None and old.fingerprint == new.fingerprint


async def replace_all(instances: dict[str, Instance], change: Change, build: Callable[[str], Instance]) -> None:
    """Carry the change out in ``instances``; ``ConfigError`` or ``Unavailable`` after everything was
    put back."""
    fresh = {name: build(name) for name in change.replaced}
    before: dict[str, Instance] = {name: instances[name] for name in fresh}
    exclusive = [name for name in fresh if _exclusive(before[name]) or _exclusive(fresh[name])]
    await asyncio.gather(*(before[name].stop(silent=True) for name in exclusive))
    for instance in fresh.values():
        instance.start(probe=True)
    if fresh:
        await asyncio.wait([instance.first for instance in fresh.values()], timeout=FIRST_WITHIN_S)
    bad = {name: new for name, new in fresh.items() if not (new.first.done() and new.first.result())}
    if bad:
        mistakes = [mistake for new in bad.values() for mistake in new.mistakes]
        reasons = "; ".join(f"{name}: {instance.reason or 'no end of its set-up'}" for name, instance in bad.items())
        await asyncio.gather(*(instance.stop(silent=True) for instance in fresh.values()))
        for name in exclusive:
            instances[name] = before[name].again()
            instances[name].start()
        for name in fresh.keys() - set(exclusive):
            before[name].restore()
        if mistakes:
            raise ConfigError(mistakes)
        raise Unavailable(f"nothing was changed: {reasons}", where="reload", hint="mend it and reload again")
    await asyncio.gather(*(before[name].stop(silent=True) for name in fresh if name not in exclusive))
    instances.update(fresh)
    for instance in fresh.values():
        instance.adopt()
    await asyncio.gather(*(instances.pop(name).stop() for name in change.stopped))
    for name in change.started:
        instances[name] = build(name)
        instances[name].start()
    firsts = [instances[name].first for name in change.started]
    if firsts:
        await asyncio.wait(firsts, timeout=FIRST_WITHIN_S)


def _exclusive(instance: Instance) -> bool:
    return instance.found is not None and instance.found.manifest.exclusive
