"""What a parsed automation is: plain data whose templates are compiled, each part with its place and its path.

A path names a part as traces do: ``trigger/0``, ``condition/1``, ``action/2/choose/0/sequence/1``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Any

from hub.automation.language.source import NOWHERE, Place
from hub.automation.templates.template import Template
from hub.core.access import Actor
from hub.core.error import Mistake

Data = Any  # JSON data in which a text may be a Template


class FixedList(list[Any]):
    """A list without any template in it: it is given as it is. ``members`` answers ``in`` by hash."""

    __slots__ = ("_members",)
    _members: frozenset[Any] | tuple[Any, ...]

    def has(self, value: Any) -> bool:
        """Is the value one of them?"""
        try:
            members = self._members
        except AttributeError:
            try:
                members = frozenset(self)
            except TypeError:  # what cannot be hashed is compared one by one
                members = tuple(self)
            self._members = members
        try:
            return value in members
        except TypeError:
            return value in tuple(self)


class FixedDict(dict[str, Any]):
    """A mapping without any template in it."""

    __slots__ = ()


Duration = float | Template | Mapping[str, float | Template]  # seconds, or {hours: …, minutes: …}


@dataclass(frozen=True, slots=True)
class Source:
    """One YAML text of automations. ``publisher``: with whose rights they act. ``wrong``: why there is no text; what
    the file held before goes on."""

    text: str
    file: str
    publisher: Actor
    wrong: Mistake | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Common to triggers, conditions and steps."""

    path: str
    place: Place = NOWHERE
    alias: str = ""
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger(Part):
    """What starts a run. ``id`` is told to the run as ``trigger.id``."""

    id: str = ""
    variables: Mapping[str, Data] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTrigger(Trigger):
    """Events of these types whose data equals ``data`` where given, and is one of ``any_of`` where given; ``entities``:
    only of these; ``context``: only what these users brought about. ``platform``: what the run is told started it.
    ``timer.finished`` and the others of a timer, as Home Assistant names them, are ``timer_finished`` here."""

    types: tuple[str | Template, ...]
    data: Mapping[str, Data] = field(default_factory=dict)
    any_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    entities: tuple[str, ...] = ()
    context: Mapping[str, Data] = field(default_factory=dict)
    platform: str = "event"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateTrigger(Trigger):
    """A change of an entity's state or of one attribute. ``None`` means not given; ``anything``: no value was named
    at all, so changes of attributes count too."""

    entities: tuple[str, ...]
    to: tuple[Any, ...] | None = None
    from_: tuple[Any, ...] | None = None
    not_to: tuple[Any, ...] | None = None
    not_from: tuple[Any, ...] | None = None
    anything: bool = True
    attribute: str | None = None
    for_: Duration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateTrigger(Trigger):
    """The template becomes true. One that reads all states is looked at once a minute at most, one that reads a whole
    domain once a second; what it names is looked at at once."""

    template: Template
    for_: Duration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NumericTrigger(Trigger):
    """A number goes above or below; a bound may be another entity's id. It must have been outside before."""

    entities: tuple[str, ...]
    above: float | str | None = None
    below: float | str | None = None
    attribute: str | None = None
    template: Template | None = None
    for_: Duration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeTrigger(Trigger):
    """Times of day in the zone's time zone, on ``weekdays`` (Monday 0) where given; a text is the entity whose state
    gives the time, with an offset."""

    at: tuple[time | tuple[str, float], ...]
    weekdays: frozenset[int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternTrigger(Trigger):
    """Each time the clock matches: sets of hours, minutes and seconds; ``None`` matches any."""

    hours: frozenset[int] | None
    minutes: frozenset[int] | None
    seconds: frozenset[int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SunTrigger(Trigger):
    """Sunrise or sunset at the zone's centre, ``offset`` seconds later (before it, when negative)."""

    event: str
    offset: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneTrigger(Trigger):
    """An entity with a position enters or leaves a place (a ``zone.…`` or any entity with position and radius)."""

    entities: tuple[str, ...]
    zone: str
    leave: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttTrigger(Trigger):
    """A message on a topic (filter); ``payload``: only this one, after ``template`` where given."""

    topic: str | Template
    payload: str | Template | None = None
    template: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TagTrigger(Trigger):
    """A tag is scanned: an event ``tag_scanned`` with its id, or the red box ``checkpoint.TAG``."""

    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HubTrigger(Trigger):
    """The hub itself: ``start`` or ``shutdown``."""

    event: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignTrigger(Trigger):
    """A kind of Home Assistant's that the hub has no device for; read by a lenient check only, never armed."""

    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StateCondition(Part):
    """All (``any_``: one of the) entities are in one of ``states``, since ``for_``."""

    entities: tuple[str, ...]
    states: tuple[Any, ...]
    any_: bool = False
    attribute: str | None = None
    for_: Duration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NumericCondition(Part):
    """Each entity's number lies above and below; a bound may be another entity's id."""

    entities: tuple[str, ...]
    above: float | str | None = None
    below: float | str | None = None
    attribute: str | None = None
    template: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateCondition(Part):
    """The template is true."""

    template: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeCondition(Part):
    """The time of day lies in ``[after, before)``, over midnight too, and the day is one of ``weekdays`` (Monday 0).
    A text is the entity whose state gives the time."""

    after: time | str | None = None
    before: time | str | None = None
    weekdays: frozenset[int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SunCondition(Part):
    """The time is after and before ``sunrise`` or ``sunset`` of today, each with its offset in seconds."""

    after: str | None = None
    before: str | None = None
    after_offset: float = 0.0
    before_offset: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneCondition(Part):
    """All entities are in one of the places."""

    entities: tuple[str, ...]
    zones: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerCondition(Part):
    """The run was started by one of these triggers."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignCondition(Part):
    """See ``ForeignTrigger``."""

    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCondition(Part):
    """``kind``: and, or, not (none of them)."""

    kind: str
    conditions: tuple[Condition, ...]


Condition = (
    StateCondition | NumericCondition | TemplateCondition | TimeCondition | SunCondition | ZoneCondition
    | TriggerCondition | ForeignCondition | GroupCondition
)  # fmt: skip
