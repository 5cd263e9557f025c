"""YAML of automations and scripts to the model: blueprints filled in, every mistake collected.

A text is a list of automations, one automation, or a mapping of ``automation:`` (a list), ``script:`` (by name) and
``scene:`` (a list), as Home Assistant's files are.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.automation.language.blueprint import Blueprints, fill
from hub.automation.language.known import Hints, Known
from hub.automation.language.parse_conditions import conditions
from hub.automation.language.parse_steps import steps
from hub.automation.language.parse_triggers import triggers
from hub.automation.language.reader import Reader
from hub.automation.language.scene import scene_source
from hub.automation.language.source import Map, Place, Seq, load, plain, unreadable
from hub.automation.language.steps import Automation
from hub.automation.templates.template import Templates
from hub.core.error import ConfigError, Mistake

MODES = ("single", "restart", "queued", "parallel")
DEFAULT_MAX = 10
MAX_MAX = 1_000
MAX_AUTOMATIONS = 20_000

_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_COMMON = {
    "alias", "description", "mode", "max", "max_exceeded", "variables", "trace", "on_restart", "icon", "id",
}  # fmt: skip
_FIELDS = {
    "automation": _COMMON | {
        "initial_state", "trigger", "triggers", "condition", "conditions", "action", "actions", "trigger_variables",
    },
    "script": _COMMON | {"fields", "sequence"},
}  # fmt: skip
_KINDS = ("automation", "script", "scene")


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a text holds. ``broken``: ids of automations that have mistakes (they are not in ``automations``)."""

    automations: tuple[Automation, ...]
    mistakes: tuple[Mistake, ...]
    broken: frozenset[str]


@dataclass(frozen=True, slots=True)
class Parser:
    """Reads texts. ``known``: against it names are checked; ``lenient``: see ``Reader``."""

    templates: Templates
    blueprints: Blueprints
    known: Known | None = None
    lenient: bool = False

    def parse(self, text: str, file: str) -> Parsed:
        """All automations and scripts of a text; one bad one leaves the others."""
        try:
            value, place = load(text, file)
        except ConfigError as wrong:
            return Parsed((), tuple(wrong.mistakes), frozenset())
        return self.parse_value(value, place)

    def parse_value(self, value: Any, place: Place) -> Parsed:
        """The same of what was read already."""
        found = _Found()
        try:
            parts = list(self._parts(value, place, found))
        except Exception as fault:  # none of it is known, so what works of this file goes on as it was
            return Parsed((), (*found.mistakes, unreadable(place, fault)), frozenset())
        hints = Hints()
        for number, (kind, name, item, at) in enumerate(parts):
            reader = Reader(self.templates, self.known, lenient=self.lenient, hints=hints)
            try:
                made = self._whole(reader, kind, name, item, at, found.seen, number)
            except Exception as fault:  # one automation's fault must not cost the others their work
                made = None
                reader.mistakes.append(unreadable(at, fault))
            found.mistakes += reader.mistakes
            if made is not None and not reader.mistakes and len(found.good) < MAX_AUTOMATIONS:
                found.good.append(made)
            elif isinstance(item, Map):
                found.broken.add(name or _id_of(item))
        return Parsed(tuple(found.good), tuple(found.mistakes), frozenset(found.broken - {""}))

    def _parts(self, value: Any, place: Place, found: _Found) -> Iterator[tuple[str, str, Any, Place]]:
        """Kind, given name, source and place of each part."""
        if not isinstance(value, Map) or not value.keys() & set(_KINDS):
            yield from (("automation", "", item, at) for item, at in _items(value, place))
            return
        reader = Reader(self.templates)
        reader.known(value, "a file of automations", [*_KINDS, *(key for key in value if " " in key)])
        for key in value:
            kind, part, at = key.partition(" ")[0], value[key], value.values_at[key]
            if kind == "script" and isinstance(part, Map):
                yield from (("script", f"script.{name}", part[name], part.values_at[name]) for name in part)
            elif kind == "scene":
                for item, where in _items(part, at):
                    if (made := scene_source(reader, item, where)) is not None:
                        yield "script", made[0], made[1], where
            elif kind == "automation":
                yield from (("automation", "", item, where) for item, where in _items(part, at))
        found.mistakes += reader.mistakes

    def _whole(
        self, reader: Reader, kind: str, name: str, value: Any, place: Place, seen: dict[str, Place], number: int
    ) -> Automation | None:
        source = reader.mapping(value, place, f"a{'n' if kind == 'automation' else ''} {kind}")
        filled = fill(reader, source, self.blueprints, kind) if source is not None else None
        if filled is None:
            return None
        name = name or _id_of(filled)
        at = filled.values_at.get("id", filled.place)
        if self.lenient and not _ID.fullmatch(name.removeprefix("script.").removeprefix("scene.")):
            name = f"automation_{number}"
        if not _ID.fullmatch(name.removeprefix("script.").removeprefix("scene.")):
            reader.wrong(
                at, f"give the {kind} an 'id' of Latin letters, digits, _ and -: its runs are kept under it"
            )
        elif name in seen:
            reader.wrong(at, f"the id {name!r} is taken already in line {seen[name].line}")
        seen.setdefault(name, filled.place)
        return automation(reader, filled, name)


