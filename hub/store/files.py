"""Files that are there whole or not at all, whatever happens to the power."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Self

from hub.core.error import Conflict, StorageFailed


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """The folder and those above it, readable by the hub's user only, durable."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for one in missing:
        sync_folder(one.parent)


def write_file(path: Path, content: bytes, *, keep: Path | None = None) -> None:
    """Replace ``path`` by ``content``; the version before it becomes ``keep``. ``StorageFailed`` leaves it as it was.

    Beside it, sync, rename, sync the folder.
    """
    beside = unfinished(path)
    try:
        write_new(beside, content)
        if keep is not None and path.exists():
            _keep(path, keep)
        beside.replace(path)
        sync_folder(path.parent)
    except OSError as fault:
        with suppress(OSError):
            beside.unlink()
        raise disk_fault(fault, path) from fault


def write_new(path: Path, content: bytes) -> None:
    """A new file, synced, its name not yet; one of that name, which a crash left, goes. ``OSError`` may leave half."""
    with suppress(FileNotFoundError):
        path.unlink()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def unfinished(path: Path) -> Path:
    """Where ``write_file`` writes before the rename: what a crash in between leaves."""
    return path.with_name(f".{path.name}.new")


def _keep(path: Path, keep: Path) -> None:
    # a second name for the same file: at no moment is ``path`` missing
    linked = unfinished(keep)
    with suppress(FileNotFoundError):
        linked.unlink()
    os.link(path, linked)
    linked.replace(keep)


def disk_fault(fault: OSError, path: Path) -> StorageFailed:
    """What the system said about a file, for people."""
    return StorageFailed(f"cannot be read or written: {fault.strerror}", where=str(path))


class FolderLock:
    """Held while one hub writes a data folder; the system lets go of it when the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        """``Conflict`` when another process holds it."""
        self.path = folder / "hub.lock"
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(handle, 20).decode(errors="replace").strip()
            os.close(handle)
            raise Conflict(
                f"another hub (process {holder or 'unknown'}) writes this data folder",
                where=str(folder),
                hint="stop it first, or give this one a data folder of its own",
            ) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        self._handle: int | None = handle

    def close(self) -> None:
        """Let go."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
