"""``Host``: all instances. Starts them together, supervises, reloads what changed, says how each is."""

from __future__ import annotations

import asyncio
import hashlib
import os
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from hub.core.actions import Actions
from hub.core.documents import Documents, Media
from hub.core.error import ConfigError, Mistake, NotFound
from hub.core.event import Draft, EventType
from hub.core.journal import Drop, Put
from hub.core.pipeline import Pipeline
from hub.core.system import EntityRemoved
from hub.host.attempt import Attempt, LocalAttempt
from hub.host.check import missing, no_plugin
from hub.host.child import ChildAttempt, bounds_of
from hub.host.claims import Claims
from hub.host.config import HubConfig, InstanceConfig
from hub.host.context import LocalContext
from hub.host.discover import Discovery, Found, builtin_folder, discover
from hub.host.entities import Entities
from hub.host.heartbeat import Heartbeat
from hub.host.instance import Instance
from hub.host.parts import Parts, VideoService
from hub.host.pdf import Pdf
from hub.host.process import Bounds
from hub.host.processes import usage
from hub.host.registry import Registry
from hub.host.reload import Change, changes, replace_all
from hub.host.routes import Routes
from hub.host.scope import track_tasks
from hub.host.services import Services
from hub.host.settings import Children
from hub.host.vision import Vision
from hub.host.watchdog import Watchdog
from hub.host.wordlists import HostWordList

TABLE = "instances"  # with which settings each instance last ran
FIRST_WITHIN_S = 5.0


