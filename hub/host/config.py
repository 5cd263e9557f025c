"""``config.yaml``: read whole, every mistake named with file, line and column, all at once.

A mistake in the zone, the listeners or the file itself is fatal; a mistake in one plugin's entry stops that instance
only and stands in ``HubConfig.mistakes``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.core.error import ConfigError, Mistake
from hub.host.loading import WRONG, Loader, Places, did_you_mean
from hub.host.problems import has_wrong, mistakes, problems, without_wrong
from hub.host.settings import Children, Upkeep, Web, Zone
from hub.host.yamlfile import Broken, Node, Place, compose, span

TOP = ("zone", "web", "upkeep", "children", "plugin_folders", "plugins", "automations")
_ENTRY = ("plugin", "name", "enabled", "memory_mb", "silent_after_s", "config")
_MEMORY = range(16, 65_537)  # MiB
_SILENT = range(1, 31 * 86_400)  # seconds
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
MAX_INSTANCES = 500


@dataclass(frozen=True, slots=True)
class InstanceConfig:
    """One entry of ``plugins:`` or one file of ``config.d``. ``config`` is plain data for the plugin's own model;
    ``places`` knows where each of its values stands, ``beside`` is the folder that relative paths in it are meant from
    (that of ``config.yaml``). With ``mistakes`` it is not started."""

    plugin: str
    name: str
    enabled: bool = True
    config: Mapping[str, Any] = field(default_factory=dict)
    memory_mb: int | None = None
    silent_after_s: int | None = None
    places: Places = field(default_factory=lambda: Places(Place("", 1, 1)), compare=False)
    mistakes: tuple[Mistake, ...] = ()
    beside: str = ""

    @property
    def place(self) -> Place:
        """Where the entry begins."""
        return self.places.root


@dataclass(frozen=True, slots=True)
class AutomationSource:
    """One automation as the operator wrote it. ``text`` begins at ``line`` of ``file``; what stands before it on that
    line is blank, so a column in ``text`` is the file's column. ``wrong``: why a file has no text that can be read."""

    file: str
    line: int
    text: str
    wrong: Mistake | None = None


@dataclass(frozen=True, slots=True)
class HubConfig:
    """The whole configuration. ``mistakes``: those that stop one instance each."""

    path: Path
    zone: Zone
    web: Web
    upkeep: Upkeep
    children: Children
    plugin_folders: tuple[Path, ...]
    instances: tuple[InstanceConfig, ...]
    automations: tuple[AutomationSource, ...]
    mistakes: tuple[Mistake, ...] = ()

    def instance(self, name: str) -> InstanceConfig | None:
        return next((entry for entry in self.instances if entry.name == name), None)


def load(path: Path, environ: Mapping[str, str] = os.environ) -> HubConfig:
    """Read ``path`` and what it includes; ``ConfigError`` with all mistakes when one of them is fatal."""
    return _Reader(path, environ).run()


