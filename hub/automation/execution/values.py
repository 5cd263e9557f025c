"""Values of a run: filled in from templates, and kept in the journal as tagged JSON."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from hub.automation.language.model import Data, Duration, FixedDict, FixedList
from hub.automation.language.reader import as_seconds
from hub.automation.templates.template import Template, TemplateFailed
from hub.automation.templates.views import EventView, StateView
from hub.core.event import Event
from hub.core.state import EntityState

Values = Mapping[str, Any]
LONGEST_S = 10 * 365 * 86_400.0
MAX_DEPTH = 30
MAX_SIZE = 20_000  # values in one run's record
MAX_LETTERS = 500_000  # of all its texts: it is written at each wait

_TRUE = frozenset({"true", "yes", "on", "enable", "1"})


def filled(data: Data, values: Values, texts: Collection[str] = ()) -> Any:
    """The data with its templates rendered. Top-level fields named in ``texts`` stay text as printed."""
    if isinstance(data, Template):
        return data.render(values)
    kind = type(data)
    if kind is FixedList or kind is FixedDict:
        return data
    if isinstance(data, dict):
        return {
            key: _text(item, values) if isinstance(item, Template) and key in texts else filled(item, values)
            for key, item in data.items()
        }
    if isinstance(data, list):
        return [filled(item, values) for item in data]
    return data


def _text(template: Template, values: Values) -> str | None:
    text = template.text(values)
    return None if text == "None" else text


def with_variables(values: Values, variables: Mapping[str, Data]) -> dict[str, Any]:
    """The values and the variables; each variable may use those before it."""
    made = dict(values)
    for name, data in variables.items():
        made[name] = filled(data, made)
    return made


def seconds(duration: Duration, values: Values) -> float:
    """A duration's seconds; ``TemplateFailed`` when its template gives none."""
    if isinstance(duration, float | int):
        got: Any = duration
    else:
        got = duration.render(values) if isinstance(duration, Template) else filled(dict(duration), values)
    found = as_seconds(got)
    if found is None or not 0 <= found < LONGEST_S:  # nor is "not a number" one
        raise TemplateFailed(f"{got!r} is no duration")
    return found


def truth(value: Any) -> bool:
    """Does a template's result count as true? Words as in Home Assistant: true, yes, on, enable, 1."""
    if isinstance(value, str):
        return value.strip().lower() in _TRUE
    return bool(value)


class NotKeepable(ValueError):
    """The value has no tagged JSON form, or there is too much of it."""


def to_json(value: Any) -> Any:
    """Tagged JSON: ``{"$datetime": …}`` and the like. ``NotKeepable`` for anything that has no such form."""
    return _Keeper().keep(value, 0)


class _Keeper:
    def __init__(self) -> None:
        self._count = self._letters = 0

    def keep(self, value: Any, depth: int) -> Any:
        self._count += 1
        if self._count > MAX_SIZE or depth > MAX_DEPTH:
            raise NotKeepable("the run's variables are too large to be kept")
        if isinstance(value, str):
            self._letters += len(value)
            if self._letters > MAX_LETTERS:
                raise NotKeepable(f"the run's variables hold more than {MAX_LETTERS} letters")
            return value
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            if all(isinstance(key, str) and not key.startswith("$") for key in value):
                return {key: self.keep(item, depth + 1) for key, item in value.items()}
            return {"$dict": [[self.keep(key, depth + 1), self.keep(item, depth + 1)] for key, item in value.items()]}
        if isinstance(value, list):
            return [self.keep(item, depth + 1) for item in value]
        if isinstance(value, tuple | set | frozenset):
            return {"$tuple" if isinstance(value, tuple) else "$set": [self.keep(item, depth + 1) for item in value]}
        return self._tagged(value, depth)

    def _tagged(self, value: Any, depth: int) -> Any:
        if isinstance(value, datetime | date | time):
            tag = "$datetime" if isinstance(value, datetime) else "$date" if isinstance(value, date) else "$time"
            return {tag: value.isoformat()}
        if isinstance(value, timedelta):
            return {"$seconds": value.total_seconds()}
        if isinstance(value, StateView):
            raw = {**value.raw.as_data(), "personal": dict(value.raw.personal)}
            return {"$state": self.keep(raw, depth + 1)}
        if isinstance(value, EventView):
            return {"$event": self.keep(value.raw.as_data(), depth + 1)}
        raise NotKeepable(f"a value of type {type(value).__name__} cannot be kept while the run waits")


def from_json(value: Any, zone: tzinfo) -> Any:
    """The value that ``to_json`` kept."""
    if isinstance(value, list):
        return [from_json(item, zone) for item in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and (tag := next(iter(value))).startswith("$"):
        return _untagged(tag, value[tag], zone)
    return {key: from_json(item, zone) for key, item in value.items()}


def _untagged(tag: str, kept: Any, zone: tzinfo) -> Any:
    if tag == "$dict":
        return {from_json(key, zone): from_json(item, zone) for key, item in kept}
    if tag in ("$tuple", "$set"):
        made = [from_json(item, zone) for item in kept]
        return tuple(made) if tag == "$tuple" else set(made)
    if tag in ("$datetime", "$date", "$time"):
        kinds: dict[str, Any] = {"$datetime": datetime, "$date": date, "$time": time}
        return kinds[tag].fromisoformat(kept)
    if tag == "$seconds":
        return timedelta(seconds=kept)
    if tag == "$state":
        raw = from_json(kept, zone)
        return StateView(EntityState(**raw), zone)
    if tag == "$event":
        return EventView(Event.from_data(from_json(kept, zone)), zone)
    raise NotKeepable(f"a kept value has the unknown tag {tag}")
