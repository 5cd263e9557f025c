"""The composition root: the one file that knows all parts. It builds them, joins them, starts and stops them in order.

Order of a start: journal → state → what was owed → plugins → automations → listeners. A stop is the reverse.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import logging
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from hub.access import demo
from hub.access.accounts import Accounts
from hub.access.audit import Ledger
from hub.access.grants import Grants
from hub.access.heads import Signer
from hub.access.lookups import record_lookups
from hub.access.nightly import Nightly
from hub.access.purposes import Purposes
from hub.access.retention import with_days
from hub.access.roles import Roles
from hub.access.sessions import Sessions
from hub.access.shares import Shares
from hub.access.viewing import RightsGate
from hub.access.views import OwnerGate, Views
from hub.automation.check import Catalogue, check_text
from hub.automation.engine import Engine
from hub.automation.entry import scripts_of, text_of
from hub.automation.gallery import Gallery
from hub.automation.host import live
from hub.automation.language.blueprint import folder_blueprints
from hub.automation.language.model import Source
from hub.automation.library import Library
from hub.automation.replay import Replay, Replayer
from hub.capabilities import EVENT_TYPES, capability_actions
from hub.core.access import SYSTEM, Actor, ViewGate
from hub.core.actions import Actions
from hub.core.clock import Clock, SystemClock
from hub.core.error import Mistake, StorageFailed
from hub.core.event import Draft, EventTypes
from hub.core.ids import Ids
from hub.core.journal import Journal, MemoryJournal
from hub.core.pipeline import Pipeline
from hub.core.system import SYSTEM_TYPES, Fault, HubStarted, HubStopping
from hub.core.text import Text
from hub.host.config import AutomationSource, HubConfig, load
from hub.host.discover import builtin_folder
from hub.host.host import Host
from hub.host.sweep import Sweeper
from hub.host.timekeeping import Timekeeping
from hub.store.documents import Documents
from hub.store.journal_sqlite import SqliteJournal
from hub.store.keys import KeyRing
from hub.store.media import MediaFiles
from hub.store.space import DiskWatch, Level
from hub.web.api_actions import ActionsApi
from hub.web.api_automations import AutomationApi
from hub.web.api_editor import EditorApi
from hub.web.api_evidence import EvidenceApi
from hub.web.api_outbox import OutboxApi
from hub.web.api_shares import SharesApi
from hub.web.api_state import StateApi
from hub.web.api_system import SystemApi
from hub.web.auth import DemoLogin, SessionAuth
from hub.web.guard import Guard
from hub.web.live import LiveApi
from hub.web.mask import Mask
from hub.web.server import Listener, Server
from hub.web.staff import PluginPages
from hub.web.stream import Stream
from hub.web.tls import context as given_tls
from hub.web.tls import own_context

log = logging.getLogger(__name__)

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
DEMO = DemoLogin(demo.USER, demo.PASSWORD)
NAMES_WITHIN_S = 120.0  # so late after a start plugins of slow devices bring in what rules name
CONFIG_ROLE = "operator"  # with whose rights the automations of the configuration file act


@dataclass(frozen=True, slots=True)
class Options:
    """How to run: files, and what the command line overrides. ``memory`` keeps the journal in memory (tests)."""

    config: Path
    data: Path
    host: str | None = None
    port: int | None = None
    memory: bool = False


def version() -> str:
    """The installed version."""
    return importlib.metadata.version("safezone-hub")


class Reloaded(NamedTuple):
    """What a reload did, and what it could not take up; a line each."""

    lines: tuple[str, ...]
    mistakes: tuple[str, ...]


class App:
    """All parts of one hub. ``start`` and ``stop`` once each."""

    def __init__(self, options: Options, *, clock: Clock | None = None, ids: Ids | None = None) -> None:
        self.options = options
        self.clock = clock or SystemClock()
        self.ids = ids or Ids(self.clock)
        self.config: HubConfig = load(options.config)
        self.addresses: list[tuple[str, int]] = []
        options.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._build_core()
        self._build_access()
        self._build_plugins()
        self._build_web()
        self._beside: list[asyncio.Task[None]] = []

    # --- building

    def _build_core(self) -> None:
        data = self.options.data
        self.types = EventTypes((*SYSTEM_TYPES, *EVENT_TYPES))
        self.journal: Journal = MemoryJournal()
        if not self.options.memory:
            keys = KeyRing.open(data / "master.key")
            self.journal = SqliteJournal(data / "journal.db", self.types, keys, self.clock)
        self.pipeline = Pipeline(self.journal, self.types, self.clock, self.ids)
        self.disk = DiskWatch(data)
        self.documents = Documents(data / "documents")
        self.media = MediaFiles(data / "media", self.clock, lambda: self.disk.level)

    def _build_access(self) -> None:
        self.accounts = Accounts(self.options.data, self.clock)
        self.grants = Grants(self.pipeline)
        self.ledger = Ledger(self.pipeline)
        self.shares = Shares(self.pipeline, self.ledger, ZoneInfo(self.config.zone.timezone))
        self.roles = Roles(self.grants, self.shares)
        self.sessions = Sessions(self.pipeline, self.accounts)
        record_lookups(self.pipeline, self.ledger)
        self.signer = Signer(self.options.data, self.clock)
        self.purposes = Purposes(self._incident_is_open)
        keys = self.journal if isinstance(self.journal, SqliteJournal) else None
        upkeep = self.config.upkeep
        self.nightly = Nightly(
            self.pipeline, keys, self.media, with_days(upkeep.retention), ZoneInfo(self.config.zone.timezone), upkeep.at
        )  # fmt: skip
        self.views = Views(self.pipeline, self.shares, self.accounts.behind)
        rights = RightsGate(self.pipeline, self.roles, self.ledger)
        self.gate: ViewGate = OwnerGate(rights, self.views, self.shares)

    def _build_plugins(self) -> None:
        self.actions = Actions(self.pipeline, self.roles)
        self.actions.declare(capability_actions())
        folders = [base / "blueprints" / "automation" for base in (self.options.config.parent, builtin_folder().parent)]
        self.blueprints = folder_blueprints(*folders)
        rules, zone = live(self.pipeline, self.actions, self.roles, self._is_expected), self.config.zone
        self.engine = Engine(
            rules, ZoneInfo(zone.timezone), location=zone.center, blueprints=self.blueprints,
            publisher_now=self._publisher_now,
        )  # fmt: skip
        self.replayer = Replayer(Replay(
            self.journal, self.types, ZoneInfo(zone.timezone), zone.center, self.blueprints,
            action=rules.action, check=self.roles.check, live=lambda name: text_of(self.engine.named(name)),
            scripts=lambda: scripts_of(self.engine.all_entries()),
        ))  # fmt: skip
        self.library = Library(self.options.config, self.pipeline, self.engine, self.catalogue, self.blueprints)
        self.gallery = Gallery(self.blueprints, *folders)
        self.timekeeping = Timekeeping(self.pipeline)
        self.host = Host(self.pipeline, self.actions, self.documents, self.media)
        self._mistakes = self.host.prepare(self.config)

    def _build_web(self) -> None:
        mask = Mask(self.types, self.pipeline.state, self.roles)
        name = self.config.zone.name
        self.demo = self._demo_login()
        auth = SessionAuth(
            self.pipeline, self.accounts, self.sessions, self.purposes, self.ledger, Text(name.th, name.en), self.demo
        )  # fmt: skip
        self.stream = Stream(self.pipeline, mask, auth.watch)
        assert self.host.vision is not None  # noqa: S101  # only tests of the host bring another
        self.live = LiveApi(self.pipeline, self.host.vision, self.gate, auth.watch)
        system = SystemApi(self.pipeline, self.roles, self.host, self._storage, version())
        routes = [
            *auth.routes(),
            *StateApi(self.pipeline, self.roles, mask, self.ledger, self.config.zone.as_data()).routes(),
            *ActionsApi(self.actions).routes(),
            *OutboxApi(self.pipeline, self.actions, mask, self.ledger).routes(),
            *system.routes(),
            *EvidenceApi(
                self.pipeline, self.media, self.ledger, self.signer, self.roles, self.gate, self.views
            ).routes(),
            *AutomationApi(self.pipeline, self.engine, self._check_text).routes(),
            *EditorApi(
                self.pipeline, self.engine, self.library, self.gallery, mask, self.ledger, self.catalogue,
                self.replayer,
            ).routes(),
            *self.stream.routes(),
            *self.live.routes(),
            *SharesApi(self.pipeline, self.shares, self.views).routes(),
            *PluginPages(self.host.routes, self.roles, auth.watch).routes(),
        ]
        proxies = [str(address) for address in self.config.web.proxies]
        self.server = Server(
            routes, Guard(auth, self.roles), self.host.routes, system.summary, version(), proxies=proxies
        )

    def _is_expected(self, action: str) -> bool:
        """Does a plugin that is configured, and not up yet, declare it?"""
        return action in self.host.awaited_actions()

    async def _check_text(self, text: str) -> list[Mistake]:
        known = self.catalogue()
        return await self.library.apart.run(lambda: check_text(text, "draft", known, self.blueprints))

    def _incident_is_open(self, entity: str) -> bool:
        state = self.pipeline.state.get(entity)
        return state is not None and state.domain == "incident" and state.state not in ("closed", "unknown")

    def _demo_login(self) -> DemoLogin | None:
        """The demo's accounts exist while the zone is simulated and the hub listens on loopback, and not otherwise."""
        wanted = self.config.zone.simulated and self._staff_host() in LOOPBACK and not self.config.web.proxies
        demo.set_demo_accounts(self.accounts, wanted)
        return DEMO if wanted else None

    # --- life

    async def start(self) -> None:
        """Start everything; when this returns the hub serves."""
        self.addresses = self.server.bind(*self._listeners())
        public = self.config.web.public
        self.host.routes.address = self.url if public is None else public.url or self._url(1)
        await self.pipeline.start()
        if await self.library.complete():
            self.config = replace(self.config, automations=load(self.options.config).automations)
        self.grants.load()
        self.sessions.load()
        self.ledger.load()
        self.shares.load()
        self.views.load()
        self.actions.resume()
        self.pipeline.on_storage_failure.append(self._lost)
        self.pipeline.armed.clear()  # rules name what plugins bring in, so they are loaded after them
        await self.host.start()
        mistakes = [*self._mistakes, *self._load_automations(self.config)]
        self.engine.resume()
        self.pipeline.armed.set()
        self.pipeline.emit(Draft(HubStarted.type.name, {}, "hub"))
        self._report_mistakes(mistakes)
        await self.server.start()
        jobs = {"disk": self._look_at_disk, "sessions and clock": self._look_around, "retention": self.nightly.look}
        sweeper = Sweeper(self.clock, jobs, self._report)
        self._beside = [asyncio.create_task(work) for work in (sweeper.run(), self._look_at_names())]

    async def stop(self) -> None:
        """Stop in the reverse order; what is open is committed."""
        for task in self._beside:
            task.cancel()
        await self.stream.close()
        await self.live.close()
        await self.server.stop()
        self.pipeline.emit(Draft(HubStopping.type.name, {}, "hub"))
        await self.pipeline.settled()
        self.engine.stop()
        await self.host.stop()
        await self.actions.stop()
        await self.pipeline.stop()
        await asyncio.to_thread(self.journal.close)

    async def reload(self) -> Reloaded:
        """Read the configuration again and change what differs; ``ConfigError`` changes nothing. A file of automations
        with mistakes leaves the others to be taken up."""
        async with self.library.turn:  # a text saved meanwhile would be replaced by the one that was read before
            return await self._reload()

    async def _reload(self) -> Reloaded:
        config = await asyncio.to_thread(load, self.options.config)
        change = await self.host.reload(config)
        before = {row["id"]: row["version"] for row in self.engine.list()}
        mistakes = self._load_automations(config, self.catalogue())
        after = {row["id"]: row["version"] for row in self.engine.list()}
        rules = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
        later = [part for part in ("zone", "web", "upkeep") if getattr(config, part) != getattr(self.config, part)]
        self.config = config
        waits = [f"{' and '.join(later)}: takes effect when the hub is started again"] if later else []
        changed = [f"automations: {', '.join(rules)}"] if rules else []
        told = [*_change_lines(change.as_data()), *changed, *waits]
        return Reloaded(tuple(told), tuple(map(str, mistakes)))

    def _load_automations(self, config: HubConfig, now: Catalogue | None = None) -> list[Mistake]:
        """Load them all. At the start a name that is not known does not hold a rule back (its plugin may come later);
        everything else that is wrong does. ``now``: later, so does that, and what works goes on as it was."""
        publisher = Actor("config", frozenset({CONFIG_ROLE}))
        sources = [Source(padded(one), one.file, publisher, one.wrong) for one in config.automations]
        return self.engine.load(sources, now)

    async def _look_at_names(self) -> None:
        """Tell once of names in rules that no plugin has brought in."""
        await self.clock.sleep(NAMES_WITHIN_S)
        texts, known = [(padded(one), one.file) for one in self.config.automations], self.catalogue()
        told = [mistake for found in self.engine.mistakes().values() for mistake in found]
        for text, file in texts:
            found = await asyncio.to_thread(check_text, text, file, known, self.blueprints)
            self._report_mistakes([mistake for mistake in found if mistake not in told])

    def _report_mistakes(self, mistakes: Iterable[Mistake]) -> None:
        for mistake in mistakes:
            self._report(Fault(where=f"{mistake.file}:{mistake.line}:{mistake.column}", message=mistake.words))

    def catalogue(self) -> Catalogue:
        """What automations may name now."""
        return Catalogue(
            {entity.entity: entity.attributes.get("capabilities") or () for entity in self.pipeline.state},
            {spec.name: spec for spec in self.actions.specs()},
            {kind.name: kind for kind in self.types},
        )

    def _publisher_now(self, publisher: Actor) -> Actor | None:
        """A publisher with the rights of this moment; whoever may write the configuration file keeps theirs."""
        kind, _, name = publisher.id.partition(":")
        if kind != "user":
            return publisher
        account = self.accounts.get(name)
        return None if account is None or account.disabled else account.actor()

    def _report(self, fault: Fault) -> None:
        kind = type(fault).type
        self.pipeline.emit(Draft(kind.name, fault.model_dump(mode="json"), SYSTEM.id))

    async def _look_around(self) -> None:
        self.sessions.sweep()
        if self.config.upkeep.clock:
            self.timekeeping.look()

    async def _look_at_disk(self) -> None:
        before = self.disk.level
        if await asyncio.to_thread(self.disk.check) != before:
            self._report(Fault(where="disk", message=f"the disk is at level {self.disk.level.name.lower()}"))

    def _storage(self) -> dict[str, Any]:
        level = self.disk.level
        return {"level": level.name.lower(), "well": level is Level.OK, "free_mb": self.disk.free >> 20}

    def _lost(self, failed: StorageFailed) -> None:
        """A commit failed: give the reserve back to the disk, so that the next one finds room, and say it."""
        self.disk.release()
        self._report(Fault(where="journal", message=str(failed), hint="free some space on the disk"))

    # --- listening

    def _staff_host(self) -> str:
        return self.options.host or self.config.web.host

    def _listeners(self) -> tuple[Listener, Listener | None]:
        web = self.config.web
        port = web.port if self.options.port is None else self.options.port
        staff = Listener(self._staff_host(), port, self._tls(self._staff_host()))
        if web.public is None:
            return staff, None
        return staff, Listener(web.public.host, web.public.port, self._tls(web.public.host))

    def _tls(self, host: str) -> ssl.SSLContext | None:
        tls = self.config.web.tls
        if tls != "auto":
            base = self.options.config.parent
            return given_tls(base / tls.cert, base / tls.key)
        return None if host in LOOPBACK else own_context(self.options.data / "tls", host, self.clock, self._own_names())

    def _own_names(self) -> list[str]:
        public = self.config.web.public
        named = urlsplit(public.url or "").hostname if public is not None else None
        return [named] if named else []

    @property
    def url(self) -> str:
        """The staff listener's address."""
        return self._url(0)

    def _url(self, listener: int) -> str:
        host, port = self.addresses[listener]
        scheme = "http" if host in LOOPBACK and self.config.web.tls == "auto" else "https"
        return f"{scheme}://{host}:{port}"


def padded(source: AutomationSource) -> str:
    """The text with the lines before it left empty, so that a mistake's line is the file's."""
    return "\n" * (source.line - 1) + source.text


def _change_lines(change: dict[str, list[str]]) -> list[str]:
    return [f"{what}: {', '.join(names)}" for what, names in change.items() if names and what != "unchanged"]
