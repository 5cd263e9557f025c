"""What a parsed automation is: plain data whose templates are compiled, each part with its place and its path.

A path names a part as traces do: ``trigger/0``, ``condition/1``, ``action/2/choose/0/sequence/1``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time
from typing import Any

from hub.automation.language.source import NOWHERE, Place
from hub.automation.templates.template import Template
from hub.core.access import Actor

Data = Any  # JSON data in which a text may be a Template
Duration = float | Template | Mapping[str, float | Template]  # seconds, or {hours: …, minutes: …}


@dataclass(frozen=True, slots=True)
class Source:
    """One YAML text of automations. ``publisher``: with whose rights they act."""

    text: str
    file: str
    publisher: Actor


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
    """Events of these types whose data equals ``data`` where given; ``entities``: only of these."""

    types: tuple[str, ...]
    data: Mapping[str, Data] = field(default_factory=dict)
    entities: tuple[str, ...] = ()


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
    """The template becomes true."""

    template: Template
    for_: Duration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeTrigger(Trigger):
    """Times of day in the zone's time zone."""

    at: tuple[time, ...]


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
class GroupCondition(Part):
    """``kind``: and, or, not (none of them)."""

    kind: str
    conditions: tuple[Condition, ...]


Condition = StateCondition | NumericCondition | TemplateCondition | GroupCondition


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Part):
    """One step of a sequence. ``go_on``: an error here does not end the run (``continue_on_error``)."""

    go_on: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionStep(Step):
    """Calls an action, once for each target."""

    action: str | Template
    targets: tuple[str | Template, ...] = ()
    data: Mapping[str, Data] | Template = field(default_factory=dict)
    response: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayStep(Step):
    """Waits."""

    duration: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class VariablesStep(Step):
    """Sets variables for what follows in this sequence."""

    variables: Mapping[str, Data]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStep(Step):
    """Fires an event."""

    type: str
    data: Mapping[str, Data] = field(default_factory=dict)
    entity: str | Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopStep(Step):
    """Ends the run."""

    reason: str | Template
    error: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionStep(Step):
    """Ends the sequence it stands in when false."""

    condition: Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """Conditions and what to do when they hold."""

    conditions: tuple[Condition, ...]
    steps: tuple[Step, ...]
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChooseStep(Step):
    """The first branch whose conditions hold, else ``default``. ``if`` is a choose with one branch."""

    branches: tuple[Branch, ...]
    default: tuple[Step, ...] = ()
    default_path: str = ""


@dataclass(frozen=True, slots=True)
class Automation:
    """One automation. ``tree`` is its source as JSON data, blanks filled in; ``hash`` names that version."""

    id: str
    alias: str
    description: str
    mode: str
    max: int
    silent: bool  # max_exceeded: silent
    enabled: bool
    triggers: tuple[Trigger, ...]
    conditions: tuple[Condition, ...]
    steps: tuple[Step, ...]
    variables: Mapping[str, Data]
    trigger_variables: Mapping[str, Data]
    tree: Mapping[str, Any]
    hash: str
    place: Place = NOWHERE


def walk_steps(steps: Sequence[Step]) -> Sequence[Step]:
    """All steps, those inside others too."""
    found: list[Step] = []
    for step in steps:
        found.append(step)
        if isinstance(step, ChooseStep):
            for branch in step.branches:
                found += walk_steps(branch.steps)
            found += walk_steps(step.default)
    return found


def walk_conditions(conditions: Sequence[Condition]) -> Sequence[Condition]:
    """All conditions, those inside groups too."""
    found: list[Condition] = []
    for condition in conditions:
        found.append(condition)
        if isinstance(condition, GroupCondition):
            found += walk_conditions(condition.conditions)
    return found


def all_conditions(automation: Automation) -> Sequence[Condition]:
    """Every condition of the automation and of its steps."""
    found = list(walk_conditions(automation.conditions))
    for step in walk_steps(automation.steps):
        if isinstance(step, ConditionStep):
            found += walk_conditions([step.condition])
        elif isinstance(step, ChooseStep):
            for branch in step.branches:
                found += walk_conditions(branch.conditions)
    return found
