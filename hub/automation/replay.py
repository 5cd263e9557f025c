"""What a draft would have done: the same engine over recorded events, its actions noted and not done.

The clock is the journal's. Only events that the draft can hear, or that change what it reads, are read; what the live
rule itself brought about is left out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from hub.automation.engine import Engine
from hub.automation.execution.reports import TRACES
from hub.automation.heard import Heard, history, state_before
from hub.automation.host import Host
from hub.automation.language.blueprint import Blueprints
from hub.automation.language.model import Source
from hub.core.access import Actor
from hub.core.action import ActionSpec, Outcome
from hub.core.actions import Request
from hub.core.bus import Bus
from hub.core.clock import ManualClock
from hub.core.error import ConfigError, InvalidInput, NotFound
from hub.core.event import Draft, Event, EventTypes
from hub.core.ids import Ids
from hub.core.journal import Journal, Put, Record
from hub.core.state import EntityState, State

# EEMUA 191 (2013): one alarm in ten minutes is what one operator can handle; two are on duty.
BUDGET_PER_HOUR = 12.0
MAX_SHOWN = 200
MAX_NEAR = 50
MAX_SPAN_S = 92 * 86_400.0
MAX_EVENTS = 5_000_000
WITHIN_S = 120.0
_ALARM = "alarm.raise"
GOING = frozenset({"running", "waiting", "queued"})  # at the end of the span
NOT_RUN = frozenset({"condition", "skipped"})


@dataclass(slots=True)
class _Memory:
    """What one side, draft or live, did. ``ids``: its rules, not the scripts that they call."""

    ids: Sequence[str] = ()
    traces: list[dict[str, Any]] = field(default_factory=list)
    alarms: int = 0


class ReplayHost(Host):
    """A host over recorded events. What is asked of it is counted."""

    def __init__(
        self, types: EventTypes, clock: ManualClock, action: Callable[[str], ActionSpec | None],
        check: Callable[[Actor, str, EntityState | None], None], memory: _Memory,
    ) -> None:  # fmt: skip
        self.types, self.clock, self._action, self._check, self._memory = types, clock, action, check, memory
        self.state, self.rules, self.ids = State(types), Bus(), Ids(clock)

    def hear(self, event: Event) -> None:
        """An event as it was: time goes on to it, state folds, rules hear it."""
        if event.received > self.clock.now():
            self.clock.advance_to(event.received)
        self.rules.deliver(event, self.state.apply(event))

    def emit(self, draft: Draft) -> Event:
        now = self.clock.now()
        event = Event(
            self.state.seq, self.ids.new(), draft.type, now, now, draft.entity, draft.source, draft.data, draft.cause,
            draft.depth,
        )  # fmt: skip
        if draft.type != "fault":
            self.rules.deliver(event, self.state.apply(event))
        return event

    def put(self, record: Record) -> None:
        if isinstance(record, Put) and record.table == TRACES and record.value["automation"] in self._memory.ids:
            self._memory.traces.append(record.value)

    def records(self, table: str) -> Sequence[tuple[str, Any]]:
        return []

    def owe(self, request: Request) -> str | Outcome:
        spec = self._action(request.action)
        if spec is None:
            raise NotFound(f"there is no action {request.action}", where=request.action)
        self._memory.alarms += request.action == _ALARM
        key = str(request.key)
        if spec.dangerous:
            return Outcome(key, "confirming", confirmation=f"confirmation.{key}")
        return Outcome(key, "done")  # what it would have answered is not known

    def action(self, name: str) -> ActionSpec | None:
        return self._action(name)

    def expected(self, name: str) -> bool:
        return False

    def authorize(self, actor: Actor, right: str, entity: str | None) -> None:
        self._check(actor, right, self.state.get(entity) if entity else None)

    def on_recover(self, call: Callable[[], None]) -> None:
        return None


class Replay:
    """Replays texts over a journal. ``live``: the text of the rule that works now, by id; ``scripts``: the scripts and
    scenes that work now, which rules call. Blocks: call it in a thread.

    ``action`` and ``check`` are the running hub's catalogue of actions and its rights.
    """

    def __init__(
        self, journal: Journal, types: EventTypes, zone: tzinfo, location: tuple[float, float], blueprints: Blueprints,
        *, action: Callable[[str], ActionSpec | None], check: Callable[[Actor, str, EntityState | None], None],
        live: Callable[[str], str | None] = lambda _id: None, scripts: Callable[[], dict[str, Source]] = dict,
    ) -> None:  # fmt: skip
        self._journal, self._types, self._zone, self._location = journal, types, zone, location
        self._blueprints, self._action, self._check = blueprints, action, check
        self._live, self._scripts = live, scripts

    def run(self, text: str, start: float, end: float, actor: Actor) -> dict[str, Any]:
        """The answer, as ``docs/reference/api.md`` has it. ``ConfigError`` for a text with mistakes; ``InvalidInput``
        for a span that is none."""
        if not 0 < end - start <= MAX_SPAN_S:
            raise InvalidInput("the end must lie after the start, by at most 92 days", where="from, to")
        began = time.perf_counter()  # how long it took is told; nothing depends on it
        memory = _Memory()
        draft, host, heard = self._engine(text, actor, start, memory)
        ids = memory.ids
        draft.keep_not_run(MAX_NEAR)
        events = self._play([(host, draft)], heard, ids, start, end)
        memory.traces += _told_as(draft, ids, GOING)
        live = self._live_side(ids, actor, start, end)
        return {
            **_fired(memory, start, end), "near": _near(_told_as(draft, ids, NOT_RUN)), "live": _compared(memory, live),
            "events": events, "seconds": round(time.perf_counter() - began, 3),
        }  # fmt: skip

    def _engine(self, text: str, actor: Actor, start: float, memory: _Memory) -> tuple[Engine, ReplayHost, Heard]:
        host = ReplayHost(self._types, ManualClock(start), self._action, self._check, memory)
        engine = Engine(host, self._zone, location=self._location, blueprints=self._blueprints)
        mistakes = engine.load([Source(text, "draft.yaml", actor)])
        if mistakes:
            raise ConfigError(mistakes)
        memory.ids = [*memory.ids, *(row["id"] for row in engine.list())]
        heard = Heard.of([entry.automation for entry in engine.all_entries()])
        heard = self._with_scripts(engine, heard)
        engine.resume()
        return engine, host, heard

    def _with_scripts(self, engine: Engine, heard: Heard) -> Heard:
        """The scripts that work now stand beside the rules that may call them; those of the text come first."""
        scripts = self._scripts()
        for name in {entry.automation.id for entry in engine.all_entries()} & scripts.keys():
            del scripts[name]
        while wanted := list(scripts) if heard.everything else sorted(heard.called & scripts.keys()):
            engine.reload([scripts.pop(name) for name in wanted])
            heard = heard.and_of([entry.automation for entry in engine.all_entries()])
        return heard

    def _live_side(self, ids: Sequence[str], actor: Actor, start: float, end: float) -> _Memory | None:
        """The rules of the same ids that work now, over the same events."""
        texts = [text for name in ids if (text := self._live(name)) is not None]
        if not texts:
            return None
        memory = _Memory()
        sides = []
        heard = Heard()
        for text in texts:
            engine, host, read = self._engine(text, actor, start, memory)
            heard = heard | read
            sides.append((host, engine))
        self._play(sides, heard, ids, start, end)
        memory.traces += [trace for _, engine in sides for trace in _told_as(engine, ids, GOING)]
        return memory

    def _play(
        self, sides: list[tuple[ReplayHost, Engine]], heard: Heard, ids: Sequence[str], start: float, end: float
    ) -> int:
        own = {f"automation:{name}" for name in ids}
        for host, engine in sides:
            for event in state_before(self._journal, heard, start):
                host.state.apply(event)
            engine.rearm()  # triggers look at the world as it was
        count, until = 0, time.perf_counter() + WITHIN_S
        for event in self._bounded(history(self._journal, heard, start, end), until):
            if event.source not in own:
                count += 1
                for host, _ in sides:
                    host.hear(event)
        for host, _ in sides:
            host.clock.advance_to(end)
        return count

    @staticmethod
    def _bounded(events: Iterator[Event], until: float) -> Iterator[Event]:
        for number, event in enumerate(events):
            if number >= MAX_EVENTS or (number % 1000 == 0 and time.perf_counter() > until):
                raise InvalidInput(f"the span holds too much: stopped after {number} events", where="from, to")
            yield event


class Replayer:
    """Replays beside the running hub, one at a time, in a thread of its own."""

    def __init__(self, replay: Replay) -> None:
        self._replay, self._turn = replay, asyncio.Lock()

    async def replay(self, text: str, start: float, end: float, actor: Actor) -> dict[str, Any]:
        """See ``Replay.run``."""
        async with self._turn:
            return await asyncio.to_thread(self._replay.run, text, start, end, actor)


def _told_as(engine: Engine, ids: Sequence[str], statuses: frozenset[str]) -> list[dict[str, Any]]:
    """What the engine tells of these rules, of these kinds: as for any reader, personal values masked."""
    there = {entry.automation.id for entry in engine.all_entries()}
    told = [trace for name in ids if name in there for trace in engine.traces(name)]
    return [trace for trace in told if trace["status"] in statuses]


def _fired(memory: _Memory, start: float, end: float) -> dict[str, Any]:
    hours = (end - start) / 3600
    return {
        "total": len(memory.traces), "fired": [_told(trace) for trace in memory.traces[:MAX_SHOWN]],
        "alarms": memory.alarms, "alarms_per_hour": round(memory.alarms / hours, 3),
        "budget_per_hour": BUDGET_PER_HOUR,
    }  # fmt: skip


def _told(trace: Mapping[str, Any]) -> dict[str, Any]:
    origin = trace["trigger"]
    done = [line["detail"] for line in trace["steps"] if "action" in (line.get("detail") or {})]
    return {
        "automation": trace["automation"], "at": trace["started"], "event": origin.get("event"),
        "seq": origin.get("seq"), "type": origin.get("type"), "entity": origin.get("entity"),
        "trigger": origin.get("id"), "status": trace["status"], "error": trace["error"],
        "actions": [{"action": detail["action"], "targets": detail["targets"]} for detail in done],
    }  # fmt: skip


def _near(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The times it was triggered and did not run, each with the first condition that was false and its values."""
    found = []
    for row in rows:
        false = next((line for line in row["steps"] if line["result"] is False), None)
        found.append({
            "automation": row["automation"], "at": row["started"], "status": row["status"],
            "type": row["trigger"].get("type"), "entity": row["trigger"].get("entity"),
            "seq": row["trigger"].get("seq"), "path": false["path"] if false else None,
            "why": (false.get("error") or false.get("detail")) if false else None,
        })  # fmt: skip
    return sorted(found, key=lambda row: float(row["at"]))[:MAX_NEAR]


def _compared(draft: _Memory, live: _Memory | None) -> dict[str, Any] | None:
    """How often only one of both fired, by the event or moment that fired them; ``None`` when no rule works yet."""
    if live is None:
        return None
    ours, theirs = ({_moment(trace): trace for trace in side.traces} for side in (draft, live))
    only_draft = [_told(trace) for key, trace in ours.items() if key not in theirs]
    only_live = [_told(trace) for key, trace in theirs.items() if key not in ours]
    return {
        "total": len(live.traces), "only_draft": len(only_draft), "only_live": len(only_live),
        "differences": [*({**row, "side": "draft"} for row in only_draft[:25]),
                        *({**row, "side": "live"} for row in only_live[:25])],
    }  # fmt: skip


def _moment(trace: Mapping[str, Any]) -> tuple[Any, Any]:
    origin = trace["trigger"]
    return (trace["automation"], origin.get("seq") if origin.get("seq") is not None else trace["started"])
