"""Events and records as rows, and back: personal fields apart from the rest, and sealed."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import orjson
from cryptography.exceptions import InvalidTag

from hub.core.error import StorageFailed
from hub.core.event import Event, EventType, EventTypes, Personal
from hub.core.plain import plain
from hub.store.daykeys import DayKey, day_of

EVENT_COLUMNS: Final = "seq, id, type, at, received, entity, source, body, cause, depth, version, key, sealed"
# Words that nobody looks up by equality are not worth a digest.
LOOKED_UP: Final = frozenset({Personal.PLATE, Personal.PHONE, Personal.NAME, Personal.FACE})

log = logging.getLogger(__name__)

KeyFor = Callable[[str, str], DayKey]  # (class, day) → the key to seal with
KeyAt = Callable[[int], DayKey | None]  # row → the key to open with, unless it was destroyed


def dump(value: Any) -> str:
    """JSON text. What orjson refuses (whole numbers over 64 bits, half a surrogate pair) is marked by a space."""
    try:
        return orjson.dumps(value, _plain).decode()
    except TypeError:
        try:
            return " " + json.dumps(value, default=_plain)
        except (TypeError, ValueError, RecursionError) as wrong:
            # one slip of a plugin or a rule must not cost the whole group its commit
            log.error("kept as text, for it is no JSON data: %s", wrong)
            return " " + json.dumps(plain(value))


def _plain(value: object) -> dict[Any, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON data")


def load(text: str | bytes) -> Any:
    """What ``dump`` was given."""
    return json.loads(text) if text[:1] in (" ", b" ") else orjson.loads(text)


def digested(kind: Personal, value: object) -> bool:
    """Can this value be found by digest?"""
    return kind in LOOKED_UP and isinstance(value, str | int) and not isinstance(value, bool)


class Rows(NamedTuple):
    """A group, ready to write."""

    events: list[tuple[Any, ...]]
    digests: list[tuple[int, bytes, int]]
    spans: dict[int, list[int]]  # hour → first, last


def event_rows(events: Any, types: EventTypes, key_for: KeyFor) -> Rows:
    """The rows of a group's events."""
    rows = Rows([], [], {})
    append, known = rows.events.append, types.get
    for e in events:
        hour = int(e.received // 3600)
        span = rows.spans.get(hour)
        if span is None:
            rows.spans[hour] = [e.seq, e.seq]
        else:
            span[1] = e.seq
        kind = known(e.type)
        if kind is not None and kind.personal:
            body, key, sealed = _part(e, kind, key_for, rows.digests)
        else:
            body, key, sealed = dump(e.data), None, None
        append(
            (e.seq, e.id, e.type, e.at, e.received, e.entity, e.source, body, e.cause, e.depth, e.version, key, sealed)
        )
    return rows


def _part(
    event: Event, kind: EventType, key_for: KeyFor, digests: list[tuple[int, bytes, int]]
) -> tuple[str, int | None, bytes | None]:
    data = event.data
    personal = {name: data[name] for name in kind.personal if data.get(name) is not None}
    if not personal:
        return dump(data), None, None
    key = key_for(kind.retention, day_of(event.received))
    sealed = key.seal(dump(personal).encode(), _bound(event.seq, event.type))
    # two fields with the same value under one name cannot be; two names may share a value, so the name is hashed too
    digests += [
        (key.id, key.digest(name, value), event.seq)
        for name, value in personal.items()
        if digested(kind.personal[name], value)
    ]
    return dump({**data, **dict.fromkeys(personal)}), key.id, sealed


def event_of(row: Any, types: EventTypes, key_at: KeyAt) -> Event:
    """The event of a row (``EVENT_COLUMNS``), brought to its type's version; erased fields are ``None``."""
    seq, number, name, at, received, entity, source, body, cause, depth, version, key, sealed = row
    data = load(body)
    if key is not None and (opener := key_at(key)) is not None:
        try:
            data.update(load(opener.open(sealed, _bound(seq, name))))
        except InvalidTag:
            raise StorageFailed(
                f"event {seq} was changed in the database", where=name, hint="restore the last backup"
            ) from None
    kind = types.get(name)
    if kind is not None and version < kind.version:
        data, version = _upcast(seq, kind, version, data), kind.version
    return Event(seq, number, name, at, received, entity, source, data, cause, depth, version)


def _upcast(seq: int, kind: EventType, version: int, data: dict[str, Any]) -> dict[str, Any]:
    try:
        return kind.upcast(version, data)
    except Exception as fault:  # whatever a plugin's function raised: one event names itself
        raise StorageFailed(
            f"event {seq} cannot be brought from version {version} to {kind.version}: {fault!r}",
            where=kind.name,
            hint="the event type's upcast is wrong",
        ) from fault


def _bound(seq: int, name: str) -> bytes:
    return f"event\0{seq}\0{name}".encode()


def bound_record(table: str, key: str) -> bytes:
    """What a sealed record is bound to."""
    return f"record\0{table}\0{key}".encode()


def bound_snapshot(seq: int) -> bytes:
    """What a sealed snapshot is bound to."""
    return f"snapshot\0{seq}".encode()


def personal_types(types: EventTypes, field: str) -> Mapping[str, EventType]:
    """The types in which this field is personal."""
    return {kind.name: kind for kind in types if field in kind.personal}
