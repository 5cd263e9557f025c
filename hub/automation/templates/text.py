"""Texts in templates: patterns, forms, codes."""

from __future__ import annotations

import base64
import hashlib
import json
import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache, total_ordering
from typing import Any
from urllib.parse import quote, urlencode

import re2  # type: ignore[import-untyped] # google-re2 ships no types

from hub.automation.templates.bounds import (
    MAX_CHARS,
    Budget,
    TooCostly,
    batches,
    joined,
    padded,
    percent_formatted,
    repeated,
    replaced,
    stripped,
)
from hub.automation.templates.forgiving import REQUIRED, or_default

MAX_PATTERN = 500
# instructions of a pattern × bytes of a text: RE2 at its worst makes about 250 of these a microsecond
MAX_EFFORT = 5_000_000
Function = Callable[..., Any]


@lru_cache(maxsize=512)
def _pattern(source: str, ignore_case: bool) -> tuple[Any, int]:
    """By RE2, whose time for one match grows with the text alone; it has no look-around and no back-references. And
    its size."""
    if len(source) > MAX_PATTERN:
        raise ValueError(f"a pattern of more than {MAX_PATTERN} characters")
    options = re2.Options()
    options.log_errors, options.case_sensitive, options.max_mem = False, not ignore_case, 1 << 20
    try:
        made = re2.compile(source, options)
    except re2.error as wrong:
        told = wrong.args[0] if wrong.args else ""
        words = told.decode(errors="replace") if isinstance(told, bytes) else str(told)
        raise ValueError(f"the pattern {source[:40]!r} cannot be used: {words}") from None
    return made, made.programsize


class Patterns:
    """What is done with patterns: each single match is bounded by its pattern and its text, many by the time."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.filters: dict[str, Function] = {
            "regex_match": self.match, "regex_search": self.search, "regex_replace": self.replace,
            "regex_findall": self.findall, "regex_findall_index": self.findall_index,
        }  # fmt: skip
        self.tests: dict[str, Callable[..., bool]] = {"match": self.match, "search": self.search}

    def _ready(self, find: str, ignore_case: bool, text: str) -> Any:
        self._budget.look()
        pattern, size = _pattern(find, ignore_case)
        if size * len(text) * (1 if text.isascii() else 3) > MAX_EFFORT:
            raise TooCostly(f"the pattern {find[:40]!r} takes too long on a text of {len(text)} characters")
        return pattern

    def match(self, value: Any, find: str = "", ignorecase: bool = False) -> bool:
        """Does it match at the beginning?"""
        text = str(value)
        return bool(self._ready(find, ignorecase, text).match(text))

    def search(self, value: Any, find: str = "", ignorecase: bool = False) -> bool:
        """Does it match anywhere?"""
        text = str(value)
        return bool(self._ready(find, ignorecase, text).search(text))

    def replace(self, value: Any = "", find: str = "", replace: str = "", ignorecase: bool = False) -> str:
        """With every match replaced."""
        text, references = str(value), replace.count("\\")
        if references and len(replace) > MAX_PATTERN:
            raise ValueError(f"a replacement with references of more than {MAX_PATTERN} characters")
        parts, end, length = [""], 0, len(text)
        for found in self._budget.steps(self._ready(find, ignorecase, text).finditer(text), MAX_CHARS + 1):
            span = found.end() - found.start()
            if length + references * span > MAX_CHARS * 16:
                raise TooCostly("a replacement that becomes too long")
            parts += [text[end : found.start()], found.expand(replace) if references else replace]
            end = found.end()
            length += len(parts[-1]) - span
        return "".join([*parts, text[end:]])

    def findall(self, value: Any, find: str = "", ignorecase: bool = False) -> list[Any]:
        """All matches: what the pattern's groups hold, when it has some."""
        text = str(value)
        pattern = self._ready(find, ignorecase, text)
        groups = pattern.groups
        found = self._budget.steps(pattern.finditer(text))
        if groups > 1:
            return [one.groups(default="") for one in found]
        return [one.groups(default="")[0] if groups else one.group() for one in found]

    def findall_index(self, value: Any, find: str = "", index: int = 0, ignorecase: bool = False) -> Any:
        """One of them."""
        return self.findall(value, find, ignorecase)[index]


