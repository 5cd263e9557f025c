"""What the steps of an automation are, and the automation as a whole: plain data, as ``model.py`` has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.automation.language.model import Condition, Data, Duration, Part, Trigger
from hub.automation.language.source import NOWHERE, Place
from hub.automation.templates.template import Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Step(Part):
    """One step of a sequence. ``go_on``: an error here does not end the run (``continue_on_error``)."""

    go_on: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionStep(Step):
    """Calls an action, once for each target."""

    action: str | Template
    targets: tuple[str | Template, ...] = ()
    areas: tuple[str | Template, ...] = ()
    data: Mapping[str, Data] | Template = field(default_factory=dict)
    response: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayStep(Step):
    """Waits."""

    duration: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitStep(Step):
    """Waits until the template is true or one of the triggers fires; ``go_on_late``: also goes on when it took too
    long, else the run ends."""

    template: Template | None = None
    triggers: tuple[Trigger, ...] = ()
    timeout: Duration | None = None
    go_on_late: bool = True


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
    response: str | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatStep(Step):
    """Does ``steps`` ``count`` times, for each of ``items``, while ``before`` holds or until ``after`` does."""

    steps: tuple[Step, ...]
    body: str
    count: Data = None
    items: Data = None
    before: tuple[Condition, ...] | None = None
    after: tuple[Condition, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceStep(Step):
    """Steps that stand together. ``body``: their path."""

    steps: tuple[Step, ...]
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParallelStep(Step):
    """Branches side by side; what follows waits for all of them."""

    branches: tuple[SequenceStep, ...]


@dataclass(frozen=True, slots=True)
class Automation:
    """One automation, or a script (``kind``: it has no triggers and is called). ``tree`` is its source as JSON data,
    blanks filled in; ``hash`` names that version. ``on_restart``: what becomes of a run whose deadline passed while the
    hub was down: seconds that it may be late, ``None`` for any, 0 for not at all."""

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
    kind: str = "automation"
    fields: Mapping[str, Any] = field(default_factory=dict)
    uses_this: bool = True  # does it name ``this`` anywhere?
    on_restart: float | None = None
    place: Place = NOWHERE


def walk_steps(steps: Sequence[Step]) -> Sequence[Step]:
    """All steps, those inside others too."""
    found: list[Step] = []
    for step in steps:
        found.append(step)
        for inner in inner_steps(step):
            found += walk_steps(inner)
    return found


def inner_steps(step: Step) -> Sequence[Sequence[Step]]:
    """The sequences inside a step."""
    if isinstance(step, ChooseStep):
        return [*(branch.steps for branch in step.branches), step.default]
    if isinstance(step, ParallelStep):
        return [branch.steps for branch in step.branches]
    return [step.steps] if isinstance(step, RepeatStep | SequenceStep) else []
