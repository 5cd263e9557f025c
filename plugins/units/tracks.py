"""Tracks of other systems as entities: bounded, marked with where they come from, gone when nobody renews them."""

from __future__ import annotations

import hashlib
import re

from hub.capabilities import TrackSeen
from hub.sdk import Context, Entity, LimitExceeded, StateChanged, Text

from .cot import CotEvent
from .settings import TakSettings

SOURCE = "tak"
LONGEST_S = 3_600.0  # a track is not current for longer, whatever its sender says
KEEP_STALE_S = 300.0  # it is shown as stale for so long, then it goes
MIN_GAP_S = 1.0


class Tracks:
    """What a TAK server tells of others."""

    def __init__(self, ctx: Context, config: TakSettings) -> None:
        self._ctx, self._most, self._simulated = ctx, config.max_tracks, config.simulated
        self._host = config.host
        self._stale: dict[str, float] = {}  # entity → until when it is current
        self._times: dict[str, float] = {}  # entity → time of the newest event
        self._gone: set[str] = set()  # shown as stale
        self.left_out = 0

    async def take_up(self) -> None:
        """Take out what a run before left behind; the server tells it again."""
        for state in await self._ctx.states("track"):
            if state.attributes.get("instance") == self._ctx.instance:
                await self._ctx.add(self._entity(state.entity, ""))
                await self._ctx.remove(state.entity)

    async def take(self, event: CotEvent) -> None:
        """One event of a foreign track."""
        entity, now = entity_of(event.uid), self._ctx.clock.now()
        stale = min(event.stale, now + LONGEST_S)
        if stale <= now or event.time < self._times.get(entity, 0.0) + MIN_GAP_S:
            return  # replayed by the server long after, older than what is known, or faster than anybody looks
        if entity not in self._stale and not await self._room(entity, event):
            return
        seen = TrackSeen(
            lat=event.lat, lon=event.lon, fix_at=event.time, stale_at=stale, callsign=event.callsign,
            affiliation=event.affiliation, kind=event.type, heading_deg=event.course_deg, speed_mps=event.speed_mps,
            accuracy_m=event.ce_m, source=SOURCE,
        )  # fmt: skip
        try:
            await self._ctx.emit(seen, entity=entity)
        except LimitExceeded:
            return  # the next one is newer
        self._stale[entity], self._times[entity] = stale, event.time
        self._gone.discard(entity)

    async def _room(self, entity: str, event: CotEvent) -> bool:
        if len(self._stale) >= self._most:
            self.left_out += 1
            if self.left_out == 1 or self.left_out % 1000 == 0:
                words = "tracks of the TAK server are left out, %d so far: max_tracks is %d"
                self._ctx.log.warning(words, self.left_out, self._most)
            return False
        await self._ctx.add(self._entity(entity, event.callsign))
        return True

    def _entity(self, entity: str, callsign: str) -> Entity:
        name = callsign or entity.partition(".")[2]
        return Entity(
            entity, Text(f"{name} (TAK)", f"{name} (TAK)"), ("track",), simulated=self._simulated,
            attributes={"source": SOURCE, "source_host": self._host},
        )  # fmt: skip

    async def expire(self) -> None:
        """Mark what is no longer current, and take out what has not been for long."""
        now = self._ctx.clock.now()
        for entity, stale in list(self._stale.items()):
            if now > stale + KEEP_STALE_S:
                self._gone.discard(entity)
                del self._stale[entity], self._times[entity]
                await self._ctx.remove(entity)
            elif now > stale and entity not in self._gone:
                self._gone.add(entity)
                await self._ctx.emit(StateChanged(state="stale"), entity=entity)


def entity_of(uid: str) -> str:
    """``track.WORDS_HASH`` of a uid, which may be any text."""
    words = re.sub(r"[^a-z0-9]+", "_", uid.lower()).strip("_")[:40]
    return f"track.{words + '_' if words else ''}{hashlib.sha256(uid.encode()).hexdigest()[:8]}"