def slugify(value: Any, separator: str = "_") -> str:
    """Small Latin letters and digits with ``_`` between."""
    plain = unicodedata.normalize("NFKD", str(value)).encode("ascii", "ignore").decode().lower()
    words = "".join(character if character.isalnum() else " " for character in plain).split()
    return separator.join(words)


def ordinal(value: Any) -> str:
    """``1st``, ``2nd`` …"""
    number = int(value)
    last = 0 if 10 <= abs(number) % 100 < 14 else abs(number) % 10
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(last, 'th') }"


def to_json(
    value: Any, ensure_ascii: bool = False, pretty_print: bool = False, sort_keys: bool = False
) -> str:
    """JSON text."""
    if not pretty_print:
        return json.dumps(value, ensure_ascii=ensure_ascii, sort_keys=sort_keys, separators=(",", ":"))
    # in parts: the blanks of deep levels are not part of the value's bound
    parts = json.JSONEncoder(ensure_ascii=ensure_ascii, sort_keys=sort_keys, indent=2).iterencode(value)
    return joined(parts, most=MAX_CHARS)


def from_json(value: Any, default: Any = REQUIRED) -> Any:
    """The value of JSON text."""
    try:
        return json.loads(value)
    except (ValueError, TypeError, RecursionError):
        return or_default("from_json", value, default)


def url_encoded(value: Any) -> str:
    """For a query string: a mapping, or a text."""
    if isinstance(value, Mapping):
        return urlencode({str(key): str(item) for key, item in value.items()})
    return quote(str(value), safe="/")


@total_ordering
class Version:
    """Numbers with points between, compared number by number."""

    def __init__(self, text: Any) -> None:
        if text is None:
            raise ValueError("None is no version")
        self._text = str(text)
        self._parts = [int(part) if part.isdecimal() else part for part in slugify(self._text).split("_")]

    def _key(self, other: object) -> list[tuple[bool, Any]]:
        parts = other._parts if isinstance(other, Version) else Version(other)._parts
        return [(isinstance(part, int), part) for part in parts]

    def __eq__(self, other: object) -> bool:
        return self._key(self) == self._key(other)

    def __lt__(self, other: object) -> bool:
        return self._key(self) < self._key(other)

    def __hash__(self) -> int:
        return hash(self._text)

    def __str__(self) -> str:
        return self._text


def _hash(name: str) -> Function:
    return lambda value: hashlib.new(name, str(value).encode(), usedforsecurity=False).hexdigest()


def _decoded(value: Any, encoding: str | None = "utf-8") -> Any:
    raw = base64.b64decode(str(value))
    return raw.decode(encoding) if encoding else raw


BOTH: dict[str, Function] = {
    "slugify": slugify, "ordinal": ordinal, "to_json": to_json, "from_json": from_json, "urlencode": url_encoded,
    "base64_encode": lambda value: base64.b64encode(str(value).encode()).decode(), "base64_decode": _decoded,
    "md5": _hash("md5"), "sha1": _hash("sha1"), "sha256": _hash("sha256"), "sha512": _hash("sha512"), "ord": ord,
    "version": Version,
}  # fmt: skip
FILTERS: dict[str, Function] = {
    **BOTH, "join": joined, "replace": replaced, "string": str,
    "lower": lambda value: str(value).lower(), "upper": lambda value: str(value).upper(),
    "title": lambda value: str(value).title(), "capitalize": lambda value: str(value).capitalize(),
    "trim": lambda value, what=None: stripped("strip", str(value), what), "tojson": to_json,
    "format": percent_formatted, "indent": repeated,
    "center": lambda value, width=80: padded("center", str(value), width),
    "wordcount": lambda value: len(str(value).split()), "safe": str, "e": str, "escape": str, "forceescape": str,
    "striptags": str, "batch": batches,
}  # fmt: skip
