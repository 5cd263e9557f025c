"""Signed heads of the audit ledger, and its verification.

A head says: entry ``n`` had this hash at this time, signed with the hub's Ed25519 key (RFC 8032). Printed in minutes or
sent to a partner, it lets anybody find an edit, a truncation or a rewriting of everything before it. The public key has
to be kept outside as well: whoever holds the machine can make a new one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hub.access.audit import GENESIS, Entry, Ledger, canonical, seal_digest
from hub.core.clock import Clock
from hub.core.error import StorageFailed

KEY_FILE = "audit.key"


@dataclass(frozen=True, slots=True)
class Head:
    """``signature``: hex, over the canonical JSON of the other three. ``at``: when it was signed."""

    n: int
    hash: str
    at: float
    signature: str = ""

    def as_data(self) -> dict[str, Any]:
        """JSON form, to be kept outside."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Head:
        """The head that ``as_data`` described."""
        return cls(int(data["n"]), str(data["hash"]), float(data["at"]), str(data["signature"]))

    def signed(self) -> bytes:
        """What the signature covers."""
        return canonical({"ledger": "audit", "n": self.n, "hash": self.hash, "at": self.at})


class Signer:
    """Signs heads with the key in folder ``data``, made at first use and readable by its owner only."""

    def __init__(self, data: Path, clock: Clock) -> None:
        self._clock = clock
        self._key = _load_key(data / KEY_FILE)

    @property
    def public_key(self) -> str:
        """The public key, 64 hex digits: to be kept with the heads."""
        return self._key.public_key().public_bytes_raw().hex()

    def head(self, ledger: Ledger) -> Head:
        """The newest durable entry, signed now."""
        n, digest = ledger.last
        head = Head(n, digest, self._clock.now())
        return Head(head.n, head.hash, head.at, self._key.sign(head.signed()).hex())

    def sign(self, data: bytes) -> str:
        """The signature of other bytes, hex. They must begin with what they are, so that no head can be made of it."""
        return self._key.sign(data).hex()


def signed_by(public_key: str, signature: str, data: bytes) -> bool:
    """Is it the key's signature of the bytes? Key and signature are hex; what is no hex is no signature."""
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(bytes.fromhex(signature), data)
    except (InvalidSignature, ValueError):
        return False
    return True


def _load_key(path: Path) -> Ed25519PrivateKey:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        key = Ed25519PrivateKey.generate()
        part = path.with_name(f"{path.name}.{os.getpid()}.new")
        file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(file, "wb") as out:
            out.write(key.private_bytes_raw())
            out.flush()
            os.fsync(out.fileno())
        try:
            os.link(part, path)  # never over a key that another process made meanwhile
        except FileExistsError:
            raw = path.read_bytes()
        else:
            return key
        finally:
            part.unlink()
    try:
        return Ed25519PrivateKey.from_private_bytes(raw)
    except ValueError as fault:
        raise StorageFailed("is no Ed25519 key", where=str(path), hint="restore it from the last backup") from fault


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong. ``n``: the first entry that is bad (for rewriting: the first that may be)."""

    kind: str  # malformed, missing, order, edited, broken, detail, truncated, rewritten, signature
    n: int
    words: str


def verify(
    recorded: Sequence[Mapping[str, Any]], heads: Iterable[Head] = (), public_key: str | None = None,
    sealed: Mapping[int, Mapping[str, Any]] | None = None,
) -> list[Fault]:  # fmt: skip
    """What is wrong with the ledger: an empty list when nothing is.

    ``recorded``: the entries in the order of their keys; ``heads`` and ``public_key`` (hex) from outside the machine;
    ``sealed``: the sealed parts that still exist. Heads are checked for their signature when a key is given.
    """
    chain, faults = _chain(recorded)
    faults += _against_heads([h for h in _trusted(heads, public_key, faults) if h.n > 0], chain, len(recorded))
    return sorted(faults + _details(recorded, sealed or {}), key=lambda fault: (fault.n, fault.kind))


def _chain(recorded: Sequence[Mapping[str, Any]]) -> tuple[dict[int, str], list[Fault]]:
    """Hash of each entry by number, and the first fault of the chain itself: what follows it proves nothing."""
    hashes: dict[int, str] = {}
    prev, numbers = GENESIS, {data.get("n") for data in recorded if isinstance(data.get("n"), int)}
    for n, data in enumerate(recorded, 1):
        fault = _entry_fault(n, data, prev, numbers)
        if fault is not None:
            return hashes, [fault]
        prev = hashes[n] = data["hash"]
    return hashes, []


def _entry_fault(n: int, data: Mapping[str, Any], prev: str, numbers: set[Any]) -> Fault | None:
    try:
        entry = Entry(**data)
        computed = entry.computed()
    except (TypeError, ValueError) as fault:
        return Fault("malformed", n, f"entry {n} cannot be read: {fault}")
    if entry.n != n:
        kind = "order" if n in numbers else "missing"
        return Fault(kind, n, f"where entry {n} should stand is entry {entry.n}")
    if computed != entry.hash:
        return Fault("edited", n, f"entry {n} was changed: its contents do not match its hash")
    if entry.prev != prev:
        return Fault("broken", n, f"entry {n} does not follow entry {n - 1} as it is now: one of them was replaced")
    return None


def _trusted(heads: Iterable[Head], public_key: str | None, faults: list[Fault]) -> list[Head]:
    kept = []
    for head in sorted(heads, key=lambda h: (h.n, h.at)):
        if public_key is None or _signature_fits(head, public_key):
            kept.append(head)
        else:
            faults.append(Fault("signature", head.n, f"the head of entry {head.n} is not signed with this key"))
    return kept


def _signature_fits(head: Head, public_key: str) -> bool:
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(head.signature), head.signed())
    except (InvalidSignature, ValueError):
        return False
    return True


def _against_heads(heads: Sequence[Head], chain: Mapping[int, str], count: int) -> list[Fault]:
    """The first head that the ledger contradicts."""
    good = 0
    for head in heads:
        if head.n > count:
            words = f"entries {count + 1} to {head.n} are gone: a head was signed for them"
            return [Fault("truncated", count + 1, words)]
        found = chain.get(head.n)
        if found is None:
            return []  # the chain broke before it: said already
        if found != head.hash:
            words = f"rewritten between {good + 1} and {head.n}: entry {head.n} is not the one that was signed"
            return [Fault("rewritten", good + 1, words)]
        good = head.n
    return []


def _details(recorded: Sequence[Mapping[str, Any]], sealed: Mapping[int, Mapping[str, Any]]) -> list[Fault]:
    by_number = {data.get("n"): data.get("sealed") for data in recorded}
    return [
        Fault("detail", n, f"the sealed detail of entry {n} was changed")
        for n, part in sorted(sealed.items())
        if not _detail_fits(part, by_number.get(n))
    ]


def _detail_fits(part: Mapping[str, Any], digest: object) -> bool:
    try:
        return seal_digest(part["key"], part["personal"]) == digest
    except (KeyError, TypeError, ValueError):
        return False
