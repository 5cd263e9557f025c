"""What the plugin's page says of one address: how much came, what was refused, and why the last one was."""

from __future__ import annotations

from hub.sdk import Context, StateChanged

SHOWN_EVERY_S = 10.0  # what strangers send costs the journal no more than one line in that time
MAX_WORDS = 300


class Board:
    """Counts of one entity. ``look`` is called again and again, and shows what is new."""

    def __init__(self, ctx: Context, entity: str) -> None:
        self._ctx, self._entity = ctx, entity
        self._counts, self._wrong = {"received": 0, "refused": 0}, ""
        self._new, self._shown_at = False, float("-inf")

    async def take_up(self) -> None:
        """Go on counting where it was."""
        state = await self._ctx.state(self._entity)
        if state is not None:
            self._counts = {name: int(state.attributes.get(name) or 0) for name in self._counts}
            self._wrong = str(state.attributes.get("last_error") or "")
        await self._show()

    def received(self) -> None:
        """One was taken."""
        self._counts["received"] += 1
        self._new = True

    def refused(self, words: str) -> None:
        """One was not."""
        self._counts["refused"] += 1
        self._new, self._wrong = True, words[:MAX_WORDS]

    async def look(self) -> None:
        """Show what is new, when it is time."""
        if self._new and self._ctx.clock.monotonic() - self._shown_at >= SHOWN_EVERY_S:
            self._shown_at = self._ctx.clock.monotonic()
            await self._show()

    async def _show(self) -> None:
        self._new = False
        shown = StateChanged(state="ok", attributes={**self._counts, "last_error": self._wrong})
        await self._ctx.emit(shown, entity=self._entity)