class Host:
    """Build it with the parts, ``prepare`` the configuration before the pipeline starts (event types of plugins are
    needed for the replay), then ``start``.

    ``builtin``: the folder of the plugins that came with the hub (this installation's). ``installed``: look at entry
    points too.
    ``video``: instead of the vision process. ``bounds``: times within which children must give signs of life.
    """

    def __init__(
        self, pipeline: Pipeline, actions: Actions, documents: Documents, media: Media, *,
        builtin: Path | None = None, installed: bool = True, video: VideoService | None = None,
        bounds: Bounds | None = None,
    ) -> None:  # fmt: skip
        self.pipeline = pipeline
        self.claims = Claims()
        self.routes = Routes(pipeline.clock, self.claims)
        self.vision = Vision(media, pipeline.clock, pipeline.ids) if video is None else None
        self.entities = Entities(pipeline)
        services = Services(self.claims)
        self._parts = Parts(
            pipeline, actions, documents, media, self.claims, self.entities, self.routes, services,
            video or self.vision,  # type: ignore[arg-type]  # one of the two is there
            Pdf(), partial(HostWordList, self.vision),
        )  # fmt: skip
        self._builtin, self._installed, self._bounds = builtin or builtin_folder(), installed, bounds or Bounds()
        self.instances: dict[str, Instance] = {}
        self.discovery = Discovery()
        self.config: HubConfig | None = None
        self.schemas: dict[str, dict[str, Any]] = {}  # of plugins' settings, as far as they were loaded
        self._registry = Registry()
        self._digests: dict[str, str] = {}
        self._watchdog = Watchdog(self._blocked)
        self._heartbeat = Heartbeat(pipeline, self.instances)
        self._reloading = asyncio.Lock()

    # --- life

    def prepare(self, config: HubConfig) -> list[Mistake]:
        """Find the plugins and make their event types known. The mistakes of single instances and plugins."""
        self.config = config
        self.discovery = self._discover(config)
        self._declare(self.discovery)
        return [*config.mistakes, *self.discovery.mistakes, *missing(config, self.discovery)]

    async def start(self) -> None:
        """Begin all instances at once; returns when each is running, failed or retrying, at the latest after 5 s."""
        if self.config is None:
            raise RuntimeError("Host.prepare(config) comes before start()")
        track_tasks(asyncio.get_running_loop())
        self.entities.load()
        self._digests = dict(self.pipeline.journal.records(TABLE))
        self._forget_unconfigured(self.config)
        for entry in self.config.instances:
            if entry.enabled:
                self.instances[entry.name] = self._build(entry, self.discovery)
                self.instances[entry.name].start()
        self._watchdog.start(self._folders())
        self._heartbeat.start()
        firsts = [instance.first for instance in self.instances.values()]
        if firsts:
            await asyncio.wait(firsts, timeout=FIRST_WITHIN_S)

    async def stop(self) -> None:
        """Unload all."""
        self._watchdog.stop()
        self._heartbeat.stop()
        await asyncio.gather(*(instance.stop() for instance in self.instances.values()))
        if self.vision is not None:
            await self.vision.stop()

    async def restart(self, name: str) -> str:
        """Stop one instance and begin it again; its state after the first attempt (5 s at most)."""
        async with self._reloading:
            old = self.instances.get(name)
            if old is None:
                raise NotFound(f"no instance {name!r}", where=name)
            await old.stop()
            new = self.instances[name] = self._build(old.config, self.discovery)
            new.start()
        await asyncio.wait([new.first], timeout=FIRST_WITHIN_S)
        return new.state

    def awaited_actions(self) -> set[str]:
        """Own actions of the plugins that are configured and not up yet."""
        found = self.discovery.found
        late = [one.config.plugin for one in self.instances.values() if one.state in ("starting", "retrying")]
        return {table.name for name in late if name in found for table in found[name].manifest.actions}

    async def reload(self, config: HubConfig) -> Change:
        """Change over to a new configuration: what changed in it is replaced, new before old unless exclusive.

        ``ConfigError`` when anything in it is wrong, ``Unavailable`` when a new version does not start: then all is
        as it was before.
        """
        async with self._reloading:
            found = self._discover(config)
            wrong = [*config.mistakes, *found.mistakes, *missing(config, found)]
            if wrong:
                raise ConfigError(wrong)
            self._declare(found)
            configs = {entry.name: entry for entry in config.instances if entry.enabled}
            change = changes(self.instances, configs, found)
            await replace_all(self.instances, change, lambda name: self._build(configs[name], found))
            self.config, self.discovery = config, found
            self._forget_unconfigured(config)
            self._watchdog.watch(self._folders())
            return change

    # --- how it is

    def health(self) -> list[dict[str, Any]]:
        """One row an instance, as ``GET /api/health`` shows it."""
        return [self._row(instance) for _, instance in sorted(self.instances.items())]

    def _row(self, instance: Instance) -> dict[str, Any]:
        manifest = instance.found.manifest if instance.found else None
        title = manifest.title.model_dump() if manifest else {"th": instance.name, "en": instance.name}
        return {
            "plugin": instance.config.plugin, "instance": instance.name, "state": instance.state,
            "reason": instance.reason, "last_event_at": instance.last_event_at,
            "last_sign": instance.last_sign, "silent_after_s": instance.silent_after, "silent": instance.silent,
            "title": title, "isolation": "child" if instance.found and instance.found.child else "process",
            "quality": manifest.quality if manifest else None, "faults": instance.faults,
            "section": manifest.section if manifest else None,
        }  # fmt: skip

    def describe(self) -> list[dict[str, Any]]:
        """The same with description, views and the JSON Schema of its settings (``None`` until it was loaded)."""
        rows = []
        for row in self.health():
            instance = self.instances[row["instance"]]
            manifest = instance.found.manifest if instance.found else None
            rows.append(row | {
                "description": manifest.description.model_dump() if manifest else None,
                "views": [view.model_dump() for view in manifest.views] if manifest else [],
                "schema": self.schemas.get(row["plugin"]), "restartable": manifest is not None,
            })  # fmt: skip
        return rows

    def processes(self) -> list[dict[str, Any]]:
        """What the hub and its children use, as ``GET /api/health`` shows it."""
        pids: list[tuple[str, int]] = [("hub", os.getpid())]
        if self.vision is not None and self.vision.pid is not None:
            pids.append(("vision", self.vision.pid))
        for name, instance in sorted(self.instances.items()):
            if instance.attempt is not None and (pid := instance.attempt.pid()) is not None:
                pids.append((name, pid))
        return [row for name, pid in pids if (row := usage(name, pid)) is not None]

    # --- inside

    def _discover(self, config: HubConfig) -> Discovery:
        return discover(config.plugin_folders, self._builtin, self._installed)

    def _declare(self, discovery: Discovery) -> None:
        """Make the plugins' event types known; a plugin that claims another's type is not used."""
        claimed: dict[str, str] = {}
        for name, found in list(discovery.found.items()):
            kinds = found.manifest.types()
            taken = next((kind.name for kind in kinds if self._taken(kind, name, claimed)), None)
            if taken is not None:
                words = f"the event type {taken!r} is already declared elsewhere; choose another name"
                discovery.mistakes.append(Mistake(str(found.folder / "plugin.toml"), 1, 1, words))
                del discovery.found[name]
                continue
            for kind in kinds:
                claimed[kind.name] = name
                self.pipeline.types.add(kind)
        self._claimed = claimed

    def _taken(self, kind: EventType, plugin: str, claimed: dict[str, str]) -> bool:
        owner = claimed.get(kind.name) or getattr(self, "_claimed", {}).get(kind.name)
        return owner != plugin and (owner is not None or self.pipeline.types.get(kind.name) is not None)

    def _build(self, entry: InstanceConfig, discovery: Discovery) -> Instance:
        found = discovery.found.get(entry.plugin)
        if entry.mistakes or found is None:
            words = [*map(str, entry.mistakes)] or [str(entry.place.mistake(no_plugin(entry.plugin, discovery)))]
            self._unserved(entry.name, "its plugin cannot start")
            return Instance(self.pipeline, entry, found, None, self._on_ready, "\n".join(words))
        return Instance(self.pipeline, entry, found, lambda me: self._attempt(me, found), self._on_ready)

    def _attempt(self, instance: Instance, found: Found) -> Attempt:
        ctx = LocalContext(self._parts, found.manifest, instance.name, found.folder, instance)
        if found.child:
            children = self.config.children if self.config is not None else Children()
            bounds = bounds_of(children, instance.config, self._bounds)
            return ChildAttempt(found, instance.config, ctx, instance, bounds)
        return LocalAttempt(found, instance.config, ctx, self._registry)

    def _on_ready(self, instance: Instance, attempt: Attempt) -> None:
        """A set-up succeeded: what a changed configuration no longer brings goes."""
        if attempt.schema is not None:
            self.schemas[instance.config.plugin] = attempt.schema
        digest = _digest(instance.config)
        changed = self._digests.get(instance.name) != digest
        attempt.ctx.drop_missing(remove=changed)
        if changed:
            self._digests[instance.name] = digest
            self.pipeline.put(Put(TABLE, instance.name, digest, sealed="operational"))

    def _forget_unconfigured(self, config: HubConfig) -> None:
        """Entities of instances that are configured no more go, and their own."""
        names = {entry.name for entry in config.instances}
        enabled = {entry.name for entry in config.instances if entry.enabled}
        for instance in names - enabled:
            self._unserved(instance, "its plugin is switched off")
        for instance in self.entities.owners() - names:
            for entity in self.entities.of(instance):
                self.entities.remove(entity, instance, "its plugin is configured no more")
        for state in [state for state in self.pipeline.state if state.domain == "plugin"]:
            if state.entity.partition(".")[2] not in enabled:
                gone = EntityRemoved(reason="configured no more").model_dump()
                self.pipeline.emit(Draft("entity_removed", gone, "hub", state.entity))
        for name in self._digests.keys() - names:
            del self._digests[name]
            self.pipeline.put(Drop(TABLE, name))

    def _unserved(self, instance: str, reason: str) -> None:
        for entity in self.entities.of(instance):
            self.entities.unavailable(entity, instance, reason)

    def _folders(self) -> list[tuple[Path, str]]:
        return [(found.folder, name) for name, found in self.discovery.found.items()]

    def _blocked(self, plugin: str | None, words: str) -> None:
        """The watchdog saw the loop stand still, in a plugin's code or elsewhere."""
        if plugin is None:
            self.pipeline.emit(Draft("fault", {"where": "hub", "message": words, "hint": ""}, "hub"))
        for instance in self.instances.values():
            if instance.config.plugin == plugin and instance.attempt is not None:
                instance.blocked(words)


def _digest(entry: InstanceConfig) -> str:
    data = orjson.dumps([entry.plugin, entry.config], option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return hashlib.sha256(data).hexdigest()
