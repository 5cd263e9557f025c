"""``hub check``: every mistake of a configuration as ``file:line:column: words``, without starting anything."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub.cli import options
from hub.core.error import ConfigError, Mistake

if TYPE_CHECKING:
    from hub.automation.check import Catalogue
    from hub.host.config import HubConfig
    from hub.host.discover import Discovery

# Domains whose entities are configured, for "did you mean", and those whose entities come and go.
LASTING = (
    "camera", "drone", "unit", "plugin", "line", "webhook", "counter", "timer", "schedule", "input_boolean",
    "input_number", "input_select", "input_text", "input_datetime",
)  # fmt: skip
PASSING = frozenset({"alarm", "confirmation", "hit", "incident"})


def add(commands: options.Commands) -> None:
    """Declare the command."""
    parser = options.command(commands, "check", _check, "name every mistake of a configuration, or of automation files")
    options.config(parser, required=False)
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="automations, scripts or a blueprint")
    words = "let entities and actions of domains pass that the hub does not have (files of Home Assistant)"
    parser.add_argument("--lenient", action="store_true", help=words)
    parser.set_defaults(usage=parser.error)


def _check(given: argparse.Namespace) -> int:
    if given.config is None and not given.files:
        given.usage("name --config FILE, or files of automations")
    found = mistakes(given.config) if given.config is not None and not given.files else []
    for path in given.files:
        found += file_mistakes(path, given.config, lenient=given.lenient)
    for mistake in found:
        print(mistake)
    for words in warnings(given.config) if given.config is not None and not found else ():
        print(f"{given.config}: warning: {words}")
    return 1 if found else 0


def warnings(path: Path) -> list[str]:
    """What will not work for somebody, though the hub would start with it."""
    from urllib.parse import urlsplit

    from hub.host.config import load
    from hub.web.tls import names_host

    web = load(path).web
    address = urlsplit(web.public.url or "") if web.public is not None else None
    if address is None or address.scheme != "https" or web.tls == "auto" or web.proxies:
        return []  # the hub's own certificate names it; behind a proxy phones see the proxy's
    certificate, host = path.parent / web.tls.cert, address.hostname or ""
    try:
        fits = names_host(certificate, host)
    except (OSError, ValueError) as wrong:
        return [f"web.tls: {web.tls.cert} cannot be read: {wrong}"]
    return [] if fits else [f"web.tls: {web.tls.cert} does not name {host!r} of web.public.url: phones will refuse it"]


def mistakes(path: Path) -> list[Mistake]:
    """All of them, in the order of the files: the configuration itself, the plugins' manifests and settings, and the
    automations. The code of plugins that came with the hub is imported, that of others is not."""
    from hub.host.config import load
    from hub.host.discover import builtin_folder, discover

    try:
        config = load(path)
    except ConfigError as wrong:
        return wrong.mistakes
    plugins = discover(config.plugin_folders, builtin_folder())
    found = [*config.mistakes, *plugins.mistakes, *_instances(config, plugins), *_automations(config, plugins)]
    return sorted(dict.fromkeys(found), key=lambda one: (one.file, one.line, one.column))


def file_mistakes(path: Path, config: Path | None = None, *, lenient: bool = False) -> list[Mistake]:
    """All mistakes of one file of automations, or of a blueprint. Without a configuration entities are not known, so
    any of a known domain passes."""
    from hub.automation.check import check_text
    from hub.automation.language.blueprint import folder_blueprints
    from hub.host.config import load
    from hub.host.discover import builtin_folder, discover

    found = discover([], builtin_folder())
    bases = [path.parent, builtin_folder().parent]
    known: Catalogue | AnyEntity
    if config is not None:
        loaded = load(config)
        found = discover(loaded.plugin_folders, builtin_folder())
        known, bases = catalogue(loaded, found), [loaded.path.parent, *bases]
    else:
        known = AnyEntity(vocabulary(found))
    blueprints = folder_blueprints(*(base / "blueprints" / "automation" for base in bases), path.parent)
    text = path.read_text(encoding="utf-8", errors="replace")
    return check_text(text, str(path), known, blueprints, lenient=lenient)


def _instances(config: HubConfig, plugins: Discovery) -> list[Mistake]:
    from hub.host.attempt import checked
    from hub.host.loading import did_you_mean
    from hub.host.registry import Registry

    registry, wrong = Registry(), []
    for entry in config.instances:
        found = plugins.found.get(entry.plugin)
        if entry.mistakes:
            continue
        if found is None:
            words = f"there is no plugin {entry.plugin!r}{did_you_mean(entry.plugin, plugins.found)}"
            wrong.append(entry.place.mistake(words))
        elif found.builtin:
            try:
                checked(registry.load(found.name, found.folder, found.fingerprint), entry)
            except ConfigError as mistaken:
                wrong += mistaken.mistakes
    return wrong


def _automations(config: HubConfig, plugins: Discovery) -> list[Mistake]:
    from hub.automation.check import check_text
    from hub.automation.language.blueprint import folder_blueprints
    from hub.host.discover import builtin_folder

    folders = [base / "blueprints" / "automation" for base in (config.path.parent, builtin_folder().parent)]
    blueprints, known = folder_blueprints(*folders), catalogue(config, plugins)
    found = [source.wrong for source in config.automations if source.wrong is not None]
    for source in config.automations:
        found += check_text("\n" * (source.line - 1) + source.text, source.file, known, blueprints)
    return found


def catalogue(config: HubConfig, plugins: Discovery) -> Catalogue:
    """What automations may name: event types and actions of the manifests, entities as far as the configuration tells.

    Parameters of a plugin's own actions are known only to a running hub, which tells of wrong ones at load.
    """
    from hub.automation.check import Catalogue

    known = vocabulary(plugins)
    used = [(entry, plugins.found.get(entry.plugin)) for entry in config.instances if entry.enabled]
    closed = all(found is not None and found.builtin for _, found in used)
    return Catalogue(Entities(named(config), closed), known.actions, known.events)


def vocabulary(plugins: Discovery) -> Catalogue:
    """Event types and actions of the hub and of these plugins; no entities."""
    from pydantic import ConfigDict, create_model

    from hub.automation.check import Catalogue
    from hub.capabilities import EVENT_TYPES, capability_actions
    from hub.core.action import spec_from_table
    from hub.core.system import SYSTEM_TYPES

    kinds = {kind.name: kind for kind in (*SYSTEM_TYPES, *EVENT_TYPES)}
    actions = capability_actions()
    anything = create_model("anything", __config__=ConfigDict(extra="allow"))
    for found in plugins.found.values():
        kinds |= {kind.name: kind for kind in found.manifest.types()}
        tables = [table.model_dump() for table in found.manifest.actions]
        actions |= {table["name"]: spec_from_table(table, anything) for table in tables}
    return Catalogue({}, actions, kinds)


class AnyEntity:
    """A vocabulary in which every entity of a domain that has actions exists."""

    def __init__(self, known: Catalogue) -> None:
        self.actions, self.events, self.domains = known.actions, known.events, known.domains
        self.entities = _All()


class _All(dict[str, Any]):
    """Everything is in it."""

    def get(self, name: str, default: Any = None) -> Any:
        """Its capabilities are not known."""
        return default

    def __contains__(self, name: object) -> bool:
        return True


def named(config: HubConfig) -> set[str]:
    """What an entity may be called after its dot: the names of instances, and in their settings each ``id`` and each
    name of a mapping that gives settings to names alone."""
    found = {entry.name for entry in config.instances}
    waiting: list[Any] = [entry.config for entry in config.instances]
    while waiting:
        here = waiting.pop()
        if isinstance(here, Mapping):
            waiting += here.values()
            if isinstance(name := here.get("id"), str):
                found.add(name)
            if all(value is None or isinstance(value, Mapping) for value in here.values()):
                found |= {name for name in here if isinstance(name, str)}
        elif isinstance(here, list):
            waiting += here
    return found


class Entities(dict[str, Any]):
    """Entities as a configuration lets expect them, without a running hub.

    ``closed``: only plugins that came with the hub are used. They name their entities as ``named`` says, so
    another name is a mistake. Otherwise only a name that is nearly a configured one is taken for a slip.
    """

    def __init__(self, names: set[str], closed: bool) -> None:
        super().__init__((f"{domain}.{name}", ()) for domain in LASTING for name in sorted(names))
        self._names, self._closed = names, closed

    def get(self, name: str, default: Any = None) -> Any:
        """Its capabilities are not known."""
        return default

    def __contains__(self, name: object) -> bool:
        from difflib import get_close_matches

        domain, _, own = str(name).partition(".")
        if domain in PASSING or own in self._names:
            return True
        if self._closed:
            return False
        return not get_close_matches(str(name), [f"{domain}.{known}" for known in self._names], 1, 0.8)
