"""Dates and times that people set and rules wait for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

from hub.sdk import Context, EntityState, InvalidInput

from .clockwork import date_of, moment_of, naive_moment, time_of
from .helper import Helper, Value
from .settings import DatetimeSettings

_DATE, _TIME = ("year", "month", "day"), ("hour", "minute", "second")
HINT = "give datetime, or timestamp, or date and time or one of the two"


class Moment(Helper):
    """``input_datetime``."""

    domain = "input_datetime"

    def __init__(self, ctx: Context, name: str, settings: DatetimeSettings, zone: ZoneInfo) -> None:
        super().__init__(ctx, name, settings)
        self._initial, self._zone = settings.first(), zone
        self._has_date, self._has_time = settings.has_date, settings.has_time

    def first(self, held: EntityState | None) -> Value:
        return self._value(self._initial or self._of(held))

    async def set_datetime(
        self, date: str | None = None, time: str | None = None, datetime: str | None = None,
        timestamp: float | None = None,
    ) -> None:  # fmt: skip
        """This moment, or this part of it."""
        ways = sum((date is not None or time is not None, datetime is not None, timestamp is not None))
        if ways != 1:
            words = "several moments were given" if ways else "no moment was given"
            raise InvalidInput(words, where=self.id, hint=HINT)
        try:
            whole = self._whole(datetime, timestamp)
            day = whole.date() if whole else date_of(date) if date is not None else None
            clock = whole.time() if whole else time_of(time) if time is not None else None
        except ValueError as wrong:
            raise InvalidInput(str(wrong), where=self.id) from None
        await self.become(self._set(day if self._has_date else None, clock if self._has_time else None))

    def _whole(self, text: str | None, timestamp: float | None) -> dt.datetime | None:
        if timestamp is not None:
            return dt.datetime.fromtimestamp(timestamp, self._zone).replace(tzinfo=None, microsecond=0)
        return moment_of(text, self._zone) if text is not None else None

    def _set(self, day: dt.date | None, clock: dt.time | None) -> Callable[[EntityState], Value]:
        if day is None and clock is None:
            has = "date" if self._has_date else "time of day"
            raise InvalidInput(f"it has a {has} only", where=self.id, hint=f"give the {has}")

        def changed(held: EntityState) -> Value:
            now = self._of(held)
            return self._value(dt.datetime.combine(day or now.date(), now.time() if clock is None else clock))

        return changed

    def _of(self, held: EntityState | None) -> dt.datetime:
        """What it was; else today at midnight, also when its parts were others then."""
        try:
            if held is not None:
                return naive_moment(held.state, self._has_date, self._has_time)
        except ValueError:
            pass
        today = dt.datetime.fromtimestamp(self._ctx.clock.now(), self._zone).date()
        return dt.datetime.combine(today, dt.time(0))

    def _value(self, moment: dt.datetime) -> Value:
        shown = {key: getattr(moment, key) if self._has_date else None for key in _DATE}
        shown |= {key: getattr(moment, key) if self._has_time else None for key in _TIME}
        if self._has_date:
            timestamp: float = moment.replace(tzinfo=self._zone).timestamp()
            text = str(moment) if self._has_time else str(moment.date())
        else:
            timestamp = moment.hour * 3_600 + moment.minute * 60 + moment.second
            text = str(moment.time())
        return text, {"has_date": self._has_date, "has_time": self._has_time, **shown, "timestamp": timestamp}
