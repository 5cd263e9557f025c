"""Questions to the journal as SQL: an index for what they name, then a filter that lets too much through at most."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hub.core.event import EventTypes
from hub.core.journal import Query
from hub.store.daykeys import DayKey
from hub.store.rows import EVENT_COLUMNS, digested, personal_types

MAX_SEQ = (1 << 63) - 1
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(slots=True)
class Where:
    """Conditions that all hold, with their values in order."""

    terms: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)

    def add(self, term: str, *values: Any) -> None:
        self.terms.append(term)
        self.values.extend(values)


def select(query: Query, types: EventTypes, live_keys: Callable[[], list[DayKey]]) -> tuple[str, list[Any]]:
    """SQL and values. Its rows are a superset of the answer when the query has ``match``, and the answer otherwise."""
    where = Where()
    where.add("seq > ?", min(query.after, MAX_SEQ))
    if query.before is not None:
        where.add("seq < ?", min(query.before, MAX_SEQ))
    _time(where, query)
    exact = [term for name, value in query.match.items() if (term := _match(where, query, types, name, value))]
    if exact:
        where.add(*_digests(exact, live_keys()))
    # one index is named, the most telling one; a plus sign hides a column from the planner
    best = "digest" if exact else next((c for c in ("cause", "entity", "type") if getattr(query, c) is not None), None)
    for column in ("cause", "entity", "type"):
        if (value := getattr(query, column)) is not None:
            where.add(f"{'' if column == best else '+'}{column} = ?", value)
    order = "DESC" if query.newest else "ASC"
    return f"SELECT {EVENT_COLUMNS} FROM events WHERE {' AND '.join(where.terms)} ORDER BY seq {order}", where.values  # noqa: S608 - terms are ours


def _time(where: Where, query: Query) -> None:
    if query.since is not None:
        where.add("seq >= (SELECT min(first) FROM spans WHERE hour >= ?)", int(query.since // 3600))
        where.add("received >= ?", query.since)
    if query.until is not None:
        where.add("seq <= (SELECT max(last) FROM spans WHERE hour <= ?)", int(query.until // 3600))
        where.add("received < ?", query.until)


def _match(where: Where, query: Query, types: EventTypes, name: str, value: Any) -> tuple[str, Any] | None:
    """Adds a filter on an open field, or returns what must be found by digest; anything else the caller compares."""
    if value is None or not isinstance(value, str | int | float):
        return None
    sealed = personal_types(types, name)
    if query.type is None:
        if any(kind.version > 1 for kind in types) or sealed:
            return None
    else:
        kind = types.get(query.type)
        if kind is not None and kind.version > 1:
            return None  # an older version may keep it under another name
        if kind is not None and name in kind.personal:
            return (name, value) if digested(kind.personal[name], value) else None
    plain = value.isprintable() if isinstance(value, str) else isinstance(value, int) and abs(value) <= MAX_SEQ
    if plain and _FIELD.fullmatch(name):
        where.add("json_extract(body, ?) = ?", f"$.{name}", value)
    return None


def _digests(wanted: list[tuple[str, Any]], keys: list[DayKey]) -> tuple[Any, ...]:
    """A term for the events that hold all the wanted values."""
    terms: list[str] = []
    values: list[Any] = []
    for name, value in wanted:
        rows = ",".join("(?,?)" for _ in keys) or "(NULL, NULL)"
        terms.append(
            f"seq IN (WITH wanted (key, digest) AS (VALUES {rows}) "  # noqa: S608 - question marks only
            "SELECT d.seq FROM wanted CROSS JOIN digests d ON d.key = wanted.key AND d.digest = wanted.digest)"
        )
        values += [part for key in keys for part in (key.id, key.digest(name, value))]
    return (" AND ".join(terms), *values)