@dataclass(slots=True)
class _Found:
    good: list[Automation] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    seen: dict[str, Place] = field(default_factory=dict)


def parse_text(
    text: str, file: str, templates: Templates, blueprints: Blueprints, known: Known | None = None, *,
    lenient: bool = False,
) -> Parsed:  # fmt: skip
    """All automations and scripts of a text."""
    return Parser(templates, blueprints, known, lenient).parse(text, file)


def _items(value: Any, place: Place) -> Iterator[tuple[Any, Place]]:
    if isinstance(value, Seq):
        yield from value.placed()
    elif value is not None:
        yield value, place


def _id_of(source: Map) -> str:
    value = source.get("id")
    if value is not None:
        return str(value)
    return slug(str(source.get("alias", "")))


def slug(text: str) -> str:
    """A name as an object id: small Latin letters, digits and ``_``."""
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def automation(reader: Reader, source: Map, name: str) -> Automation:
    """One automation or, when the name says so, script whose blanks are filled."""
    kind = "script" if name.startswith(("script.", "scene.")) else "automation"
    reader.known(source, f"a{'n' if kind == 'automation' else ''} {kind}", _FIELDS[kind])
    when = _section(reader, source, "triggers", "trigger")
    held = _section(reader, source, "conditions", "condition")
    does = _section(reader, source, *(("sequence",) if kind == "script" else ("actions", "action")))
    if when[0] is None and kind == "automation":
        reader.wrong(source.place, "'triggers' is missing: nothing would start this automation")
    if does[0] is None:
        key = "sequence" if kind == "script" else "actions"
        reader.wrong(source.place, f"'{key}' is missing: this {kind} would do nothing")
    tree = plain(source)
    return Automation(
        id=name, kind=kind, alias=reader.text(source, "alias", name), description=reader.text(source, "description"),
        mode=reader.word(source, "mode", "single", MODES), max=_max(reader, source),
        silent=reader.text(source, "max_exceeded", "warning").lower() == "silent",
        enabled=reader.flag(source, "initial_state", True), triggers=triggers(reader, *when),
        conditions=conditions(reader, *held, "condition"), steps=steps(reader, *does, "action"),
        variables=reader.named_data(source, "variables"), tree=tree, hash=tree_hash(name, tree), place=source.place,
        trigger_variables=reader.named_data(source, "trigger_variables"), on_restart=_on_restart(reader, source),
        fields=_fields(reader, source), uses_this="this" in str(tree),
    )  # fmt: skip


def tree_hash(name: str, tree: Mapping[str, Any]) -> str:
    """The name of one version of an automation: 32 hexadecimal digits of the SHA-256 of its id and source as JSON. A
    script's id stands outside its source: without it, two scripts of one text would be one version, and after a restart
    the runs of both would be runs of one."""
    text = json.dumps([name, tree], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _section(reader: Reader, source: Map, *names: str) -> tuple[Any, Place]:
    found = reader.either(source, *names)
    return (found[1], found[2]) if found else (None, source.place)


def _max(reader: Reader, source: Map) -> int:
    value = source.get("max", DEFAULT_MAX)
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_MAX:
        return value
    reader.wrong(source.values_at["max"], f"'max' must be a whole number from 1 to {MAX_MAX}")
    return DEFAULT_MAX


def _fields(reader: Reader, source: Map) -> dict[str, Any]:
    """What a script takes: name → description, default, selector …"""
    given = source.get("fields")
    if given is None:
        return {}
    found = reader.mapping(given, source.values_at["fields"], "'fields'")
    return plain(found) if found is not None else {}


def _on_restart(reader: Reader, source: Map) -> float | None:
    """Seconds that a deadline may be late after a restart; ``None``: any; 0: the run then ends and is told."""
    value = source.get("on_restart", "resume")
    if value in ("resume", "expire"):
        return None if value == "resume" else 0.0
    if isinstance(value, Map) and value.keys() == {"run_late_within"}:
        late = reader.duration(value, "run_late_within")
        if isinstance(late, float):
            return late
    reader.wrong(source.values_at["on_restart"], "'on_restart' must be resume, expire or 'run_late_within: 5m'")
    return None
