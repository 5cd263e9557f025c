"""The list itself: entries, and an index that finds plates with at most one error in constant time.

A plate here is series and number as one word, ``1กข1234``. The index holds each plate under every word that one
deletion leaves of it; a read plate is looked up with its own deletions, so that a wrong, missing or added character
meets in one of them (the symmetric deletion idea). Cost depends on the plate's length, not on the list's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from operator import ne
from typing import Any

MAX_ENTRIES = 100_000
MAX_PLATE = 12
UNSEEN = "?"  # in an entry: a character that the witness did not see
_WITH_PROVINCE = re.compile(r"(.*[0-9๐-๙?])\s*([ก-๎][ก-๎ ]+[ก-๎])")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. Times are seconds since the epoch. ``urgent_until``: active without a second approver until then."""

    id: str
    plate: str
    province: str
    reason: str
    legal_ground: str
    owner: str
    priority: str
    requested_by: str
    requested_at: float
    expires_at: float
    approved_by: str | None = None
    urgent_until: float | None = None

    def active(self, now: float) -> bool:
        """May it raise a hit now?"""
        urgent = self.urgent_until is not None and now < self.urgent_until
        return now < self.expires_at and (self.approved_by is not None or urgent)

    def as_data(self) -> dict[str, Any]:
        """JSON form."""
        return asdict(self)

    def approved(self, by: str) -> Entry:
        """The same with its second approver."""
        return replace(self, approved_by=by, urgent_until=None)


def normal(plate: str, *, partial: bool = False) -> str:
    """A plate as one word: NFC, Thai digits as Arabic ones, no spaces or hyphens, capital Latin letters; with ``?`` for
    characters nobody saw where it may be ``partial``."""
    word = unicodedata.normalize("NFC", plate).upper()
    return "".join(_digit(ch) for ch in word if ch.isalnum() or (partial and ch == UNSEEN))[:64]


def apart(text: str) -> tuple[str, str]:
    """Plate and province, where the province is written behind the number, as in ``?ข 12?4 สุโขทัย``; else ``""``."""
    found = _WITH_PROVINCE.fullmatch(text.strip())
    return (found[1], found[2].strip()) if found else (text, "")


def same_province(a: str, b: str) -> bool:
    """May two names be one province? Also when one is not known. NFKC, because ำ is written as one sign or two."""
    return not a or not b or _plain(a) == _plain(b)


def _plain(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).split())


def _digit(ch: str) -> str:
    return str(unicodedata.digit(ch)) if ch.isdigit() else ch


class PlateIndex:
    """All entries by plate and by what one deletion leaves of it."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._near: dict[str, list[Entry]] = {}  # nearly all of one: sets make a long list 100 MiB larger
        self._partial: dict[str, Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._entries.values()))

    def get(self, entry: str) -> Entry | None:
        """One entry by id."""
        return self._entries.get(entry)

    def put(self, entry: Entry) -> None:
        """Add or replace an entry."""
        self.drop(entry.id)
        self._entries[entry.id] = entry
        if UNSEEN in entry.plate:
            self._partial[entry.id] = entry
        for word in _deletions(entry.plate):
            if (found := self._near.get(word)) is None:
                self._near[word] = [entry]
            else:
                found.append(entry)

    def drop(self, entry_id: str) -> None:
        """Take an entry out; harmless when it is not there."""
        entry = self._entries.pop(entry_id, None)
        self._partial.pop(entry_id, None)
        for word in _deletions(entry.plate) if entry else ():
            rest = [one for one in self._near[word] if one.id != entry_id]
            if rest:
                self._near[word] = rest
            else:
                del self._near[word]

    def exact(self, word: str) -> list[Entry]:
        """The entries of just this plate."""
        return [entry for entry in self._candidates(word, (word,)) if entry.plate == word]

    def near(self, word: str) -> list[Entry]:
        """The entries with at most one wrong, missing or added character."""
        return [entry for entry in self._candidates(word, _deletions(word)) if errors(word, entry.plate) <= 1]

    def partial(self) -> list[Entry]:
        """The entries of which a part was seen."""
        return list(self._partial.values())

    def _candidates(self, word: str, cuts: Iterable[str]) -> list[Entry]:
        found = {entry.id: entry for cut in cuts for entry in self._near.get(cut, ())}
        return [found[name] for name in sorted(found)]


def _deletions(word: str) -> set[str]:
    if len(word) > MAX_PLATE:
        return {word}
    return {word, *(word[:at] + word[at + 1 :] for at in range(len(word)))}


def errors(a: str, b: str) -> int:
    """0 equal, 1 for one wrong, missing or added character, 2 for more."""
    if a == b:
        return 0
    if len(a) == len(b):
        wrong: int = sum(map(ne, a, b))
        return min(wrong, 2)
    short, long = sorted((a, b), key=len)
    if len(long) - len(short) > 1:
        return 2
    return 1 if any(long[:at] + long[at + 1 :] == short for at in range(len(long))) else 2
