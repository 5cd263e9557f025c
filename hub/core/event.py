"""Events: immutable facts, and the types that declare what each kind of fact holds and does.

An event type is declared as a pydantic model that derives from ``EventData`` and is marked with ``event_type``;
a partner's plugin declares it as data in ``plugin.toml`` (``EventType.from_table``). Both end as an ``EventType``.
How an event changes an entity's state is part of the declaration, as data (``Projection``), so that state can be
rebuilt from the journal without the plugin's code.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, ClassVar, NamedTuple, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from hub.core.error import InvalidInput, NotFound
from hub.core.text import Text

MAX_DEPTH = 8  # event → action → event …; a longer chain is a loop of rules


class Lane(StrEnum):
    """How an event is served under load."""

    EMERGENCY = "emergency"
    NORMAL = "normal"
    TELEMETRY = "telemetry"  # only the newest per entity and type is kept while the hub is busy


class Personal(StrEnum):
    """Kinds of personal data. Such a field is encrypted in the journal and masked for readers not cleared."""

    PLATE = "plate"
    FACE = "face"
    PHONE = "phone"
    POSITION = "position"
    VOICE = "voice"
    NAME = "name"
    TEXT = "text"  # a person's own words


@dataclass(frozen=True, slots=True)
class Projection:
    """How an event changes its entity's state.

    ``state`` is a constant; ``state_from`` names the field whose value becomes the state. ``attributes`` maps an
    attribute to the field it is copied from; ``merge_from`` names a mapping field merged into the attributes.
    ``remove`` takes the entity out of the state.
    """

    state: str | None = None
    state_from: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    merge_from: str | None = None
    remove: bool = False


def same(*names: str) -> dict[str, str]:
    """Attributes copied from the fields of the same names."""
    return {name: name for name in names}


class EventData(BaseModel):
    """Base of the typed contents of an event."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    type: ClassVar[EventType]


