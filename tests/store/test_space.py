"""Levels of the disk's space, and the reserve."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from hub.core.error import StorageFailed
from hub.store.space import MIB, DiskWatch, Level, Limits, level

LIMITS = Limits(shed_telemetry=400 * MIB, shed_recordings=200 * MIB, emergency=100 * MIB, reserve=2 * MIB)


@dataclass
class Disk:
    """So many MiB are free; the reserve takes its part."""

    free: int
    reserve: Path

    @property
    def f_frsize(self) -> int:
        return MIB

    @property
    def f_bavail(self) -> int:
        return self.free - (self.reserve.stat().st_size // MIB if self.reserve.exists() else 0)


@pytest.mark.parametrize(
    ("free", "expected"),
    [
        (1000, Level.OK), (400, Level.OK), (399, Level.SHED_TELEMETRY), (200, Level.SHED_TELEMETRY),
        (199, Level.SHED_RECORDINGS), (100, Level.SHED_RECORDINGS), (99, Level.EMERGENCY), (0, Level.EMERGENCY),
        (-5, Level.EMERGENCY),
    ],
)  # fmt: skip
def test_levels(free: int, expected: Level) -> None:
    assert level(free * MIB, LIMITS) is expected


def test_the_reserve_goes_in_an_emergency_and_comes_back_when_all_is_well(tmp_path: Path) -> None:
    disk = Disk(500, tmp_path / "reserve")
    space = DiskWatch(tmp_path, LIMITS, statvfs=lambda folder: disk)
    found = []
    # at 101 the reserve is gone already: counted as if it were there, it is still an emergency, and does not flap
    for disk.free in (500, 350, 150, 101, 101, 103, 401, 402, 500):
        found.append((disk.free, space.check().name.lower(), disk.reserve.exists()))
    assert found == [
        (500, "ok", True), (350, "shed_telemetry", True), (150, "shed_recordings", True), (101, "emergency", False),
        (101, "emergency", False), (103, "shed_recordings", False), (401, "shed_telemetry", False), (402, "ok", True),
        (500, "ok", True),
    ]  # fmt: skip
    assert disk.reserve.stat().st_size == 2 * MIB
    assert disk.reserve.stat().st_blocks * 512 >= 2 * MIB  # really taken, not a hole
    assert space.free == 498 * MIB


def test_release_at_once(tmp_path: Path) -> None:
    space = DiskWatch(tmp_path, LIMITS, statvfs=lambda folder: Disk(500, tmp_path / "reserve"))
    space.release()
    space.release()
    assert not space.reserve.exists()


def test_a_disk_that_does_not_answer(tmp_path: Path) -> None:
    def silent(folder: Path) -> Disk:
        raise OSError(5, "Input/output error")

    with pytest.raises(StorageFailed, match="cannot be read or written: Input/output error"):
        DiskWatch(tmp_path, LIMITS, statvfs=silent)
