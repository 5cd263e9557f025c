"""Disk space: what is shed when it runs low, and a reserve that keeps alarms writable to the end (invariant 7)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hub.core.error import StorageFailed

OK, SHED_TELEMETRY, SHED_RECORDINGS, EMERGENCY = "ok", "shed_telemetry", "shed_recordings", "emergency"
# Free bytes below which each level begins: telemetry goes first, then recordings; alarms never.
LEVELS = ((64 << 20, EMERGENCY), (256 << 20, SHED_RECORDINGS), (512 << 20, SHED_TELEMETRY))
RESERVE_BYTES = 32 << 20


def level_for(free: int) -> str:
    """The level at ``free`` bytes."""
    return next((level for below, level in LEVELS if free < below), OK)


def free_bytes(folder: Path) -> int:
    """What this user may still write there."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


class Space:
    """Watches the disk of the data folder. ``look`` blocks briefly; call it on a thread."""

    def __init__(self, folder: Path, free: Callable[[Path], int] = free_bytes) -> None:
        self._folder, self._free = folder, free
        self._reserve = folder / "reserve"
        self.level, self.free_mb = OK, 0
        self.look()

    def look(self) -> str:
        """Measure; hold the reserve while there is room for it, let it go in an emergency. The level."""
        free = self._free(self._folder)
        self.level, self.free_mb = level_for(free), free >> 20
        if self.level == EMERGENCY:
            self._reserve.unlink(missing_ok=True)
        elif self.level == OK and not self._reserve.exists():
            self._hold()
        return self.level

    def _hold(self) -> None:
        handle = os.open(self._reserve, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(handle, 0, RESERVE_BYTES)
        except OSError as failed:
            words = f"the reserve could not be kept: {failed.strerror}"
            raise StorageFailed(words, where=str(self._reserve)) from failed
        finally:
            os.close(handle)

    def as_data(self) -> dict[str, Any]:
        """JSON form for the health page."""
        return {"level": self.level, "free_mb": self.free_mb}
