"""From nodes to plain values: serves ``!include``, ``!include_dir_list``, ``!secret``, ``!env_var``; collects every
mistake instead of ending at the first; remembers where each value stands."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.core.error import Mistake
from hub.host.yamlfile import MAX_DEPTH, MAX_NODES, Broken, Node, Place, compose, compose_json, plain, read_text

MAX_FILES = 1_000
SECRETS = "secrets.yaml"
TAGS = ("!include", "!include_dir_list", "!secret", "!env_var", "!input")

Route = tuple[str | int, ...]
Sink = Callable[[Mistake], None]


class _Wrong:
    """Stands for a value that could not be built; its mistake is already told."""

    def __repr__(self) -> str:
        return "WRONG"


WRONG: Any = _Wrong()


@dataclass(slots=True)
class Places:
    """Where each value and each key of a part of the configuration stands."""

    root: Place
    values: dict[Route, Place] = field(default_factory=dict)
    keys: dict[Route, Place] = field(default_factory=dict)

    def of(self, route: Iterable[str | int], key: bool = False) -> Place:
        """The place of a value (or of its key); of what holds it when it has none of its own."""
        steps = tuple(route)
        if key and steps in self.keys:
            return self.keys[steps]
        for length in range(len(steps), -1, -1):
            if (place := self.values.get(steps[:length])) is not None:
                return place
        return self.root

    def below(self, *prefix: str | int) -> Places:
        """The places of one part, with routes that begin there."""
        cut = len(prefix)
        return Places(
            self.of(prefix),
            {route[cut:]: place for route, place in self.values.items() if route[:cut] == prefix},
            {route[cut:]: place for route, place in self.keys.items() if route[:cut] == prefix and len(route) > cut},
        )


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'x'?`` when something known is near, else nothing."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


class Loader:
    """Reads one configuration folder. ``config`` is the main file as it was named on the command line."""

    def __init__(self, config: Path, environ: Mapping[str, str] = os.environ) -> None:
        self._shown_folder = config.parent
        self.folder = config.parent.resolve()
        self._environ = environ
        self._budget = MAX_NODES
        self._files = 0
        self._secrets: dict[str, Any] | None = None
        self.texts: dict[str, str] = {}

    # --- files

    def shown(self, path: Path) -> str:
        """The file as mistakes name it: below the folder as it was given. A name that is no text is told with ``?``."""
        return str(self._shown_folder / path.relative_to(self.folder)).encode(errors="replace").decode()

    def read(self, path: Path, asked: Place | None = None) -> str:
        """A file's text, inside the configuration folder only; ``Broken`` otherwise."""
        shown = self.shown(path)
        self._files += 1
        if self._files > MAX_FILES:
            raise Broken((asked or Place(shown, 1, 1)).mistake(f"more than {MAX_FILES} files"))
        text = self.texts[shown] = read_text(path, shown, asked)
        return text

    def compose(self, path: Path, asked: Place | None = None) -> Node | None:
        """A YAML file as nodes."""
        return compose(self.read(path, asked), self.shown(path))

    def locate(self, node: Node) -> Path:
        """The path an include names, relative to the file it stands in; ``Broken`` when it leads outside."""
        holder = self.folder / Path(node.place.file).relative_to(self._shown_folder)
        target = (holder.parent / str(node.value)).resolve()
        if node.kind != "scalar" or not str(node.value).strip():
            raise Broken(node.place.mistake(f"{node.tag} needs a file's name"))
        if not target.is_relative_to(self.folder):
            raise Broken(node.place.mistake(f"{node.value} is outside the configuration folder"))
        return target

    def listed(self, node: Node) -> list[Path]:
        """The YAML files below the folder that ``!include_dir_list`` names, by name."""
        folder = self.locate(node)
        if not folder.is_dir():
            raise Broken(node.place.mistake(f"there is no folder {self.shown(folder)}"))
        found = sorted(path for path in folder.rglob("*.yaml") if not path.name.startswith("."))
        return [path for path in found if self._inside(path)]

    def _inside(self, path: Path) -> bool:
        try:
            return path.resolve().is_relative_to(self.folder)
        except (OSError, RuntimeError):  # a link to itself leads nowhere: who reads it says so
            return True

    # --- values

    def build(self, node: Node, places: Places, sink: Sink, route: Route = (), files: tuple[Path, ...] = ()) -> Any:
        """The plain value; ``WRONG`` (already told to ``sink``) where there is none."""
        places.values[route] = node.place
        self._budget -= 1
        if self._budget < 0 or len(route) > MAX_DEPTH:
            if self._budget >= -1:  # told once
                sink(node.place.mistake(f"expands to more than {MAX_NODES} values or {MAX_DEPTH} levels"))
                self._budget = -2
            return WRONG
        try:
            if node.tag:
                return self._tagged(node, places, sink, route, files)
        except Broken as broken:
            sink(broken.mistake)
            return WRONG
        if node.kind == "list":
            return [self.build(item, places, sink, (*route, i), files) for i, item in enumerate(node.items)]
        if node.kind == "map":
            return self._map(node, places, sink, route, files)
        return node.value

    def _map(self, node: Node, places: Places, sink: Sink, route: Route, files: tuple[Path, ...]) -> Any:
        made: dict[str, Any] = {}
        for key, value in self._merged(node, sink):
            if key.kind != "scalar" or key.tag:
                sink(key.place.mistake("a key must be a plain word"))
                continue
            name = key.value if isinstance(key.value, str) else _written(key.value)
            if name in made:
                first = places.keys[(*route, name)].line
                sink(key.place.mistake(f"{name!r} is written twice (first in line {first})"))
                continue
            places.keys[(*route, name)] = key.place
            made[name] = self.build(value, places, sink, (*route, name), files)
        return made

    def _merged(self, node: Node, sink: Sink) -> list[tuple[Node, Node]]:
        """The pairs, with those of ``<<`` maps after them where the map itself does not have the key."""
        own = [(key, value) for key, value in node.pairs if key.value != "<<"]
        if len(own) == len(node.pairs):
            return own
        names = {key.value for key, _ in own if key.kind == "scalar"}
        for key, value in node.pairs:
            for source in value.items if value.kind == "list" else [value]:
                if key.value != "<<":
                    continue
                if source.kind != "map":
                    sink(source.place.mistake("<< needs a map"))
                    continue
                fresh = [pair for pair in source.pairs if pair[0].value not in names and pair[0].value != "<<"]
                own += fresh
                names |= {pair[0].value for pair in fresh if pair[0].kind == "scalar"}
        return own

    def _tagged(self, node: Node, places: Places, sink: Sink, route: Route, files: tuple[Path, ...]) -> Any:
        if node.tag == "!include":
            return self._include(self.locate(node), node, places, sink, route, files)
        if node.tag == "!include_dir_list":
            paths = self.listed(node)
            return [self._include(path, node, places, sink, (*route, i), files) for i, path in enumerate(paths)]
        if node.tag == "!secret":
            return self._secret(node)
        if node.tag == "!env_var":
            return self._env(node)
        if node.tag == "!input" and node.kind == "scalar":
            return node.value
        raise Broken(node.place.mistake(f"unknown tag {node.tag}{did_you_mean(node.tag, TAGS)}"))

    def _include(
        self, path: Path, node: Node, places: Places, sink: Sink, route: Route, files: tuple[Path, ...]
    ) -> Any:
        if path in files:
            chain = " → ".join(self.shown(step) for step in (*files[files.index(path) :], path))
            raise Broken(node.place.mistake(f"includes itself: {chain}"))
        if len(files) >= MAX_DEPTH:
            raise Broken(node.place.mistake(f"more than {MAX_DEPTH} files include one another"))
        if path.suffix in (".json", ".geojson"):
            places.values[route] = Place(self.shown(path), 1, 1)
            value = compose_json(self.read(path, node.place), self.shown(path))
            self._budget -= _size(value)
            return value
        try:
            root = self.compose(path, node.place)
        except Broken as broken:
            sink(broken.mistake)
            return WRONG
        return None if root is None else self.build(root, places, sink, route, (*files, path))

    def _secret(self, node: Node) -> Any:
        if self._secrets is None:
            self._secrets = self._load_secrets(node.place)
        name = str(node.value)
        if name not in self._secrets:
            hint = did_you_mean(name, self._secrets)
            raise Broken(node.place.mistake(f"no secret {name!r} in {self.shown(self.folder / SECRETS)}{hint}"))
        return self._secrets[name]

    def _load_secrets(self, asked: Place) -> dict[str, Any]:
        root = self.compose(self.folder / SECRETS, asked)
        if root is None:
            return {}
        if root.kind != "map":
            raise Broken(root.place.mistake("must hold lines of NAME: VALUE"))
        for key, value in root.pairs:
            if key.kind != "scalar" or value.kind != "scalar" or value.tag:
                raise Broken(value.place.mistake("must be NAME: VALUE with a plain value"))
        return {str(key.value): value.value for key, value in root.pairs}

    def _env(self, node: Node) -> Any:
        name, _, default = str(node.value).partition(" ")
        if name in self._environ:
            return plain(self._environ[name])
        if not default:
            words = f"the environment has no {name}; set it, or write a default after the name"
            raise Broken(node.place.mistake(words))
        return plain(default.strip())


def _written(value: Any) -> str:
    """A key that YAML took for a number or a word of its own, as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)


def _size(value: Any) -> int:
    """How many values a JSON value holds."""
    waiting, count = [value], 0
    while waiting and count <= MAX_NODES:
        here = waiting.pop()
        count += 1
        waiting += here.values() if isinstance(here, dict) else here if isinstance(here, list) else ()
    return count
