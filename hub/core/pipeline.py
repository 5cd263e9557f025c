"""The one way in: ``emit`` puts an event into the open commit group; state and rules see it at once, in memory;
event, runs and owed actions commit together; only then does anything leave the process.

A group closes at the loop's next turn when the writer is free, otherwise when the writer has finished the group
before it; so groups grow with load and one event alone does not wait. When a commit fails, nothing of it was
acknowledged: everybody who waits is told, and state, runs and owed actions are taken anew from the journal.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.core.bus import Bus
from hub.core.clock import Clock
from hub.core.error import LimitExceeded, StorageFailed
from hub.core.event import MAX_DEPTH, Draft, Event, EventTypes, Lane
from hub.core.ids import Ids
from hub.core.journal import Journal, Query, Record, Snapshot
from hub.core.state import Change, State

log = logging.getLogger(__name__)

GROUP_EVENTS = 512  # at 26 µs a row one group is about 13 ms of writing: an emergency never waits longer than two
WAITING_EVENTS = 20_000  # normal events waiting for a place in a group; beyond it the sender is told to slow down
TELEMETRY_FLUSH_S = 0.1
SNAPSHOT_EVERY = 20_000
REPLAY_PAGE = 5_000
RECOVER_RETRY_S = 1.0


@dataclass(slots=True)
class Group:
    """One transaction in the making."""

    events: list[tuple[Event, Change | None]] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    after: list[Callable[[], None]] = field(default_factory=list)
    waiters: list[asyncio.Future[None]] = field(default_factory=list)  # each its own: who gives up harms no other
    snapshot: Snapshot | None = None  # of the state after its last event, when one is due

    def __bool__(self) -> bool:
        return bool(self.events or self.records)

    def commit(self) -> asyncio.Future[None]:
        """Done when the group is durable; fails with it."""
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiters.append(waiter)
        return waiter

    def settle(self, failure: StorageFailed | None) -> None:
        """Tell all who wait."""
        for waiter in self.waiters:
            if waiter.done():
                continue
            if failure is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(failure)
                waiter.exception()  # nobody may be left to hear it


# Who waits in line gets the event and the commit of the very group it went into: after a failed commit the same
# sequence number belongs to another event.
Place = asyncio.Future[tuple[Event, asyncio.Future[None]]]


class Pipeline:
    """Journal, state and both buses in the order of invariant 1. All methods run on the loop thread.

    ``rules`` serves inside the group (listeners may ``emit`` and ``put``); ``committed`` serves after it.
    After a failed commit ``on_recover`` callables read anew what else is held in memory, and emit nothing; when all
    have, ``on_recovered`` go on. ``armed`` is set while the rules listen: what plugins' handlers make of events waits
    for it, or a start would lose what follows from them.
    """

    def __init__(
        self, journal: Journal, types: EventTypes, clock: Clock, ids: Ids, *, snapshot_every: int = SNAPSHOT_EVERY
    ) -> None:
        self.journal, self.types, self.clock, self.ids = journal, types, clock, ids
        self.state = State(types)
        self.rules = Bus()
        self.committed = Bus()
        self.committed_seq = 0
        self.armed = asyncio.Event()
        self.armed.set()
        self.on_recover: list[Callable[[], None]] = []
        self.on_recovered: list[Callable[[], None]] = []
        self.on_storage_failure: list[Callable[[StorageFailed], None]] = []
        self._snapshot_every, self._snapshot_seq = snapshot_every, 0
        self._open = Group()
        self._closing: asyncio.Handle | None = None
        self._writing: Group | None = None
        self._waiting: deque[tuple[Draft, Place]] = deque()
        self._telemetry: dict[tuple[str, str | None], tuple[Draft, list[Place]]] = {}
        self._flush: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._to_write: queue.SimpleQueue[Group | Snapshot | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None
        self._failure: StorageFailed | None = None  # a lost commit after which the state is not rebuilt yet
        self._told = False  # of the failures since the last commit

    # --- life

    async def start(self) -> None:
        """Rebuild the state from the journal and begin to accept events."""
        self._loop = asyncio.get_running_loop()
        await asyncio.to_thread(self._rebuild)
        if not self.journal.inline:
            self._writer = threading.Thread(target=self._write_forever, name="journal-writer", daemon=True)
            self._writer.start()

    async def stop(self) -> None:
        """Commit what is open, keep a snapshot, end the writer."""
        self._flush_telemetry()
        try:
            await self.settled()
            if self.state.seq > self._snapshot_seq:
                snapshot = Snapshot(self.state.seq, self.state.dump())
                await asyncio.to_thread(self.journal.save_snapshot, snapshot)
        finally:
            if self._writer is not None:
                self._to_write.put(None)
                await asyncio.to_thread(self._writer.join)
                self._writer = None

    def _rebuild(self) -> None:
        self._snapshot_seq = self._fold(self.state)
        self.committed_seq = self.state.seq

    def _fold(self, state: State) -> int:
        """Give ``state`` the newest snapshot and the events after it; the snapshot's sequence number."""
        snapshot = self.journal.load_snapshot()
        began = snapshot.seq if snapshot else 0
        state.load(began, snapshot.entities if snapshot else [])
        self._fold_on(state)
        return began

    def _fold_on(self, state: State) -> None:
        while events := self.journal.read(Query(after=state.seq, limit=REPLAY_PAGE)):
            for event in events:
                state.apply(event)

    async def refold(self) -> None:
        """Fold the state anew, and soon a snapshot of it: after keys were destroyed, so that nothing of what they
        sealed stays in memory. The hub works on meanwhile. ``StorageFailed`` leaves the state as it was.
        """
        fresh = State(self.types)
        await asyncio.to_thread(self._fold, fresh)
        while fresh.seq < self.committed_seq:
            await asyncio.to_thread(self._fold_on, fresh)
        for group in (self._writing, self._open):
            for event, _ in group.events if group is not None else ():
                if event.seq > fresh.seq:
                    fresh.apply(event)
        self.state.load(fresh.seq, fresh.dump())
        self._snapshot_seq = -self._snapshot_every  # one is due

    # --- in

    def emit(self, draft: Draft) -> Event:
        """Take an event into the open group at once: for rules and the hub itself, inside the loop's turn.

        ``LimitExceeded`` when the chain of causes is too deep (a loop of rules); ``StorageFailed`` while the journal
        can neither be written nor read.
        """
        if self._failure is not None:
            raise self._failure
        if draft.depth > MAX_DEPTH:
            raise LimitExceeded(
                f"a chain of {draft.depth} events and actions was stopped at {draft.type}",
                where=draft.entity or draft.type,
                hint="two automations probably trigger each other",
            )
        now, kind = self.clock.now(), self.types.get(draft.type)
        event = Event(
            self.state.seq + 1, self.ids.new(), draft.type, now if draft.at is None else draft.at, now,
            draft.entity, draft.source, draft.data, draft.cause, draft.depth, kind.version if kind else 1,
        )  # fmt: skip
        change = self.state.apply(event)
        self._open.events.append((event, change))
        self._schedule_close()
        self.rules.deliver(event, change)
        return event

    def put(self, record: Record) -> None:
        """Write a record in the same transaction as the open group's events; ``StorageFailed`` as ``emit``."""
        if self._failure is not None:
            raise self._failure
        self._open.records.append(record)
        self._schedule_close()

    def after_commit(self, call: Callable[[], None]) -> None:
        """Call once the open group is durable (at once when nothing is open); never when it fails."""
        if self._open:
            self._open.after.append(call)
        elif self._writing is not None:
            self._writing.after.append(call)
        else:
            call()

    async def submit(self, draft: Draft) -> Event:
        """Take an event from outside and answer when it is durable.

        Telemetry is coalesced per entity before it gets a sequence: the answer may then be the newer event that
        took its place. A full group makes normal events wait; emergencies pass.
        """
        loop = asyncio.get_running_loop()
        place: Place
        if draft.lane is Lane.TELEMETRY:
            place = loop.create_future()
            self._coalesce(draft, place)
        elif draft.lane is Lane.NORMAL and (self._waiting or len(self._open.events) >= GROUP_EVENTS):
            if len(self._waiting) >= WAITING_EVENTS:
                raise LimitExceeded("the hub is taking in events as fast as it can", hint="send again in a second")
            place = loop.create_future()
            self._waiting.append((draft, place))
        else:
            event = self.emit(draft)
            await self.durable(event.seq)
            return event
        event, committed = await place
        await asyncio.shield(committed)  # several may wait for the one event that took their place
        return event

    async def durable(self, seq: int) -> None:
        """Wait until that event is committed; ``StorageFailed`` when its group was lost."""
        if seq > self.committed_seq:
            await self._wait_for(self._open if self._holds(self._open, seq) else self._writing)

    async def settled(self) -> None:
        """Wait until everything visible in ``state`` now is durable: the door of every read that leaves."""
        if self._failure is not None:  # what memory holds now is void, or only half read again
            raise self._failure
        group = self._open if self._open else self._writing
        if group:
            await self._wait_for(group)

    @staticmethod
    def _holds(group: Group, seq: int) -> bool:
        return bool(group.events) and group.events[0][0].seq <= seq

    async def _wait_for(self, group: Group | None) -> None:
        if group is None:
            raise StorageFailed("the event's group was lost", hint="send it again")
        await group.commit()

    # --- telemetry and waiting lines

    def _coalesce(self, draft: Draft, place: Place) -> None:
        _, waiters = self._telemetry.get((draft.type, draft.entity), (draft, []))
        waiters.append(place)
        self._telemetry[draft.type, draft.entity] = (draft, waiters)
        if self._flush is None:
            self._flush = asyncio.get_running_loop().call_later(TELEMETRY_FLUSH_S, self._flush_telemetry)

    def _flush_telemetry(self) -> None:
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        pending, self._telemetry = self._telemetry, {}
        for draft, waiters in pending.values():
            _resolve(waiters, self._try_emit(draft))

    def _admit_waiting(self) -> None:
        while self._waiting and len(self._open.events) < GROUP_EVENTS:
            draft, place = self._waiting.popleft()
            if not place.done():
                _resolve([place], self._try_emit(draft))

    def _try_emit(self, draft: Draft) -> tuple[Event, asyncio.Future[None]] | Exception:
        group = self._open
        try:
            return self.emit(draft), group.commit()
        except (LimitExceeded, StorageFailed) as refused:
            return refused

    # --- commit

    def _schedule_close(self) -> None:
        if self._closing is None and self._writing is None and self._loop is not None:
            self._closing = self._loop.call_soon(self._close)

    def _close(self) -> None:
        self._closing = None
        if self._writing is not None or not self._open:
            return
        group, self._open = self._open, Group()
        self._writing = group
        if self.state.seq - self._snapshot_seq >= self._snapshot_every:
            # at this moment, and under load at no other, the state is exactly what this group commits
            group.snapshot = Snapshot(self.state.seq, self.state.dump())
        if self.journal.inline:
            self._committed(group, self._write(group))
        else:
            self._to_write.put(group)
        self._admit_waiting()

    def _committed(self, group: Group, failure: StorageFailed | None) -> None:
        if failure is not None:
            self._lost(group, failure)
            return
        self._writing, self._told = None, False
        if group.events:
            self.committed_seq = group.events[-1][0].seq
        group.settle(None)
        for call in group.after:
            _guarded(call)
        for event, change in group.events:
            self.committed.deliver(event, change)
        if group.snapshot is not None:
            self._keep(group.snapshot)
        if self._open:
            self._schedule_close()

    def _keep(self, snapshot: Snapshot) -> None:
        self._snapshot_seq = snapshot.seq
        if self.journal.inline:
            self.journal.save_snapshot(snapshot)
        else:
            self._to_write.put(snapshot)

    def _lost(self, group: Group, failure: StorageFailed) -> None:
        """A commit failed: the group and what was built on it are void; begin again from the journal."""
        log.error("a commit of %d events failed: %s", len(group.events), failure)
        lost, self._open, self._writing = (group, self._open), Group(), None
        for gone in lost:
            gone.settle(failure)
        self._failure = failure
        self._recover()

    def _recover(self) -> None:
        """Take state from the journal; while that fails, nothing is accepted, and it is tried again."""
        failure = self._failure
        if failure is None or self._loop is None:
            return
        try:
            self._rebuild()
        except StorageFailed as unreadable:
            log.error("the journal cannot be read either: %s", unreadable)
            self._loop.call_later(RECOVER_RETRY_S, self._recover)
            return
        self._failure = None
        for step in (*self.on_recover, *self.on_recovered):
            _guarded(step)
        if not self._told:  # once: who is told may emit, and that commit may fail as well
            self._told = True
            for told in self.on_storage_failure:
                _guarded(lambda told=told: told(failure))  # type: ignore[misc]
        self._admit_waiting()

    def _write_forever(self) -> None:
        """The writer thread: groups in order, snapshots between them."""
        while (work := self._to_write.get()) is not None:
            if isinstance(work, Snapshot):
                _guarded(lambda work=work: self.journal.save_snapshot(work))  # type: ignore[misc]
                continue
            failure = self._write(work)
            loop = self._loop
            if loop is not None and not loop.is_closed():
                loop.call_soon_threadsafe(self._committed, work, failure)

    def _write(self, group: Group) -> StorageFailed | None:
        try:
            self.journal.commit([event for event, _ in group.events], group.records)
        except StorageFailed as failed:
            return failed
        except Exception as fault:  # whatever the store raised, the group is not durable
            log.exception("the journal failed")
            return StorageFailed(f"the journal failed: {fault}")
        return None


def _resolve(waiters: Sequence[Place], outcome: tuple[Event, asyncio.Future[None]] | Exception) -> None:
    for waiter in waiters:
        if waiter.done():
            continue
        if isinstance(outcome, Exception):
            waiter.set_exception(outcome)
        else:
            waiter.set_result(outcome)


def _guarded(call: Callable[[], Any]) -> None:
    try:
        call()
    except Exception:  # one callback's fault must not cost another its turn
        log.exception("a callback after a commit failed")
