"""Media that come piece by piece: what was told to be there is there after a crash. A folder for each owner; a draft is
a file of bytes and a note (MIME type, retention class, entity) beside it."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from hub.core.clock import Clock
from hub.core.error import InvalidInput, LimitExceeded, StorageFailed
from hub.store.daykeys import day_of
from hub.store.files import disk_fault, make_folder, sync_folder, write_file

MAX_OPEN: Final = 64
"""Drafts of one owner at once."""
_KEY: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")


@dataclass(slots=True)
class DraftFile:
    """One draft. Its methods block."""

    path: Path
    mime: str
    retention: str
    entity: str | None
    size: int = field(default=0)

    @property
    def key(self) -> str:
        """The owner's name of it."""
        return self.path.stem

    @property
    def owner(self) -> str:
        """Whose it is."""
        return self.path.parent.name

    def append(self, chunk: bytes) -> int:
        """Add the bytes; the size, once they are on the disk. A piece that fails leaves what was there."""
        try:
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "wb") as out:
                out.truncate(self.size)
                out.seek(self.size)
                out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
        except OSError as fault:
            raise disk_fault(fault, self.path) from fault
        self.size += len(chunk)
        return self.size

    def read(self) -> bytes:
        """All of it."""
        try:
            return self.path.read_bytes()[: self.size]
        except OSError as fault:
            raise disk_fault(fault, self.path) from fault

    def delete(self) -> None:
        """The note goes last: bytes without a note would be found by nobody."""
        for path in (self.path, self.path.with_suffix(".json")):
            with suppress(FileNotFoundError):
                path.unlink()
        sync_folder(self.path.parent)


class Drafts:
    """All drafts. Its methods block."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder, self._clock = folder, clock

    def open(self, owner: str, key: str, mime: str, retention: str, entity: str | None) -> DraftFile:
        """Begin, or go on with what is there (which keeps its first MIME type, class and entity)."""
        for name in (owner, key):
            if not _KEY.fullmatch(name):
                raise InvalidInput(f"{name!r} is no name", where="draft", hint="small letters, digits, _ and -")
        folder = self._folder / owner
        path = folder / f"{key}.part"
        about = path.with_suffix(".json")
        if not about.exists():
            if len(self.keys(owner)) >= MAX_OPEN:
                raise LimitExceeded(f"more than {MAX_OPEN} unfinished media", where=owner, hint="keep or drop some")
            make_folder(folder)
            note = {"mime": mime, "retention": retention, "entity": entity, "day": day_of(self._clock.now())}
            write_file(path, b"")
            write_file(about, orjson.dumps(note))
        note = _note(about)
        size = path.stat().st_size if path.exists() else 0
        return DraftFile(path, str(note["mime"]), str(note["retention"]), note["entity"], size)

    def keys(self, owner: str) -> list[str]:
        """What the owner did not finish, by name."""
        return sorted(about.stem for about in (self._folder / owner).glob("*.json"))

    def erase(self, retention_class: str, before_day: str) -> list[dict[str, Any]]:
        """Delete what the class began before that day (ISO 8601) and nobody finished; one receipt for each, also for
        one that cannot be read or deleted (``damaged``)."""
        receipts = []
        for about in sorted(self._folder.glob("*/*.json")):
            try:
                note = _note(about)
                if note["retention"] != retention_class or str(note["day"]) >= before_day:
                    continue
                DraftFile(about.with_suffix(".part"), "", retention_class, None).delete()
            except (OSError, StorageFailed) as fault:
                receipts.append(damaged(retention_class, about, fault))
                continue
            receipts.append(
                {"class": retention_class, "day": note["day"], "media": f"draft {about.stem}", "deleted": True}
            )
        return receipts


def damaged(retention_class: str, about: Path, fault: Exception) -> dict[str, Any]:
    """The receipt of what could not be let go: the file and why."""
    words = fault.message if isinstance(fault, StorageFailed) else f"{type(fault).__name__}: {fault}"
    return {"class": retention_class, "day": "", "media": str(about), "deleted": False, "damaged": words}


def _note(about: Path) -> dict[str, Any]:
    try:
        note: dict[str, Any] = orjson.loads(about.read_bytes())
        return {name: note[name] for name in ("mime", "retention", "entity", "day")}
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise StorageFailed("the note beside unfinished media is damaged", where=str(about)) from fault
