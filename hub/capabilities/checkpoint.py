"""Check-points ("red boxes"): places that a patrol visits within windows of time and proves it by a scan."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Protocol

from pydantic import Field

from hub.core.action import action
from hub.core.event import EventData, Personal, Projection, event_type, personal, same

Doubt = Literal[
    "out_of_radius", "no_position", "poor_position", "outside_window", "clock_off", "too_fast", "old_challenge",
    "unknown_officer",
]  # fmt: skip
"""Why a scan may not be what it seems. It counts all the same: a person judges."""

Code = Annotated[str, Field(min_length=1, max_length=64)]
Reason = Annotated[str, Field(min_length=1, max_length=300)]


class Checkpoint(Protocol):
    """One check-point, ``checkpoint.RB1``."""

    @action("บันทึกการตรวจแทน", "Note a visit by hand", right="checkpoint.control")
    async def note_visit(self, unit: str, reason: Reason) -> str:
        """An officer says that ``unit`` was there, say by radio; the scan's id."""


class CheckpointLog(Protocol):
    """The service of who keeps the check-points, for those that bring scans of other systems."""

    async def log_scan(
        self, code: str, at: float, source: str, scan_id: str, officer: str = "", lat: float | None = None,
        lon: float | None = None, accuracy_m: float | None = None,
    ) -> str:  # fmt: skip
        """Take a scan that was recorded elsewhere: ``new`` once it is durable, ``known`` when ``scan_id`` came
        before, ``unknown_box`` when no check-point has ``code`` (its id, or what its QR says)."""


@event_type(
    "checkpoint_scanned", "ตรวจตู้แดงแล้ว", "Check-point scanned",
    projection=Projection(
        state_from="status",
        attributes={
            "last_scan_at": "newest_at", "last_unit": "newest_unit", "last_doubts": "newest_doubts",
            "last_source": "source",
        },
    ),
)  # fmt: skip
class CheckpointScanned(EventData):
    """A visit. ``at``: when, as the hub believes it (the phone's time unless its clock is off).

    ``scan_id``: the same for the same scan, however often it is sent. ``source``: phone, form, or the system that
    recorded it. ``distance_m``: from the box. ``status``, ``newest_*``: what the box shows after it; an older scan
    that came late changes none of that.
    """

    scan_id: Annotated[str, Field(max_length=200)]
    unit: str | None = None
    officer: Annotated[str, Field(max_length=200), personal(Personal.NAME)] = ""
    source: Annotated[str, Field(max_length=40)]
    at: float
    device_at: float | None = None
    received_at: float
    lat: Annotated[float | None, personal(Personal.POSITION)] = None
    lon: Annotated[float | None, personal(Personal.POSITION)] = None
    accuracy_m: float | None = None
    distance_m: float | None = None
    doubts: list[Doubt] = []
    note: Annotated[str, Field(max_length=300), personal(Personal.TEXT)] = ""
    status: str = "visited"
    newest_at: float
    newest_unit: str | None = None
    newest_doubts: list[Doubt] = []


@event_type(
    "checkpoint_missed", "ขาดตรวจตู้แดง", "Check-point missed",
    projection=Projection(
        state="missed", attributes={"last_missed_from": "window_start", "last_missed_at": "window_end"}
    ),
)  # fmt: skip
class CheckpointMissed(EventData):
    """Nobody came between ``window_start`` and ``window_end`` (seconds since 1970). ``name``: the box, for notices."""

    window_start: float
    window_end: float
    last_scan_at: float | None = None
    name: dict[str, str] = {}
    lat: float | None = None
    lon: float | None = None


@event_type(
    "checkpoint_coverage", "ความครอบคลุมการตรวจ", "Check-point coverage",
    projection=Projection(
        attributes=same("windows_due", "windows_met", "windows_doubtful", "coverage_pct", "next_window_end")
    ),
)  # fmt: skip
class CheckpointCoverage(EventData):
    """Windows of the last 24 hours that have ended: how many, how many somebody came in, and how many of those with a
    doubt only. ``coverage_pct``: 0 to 100, ``None`` when none was due. ``next_window_end``: of the window that runs."""

    windows_due: int
    windows_met: int
    windows_doubtful: int
    coverage_pct: float | None
    next_window_end: float | None


@event_type(
    "patrol_log_imported", "นำเข้าบันทึกสายตรวจ", "Patrol log imported",
    projection=Projection(
        state_from="result", attributes=same("file", "rows", "new", "known", "unknown_boxes", "bad", "mistakes", "at")
    ),
)  # fmt: skip
class PatrolLogImported(EventData):
    """A file of scans of another system. ``result``: imported, partly, refused. ``rows``: those with a scan in them;
    ``new``, ``known``, ``unknown_boxes``, ``bad``: what became of them. ``mistakes``: the first of
    {line, column, message}."""

    file: Annotated[str, Field(max_length=200)]
    source: Annotated[str, Field(max_length=40)]
    result: Literal["imported", "partly", "refused"]
    rows: int
    new: int
    known: int
    unknown_boxes: int
    bad: int
    mistakes: Annotated[list[dict[str, Any]], Field(max_length=20)] = []
    at: float
