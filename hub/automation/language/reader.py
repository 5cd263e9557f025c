"""Reads fields of YAML mappings and collects every mistake instead of stopping at the first."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import time
from typing import Any, cast

from hub.automation.language.known import Hints, Known, check_entity
from hub.automation.language.model import Data, Duration, FixedDict, FixedList
from hub.automation.language.source import Map, Place, Seq
from hub.automation.templates.template import Template, Templates, TemplateWrong, is_template
from hub.core.error import Mistake

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ENTITY_ID = re.compile(r"[a-z][a-z0-9_]*\.[a-z0-9][a-z0-9_]*")
_CLOCK = re.compile(r"(\d{1,3}):(\d{1,2})(?::(\d{1,2}(?:\.\d+)?))?")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_TRUE = frozenset({"true", "yes", "on", "enable", "1"})
_FALSE = frozenset({"false", "no", "off", "disable", "0"})
_UNITS: Mapping[str, float] = {
    "weeks": 604_800, "days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1, "milliseconds": 0.001,
}  # fmt: skip
MAX_MISTAKES = 100
TOO_LONG_S = 10 * 365 * 86_400.0  # a duration is less: ten years


class Reader:
    """Collects ``mistakes``; its methods answer ``None`` or a default where one was made.

    ``what``: against it names are checked; without it any well-formed name passes. ``lenient``: kinds and entities of
    domains that the hub does not have pass too, for a file that was written for Home Assistant. ``hints``: those that
    the whole text has.
    """

    def __init__(
        self, templates: Templates, what: Known | None = None, *, lenient: bool = False, hints: Hints | None = None
    ) -> None:
        self.templates, self.what, self.lenient = templates, what, lenient
        self._hints = hints or Hints()
        self.mistakes: list[Mistake] = []

    def foreign(self, name: str) -> bool:
        """Is it, in a lenient check, a name of a domain that is not here?"""
        return self.lenient and self.what is not None and name.partition(".")[0] not in self.what.domains

    def wrong(self, place: Place, words: str, word: str = "", choices: Collection[str] = ()) -> None:
        if len(self.mistakes) < MAX_MISTAKES:
            self.mistakes.append(place.mistake(words + self._hints.near(word, choices)))

    def known(self, source: Map, what: str, fields: Collection[str]) -> None:
        """Every key must be one of ``fields``."""
        for key in source:
            if key not in fields:
                self.wrong(source.keys_at[key], f"{what} has no field {key!r}", key, fields)

    def mapping(self, value: Any, place: Place, what: str) -> Map | None:
        if isinstance(value, Map):
            return value
        self.wrong(place, f"{what} must be a mapping of fields, not {kind_of(value)}")
        return None

    def either(self, source: Map, *names: str) -> tuple[str, Any, Place] | None:
        """The one of several spellings that is given: its name, value and place; both at once is a mistake."""
        found = sorted((name for name in names if name in source), key=lambda name: source.keys_at[name])
        if len(found) > 1:
            self.wrong(source.keys_at[found[1]], f"{found[0]!r} and {found[1]!r} mean the same; keep one")
        return (found[0], source[found[0]], source.values_at[found[0]]) if found else None

    def items(self, value: Any, place: Place) -> Iterable[tuple[Any, Place]]:
        """One or many, as many."""
        if value is None:
            return ()
        return value.placed() if isinstance(value, Seq) else ((value, place),)

    def text(self, source: Map, key: str, default: str = "") -> str:
        value = source.get(key, default)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            return str(value)
        if value is not None:
            self.wrong(source.values_at[key], f"{key!r} must be text, not {kind_of(value)}")
        return default

    def flag(self, source: Map, key: str, default: bool) -> bool:
        value = source.get(key, default)
        if isinstance(value, bool):
            return value
        if str(value).lower() in _TRUE | _FALSE:
            return str(value).lower() in _TRUE
        self.wrong(source.values_at[key], f"{key!r} must be true or false, not {kind_of(value)}")
        return default

    def word(self, source: Map, key: str, default: str, choices: Collection[str]) -> str:
        value = self.text(source, key, default)
        if value not in choices:
            self.wrong(source.values_at[key], f"{key!r} must be one of {', '.join(choices)}", value, choices)
            return default
        return value

    def entities(self, source: Map, key: str = "entity_id", *, required: bool = True) -> tuple[str, ...]:
        """Entity ids, as a list or one text with commas."""
        if source.get(key) is None:
            if required:
                self.wrong(source.place, f"{key!r} is missing")
            return ()
        found: list[str] = []
        for value, place in self.items(source[key], source.values_at[key]):
            for part in value.split(",") if isinstance(value, str) else [value]:
                name = part.strip().lower() if isinstance(part, str) else part
                if isinstance(name, str) and ENTITY_ID.fullmatch(name):
                    found.append(name)
                    self.entity(name, place)
                else:
                    self.wrong(place, f"{str(part)!r} is no entity id; write domain.object, as in light.charot_12")
        return tuple(found)

    def entity(self, name: str, place: Place) -> None:
        """The entity must exist."""
        if self.what is not None and not self.foreign(name):
            check_entity(self.what, name, place, self.wrong)

    def states(self, source: Map, key: str, *, exact: bool = False) -> tuple[Any, ...]:
        """Values to compare a state with: text (``exact``: an attribute's value, of any kind)."""
        found: list[Any] = []
        for value, place in self.items(source[key], source.values_at[key]):
            if exact:
                found.append(value)
            elif isinstance(value, bool):
                self.wrong(place, f"YAML reads this as {str(value).lower()}; put it in quotes, as in 'on' or 'off'")
            elif isinstance(value, str | int | float):
                found.append(str(value))
            else:
                self.wrong(place, f"a state is text, not {kind_of(value)}")
        return tuple(found)

    def template(self, value: Any, place: Place, *, limited: bool = False) -> Template | None:
        """A template; a plain value is one that never changes. ``limited``: see ``Templates.compile``."""
        if isinstance(value, bool | int | float):
            value = str(value)
        if not isinstance(value, str):
            self.wrong(place, f"a template is text, not {kind_of(value)}")
            return None
        try:
            made = self.templates.compile(value, limited=limited)
        except TemplateWrong as bad:
            self.wrong(place, str(bad))
            return None
        for entity in sorted(made.entities):
            self.entity(entity, place)
        return made

    def data(self, value: Any, place: Place) -> Data:
        """A value in which every text that is a template becomes a ``Template``."""
        if isinstance(value, Map):
            made = {key: self.data(item, value.values_at[key]) for key, item in value.items()}
            return FixedDict(made) if all(map(_fixed, made.values())) else made
        if isinstance(value, Seq):
            listed = [self.data(item, at) for item, at in value.placed()]
            return FixedList(listed) if all(map(_fixed, listed)) else listed
        if is_template(value):
            return self.template(value, place) or self.templates.compile("{{ '' }}")  # one mistake for it is enough
        return value

    def named_data(self, source: Map, key: str) -> dict[str, Data]:
        """A mapping of such values; missing is empty."""
        value = source.get(key)
        if value is None:
            return {}
        found = self.mapping(value, source.values_at[key], f"{key!r}")
        return cast("dict[str, Data]", self.data(found, found.place)) if found is not None else {}

    def enabled(self, source: Map) -> bool:
        """``enabled``: true, false, or a template, which is decided now and may not look at the world."""
        value = source.get("enabled", True)
        if not is_template(value):
            return self.flag(source, "enabled", True)
        template = self.template(value, source.values_at["enabled"], limited=True)
        try:
            return template is None or str(template.render({})).strip().lower() in _TRUE
        except ValueError as failed:
            self.wrong(source.values_at["enabled"], f"'enabled' is decided when the file is loaded: {failed}")
            return False

    def split(self, source: Map, key: str) -> Iterable[tuple[str | Template, Place]]:
        """The names of a list or of one text with commas, each a name or a template."""
        for value, place in self.items(source.get(key), source.values_at.get(key, source.place)):
            if is_template(value):
                template = self.template(value, place)
                if template is not None:
                    yield template, place
            else:
                for part in str(value).split(","):
                    yield part.strip(), place

    def names(self, source: Map, key: str) -> list[str | Template]:
        """The same without places."""
        return [name for name, _ in self.split(source, key)]

    def weekdays(self, source: Map) -> frozenset[int] | None:
        """``weekday``, Monday is 0; ``None`` when it is not given."""
        if "weekday" not in source:
            return None
        found = []
        for day, at in self.items(source["weekday"], source.values_at["weekday"]):
            if str(day) in WEEKDAYS:
                found.append(WEEKDAYS.index(str(day)))
            else:
                self.wrong(at, f"{day!r} is no day; write {', '.join(WEEKDAYS)}")
        return frozenset(found)

    def moment(self, value: Any, place: Place) -> time | str | None:
        """A time of day, or the id of an entity whose state gives one."""
        text = str(value).strip().lower()
        if ENTITY_ID.fullmatch(text):
            self.entity(text, place)
            return text
        parts = _TIME.fullmatch(text)
        hour, minute, second = (int(part or 0) for part in parts.groups()) if parts else (99, 0, 0)
        if hour > 23 or minute > 59 or second > 59:
            self.wrong(place, f"{value!r} is no time of day; write HH:MM or HH:MM:SS")
            return None
        return time(hour, minute, second)

    def time_or_entity(self, source: Map, key: str) -> time | str | None:
        """The same of a field; ``None`` when it is not given."""
        return self.moment(source[key], source.values_at[key]) if source.get(key) is not None else None

    def offset(self, source: Map, key: str) -> float:
        """Seconds, which may be negative; 0 when not given."""
        value = source.get(key)
        if value is None:
            return 0.0
        text = str(value).strip()
        sign = -1.0 if text.startswith("-") else 1.0
        found = as_seconds(value if isinstance(value, Mapping) else text.lstrip("+-"))
        if found is None:
            self.wrong(source.values_at[key], f"{value!r} is no offset; write seconds or -HH:MM:SS")
            return 0.0
        if not abs(found) < TOO_LONG_S:  # nor is what is no number
            self.wrong(source.values_at[key], f"{key!r} must be less than ten years")
            return 0.0
        return found if isinstance(value, Mapping) else sign * found

    def duration(self, source: Map, key: str) -> Duration | None:
        """Seconds, ``HH:MM:SS``, a mapping of units, or a template of one of these; ``None`` when not given."""
        if source.get(key) is None:
            return None
        value, place = source[key], source.values_at[key]
        if is_template(value):
            return self.template(value, place)
        if isinstance(value, Map):
            parts = self._units(key, value)
            constant = {unit: amount for unit, amount in parts.items() if isinstance(amount, float)}
            if len(constant) < len(parts):
                return parts if all(self._possible(key, abs(one), place) for one in constant.values()) else None
            return seconds if self._possible(key, seconds := seconds_of(parts), place) else None
        found = as_seconds(value)
        if found is None or found < 0:
            self.wrong(place, f"{value!r} is no duration; write seconds, HH:MM:SS, or minutes: 5")
            return None
        return found if self._possible(key, found, place) else None

    def _units(self, key: str, value: Map) -> dict[str, float | Template]:
        self.known(value, f"{key!r}", _UNITS)
        parts: dict[str, float | Template] = {}
        for unit, amount in value.items():
            if unit not in _UNITS:
                continue
            if is_template(amount):
                parts[unit] = self.template(amount, value.values_at[unit]) or 0.0
            elif isinstance(number := as_number(amount), float):
                parts[unit] = number
            else:
                self.wrong(value.values_at[unit], f"{amount!r} is no number of {unit}")
        return parts

    def _possible(self, key: str, seconds: float, place: Place) -> bool:
        """No timer can be set for ``.nan``, ``.inf``, a time before now, or one in a thousand years."""
        if 0 <= seconds < TOO_LONG_S:
            return True
        self.wrong(place, f"{key!r} must be from 0 to less than ten years")
        return False


def _fixed(value: Data) -> bool:
    """Is there no template in it?"""
    return not isinstance(value, Template | list | dict) or isinstance(value, FixedList | FixedDict)


def as_number(value: Any) -> float | None:
    """A number, or a text that is one."""
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (ValueError, TypeError, OverflowError):
        return None


def as_seconds(value: Any) -> float | None:
    """Seconds of a number, ``HH:MM:SS`` or a mapping of units; ``None`` when it is no duration."""
    if isinstance(value, Mapping):
        parts = {unit: as_number(amount) for unit, amount in value.items()}
        if not parts.keys() <= _UNITS.keys() or None in parts.values():
            return None
        return seconds_of(cast("dict[str, float]", parts))
    if isinstance(value, str) and (parts_of := _CLOCK.fullmatch(value.strip())):
        hours, minutes, seconds = parts_of.groups(default="0")
        return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    return as_number(value)


def seconds_of(parts: Mapping[str, Any]) -> float:
    """Seconds of ``{hours: 1, minutes: 30}``."""
    return sum((float(amount) * _UNITS[unit] for unit, amount in parts.items()), 0.0)


def kind_of(value: Any) -> str:
    """What the value is, in an operator's words."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return f"{str(value).lower()}"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    return f"{value!r}"
