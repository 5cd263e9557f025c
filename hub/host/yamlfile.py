"""YAML with marks: every value knows its file, line and column, and nothing in a file can hurt the reader.

YAML 1.1 as Home Assistant reads it, except that ``22:00`` and dates stay the texts that were written. Tags other than
those of the loader (``!include`` …) are mistakes; nothing in a file is code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from hub.core.error import Mistake

MAX_BYTES = 1 << 20
MAX_DEPTH = 50
MAX_NODES = 100_000

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STANDARD = "tag:yaml.org,2002:"
_INT = re.compile(r"[-+]?(0|[1-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?([0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)([eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+")
_WORDS = {
    "true": True, "yes": True, "on": True, "false": False, "no": False, "off": False, "null": None, "~": None, "": None,
}  # fmt: skip
_HEX = re.compile(r"0x[0-9a-fA-F_]+")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands; line and column count from 1."""

    file: str
    line: int
    column: int

    def mistake(self, words: str) -> Mistake:
        return Mistake(self.file, self.line, self.column, words)


@dataclass(slots=True)
class Node:
    """A part of a file before tags are served. ``start``/``end``: the span in the file's text."""

    kind: Literal["scalar", "list", "map"]
    place: Place
    tag: str
    start: int
    end: int = 0
    value: Any = None  # of a scalar
    items: list[Node] = field(default_factory=list)
    pairs: list[tuple[Node, Node]] = field(default_factory=list)

    def get(self, key: str) -> Node | None:
        """The value under a key of a map."""
        return next((value for name, value in self.pairs if name.kind == "scalar" and name.value == key), None)

    def children(self) -> Iterator[Node]:
        yield from self.items
        for key, value in self.pairs:
            yield key
            yield value


class Broken(Exception):
    """A file that cannot be read as a whole; its one mistake."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(str(mistake))
        self.mistake = mistake


def read_text(path: Path, shown: str, asked: Place | None = None) -> str:
    """The file's text; ``Broken`` at the place that asked for it, or at its own beginning."""
    at = asked or Place(shown, 1, 1)
    try:
        if not path.is_file():
            raise Broken(at.mistake(f"there is no file {shown}"))
        if path.stat().st_size > MAX_BYTES:
            raise Broken(at.mistake(f"{shown} is larger than {MAX_BYTES // 1024} KiB"))
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise Broken(Place(shown, 1, 1).mistake(f"not UTF-8 text (byte {wrong.start})")) from None
    except OSError as refused:
        raise Broken(at.mistake(f"{shown} cannot be read: {refused.strerror}")) from None


def compose(text: str, file: str) -> Node | None:
    """The file as nodes, ``None`` when it is empty; ``Broken`` on the first thing that is no YAML."""
    try:
        return _Composer(file).run(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        words = " ".join(part for part in (wrong.context, wrong.problem) if part)
        raise Broken(Place(file, line, column).mistake(f"not YAML: {words}")) from None
    except yaml.YAMLError as wrong:
        raise Broken(Place(file, 1, 1).mistake(f"not YAML: {wrong}")) from None


def compose_json(text: str, file: str) -> Any:
    """A JSON or GeoJSON file as plain data; ``Broken`` otherwise."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as wrong:
        raise Broken(Place(file, wrong.lineno, wrong.colno).mistake(f"not JSON: {wrong.msg}")) from None
    except RecursionError:
        raise Broken(Place(file, 1, 1).mistake("nested too deeply")) from None


class _Composer:
    """Builds nodes from parser events, so that depth and aliases are limited before anything is built."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._open: list[tuple[Node, list[Node]]] = []
        self._anchors: dict[str, Node] = {}
        self._root: Node | None = None
        self._documents = 0

    def run(self, events: Any) -> Node | None:
        for event in events:
            self._take(event)
        return self._root

    def _take(self, event: Any) -> None:
        if isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise Broken(self._place(event).mistake("a second document begins here; keep one to a file"))
        elif isinstance(event, yaml.AliasEvent):
            self._add(self._alias(event))
        elif isinstance(event, yaml.ScalarEvent):
            self._add(self._scalar(event))
        elif isinstance(event, yaml.CollectionStartEvent):
            self._begin(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._finish(event)

    def _begin(self, event: Any) -> None:
        kind: Literal["list", "map"] = "list" if isinstance(event, yaml.SequenceStartEvent) else "map"
        node = Node(kind, self._place(event), _tag(event.tag), event.start_mark.index)
        if len(self._open) >= MAX_DEPTH:
            raise Broken(node.place.mistake(f"nested deeper than {MAX_DEPTH} levels"))
        if event.anchor:
            self._anchors[event.anchor] = node
        self._open.append((node, []))

    def _finish(self, event: Any) -> None:
        node, parts = self._open.pop()
        node.end = event.end_mark.index
        if node.kind == "list":
            node.items = parts
        else:
            node.pairs = list(zip(parts[::2], parts[1::2], strict=True))
        self._add(node)

    def _add(self, node: Node) -> None:
        if self._open:
            self._open[-1][1].append(node)
        else:
            self._root = node

    def _alias(self, event: Any) -> Node:
        node = self._anchors.get(event.anchor)
        if node is None:
            raise Broken(self._place(event).mistake(f"nothing is anchored as &{event.anchor}"))
        if any(node is opened for opened, _ in self._open):
            raise Broken(self._place(event).mistake(f"*{event.anchor} stands inside what it names"))
        return node

    def _scalar(self, event: Any) -> Node:
        tag = _tag(event.tag)
        node = Node("scalar", self._place(event), tag, event.start_mark.index, event.end_mark.index, event.value)
        if event.implicit[0] and not tag:
            node.value = plain(event.value)
        elif tag.startswith("!!") and tag != "!!str":
            node.value = plain(event.value)
            node.tag = "" if tag in ("!!int", "!!float", "!!bool", "!!null") else tag
        elif tag == "!!str":
            node.tag = ""
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _place(self, event: Any) -> Place:
        return Place(self._file, event.start_mark.line + 1, event.start_mark.column + 1)


def _tag(tag: str | None) -> str:
    if tag is None or tag == "!":
        return ""
    if tag in (_STANDARD + "map", _STANDARD + "seq"):
        return ""
    return "!!" + tag.removeprefix(_STANDARD) if tag.startswith(_STANDARD) else tag


def plain(text: str) -> Any:
    """What an unquoted scalar means: YAML 1.1 words and numbers, but ``22:00`` and dates stay text."""
    word = text.lower()
    if word in _WORDS and text in (word, word.capitalize(), word.upper()):
        return _WORDS[word]
    digits = text.replace("_", "")
    if _INT.fullmatch(text) and len(digits) <= 20:
        return int(digits)
    if _HEX.fullmatch(text) and len(digits) <= 18:
        return int(digits, 16)
    if _FLOAT.fullmatch(text) and len(digits) <= 40:
        return float(digits)
    return text


def span(text: str, node: Node) -> str:
    """The operator's own text of a node: what stands before it on its first line is made blanks, so that columns are
    the file's; blank lines and comments after it that stand further left are left out."""
    lines = text[: node.end].splitlines(keepends=True)[node.place.line - 1 :]
    column = node.place.column - 1
    lines[0] = " " * column + lines[0][column:]
    while len(lines) > 1 and _outside(lines[-1], column):
        lines.pop()
    return "".join(lines).rstrip() + "\n"


def _outside(line: str, column: int) -> bool:
    bare = line.strip()
    return not bare or (len(line) - len(line.lstrip()) < column and bare[0] == "#")


