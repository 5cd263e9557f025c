"""What exists: entities, actions, event types. Against it each name in an automation is checked at load."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from heapq import nlargest
from typing import Any, Protocol, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from hub.automation.language.source import Place
from hub.automation.templates.template import Template
from hub.core.action import ActionSpec
from hub.core.event import EventType

MAX_HINTS = 10  # of one text: each costs a walk through all that exists, and a text may hold 10,000 slips
MAX_WORD = 100  # letters of what is compared at all
COMPARED = 50  # choices that are compared letter by letter: those that share most pairs of letters

_PLACEHOLDER = ""  # stands for a template while the constant fields are validated


class Known(Protocol):
    """What the checker asks. ``entities``: id → names of its capabilities."""

    @property
    def entities(self) -> Mapping[str, Collection[str]]:
        """All entities."""

    @property
    def actions(self) -> Mapping[str, ActionSpec]:
        """All declared actions, by name."""

    @property
    def events(self) -> Mapping[str, EventType]:
        """All declared event types, by name."""

    @property
    def domains(self) -> Collection[str]:
        """Domains of entities and actions that the hub has; a lenient check passes names of all others."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """``Known`` as plain data."""

    entities: Mapping[str, Collection[str]] = field(default_factory=dict)
    actions: Mapping[str, ActionSpec] = field(default_factory=dict)
    events: Mapping[str, EventType] = field(default_factory=dict)

    @property
    def domains(self) -> frozenset[str]:
        """Those of its names."""
        return frozenset(name.partition(".")[0] for name in (*self.entities, *self.actions))


class Complain(Protocol):
    """Takes one mistake."""

    def __call__(self, place: Place, words: str, word: str = "", choices: Collection[str] = ()) -> None:
        """``place`` and what is wrong there. ``word``: what was written in place of one of ``choices``."""


@dataclass(slots=True)
class Hints:
    """How many more times a text is told what was perhaps meant."""

    left: int = MAX_HINTS

    def near(self, word: str, choices: Collection[str]) -> str:
        """See ``near``; nothing when the text was told enough."""
        if not word or self.left <= 0:
            return ""
        self.left -= 1
        return near(word, choices)


def near(word: str, choices: Collection[str], cutoff: float = 0.6) -> str:
    """``; did you mean 'x'?`` when something close exists, of the same domain if that exists."""
    if len(word) > MAX_WORD:
        return ""
    domain, dot, _ = word.partition(".")
    some = [one for one in choices if one.startswith(domain + dot)] if dot else []
    some = some or list(choices)
    if len(some) > COMPARED:
        pairs = {word[at : at + 2] for at in range(len(word) - 1)}
        some = nlargest(COMPARED, some, lambda one: sum(pair in one for pair in pairs))
    close = get_close_matches(word, some, 1, cutoff)
    return f"; did you mean {close[0]!r}?" if close else ""


def check_entity(known: Known, name: str, place: Place, wrong: Complain) -> None:
    """The entity must exist."""
    if name not in known.entities:
        wrong(place, f"there is no entity {name!r}", name, known.entities)


# Actions that the engine itself does: see ``hub.automation.locals``.
_LOCAL = frozenset({
    "automation.turn_on", "automation.turn_off", "automation.toggle", "automation.trigger", "automation.reload",
    "script.turn_on", "script.turn_off", "script.toggle", "script.reload", "scene.turn_on", "scene.reload",
    "logbook.log", "system_log.write", "homeassistant.update_entity",
})  # fmt: skip


def is_local(name: str) -> bool:
    """Is it done by the engine itself? A script that is not there is found when it is called."""
    return name in _LOCAL or name.startswith("script.")


def check_slip(known: Known, name: str, place: Place, wrong: Complain) -> None:
    """In a lenient check: an action that is nearly one of the hub's is a slip, any other is somebody else's."""
    if name not in known.actions and not is_local(name) and (close := near(name, known.actions, 0.92)):
        wrong(place, f"there is no action {name!r}{close}")


def check_action(
    known: Known, name: str, at: Place, targets: Collection[Any], targets_at: Place, data: Any,
    fields_at: Mapping[str, Place], wrong: Complain,
) -> None:  # fmt: skip
    """The action must exist, fit its targets, and take these fields with these constant values."""
    spec = known.actions.get(name)
    if spec is None:
        wrong(at, f"there is no action {name!r}", name, known.actions)
        return
    if spec.target and not targets:
        wrong(at, f"{name} needs a target; add 'target: {{entity_id: {spec.capability}.NAME}}'")
    if not spec.target and targets:
        wrong(targets_at, f"{name} takes no target")
    for target in targets if spec.target else ():
        if isinstance(target, str) and spec.capability not in known.entities.get(target, (spec.capability,)):
            wrong(targets_at, f"{target} is no {spec.capability}, so {name} cannot act on it")
    if isinstance(data, Mapping):
        check_fields(spec.params, data, fields_at, at, name, wrong)


def check_fields(
    model: type[BaseModel],
    data: Mapping[str, Any],
    fields_at: Mapping[str, Place],
    at: Place,
    what: str,
    wrong: Complain,
) -> None:
    """Constant fields must be what the model says; templates are only known when rendered."""
    templated = {name for name, value in data.items() if _has_template(value)}
    try:
        model.model_validate({name: _PLACEHOLDER if name in templated else value for name, value in data.items()})
    except ValidationError as failed:
        for error in failed.errors(include_url=False, include_context=False, include_input=False):
            name = str(error["loc"][0]) if error["loc"] else ""
            if name in templated or (not name and templated):
                continue
            place = fields_at.get(name, at)
            if error["type"] == "extra_forbidden":
                wrong(place, f"{what} has no field {name!r}", name, model.model_fields)
            elif error["type"] == "missing":
                wrong(place, f"{what} needs the field {name!r}")
            else:
                wrong(place, f"{what}: {name}: {error['msg'][:1].lower()}{error['msg'][1:]}")


# The event types of Home Assistant that have a dot, under the hub's own names.
_DOTTED = {
    f"timer.{what}": f"timer_{what}" for what in ("started", "restarted", "paused", "changed", "cancelled", "finished")
}


def event_name(name: str) -> str:
    """The hub's name of an event type as it may stand in a rule."""
    return _DOTTED.get(name, name)


