"""Traces: what a run did and why, bounded, and without personal data.

A trace names the event that started the run by its sequence number, and each action by its key; whoever is cleared
reads them in the journal. Values that came from personal fields are masked here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from hub.core.clock import Clock
from hub.core.event import Event, EventTypes

MASK = "•••"
MAX_NOTES = 100
MAX_WORDS = 300
KEPT = 20  # traces of each automation
_NO_LETTER = re.compile(r"[\W_]+")


class Privacy:
    """Which values of an event are personal, by what its type declares."""

    def __init__(self, types: EventTypes) -> None:
        self._types = types

    def of(self, event: Event | None) -> tuple[str, ...]:
        """The personal values of an event, as texts to mask."""
        kind = self._types.get(event.type) if event else None
        if event is None or kind is None or not kind.personal:
            return ()
        found: set[str] = set()
        for name in kind.personal:
            found.update(_texts(event.data.get(name)))
        return tuple(sorted(found, key=len, reverse=True))


def _texts(value: Any) -> Iterable[str]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    elif value is not None and not isinstance(value, bool) and len(text := str(value)) > 1:
        yield text
        if text.isdecimal() and len(text) <= 15:  # as a condition on numbers reads it
            yield from (str(int(text)), str(float(text)))


@lru_cache(maxsize=64)
def _bare(secrets: tuple[str, ...]) -> tuple[str, ...]:
    """Their letters and digits alone, where that still tells something."""
    return tuple(bare for secret in secrets if len(bare := _NO_LETTER.sub("", secret).casefold()) >= 4)


def _squeezed(value: str, secrets: tuple[str, ...]) -> bool:
    """Does it hold a secret in another form: lower case, without its blanks, one letter after the other?"""
    ascii_ = value.isascii()  # an id or a path holds no Thai plate: most texts of a trace are looked at no further
    wanted = [bare for bare in _bare(secrets) if len(bare) <= len(value) and (not ascii_ or bare.isascii())]
    if not wanted:
        return False
    plain = _NO_LETTER.sub("", value).casefold()
    return any(bare in plain for bare in wanted)


def masked(value: Any, secrets: tuple[str, ...]) -> Any:
    """A copy of JSON data without the secrets, long texts cut."""
    kind = type(value)  # exact kinds: this runs for every line of every trace
    if kind is str:
        for secret in secrets:
            if secret in value:
                value = value.replace(secret, MASK)
        if secrets and _squeezed(value, secrets):
            return MASK
        return value if len(value) <= MAX_WORDS else value[:MAX_WORDS] + "…"
    if kind is dict:
        return {key: masked(item, secrets) for key, item in value.items()}
    if kind is list or kind is tuple:
        return [masked(item, secrets) for item in value[:MAX_NOTES]]
    return MASK if secrets and str(value) in secrets else value


class Notes:
    """What was seen and done, in order."""

    __slots__ = ("_clock", "left_out", "lines")

    def __init__(self, clock: Clock, lines: list[dict[str, Any]] | None = None) -> None:
        self._clock = clock
        self.lines: list[dict[str, Any]] = lines if lines is not None else []
        self.left_out = 0

    def add(self, path: str, result: Any, detail: dict[str, Any] | None = None, *, secret: bool = False) -> None:
        """``secret``: the value in the detail came from a personal attribute; it is not kept."""
        if len(self.lines) >= MAX_NOTES:
            self.left_out += 1
            return
        if secret and detail:
            detail = {key: MASK if key in ("state", "value", "wanted") else item for key, item in detail.items()}
        line = {"path": path, "at": self._clock.now(), "result": result}
        if detail:
            for value in detail.values():
                if (type(value) is str and len(value) > MAX_WORDS) or type(value) is dict:
                    detail = masked(detail, ())  # cut what is long
                    break
            line["detail"] = detail
        self.lines.append(line)

    def failed(self, path: str, words: str) -> None:
        """A part that could not be decided or done."""
        before = len(self.lines)
        self.add(path, False)
        if len(self.lines) > before:
            self.lines[-1]["error"] = words[:MAX_WORDS]

    def finished(self, key: str, at: float, words: str | None) -> None:
        """The outcome of an action that a line names by its key."""
        for line in reversed(self.lines):
            if key in (line.get("detail") or {}).get("keys", ()):
                line["done"] = at
                if words:
                    line["error"] = words[:MAX_WORDS]
                return
