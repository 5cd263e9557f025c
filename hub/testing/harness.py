"""One plugin in the real hub: pipeline, actions, host and web, with a journal in memory and nothing simulated."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypeVar

from hub.app import App, Options
from hub.core.access import Actor
from hub.core.action import Outcome
from hub.core.actions import Request
from hub.core.bus import Subscription
from hub.core.clock import Clock
from hub.core.error import NotFound
from hub.core.event import Draft, Event, EventData
from hub.core.journal import Query
from hub.core.state import EntityState
from hub.host.discover import builtin_folder
from hub.host.instance import Instance
from hub.sdk.manifest import load_manifest

Isolation = Literal["process", "child"]
T = TypeVar("T")
WITHIN_S = 5.0
MANY = 10_000


class _App(App):
    """The hub with one plugin's isolation chosen by the test."""

    def __init__(self, options: Options, plugin: str, isolation: Isolation | None, clock: Clock | None) -> None:
        self._plugin, self._isolation = plugin, isolation
        super().__init__(options, clock=clock)

    def _build_plugins(self) -> None:
        super()._build_plugins()
        found = self.host.discovery.found[self._plugin]
        wanted = self._isolation or found.manifest.isolation
        manifest = found.manifest.model_copy(update={"isolation": wanted})
        self.host.discovery.found[self._plugin] = replace(found, manifest=manifest, builtin=wanted == "process")


class Harness:
    """A hub that runs one plugin instance. Made by ``harness``."""

    def __init__(self, app: App, instance: str) -> None:
        self.app, self.instance = app, instance
        self._changed = asyncio.Event()
        app.pipeline.committed.add(Subscription(lambda *_: self._changed.set()))

    # --- what is

    @property
    def port(self) -> int:
        """The port on loopback that serves ``/hook/INSTANCE/…`` and the API."""
        return int(self.app.addresses[0][1])

    def hook(self, path: str) -> str:
        """The address of one of the instance's routes."""
        return f"http://127.0.0.1:{self.port}/hook/{self.instance}/{path.strip('/')}"

    @property
    def supervised(self) -> Instance:
        """The instance: its ``state`` (running, retrying, failed, stopped), ``reason`` and ``faults``."""
        return self.app.host.instances[self.instance]

    def state(self, entity: str) -> EntityState | None:
        """One entity's state."""
        return self.app.pipeline.state.get(entity)

    def entities(self) -> list[EntityState]:
        """What the instance brought in, by id."""
        found = [one for one in self.app.pipeline.state if one.attributes.get("instance") == self.instance]
        return sorted((one for one in found if one.domain != "plugin"), key=lambda one: one.entity)

    def events(self, type: str | None = None, *, entity: str | None = None) -> list[Event]:
        """Committed events from the start on, in order."""
        return self.app.pipeline.journal.read(Query(type=type, entity=entity, limit=MANY))

    # --- waiting

    async def until(self, what: Callable[[], T | None], timeout: float = WITHIN_S) -> T:
        """What ``what()`` answers as soon as it is true, looked at after each commit. ``AssertionError`` when late."""
        try:
            async with asyncio.timeout(timeout):
                while not (found := what()):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"not within {timeout:g} s; {self._seen()}") from None
        return found

    async def wait_event(
        self, type: str, *, entity: str | None = None, match: Mapping[str, Any] | None = None, after: int = 0,
        timeout: float = WITHIN_S,
    ) -> Event:  # fmt: skip
        """The first event of the type (about ``entity``, with the fields of ``match``) whose sequence number is over
        ``after``; one that was there already counts. ``AssertionError`` when none comes within ``timeout`` seconds."""
        query = Query(type=type, entity=entity, match=dict(match or {}), after=after, limit=1)
        about = f" of {entity}" if entity else ""
        try:
            return (await self.until(lambda: self.app.pipeline.journal.read(query), timeout))[0]
        except AssertionError as late:
            raise AssertionError(f"no {type}{about} {late}") from None

    def _seen(self) -> str:
        kinds = [f"{event.seq} {event.type} {event.entity or ''}".rstrip() for event in self.events()[-20:]]
        state = f"{self.instance} is {self.supervised.state} {self.supervised.reason}".rstrip()
        return f"{state}; the last events: {', '.join(kinds) or 'none'}"

    # --- doing

    async def call(
        self, action: str, target: str | None = None, params: Mapping[str, Any] | None = None, *,
        roles: Iterable[str] | None = None, key: str | None = None,
    ) -> Outcome:  # fmt: skip
        """Ask for an action as a person, and wait for its outcome. With ``roles`` the real rights of these decide;
        without, everything is allowed. Raises what the door raises: ``NotFound``, ``InvalidInput``, ``Denied``."""
        request = Request(action, dict(params or {}), self.person(roles), target, key=key)
        return await self.app.actions.call(request)

    async def confirm(self, asked: Outcome, yes: bool = True, *, roles: Iterable[str] | None = None) -> Outcome:
        """Answer the confirmation that a dangerous action waits for; its outcome."""
        if asked.confirmation is None:
            raise AssertionError(f"nothing is to be confirmed: the outcome is {asked.status}")
        return await self.app.actions.answer(asked.confirmation, self.person(roles), yes)

    @staticmethod
    def person(roles: Iterable[str] | None = None) -> Actor:
        """Who asks: with these roles, or with every right."""
        if roles is None:
            return Actor("user:test", grants=frozenset({"*"}), person=True)
        return Actor("user:test", roles=frozenset(roles), person=True)

    async def emit(
        self, data: EventData | str, fields: Mapping[str, Any] | None = None, *, entity: str | None = None,
        at: float | None = None,
    ) -> Event:  # fmt: skip
        """An event as the hub itself brings it (another plugin's, the core's): typed data, or a name and ``fields``."""
        name = data if isinstance(data, str) else data.type.name
        kind = self.app.pipeline.types.need(name)
        values = kind.validate(fields or {}) if isinstance(data, str) else data.model_dump(mode="json")
        return await self.app.pipeline.submit(Draft(name, values, "hub", entity, at))

    async def unload(self) -> None:
        """Stop the instance, as a reload does; the hub goes on."""
        await self.supervised.stop()

    async def restart(self) -> str:
        """Stop the instance and begin it again; its state."""
        return await self.app.host.restart(self.instance)


