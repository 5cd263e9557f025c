"""The disk's free space: what to give up as it fills, and a reserve so that alarms are still stored when it is full."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final, Protocol

from hub.store.files import disk_fault, make_folder, sync_folder

MIB: Final = 1 << 20


class Level(IntEnum):
    """How the disk stands; each level gives up what the one before it does, and never alarms."""

    OK = 0
    SHED_TELEMETRY = 1
    SHED_RECORDINGS = 2
    EMERGENCY = 3


@dataclass(frozen=True, slots=True)
class Limits:
    """Below so many free bytes a level begins; ``reserve`` bytes are kept for emergencies."""

    shed_telemetry: int = 2_048 * MIB
    shed_recordings: int = 1_024 * MIB
    emergency: int = 256 * MIB
    reserve: int = 64 * MIB


def level(free: int, limits: Limits) -> Level:
    """The level for so many free bytes, counted with the reserve in its place."""
    if free < limits.emergency:
        return Level.EMERGENCY
    if free < limits.shed_recordings:
        return Level.SHED_RECORDINGS
    return Level.SHED_TELEMETRY if free < limits.shed_telemetry else Level.OK


class DiskState(Protocol):
    """What of ``os.statvfs_result`` counts."""

    @property
    def f_bavail(self) -> int: ...

    @property
    def f_frsize(self) -> int: ...


class DiskWatch:
    """Watches the disk that holds ``folder``. ``check`` is cheap; call it every few seconds and after a failed commit.

    The file ``reserve`` takes its space while all is well. ``check`` lets it go at ``EMERGENCY``, and takes it again
    when the disk is well without it.
    """

    def __init__(
        self, folder: Path, limits: Limits | None = None, *, statvfs: Callable[[Path], DiskState] = os.statvfs
    ) -> None:
        self.limits = limits or Limits()
        self._folder, self._statvfs = folder, statvfs
        self.reserve = folder / "reserve"
        make_folder(folder)
        self.level, self.free = Level.OK, 0
        self.check()

    def check(self) -> Level:
        """Look, and release or take the reserve; ``StorageFailed`` when the disk does not answer."""
        try:
            found = self._statvfs(self._folder)
        except OSError as fault:
            raise disk_fault(fault, self._folder) from fault
        self.free = found.f_bavail * found.f_frsize
        self.level = level(self.free - self._missing(), self.limits)
        if self.level is Level.EMERGENCY:
            self.release()
        elif self.level is Level.OK and self._missing():
            self._take()
        return self.level

    def release(self) -> None:
        """Give the reserve's space to whoever writes next: at once when a commit found the disk full."""
        with suppress(FileNotFoundError):
            self.reserve.unlink()
            sync_folder(self._folder)

    def _missing(self) -> int:
        """Bytes of the reserve that are not taken now."""
        try:
            return max(0, self.limits.reserve - self.reserve.stat().st_size)
        except FileNotFoundError:
            return self.limits.reserve

    def _take(self) -> None:
        try:
            handle = os.open(self.reserve, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(handle, 0, self.limits.reserve)
                os.fsync(handle)
            finally:
                os.close(handle)
            sync_folder(self._folder)
        except OSError:  # the space went in the meantime: without the reserve, but running
            self.release()
