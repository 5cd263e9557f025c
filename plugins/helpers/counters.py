"""Whole numbers that count."""

from __future__ import annotations

from hub.sdk import Context, EntityState, InvalidInput

from .helper import Helper, Value
from .settings import CounterSettings


class Tally(Helper):
    """``counter``."""

    domain = "counter"

    def __init__(self, ctx: Context, name: str, settings: CounterSettings) -> None:
        super().__init__(ctx, name, settings)
        self._own = settings

    def first(self, held: EntityState | None) -> Value:
        value = self._of(held) if self._own.restore else self._own.initial
        return str(value), {key: getattr(self._own, key) for key in ("initial", "step", "minimum", "maximum")}

    def _of(self, held: EntityState | None) -> int:
        try:
            return self._own.within(int(held.state)) if held is not None else self._own.initial
        except ValueError:
            return self._own.initial

    async def increment(self) -> None:
        """A step up."""
        await self._step(self._own.step)

    async def decrement(self) -> None:
        """A step down."""
        await self._step(-self._own.step)

    async def _step(self, step: int) -> None:
        await self.become(lambda held: (str(self._own.within(self._of(held) + step)), {}))

    async def reset(self) -> None:
        """Back to its first value."""
        await self.become(lambda _held: (str(self._own.initial), {}))

    async def set_value(self, value: int) -> None:
        """This value."""
        if self._own.within(value) != value or abs(value) > 10**12:
            low, high = self._own.minimum, self._own.maximum
            raise InvalidInput(
                f"{value} is outside {'…' if low is None else low} to {'…' if high is None else high}", where=self.id,
                hint="give one between them",
            )  # fmt: skip
        await self.become(lambda _held: (str(value), {}))
