"""The runs that are alive: modes, waits, records, traces. Everything here survives a restart through two tables."""

from __future__ import annotations

import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from typing import Any

from hub.automation.execution.run import Plan, Run, Waiting
from hub.automation.execution.steps import failure_words, settle
from hub.automation.execution.trace import KEPT, Notes, Privacy, masked
from hub.automation.execution.values import NotKeepable
from hub.automation.host import Host
from hub.automation.templates.functions import World
from hub.core.access import Actor
from hub.core.error import Denied
from hub.core.event import MAX_DEPTH, Draft, Event
from hub.core.journal import Drop, Put
from hub.core.system import Fault

log = logging.getLogger(__name__)

RUNS = "runs"
SOURCES = "automation_sources"  # versions that some run still needs
TRACES = "traces"
MAX_RUNS = 5_000  # that wait at one time
MAX_LATE = 1_000
MAX_EARLY = 20_000
FAULT_EVERY_S = 60.0
MAX_FAULTS = 1_000


class Runs:
    """Begins, suspends, wakes and ends runs; writes their records in the open commit group."""

    def __init__(self, host: Host, world: World, publisher_now: Callable[[Actor], Actor | None]) -> None:
        self._host, self._world, self._publisher_now = host, world, publisher_now
        self.privacy = Privacy(host.types)
        self._of: dict[str, OrderedDict[str, Run]] = {}  # automation → its living runs, oldest first
        self._by_key: dict[str, Run] = {}
        self._versions: dict[str, int] = {}  # how many records need a version
        # outcomes that came after the start and before ``resume``: devices may be quicker than the engine
        self._early: OrderedDict[str, Event] | None = OrderedDict()
        self._late: OrderedDict[str, tuple[str, dict[str, Any], str]] = OrderedDict()
        self.traces: dict[str, deque[dict[str, Any]]] = {}
        self.not_run: dict[str, deque[dict[str, Any]]] = {}  # triggered, but a condition was false: memory only
        self.last_error: dict[str, str | None] = {}
        self._faults: OrderedDict[tuple[str, str], float] = OrderedDict()

    def active(self, automation: str) -> int:
        """How many runs of it are alive."""
        return len(self._of.get(automation, ()))

    # --- begin

    def begin(
        self, plan: Plan, values: dict[str, Any], trigger: dict[str, Any], event: Event | None, notes: Notes
    ) -> bool:
        """Start a run as the automation's mode allows; ``False`` when it was skipped."""
        automation, host = plan.automation, self._host
        others = self._of.setdefault(automation.id, OrderedDict())
        if automation.mode == "restart":
            for other in list(others.values()):
                other.status, other.error = "stopped", "restarted"
                self._end(other)
            others = self._of.setdefault(automation.id, OrderedDict())
        elif others and (automation.mode == "single" or len(others) >= automation.max):
            return False
        run = Run(
            host.ids.new(), plan, self._actor(plan), notes, host.clock.now(), trigger, self.privacy.of(event),
            event.id if event else None, event.depth if event else 0,
        )  # fmt: skip
        run.enter("action", values)
        waits_its_turn = bool(others) and automation.mode == "queued"
        others[run.id] = run
        if waits_its_turn:
            run.status = "queued"
            self._keep(run)
        else:
            self._go(run)
        return True

    def _actor(self, plan: Plan) -> Actor:
        publisher = self._publisher_now(plan.publisher)
        name = f"automation:{plan.automation.id}"
        if publisher is None:
            return Actor(name)
        return Actor(name, publisher.roles, publisher.owner, publisher.grants, publisher.purpose)

    def _go(self, run: Run) -> None:
        if self._publisher_now(run.plan.publisher) is None:
            run.fail(
                str(
                    Denied(
                        "its publisher has no account any more", where=run.plan.publisher.id, hint="publish it again"
                    )
                )
            )
        else:
            run.advance()
        if run.status == "waiting":
            self._keep(run)
            if run.status == "waiting":
                self._watch(run)
                return
        self._end(run)

    # --- wait and go on

    def _keep(self, run: Run) -> None:
        """Write the run's record; a run that cannot be kept fails at that step."""
        if not run.kept and sum(self._versions.values()) >= MAX_RUNS:
            run.fail(f"{MAX_RUNS} runs wait already")
            return
        try:
            data = run.as_data()
        except NotKeepable as wrong:
            path = run.waiting.path if run.waiting else "start"
            run.notes.failed(path, str(wrong))
            run.fail(f"{path}: {wrong}")
            return
        if not run.kept:
            self._need(run.plan)
            run.kept = True
        self._host.put(Put(RUNS, run.id, data, sealed="actions"))

    def _need(self, plan: Plan) -> None:
        count = self._versions.get(plan.version, 0)
        if count == 0:
            source = {
                "id": plan.automation.id, "tree": plan.automation.tree, "publisher": actor_data(plan.publisher),
            }  # fmt: skip
            self._host.put(Put(SOURCES, plan.version, source))
        self._versions[plan.version] = count + 1

    def _spare(self, plan: Plan) -> None:
        count = self._versions.get(plan.version, 0) - 1
        if count <= 0:
            self._versions.pop(plan.version, None)
            self._host.put(Drop(SOURCES, plan.version))
        else:
            self._versions[plan.version] = count

    def _watch(self, run: Run) -> None:
        waiting = run.waiting
        if waiting is None:
            return
        for key in waiting.keys:
            self._by_key[key] = run
        run.timer = self._host.clock.call_at(waiting.until, lambda: self._due(run, waiting))

    def _due(self, run: Run, waiting: Waiting) -> None:
        if run.waiting is not waiting or run.status != "waiting":
            return
        if waiting.keys:
            waiting.error = "no outcome of the action arrived"
        self._wake(run)

    def finished(self, event: Event, _change: object = None) -> None:
        """An ``action_finished`` event: wake the run that waits for that key."""
        key = event.data["key"]
        run = self._by_key.pop(key, None)
        if run is None:
            if self._early is not None and len(self._early) < MAX_EARLY:
                self._early[key] = event
            self._take_late(key, event)
            return
        waiting = run.waiting
        if waiting is None or key not in waiting.keys:
            return
        target, status = waiting.keys.pop(key), event.data["status"]
        words = None if status == "done" else failure_words(status, event.data.get("error"), target)
        run.notes.finished(key, self._host.clock.now(), words)
        waiting.error = waiting.error or words
        if words is None:
            waiting.results[target] = event.data.get("result")
        if waiting.keys:
            self._keep(run)
        else:
            self._wake(run)

    def _wake(self, run: Run) -> None:
        waiting, run.waiting = run.waiting, None
        if waiting is None:
            return
        self._forget_wait(run, waiting)
        if waiting.error and not waiting.go_on:
            run.fail(f"{waiting.path}: {waiting.error}")
            self._end(run)
            return
        settle(run, waiting)
        self._go(run)

    def _forget_wait(self, run: Run, waiting: Waiting) -> None:
        if run.timer is not None:
            run.timer.cancel()
            run.timer = None
        for key in waiting.keys:
            self._by_key.pop(key, None)

    def _take_late(self, key: str, event: Event) -> None:
        """The last step's outcome came after the run's end: put a failure into its trace."""
        late = self._late.pop(key, None)
        if late is None or event.data["status"] == "done":
            return
        automation, old, path = late
        words = failure_words(event.data["status"], event.data.get("error"), event.entity or "")
        trace = masked(old, ())  # a copy: the writer may be reading the old one
        kept = self.traces.get(automation, deque())
        if old in kept:
            kept[kept.index(old)] = trace
        for line in trace["steps"]:
            if key in (line.get("detail") or {}).get("keys", ()):
                line["error"] = words
        trace["status"], trace["error"] = "failed", f"{path}: {words}"
        self.last_error[automation] = trace["error"]
        self._host.put(Put(TRACES, f"{automation}/{trace['run_id']}", trace, sealed="actions"))

    # --- end

    def cancel(self, automation: str, reason: str) -> None:
        """End all its runs."""
        for run in list(self._of.get(automation, {}).values()):
            run.status, run.error = "stopped", reason
            self._end(run, chain=False)

    def _end(self, run: Run, *, chain: bool = True) -> None:
        automation = run.plan.automation.id
        if run.waiting is not None:
            self._forget_wait(run, run.waiting)
            run.waiting = None
        living = self._of.get(automation)
        if living is not None:
            living.pop(run.id, None)
            if not living:
                del self._of[automation]
        if run.kept:
            self._host.put(Drop(RUNS, run.id))
            self._spare(run.plan)
        self._trace(run)
        if run.status == "failed":
            self.fault(automation, masked(run.error or "", run.secrets), run.cause, run.depth)
        if chain and living:
            following = next(iter(living.values()))
            if following.status == "queued":
                self._go(following)

    def _trace(self, run: Run) -> None:
        automation = run.plan.automation.id
        trace: dict[str, Any] = masked(run.as_trace(self._host.clock.now()), run.secrets)
        kept = self.traces.setdefault(automation, deque())
        kept.append(trace)
        self.last_error[automation] = trace["error"] if run.status == "failed" else None
        self._host.put(Put(TRACES, f"{automation}/{run.id}", trace, sealed="actions"))
        if len(kept) > KEPT:
            self._host.put(Drop(TRACES, f"{automation}/{kept.popleft()['run_id']}"))
        for key, path in run.open_keys.items():
            self._late[key] = (automation, trace, path)
        while len(self._late) > MAX_LATE:
            self._late.popitem(last=False)

    def fault(self, automation: str, words: str, cause: str | None, depth: int) -> None:
        """Tell the officers: once a minute for each automation and message."""
        now, name = self._host.clock.now(), (automation, words)
        if now - self._faults.get(name, -FAULT_EVERY_S) < FAULT_EVERY_S:
            return
        self._faults[name] = now
        self._faults.move_to_end(name)
        if len(self._faults) > MAX_FAULTS:
            self._faults.popitem(last=False)
        data = Fault(where=f"automation:{automation}", message=words, hint="see its trace")
        self._host.emit(
            Draft("fault", data.model_dump(mode="json"), "hub", None, None, cause, min(depth + 1, MAX_DEPTH))
        )

    # --- restart

    def resume(self, plan_of: Callable[[str, Mapping[str, Any]], Plan]) -> None:
        """Take up what the records hold; waits that ended meanwhile go on at once."""
        self._load_traces()
        sources = dict(self._host.records(SOURCES))
        plans: dict[str, Plan] = {}
        due: list[Run] = []
        for run_id, data in self._host.records(RUNS):
            if run_id.startswith("for:"):
                continue
            version = data["version"]
            try:
                if version not in plans:
                    plans[version] = plan_of(version, sources[version])
                run = self._restored(run_id, data, plans[version])
            except (KeyError, ValueError, TypeError) as wrong:
                self._host.put(Drop(RUNS, run_id))
                self.fault(data["automation"], f"the run {run_id} could not go on after the restart: {wrong}", None, 0)
                continue
            self._versions[version] = self._versions.get(version, 0) + 1
            self._of.setdefault(run.plan.automation.id, OrderedDict())[run.id] = run
            if run.waiting is not None and not run.waiting.keys and run.waiting.until <= self._host.clock.now():
                due.append(run)
            elif run.status == "waiting":
                self._watch(run)
        for version in sources.keys() - self._versions.keys():
            self._host.put(Drop(SOURCES, version))
        for run in due:
            self._wake(run)
        early, self._early = self._early, None
        for event in (early or {}).values():
            self.finished(event)
        for runs in list(self._of.values()):
            first = next(iter(runs.values()), None)
            if first is not None and first.status == "queued":
                self._go(first)

    def _restored(self, run_id: str, data: Mapping[str, Any], plan: Plan) -> Run:
        notes = Notes(self._host.clock, [dict(line) for line in data["notes"]])
        run = Run(
            run_id, plan, self._actor(plan), notes, data["started"], dict(data["trigger"]), tuple(data["secrets"]),
            data["cause"], data["depth"],
        )  # fmt: skip
        run.restore(data, self._world.zone)
        return run

    def _load_traces(self) -> None:
        self.traces.clear()
        for _, trace in self._host.records(TRACES):
            self.traces.setdefault(trace["automation"], deque()).append(trace)
        for automation, kept in self.traces.items():
            self.traces[automation] = deque(sorted(kept, key=lambda trace: trace["finished"]))
            last = self.traces[automation][-1]
            self.last_error[automation] = last["error"] if last["status"] == "failed" else None

    def forget(self) -> None:
        """Drop everything in memory: it is read again from the records."""
        for runs in self._of.values():
            for run in runs.values():
                if run.timer is not None:
                    run.timer.cancel()
                run.status = "lost"
        self._of.clear()
        self._by_key.clear()
        self._versions.clear()
        self._late.clear()


def actor_data(actor: Actor) -> dict[str, Any]:
    """An actor as JSON data."""
    return {
        "id": actor.id, "roles": sorted(actor.roles), "owner": actor.owner, "grants": sorted(actor.grants),
        "purpose": actor.purpose, "person": actor.person,
    }  # fmt: skip


def actor_from(data: Mapping[str, Any]) -> Actor:
    """The actor that ``actor_data`` described."""
    return Actor(
        data["id"], frozenset(data["roles"]), data["owner"], frozenset(data["grants"]), data["purpose"], data["person"]
    )
