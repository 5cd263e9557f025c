"""Texts that were parsed before, by the hash of their content: one that did not change costs its hash."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import partial

from hub.automation.language.blueprint import Blueprints
from hub.automation.language.known import Known
from hub.automation.language.model import Source
from hub.automation.language.parse import Parsed, parse_text
from hub.automation.templates.template import Templates

Read = dict[str, list[tuple[Source, Parsed]]]  # by file


@dataclass(frozen=True, slots=True)
class _Kept:
    """What came of a text, and all that it came of: the names that were known, and the blueprints that it uses."""

    parsed: Parsed
    known: Known | None
    blueprints: dict[str, str | None]


class Texts:
    """The parser with a memory as long as the files are there."""

    def __init__(self, templates: Templates, blueprints: Blueprints, *, lenient: bool) -> None:
        self._templates, self._blueprints, self._lenient = templates, blueprints, lenient
        self._kept: dict[str, dict[str, _Kept]] = {}  # by file, then by hash: a file may hold several texts
        self._last: tuple[str, str, _Kept] | None = None  # what ``parse`` read last, before it is a file's

    def read(self, sources: Iterable[Source], known: Known | None) -> Read:
        """Parse the texts of whole files; what the files held before is forgotten."""
        read: Read = {}
        kept: dict[str, dict[str, _Kept]] = {}
        for source in sources:
            if source.wrong is not None:
                read.setdefault(source.file, []).append((source, Parsed((), (source.wrong,), frozenset())))
                continue
            one = self._of(source.text, source.file, known)
            read.setdefault(source.file, []).append((source, one.parsed))
            kept.setdefault(source.file, {})[_hash(source.text)] = one
        self._kept.update(kept)
        return read

    def parse(self, text: str, file: str, known: Known | None) -> Parsed:
        """Parse one text of a file that may hold more. May be called in a thread; the next ``parse`` or ``read`` of the
        same then costs nothing."""
        one = self._of(text, file, known)
        self._last = (file, text, one)
        return one.parsed

    def keep_only(self, files: Collection[str]) -> None:
        """Forget files that are gone."""
        for file in self._kept.keys() - files:
            del self._kept[file]

    def _of(self, text: str, file: str, known: Known | None) -> _Kept:
        last = self._last
        kept = last[2] if last and last[:2] == (file, text) else self._kept.get(file, {}).get(_hash(text))
        if kept is not None and kept.known == known and self._same(kept.blueprints):
            return kept
        used: dict[str, str | None] = {}
        blueprints = partial(self._blueprint, used)
        return _Kept(parse_text(text, file, self._templates, blueprints, known, lenient=self._lenient), known, used)

    def _blueprint(self, used: dict[str, str | None], path: str) -> str | None:
        used[path] = self._blueprints(path)
        return used[path]

    def _same(self, used: dict[str, str | None]) -> bool:
        return all(self._blueprints(path) == text for path, text in used.items())


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
