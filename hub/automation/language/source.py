"""YAML text as values that know where they stand, so that every mistake can be named with line and column.

Mappings and lists keep the place of each child. Differs from plain YAML 1.1 where that surprises operators:
``12:30:00`` stays text (not a number to base 60), and a key that stands twice is a mistake.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

from hub.core.error import ConfigError, Mistake

log = logging.getLogger(__name__)

MAX_TEXT = 4 * 1024 * 1024  # 20,000 short rules
MAX_ALIASED = 50_000  # values that aliases stand for, counted each time: a "billion laughs" file ends here
MAX_NESTING = 40
MAX_INT = 10**40  # beyond it is no measure: Python itself refuses to print one of 4,300 digits
MAX_WORDS = 500  # of one mistake: it may name a text of the file

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE = "tag:yaml.org,2002:merge"
_INT = "tag:yaml.org,2002:int"
_LONE = re.compile("[\ud800-\udfff]")  # half a character: no UTF-8 text holds one, and none can be written with it
_TEXTUAL = {_MERGE, "tag:yaml.org,2002:str", "tag:yaml.org,2002:timestamp"}


class Place(NamedTuple):
    """Where a value stands; ``line`` and ``column`` count from 1, 0 when it came from no file."""

    file: str
    line: int
    column: int

    def mistake(self, words: str) -> Mistake:
        words = words if len(words) <= MAX_WORDS else f"{words[:MAX_WORDS]}…"
        return Mistake(self.file, self.line, self.column, words)


NOWHERE = Place("", 0, 0)


class Map(dict[str, Any]):
    """A mapping that knows its own place and those of its keys and values."""

    __slots__ = ("keys_at", "place", "values_at")

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.keys_at: dict[str, Place] = {}
        self.values_at: dict[str, Place] = {}

    def put(self, key: str, key_at: Place, value: Any, value_at: Place) -> None:
        self[key], self.keys_at[key], self.values_at[key] = value, key_at, value_at


class Seq(list[Any]):
    """A list that knows its own place and those of its items."""

    __slots__ = ("items_at", "place")

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.items_at: list[Place] = []

    def put(self, value: Any, at: Place) -> None:
        self.append(value)
        self.items_at.append(at)

    def placed(self) -> Iterator[tuple[Any, Place]]:
        return zip(self, self.items_at, strict=True)


class Input(NamedTuple):
    """``!input name``: a blank of a blueprint."""

    name: str
    place: Place


def load(text: str, file: str) -> tuple[Any, Place]:
    """The document's value and its place; ``ConfigError`` when it is no YAML, over a limit, or cannot be read."""
    try:
        return _loaded(text, file)
    except ConfigError:
        raise
    except Exception as fault:  # of whatever kind: one file's fault must not cost the others their reading
        raise ConfigError([unreadable(first_place(text, file), fault)]) from None


def first_place(text: str, file: str) -> Place:
    """Where a text begins: the lines before it may be left empty."""
    blank = len(text) - len(text.lstrip())
    return Place(file, text.count("\n", 0, blank) + 1, 1)


def unreadable(place: Place, fault: Exception) -> Mistake:
    """The mistake of what nobody foresaw, while it is handled: the log has where it came from."""
    log.exception("%s:%d cannot be read", place.file, place.line)
    return place.mistake(f"this cannot be read: {type(fault).__name__}: {fault}")


def _loaded(text: str, file: str) -> tuple[Any, Place]:
    if (lone := _LONE.search(text)) is not None:
        before = text[: lone.start()]
        place = Place(file, before.count("\n") + 1, lone.start() - before.rfind("\n"))
        raise ConfigError([place.mistake("this is no character; save the file as UTF-8")])
    if len(text) > MAX_TEXT:
        raise ConfigError([Mistake(file, 1, 1, f"the file is longer than {MAX_TEXT // 1024} KB; split it")])
    loader = _Loader(text)
    try:
        return _Builder(loader, file).document()
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        words = f"this is not YAML: {wrong.problem or wrong.context}"
        raise ConfigError([Mistake(file, line, column, words)]) from None
    except yaml.YAMLError as wrong:
        raise ConfigError([Mistake(file, 1, 1, f"this is not YAML: {wrong}")]) from None
    finally:
        loader.dispose()


