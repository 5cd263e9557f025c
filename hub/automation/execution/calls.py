"""The step that asks for an action: of a device through the host, or of the engine itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from hub.automation.execution.run import Flow, StepFailed, Strand, Waiting
from hub.automation.execution.values import filled
from hub.automation.host import Host
from hub.automation.language.known import text_fields
from hub.automation.language.steps import ActionStep
from hub.core.action import Outcome
from hub.core.actions import Request
from hub.core.error import ActionFailed, InvalidInput

MAX_TARGETS = 100
PATIENCE_S, AGAIN_S = 120.0, 1.0  # a plugin with a slow device takes a minute after a restart
ACTION_WAIT_S = 900.0  # longer than any action's own limit and the wait for its device after a restart

Execute = Callable[[Strand], Flow]
Local = Callable[[Strand, Waiting, dict[str, Any], Sequence[str]], None]


class Locals(Protocol):
    """Actions that the engine itself does: scripts, scenes, automations. One puts into the ``Waiting`` what it answers
    or the keys under which it will."""

    def local(self, name: str) -> Local | None:
        """The action of that name."""


class NoLocals:
    """There are none."""

    def local(self, name: str) -> Local | None:
        """None."""
        return None


def action(step: ActionStep, host: Host, locals_: Locals) -> Execute:
    path, response = step.path, step.response
    texts = tuple(target for target in step.targets if isinstance(target, str))
    fixed = None if len(texts) < len(step.targets) or step.areas or {"all", "none"} & {*texts} else texts

    def execute(at: Strand) -> Flow:
        run, values = at.run, at.values
        name = step.action if isinstance(step.action, str) else step.action.text(values)
        spec = host.action(name)
        if spec is None and host.expected(name) and _is_patient(at, host):
            return _ask_again(at, path, host)
        at.patience = None
        params = filled(step.data, values, text_fields(spec.params) if spec else ())
        if not isinstance(params, dict):
            raise StepFailed("the template of 'data' must give a mapping")
        targets: Sequence[str] = fixed if fixed is not None else _targets(step, values, host)
        wait = Waiting(path, "call", step.go_on, response=response)
        detail: dict[str, Any] = {"action": name, "targets": list(targets), "keys": []}
        run.notes.add(path, True, detail)
        if spec is None and (local := locals_.local(name)) is not None:
            local(at, wait, params, targets)
            detail["keys"] += wait.keys
        else:
            for target in targets or ((None,) if fixed is not None else ()):
                key = run.key(path, target)
                detail["keys"].append(key)
                asked = Request(name, params, run.actor, target, run.cause, run.depth, key)
                _asked(wait, detail, key, target or "", host.owe(asked))
        return _then(at, wait, host)

    return execute


def _is_patient(at: Strand, host: Host) -> bool:
    """May it wait still for a plugin to come up?"""
    now = host.clock.now()
    if at.patience is None:
        at.patience = now + PATIENCE_S
    return now < at.patience


def _ask_again(at: Strand, path: str, host: Host) -> Flow:
    """The plugin of this action is still starting: do the step again in a moment."""
    at.frames[-1].index -= 1
    at.waiting = Waiting(path, until=host.clock.now() + AGAIN_S)
    return Flow.WAIT


def _then(at: Strand, wait: Waiting, host: Host) -> Flow:
    """After a call was made: fail, go on, or wait for its outcome."""
    if wait.error:
        raise ActionFailed(wait.error)
    if not wait.keys:
        settle(at, wait)
        return Flow.NEXT
    if not at.has_more:  # nobody needs the outcome to go on; the trace takes it in when it comes
        at.run.open_keys.update(dict.fromkeys(wait.keys, wait.path))
        return Flow.NEXT
    if wait.until is None and all(not key.startswith("script:") for key in wait.keys):
        wait.until = host.clock.now() + ACTION_WAIT_S
    at.waiting = wait
    return Flow.WAIT


def _asked(wait: Waiting, detail: dict[str, Any], key: str, target: str, outcome: str | Outcome) -> None:
    if isinstance(outcome, str):
        wait.keys[outcome] = target
    elif not outcome.final:
        detail["confirmation"] = outcome.confirmation  # a person is asked; the run goes on meanwhile
    elif outcome.status == "done":
        wait.results[target] = outcome.result
    else:
        wait.error = failure_words(outcome.status, outcome.error, target)


def settle(at: Strand, wait: Waiting) -> None:
    """All outcomes are there: set the response variable (one target: its result; several: by target)."""
    if wait.response:
        results = wait.results
        at.respond(wait.response, next(iter(results.values())) if len(results) == 1 else dict(results))


def failure_words(status: str, error: Any, target: str) -> str:
    """How a call failed, in words."""
    said = (error or {}).get("message") or status
    return f"{target}: {said}" if target else str(said)


def _targets(step: ActionStep, values: dict[str, Any], host: Host | None) -> list[str]:
    found: list[str] = []
    for target in step.targets:
        got = filled(target, values)
        if isinstance(got, dict):  # a template of the whole target
            got = got.get("entity_id", [])
        for one in got.split(",") if isinstance(got, str) else got if isinstance(got, list | tuple) else [got]:
            word = one.strip() if isinstance(one, str) else one
            if word == "all" and host is not None:
                domain = str(step.action).partition(".")[0]
                found += sorted(raw.entity for raw in host.state if raw.domain == domain)
            elif isinstance(word, str) and "." in word:
                found.append(word)
            elif word not in ("none", "all", ""):
                hint = "the template must give an entity id"
                raise InvalidInput(f"{one!r} is no entity id", where="target", hint=hint)
    for area in step.areas:
        found += _of_area(filled(area, values), str(step.action).partition(".")[0], host)
    if len(found) > MAX_TARGETS:
        raise StepFailed(f"{len(found)} targets; at most {MAX_TARGETS}")
    return list(dict.fromkeys(found))


def _of_area(area: Any, domain: str, host: Host | None) -> list[str]:
    """Entities of the action's domain in a community or area."""
    wanted = set(area) if isinstance(area, list | tuple) else {area}
    rows = host.state if host is not None else ()
    return sorted(raw.entity for raw in rows if raw.domain == domain and raw.attributes.get("area") in wanted)


def shadowed_action(step: ActionStep) -> Execute:
    """What would have been asked for."""

    def execute(at: Strand) -> Flow:
        name = step.action if isinstance(step.action, str) else step.action.text(at.values)
        targets, data = _targets(step, at.values, None), filled(step.data, at.values)
        at.run.notes.add(step.path, True, {"action": name, "targets": targets, "data": data, "shadow": True})
        if step.response:
            at.respond(step.response, {})
        return Flow.NEXT

    return execute
