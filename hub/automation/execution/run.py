"""One run of an automation or script: strands, each a stack of places in sequences, advanced by plain function calls.

A run never owns a task. Where it must wait it returns to its caller; what is needed to go on (``Run.as_data``) is a
record, pinned to the version of the automation that it began with. ``parallel`` makes more strands; all else has one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import Enum
from time import perf_counter, thread_time
from typing import Any

from hub.automation.execution.circumstances import Check, ConditionFailed
from hub.automation.execution.trace import Notes, masked
from hub.automation.execution.values import NotKeepable, from_json, to_json
from hub.automation.language.steps import Automation, WaitStep
from hub.automation.templates.template import TemplateFailed
from hub.core.access import Actor
from hub.core.error import HubError

log = logging.getLogger(__name__)

MAX_STEPS = 10_000  # of one strand, between two waits
MAX_TURN_S = 0.25  # of the loop's thread, for all strands of a run between two waits: so long everything else stands
MAX_STRANDS = 100
MAX_FRAMES = 100


class Flow(Enum):
    """What follows a step."""

    NEXT = "next"
    WAIT = "wait"  # the step asked for something that is not there yet
    LEAVE = "leave"  # a condition was false: the sequence it stands in ends
    STOP = "stop"


class StepFailed(ValueError):
    """A step could not be done as it is written; words for the operator."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One version of an automation, compiled. ``version`` names source and publisher together. ``loops``: by the path
    of a repeat step, is there another turn?"""

    automation: Automation
    publisher: Actor
    version: str
    check: Check
    sequences: Mapping[str, Sequence[Compiled]]
    loops: Mapping[str, Callable[[Strand, Frame], bool]]
    waits: Mapping[str, WaitStep]
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class Compiled:
    """A step ready to be done. ``go_on``: its error does not end the run."""

    path: str
    execute: Callable[[Strand], Flow]
    go_on: bool


@dataclass(slots=True)
class Loop:
    """Where a repeat stands. ``turn`` counts from 1."""

    path: str
    turn: int
    count: int | None = None
    items: list[Any] | None = None


@dataclass(slots=True)
class Frame:
    """A place in a sequence: the next step, and the variables there."""

    path: str
    steps: Sequence[Compiled]
    index: int
    values: dict[str, Any]
    loop: Loop | None = None


@dataclass(slots=True)
class Waiting:
    """What a strand waits for: a time, the outcomes of calls (key → target), a template or trigger, or its branches
    (numbers of strands). ``until`` is ``None`` when it may take any time."""

    path: str
    kind: str = "time"  # time, call, event (a template or trigger), branches
    go_on: bool = False
    until: float | None = None
    keys: dict[str, str] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)
    response: str | None = None
    error: str | None = None
    branches: list[int] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Strand:
    """One line of execution. Steps are given this."""

    run: Run
    number: int
    parent: int | None = None
    frames: list[Frame] = field(default_factory=list)
    status: str = "running"  # running, queued, waiting, finished, failed, stopped, aborted
    error: str | None = None
    waiting: Waiting | None = None
    timer: Any = None
    armed: Any = None  # triggers that a wait listens to
    patience: float | None = None  # until when it waits for a plugin that is not up yet

    @property
    def values(self) -> dict[str, Any]:
        """The variables where it stands."""
        return self.frames[-1].values

    @property
    def has_more(self) -> bool:
        """Does anything come after this step, or does anybody wait for its end?"""
        if self.parent is not None or self.run.caller is not None:
            return True
        return any(frame.loop is not None or frame.index < len(frame.steps) for frame in self.frames)

    def enter(self, path: str, values: dict[str, Any], loop: Loop | None = None) -> None:
        """Go into a sequence."""
        if len(self.frames) >= MAX_FRAMES:
            raise StepFailed(f"steps stand inside each other more than {MAX_FRAMES} deep")
        self.frames.append(Frame(path, self.run.plan.sequences[path], 0, values, loop))

    def respond(self, name: str, value: Any) -> None:
        """A response variable is seen in every sequence the strand stands in."""
        for frame in self.frames:
            frame.values = {**frame.values, name: value}

    def advance(self) -> None:
        """Do steps until it ends or waits."""
        self.status = "running"
        frames = self.frames
        for _ in range(MAX_STEPS):
            while frames and frames[-1].index >= len(frames[-1].steps):
                if frames[-1].loop is None or not self._again(frames[-1]):
                    frames.pop()
                if self.status != "running":
                    return
            if not frames:
                self.status = "finished"
                return
            frame = frames[-1]
            step = frame.steps[frame.index]
            frame.index += 1
            flow = self._do(step)
            if self.status != "running" or self.run.over:  # the step has stopped its own run
                return
            if self.run.is_late():
                self.fail(f"its steps computed for more than {MAX_TURN_S:g} s without a wait; put a delay between them")
                return
            if flow is Flow.NEXT:
                continue
            if flow is Flow.LEAVE:
                frame.index = len(frame.steps)
            elif flow is Flow.WAIT:
                self.status = "waiting"
                return
            else:
                return
        self.fail(f"more than {MAX_STEPS} steps without a wait")

    def _again(self, frame: Frame) -> bool:
        """Another turn of a repeat."""
        loop = frame.loop
        if loop is None:
            return False
        if not frame.steps:  # nothing to do, however often
            return False
        try:
            return self.run.plan.loops[loop.path](self, frame)
        except StepFailed as wrong:
            self.run.notes.failed(loop.path, str(wrong))
            self.stop("aborted", f"{loop.path}: {wrong}")
        except (TemplateFailed, ConditionFailed) as wrong:
            self.run.notes.failed(loop.path, str(wrong))
        return False

    def _do(self, step: Compiled) -> Flow:
        try:
            return step.execute(self)
        except StepFailed as fault:
            self.run.notes.failed(step.path, str(fault))
            return Flow.NEXT if step.go_on else self.stop("aborted", f"{step.path}: {fault}")
        except (HubError, TemplateFailed, ConditionFailed, NotKeepable) as fault:
            words = str(fault)
        except Exception as fault:  # one automation's fault must not cost another its event
            log.exception("step %s of automation %s failed", step.path, self.run.plan.automation.id)
            words = f"{type(fault).__name__}: {fault}"
        self.run.notes.failed(step.path, words)
        if step.go_on:
            return Flow.NEXT
        return self.fail(f"{step.path}: {words}")

    def fail(self, words: str) -> Flow:
        """End it with an error."""
        self.status, self.error = "failed", words
        return Flow.STOP

    def stop(self, status: str, words: str | None = None) -> Flow:
        """End it and the run: ``stopped`` as asked; ``aborted`` when a wait was too long or a step could not be done,
        which is an error for its officers but not for who called it."""
        self.status, self.error = status, words
        return Flow.STOP

    def as_data(self, numbers: dict[int, int], kept: list[Any]) -> dict[str, Any]:
        """Tagged JSON; equal variables of several frames are kept once, in ``kept``."""
        frames = []
        for frame in self.frames:
            if id(frame.values) not in numbers:
                numbers[id(frame.values)] = len(kept)
                kept.append(to_json(frame.values))
            loop = frame.loop
            turn = None if loop is None else [loop.path, loop.turn, loop.count, to_json(loop.items)]
            frames.append([frame.path, frame.index, numbers[id(frame.values)], turn])
        waiting = self.waiting
        return {
            "number": self.number, "parent": self.parent, "status": self.status, "frames": frames, "error": self.error,
            "waiting": None if waiting is None else {
                "path": waiting.path, "kind": waiting.kind, "go_on": waiting.go_on, "until": waiting.until,
                "keys": dict(waiting.keys), "results": to_json(waiting.results), "response": waiting.response,
                "error": waiting.error, "branches": list(waiting.branches),
            },
        }  # fmt: skip

    def restore(self, data: Mapping[str, Any], values: Sequence[dict[str, Any]], zone: tzinfo) -> None:
        """Stand where the record says. ``KeyError`` when the plan has no such place."""
        for path, index, number, turn in data["frames"]:
            loop = None
            if turn is not None:
                self.run.plan.loops[turn[0]]
                loop = Loop(turn[0], turn[1], turn[2], from_json(turn[3], zone))
            self.frames.append(Frame(path, self.run.plan.sequences[path], index, values[number], loop))
        self.status, self.error = data["status"], data["error"]
        if data["waiting"] is not None:
            waiting = {**data["waiting"], "results": from_json(data["waiting"]["results"], zone)}
            self.waiting = Waiting(**{**waiting, "keys": dict(waiting["keys"]), "branches": list(waiting["branches"])})


class Turn:
    """Computing of the loop's thread without a pause: of a run, and of those that its events start meanwhile."""

    __slots__ = ("_begun", "_used")

    def __init__(self) -> None:
        # the machine's own time, not the injected clock: this protects the loop and decides nothing else
        self._begun = perf_counter()
        self._used: float | None = None

    def is_late(self, now: float) -> bool:
        """Has it gone on too long? A busy machine makes an honest run late by the wall clock alone: from half the time
        on, only what this thread itself uses counts (which costs microseconds to ask)."""
        if now - self._begun < MAX_TURN_S / 2:
            return False
        used = thread_time()
        if self._used is None:
            self._used = used
        return used - self._used > MAX_TURN_S / 2