@dataclass(frozen=True, slots=True)
class EventType:
    """One kind of event. ``retention`` names a class of ``hub.access.retention``; ``personal`` maps field to kind."""

    name: str
    title: Text
    model: type[BaseModel]
    lane: Lane = Lane.NORMAL
    retention: str = "operational"
    version: int = 1
    projection: Projection | None = None
    personal: Mapping[str, Personal] = field(default_factory=dict)
    upcasts: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = field(default_factory=dict)
    outside: bool = True  # may it come through an outside door (API, token, plugin)? False: only the hub itself

    def validate(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The data in its canonical JSON form; ``InvalidInput`` names each wrong field."""
        try:
            fields = self.model.model_validate(data).model_dump(mode="json")
            # through JSON and back: what memory holds is what the journal will give again (NaN, say, is null there)
            canonical: dict[str, Any] = orjson.loads(orjson.dumps(fields))
            return canonical
        except ValidationError as wrong:
            raise InvalidInput(explain(wrong), where=self.name) from None
        except (orjson.JSONEncodeError, orjson.JSONDecodeError) as wrong:
            raise InvalidInput(f"the data cannot be kept as JSON: {wrong}", where=self.name) from None

    def upcast(self, version: int, data: dict[str, Any]) -> dict[str, Any]:
        """Bring recorded data of an older version to this one."""
        while version < self.version:
            data = self.upcasts[version](data)
            version += 1
        return data

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> EventType:
        """An event type from a ``[[event_types]]`` table of ``plugin.toml``."""
        fields: Mapping[str, Mapping[str, Any]] = table.get("fields", {})
        projection = table.get("projection")
        return cls(
            name=table["name"],
            title=Text(**table["title"]),
            model=model_from_fields(table["name"], fields),
            lane=Lane(table.get("lane", "normal")),
            retention=table.get("retention", "operational"),
            version=table.get("version", 1),
            projection=Projection(**projection) if projection else None,
            personal={name: Personal(spec["personal"]) for name, spec in fields.items() if "personal" in spec},
        )


_FIELD_TYPES: Mapping[str, Any] = {
    "str": str, "int": int, "float": float, "bool": bool,
    "list": list[Any], "map": dict[str, Any], "json": Any, "time": float, "media": str,
}  # fmt: skip


def model_from_fields(name: str, fields: Mapping[str, Mapping[str, Any]]) -> type[BaseModel]:
    """A pydantic model from ``{field: {"type": "str", "doc": "…", "required": true, "default": …}}``."""
    made: dict[str, Any] = {}
    for key, spec in fields.items():
        kind = _FIELD_TYPES[spec["type"]]
        required = spec.get("required", "default" not in spec)
        default = ... if required else spec.get("default")
        annotation = kind if required or default is not None else kind | None
        made[key] = (Annotated[annotation, Field(description=spec.get("doc", ""))], default)
    with warnings.catch_warnings():  # a field may be called as one of pydantic's own methods is, such as json
        warnings.filterwarnings("ignore", "Field name", UserWarning)
        return create_model(name, __config__=ConfigDict(frozen=True, extra="forbid"), **made)


M = TypeVar("M", bound=EventData)


def personal(kind: Personal) -> Any:
    """Marks a field in an ``EventData`` class: ``plate: Annotated[str, personal(Personal.PLATE)]``."""
    return kind


def event_type(
    name: str,
    th: str,
    en: str,
    *,
    lane: Lane = Lane.NORMAL,
    retention: str = "operational",
    version: int = 1,
    projection: Projection | None = None,
    outside: bool = True,
) -> Callable[[type[M]], type[M]]:
    """Class decorator: gives an ``EventData`` class its ``EventType``."""

    def declare(model: type[M]) -> type[M]:
        marked = {
            key: mark
            for key, info in model.model_fields.items()
            for mark in info.metadata
            if isinstance(mark, Personal)
        }
        model.type = EventType(
            name, Text(th, en), model, lane, retention, version, projection, personal=marked, outside=outside
        )
        return model

    return declare


class Event(NamedTuple):  # not a frozen dataclass: one is made for all that happens, in a sixth of the time
    """One fact.

    ``at``: when it happened by the device's clock; ``received``: when the hub took it (both seconds since the epoch).
    ``source``: who brought it, stamped by the hub (``instance:NAME``, ``user:somchai``, ``automation:night_plate``).
    ``cause``: id of the event or call that led to it; ``depth``: length of that chain.
    """

    seq: int
    id: str
    type: str
    at: float
    received: float
    entity: str | None
    source: str
    data: Mapping[str, Any]
    cause: str | None = None
    depth: int = 0
    version: int = 1

    def as_data(self) -> dict[str, Any]:
        """JSON form, as the API and the stream send it."""
        return {
            "seq": self.seq, "id": self.id, "type": self.type, "at": self.at, "received": self.received,
            "entity": self.entity, "source": self.source, "data": self.data, "cause": self.cause,
            "depth": self.depth, "version": self.version,
        }  # fmt: skip

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Event:
        """The event that ``as_data`` described."""
        return cls(**data)


class Draft(NamedTuple):
    """An event that is not yet in the journal. ``source`` is stamped by the hub, never by the sender.

    ``at`` defaults to now. ``data`` is already validated and in JSON form.
    """

    type: str
    data: Mapping[str, Any]
    source: str
    entity: str | None = None
    at: float | None = None
    cause: str | None = None
    depth: int = 0
    lane: Lane = Lane.NORMAL


class EventTypes:
    """The event types this hub knows: the vocabulary's and each plugin's. Filled by the composition root.

    ``get(name)``: the type, or ``None``: events of unknown types are kept as they are. Asked three times an event.
    """

    get: Callable[[str], EventType | None]

    def __init__(self, types: Iterable[EventType] = ()) -> None:
        self._types: dict[str, EventType] = {kind.name: kind for kind in types}
        self.get = self._types.get

    def add(self, kind: EventType) -> None:
        """Make a type known; the same name again replaces it (a reloaded plugin)."""
        self._types[kind.name] = kind

    def need(self, name: str) -> EventType:
        """The type; ``NotFound`` otherwise."""
        kind = self._types.get(name)
        if kind is None:
            raise NotFound(f"no event type {name!r}", where=name, hint="see docs/reference/events.md")
        return kind

    def __iter__(self) -> Any:
        return iter(self._types.values())


def explain(wrong: ValidationError) -> str:
    """pydantic's findings as one line for a person: ``field: what is wrong; field: …`` (at most eight)."""
    lines = [f"{'.'.join(map(str, e['loc'])) or 'value'}: {e['msg'].lower()}" for e in wrong.errors()[:8]]
    return "; ".join(lines)
