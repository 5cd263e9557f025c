"""What is told of runs: their traces, why others did not begin, and faults for the officers."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Container
from typing import Any

from hub.automation.execution.run import Run
from hub.automation.execution.trace import KEPT, Privacy, masked
from hub.automation.host import Host
from hub.core.event import MAX_DEPTH, Draft
from hub.core.journal import Drop, Put
from hub.core.system import Fault

TRACES = "traces"
FAULT_EVERY_S = 60.0
MAX_FAULTS = 1_000
GONE_KEPT_S = 30 * 86_400.0  # since its last run: so long traces outlive an automation whose file went


class Reports:
    """Traces are kept in the journal, the newest of each automation; what did not run is in memory only."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.privacy = Privacy(host.types)
        self.traces: dict[str, deque[dict[str, Any]]] = {}
        self.not_run: dict[str, deque[dict[str, Any]]] = {}  # triggered, but a condition was false
        self.last_error: dict[str, str | None] = {}
        self._faults: OrderedDict[tuple[str, str], float] = OrderedDict()

    def trace(self, run: Run) -> dict[str, Any]:
        """Write the trace of a run that has ended."""
        automation = run.plan.automation.id
        trace: dict[str, Any] = run.as_trace(self._host.clock.now())
        if run.secrets:  # without, it is as it was noted: nobody changes it any more
            trace = masked(trace, run.secrets)
        kept = self.traces.setdefault(automation, deque())
        kept.append(trace)
        self.last_error[automation] = trace["error"] if run.status in ("failed", "aborted") else None
        self._host.put(Put(TRACES, f"{automation}/{run.id}", trace, sealed="actions"))
        if len(kept) > KEPT:
            self._host.put(Drop(TRACES, f"{automation}/{kept.popleft()['run_id']}"))
        return trace

    def failed_late(self, run: Run, old: dict[str, Any], key: str, path: str, words: str) -> None:
        """The last step's outcome came after the run's end, and was a failure: put it into its trace."""
        automation = run.plan.automation.id
        trace = masked(old, ())  # a copy: the writer may be reading the old one
        kept = self.traces.get(automation, deque())
        at = next((at for at, one in enumerate(kept) if one["run_id"] == old["run_id"]), None)
        if at is None:  # it is not kept any more, or its automation was removed
            return
        kept[at] = trace
        for line in trace["steps"]:
            if key in (line.get("detail") or {}).get("keys", ()):
                line["error"] = words
        trace["status"], trace["error"] = "failed", f"{path}: {words}"
        self.last_error[automation] = trace["error"]
        self._host.put(Put(TRACES, f"{automation}/{trace['run_id']}", trace, sealed="actions"))

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

    def forget(self, automation: str) -> None:
        """Somebody removed it."""
        self.not_run.pop(automation, None)
        self.last_error.pop(automation, None)
        for trace in self.traces.pop(automation, ()):
            self._host.put(Drop(TRACES, f"{automation}/{trace['run_id']}"))

    def forget_gone(self, there: Container[str]) -> None:
        """What is left of automations whose file went: not at once, since a file may be broken or away for a while."""
        since = self._host.clock.now() - GONE_KEPT_S
        for automation in [name for name in self.traces if name not in there]:
            if self.traces[automation][-1]["finished"] < since:
                self.forget(automation)

    def load(self) -> None:
        """Take them from the records."""
        self.traces.clear()
        for _, trace in self._host.records(TRACES):
            self.traces.setdefault(trace["automation"], deque()).append(trace)
        for automation, kept in self.traces.items():
            self.traces[automation] = deque(sorted(kept, key=lambda trace: trace["finished"]))
            last = self.traces[automation][-1]
            self.last_error[automation] = last["error"] if last["status"] in ("failed", "aborted") else None
