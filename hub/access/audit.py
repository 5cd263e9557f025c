"""The audit ledger: who did or looked at what, for which purpose, as a hash chain inside the journal's transactions.

Each entry's hash covers the entry and the hash before it, so an edit breaks the chain at that entry. Whoever holds the
machine can rewrite the whole chain; that is found only against *signed heads* kept elsewhere (``hub.access.heads``).

People's data never stands in the chain: an entry carries a keyed digest of it, whose key lies with the data in a
sealed record. When retention destroys that record's key the data is gone, and the chain still verifies.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from hub.core.error import InvalidInput
from hub.core.journal import Journal, Put
from hub.core.pipeline import Pipeline

TABLE = "audit"
DETAIL_TABLE = "audit_detail"  # the sealed part: personal data and the key of its digest
LAST_TABLE = "audit_last"  # one record: the chain's end, so that a start need not read the whole ledger
DETAIL_CLASS = "audit"
GENESIS: Final = "0" * 64
MAX_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. ``n`` counts from 1; ``at``: seconds since the epoch; ``sealed``: keyed digest of what is personal."""

    n: int
    at: float
    who: str
    what: str
    subject: str
    purpose: str | None
    detail: Mapping[str, Any]
    sealed: str | None
    prev: str
    hash: str = ""

    def as_data(self) -> dict[str, Any]:
        """JSON form, as recorded."""
        return asdict(self)

    def computed(self) -> str:
        """SHA-256 over the canonical JSON of everything but the hash, hex."""
        data = asdict(self)
        del data["hash"]
        return hashlib.sha256(canonical(data)).hexdigest()


def canonical(data: object) -> bytes:
    """JSON with sorted keys, no spaces, ASCII: one spelling for one value. ``ValueError`` for NaN."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def entry_key(n: int) -> str:
    """The record key of entry ``n``: keys sort as numbers do."""
    return f"{n:012d}"


class Ledger:
    """Writes the ledger. Runs on the loop thread; ``load`` it before the first entry.

    ``record`` in the same turn of the loop as the event or record it is about puts both into one transaction.
    """

    def __init__(self, pipeline: Pipeline, *, random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._pipeline, self._random = pipeline, random_bytes
        self._last = self._durable = (0, GENESIS)
        pipeline.on_recover.append(self.load)

    def load(self) -> None:
        """Take up the chain where the journal ends: at start, and after a failed commit."""
        rows = self._pipeline.journal.records(LAST_TABLE)
        self._last = self._durable = (rows[0][1]["n"], rows[0][1]["hash"]) if rows else (0, GENESIS)

    @property
    def last(self) -> tuple[int, str]:
        """Number and hash of the newest durable entry; (0, zeros) for an empty ledger."""
        return self._durable

    def record(
        self, actor: str, verb: str, subject: str, purpose: str | None = None,
        detail: Mapping[str, Any] | None = None, *, personal: Mapping[str, Any] | None = None,
    ) -> Entry:  # fmt: skip
        """Put an entry into the open group.

        ``actor`` is ``Actor.id``; ``verb`` names what was done (``plate.search``, ``user.add``); ``subject`` to what,
        without people's data, which goes into ``personal``. ``InvalidInput`` when it is no JSON or too large.
        """
        n, prev = self._last[0] + 1, self._last[1]
        clear, secret = _as_json(detail), _as_json(personal)
        _as_json({"who": actor, "what": verb, "subject": subject, "purpose": purpose})
        digest = None
        if secret:
            key = self._random(32).hex()
            digest = seal_digest(key, secret)
            self._pipeline.put(Put(DETAIL_TABLE, entry_key(n), {"key": key, "personal": secret}, sealed=DETAIL_CLASS))
        entry = Entry(n, self._pipeline.clock.now(), actor, verb, subject, purpose, clear, digest, prev)
        entry = replace(entry, hash=entry.computed())
        self._last = (n, entry.hash)
        self._pipeline.put(Put(TABLE, entry_key(n), entry.as_data()))
        self._pipeline.put(Put(LAST_TABLE, "last", {"n": n, "hash": entry.hash}))
        self._pipeline.after_commit(lambda: self._committed(n, entry.hash))
        return entry

    def _committed(self, n: int, digest: str) -> None:
        self._durable = (n, digest)


def seal_digest(key: str, personal: Mapping[str, Any]) -> str:
    """HMAC-SHA-256 over the canonical JSON of the personal part, hex; ``key`` is hex."""
    return hmac.digest(bytes.fromhex(key), canonical(personal), "sha256").hex()


def entries(journal: Journal, after: int = 0, limit: int | None = None) -> list[dict[str, Any]]:
    """The entries as recorded, in the order of their keys: all of them for ``verify``, those behind entry ``after`` for
    the auditor's page. Blocks."""
    return [value for _, value in journal.records(TABLE, entry_key(after) if after else None, limit)]


def details(journal: Journal) -> dict[int, dict[str, Any]]:
    """The sealed parts that retention has not destroyed: entry number to ``{"key", "personal"}``. Blocks."""
    return {int(key): value for key, value in journal.records(DETAIL_TABLE)}


def _as_json(data: Mapping[str, Any] | None) -> dict[str, Any]:
    try:
        raw = canonical(dict(data or {}))
        kept: dict[str, Any] = json.loads(raw)
        json.dumps(kept, ensure_ascii=False).encode()  # half a character would fail in the store, with its whole group
    except (TypeError, ValueError) as fault:
        raise InvalidInput(f"the detail is no JSON: {fault}", where="audit") from None
    if len(raw) > MAX_BYTES:
        raise InvalidInput(f"the detail is larger than {MAX_BYTES} bytes", where="audit", hint="name it by its id")
    return kept