class _Reader:
    def __init__(self, path: Path, environ: Mapping[str, str]) -> None:
        self._path = path
        self._loader = Loader(path, environ)
        self._fatal: list[Mistake] = []
        self._instances: list[InstanceConfig] = []
        self._loose: list[Mistake] = []  # mistakes of entries that have no name under which to show them
        self._automations: list[AutomationSource] = []

    def run(self) -> HubConfig:
        top = self._top()
        start = Place(str(self._path), 1, 1)
        zone = self._model(Zone, top.get("zone"), start)
        web = self._model(Web, top.get("web"), start)
        upkeep = self._model(Upkeep, top.get("upkeep"), start)
        children = self._model(Children, top.get("children"), start)
        folders = self._folders(top.get("plugin_folders"))
        self._entries(top.get("plugins"))
        self._config_d()
        self._guard(lambda: self._read_automations(top.get("automations")))
        if self._fatal:
            raise ConfigError(_ordered([*self._fatal, *self._non_fatal()]))
        return HubConfig(
            self._path, zone, web, upkeep, children, folders, tuple(self._instances), tuple(self._automations),
            tuple(_ordered(self._non_fatal())),
        )  # fmt: skip

    def _non_fatal(self) -> list[Mistake]:
        return [*self._loose, *(mistake for entry in self._instances for mistake in entry.mistakes)]

    def _guard(self, step: Any) -> Any:
        try:
            return step()
        except Broken as broken:
            self._fatal.append(broken.mistake)
            return None

    def _top(self) -> dict[str, Node]:
        main = self._loader.folder / self._path.name
        root: Node | None = self._guard(lambda: self._loader.compose(main))
        if root is None:
            if not self._fatal:
                self._fatal.append(Place(str(self._path), 1, 1).mistake("the file is empty; it needs at least zone:"))
            return {}
        if root.kind != "map" or root.tag:
            self._fatal.append(root.place.mistake("must hold keys such as zone: and plugins:"))
            return {}
        found: dict[str, Node] = {}
        for key, value in root.pairs:
            name = str(key.value)
            if name in found:
                self._fatal.append(key.place.mistake(f"{name!r} is written twice"))
            elif name not in TOP:
                self._fatal.append(key.place.mistake(f"unknown key {name!r}{did_you_mean(name, TOP)}"))
            else:
                found[name] = value
        if "zone" not in found:
            self._fatal.append(root.place.mistake("'zone' is missing"))
        return found

    def _model(self, model: Any, node: Node | None, start: Place) -> Any:
        if node is None:
            return None if model is Zone else model()
        places = Places(node.place)
        before = len(self._fatal)
        value = self._loader.build(node, places, self._fatal.append)
        if value is WRONG:
            return None
        if not isinstance(value, dict):
            self._fatal.append(node.place.mistake("must be a map of keys and values"))
            return None
        found = problems(model, without_wrong(value))
        told = {(mistake.file, mistake.line) for mistake in self._fatal[before:]}
        fresh = [m for m in mistakes(found, places) if not (has_wrong(value) and (m.file, m.line) in told)]
        if has_wrong(value):  # a field that could not be built is not also missing
            fresh = [m for m in fresh if not m.words.endswith("is missing")]
        self._fatal += fresh
        return model.model_validate(value) if len(self._fatal) == before else None

    def _folders(self, node: Node | None) -> tuple[Path, ...]:
        if node is None:
            beside = self._loader.folder / "plugins"
            return (beside,) if beside.is_dir() else ()
        places = Places(node.place)
        value = self._loader.build(node, places, self._fatal.append)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value if item is not WRONG):
            if value is not WRONG:
                self._fatal.append(node.place.mistake("plugin_folders must be a list of folders"))
            return ()
        made = []
        for index, item in enumerate(value):
            if item is not WRONG and not (folder := self._loader.folder / item).is_dir():
                self._fatal.append(places.of((index,)).mistake(f"there is no folder {item}"))
            elif item is not WRONG:
                made.append(folder.resolve())
        return tuple(made)

    # --- plugin instances

    def _entries(self, node: Node | None) -> None:
        if node is None:
            return
        if node.kind == "scalar" and node.tag == "!include_dir_list":
            for path in self._guard(lambda: self._loader.listed(node)) or ():
                self._file_entry(path)
            return
        if node.kind == "scalar" and node.tag == "!include":
            node = self._guard(lambda: self._loader.compose(self._loader.locate(node), node.place))
        if node is None or (node.kind == "scalar" and node.value is None and not node.tag):
            return
        if node.kind != "list":
            self._fatal.append(node.place.mistake("plugins must be a list: - plugin: NAME"))
            return
        for item in node.items:
            self._entry(item)

    def _config_d(self) -> None:
        folder = self._loader.folder / "config.d"
        if folder.is_dir():
            for path in sorted(folder.glob("*.yaml")):
                self._file_entry(path)

    def _file_entry(self, path: Path) -> None:
        """One instance in a file of its own; a file that cannot be read stops only that instance."""
        place = Place(self._loader.shown(path), 1, 1)
        try:
            node = self._loader.compose(path)
        except Broken as broken:
            self._keep(InstanceConfig("", path.stem, places=Places(place), mistakes=(broken.mistake,)))
            return
        if node is not None:
            self._entry(node, path.stem)
        else:
            self._loose.append(place.mistake("the file is empty; it needs plugin: NAME"))

    def _entry(self, node: Node, name: str | None = None) -> None:
        wrong: list[Mistake] = []
        places = Places(node.place)
        value = self._loader.build(node, places, wrong.append)
        if not isinstance(value, dict):
            self._loose += wrong or [node.place.mistake("must be a map: plugin: NAME")]
            return
        for key in value:
            if key not in _ENTRY:
                words = f"unknown field {key!r}{did_you_mean(key, _ENTRY)}"
                wrong.append(places.of((key,), key=True).mistake(words))
        plugin = self._field(value, "plugin", str, places, wrong)
        if plugin is None and value.get("plugin") is None:
            wrong.append(node.place.mistake("'plugin' is missing"))
        named = self._field(value, "name", str, places, wrong) or name or plugin
        if named is not None and not _NAME.fullmatch(named):
            words = f"{named!r} is no name: small letters, digits and _, at most 40"
            wrong.append(places.of(("name",) if "name" in value else ("plugin",)).mistake(words))
            named = None
        enabled = self._field(value, "enabled", bool, places, wrong)
        memory = self._field(value, "memory_mb", int, places, wrong)
        silent = self._field(value, "silent_after_s", int, places, wrong, _SILENT)
        config = value.get("config") if value.get("config") is not None else {}
        if config is not WRONG and not isinstance(config, dict):
            wrong.append(places.of(("config",)).mistake("config must be a map of the plugin's fields"))
        if named is None:
            self._loose += wrong
            return
        config = without_wrong(config) if isinstance(config, dict) else {}
        inner = places.below("config")
        inner.root = places.of(("config",)) if "config" in value else node.place
        on = enabled is not False
        beside = str(self._loader.folder.absolute())
        self._keep(InstanceConfig(plugin or "", named, on, config, memory, silent, inner, tuple(wrong), beside))

    def _field(
        self, value: dict[str, Any], key: str, kind: type, places: Places, wrong: list[Mistake],
        allowed: range = _MEMORY,
    ) -> Any:  # fmt: skip
        given = value.get(key)
        if given is None or given is WRONG:
            return None
        if type(given) is not kind or (kind is int and given not in allowed):
            number = f"a number from {allowed.start} to {allowed.stop - 1}"
            words = {str: "a word", bool: "true or false", int: number}[kind]
            wrong.append(places.of((key,)).mistake(f"{key} must be {words}"))
            return None
        return given

    def _keep(self, entry: InstanceConfig) -> None:
        first = next((other for other in self._instances if other.name == entry.name), None)
        if first is not None:
            at = f"{first.place.file}:{first.place.line}"
            self._loose.append(entry.place.mistake(f"an instance {entry.name!r} exists already ({at}); name it"))
        elif len(self._instances) >= MAX_INSTANCES:
            self._loose.append(entry.place.mistake(f"more than {MAX_INSTANCES} instances"))
        else:
            self._instances.append(entry)

    # --- automations

    def _read_automations(self, node: Node | None) -> None:
        if node is None or (node.kind == "scalar" and not node.tag and node.value is None):
            return
        if node.tag == "!include_dir_list":
            for path in self._loader.listed(node):
                self._automation_file(path, None)
        elif node.tag == "!include":
            self._automation_file(self._loader.locate(node), node.place)
        elif node.kind == "list":
            self._items(node)
        else:
            self._fatal.append(node.place.mistake("automations must be a list, or !include_dir_list FOLDER"))

    def _automation_file(self, path: Path, asked: Place | None) -> None:
        shown = self._loader.shown(path)
        try:
            text = self._loader.read(path, asked)
        except Broken as broken:  # a link to nothing, a folder of that name …: it harms no other file either
            self._automations.append(AutomationSource(shown, 1, "", broken.mistake))
            return
        try:
            node = compose(text, shown)
        except Broken:  # handed on whole: one bad automation harms no other, and its engine names the mistake
            self._automations.append(AutomationSource(shown, 1, text))
            return
        if node is not None and node.kind == "list":
            self._items(node)
        elif node is not None:
            self._automations.append(AutomationSource(shown, 1, text))

    def _items(self, node: Node) -> None:
        for item in node.items:
            if item.tag == "!include":
                self._guard(lambda item=item: self._automation_file(self._loader.locate(item), item.place))
            else:
                text = span(self._loader.texts[item.place.file], item)
                self._automations.append(AutomationSource(item.place.file, item.place.line, text))


def _ordered(found: list[Mistake]) -> list[Mistake]:
    unique = dict.fromkeys(found)
    return sorted(unique, key=lambda mistake: (mistake.file, mistake.line, mistake.column))
