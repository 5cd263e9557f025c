"""One run of an automation: a stack of places in sequences, advanced by plain function calls.

A run never owns a task. Where it must wait it returns to its caller; what is needed to go on (``Run.as_data``) is a
record, pinned to the version of the automation that it began with.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import Enum
from typing import Any

from hub.automation.execution.conditions import Check, ConditionFailed
from hub.automation.execution.trace import Notes, masked
from hub.automation.execution.values import NotKeepable, from_json, to_json
from hub.automation.language.model import Automation
from hub.automation.templates.template import TemplateFailed
from hub.core.access import Actor
from hub.core.error import HubError

log = logging.getLogger(__name__)

MAX_STEPS = 10_000  # in one run, between two waits


class Flow(Enum):
    """What follows a step."""

    NEXT = "next"
    WAIT = "wait"  # the step asked for something that is not there yet
    LEAVE = "leave"  # a condition was false: the sequence it stands in ends
    STOP = "stop"


class StepFailed(ValueError):
    """A step could not be done; words for the operator."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One version of an automation, compiled. ``version`` names source and publisher together."""

    automation: Automation
    publisher: Actor
    version: str
    check: Check
    sequences: Mapping[str, Sequence[Compiled]]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A step ready to be done. ``go_on``: its error does not end the run."""

    path: str
    execute: Callable[[Run], Flow]
    go_on: bool


@dataclass(slots=True)
class Frame:
    """A place in a sequence: the next step, and the variables there."""

    path: str
    steps: Sequence[Compiled]
    index: int
    values: dict[str, Any]


@dataclass(slots=True)
class Waiting:
    """What a run waits for: a time, or the outcomes of calls (key → target)."""

    path: str
    go_on: bool = False
    until: float = 0.0
    keys: dict[str, str] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)
    response: str | None = None
    error: str | None = None


@dataclass(slots=True, eq=False)
class Run:
    """One execution. ``cause`` and ``depth`` are of the event that started it; ``secrets`` are masked in traces."""

    id: str
    plan: Plan
    actor: Actor
    notes: Notes
    started: float
    trigger: dict[str, Any]
    secrets: tuple[str, ...] = ()
    cause: str | None = None
    depth: int = 0
    frames: list[Frame] = field(default_factory=list)
    status: str = "running"  # running, queued, waiting, finished, failed, stopped
    error: str | None = None
    waiting: Waiting | None = None
    kept: bool = False  # there is a record of it
    open_keys: dict[str, str] = field(default_factory=dict)  # calls of the last step, not waited for: key → path
    timer: Any = None

    @property
    def values(self) -> dict[str, Any]:
        """The variables where the run stands."""
        return self.frames[-1].values

    @property
    def has_more(self) -> bool:
        """Is there a step after this one?"""
        return any(frame.index < len(frame.steps) for frame in self.frames)

    def enter(self, path: str, values: dict[str, Any]) -> None:
        """Go into a sequence."""
        self.frames.append(Frame(path, self.plan.sequences[path], 0, values))

    def respond(self, name: str, value: Any) -> None:
        """A response variable is seen in every sequence the run stands in."""
        for frame in self.frames:
            frame.values = {**frame.values, name: value}

    def advance(self) -> None:
        """Do steps until the run ends or waits."""
        self.status = "running"
        for _ in range(MAX_STEPS):
            while self.frames and self.frames[-1].index >= len(self.frames[-1].steps):
                self.frames.pop()
            if not self.frames:
                self.status = "finished"
                return
            frame = self.frames[-1]
            step = frame.steps[frame.index]
            frame.index += 1
            flow = self._do(step)
            if flow is Flow.LEAVE:
                self.frames.remove(frame)
            elif flow is Flow.WAIT:
                self.status = "waiting"
                return
            elif flow is Flow.STOP:
                return
        self.fail(f"more than {MAX_STEPS} steps without a wait")

    def _do(self, step: Compiled) -> Flow:
        try:
            return step.execute(self)
        except (HubError, TemplateFailed, ConditionFailed, StepFailed, NotKeepable) as fault:
            words = str(fault)
        except Exception as fault:  # one automation's fault must not cost another its event
            log.exception("step %s of automation %s failed", step.path, self.plan.automation.id)
            words = f"{type(fault).__name__}: {fault}"
        self.notes.failed(step.path, words)
        if step.go_on:
            return Flow.NEXT
        return self.fail(f"{step.path}: {words}")

    def fail(self, words: str) -> Flow:
        self.status, self.error = "failed", words
        return Flow.STOP

    # --- the record

    def as_data(self) -> dict[str, Any]:
        """Tagged JSON; equal variables of several frames are kept once. ``NotKeepable`` when they have no such form."""
        kept: list[Any] = []
        numbers: dict[int, int] = {}
        frames = []
        for frame in self.frames:
            if id(frame.values) not in numbers:
                numbers[id(frame.values)] = len(kept)
                kept.append(to_json(frame.values))
            frames.append([frame.path, frame.index, numbers[id(frame.values)]])
        waiting = self.waiting
        return {
            "automation": self.plan.automation.id, "version": self.plan.version, "status": self.status,
            "started": self.started, "cause": self.cause, "depth": self.depth, "secrets": list(self.secrets),
            # a copy of the notes: the journal's writer reads it on its own thread
            "trigger": self.trigger, "frames": frames, "values": kept, "notes": masked(self.notes.lines, ()),
            "waiting": None if waiting is None else {
                "path": waiting.path, "go_on": waiting.go_on, "until": waiting.until, "keys": dict(waiting.keys),
                "results": to_json(waiting.results), "response": waiting.response, "error": waiting.error,
            },
        }  # fmt: skip

    def restore(self, data: Mapping[str, Any], zone: tzinfo) -> None:
        """Stand where the record says. ``KeyError`` when the plan has no such place."""
        values = [from_json(item, zone) for item in data["values"]]
        self.frames = [
            Frame(path, self.plan.sequences[path], index, values[number]) for path, index, number in data["frames"]
        ]
        self.status, self.kept = data["status"], True
        if data["waiting"] is not None:
            waiting = dict(data["waiting"])
            waiting["results"] = from_json(waiting["results"], zone)
            waiting["keys"] = dict(waiting["keys"])
            self.waiting = Waiting(**waiting)

    def as_trace(self, finished: float) -> dict[str, Any]:
        """The finished run's trace, not yet masked."""
        return {
            "run_id": self.id, "automation": self.plan.automation.id, "version": self.plan.version,
            "trigger": self.trigger, "started": self.started, "finished": finished, "status": self.status,
            "error": self.error, "steps": self.notes.lines, "left_out": self.notes.left_out,
        }  # fmt: skip
