"""A disk that loses power: an SQLite VFS which remembers what each ``xSync`` made durable.

At a cut a file holds what was synced, and of the later writes an arbitrary part. SQLite reaches this VFS through
apsw, whose Python VFS offers no shared memory: the connection is exclusive, so the journal's readers are not used.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

from hub.store.driver import Driver

KEPT = 0.3  # of the unsynced writes


@dataclass
class File:
    """``writes``: (offset, bytes), or (size, None) for a cut of its length."""

    durable: bytearray = field(default_factory=bytearray)
    writes: list[tuple[int, bytes | None]] = field(default_factory=list)

    def sync(self) -> None:
        for write in self.writes:
            _apply(self.durable, write)
        self.writes.clear()

    def after_cut(self, chance: random.Random) -> bytes:
        found = bytearray(self.durable)
        for write in self.writes:
            if chance.random() < KEPT:
                _apply(found, write)
        return bytes(found)


def _apply(content: bytearray, write: tuple[int, bytes | None]) -> None:
    offset, data = write
    if data is None:
        del content[offset:]
        return
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(data)] = data


class Disk:
    """The files by name; ``on_step`` is called before each write, sync, cut of length and removal takes effect."""

    def __init__(self) -> None:
        self.files: dict[str, File] = {}
        self.on_step: Callable[[], None] = lambda: None

    def image(self, chance: random.Random) -> dict[str, bytes]:
        """What is on the disk when the power goes now."""
        return {name: file.after_cut(chance) for name, file in self.files.items()}


class _DiskFile(apsw.VFSFile):
    def __init__(self, path: Any, flags: list[int], disk: Disk) -> None:
        name = path.filename() if isinstance(path, apsw.URIFilename) else path
        self._disk = disk
        self._file = disk.files.setdefault(Path(name).name, File()) if name else File()
        super().__init__("", path, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        self._disk.on_step()
        self._file.writes.append((offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:  # noqa: N802 - SQLite's name
        self._disk.on_step()
        self._file.writes.append((size, None))
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        self._disk.on_step()
        self._file.sync()


class _DiskVFS(apsw.VFS):
    def __init__(self, name: str, disk: Disk) -> None:
        self._disk = disk
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> _DiskFile:  # noqa: N802 - SQLite's name
        return _DiskFile(name, flags, self._disk)

    def xDelete(self, name: str, sync: bool) -> None:  # noqa: N802 - SQLite's name
        self._disk.on_step()
        self._disk.files.pop(Path(name).name, None)
        super().xDelete(name, sync)


class _Edited:
    """A connection that replaces parts of the SQL it is given."""

    def __init__(self, db: Any, edits: dict[str, str]) -> None:
        self._db, self._edits = db, edits

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Any:
        for part, other in self._edits.items():
            sql = sql.replace(part, other)
        return self._db.execute(sql, values)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> Any:
        return self._db.executemany(sql, rows)

    def set_progress_handler(self, handler: Any, steps: int) -> None:
        self._db.set_progress_handler(handler, steps)

    def close(self) -> None:
        self._db.close()


def powered(disk: Disk, name: str, edits: dict[str, str]) -> tuple[Driver, Any]:
    """A driver onto that disk, and what must be kept alive as long as it is used."""
    vfs = _DiskVFS(name, disk)

    def connect(path: Path) -> _Edited:
        db = apsw.Connection(str(path), vfs=name)
        db.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
        return _Edited(db, edits)

    return Driver(connect, apsw.Error), vfs
