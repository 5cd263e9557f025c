"""Steps compiled to closures over the host; a strand walks through them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hub.automation.execution.calls import Locals, NoLocals, action, shadowed_action
from hub.automation.execution.conditions import all_of
from hub.automation.execution.loops import loop_of, next_turn, turn_values
from hub.automation.execution.run import Compiled, Flow, Frame, Plan, StepFailed, Strand, Waiting
from hub.automation.execution.values import filled, seconds, truth, with_variables
from hub.automation.host import Host
from hub.automation.language.known import text_fields
from hub.automation.language.steps import (
    ActionStep,
    Automation,
    ChooseStep,
    ConditionStep,
    DelayStep,
    EventStep,
    ParallelStep,
    RepeatStep,
    SequenceStep,
    Step,
    StopStep,
    VariablesStep,
    WaitStep,
)
from hub.automation.templates.template import Template
from hub.automation.templates.views import World
from hub.core.access import Actor
from hub.core.event import Draft
from hub.core.plain import plain
from hub.core.system import StateChanged

Execute = Callable[[Strand], Flow]

def compile_plan(
    automation: Automation, publisher: Actor, host: Host, world: World, locals_: Locals | None = None,
    *, shadow: bool = False,
) -> Plan:  # fmt: skip
    """An automation ready to run. ``shadow``: its actions are noted and not done."""
    compiler = _Compiler(host, world, locals_ or NoLocals(), shadow)
    compiler.sequence("action", automation.steps)
    version = f"{automation.hash}:{publisher.id}{':shadow' if shadow else ''}"
    check = all_of(automation.conditions, world)
    return Plan(automation, publisher, version, check, compiler.sequences, compiler.loops, compiler.waits, shadow)


class _Compiler:
    def __init__(self, host: Host, world: World, locals_: Locals, shadow: bool) -> None:
        self._host, self._world, self._locals, self._shadow = host, world, locals_, shadow
        self.sequences: dict[str, Sequence[Compiled]] = {}
        self.loops: dict[str, Callable[[Strand, Frame], bool]] = {}
        self.waits: dict[str, WaitStep] = {}

    def sequence(self, path: str, steps: Sequence[Step]) -> None:
        self.sequences[path] = tuple(
            Compiled(step.path, self._step(step), step.go_on) for step in steps if step.enabled
        )

    def _step(self, step: Step) -> Execute:
        if isinstance(step, ActionStep):
            return shadowed_action(step) if self._shadow else action(step, self._host, self._locals)
        if isinstance(step, DelayStep):
            return _delay(step, self._host)
        if isinstance(step, EventStep):
            return _shadowed_event(step) if self._shadow else _event(step, self._host)
        if isinstance(step, ConditionStep):
            return self._condition(step)
        if isinstance(step, VariablesStep):
            return _variables(step)
        if isinstance(step, StopStep):
            return _stop(step)
        if isinstance(step, WaitStep):
            self.waits[step.path] = step
            return _wait(step, self._host, self._world)
        return self._block(step)

    def _block(self, step: Step) -> Execute:
        if isinstance(step, ChooseStep):
            return self._choose(step)
        if isinstance(step, RepeatStep):
            return self._repeat(step)
        if isinstance(step, ParallelStep):
            return self._parallel(step)
        if isinstance(step, SequenceStep):
            return self._inner(step)
        raise TypeError(f"no such step: {type(step).__name__}")

    def _condition(self, step: ConditionStep) -> Execute:
        check = all_of([step.condition], self._world)
        return lambda at: Flow.NEXT if check(at.values, at.run.notes) else Flow.LEAVE

    def _inner(self, step: SequenceStep) -> Execute:
        self.sequence(step.body, step.steps)

        def execute(at: Strand) -> Flow:
            at.enter(step.body, at.values)
            return Flow.NEXT

        return execute

    def _choose(self, step: ChooseStep) -> Execute:
        branches = []
        for branch in step.branches:
            self.sequence(branch.path, branch.steps)
            branches.append((branch.path, all_of(branch.conditions, self._world)))
        other = step.default_path if step.default else None
        if other is not None:
            self.sequence(other, step.default)
        path = step.path

        def execute(at: Strand) -> Flow:
            chosen = next((to for to, check in branches if check(at.values, at.run.notes)), other)
            at.run.notes.add(path, chosen)
            if chosen is not None:
                at.enter(chosen, at.values)
            return Flow.NEXT

        return execute

    def _repeat(self, step: RepeatStep) -> Execute:
        self.sequence(step.body, step.steps)
        before = all_of(step.before, self._world) if step.before is not None else None
        # who cannot tell whether it is done ends it, as in Home Assistant
        after = all_of(step.after, self._world, undecided=True) if step.after is not None else None
        self.loops[step.path] = lambda at, frame: next_turn(at, frame, before, after)

        def execute(at: Strand) -> Flow:
            loop = loop_of(step, at.values)
            size = loop.count if loop.items is None else len(loop.items)
            at.run.notes.add(step.path, True, {"turns": size} if size is not None else {})
            if size == 0:
                return Flow.NEXT
            at.enter(step.body, turn_values(at.values, loop), loop)
            if before is not None and not before(at.values, at.run.notes):
                at.frames.pop()
            return Flow.NEXT

        return execute

    def _parallel(self, step: ParallelStep) -> Execute:
        for branch in step.branches:
            self.sequence(branch.body, branch.steps)

        def execute(at: Strand) -> Flow:
            run = at.run
            made = [run.strand(branch.body, at.values, at.number) for branch in step.branches if branch.enabled]
            run.notes.add(step.path, True, {"branches": len(made)})
            if not made:
                return Flow.NEXT
            at.waiting = Waiting(step.path, "branches", step.go_on, branches=[strand.number for strand in made])
            return Flow.WAIT

        return execute


def _variables(step: VariablesStep) -> Execute:
    def execute(at: Strand) -> Flow:
        at.frames[-1].values = with_variables(at.values, step.variables)
        at.run.notes.add(step.path, True, {"variables": sorted(step.variables)})
        return Flow.NEXT

    return execute


def _stop(step: StopStep) -> Execute:
    def execute(at: Strand) -> Flow:
        reason = step.reason.text(at.values) if isinstance(step.reason, Template) else step.reason
        at.run.notes.add(step.path, True, {"stop": reason})
        if step.error:
            return at.stop("aborted", reason)
        if step.response is not None:
            response = at.values.get(step.response)
            if not isinstance(response, Mapping):
                raise StepFailed(f"{step.response!r} is no mapping, so it cannot be the answer")
            at.run.response = response
        return at.stop("stopped", None)

    return execute


def _delay(step: DelayStep, host: Host) -> Execute:
    def execute(at: Strand) -> Flow:
        wait = seconds(step.duration, at.values)
        until = host.clock.now() + wait
        at.run.notes.add(step.path, True, {"delay_s": wait, "until": until})
        at.waiting = Waiting(step.path, until=until)
        return Flow.WAIT

    return execute


def _wait(step: WaitStep, host: Host, world: World) -> Execute:
    """``wait.remaining`` and ``wait.completed`` or ``wait.trigger`` tell what came of it."""

    def execute(at: Strand) -> Flow:
        timeout = seconds(step.timeout, at.values) if step.timeout is not None else None
        at.run.notes.add(step.path, True, {"timeout_s": timeout})
        if step.template is not None and truth(step.template.render(at.values)):
            at.respond("wait", {"remaining": timeout, "completed": True})
            return Flow.NEXT
        until = None if timeout is None else host.clock.now() + timeout
        at.waiting = Waiting(step.path, "event", step.go_on, until)
        return Flow.WAIT

    return execute


def _event(step: EventStep, host: Host) -> Execute:
    def execute(at: Strand) -> Flow:
        run = at.run
        kind, entity = host.types.get(step.type), filled(step.entity, at.values)
        data = filled(step.data, at.values, text_fields(kind.model) if kind else ())
        if kind is not None:
            if not kind.outside or kind.name == StateChanged.type.name:
                raise StepFailed(f"{step.type} is an event of the hub itself; an automation cannot fire it")
            data = kind.validate(data)
        else:
            data = plain(data)  # memory then holds what the journal will give again
        if kind is not None or entity is not None:  # a name of one's own is free; what it is said about is not
            host.authorize(run.actor, f"event.emit:{step.type}", entity)
        event = host.emit(
            Draft(step.type, data, run.actor.id, entity, None, run.cause, run.depth + 1, *([kind.lane] if kind else []))
        )
        run.notes.add(step.path, True, {"event": step.type, "seq": event.seq})
        return Flow.NEXT

    return execute


def _shadowed_event(step: EventStep) -> Execute:
    def execute(at: Strand) -> Flow:
        at.run.notes.add(step.path, True, {"event": step.type, "shadow": True})
        return Flow.NEXT

    return execute
