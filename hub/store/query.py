"""A ``Query`` as SQL: indexed where it can be, bounded where it cannot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from hub.core.event import EventTypes
from hub.core.journal import Query
from hub.store.connection import Connection
from hub.store.keys import KeyRing

SCAN_LIMIT = 200_000  # rows that one query may look at when a field without an index decides


def search(
    connection: Connection, query: Query, ring: KeyRing, types: EventTypes, columns: str
) -> Iterator[Sequence[Any]]:
    """Rows that may match, in the query's order; the caller checks each (``Query.accepts``)."""
    where, values = _conditions(query)
    kind = types.get(query.type) if query.type else None
    for name, value in query.match.items():
        if kind is not None and name in kind.personal and isinstance(value, str | int) and value != "":
            where.append("seq IN (SELECT seq FROM digests WHERE digest=?)")
            values.append(ring.digest(name, value))
    order = "DESC" if query.newest else "ASC"
    limit = SCAN_LIMIT if query.match else query.limit
    sql = f"SELECT {columns} FROM events WHERE {' AND '.join(where)} ORDER BY seq {order} LIMIT ?"  # noqa: S608
    return iter(connection.execute(sql, (*values, limit)))


def _conditions(query: Query) -> tuple[list[str], list[Any]]:
    where, values = ["seq > ?"], list[Any]([query.after])
    for column, value in (("type", query.type), ("entity", query.entity), ("cause", query.cause)):
        if value is not None:
            where.append(f"{column} = ?")
            values.append(value)
    for test, bound in (("seq < ?", query.before), ("received >= ?", query.since), ("received < ?", query.until)):
        if bound is not None:
            where.append(test)
            values.append(bound)
    return where, values
