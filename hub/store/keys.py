"""The key ring: one master key on disk, which wraps the keys that the journal makes for each class and day.

AES-256-GCM (NIST SP 800-38D) with random 96-bit nonces throughout.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.core.error import StorageFailed
from hub.store.files import disk_fault, make_folder, write_file

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12


class KeyRing:
    """Wraps and unwraps keys under the master key."""

    def __init__(self, master: bytes) -> None:
        """``master``: 32 bytes."""
        if len(master) != KEY_BYTES:
            raise StorageFailed(f"a master key has {KEY_BYTES} bytes, not {len(master)}")
        self._master = AESGCM(master)

    @classmethod
    def open(cls, path: Path) -> Self:
        """The key in this file; it is made, durable and readable by its owner only, when there is none.

        ``StorageFailed`` when others may read it or it has the wrong size.
        """
        try:
            if not path.exists():
                make_folder(path.parent)
                write_file(path, os.urandom(KEY_BYTES))
            found, mode = path.read_bytes(), path.stat().st_mode
        except OSError as fault:
            raise disk_fault(fault, path) from fault
        if mode & 0o077:
            raise StorageFailed("others may read the master key", where=str(path), hint=f"chmod 600 {path}")
        if len(found) != KEY_BYTES:
            raise StorageFailed("is not a master key", where=str(path), hint="restore it from the backup")
        return cls(found)

    def wrap(self, key: bytes, purpose: bytes) -> bytes:
        """``key`` encrypted, bound to ``purpose``."""
        return seal(self._master, key, purpose)

    def unwrap(self, wrapped: bytes, purpose: bytes) -> bytes:
        """The key that ``wrap`` was given; ``StorageFailed`` when this master key did not wrap it."""
        try:
            return unseal(self._master, wrapped, purpose)
        except InvalidTag:
            raise StorageFailed(
                "the master key does not fit this database", hint="restore the master key that belongs to it"
            ) from None


def seal(cipher: AESGCM, plain: bytes, bound_to: bytes) -> bytes:
    """Nonce, ciphertext and tag of ``plain``; it opens only with the same ``bound_to``."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, bound_to)


def unseal(cipher: AESGCM, sealed: bytes, bound_to: bytes) -> bytes:
    """What ``seal`` was given; ``InvalidTag`` when anything differs."""
    return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to)
