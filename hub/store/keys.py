"""Keys: one master key in a file, and under it a data key per retention class and day.

Destroying a data key destroys what was sealed under it, wherever copies of the database lie.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.core.error import StorageFailed

FILE = "master.key"
KEY_BYTES = 32
NONCE_BYTES = 12  # NIST SP 800-38D: 96 random bits, below 2³² messages a key; a data key lives one day


class KeyRing:
    """The master key: wraps data keys, and makes the digests by which personal fields are found."""

    def __init__(self, master: bytes, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        if len(master) != KEY_BYTES:
            raise StorageFailed(f"the master key has {len(master)} bytes, not {KEY_BYTES}")
        self._wrap = AESGCM(master)
        self._digest_key = hmac.digest(master, b"hub digest", "sha256")
        self._random = random_bytes

    @classmethod
    def in_folder(cls, folder: Path) -> KeyRing:
        """The key in ``folder/master.key``; made once, readable by its owner only."""
        path = folder / FILE
        try:
            return cls(path.read_bytes())
        except FileNotFoundError:
            folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(handle, os.urandom(KEY_BYTES))
            os.fsync(handle)
        finally:
            os.close(handle)
        part.replace(path)
        sync_folder(folder)
        return cls(path.read_bytes())

    def new_key(self, label: str) -> tuple[bytes, Sealer]:
        """A new data key: wrapped for the database, and ready for use. ``label`` binds it to its class and day."""
        key, nonce = self._random(KEY_BYTES), self._random(NONCE_BYTES)
        return nonce + self._wrap.encrypt(nonce, key, label.encode()), Sealer(key, self._random)

    def open_key(self, wrapped: bytes, label: str) -> Sealer:
        """A wrapped data key, ready for use; ``StorageFailed`` when the master key is another one."""
        try:
            key = self._wrap.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], label.encode())
        except InvalidTag:
            raise StorageFailed(
                "the master key does not fit this journal", where=FILE, hint="restore the key file of the same backup"
            ) from None
        return Sealer(key, self._random)

    def digest(self, field: str, value: object) -> bytes:
        """HMAC-SHA-256 by which a personal value is found without being readable; 16 bytes."""
        return hmac.new(self._digest_key, f"{field}\0{value}".encode(), hashlib.sha256).digest()[:16]


class Sealer:
    """One data key. AES-256-GCM; ``bound`` ties what is sealed to its place."""

    __slots__ = ("_cipher", "_random")

    def __init__(self, key: bytes, random_bytes: Callable[[int], bytes]) -> None:
        self._cipher, self._random = AESGCM(key), random_bytes

    def seal(self, plain: bytes, bound: str) -> bytes:
        """Nonce and ciphertext."""
        nonce = self._random(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, bound.encode())

    def open(self, sealed: bytes, bound: str) -> bytes:
        """The plain bytes; ``StorageFailed`` when they were changed or moved."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound.encode())
        except InvalidTag:
            raise StorageFailed("a sealed value was changed", where=bound, hint="restore the last backup") from None


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
