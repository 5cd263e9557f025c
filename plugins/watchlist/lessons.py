"""What officers' answers teach about readings: kept as counts of letters, with the last event that was counted."""

from __future__ import annotations

from hub.sdk import Context, Event

from .confusion import Rates
from .device import UNSEEN

RATES = "rates"


class LessonBook:
    """The rates of confusions, durable, each answer counted once."""

    def __init__(self, ctx: Context) -> None:
        self._ctx, self._rows = ctx, ctx.records("lessons")
        self._rates, self._after, self._answers = Rates(), 0, 0

    async def load(self) -> Rates:
        """What was learned before; the same object learns on."""
        kept = (await self._rows.all()).get(RATES) or {}
        self._rates, self._after = Rates(kept.get("seen")), int(kept.get("after", 0))
        self._answers = int(kept.get("answers", 0))
        return self._rates

    async def learn(self, event: Event) -> None:
        """An officer confirmed, rejected or corrected a hit. May see an event twice after a restart."""
        hit = await self._ctx.state(event.entity or "")
        if hit is None or event.seq <= self._after:
            return
        read, listed = str(hit.attributes.get("read_plate", "")), str(hit.attributes.get("plate", ""))
        verdict = event.data["verdict"]
        if verdict == "corrected":
            self._rates.learn(str(event.data["correct_plate"]), read)
        elif verdict == "confirmed" and UNSEEN not in listed:
            self._rates.learn(listed, read)
        elif verdict == "rejected":  # another plate: what was read is the best that is known of it
            self._rates.learn(read, read)
        self._after, self._answers = event.seq, self._answers + 1
        kept = {"seen": self._rates.as_data(), "after": self._after, "answers": self._answers}
        await self._rows.put(RATES, kept)