class _Builder:
    """Values straight from the parser's events: one pass, with nesting and size bounded."""

    def __init__(self, loader: Any, file: str) -> None:
        self._loader, self._file = loader, file
        self._anchors: dict[str, tuple[Any, Place, int, int]] = {}  # value, its place, nodes and levels
        self._nodes = self._aliased = self._deepest = 0

    def document(self) -> tuple[Any, Place]:
        self._next()  # the stream's start
        if isinstance(self._loader.peek_event(), yaml.StreamEndEvent):
            return None, Place(self._file, 1, 1)
        self._next()  # the document's start
        value, place = self._value(0)
        self._next()
        if not isinstance(self._loader.peek_event(), yaml.StreamEndEvent):
            self._wrong(self._place(self._loader.peek_event()), "the file holds more than one YAML document")
        return value, place

    def _next(self) -> Any:
        return self._loader.get_event()

    def _place(self, event: Any) -> Place:
        return Place(self._file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _wrong(self, place: Place, words: str) -> None:
        raise ConfigError([place.mistake(words)])

    def _alias(self, anchor: str, place: Place, depth: int) -> tuple[Any, Place]:
        if anchor not in self._anchors:
            self._wrong(place, f"no anchor &{anchor} stands before this alias")
        value, at, nodes, levels = self._anchors[anchor]
        self._go_down(depth + levels, place)
        self._nodes += nodes
        self._aliased += nodes
        if self._aliased > MAX_ALIASED:
            self._wrong(place, f"the aliases of this file stand for more than {MAX_ALIASED} values")
        return value, at

    def _value(self, depth: int) -> tuple[Any, Place]:
        event = self._next()
        place, before, deepest = self._place(event), self._nodes, self._deepest
        if isinstance(event, yaml.AliasEvent):
            return self._alias(str(event.anchor), place, depth)
        self._nodes += 1
        self._deepest = 0
        self._go_down(depth, place)
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event, place)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self._sequence(place, depth)
        else:
            value = self._mapping(place, depth)
        if event.anchor:
            self._anchors[event.anchor] = (value, place, self._nodes - before, self._deepest - depth)
        self._deepest = max(self._deepest, deepest)
        return value, place

    def _go_down(self, depth: int, place: Place) -> None:
        """An alias goes down as far as what it stands for."""
        self._deepest = max(self._deepest, depth)
        if depth > MAX_NESTING:
            self._wrong(place, f"nested deeper than {MAX_NESTING} levels")

    def _sequence(self, place: Place, depth: int) -> Seq:
        made = Seq(place)
        while not isinstance(self._loader.peek_event(), yaml.SequenceEndEvent):
            made.put(*self._value(depth + 1))
        self._next()
        return made

    def _mapping(self, place: Place, depth: int) -> Map:
        made, merged = Map(place), []
        while not isinstance(self._loader.peek_event(), yaml.MappingEndEvent):
            merge = self._loader.peek_event()
            key, key_at = self._value(depth + 1)
            value, value_at = self._value(depth + 1)
            if isinstance(merge, yaml.ScalarEvent) and merge.value == "<<" and not merge.style:
                merged += [part for part in (value if isinstance(value, Seq) else [value]) if isinstance(part, Map)]
                continue
            name = _key_text(key)
            if name is None:
                self._wrong(key_at, "a key must be a word")
            elif name in made:
                self._wrong(key_at, f"{name!r} stands here twice")
            else:
                made.put(name, key_at, value, value_at)
        self._next()
        for part in merged:
            for name in part.keys() - made.keys():
                made.put(name, part.keys_at[name], part[name], part.values_at[name])
        return made

    def _scalar(self, event: Any, place: Place) -> Any:
        if event.tag == "!input":
            return Input(event.value, place)
        if event.tag and event.tag.startswith("!"):
            self._wrong(place, f"the tag {event.tag} is not known here; only !input is")
        if _LONE.search(event.value):  # as "\ud800"
            self._wrong(place, "this text holds half a character, which cannot be written")
        if event.style and not event.tag:
            return event.value
        tag = event.tag or self._loader.resolve(yaml.ScalarNode, event.value, event.implicit)
        if tag in _TEXTUAL or (tag == _INT and ":" in event.value):
            return event.value
        try:
            made = self._loader.construct_object(yaml.ScalarNode(tag, event.value, event.start_mark, event.end_mark))
        except (ValueError, LookupError, ArithmeticError, TypeError) as wrong:
            self._wrong(place, f"{event.value[:60]!r} cannot be read: {wrong}")
        if isinstance(made, int) and abs(made) >= MAX_INT:
            self._wrong(place, "this number has more than 40 digits; if it is a name, put it in quotes")
        return made


def _key_text(key: Any) -> str | None:
    if isinstance(key, bool):  # `on:` and `off:` as keys
        return "on" if key else "off"
    return str(key) if isinstance(key, str | int | float) else None


def plain(value: Any) -> Any:
    """The same as JSON data, without places (dates become text)."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def placed(value: Any, place: Place = NOWHERE) -> Any:
    """JSON data as values with places, all of them ``place``: for sources kept in the journal."""
    if isinstance(value, dict):
        made = Map(place)
        for key, item in value.items():
            made.put(key, place, placed(item, place), place)
        return made
    if isinstance(value, list):
        listed = Seq(place)
        for item in value:
            listed.put(placed(item, place), place)
        return listed
    return value
