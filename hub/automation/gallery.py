"""The blueprints that there are, what each asks for, and what becomes of one whose blanks are filled."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC
from pathlib import Path
from typing import Any

import yaml

from hub.automation.check import check_text
from hub.automation.language.blueprint import Blueprints, fill
from hub.automation.language.known import Known
from hub.automation.language.reader import Reader
from hub.automation.language.source import Map, load, plain
from hub.automation.library import places
from hub.automation.templates.template import Templates
from hub.automation.templates.views import World
from hub.core.clock import SystemClock
from hub.core.error import ConfigError, Conflict, InvalidInput, Mistake, NotFound
from hub.core.event import EventTypes
from hub.core.state import State
from hub.store.files import make_folder, write_file

MAX_BLUEPRINTS = 500
MAX_BYTES = 256 * 1024
_PATH = re.compile(r"([a-z0-9_-]{1,60}/)?[a-z0-9_-]{1,60}\.yaml")
_FIRST = ("id", "alias", "description")

Rows = list[dict[str, Any]]


class Gallery:
    """Blueprints of the zone's own folder, and those that came with the hub. All methods read files: call in a thread.

    ``blueprints``: how the engine finds them.
    """

    def __init__(self, blueprints: Blueprints, own: Path, builtin: Path) -> None:
        self._own, self._builtin, self._blueprints = own, builtin, blueprints

    def all(self) -> Rows:
        """Every blueprint by path: its words, its inputs in their order, its mistakes."""
        paths: dict[str, str] = {}
        for source, folder in (("own", self._own), ("hub", self._builtin)):
            found = sorted(folder.rglob("*.yaml")) if folder.is_dir() else []
            for file in found[:MAX_BLUEPRINTS]:
                if not file.name.startswith("."):
                    paths.setdefault(file.relative_to(folder).as_posix(), source)
        return [self._told(path, source) for path, source in sorted(paths.items())]

    def _told(self, path: str, source: str) -> dict[str, Any]:
        text = self._blueprints(path) or ""
        row: dict[str, Any] = {
            "path": path, "name": path, "description": "", "domain": "automation", "source": source, "inputs": [],
            "mistakes": places(check_text(text, path, None, self._blueprints)),
        }  # fmt: skip
        head = _head(text, path)
        if head is not None:
            row["name"] = str(head.get("name") or path)
            row["description"] = str(head.get("description") or "")
            row["domain"] = str(head.get("domain") or "automation")
            row["inputs"] = list(_inputs(head.get("input")))
        return row

    def render(
        self, path: str, given: Mapping[str, Any], texts: Mapping[str, str], name: str, alias: str, known: Known
    ) -> dict[str, Any]:
        """The automation that uses a blueprint, and the same with its blanks filled, as YAML, with the mistakes.

        ``texts``: values that were written as YAML. ``InvalidInput`` for one that is none; ``NotFound`` without such a
        blueprint.
        """
        if self._blueprints(path) is None:
            raise NotFound(f"there is no blueprint {path!r}", where=path)
        values = {**given, **{key: _value(key, text) for key, text in texts.items()}}
        use: dict[str, Any] = {"id": name, **({"alias": alias} if alias else {})}
        use["use_blueprint"] = {"path": path, **({"input": values} if values else {})}
        text = dumped(use)
        mistakes = check_text(text, "draft", known, self._blueprints)
        return {"text": text, "filled": self._filled(text), "mistakes": places(mistakes)}

    def _filled(self, text: str) -> str:
        reader = Reader(Templates(World(State(EventTypes()), SystemClock(), UTC)))
        value, _ = load(text, "draft")
        made = fill(reader, value, self._blueprints)
        if made is None:
            return ""
        tree = plain(made)
        first = {key: tree[key] for key in _FIRST if key in tree}
        return dumped({**first, **{key: item for key, item in tree.items() if key not in first}})

    def add(self, path: str, text: str) -> None:
        """Keep a blueprint that somebody brought. ``ConfigError`` with its mistakes; ``Conflict`` when another of that
        name is here."""
        if not _PATH.fullmatch(path):
            raise InvalidInput(
                "a path has small Latin letters, digits, _ and -, perhaps one folder, and ends in .yaml", where=path
            )
        if len(text.encode()) > MAX_BYTES:
            raise InvalidInput(f"the text is longer than {MAX_BYTES // 1024} KB", where=path)
        if _head(text, path) is None:
            none = Mistake(path, 1, 1, "this is no blueprint: it has no 'blueprint' with name, domain and input")
            raise ConfigError(_unreadable(text, path) or [none])
        # names of what it was written for, such as another house's entities, are the user's to fill in
        mistakes = check_text(text, path, None, self._blueprints, lenient=True)
        if mistakes:
            raise ConfigError(mistakes)
        there = self._blueprints(path)
        if there is not None and there != text:
            raise Conflict(f"there is a blueprint {path} already", where=path, hint="give it another name")
        target = self._own / path
        make_folder(target.parent)
        write_file(target, text.encode())


def dumped(value: Any) -> str:
    """JSON data as YAML for people: in its own order, lists indented, texts of several lines as blocks."""
    return yaml.dump(value, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=1_000)


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def _head(text: str, path: str) -> Map | None:
    try:
        body, _ = load(text, path)
    except ConfigError:
        return None
    head = body.get("blueprint") if isinstance(body, Map) else None
    return head if isinstance(head, Map) else None


def _unreadable(text: str, path: str) -> list[Mistake]:
    try:
        load(text, path)
    except ConfigError as wrong:
        return wrong.mistakes
    return []


def _inputs(inputs: Any, section: dict[str, Any] | None = None) -> Iterator[dict[str, Any]]:
    for name, spec in inputs.items() if isinstance(inputs, Map) else ():
        about: Map | dict[str, Any] = spec if isinstance(spec, Map) else {}
        if "input" in about and section is None:
            yield from _inputs(about["input"], {
                "id": name, "title": str(about.get("name") or name), "collapsed": bool(about.get("collapsed")),
                "description": str(about.get("description") or ""),
            })  # fmt: skip
            continue
        row = {
            "name": name, "section": section, "title": str(about.get("name") or name),
            "description": str(about.get("description") or ""), "selector": plain(about.get("selector")),
            "required": "default" not in about,
        }  # fmt: skip
        yield {**row, "default": plain(about["default"])} if "default" in about else row


def _value(name: str, text: str) -> Any:
    try:
        value, _ = load(text, name)
    except ConfigError as wrong:
        raise InvalidInput(str(wrong.mistakes[0].words), where=name) from None
    return plain(value)
