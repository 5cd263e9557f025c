"""The configuration, in Home Assistant's own shape."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from hub.sdk import Config, Name, Text

from .clockwork import DAYS, block_seconds, naive_moment
from .spans import seconds_of

MAX_HELPERS = 200
MAX_OPTIONS = 100
MAX_TEXT = 255  # what a state may hold
MAX_BLOCKS = 24  # of a day
LARGEST = 1e12

Bound = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]
Count = Annotated[int, Field(ge=-10**12, le=10**12)]


def _as_text(value: object) -> object:
    """A bare number of YAML is meant as its text. ``on`` is not: what YAML makes of it is no word any more."""
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Option = Annotated[str, Field(min_length=1, max_length=100), BeforeValidator(_as_text)]
Words = Annotated[str, Field(max_length=MAX_TEXT), BeforeValidator(_as_text)]


def _duration(value: float | str | dict[str, float]) -> float | str | dict[str, float]:
    if seconds_of(value) < 0:
        raise ValueError(f"{value!r} is less than nothing")
    return value


Duration = Annotated[float | str | dict[str, float], AfterValidator(_duration)]


def _form(value: str) -> str:
    """Compiled by the library that will use it, whose time grows with the text's length only."""
    try:
        _text_form(value)
    except Exception:  # what it raises is a name of the library behind pydantic
        raise ValueError(f"{value!r} is no pattern; write a regular expression without look-around") from None
    return value


@lru_cache(maxsize=256)
def _text_form(pattern: str) -> TypeAdapter[str]:
    """What takes the texts that are wholly of the pattern."""
    return TypeAdapter(Annotated[str, StringConstraints(pattern=f"^(?:{pattern})$")])


def _is_of(text: str, pattern: str) -> bool:
    try:
        _text_form(pattern).validate_python(text)
    except ValidationError:
        return False
    return True


class Helped(Config):
    """What every helper may say."""

    name: Name | Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = Field(
        None, description="what the screens call it, in one language or two; else its id"
    )
    icon: str = Field("", max_length=60, description="as in mdi:weather-night, for screens that draw one")

    def title(self, key: str) -> Text:
        """Its name."""
        if isinstance(self.name, Name):
            return self.name.text()
        named = self.name or key.replace("_", " ")
        return Text(named, named)


class BooleanSettings(Helped):
    """A switch."""

    initial: bool | None = Field(None, description="its state after every start; else what it was before")


class NumberSettings(Helped):
    """A number."""

    min: Bound = Field(description="lowest value")
    max: Bound = Field(description="highest value")
    step: float = Field(1.0, ge=1e-9, le=LARGEST, description="what increment and decrement add and take")
    initial: Bound | None = Field(None, description="its value after every start; else what it was before, else min")
    unit_of_measurement: str | None = Field(None, max_length=40, description="unit, as in °C")
    mode: Literal["slider", "box"] = Field("slider", description="how a screen asks for it")

    @model_validator(mode="after")
    def _agrees(self) -> NumberSettings:
        if self.min >= self.max:
            raise ValueError(f"max {self.max:g} is not over min {self.min:g}")
        if self.initial is not None and not self.min <= self.initial <= self.max:
            raise ValueError(f"initial {self.initial:g} is not between {self.min:g} and {self.max:g}")
        return self


class SelectSettings(Helped):
    """A choice."""

    options: list[Option] = Field(min_length=1, max_length=MAX_OPTIONS, description="what may be selected")
    initial: Option | None = Field(None, description="selected after every start; else what was before, else the first")

    @model_validator(mode="after")
    def _agrees(self) -> SelectSettings:
        if twice := sorted({one for one in self.options if self.options.count(one) > 1}):
            raise ValueError(f"options: {', '.join(twice)} stands there twice")
        if self.initial is not None and self.initial not in self.options:
            raise ValueError(f"initial {self.initial!r} is none of the options")
        return self


class TextSettings(Helped):
    """A text."""

    min: int = Field(0, ge=0, le=MAX_TEXT, description="fewest characters")
    max: int = Field(100, ge=1, le=MAX_TEXT, description="most characters")
    pattern: Annotated[str, AfterValidator(_form)] | None = Field(
        None, max_length=300, description="regular expression that the whole text must be of, without look-around"
    )
    initial: Words | None = Field(None, description="after every start; else what it was before")
    mode: Literal["text", "password"] = Field(
        "text", description="how a screen asks for it; the text is not kept secret by either"
    )

    @model_validator(mode="after")
    def _agrees(self) -> TextSettings:
        if self.min > self.max:
            raise ValueError(f"min {self.min} is over max {self.max}")
        if self.initial is not None and (wrong := self.wrong(self.initial)):
            raise ValueError(f"initial {wrong}")
        return self

    def wrong(self, text: str) -> str:
        """Why it may not be this text; "" when it may."""
        if not self.min <= len(text) <= self.max:
            return f"has {len(text)} characters; it must have {self.min} to {self.max}"
        if self.pattern is not None and not _is_of(text, self.pattern):
            return f"is not of the pattern {self.pattern}"
        return ""


