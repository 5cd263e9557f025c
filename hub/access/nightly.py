"""The nightly round: personal data whose time is over is destroyed, and a receipt of it stays in the journal."""

from __future__ import annotations

import asyncio
import datetime
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

from hub.access.retention import KeyStore, RetentionClass, due
from hub.core.event import Draft
from hub.core.journal import Put
from hub.core.pipeline import Pipeline
from hub.core.system import Fault, RetentionApplied

TABLE: Final = "nightly"
LAST: Final = "last"


class MediaStore(Protocol):
    """Media that a class can let go of."""

    def erase(self, retention_class: str, before_day: str) -> list[dict[str, Any]]:
        """Let go of what the class kept before that day; one receipt for each, with ``damaged`` for what could not be
        read or deleted. Blocks."""


class Nightly:
    """Once a night at ``at`` (HH:MM, local time of the zone), and at once after a night that was missed.

    ``journal`` is ``None`` where the journal holds no keys (in memory).
    """

    def __init__(
        self, pipeline: Pipeline, journal: KeyStore | None, media: MediaStore,
        classes: Mapping[str, RetentionClass], zone: ZoneInfo, at: str,
    ) -> None:  # fmt: skip
        self._pipeline, self._journal, self._media, self._classes = pipeline, journal, media, classes
        self._zone, self._at = zone, datetime.time.fromisoformat(at)

    def night(self, now: float) -> str:
        """The night whose round is the newest that was due at ``now``: its date, ISO 8601."""
        local = datetime.datetime.fromtimestamp(now, self._zone)
        day = local.date() if local.time() >= self._at else local.date() - datetime.timedelta(days=1)
        return day.isoformat()

    async def look(self) -> bool:
        """Make the round when it is due; was it made?"""
        night = self.night(self._pipeline.clock.now())
        rows = dict(self._pipeline.journal.records(TABLE))
        if self._journal is None or rows.get(LAST) == night:
            return False
        receipts = await self.apply(self._journal)
        # one group: the mark that this night is done and the receipt of what was done in it
        self._pipeline.put(Put(TABLE, LAST, night))
        data = RetentionApplied(receipts=receipts).model_dump(mode="json")
        self._pipeline.emit(Draft(RetentionApplied.type.name, data, "hub"))
        await self._pipeline.settled()
        return True

    async def apply(self, journal: KeyStore) -> list[dict[str, Any]]:
        """Destroy what is due today (UTC, as days are counted in the journal); a summary for each class."""
        today = datetime.datetime.fromtimestamp(self._pipeline.clock.now(), datetime.UTC).date()
        summary, wrong = [], dict[str, str]()
        for name, before in due(self._classes.values(), today):
            keys = await asyncio.to_thread(journal.destroy_keys, name, before)
            receipts = await asyncio.to_thread(self._media.erase, name, before)
            wrong |= {str(row["media"]): str(row["damaged"]) for row in receipts if "damaged" in row}
            files = [row for row in receipts if "damaged" not in row]
            if keys or files:
                counted = Counter(bool(row.get("deleted")) for row in files)
                events = sum(int(row["events"]) for row in keys)
                summary.append({
                    "class": name, "kept_from": before, "keys": len(keys), "events": events,
                    "media_deleted": counted[True], "media_kept_by_others": counted[False],
                })  # fmt: skip
        for where, words in wrong.items():
            hint = "nothing says how long it may be kept: restore the file from a backup, or delete it with its bytes"
            fault = Fault(where=where, message=words, hint=hint)
            self._pipeline.emit(Draft(Fault.type.name, fault.model_dump(mode="json"), "hub"))
        if summary:
            await self._pipeline.refold()
        return summary