@asynccontextmanager
async def harness(
    folder: Path, config: Mapping[str, Any] | None = None, *, isolation: Isolation | None = None,
    beside: Sequence[Mapping[str, Any]] = (), name: str | None = None, clock: Clock | None = None,
    running: bool = True, memory: bool = True,
) -> AsyncIterator[Harness]:  # fmt: skip
    """A hub that runs the plugin in ``folder`` with ``config``, until the block ends.

    ``isolation``: in the hub's process or in a child, whatever ``plugin.toml`` says. ``beside``: further entries of
    ``plugins:`` that it works with. ``running``: the set-up must succeed, else ``AssertionError`` with the reason.
    ``memory``: the journal is in memory; without, it is a file, and each commit takes a turn of the loop.
    ``ConfigError`` when ``plugin.toml`` is wrong.
    """
    manifest = load_manifest(folder)
    instance = name or manifest.name
    with tempfile.TemporaryDirectory(prefix="hub-test-") as temporary:
        home = Path(temporary)
        entry = {"plugin": manifest.name, "name": instance, "config": dict(config or {})}
        _write_config(home, folder, [entry, *beside])
        app = _App(Options(home / "config.yaml", home / "data", memory=memory), manifest.name, isolation, clock)
        made = Harness(app, instance)
        try:
            await app.start()
            supervised = made.supervised
            if running and supervised.state != "running":
                raise AssertionError(f"{instance} is {supervised.state}: {supervised.reason}")
            yield made
        finally:
            await app.stop()


def _write_config(home: Path, folder: Path, entries: list[Mapping[str, Any]]) -> None:
    """A configuration in JSON, which is YAML too. A plugin that did not come with the hub is linked to, alone."""
    folder = folder.resolve()
    whole: dict[str, Any] = {
        "zone": {"name": "test", "center": [17.0, 99.8]}, "web": {"port": 0}, "plugins": entries,
    }  # fmt: skip
    if folder.parent != builtin_folder().resolve():
        if (builtin_folder() / folder.name / "plugin.toml").is_file():
            raise NotFound(f"a plugin {folder.name!r} came with the hub", where=str(folder), hint="choose another name")
        (home / "plugins").mkdir()
        (home / "plugins" / folder.name).symlink_to(folder)
        whole["plugin_folders"] = ["plugins"]
    (home / "config.yaml").write_text(json.dumps(whole, ensure_ascii=False))