class DatetimeSettings(Helped):
    """A date, a time of day, or both."""

    has_date: bool = Field(False, description="it has a date")
    has_time: bool = Field(False, description="it has a time of day")
    initial: str | None = Field(
        None, max_length=40, description="after every start, as in 2026-01-31 22:00:00, 2026-01-31 or 22:00; else what "
        "it was before, else the day of its first start at 00:00",
    )  # fmt: skip

    @model_validator(mode="after")
    def _agrees(self) -> DatetimeSettings:
        if not (self.has_date or self.has_time):
            raise ValueError("set has_date, has_time or both to true")
        self.first()
        return self

    def first(self) -> datetime | None:
        """``initial`` as a moment."""
        return None if self.initial is None else naive_moment(self.initial, self.has_date, self.has_time)


class TimerSettings(Helped):
    """A timer."""

    duration: Duration = Field(0.0, description="seconds, HH:MM:SS or {minutes: 5}; 0: each start says how long")
    restore: bool = Field(True, description="it goes on after a start of the hub; false: it is idle then")

    def seconds(self) -> float:
        """Its duration."""
        return seconds_of(self.duration)


class CounterSettings(Helped):
    """A counter."""

    initial: Count = Field(0, description="first value, and that after a reset")
    step: int = Field(1, ge=1, le=10**9, description="what increment and decrement add and take")
    minimum: Count | None = Field(None, description="it counts no further down")
    maximum: Count | None = Field(None, description="it counts no further up")
    restore: bool = Field(True, description="it goes on after a start of the hub; false: it begins at initial")

    @model_validator(mode="after")
    def _agrees(self) -> CounterSettings:
        if self.within(self.initial) != self.initial:
            raise ValueError(f"initial {self.initial} is not between minimum and maximum")
        return self

    def within(self, value: int) -> int:
        """The value, or the limit that it is beyond."""
        low = value if self.minimum is None else max(value, self.minimum)
        return low if self.maximum is None else min(low, self.maximum)


class Block(Config):
    """A part of a day."""

    from_: str = Field(alias="from", description="first moment, as in 06:00:00")
    to: str = Field(description="end, as in 10:00:00; 24:00:00 is the day's end")

    @model_validator(mode="after")
    def _agrees(self) -> Block:
        begin, end = self.seconds()
        if begin >= end:
            raise ValueError(f"to {self.to} is not after from {self.from_}; over midnight it is a block of each day")
        return self

    def seconds(self) -> tuple[int, int]:
        """Begin and end in seconds after midnight."""
        return block_seconds(self.from_), block_seconds(self.to)


Blocks = Annotated[list[Block], Field(max_length=MAX_BLOCKS)]


class ScheduleSettings(Helped):
    """A schedule of every week."""

    monday: Blocks = Field([], description="when it is on")
    tuesday: Blocks = Field([], description="when it is on")
    wednesday: Blocks = Field([], description="when it is on")
    thursday: Blocks = Field([], description="when it is on")
    friday: Blocks = Field([], description="when it is on")
    saturday: Blocks = Field([], description="when it is on")
    sunday: Blocks = Field([], description="when it is on")

    @model_validator(mode="after")
    def _agrees(self) -> ScheduleSettings:
        for day, blocks in zip(DAYS, self.week(), strict=True):
            for (_, end), (begin, _) in pairwise(blocks):
                if begin < end:
                    raise ValueError(f"{day}: two blocks overlap")
        return self

    def week(self) -> list[list[tuple[int, int]]]:
        """The blocks of each day from Monday on, in order."""
        return [sorted(block.seconds() for block in getattr(self, day)) for day in DAYS]


_KEY = re.compile(r"[a-z0-9][a-z0-9_]{0,79}", re.ASCII)


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"there is no time zone {value!r}; write Asia/Bangkok") from None
    return value


class Settings(Config):
    """Configuration of the helpers."""

    timezone: Annotated[str, AfterValidator(_zone)] = Field(
        "Asia/Bangkok", description="of dates, times and schedules (IANA name); the zone's own"
    )
    input_boolean: dict[str, BooleanSettings] = Field({}, description="switches by name")
    input_number: dict[str, NumberSettings] = Field({}, description="numbers by name")
    input_select: dict[str, SelectSettings] = Field({}, description="choices by name")
    input_text: dict[str, TextSettings] = Field({}, description="texts by name; no place for people's data")
    input_datetime: dict[str, DatetimeSettings] = Field({}, description="dates and times by name")
    timer: dict[str, TimerSettings] = Field({}, description="timers by name")
    counter: dict[str, CounterSettings] = Field({}, description="counters by name")
    schedule: dict[str, ScheduleSettings] = Field({}, description="schedules by name")

    @field_validator(
        "input_boolean", "input_number", "input_select", "input_text", "input_datetime", "timer", "counter",
        "schedule", mode="before",
    )  # fmt: skip
    @classmethod
    def _named(cls, value: Any) -> Any:
        """A name alone (``night_mode:``) is a helper without settings; so Home Assistant reads it."""
        if value is None:
            return {}
        if not isinstance(value, dict):
            return value
        for key in value:
            if not isinstance(key, str) or not _KEY.fullmatch(key):
                raise ValueError(f"{key!r} is no name; use small letters, digits and _, as in night_mode")
        return {key: {} if one is None else one for key, one in value.items()}

    @model_validator(mode="after")
    def _not_too_many(self) -> Settings:
        count = sum(len(value) for _, value in self if isinstance(value, dict))
        if count > MAX_HELPERS:
            raise ValueError(f"{count} helpers; at most {MAX_HELPERS} in one instance")
        return self
