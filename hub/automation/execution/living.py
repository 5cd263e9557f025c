"""The runs that are alive, by automation, and whose turn it is in a queue."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from time import perf_counter

from hub.automation.execution.run import MAX_TURN_S, Run
from hub.core.clock import Clock, Timer


class Living:
    """A run lives until nothing of it is awaited any more. ``start`` begins a queued run whose turn has come."""

    def __init__(self, clock: Clock, start: Callable[[Run], None]) -> None:
        self._clock, self._start = clock, start
        self._of: dict[str, OrderedDict[str, Run]] = {}  # automation → its living runs, oldest first
        self._next: deque[Run] = deque()  # queued runs whose turn has come
        self._starting = False
        self._later: Timer | None = None

    def of(self, automation: str) -> list[Run]:
        """Those of one automation, oldest first."""
        return list(self._of.get(automation, {}).values())

    def count(self, automation: str) -> int:
        """How many there are of one."""
        return len(self._of.get(automation, ()))

    def __iter__(self) -> Iterator[Run]:
        return iter([run for runs in self._of.values() for run in runs.values()])

    def add(self, run: Run) -> None:
        """It has begun, or waits for its turn."""
        self._of.setdefault(run.plan.automation.id, OrderedDict())[run.id] = run

    def leave(self, run: Run, *, chain: bool = True) -> None:
        """It counts for the mode no longer; with ``chain`` the next in the queue has its turn."""
        runs = self._of.get(run.plan.automation.id)
        if runs is None or runs.pop(run.id, None) is None:
            return
        if not runs:
            del self._of[run.plan.automation.id]
        elif chain:
            self._call(next(iter(runs.values())))
            self._serve()

    def serve_queues(self) -> None:
        """Begin the first of each queue that nothing stands before."""
        for runs in self._of.values():
            self._call(next(iter(runs.values())))
        self._serve()

    def _call(self, run: Run) -> None:
        if run.status == "queued":
            self._next.append(run)

    def _serve(self) -> None:
        """One after the other, never inside each other; a long queue lets the hub do something else between."""
        if self._starting:
            return
        self._starting, begun = True, perf_counter()
        try:
            while self._next:
                run = self._next.popleft()
                if run.status == "queued" and not run.over:
                    self._start(run)
                if self._next and perf_counter() - begun > MAX_TURN_S:
                    self._later = self._clock.call_at(self._clock.now(), self._serve)
                    return
        finally:
            self._starting = False

    def clear(self) -> None:
        """Forget all."""
        self._of.clear()
        self._next.clear()
        if self._later is not None:
            self._later.cancel()
            self._later = None
