"""Reads the committed events of a period, page by page, and makes the figures of it."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from hub.sdk import Context, Event, Query

from . import figures
from .period import BANGKOK, Period

PAGE: Final = 1_000
MAX_EVENTS: Final = 200_000
"""Of one type in one report; what is beyond is said in it."""
SILENCE_S: Final = 10.0
START_WITHIN_S: Final = 60.0
_FOLLOWED = ("incident_acknowledged", "incident_assigned", "incident_closed")
_PROMISES = ("promise_made", "promise_moved", "promise_ended")


@dataclass(slots=True)
class Facts:
    """Everything a report says. ``notes``: what is missing or left out, as (Thai, English)."""

    period: Period
    made_at: float
    until: float
    incidents: figures.Incidents
    checkpoints: list[figures.Checkpoint]
    cameras: list[figures.Uptime]
    polls: list[Event]
    promises: figures.Promises
    orders: figures.Orders
    channels: dict[str, int]
    notices: int
    events_read: int
    notes: list[tuple[str, str]] = field(default_factory=list)
    names: dict[str, dict[str, str]] = field(default_factory=dict)


class Reader:
    """Reads for one report. ``read``: how many events it looked at."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.read = 0
        self.cut: list[str] = []

    async def all(self, kind: str, since: float | None, until: float | None, **more: Any) -> list[Event]:
        """Every event of a type that was received in that time, in order."""
        found: list[Event] = []
        after = 0
        while len(found) < MAX_EVENTS:
            page = await self._ctx.history(Query(kind, after=after, since=since, until=until, limit=PAGE, **more))
            found += page
            self.read += len(page)
            if len(page) < PAGE:
                return found
            after = page[-1].seq
        self.cut.append(kind)
        return found

    async def many(self, kinds: Sequence[str], since: float | None, until: float | None) -> list[Event]:
        """Of several types, in the order in which they were recorded."""
        found = [event for kind in kinds for event in await self.all(kind, since, until)]
        return sorted(found, key=lambda event: event.seq)

    async def last(self, **query: Any) -> Event | None:
        """The newest event that a query finds."""
        found = await self._ctx.history(Query(newest=True, limit=1, **query))
        self.read += len(found)
        return found[0] if found else None

    async def alive_before(self, begun: Event) -> float:
        """When the hub was last alive before an instance began: at that moment, or, when it is among the first events
        after a silence (a start of the hub), at the last event before the silence."""
        found = await self._ctx.history(Query(newest=True, before=begun.seq, limit=PAGE))
        self.read += len(found)
        later = begun.received
        for event in found:
            if later - event.received >= SILENCE_S:
                return event.received
            if begun.received - event.received > START_WITHIN_S:
                break
            later = event.received
        return begun.received


async def gather(ctx: Context, period: Period) -> Facts:
    """All figures of a period; of one that is not over, up to now."""
    reader, now = Reader(ctx), ctx.clock.now()
    begin, until = period.begin, min(period.end, now)
    opened = await reader.all("incident_opened", begin, until)
    followed = await reader.many(_FOLLOWED, begin, None)
    coverage = await reader.all("checkpoint_coverage", begin, until)
    scans = await reader.all("checkpoint_scanned", begin, until)
    missed = await reader.all("checkpoint_missed", begin, until)
    asked = await reader.all("action_requested", begin, until)
    done = await reader.all("action_finished", begin, until)
    answered = await reader.all("confirmation_answered", begin, until)
    filed = await reader.all("report_filed", begin, until)
    facts = Facts(
        period, now, until,
        incidents=figures.incidents(opened, followed),
        checkpoints=figures.patrol(scans, missed, coverage, _day),
        cameras=await _cameras(ctx, reader, begin, until),
        polls=figures.polls(await reader.all("survey_result", begin, until)),
        promises=figures.promises(await reader.many(_PROMISES, None, until), begin, until),
        orders=figures.orders(asked, done, answered),
        channels=dict(Counter(str(event.data["channel"]) for event in filed).most_common()),
        notices=len(await reader.all("notice_approved", begin, until)),
        events_read=0,
    )  # fmt: skip
    facts.events_read = reader.read
    facts.names = await _names(ctx)
    facts.notes = _notes(facts, reader)
    return facts


