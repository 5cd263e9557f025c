"""Steps compiled to closures over the host; a run walks through them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from hub.automation.execution.conditions import all_of, compile_condition
from hub.automation.execution.run import Compiled, Flow, Plan, Run, StepFailed, Waiting
from hub.automation.execution.values import filled, seconds, with_variables
from hub.automation.host import Host
from hub.automation.language.known import text_fields
from hub.automation.language.model import (
    ActionStep,
    Automation,
    ChooseStep,
    ConditionStep,
    DelayStep,
    EventStep,
    Step,
    StopStep,
    VariablesStep,
)
from hub.automation.templates.functions import World
from hub.automation.templates.template import Template
from hub.core.access import Actor
from hub.core.action import Outcome
from hub.core.actions import Request
from hub.core.error import InvalidInput
from hub.core.event import Draft
from hub.core.system import StateChanged

MAX_TARGETS = 100
ACTION_WAIT_S = 900.0  # longer than any action's own limit and the wait for its device after a restart

Execute = Callable[[Run], Flow]


def compile_plan(automation: Automation, publisher: Actor, host: Host, world: World) -> Plan:
    """An automation ready to run."""
    sequences: dict[str, Sequence[Compiled]] = {}
    compiler = _Compiler(host, world, sequences)
    compiler.sequence("action", automation.steps)
    version = f"{automation.hash}:{publisher.id}"
    return Plan(automation, publisher, version, all_of(automation.conditions, world), sequences)


class _Compiler:
    def __init__(self, host: Host, world: World, sequences: dict[str, Sequence[Compiled]]) -> None:
        self._host, self._world, self._sequences = host, world, sequences

    def sequence(self, path: str, steps: Sequence[Step]) -> None:
        self._sequences[path] = tuple(
            Compiled(step.path, self._step(step), step.go_on) for step in steps if step.enabled
        )

    def _step(self, step: Step) -> Execute:
        if isinstance(step, ActionStep):
            return _action(step, self._host)
        if isinstance(step, DelayStep):
            return _delay(step, self._host)
        if isinstance(step, EventStep):
            return _event(step, self._host)
        if isinstance(step, ChooseStep):
            return self._choose(step)
        if isinstance(step, ConditionStep):
            check = compile_condition(step.condition, self._world)
            return lambda run: Flow.NEXT if check(run.values, run.notes) else Flow.LEAVE
        if isinstance(step, VariablesStep):
            return _variables(step)
        if isinstance(step, StopStep):
            return _stop(step)
        raise TypeError(f"no such step: {type(step).__name__}")

    def _choose(self, step: ChooseStep) -> Execute:
        branches = []
        for branch in step.branches:
            self.sequence(branch.path, branch.steps)
            branches.append((branch.path, all_of(branch.conditions, self._world)))
        other = step.default_path if step.default else None
        if other is not None:
            self.sequence(other, step.default)
        path = step.path

        def execute(run: Run) -> Flow:
            chosen = next((to for to, check in branches if check(run.values, run.notes)), other)
            run.notes.add(path, chosen)
            if chosen is not None:
                run.enter(chosen, run.values)
            return Flow.NEXT

        return execute


def _variables(step: VariablesStep) -> Execute:
    def execute(run: Run) -> Flow:
        run.frames[-1].values = with_variables(run.values, step.variables)
        run.notes.add(step.path, True, {"variables": sorted(step.variables)})
        return Flow.NEXT

    return execute


def _stop(step: StopStep) -> Execute:
    def execute(run: Run) -> Flow:
        reason = step.reason.text(run.values) if isinstance(step.reason, Template) else step.reason
        run.notes.add(step.path, True, {"stop": reason})
        if step.error:
            return run.fail(reason)
        run.status = "stopped"
        return Flow.STOP

    return execute


def _delay(step: DelayStep, host: Host) -> Execute:
    def execute(run: Run) -> Flow:
        wait = seconds(step.duration, run.values)
        until = host.clock.now() + wait
        run.notes.add(step.path, True, {"delay_s": wait, "until": until})
        run.waiting = Waiting(step.path, until=until)
        return Flow.WAIT

    return execute


def _event(step: EventStep, host: Host) -> Execute:
    def execute(run: Run) -> Flow:
        kind, entity = host.types.get(step.type), filled(step.entity, run.values)
        data = filled(dict(step.data), run.values, text_fields(kind.model) if kind else ())
        if kind is not None:
            if not kind.outside or kind.name == StateChanged.type.name:
                raise StepFailed(f"{step.type} is an event of the hub itself; an automation cannot fire it")
            host.authorize(run.actor, f"event.emit:{step.type}", entity)
            data = kind.validate(data)
        event = host.emit(
            Draft(step.type, data, run.actor.id, entity, None, run.cause, run.depth + 1, *([kind.lane] if kind else []))
        )
        run.notes.add(step.path, True, {"event": step.type, "seq": event.seq})
        return Flow.NEXT

    return execute


def _action(step: ActionStep, host: Host) -> Execute:
    path, response = step.path, step.response
    texts = tuple(target for target in step.targets if isinstance(target, str))
    fixed = texts if len(texts) == len(step.targets) else None

    def execute(run: Run) -> Flow:
        values = run.values
        name = step.action if isinstance(step.action, str) else step.action.text(values)
        spec = host.action(name)
        params = filled(step.data, values, text_fields(spec.params) if spec else ())
        if not isinstance(params, dict):
            raise StepFailed("the template of 'data' must give a mapping")
        targets: Sequence[str] = fixed if fixed is not None else _targets(step, values)
        wait = Waiting(path, step.go_on, response=response)
        detail: dict[str, Any] = {"action": name, "targets": list(targets), "keys": []}
        run.notes.add(path, True, detail)
        for target in targets or (None,):
            key = f"{run.id}:{path}:0:{target or '-'}"
            detail["keys"].append(key)
            asked = Request(name, params, run.actor, target, run.cause, run.depth, key)
            _asked(wait, detail, key, target or "", host.owe(asked))
        if wait.error:
            raise StepFailed(wait.error)
        if not wait.keys:
            settle(run, wait)
            return Flow.NEXT
        if not run.has_more:  # nobody needs the outcome to go on; the trace takes it in when it comes
            run.open_keys.update(dict.fromkeys(wait.keys, path))
            return Flow.NEXT
        wait.until, run.waiting = host.clock.now() + ACTION_WAIT_S, wait
        return Flow.WAIT

    return execute


def _asked(wait: Waiting, detail: dict[str, Any], key: str, target: str, outcome: str | Outcome) -> None:
    if isinstance(outcome, str):
        wait.keys[outcome] = target
    elif not outcome.final:
        detail["confirmation"] = outcome.confirmation  # a person is asked; the run goes on meanwhile
    elif outcome.status == "done":
        wait.results[target] = outcome.result
    else:
        wait.error = failure_words(outcome.status, outcome.error, target)


def settle(run: Run, wait: Waiting) -> None:
    """All outcomes are there: set the response variable (one target: its result; several: by target)."""
    if wait.response:
        results = wait.results
        run.respond(wait.response, next(iter(results.values())) if len(results) == 1 else dict(results))


def failure_words(status: str, error: Any, target: str) -> str:
    """How a call failed, in words."""
    said = (error or {}).get("message") or status
    return f"{target}: {said}" if target else str(said)


def _targets(step: ActionStep, values: dict[str, Any]) -> list[str]:
    found: list[str] = []
    for target in step.targets:
        got = filled(target, values)
        for one in got.split(",") if isinstance(got, str) else got if isinstance(got, list) else [got]:
            if not isinstance(one, str) or "." not in one:
                raise InvalidInput(
                    f"{one!r} is no entity id", where="target", hint="the template must give an entity id"
                )
            found.append(one.strip())
    if len(found) > MAX_TARGETS:
        raise StepFailed(f"{len(found)} targets; at most {MAX_TARGETS}")
    return list(dict.fromkeys(found))
