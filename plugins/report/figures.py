"""Figures of committed events: counts, times and shares. Pure functions: events in, figures out.

Times are in seconds. The median is the middle value (the mean of the two middle ones of an even number); the 90 %
value is the nearest rank: the smallest that at least 90 % of all do not exceed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from hub.sdk import Event

PRIORITIES = ("critical", "high", "normal", "info")


@dataclass(frozen=True, slots=True)
class Times:
    """Durations: how many, median, nearest-rank 90 %."""

    n: int
    median: float | None
    p90: float | None

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Times:
        """Of these."""
        rows = sorted(seconds)
        if not rows:
            return cls(0, None, None)
        return cls(len(rows), float(median(rows)), rows[math.ceil(0.9 * len(rows)) - 1])


@dataclass(frozen=True, slots=True)
class Chosen:
    """The real things, or all of them when none is real. ``left_out``: simulated ones beside real ones."""

    events: list[Event]
    simulated: bool
    left_out: int


def choose(events: Sequence[Event], is_simulated: Callable[[Event], bool]) -> Chosen:
    """Simulated things never mix with real ones: they are counted apart, or stand alone and are stamped so."""
    real = [event for event in events if not is_simulated(event)]
    if real or not events:
        return Chosen(real, False, len(events) - len(real))
    return Chosen(list(events), True, 0)


def flagged(event: Event) -> bool:
    """Does the event itself say that it is simulated?"""
    return bool(event.data.get("simulated"))


@dataclass(slots=True)
class Incidents:
    """``table``: kind → priority → number. ``late``: what never came, by step."""

    n: int = 0
    simulated: bool = False
    left_out: int = 0
    table: dict[str, dict[str, int]] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)
    results: dict[str, int] = field(default_factory=dict)
    open: int = 0
    acknowledge: Times = Times(0, None, None)
    assign: Times = Times(0, None, None)
    close: Times = Times(0, None, None)


def incidents(opened: Sequence[Event], followed: Sequence[Event]) -> Incidents:
    """Incidents that were opened in the period. ``followed``: acknowledged, assigned and closed, whenever."""
    chosen = choose(opened, flagged)
    begun = {str(event.entity): float(event.data["opened_at"]) for event in chosen.events}
    steps: dict[str, dict[str, float]] = {"incident_acknowledged": {}, "incident_assigned": {}, "incident_closed": {}}
    results: Counter[str] = Counter()
    for event in followed:
        if event.entity in begun and event.type in steps and event.entity not in steps[event.type]:
            steps[event.type][event.entity] = float(event.data.get("at") or event.received)
            if event.type == "incident_closed":
                results[str(event.data["result"])] += 1
    found = Incidents(len(chosen.events), chosen.simulated, chosen.left_out, results=dict(results.most_common()))
    counts = Counter((str(event.data["kind"]), str(event.data["priority"])) for event in chosen.events)
    for (kind, priority), number in sorted(counts.items()):
        found.table.setdefault(kind, dict.fromkeys(PRIORITIES, 0))[priority] = number
        found.totals[priority] = found.totals.get(priority, 0) + number
    found.open = len(begun) - len(steps["incident_closed"])
    found.acknowledge, found.assign, found.close = (
        Times.of(max(0.0, at - begun[entity]) for entity, at in steps[name].items()) for name in steps
    )
    return found


@dataclass(slots=True)
class Checkpoint:
    """One check-point in the period. ``due`` and ``met``: windows, summed from the last figure of each day."""

    entity: str
    scans: int = 0
    doubtful: int = 0
    missed: int = 0
    due: int = 0
    met: int = 0

    @property
    def coverage(self) -> float | None:
        """Percent of the windows in which somebody came."""
        return 100 * self.met / self.due if self.due else None


def patrol(
    scans: Sequence[Event], missed: Sequence[Event], coverage: Sequence[Event], day: Callable[[float], str]
) -> list[Checkpoint]:
    """By check-point. ``day`` names the day of a moment."""
    found: dict[str, Checkpoint] = {}

    def at(event: Event) -> Checkpoint:
        return found.setdefault(str(event.entity), Checkpoint(str(event.entity)))

    for event in scans:
        one = at(event)
        one.scans += 1
        one.doubtful += bool(event.data.get("doubts"))
    for event in missed:
        at(event).missed += 1
    last: dict[tuple[str, str], Event] = {(str(event.entity), day(event.received)): event for event in coverage}
    for event in last.values():
        one = at(event)
        one.due += int(event.data["windows_due"])
        one.met += int(event.data["windows_met"])
    return sorted(found.values(), key=lambda one: one.entity)


@dataclass(frozen=True, slots=True)
class Uptime:
    """One camera. ``measured``: seconds of the period for which something is known; ``up``: with a picture."""

    entity: str
    measured: float
    up: float
    breaks: int
    simulated: bool = False

    @property
    def percent(self) -> float | None:
        """Share of the measured time; ``None`` when nothing was measured."""
        return 100 * self.up / self.measured if self.measured > 0 else None


@dataclass(frozen=True, slots=True)
class Turn:
    """From ``at`` on the camera has a picture, or not."""

    at: float
    up: bool


def uptime(entity: str, turns: Sequence[Turn], begin: float, end: float, simulated: bool = False) -> Uptime:
    """From its turns, those before ``begin`` too: the last of these tells how it began. Before the first turn nothing
    is known, so it is not measured."""
    rows = sorted(turns, key=lambda turn: turn.at)
    up, measured, breaks, known, since = 0.0, 0.0, 0, None, begin
    for turn in rows:
        if turn.at >= end:
            break
        if turn.at > begin and known is not None:
            measured += turn.at - since
            up += turn.at - since if known else 0.0
            breaks += known and not turn.up
        known, since = turn.up, max(begin, turn.at)
    if known is not None:
        measured += end - since
        up += end - since if known else 0.0
    return Uptime(entity, measured, up, breaks, simulated)


@dataclass(slots=True)
class Promises:
    """Promises of the period: made, ended, and how it stood at the end."""

    made: int = 0
    kept_in_time: int = 0
    kept_late: int = 0
    dropped: int = 0
    open: int = 0
    overdue: list[Mapping[str, Any]] = field(default_factory=list)
    simulated: bool = False
    left_out: int = 0


def promises(events: Sequence[Event], begin: float, end: float) -> Promises:
    """``events``: all of promises before ``end``, from the first on, in order."""
    chosen = choose([event for event in events if event.type == "promise_made"], flagged)
    due: dict[str, Mapping[str, Any]] = {}
    ours = {str(event.entity) for event in chosen.events}
    found = Promises(simulated=chosen.simulated, left_out=chosen.left_out)
    for event in events:
        entity = str(event.entity)
        if entity not in ours:
            continue
        if event.type == "promise_made":
            due[entity] = dict(event.data)
            found.made += event.received >= begin
        elif event.type == "promise_moved" and entity in due:
            due[entity] = {**due[entity], "due_at": event.data["due_at"]}
        elif event.type == "promise_ended":
            due.pop(entity, None)
            if event.received >= begin:
                kept, late = event.data["state"] == "kept", float(event.data["late_s"]) > 0
                found.kept_in_time += kept and not late
                found.kept_late += kept and late
                found.dropped += not kept
    found.overdue = [one for one in due.values() if float(one["due_at"]) < end]
    found.open = len(due)
    return found


def polls(results: Sequence[Event]) -> list[Event]:
    """The newest result of each target of each form, all communities together."""
    last = {str(event.entity): event for event in results if not event.data.get("group")}
    return [last[entity] for entity in sorted(last)]


@dataclass(slots=True)
class Orders:
    """What was ordered: by whom, and how it ended."""

    n: int = 0
    by: dict[str, int] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)
    top: list[tuple[str, int]] = field(default_factory=list)


def orders(asked: Sequence[Event], finished: Sequence[Event], answered: Sequence[Event]) -> Orders:
    """Of ``action_requested``, ``action_finished`` and ``confirmation_answered``."""
    by = Counter(str(event.data["actor"]).partition(":")[0] for event in asked)
    ended = Counter(str(event.data["status"]) for event in finished)
    answers = Counter(str(event.data["answer"]) for event in answered)
    top = Counter(str(event.data["action"]) for event in asked).most_common(10)
    return Orders(len(asked), dict(by.most_common()), dict(ended.most_common()), dict(answers.most_common()), top)
