"""The runs that are alive: modes, waits, records, traces. Everything here survives a restart through two tables."""

from __future__ import annotations

import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from typing import Any

from hub.automation.execution.arming import Armed, Arming
from hub.automation.execution.calls import failure_words, settle
from hub.automation.execution.holds import RUNS
from hub.automation.execution.living import Living
from hub.automation.execution.records import SOURCES, Records
from hub.automation.execution.reports import Reports
from hub.automation.execution.run import Plan, Run, Strand, Turn, Waiting
from hub.automation.execution.trace import Notes, masked
from hub.automation.execution.waits import Waits
from hub.automation.host import Host
from hub.automation.templates.views import World
from hub.core.access import Actor
from hub.core.error import Denied
from hub.core.event import Event
from hub.core.journal import Drop
from hub.core.outbox import DONE

log = logging.getLogger(__name__)

MAX_LATE = 1_000
MAX_EARLY = 20_000


class Runs:
    """Begins, suspends, wakes and ends runs; writes their records in the open commit group."""

    def __init__(
        self, host: Host, world: World, publisher_now: Callable[[Actor], Actor | None], arming: Arming
    ) -> None:
        self._host, self._world, self._publisher_now = host, world, publisher_now
        self.reports = Reports(host)
        self._living = Living(host.clock, lambda run: self._go(run, run.root))
        self._by_key: dict[str, Strand] = {}
        self._records = Records(host)
        self._waits = Waits(host.clock, arming, self._wake, self._give_up, self.reports)
        # outcomes that came after the start and before ``resume``: devices may be quicker than the engine
        self._early: OrderedDict[str, Event] | None = OrderedDict()
        self._turn: Turn | None = None
        self._late: OrderedDict[str, tuple[Run, dict[str, Any], str]] = OrderedDict()

    def active(self, automation: str) -> int:
        """How many runs of it are alive."""
        return self._living.count(automation)

    def going(self, automation: str) -> list[dict[str, Any]]:
        """Traces, so far, of its runs that have not ended; oldest first."""
        alive = [run for run in self._living.of(automation) if not run.over]
        return [masked(run.as_trace(self._host.clock.now()), run.secrets) for run in alive]

    @property
    def armed(self) -> dict[str, Armed]:
        """The triggers that runs wait for, by the name under which their ``for:`` are kept."""
        waiting = (strand for run in self._living for strand in run.strands.values())
        return {strand.armed.name: strand.armed for strand in waiting if strand.armed is not None}

    # --- begin

    def begin(
        self, plan: Plan, values: dict[str, Any], trigger: dict[str, Any], event: Event | None, notes: Notes,
        *, caller: Run | None = None, key: str | None = None,
    ) -> Run | None:  # fmt: skip
        """Start a run as the mode allows; ``None`` when it was skipped. ``caller`` and ``key``: the run that called
        this script, and under which key it is told the end."""
        automation, host = plan.automation, self._host
        others = self._living.count(automation.id)
        if automation.mode == "restart":
            self.cancel(automation.id, "restarted")
        elif others and (automation.mode == "single" or others >= automation.max):
            return None
        run = Run(
            host.ids.new(), plan, self._actor(plan), notes, host.clock.now(), trigger,
            caller.secrets if caller else self.reports.privacy.of(event),
            caller.cause if caller else event.id if event else None,
            caller.depth + 1 if caller else event.depth if event else 0, key,
        )  # fmt: skip
        run.strand("action", values)
        self._living.add(run)
        if others and automation.mode == "queued":
            run.root.status = "queued"
            self._records.keep(run)
        else:
            self._go(run, run.root)
        return run

    def _actor(self, plan: Plan) -> Actor:
        publisher = self._publisher_now(plan.publisher)
        name = f"automation:{plan.automation.id}"
        if publisher is None:
            return Actor(name)
        return Actor(name, publisher.roles, publisher.owner, publisher.grants, publisher.purpose)

    def _go(self, run: Run, strand: Strand) -> None:
        """Go on with a run; those that it starts by its events, meanwhile, are part of the same turn."""
        outer, self._turn = self._turn, self._turn or Turn()
        try:
            self._proceed(run, strand, self._turn)
        finally:
            self._turn = outer

    def _proceed(self, run: Run, strand: Strand, turn: Turn) -> None:
        """Go on with a strand, and with all that become ready by it."""
        if self._publisher_now(run.plan.publisher) is None:
            who = run.plan.publisher.id
            run.root.fail(str(Denied("its publisher has no account any more", where=who, hint="publish it again")))
            self._end(run)
            return
        run.begin_turn(turn)
        ready = deque([strand])
        while ready:
            strand = ready.popleft()
            strand.advance()
            if run.over:  # one of its own steps has ended it
                return
            if strand.status == "waiting":
                ready += self._branches(run, strand)
            elif strand.number != 0:
                ready += self._joined(run, strand)
            if run.status not in ("running", "waiting"):
                self._end(run)
                return
        self._records.keep(run)
        if run.status == "waiting":
            for strand in list(run.strands.values()):
                if strand.status == "waiting" and strand.timer is None and strand.armed is None:
                    self._watch(strand)
        else:
            self._end(run)

    @staticmethod
    def _branches(run: Run, strand: Strand) -> list[Strand]:
        """The branches that a parallel step has just made."""
        waiting = strand.waiting
        if waiting is None or waiting.kind != "branches":
            return []
        return [run.strands[number] for number in waiting.branches if run.strands[number].status == "running"]

    def _joined(self, run: Run, branch: Strand) -> list[Strand]:
        """A branch has ended: its parent goes on when it was the last one."""
        self._forget_wait(branch)
        del run.strands[branch.number]
        parent = run.strands.get(branch.parent if branch.parent is not None else 0)
        waiting = parent.waiting if parent is not None else None
        if parent is None or waiting is None:
            return []
        waiting.branches.remove(branch.number)
        if branch.status != "finished" and waiting.error is None:
            waiting.error = branch.error or branch.status
            waiting.response = branch.status  # how the first that did not finish ended
        if waiting.branches:
            return []
        parent.waiting = None
        if waiting.response == "failed" and waiting.go_on:
            return [parent]
        if waiting.response is not None:
            parent.stop(waiting.response, waiting.error if waiting.response == "failed" else None)
            return self._joined(run, parent) if parent.number != 0 else []
        return [parent]

    # --- wait and go on

    def _watch(self, strand: Strand) -> None:
        waiting = strand.waiting
        if waiting is None:
            return
        for key in waiting.keys:
            self._by_key[key] = strand
        if waiting.until is not None:
            strand.timer = self._host.clock.call_at(waiting.until, lambda: self._due(strand, waiting))
        if waiting.kind == "event":
            self._waits.listen(strand, waiting)

    def _give_up(self, strand: Strand) -> None:
        """A wait took too long, and the run is not to go on without it."""
        strand.frames.clear()
        strand.run.root.stop("aborted", None)
        self._forget_wait(strand)
        self._end(strand.run)

    def _due(self, strand: Strand, waiting: Waiting) -> None:
        if strand.waiting is not waiting or strand.status != "waiting":
            return
        if waiting.kind == "event":
            self._waits.too_late(strand, waiting)
            return
        if waiting.keys:
            waiting.error = "no outcome of the action arrived"
        self._wake(strand)

    def finished(self, event: Event, _change: object = None) -> None:
        """An ``action_finished`` event: wake the strand that waits for that key."""
        key, data = event.data["key"], event.data
        known = self.outcome(key, data["status"], data.get("result"), data.get("error"), event.entity or "")
        if not known and self._early is not None and len(self._early) < MAX_EARLY:
            self._early[key] = event

    def outcome(self, key: str, status: str, result: Any, error: Any, entity: str = "") -> bool:
        """What became of a call; ``False`` when nobody waits for it."""
        if key in self._late:
            self._take_late(key, status, error, entity)
            return True
        strand = self._by_key.pop(key, None)
        waiting = strand.waiting if strand is not None else None
        if strand is None or waiting is None or key not in waiting.keys:
            return strand is not None
        target = waiting.keys.pop(key)
        words = None if status == "done" else failure_words(status, error, target)
        strand.run.notes.finished(key, self._host.clock.now(), words)
        waiting.error = waiting.error or words
        if words is None:
            waiting.results[target] = result
        if waiting.keys:
            self._records.keep(strand.run)
        else:
            self._wake(strand)
        return True

    def _wake(self, strand: Strand) -> None:
        waiting = strand.waiting
        if waiting is None:
            return
        self._forget_wait(strand)
        strand.waiting = None
        if waiting.error and not waiting.go_on:
            strand.fail(f"{waiting.path}: {waiting.error}")
            self._settled(strand)
            return
        settle(strand, waiting)
        self._go(strand.run, strand)

    def _settled(self, strand: Strand) -> None:
        """A strand has ended outside of ``advance``."""
        run = strand.run
        if strand.number == 0:
            self._end(run)
            return
        following = self._joined(run, strand)
        if run.status not in ("running", "waiting"):
            self._end(run)
        elif following:
            self._go(run, following[0])
        else:
            self._records.keep(run)

    def _forget_wait(self, strand: Strand) -> None:
        if strand.timer is not None:
            strand.timer.cancel()
            strand.timer = None
        if strand.armed is not None:
            strand.armed.disarm()
            strand.armed = None
        for key in strand.waiting.keys if strand.waiting is not None else ():
            self._by_key.pop(key, None)

    def _take_late(self, key: str, status: str, error: Any, entity: str) -> None:
        """The last step's outcome came: the run is over for its mode; a failure goes into its trace."""
        run, old, path = self._late.pop(key)
        del run.open_keys[key]
        if status != "done":
            self.reports.failed_late(run, old, key, path, failure_words(status, error, entity))
        if not run.open_keys:
            self._living.leave(run)

    # --- end

    def cancel(self, automation: str, reason: str) -> None:
        """End all its runs."""
        for run in self._living.of(automation):
            run.root.stop("stopped", reason)
            self._end(run, chain=False)

    def _end(self, run: Run, *, chain: bool = True) -> None:
        automation = run.plan.automation.id
        for strand in run.strands.values():
            self._forget_wait(strand)
            strand.waiting = None
        if run.over:
            self._living.leave(run, chain=chain)
            return
        run.over = True
        self._records.drop(run)
        self._trace(run)
        if run.root.error is not None and run.status != "stopped":
            self.reports.fault(automation, masked(run.root.error or "", run.secrets), run.cause, run.depth)
        if run.caller is not None:
            error = {"message": f"{automation}: {run.root.error}"} if run.status == "failed" else None
            self.outcome(run.caller, "failed" if error else "done", run.response or {}, error)
        if not run.open_keys or run.status != "finished":
            self._living.leave(run, chain=chain)

    def _trace(self, run: Run) -> None:
        trace = self.reports.trace(run)
        for key, path in run.open_keys.items():
            self._late[key] = (run, trace, path)
        while len(self._late) > MAX_LATE:
            _, (old, _, _) = self._late.popitem(last=False)
            old.open_keys.clear()
            self._living.leave(old)

    # --- restart

    def resume(self, plan_of: Callable[[str, Mapping[str, Any]], Plan]) -> None:
        """Take up what the records hold; waits that ended meanwhile go on at once, as far as ``on_restart`` allows."""
        self.reports.load()
        sources = dict(self._host.records(SOURCES))
        plans: dict[str, Plan] = {}
        taken: list[Run] = []
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
                words = f"the run {run_id} could not go on after the restart: {wrong}"
                self.reports.fault(data["automation"], words, None, 0)
                continue
            self._records.versions[version] = self._records.versions.get(version, 0) + 1
            self._living.add(run)
            taken.append(run)
        self._records.forget_unneeded({*sources})
        for run in taken:
            self._take_up(run)
        self._take_outcomes()
        early, self._early = self._early, None
        for event in (early or {}).values():
            self.finished(event)
        self._living.serve_queues()

    def _take_outcomes(self) -> None:
        """Outcomes that were committed when nobody took them: the process was killed before the run went on."""
        known = dict(self._host.records(DONE)) if self._by_key else {}
        for key in [key for key in self._by_key if key in known]:
            self.outcome(key, known[key]["status"], known[key]["result"], known[key]["error"])

    def _take_up(self, run: Run) -> None:
        """Wait on, or do what fell due while the hub was down, or say that it is too late for it."""
        now, late = self._host.clock.now(), run.plan.automation.on_restart
        for strand in list(run.strands.values()):
            waiting = strand.waiting
            if waiting is None or strand.status != "waiting" or run.status not in ("running", "waiting"):
                continue
            overdue = waiting.until is not None and waiting.until <= now and not waiting.keys
            if overdue and late is not None and now - (waiting.until or 0.0) > late:
                words = f"{waiting.path} was due while the hub was down, {now - (waiting.until or 0.0):.0f} s ago"
                run.root.fail(f"{words}; it is not made up for (on_restart)")
                self._end(run)
                return
            if overdue:
                self._due(strand, waiting)
            else:
                self._watch(strand)

    def _restored(self, run_id: str, data: Mapping[str, Any], plan: Plan) -> Run:
        notes = Notes(self._host.clock, [dict(line) for line in data["notes"]])
        run = Run(
            run_id, plan, self._actor(plan), notes, data["started"], dict(data["trigger"]), tuple(data["secrets"]),
            data["cause"], data["depth"], data["caller"],
        )  # fmt: skip
        run.restore(data, self._world.zone)
        return run

    @staticmethod
    def _leave(strand: Strand) -> None:
        """Its record goes on without it."""
        if strand.timer is not None:
            strand.timer.cancel()
        if strand.armed is not None:
            strand.armed.disarm(keep_holds=True)
        strand.status = "lost"

    def forget(self) -> None:
        """Drop everything in memory: it is read again from the records."""
        for run in self._living:
            for strand in run.strands.values():
                self._leave(strand)
        self._living.clear()
        self._by_key.clear()
        self._records.versions.clear()
        self._late.clear()
        self._early = OrderedDict()  # what comes before they are read again