def _day(at: float) -> str:
    return datetime.datetime.fromtimestamp(at, BANGKOK).date().isoformat()


async def _cameras(ctx: Context, reader: Reader, begin: float, until: float) -> list[figures.Uptime]:
    """Each camera's time with a picture: what its video reported, less the time in which its plugin was not there."""
    rows = []
    gaps: dict[str, list[figures.Turn]] = {}
    for camera in sorted(await ctx.states("camera"), key=lambda one: one.entity):
        instance = str(camera.attributes.get("instance"))
        if instance not in gaps:
            gaps[instance] = await _absences(reader, instance, begin, until)
        before = await reader.last(type="video_changed", entity=camera.entity, until=begin)
        events = await reader.all("video_changed", begin, until, entity=camera.entity)
        told = [*([before] if before else []), *events]
        turns = [figures.Turn(event.received, event.data["video"] == "running") for event in told]
        first = turns[0].at if turns else until
        turns += [turn for turn in gaps[instance] if turn.at > first]
        simulated = bool(camera.attributes.get("simulated"))
        rows.append(figures.uptime(camera.entity, turns, begin, until, simulated))
    return rows


async def _absences(reader: Reader, instance: str, begin: float, until: float) -> list[figures.Turn]:
    """When an instance stopped, failed or began anew. Where it began anew with the whole hub, nobody watched from the
    last event that was recorded before."""
    turns = []
    for event in await reader.all("instance_changed", begin, until, entity=f"plugin.{instance}"):
        if event.data["state"] == "starting":
            turns.append(figures.Turn(await reader.alive_before(event), False))
        elif event.data["state"] != "running":
            turns.append(figures.Turn(event.received, False))
    return turns


async def _names(ctx: Context) -> dict[str, dict[str, str]]:
    """What the entities of the report are called."""
    found = {}
    for domain in ("camera", "checkpoint", "poll", "partner", "form"):
        for one in await ctx.states(domain):
            name = one.attributes.get("name")
            if isinstance(name, dict):
                found[one.entity] = {"th": str(name.get("th", "")), "en": str(name.get("en", ""))}
    return found


def _notes(facts: Facts, reader: Reader) -> list[tuple[str, str]]:
    """What a reader must know before believing the figures."""
    notes, found = [], facts.incidents
    if facts.until < facts.period.end:
        words = "ช่วงเวลานี้ยังไม่สิ้นสุด ตัวเลขนับถึงเวลาที่จัดทำ"
        notes.append((words, "The period is not over: figures up to the time of making."))
    for count, th, en in (
        (found.left_out, "เหตุจำลอง", "simulated incidents"),
        (facts.promises.left_out, "คำมั่นจำลอง", "simulated promises"),
    ):  # fmt: skip
        if count:
            notes.append((f"ไม่นับ{th} {count} รายการ", f"{count} {en} are left out."))
    for kind in reader.cut:
        notes.append((
            f"เหตุการณ์ชนิด {kind} มีเกิน {MAX_EVENTS:,} รายการ ส่วนที่เกินไม่อยู่ในตัวเลข",
            f"More than {MAX_EVENTS:,} events of {kind}: those beyond are not in the figures.",
        ))  # fmt: skip
    for missing, th, en in (
        (not facts.checkpoints, "ไม่มีข้อมูลจุดตรวจตู้แดงในช่วงนี้", "No check-point events in this period."),
        (not facts.polls, "ไม่มีโพลที่ปิดรอบในช่วงนี้", "No poll round was closed in this period."),
        (not facts.cameras, "ไม่มีกล้องในระบบ", "There are no cameras."),
    ):
        if missing:
            notes.append((th, en))
    notes.append((
        "เวลาถึงที่เกิดเหตุยังวัดไม่ได้ เพราะยังไม่มีระบบใดรายงานการถึงที่เกิดเหตุ",
        "Time of arrival is not measured: no system reports an arrival yet.",
    ))  # fmt: skip
    notes.append((
        "การดูภาพและค้นข้อมูลอยู่ในบันทึกการเข้าถึง ซึ่งผู้ตรวจสอบเปิดดูได้ที่หน้าบันทึก ไม่ได้นับในรายงานนี้",
        "Who looked at what stands in the audit ledger, which auditors read on its own page; it is not counted here.",
    ))  # fmt: skip
    return notes
