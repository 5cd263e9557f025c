"""Real parts on a journal in memory, and tiny plugins written into a folder of the test's own."""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from hub.capabilities import EVENT_TYPES, capability_actions
from hub.core.access import Actor
from hub.core.actions import Actions, Request
from hub.core.bus import Subscription
from hub.core.clock import SystemClock
from hub.core.event import Event, EventTypes
from hub.core.ids import Ids
from hub.core.journal import MemoryJournal, Query
from hub.core.pipeline import Pipeline
from hub.core.state import EntityState
from hub.core.system import SYSTEM_TYPES
from hub.host.config import HubConfig, load
from hub.host.host import Host
from hub.host.process import Bounds
from hub.sdk.context import WebRequest, WebResponse
from hub.store.media import MediaFiles

WITHIN_S = 20.0


class MemoryDocuments:
    """Documents that live as long as the test."""

    def __init__(self) -> None:
        self.all_of: dict[str, dict[str, dict[str, Any]]] = {}

    async def get(self, collection: str, key: str) -> dict[str, Any] | None:
        return self.all_of.get(collection, {}).get(key)

    async def put(self, collection: str, key: str, value: Mapping[str, Any]) -> None:
        self.all_of.setdefault(collection, {})[key] = dict(value)

    async def delete(self, collection: str, key: str) -> None:
        self.all_of.get(collection, {}).pop(key, None)

    async def all(self, collection: str) -> dict[str, dict[str, Any]]:
        return dict(self.all_of.get(collection, {}))


class AllowAll:
    """Rights are tested with ``hub.access``."""

    def check(self, actor: Actor, right: str, entity: EntityState | None = None) -> None:
        return


class Bench:
    """A hub without web and store, and a folder ``partners`` of plugins that run in children, ``plugins`` that do
    not."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = MemoryJournal()
        self.types = EventTypes([*SYSTEM_TYPES, *EVENT_TYPES])
        clock = SystemClock()
        self.pipeline = Pipeline(self.journal, self.types, clock, Ids(clock))
        self.actions = Actions(self.pipeline, AllowAll())
        self.actions.declare(capability_actions())
        self.documents, self.media = MemoryDocuments(), MediaFiles(folder / "media", clock)
        self.host: Host
        self._changed = asyncio.Event()
        for name in ("plugins", "partners"):
            (folder / name).mkdir(exist_ok=True)

    def plugin(self, name: str, code: str, *, where: str = "plugins", toml: str = "") -> Path:
        """Write a plugin; ``code`` may use everything of ``hub.sdk`` and ``asyncio``."""
        folder = self.folder / where / name
        folder.mkdir(exist_ok=True)
        (folder / "plugin.toml").write_text(
            f'name = "{name}"\napi = 1\ntitle = {{ th = "{name}", en = "{name}" }}\n'
            f'description = {{ th = "{name}", en = "{name}" }}\n{textwrap.dedent(toml)}'
        )
        head = "import asyncio\nfrom pydantic import Field\nfrom hub.sdk import *\n"
        (folder / "__init__.py").write_text(head + textwrap.dedent(code))
        return folder

    def config(self, *entries: str, more: str = "") -> HubConfig:
        """A configuration whose ``plugins:`` are the given lines of YAML."""
        listed = "".join(f"  - {entry}\n" for entry in entries) or "  []\n"
        (self.folder / "config.yaml").write_text(
            "zone: {name: test, center: [17.0, 99.8]}\nplugin_folders: [partners]\n" + more + "plugins:\n" + listed
        )
        return load(self.folder / "config.yaml")

    def build(self, bounds: Bounds | None = None, **kwargs: Any) -> Host:
        self.host = Host(
            self.pipeline, self.actions, self.documents, self.media, builtin=self.folder / "plugins",
            installed=False, bounds=bounds, **kwargs,
        )  # fmt: skip
        return self.host

    async def start(self, config: HubConfig, bounds: Bounds | None = None, **kwargs: Any) -> Host:
        host = self.build(bounds, **kwargs)
        host.prepare(config)
        await self.pipeline.start()
        self.pipeline.committed.add(Subscription(lambda *_: self._changed.set()))
        await host.start()
        return host

    async def stop(self) -> None:
        if hasattr(self, "host"):
            await self.host.stop()
        await self.actions.stop()
        await self.pipeline.stop()

    async def until(self, what: Callable[[], Any], within: float = WITHIN_S) -> Any:
        """Wait until ``what()`` is true, looking after each commit."""
        async with asyncio.timeout(within):
            while not (found := what()):
                self._changed.clear()
                await self._changed.wait()
        return found

    def events(self, type: str | None = None, **query: Any) -> list[Event]:
        return self.journal.read(Query(type=type, limit=10_000, **query))

    def row(self, name: str) -> dict[str, Any]:
        return next(row for row in self.host.health() if row["instance"] == name)

    def states_of(self, name: str) -> list[tuple[str, str]]:
        """What the instance went through."""
        found = self.events("instance_changed", entity=f"plugin.{name}")
        return [(event.data["state"], event.data["reason"]) for event in found]

    async def web(self, instance: str, request: WebRequest) -> WebResponse:
        """What the public listener would be answered."""
        served = self.host.routes.admit(instance, request.method, request.path, request.remote)
        return served if isinstance(served, WebResponse) else await self.host.routes.ask(served, request)

    async def call(self, action: str, target: str | None = None, **params: Any) -> Any:
        actor = Actor("user:test", person=True)
        return await self.actions.call(Request(action, params, actor, target))


async def eventually(what: Callable[[], Any], within: float = WITHIN_S) -> None:
    """Wait until ``what()`` is true, for what no event tells."""
    deadline = asyncio.get_running_loop().time() + within
    while not what():
        assert asyncio.get_running_loop().time() < deadline, "it did not come"
        await asyncio.sleep(0.01)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path)
    yield made
    await made.stop()
