"""Several lamps as one light."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

from hub.capabilities import LightReported
from hub.sdk import Conflict, Context, HubError, LimitExceeded, Unavailable

from .device import Lamp

AT_ONCE = 20


class Group:
    """Serves the actions of a group. ``members`` gives its lamps of this moment."""

    def __init__(self, ctx: Context, entity: str, members: Callable[[], list[Lamp]]) -> None:
        self._ctx, self.entity, self._members = ctx, entity, members
        self._shown: LightReported | None = None

    async def turn_on(self, brightness_pct: float = 100.0) -> dict[str, Any]:
        return await self._each(lambda lamp: lamp.turn_on(brightness_pct))

    async def turn_off(self) -> dict[str, Any]:
        return await self._each(lambda lamp: lamp.turn_off())

    async def boost(
        self, brightness_pct: float = 100.0, minutes: float = 15.0, reason: str = ""
    ) -> dict[str, Any]:
        return await self._each(lambda lamp: lamp.boost(brightness_pct, minutes, reason))

    async def override(
        self, level_pct: float, reason: str, minutes: float = 60.0, until: str | None = None
    ) -> dict[str, Any]:
        return await self._each(lambda lamp: lamp.override(level_pct, reason, minutes, until))

    async def release(self) -> dict[str, Any]:
        return await self._each(lambda lamp: lamp.release())

    async def _each(self, act: Callable[[Lamp], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
        """Do it with all that can: ``done`` counts them, ``refused`` and ``not_reached`` say which could not and why.
        An error when none could."""
        gate = asyncio.Semaphore(AT_ONCE)
        refused: dict[str, str] = {}
        not_reached: dict[str, str] = {}
        answers: list[dict[str, Any]] = []
        wrong: list[HubError] = []

        async def one(lamp: Lamp) -> None:
            async with gate:
                try:
                    answers.append(await act(lamp))
                except Conflict as held:
                    refused[lamp.entity] = held.message
                except Unavailable as away:
                    not_reached[lamp.entity] = away.message
                except HubError as other:
                    wrong.append(other)

        lamps = self._members()
        await asyncio.gather(*(one(lamp) for lamp in lamps))
        if wrong:
            raise wrong[0]
        if not answers:
            self._none_could(refused, not_reached)
        first = answers[0]
        return {**first, "done": len(answers), "refused": refused, "not_reached": not_reached}

    def _none_could(self, refused: dict[str, str], not_reached: dict[str, str]) -> None:
        if refused:
            name, words = next(iter(refused.items()))
            raise Conflict(f"every lamp is held by hand; {name}: {words}", where=self.entity)
        if not_reached:
            name, words = next(iter(not_reached.items()))
            raise Unavailable(f"no lamp can be reached; {name}: {words}", where=self.entity)
        raise Unavailable("the group has no lamps", where=self.entity, hint="look at its members in the configuration")

    async def show(self) -> None:
        """On when any is on, with the mean of those that are; unavailable when all are."""
        lamps = self._members()
        levels = [lamp.level for lamp in lamps if not lamp.missing and lamp.level is not None]
        lit = [level for level in levels if level > 0]
        state = "on" if lit else "off" if levels else "unavailable"
        level = round(sum(lit) / len(lit), 1) if lit else 0.0 if levels else None
        newest = max((lamp.heard.at for lamp in lamps if lamp.heard.at is not None), default=None)
        said = LightReported(state=state, level_pct=level, reported_at=newest)
        before = self._shown
        if before is not None and (before.state, before.level_pct) == (said.state, said.level_pct):
            return
        with contextlib.suppress(LimitExceeded):
            await self._ctx.emit(said, entity=self.entity)
            self._shown = said
