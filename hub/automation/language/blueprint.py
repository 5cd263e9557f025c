"""Blueprints: automations with blanks. ``use_blueprint: {path, input}`` names one and fills it in.

A blueprint is a file ``blueprint: {name, domain, input}`` whose rest is the automation, with ``!input NAME`` for
each blank. Inputs may stand in sections. Fields of the user's own automation win over the blueprint's.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from hub.automation.language.reader import Reader
from hub.automation.language.source import Input, Map, Place, Seq, load
from hub.core.error import ConfigError

Blueprints = Callable[[str], str | None]  # the text of a blueprint by its path, or None

_OWN = {
    "id", "alias", "description", "use_blueprint", "initial_state", "variables", "trigger_variables", "trace", "mode",
    "max", "max_exceeded", "icon", "on_restart",
}  # fmt: skip
_HEAD = {"name", "description", "domain", "input", "source_url", "author", "homeassistant", "icon"}
_INPUT = {"name", "description", "default", "selector"}
_SECTION = {"name", "description", "icon", "collapsed", "input"}


def no_blueprints(_path: str) -> str | None:
    return None


def folder_blueprints(*folders: Path) -> Blueprints:
    """Blueprints from folders, the first that has it; a path may not leave its folder."""

    def read(path: str) -> str | None:
        pure = PurePosixPath(path)
        if pure.is_absolute() or ".." in pure.parts or pure.suffix not in (".yaml", ".yml"):
            return None
        for folder in folders:
            file = folder / pure
            try:
                if file.is_file():
                    # what is no UTF-8 is kept as it is: its reader names the place
                    return file.read_text(encoding="utf-8", errors="surrogateescape")
            except (OSError, ValueError):  # a name that is too long, or a file that may not be read
                continue
        return None

    return read


def fill(reader: Reader, source: Map, blueprints: Blueprints, domain: str = "automation") -> Map | None:
    """The automation (``domain``: or script) with its blanks filled in; itself when it uses no blueprint."""
    if "use_blueprint" not in source:
        _no_blanks(reader, source)
        return source
    reader.known(source, "an automation that uses a blueprint", _OWN)
    before = len(reader.mistakes)
    use = reader.mapping(source["use_blueprint"], source.values_at["use_blueprint"], "'use_blueprint'")
    if use is None:
        return None
    reader.known(use, "'use_blueprint'", {"path", "input"})
    body = _open(reader, use, blueprints, domain)
    if body is None:
        return None
    given = use.get("input") or Map(use.place)
    given = reader.mapping(given, use.values_at.get("input", use.place), "'input'")
    declared = declared_inputs(reader, body["blueprint"])
    if given is None or declared is None:
        return None
    values = _values(reader, given, declared, use)
    if len(reader.mistakes) > before:  # with blanks open, what follows would only be noise
        return None
    made = _merged(reader, body, source, values)
    return None if len(reader.mistakes) > before else made


def _open(reader: Reader, use: Map, blueprints: Blueprints, domain: str) -> Map | None:
    path = reader.text(use, "path")
    if not path:
        reader.wrong(use.place, "'path' is missing: which blueprint?")
        return None
    text = blueprints(path)
    if text is None:
        reader.wrong(use.values_at["path"], f"there is no blueprint {path!r}")
        return None
    try:
        body, place = load(text, path)
    except ConfigError as wrong:
        reader.mistakes += wrong.mistakes
        return None
    if not isinstance(body, Map) or not isinstance(body.get("blueprint"), Map):
        reader.wrong(place, "this file is no blueprint: it has no 'blueprint' with name, domain and input")
        return None
    head = body["blueprint"]
    reader.known(head, "'blueprint'", _HEAD)
    if head.get("domain") != domain:
        reader.wrong(head.values_at.get("domain", head.place), f"a blueprint of domain {domain} is needed here")
        return None
    return body


def declared_inputs(reader: Reader, head: Map) -> dict[str, Map] | None:
    """Inputs by name, those of sections too."""
    found: dict[str, Map] = {}
    inputs = head.get("input") or Map(head.place)
    if not isinstance(inputs, Map):
        reader.wrong(head.values_at["input"], "'input' must be a mapping of names")
        return None
    for name, spec in inputs.items():
        at = inputs.values_at[name]
        spec = Map(at) if spec is None else reader.mapping(spec, at, f"the input {name!r}")
        if spec is None:
            continue
        if "input" in spec:
            reader.known(spec, "a section", _SECTION)
            found.update(declared_inputs(reader, spec) or {})
        else:
            reader.known(spec, f"the input {name!r}", _INPUT)
            found[name] = spec
    return found


def _values(reader: Reader, given: Map, declared: dict[str, Map], use: Map) -> dict[str, tuple[Any, Place]]:
    values: dict[str, tuple[Any, Place]] = {}
    for name in given:
        if name not in declared:
            reader.wrong(given.keys_at[name], f"the blueprint has no input {name!r}", name, declared)
        else:
            values[name] = (given[name], given.values_at[name])
    for name, spec in declared.items():
        if name in values:
            continue
        if "default" in spec:
            values[name] = (spec["default"], spec.values_at["default"])
        else:
            title = spec.get("name") or name
            reader.wrong(use.values_at.get("input", use.place), f"the input {name!r} ({title}) is missing")
    return values


def filled_body(reader: Reader, body: Map, values: dict[str, tuple[Any, Place]]) -> Map:
    """A blueprint's automation with these values."""
    return _merged(reader, body, Map(body.place), values)


def _merged(reader: Reader, body: Map, source: Map, values: dict[str, tuple[Any, Place]]) -> Map:
    made = Map(source.place)
    for part in (body, source):
        for key, value in part.items():
            if key not in ("blueprint", "use_blueprint") and (part is body or key in _OWN):
                filled, at = _filled(reader, value, part.values_at[key], values)
                made.put(key, part.keys_at[key], filled, at)
    return made


def _filled(reader: Reader, value: Any, place: Place, values: dict[str, tuple[Any, Place]]) -> tuple[Any, Place]:
    if isinstance(value, Input):
        if value.name not in values:
            words = f"!input {value.name}: the blueprint declares no such input"
            reader.wrong(value.place, words, value.name, values)
            return None, place
        return values[value.name]
    if isinstance(value, Map):
        made = Map(value.place)
        for key, item in value.items():
            made.put(key, value.keys_at[key], *_filled(reader, item, value.values_at[key], values))
        return made, place
    if isinstance(value, Seq):
        listed = Seq(value.place)
        for item, at in value.placed():
            listed.put(*_filled(reader, item, at, values))
        return listed, place
    return value, place


def _no_blanks(reader: Reader, value: Any) -> None:
    if isinstance(value, Input):
        reader.wrong(value.place, "!input stands only in blueprints")
    elif isinstance(value, Map):
        for item in value.values():
            _no_blanks(reader, item)
    elif isinstance(value, Seq):
        for item in value:
            _no_blanks(reader, item)
