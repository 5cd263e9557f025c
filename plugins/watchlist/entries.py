"""Changes of the list: each with its owner, ground, end and second approver, and each an event."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Annotated, Any

from pydantic import Field

from hub.capabilities import Priority
from hub.sdk import Conflict, Context, InvalidInput, LimitExceeded, NotFound, current_call

from .device import MAX_ENTRIES, MAX_PLATE, UNSEEN, Entry, PlateIndex, apart, normal, same_province

DAY_S = 86_400.0
AT_ONCE = 500  # entries: 12 ms; a whole long list would hold up the hub for two seconds
LEAST_SEEN = 3  # characters of a partial plate: with fewer a camera of a busy street finds one each minute


class EntryBook:
    """The entries, durable in the journal's database and held in the index."""

    def __init__(self, ctx: Context, urgent_s: float, longest_days: int) -> None:
        self._ctx, self._urgent_s, self._longest_days = ctx, urgent_s, longest_days
        self._rows = ctx.records("entries")
        self.index, self.words = PlateIndex(), ctx.words("plates")

    async def load(self) -> None:
        """Read the list."""
        rows, now = list((await self._rows.all()).values()), self._ctx.clock.now()
        for begin in range(0, len(rows), AT_ONCE):
            found = [Entry(**value) for value in rows[begin : begin + AT_ONCE]]
            for entry in found:
                self.index.put(entry)
            await self.words.put({entry.id: entry.plate for entry in found if entry.active(now)})
            await asyncio.sleep(0)

    async def add(
        self,
        plate: Annotated[str, Field(min_length=2, max_length=40)],
        reason: Annotated[str, Field(min_length=3, max_length=300)],
        legal_ground: Annotated[str, Field(min_length=3, max_length=300)],
        province: Annotated[str, Field(max_length=60)] = "",
        priority: Priority = Priority.HIGH,
        days: Annotated[float, Field(gt=0)] = 30.0,
        urgent: bool = False,
        owner: Annotated[str, Field(max_length=120)] = "",
    ) -> str:
        """Ask for an entry; its id. It is active when a second person approves it, or for two hours if ``urgent``. In
        ``plate`` a ``?`` is a character that the witness did not see; the province may stand behind it."""
        call, now = current_call(), self._ctx.clock.now()
        mark, behind = apart(plate)
        word, province = normal(mark, partial=True), province.strip() or behind
        if behind and not same_province(behind, province):
            raise InvalidInput(f"{plate!r} names another province than {province!r}", where="province")
        if not 2 <= len(word) <= MAX_PLATE:
            raise InvalidInput(f"{plate!r} is no plate", where="plate", hint="series and number, as in 1กข 1234")
        if len(word.replace(UNSEEN, "")) < min(LEAST_SEEN, len(word)):
            hint = f"ask the witness for more: with under {LEAST_SEEN} characters it is too many plates"
            raise InvalidInput(f"{plate!r} leaves too much open", where="plate", hint=hint)
        if days > self._longest_days:
            raise InvalidInput(f"{days:g} days is longer than {self._longest_days}", where="days")
        if len(self.index) >= MAX_ENTRIES:
            raise LimitExceeded(f"the list has {MAX_ENTRIES} entries", where="watchlist.add")
        entry_id = "w" + hashlib.sha256(call.key.encode()).hexdigest()[:12]
        if self.index.get(entry_id) is None:
            entry = Entry(
                entry_id, word, province, reason, legal_ground, owner or call.actor, priority, call.actor,
                now, now + days * DAY_S, urgent_until=now + self._urgent_s if urgent else None,
            )  # fmt: skip
            await self._keep(entry, "requested", reason)
        return entry_id

    async def approve(self, entry: str) -> None:
        """Second approval; not by who asked for it."""
        found, by = self._need(entry), current_call().actor
        if found.requested_by == by:
            raise Conflict("who asks for an entry cannot approve it", where=entry, hint="ask a second person")
        if found.approved_by is None:
            await self._keep(found.approved(by), "approved")

    async def reject(self, entry: str, note: Annotated[str, Field(max_length=300)] = "") -> None:
        """Refuse an entry: it is taken out."""
        await self._take_out(self._need(entry), "rejected", note)

    async def remove(self, entry: str, note: Annotated[str, Field(min_length=3, max_length=300)]) -> None:
        """Take an entry out, with the reason."""
        await self._take_out(self._need(entry), "removed", note)

    async def entries(
        self, search: Annotated[str, Field(max_length=24)] = "", limit: int = 200
    ) -> list[dict[str, Any]]:
        """The entries, newest first; with ``search`` those whose plate contains it."""
        word = normal(search, partial=True)
        found = [entry for entry in self.index if word in entry.plate]
        found.sort(key=lambda entry: -entry.requested_at)
        return [entry.as_data() for entry in found[: max(0, min(limit, 1000))]]

    async def expire(self) -> None:
        """Take out what has ended: past its day, or urgent and never approved."""
        now = self._ctx.clock.now()
        for entry in self.index:
            unapproved = entry.urgent_until is not None and entry.urgent_until <= now
            if entry.expires_at <= now or unapproved:
                await self._take_out(entry, "expired", "")

    def _need(self, entry: str) -> Entry:
        found = self.index.get(entry)
        if found is None:
            raise NotFound(f"no entry {entry!r}", where="entry")
        return found

    async def _keep(self, entry: Entry, change: str, note: str = "") -> None:
        await self._rows.put(entry.id, entry.as_data())
        self.index.put(entry)
        # what nobody approved must not stand before what counts
        await self.words.put({entry.id: entry.plate if entry.active(self._ctx.clock.now()) else None})
        await self._tell(entry, change, note)

    async def _take_out(self, entry: Entry, change: str, note: str) -> None:
        await self._rows.delete(entry.id)
        self.index.drop(entry.id)
        await self.words.put({entry.id: None})
        await self._tell(entry, change, note)

    async def _tell(self, entry: Entry, change: str, note: str) -> None:
        # the hub itself acts when an entry ends by time: then no call is under way
        by = "hub" if change == "expired" else current_call().actor
        data = {"entry": entry.id, "change": change, "by": by, "plate": entry.plate, "note": note}
        await self._ctx.emit_named("watchlist_entry_changed", data)