@dataclass(slots=True, eq=False)
class Run:
    """One execution. ``cause`` and ``depth`` are of the event that started it; ``secrets`` are masked in traces;
    ``caller``: the key under which another run waits for its end."""

    id: str
    plan: Plan
    actor: Actor
    notes: Notes
    started: float
    trigger: dict[str, Any]
    secrets: tuple[str, ...] = ()
    cause: str | None = None
    depth: int = 0
    caller: str | None = None
    strands: dict[int, Strand] = field(default_factory=dict)
    made: int = 0  # strands so far
    calls: int = 0  # actions so far: part of their keys
    kept: bool = False  # there is a record of it
    over: bool = False  # nothing more is done; the outcome of its last call may be awaited
    response: Any = None
    open_keys: dict[str, str] = field(default_factory=dict)  # calls of the last step, not waited for: key → path
    turn: Turn | None = None  # in which it computes
    since: float = 0.0  # and since when

    def begin_turn(self, turn: Turn) -> None:
        """It computes from now on, as part of ``turn``."""
        self.turn, self.since = turn, perf_counter()

    def is_late(self) -> bool:
        """Has it computed too long? In a turn that is late, whoever has just begun in it is not to blame."""
        now = perf_counter()
        return now - self.since > MAX_TURN_S / 10 and self.turn is not None and self.turn.is_late(now)

    @property
    def root(self) -> Strand:
        """The strand whose end is the run's."""
        return self.strands[0]

    @property
    def status(self) -> str:
        """The root's."""
        return self.strands[0].status

    def strand(self, path: str, values: dict[str, Any], parent: int | None = None) -> Strand:
        """A new strand at the beginning of a sequence."""
        if len(self.strands) >= MAX_STRANDS:
            raise StepFailed(f"more than {MAX_STRANDS} branches at one time")
        made = self.strands[self.made] = Strand(self, self.made, parent)
        self.made += 1
        made.enter(path, values)
        return made

    def key(self, path: str, target: str | None) -> str:
        """Names one call of this run: the same when the step is done again after a crash."""
        self.calls += 1
        return f"{self.id}:{path}:{self.calls}:{target or '-'}"

    # --- the record

    def as_data(self) -> dict[str, Any]:
        """Tagged JSON. ``NotKeepable`` when its variables have no such form."""
        kept: list[Any] = []
        numbers: dict[int, int] = {}
        strands = [strand.as_data(numbers, kept) for strand in self.strands.values()]
        return {
            "automation": self.plan.automation.id, "version": self.plan.version, "started": self.started,
            "cause": self.cause, "depth": self.depth, "caller": self.caller, "made": self.made, "calls": self.calls,
            "secrets": list(self.secrets), "trigger": self.trigger, "strands": strands, "values": kept,
            # a copy of the notes: the journal's writer reads it on its own thread
            "notes": masked(self.notes.lines, ()),
        }  # fmt: skip

    def restore(self, data: Mapping[str, Any], zone: tzinfo) -> None:
        """Stand where the record says. ``KeyError`` when the plan has no such place."""
        values = [from_json(item, zone) for item in data["values"]]
        for row in data["strands"]:
            strand = self.strands[row["number"]] = Strand(self, row["number"], row["parent"])
            strand.restore(row, values, zone)
        self.made, self.calls, self.kept = data["made"], data["calls"], True

    def as_trace(self, finished: float) -> dict[str, Any]:
        """The finished run's trace, not yet masked."""
        return {
            "run_id": self.id, "automation": self.plan.automation.id, "version": self.plan.version,
            "trigger": self.trigger, "started": self.started, "finished": finished, "status": self.status,
            "error": self.root.error, "shadow": self.plan.shadow, "steps": self.notes.lines,
            "left_out": self.notes.left_out,
        }  # fmt: skip
