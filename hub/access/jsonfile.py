"""One JSON file that two processes may change: whole or not at all, readable by its owner only.

A change takes the lock (``NAME.lock``), reads the newest, writes beside it, syncs, renames, syncs the folder.
So the command line may add an account while the hub runs, and a crash leaves the old file or the new one.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from hub.core.error import StorageFailed

MAX_BYTES = 8 << 20
Stamp = tuple[int, int, int]


class JsonFile:
    """The file at ``path``; it need not exist yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = path.with_name(f"{path.name}.lock")
        self._next = path.with_name(f"{path.name}.new")

    def stamp(self) -> Stamp | None:
        """Changes whenever the file does; ``None`` when there is none."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return (found.st_mtime_ns, found.st_ino, found.st_size)

    def read(self) -> dict[str, Any]:
        """The contents, empty when there is no file; ``StorageFailed`` when it cannot be understood."""
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as fault:
            raise StorageFailed(f"cannot be read: {fault.strerror}", where=str(self.path)) from fault
        try:
            data = json.loads(raw)
        except ValueError as fault:
            raise StorageFailed(
                f"is not JSON: {fault}", where=str(self.path), hint="restore it from the last backup"
            ) from fault
        if not isinstance(data, dict):
            raise StorageFailed("is not a JSON object", where=str(self.path), hint="restore it from the last backup")
        return data

    @contextmanager
    def change(self) -> Iterator[dict[str, Any]]:
        """The newest contents, to be changed in place; written when the block ends without an error."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            data = self.read()
            yield data
            self._replace(data)
        finally:
            os.close(lock)

    def _replace(self, data: dict[str, Any]) -> None:
        raw = json.dumps(data, ensure_ascii=False, indent=1, sort_keys=True).encode()
        if len(raw) > MAX_BYTES:
            raise StorageFailed(f"would be larger than {MAX_BYTES >> 20} MiB", where=str(self.path))
        try:
            with suppress(FileNotFoundError):
                self._next.unlink()  # left by a crash
            file = os.open(self._next, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(file, "wb") as out:
                out.write(raw)
                out.flush()
                os.fsync(out.fileno())
            self._next.replace(self.path)
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as fault:
            raise StorageFailed(f"cannot be written: {fault.strerror}", where=str(self.path)) from fault
