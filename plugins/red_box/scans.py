"""The log of visits: each scan once, its doubts, missed windows and how well the boxes are covered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from hub.capabilities import CheckpointCoverage, CheckpointMissed, CheckpointScanned, Doubt
from hub.sdk import Context, Query, StateChanged

from .boxes import BoxBook
from .device import OLDEST_S, Box, Judged, Limits, Scan, Visit, judge, when
from .settings import Settings
from .windows import Slot, running, slots

DAY_S = 86_400.0
MAX_ROWS = 50_000
MISSED_WITHIN_S = 2 * DAY_S
"""Windows that ended longer ago, while the hub was off, are not reported any more."""


@dataclass(frozen=True, slots=True)
class Row:
    """One visit, as it is kept."""

    box: str
    at: float
    unit: str | None
    doubts: tuple[str, ...]


class ScanLog:
    """Takes scans and looks at the windows."""

    def __init__(self, ctx: Context, book: BoxBook, config: Settings) -> None:
        self._ctx, self._book, self._zone = ctx, book, ZoneInfo(config.timezone)
        self._limits = Limits(config.clock_off_s, config.max_accuracy_m, config.max_speed_kmh / 3.6)
        self._grace = config.grace_min * 60
        self._kept, self._looked = ctx.records("scans"), ctx.records("looked")
        self._rows: dict[str, Row] = {}
        self._by_box: dict[str, dict[str, Row]] = {}
        self._until: dict[str, float] = {}  # box → windows that ended before were looked at
        self._since: dict[str, float] = {}  # box → when it came
        self._told: dict[str, CheckpointCoverage] = {}
        self._one_by_one = asyncio.Lock()  # the same scan from two requests at once is still one
        self._began = ctx.clock.now()

    async def take_up(self) -> None:
        """Read what is kept; a scan whose row was lost in a crash is found in the journal."""
        for scan_id, row in (await self._kept.all()).items():
            self._note(scan_id, Row(row["box"], row["at"], row["unit"], tuple(row["doubts"])))
        for event in await self._ctx.history(Query(type="checkpoint_scanned", limit=1000, newest=True)):
            data, box = event.data, str(event.entity).partition(".")[2]
            if data["scan_id"] not in self._rows:
                await self._keep(data["scan_id"], Row(box, data["at"], data["unit"], tuple(data["doubts"])))
        for box, row in (await self._looked.all()).items():
            self._until[box], self._since[box] = float(row["until"]), float(row["since"])

    async def begin(self, box: Box) -> None:
        """A box is there from now on, or was changed."""
        state = await self._ctx.state(box.entity)
        if state is None or state.state not in ("waiting", "visited", "missed"):
            await self._ctx.emit(StateChanged(state="waiting"), entity=box.entity)
        if box.id not in self._until:
            await self._look_from(box.id, self._ctx.clock.now())
        self._told.pop(box.id, None)
        await self._cover(box)

    def known(self, scan_id: str) -> bool:
        """Was it taken before?"""
        return scan_id in self._rows

    # --- a scan

    async def take(self, box: Box, scan: Scan) -> Judged | None:
        """Write a scan down; its doubts once it is durable, ``None`` when it was known."""
        async with self._one_by_one:
            if scan.scan_id in self._rows:
                return None
            at, _ = when(scan, self._limits.clock_off_s)
            windows = self._book.windows(box)
            inside = not windows or running(windows, self._zone, at) is not None
            found = judge(scan, box, self._limits, inside, self._near(scan, at))
            await self._ctx.emit(await self._event(box, scan, found), entity=box.entity, at=found.at)
            await self._keep(scan.scan_id, Row(box.id, found.at, scan.unit, tuple(found.doubts)))
            await self._cover(box)
            return found

    async def _event(self, box: Box, scan: Scan, found: Judged) -> CheckpointScanned:
        state = await self._ctx.state(box.entity)
        a: Any = state.attributes if state is not None else {}
        late = a.get("last_scan_at") is not None and float(a["last_scan_at"]) > found.at
        still_missed = state is not None and state.state == "missed" and float(a["last_missed_from"]) > found.at
        doubts: list[Doubt] = list(a.get("last_doubts") or []) if late else found.doubts
        return CheckpointScanned(
            scan_id=scan.scan_id, unit=scan.unit, officer=scan.officer[:200], source=scan.source, at=found.at,
            device_at=scan.device_at, received_at=scan.received_at, lat=scan.lat, lon=scan.lon,
            accuracy_m=scan.accuracy_m, distance_m=found.distance_m, doubts=found.doubts, note=scan.note[:300],
            status=state.state if state is not None and (late or still_missed) else "visited",
            newest_at=float(a["last_scan_at"]) if late else found.at,
            newest_unit=a.get("last_unit") if late else scan.unit, newest_doubts=doubts,
        )  # fmt: skip

    def _near(self, scan: Scan, at: float) -> list[Visit]:
        """The unit's visits just before and after."""
        if scan.unit is None:
            return []
        own = [row for row in self._rows.values() if row.unit == scan.unit and row.box in self._book.boxes]
        around = (
            max((row for row in own if row.at <= at), key=lambda row: row.at, default=None),
            min((row for row in own if row.at > at), key=lambda row: row.at, default=None),
        )
        boxes = self._book.boxes
        return [Visit(row.box, row.at, boxes[row.box].lat, boxes[row.box].lon) for row in around if row is not None]

    def _note(self, scan_id: str, row: Row) -> None:
        self._rows[scan_id] = row
        self._by_box.setdefault(row.box, {})[scan_id] = row

    async def _keep(self, scan_id: str, row: Row) -> None:
        self._note(scan_id, row)
        kept = {"box": row.box, "at": row.at, "unit": row.unit, "doubts": list(row.doubts)}
        await self._kept.put(scan_id, kept)

    async def forget(self, box: Box) -> None:
        """A box is gone; what was scanned there stays in the journal."""
        self._until.pop(box.id, None)
        self._since.pop(box.id, None)
        self._told.pop(box.id, None)
        await self._looked.delete(box.id)

    async def prune(self) -> None:
        """Forget what nobody sends again."""
        oldest = self._ctx.clock.now() - OLDEST_S - DAY_S
        gone = [scan_id for scan_id, row in self._rows.items() if row.at < oldest]
        gone += list(self._rows)[: max(0, len(self._rows) - len(gone) - MAX_ROWS)]
        for scan_id in gone:
            if (row := self._rows.pop(scan_id, None)) is not None:
                self._by_box[row.box].pop(scan_id, None)
                await self._kept.delete(scan_id)

    # --- windows

    async def look(self) -> None:
        """Report windows that have ended without a visit."""
        now = self._ctx.clock.now()
        if now < self._began + min(self._grace, 60.0):  # phones send first what they kept while the hub was off
            return
        for box in list(self._book.boxes.values()):
            ended = self._ended(box, self._until.get(box.id, now), now - self._grace)
            for slot in ended:
                async with self._one_by_one:
                    await self._missed(box, slot, now)
            if ended and box.id in self._since:  # not removed meanwhile
                await self._look_from(box.id, ended[-1].end)
            await self._cover(box)

    def _ended(self, box: Box, since: float, until: float) -> list[Slot]:
        return slots(self._book.windows(box), self._zone, since, until) if until > since else []

    async def _missed(self, box: Box, slot: Slot, now: float) -> None:
        state = await self._ctx.state(box.entity)
        a: Any = state.attributes if state is not None else {}
        told = float(a.get("last_missed_at") or 0) >= slot.end
        if told or slot.end < now - MISSED_WITHIN_S or list(self._visits(box.id, slot)):
            return
        missed = CheckpointMissed(
            window_start=slot.start, window_end=slot.end, last_scan_at=a.get("last_scan_at"),
            name={"th": box.th, "en": box.en}, lat=box.lat, lon=box.lon,
        )  # fmt: skip
        await self._ctx.emit(missed, entity=box.entity)

    def _visits(self, box: str, slot: Slot) -> Iterable[Row]:
        return (row for row in self._by_box.get(box, {}).values() if slot.start <= row.at < slot.end)

    async def _look_from(self, box: str, at: float) -> None:
        self._until[box] = at
        await self._looked.put(box, {"until": at, "since": self._since.setdefault(box, at)})

    async def _cover(self, box: Box) -> None:
        """Say how well the last day's windows were kept, when it has changed."""
        since = self._since.get(box.id)
        if since is None:  # it was removed meanwhile
            return
        now, windows = self._ctx.clock.now(), self._book.windows(box)
        due = slots(windows, self._zone, max(now - DAY_S, since), now)
        seen = [list(self._visits(box.id, slot)) for slot in due]
        met = [rows for rows in seen if rows]
        slot = running(windows, self._zone, now)
        told = CheckpointCoverage(
            windows_due=len(due), windows_met=len(met),
            windows_doubtful=sum(all(row.doubts for row in rows) for rows in met),
            coverage_pct=round(100 * len(met) / len(due), 1) if due else None,
            next_window_end=slot.end if slot is not None else None,
        )  # fmt: skip
        if self._told.get(box.id) != told:
            self._told[box.id] = told
            await self._ctx.emit(told, entity=box.entity)