def check_event(known: Known, name: str, at: Place, wrong: Complain) -> EventType | None:
    """A type that is nearly a declared one is a slip; any other undeclared name is a custom event."""
    kind = known.events.get(name)
    if kind is None and (close := near(name, known.events, 0.8)):
        wrong(at, f"there is no event type {name!r}{close}")
    return kind


def check_match(kind: EventType, data: Mapping[str, Any], fields_at: Mapping[str, Place], wrong: Complain) -> None:
    """Fields that an event trigger compares must exist, and text must be compared with text."""
    texts = text_fields(kind.model)
    for name, value in data.items():
        if name not in kind.model.model_fields:
            wrong(fields_at[name], f"{kind.name} has no field {name!r}", name, kind.model.model_fields)
        elif name in texts and not isinstance(value, str | Template):
            wrong(fields_at[name], f"{name!r} is text: put {value!r} in quotes, or it never matches")


def _has_template(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_has_template(item) for item in value.values())
    if isinstance(value, list):
        return any(_has_template(item) for item in value)
    return isinstance(value, Template)


@lru_cache(maxsize=1024)
def text_fields(model: type[BaseModel]) -> frozenset[str]:
    """Fields that take text and no number: a template's ``0812`` keeps its zero there."""
    return frozenset(name for name, info in model.model_fields.items() if _is_text(info.annotation))


def _is_text(annotation: Any) -> bool:
    if get_origin(annotation) is Union or type(annotation).__name__ == "UnionType":
        kinds = {part for part in get_args(annotation) if part is not type(None)}
        return kinds == {str}
    return isinstance(annotation, type) and issubclass(annotation, str)
