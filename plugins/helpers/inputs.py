"""Switches, numbers, choices and texts."""

from __future__ import annotations

from hub.sdk import Context, EntityState, InvalidInput

from .helper import Helper, Value
from .settings import BooleanSettings, NumberSettings, SelectSettings, TextSettings

ON, OFF = "on", "off"
PLACES = 9  # of a number: steps of 0.1 stay what they are


class Switch(Helper):
    """``input_boolean``."""

    domain = "input_boolean"

    def __init__(self, ctx: Context, name: str, settings: BooleanSettings) -> None:
        super().__init__(ctx, name, settings)
        self._initial = settings.initial

    def first(self, held: EntityState | None) -> Value:
        if self._initial is not None:
            return ON if self._initial else OFF, {}
        return ON if held is not None and held.state == ON else OFF, {}

    async def turn_on(self) -> None:
        """On."""
        await self.become(lambda _held: (ON, {}))

    async def turn_off(self) -> None:
        """Off."""
        await self.become(lambda _held: (OFF, {}))

    async def toggle(self) -> None:
        """The other."""
        await self.become(lambda held: (OFF if held.state == ON else ON, {}))


class Number(Helper):
    """``input_number``."""

    domain = "input_number"

    def __init__(self, ctx: Context, name: str, settings: NumberSettings) -> None:
        super().__init__(ctx, name, settings)
        self._own = settings

    def first(self, held: EntityState | None) -> Value:
        own = self._own
        value = own.initial if own.initial is not None else self._of(held)
        named = ("initial", "min", "max", "step", "mode", "unit_of_measurement")
        return str(value), {key: getattr(own, key) for key in named}

    def _of(self, held: EntityState | None) -> float:
        """What it was, if that is still allowed; else the lowest."""
        try:
            value = float(held.state) if held is not None else self._own.min
        except ValueError:
            return self._own.min
        return value if self._own.min <= value <= self._own.max else self._own.min

    async def set_value(self, value: float) -> None:
        """This value."""
        low, high = self._own.min, self._own.max
        if not low <= value <= high:
            raise InvalidInput(f"{value:g} is outside {low:g} to {high:g}", where=self.id, hint="give one between them")
        await self.become(lambda _held: (str(float(value)), {}))

    async def increment(self) -> None:
        """A step up."""
        await self._step(self._own.step)

    async def decrement(self) -> None:
        """A step down."""
        await self._step(-self._own.step)

    async def _step(self, step: float) -> None:
        def stepped(held: EntityState) -> Value:
            value = round(self._of(held) + step, PLACES)
            return str(float(min(max(value, self._own.min), self._own.max))), {}

        await self.become(stepped)


class Choice(Helper):
    """``input_select``."""

    domain = "input_select"

    def __init__(self, ctx: Context, name: str, settings: SelectSettings) -> None:
        super().__init__(ctx, name, settings)
        self._own = settings

    def first(self, held: EntityState | None) -> Value:
        options = self._own.options
        before = held.state if held is not None and held.state in options else options[0]
        return self._own.initial or before, {"options": options}

    async def select_option(self, option: str) -> None:
        """This one."""

        def chosen(held: EntityState) -> Value:
            options = _options(held)
            if option not in options:
                raise InvalidInput(
                    f"{option!r} is none of its options", where=self.id, hint=f"one of: {', '.join(options)}"[:300]
                )
            return option, {}

        await self.become(chosen)

    async def select_next(self, cycle: bool = True) -> None:
        """The next."""
        await self._move(1, cycle)

    async def select_previous(self, cycle: bool = True) -> None:
        """The one before."""
        await self._move(-1, cycle)

    async def _move(self, by: int, cycle: bool) -> None:
        def moved(held: EntityState) -> Value:
            options = _options(held)
            to = options.index(held.state) + by
            return options[to % len(options) if cycle else min(max(to, 0), len(options) - 1)], {}

        await self.become(moved)

    async def select_first(self) -> None:
        """The first."""
        await self.become(lambda held: (_options(held)[0], {}))

    async def select_last(self) -> None:
        """The last."""
        await self.become(lambda held: (_options(held)[-1], {}))

    async def set_options(self, options: list[str]) -> None:
        """Others, until the next start."""
        if len(set(options)) < len(options):
            raise InvalidInput("an option stands there twice", where=self.id, hint="name each once")
        await self.become(
            lambda held: (held.state if held.state in options else options[0], {"options": options})
        )


def _options(held: EntityState) -> list[str]:
    return list(held.attributes["options"])


class Note(Helper):
    """``input_text``."""

    domain = "input_text"

    def __init__(self, ctx: Context, name: str, settings: TextSettings) -> None:
        super().__init__(ctx, name, settings)
        self._own = settings

    def first(self, held: EntityState | None) -> Value:
        before = held.state if held is not None and not self._own.wrong(held.state) else "unknown"
        text = before if self._own.initial is None else self._own.initial
        return text, {key: getattr(self._own, key) for key in ("initial", "min", "max", "pattern", "mode")}

    async def set_value(self, value: str) -> None:
        """This text."""
        if wrong := self._own.wrong(value):
            raise InvalidInput(f"the text {wrong}", where=self.id, hint="change the text or its settings")
        await self.become(lambda _held: (value, {}))
