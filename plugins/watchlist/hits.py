"""Hits: a read plate that may be a listed one. A lead; an officer confirms, rejects or corrects it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.capabilities import Priority, WatchlistHit, WatchlistReviewed
from hub.sdk import Context, Entity, Event, InvalidInput, Query, Text, current_call

from .device import MAX_PLATE, normal
from .matching import Match, Matching

MAX_RECENT = 10_000
MAX_HITS = 2_000  # beyond it the reviewed ones that are oldest leave the list; what was found stays in the journal


class HitBook:
    """Compares every plate read with the list."""

    def __init__(self, ctx: Context, matching: Matching, quiet_s: float, lowest_confidence: float) -> None:
        self._ctx, self._matching, self._quiet_s, self._lowest = ctx, matching, quiet_s, lowest_confidence
        self._recent: dict[tuple[str, str], float] = {}  # (entry, camera) → time of the last hit

    async def take_up(self) -> None:
        """Serve the hits of before a restart, and remember which are still quiet."""
        for hit in await self._ctx.states("hit"):
            await self._add(hit.entity)
        since = self._ctx.clock.now() - self._quiet_s
        found = await self._ctx.history(Query(type="watchlist_hit", since=since, limit=1000, newest=True))
        for event in found:
            self._remember(str(event.data["entry"]), str(event.data["camera"]), event.received)

    async def compare(self, event: Event) -> None:
        """Look a read plate up. May see an event twice after a restart."""
        data = event.data
        if float(data.get("confidence", 1.0)) < self._lowest:
            return
        match = await self._matching.best(data, self._ctx.clock.now())
        if match is None:
            return
        camera = event.entity or event.source
        entity = f"hit.{hashlib.sha256(f'{event.id}:{match.entry.id}'.encode()).hexdigest()[:12]}"
        known = await self._ctx.state(entity)
        if (known is not None and known.state != "unknown") or self._is_quiet(match.entry.id, camera, event.received):
            return
        where: Mapping[str, Any] = {}
        if (state := await self._ctx.state(camera)) is not None:
            where = state.attributes
        guesses = data.get("alternatives") or ()
        hit = WatchlistHit(
            entry=match.entry.id, plate=match.entry.plate, read_plate=normal(str(data["plate"])),
            province=str(data.get("province", "")), match=match.kind, confidence=float(data.get("confidence", 1.0)),
            probability=round(match.probability, 4), differs=list(match.differs),
            alternatives=[normal(guess["series"] + guess["number"]) for guess in guesses],
            camera=camera, crop=data.get("crop"), reason=match.entry.reason, priority=_priority(match),
            lat=where.get("lat"), lon=where.get("lon"), read_seq=event.seq, simulated=bool(where.get("simulated")),
        )  # fmt: skip
        await self._add(entity)
        await self._ctx.emit(hit, entity=entity, cause=event.id)
        self._remember(match.entry.id, camera, event.received)  # not before: what could not be kept comes again
        await self._make_room()

    def _is_quiet(self, entry: str, camera: str, at: float) -> bool:
        last = self._recent.get((entry, camera))
        return last is not None and at - last < self._quiet_s

    def _remember(self, entry: str, camera: str, at: float) -> None:
        self._recent[entry, camera] = max(at, self._recent.pop((entry, camera), at))
        while len(self._recent) > MAX_RECENT:
            self._recent.pop(next(iter(self._recent)))

    async def _make_room(self) -> None:
        hits = await self._ctx.states("hit")
        reviewed = sorted((hit for hit in hits if hit.state != "pending"), key=lambda hit: hit.seq)
        for hit in reviewed[: max(0, len(hits) - MAX_HITS)]:
            await self._ctx.remove(hit.entity)

    async def _add(self, entity: str) -> None:
        await self._ctx.add(Entity(entity, Text("ป้ายที่พบ", "Hit"), ("hit",)), _Hit(self._ctx, entity))


def _priority(match: Match) -> str:
    """Of its entry; a plate of which a part was seen is many plates, and wakes nobody."""
    return Priority.NORMAL if match.kind == "partial" else match.entry.priority


@dataclass(frozen=True, slots=True)
class _Hit:
    """Serves the review of one hit."""

    ctx: Context
    entity: str

    async def confirm(self, note: str = "") -> None:
        await self._review(WatchlistReviewed(verdict="confirmed", by=current_call().actor, note=note))

    async def reject(self, note: str = "") -> None:
        await self._review(WatchlistReviewed(verdict="rejected", by=current_call().actor, note=note))

    async def correct(self, plate: str, note: str = "") -> None:
        corrected = normal(plate)
        if not 2 <= len(corrected) <= MAX_PLATE:
            raise InvalidInput(f"{plate!r} is no plate", where="plate", hint="series and number, as in 1กข 1234")
        verdict = WatchlistReviewed(verdict="corrected", by=current_call().actor, note=note, correct_plate=corrected)
        await self._review(verdict)

    async def _review(self, review: WatchlistReviewed) -> None:
        await self.ctx.emit(review, entity=self.entity)
