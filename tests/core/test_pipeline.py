"""The pipeline over a real journal that can be held, and made to fail, at the moment of the commit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.core.bus import Subscription
from hub.core.clock import ManualClock
from hub.core.error import LimitExceeded, StorageFailed
from hub.core.event import MAX_DEPTH, Draft, Event, Lane
from hub.core.ids import Ids
from hub.core.journal import MemoryJournal, Put, Query, Snapshot
from hub.core.pipeline import GROUP_EVENTS, Group, Pipeline
from hub.core.state import State
from hub.store.journal_sqlite import SqliteJournal
from hub.store.keys import KeyRing
from tests.core.kit import SOON, TYPES, HeldJournal, by_name, draft, later, replayed, turn


@pytest.fixture
async def held(tmp_path: Path) -> AsyncIterator[HeldJournal]:
    """A journal that can be held."""
    journal = HeldJournal(tmp_path)
    yield journal
    journal.gate.set()
    journal.close()


@pytest.fixture
async def pipeline(held: HeldJournal) -> AsyncIterator[Pipeline]:
    """Started on that journal."""
    clock = ManualClock()
    made = Pipeline(held, TYPES, clock, Ids(clock), snapshot_every=1_000_000)
    await made.start()
    yield made
    held.gate.set()
    held.failures.clear()
    await made.stop()


# --- groups


async def test_nothing_is_told_before_the_commit(pipeline: Pipeline, held: HeldJournal) -> None:
    told: list[str] = []
    pipeline.rules.add(Subscription(lambda event, change: told.append(f"rule {event.seq}")))
    pipeline.committed.add(Subscription(lambda event, change: told.append(f"committed {event.seq}")))
    await held.hold()
    answer = later(pipeline.submit(draft(1)))
    await held.is_reached()
    pipeline.after_commit(lambda: told.append("after the group being written"))
    second = later(pipeline.submit(draft(2)))
    await turn()
    pipeline.after_commit(lambda: told.append("after the open group"))
    settled = later(pipeline.settled())
    await turn()
    assert told == ["rule 1", "rule 2"]
    assert (answer.done(), second.done(), settled.done(), pipeline.committed_seq) == (False, False, False, 0)
    assert held.last_seq() == 0
    held.gate.set()
    assert (await asyncio.wait_for(answer, SOON)).seq == 1
    await asyncio.wait_for(settled, SOON)
    assert (await asyncio.wait_for(second, SOON)).seq == 2
    assert told == [
        "rule 1", "rule 2", "after the group being written", "committed 1", "after the open group", "committed 2",
    ]  # fmt: skip
    calls: list[str] = []
    pipeline.after_commit(lambda: calls.append("at once: nothing is open"))
    assert calls == ["at once: nothing is open"]


async def test_a_group_is_events_and_records_together(pipeline: Pipeline, held: HeldJournal) -> None:
    def rule(event: Event, change: object) -> None:
        pipeline.put(Put("runs", event.id, event.seq))
        if event.depth == 0:
            pipeline.emit(draft(100, "thing.b", depth=1))

    pipeline.rules.add(Subscription(rule))
    await asyncio.wait_for(pipeline.submit(draft(1)), SOON)
    assert held.groups == [[1, 2]]
    assert sorted(seq for _, seq in held.records("runs")) == [1, 2]
    held.failures.append(StorageFailed("the disk is full"))
    with pytest.raises(StorageFailed):
        await pipeline.submit(draft(2))
    assert sorted(seq for _, seq in held.records("runs")) == [1, 2]
    assert held.last_seq() == 2


async def test_groups_grow_with_load_and_emergencies_pass(pipeline: Pipeline, held: HeldJournal) -> None:
    await held.hold()
    first = later(pipeline.submit(draft(0)))
    await held.is_reached()
    crowd = [later(pipeline.submit(draft(n, f"thing.t{n}"))) for n in range(1, GROUP_EVENTS + 301)]
    await turn()
    alarm = later(pipeline.submit(draft(9999, "thing.alarm", lane=Lane.EMERGENCY)))
    await turn()
    held.gate.set()
    found = await asyncio.wait_for(alarm, SOON)
    assert found.seq == GROUP_EVENTS + 2  # in the very next group, before 300 that were sent earlier
    await asyncio.wait_for(asyncio.gather(first, *crowd), SOON)
    assert [len(group) for group in held.groups] == [1, GROUP_EVENTS + 1, 300]
    assert [event.data["n"] for event in held.read(Query(limit=2000))] == [
        *range(GROUP_EVENTS + 1), 9999, *range(GROUP_EVENTS + 1, GROUP_EVENTS + 301),
    ]  # fmt: skip


async def test_the_waiting_line_has_an_end(
    pipeline: Pipeline, held: HeldJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.core.pipeline.WAITING_EVENTS", 2)
    await held.hold()
    tasks = [later(pipeline.submit(draft(0)))]
    await held.is_reached()
    tasks += [later(pipeline.submit(draft(n))) for n in range(GROUP_EVENTS + 2)]
    await turn()
    with pytest.raises(LimitExceeded, match="send again in a second"):
        await pipeline.submit(draft(-1))
    held.gate.set()
    await asyncio.wait_for(asyncio.gather(*tasks), SOON)
    assert held.last_seq() == GROUP_EVENTS + 3


async def test_telemetry_is_coalesced_by_entity_before_it_gets_a_number(pipeline: Pipeline, held: HeldJournal) -> None:
    sent = [later(pipeline.submit(draft(n, f"thing.t{n % 3}", lane=Lane.TELEMETRY))) for n in range(30)]
    sent.append(later(pipeline.submit(Draft("thing_gone", {}, "test", "thing.t0", lane=Lane.TELEMETRY))))
    found = await asyncio.wait_for(asyncio.gather(*sent), SOON)
    stored = held.read(Query())
    assert [(e.seq, e.type, e.entity, e.data.get("n")) for e in stored] == [
        (1, "thing_set", "thing.t0", 27), (2, "thing_set", "thing.t1", 28), (3, "thing_set", "thing.t2", 29),
        (4, "thing_gone", "thing.t0", None),
    ]  # fmt: skip
    assert found == [stored[n % 3] for n in range(30)] + [stored[3]]


async def test_a_chain_that_is_too_deep_is_stopped(pipeline: Pipeline, held: HeldJournal) -> None:
    assert (await pipeline.submit(draft(1, depth=MAX_DEPTH))).depth == MAX_DEPTH
    for lane in (Lane.NORMAL, Lane.TELEMETRY):
        with pytest.raises(LimitExceeded, match=r"thing\.a: a chain of 9 events and actions was stopped at thing_set"):
            await asyncio.wait_for(pipeline.submit(draft(1, depth=MAX_DEPTH + 1, lane=lane)), SOON)
    assert held.last_seq() == 1


# --- commits that fail


@pytest.mark.parametrize("failure", [StorageFailed("the disk is full"), ValueError("a fault of the store")])
async def test_a_failed_commit_voids_what_was_built_on_it(
    pipeline: Pipeline, held: HeldJournal, failure: Exception
) -> None:
    told: list[object] = []
    pipeline.on_recover.append(lambda: told.append(("recover", pipeline.state.seq)))
    pipeline.on_storage_failure.append(lambda failed: told.append(failed.message))
    await pipeline.submit(draft(1, "thing.a", state="before"))
    pipeline.committed.add(Subscription(lambda event, change: told.append(event.entity)))
    await held.hold()
    held.failures.append(failure)
    lost = [later(pipeline.submit(draft(2, "thing.a", state="lost")))]
    await held.is_reached()
    pipeline.after_commit(lambda: told.append("never"))
    lost.append(later(pipeline.submit(draft(3, "thing.b"))))
    await turn()
    pipeline.after_commit(lambda: told.append("never"))
    lost.append(later(pipeline.settled()))
    await turn()
    held.gate.set()
    outcomes = await asyncio.wait_for(asyncio.gather(*lost, return_exceptions=True), SOON)
    assert [type(outcome) for outcome in outcomes] == [StorageFailed] * 3
    assert told == [("recover", 1), str(outcomes[0])]
    assert pipeline.state.get("thing.b") is None
    assert by_name(pipeline.state) == replayed(pipeline)
    found = await asyncio.wait_for(pipeline.submit(draft(4, "thing.c")), SOON)
    assert (found.seq, held.last_seq(), told[2:]) == (2, 2, ["thing.c"])
    assert by_name(pipeline.state) == replayed(pipeline)


async def test_who_waits_in_line_when_a_commit_fails_is_served_or_told_never_both(
    pipeline: Pipeline, held: HeldJournal
) -> None:
    await held.hold()
    held.failures.append(StorageFailed("the disk is full"))
    tasks = [later(pipeline.submit(draft(0)))]
    await held.is_reached()
    tasks += [later(pipeline.submit(draft(n, f"thing.t{n}"))) for n in range(1, GROUP_EVENTS + 11)]
    tasks += [later(pipeline.submit(draft(5000, "thing.tele", lane=Lane.TELEMETRY)))]
    await turn()
    held.gate.set()
    outcomes: list[Any] = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), SOON)
    assert all(isinstance(outcome, StorageFailed) for outcome in outcomes[: GROUP_EVENTS + 1])
    kept = {event.id: event for event in held.read(Query(limit=5000))}
    assert [kept[event.id] for event in outcomes[GROUP_EVENTS + 1 :]] == outcomes[GROUP_EVENTS + 1 :]
    assert len(kept) == 11


async def test_an_answer_is_for_ones_own_event_even_when_its_number_is_used_again(
    pipeline: Pipeline, held: HeldJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A telemetry event gets its place in the same turn of the loop in which its group is lost."""
    finish = pipeline._committed

    def flush_and_finish(group: Group, failure: StorageFailed | None) -> None:
        pipeline._flush_telemetry()  # its sender wakes in the next turn
        finish(group, failure)

    def another() -> None:
        pipeline.emit(draft(7, "thing.other"))

    monkeypatch.setattr(pipeline, "_committed", flush_and_finish)
    pipeline.on_recover.append(another)
    await held.hold()
    held.failures.append(StorageFailed("the disk is full"))
    first = later(pipeline.submit(draft(1)))
    await held.is_reached()
    telemetry = later(pipeline.submit(draft(2, "thing.tele", lane=Lane.TELEMETRY)))
    await turn()
    held.gate.set()
    outcomes = await asyncio.wait_for(asyncio.gather(first, telemetry, return_exceptions=True), SOON)
    assert [type(outcome) for outcome in outcomes] == [StorageFailed, StorageFailed]
    await asyncio.wait_for(pipeline.settled(), SOON)
    assert [event.entity for event in held.read(Query())] == ["thing.other"]


async def test_a_journal_that_cannot_be_read_either_is_tried_again(
    pipeline: Pipeline, held: HeldJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.core.pipeline.RECOVER_RETRY_S", 0.01)
    await pipeline.submit(draft(1, "thing.a"))
    recovered = asyncio.Event()
    pipeline.on_recover.append(recovered.set)
    held.failures.append(StorageFailed("the disk is broken"))
    held.unreadable += [StorageFailed("still broken"), StorageFailed("broken")]
    with pytest.raises(StorageFailed, match="the disk is broken"):
        await pipeline.submit(draft(2, "thing.b"))
    with pytest.raises(StorageFailed, match="the disk is broken"):
        pipeline.emit(draft(3))
    with pytest.raises(StorageFailed, match="the disk is broken"):
        pipeline.put(Put("t", "k", 1))
    await asyncio.wait_for(recovered.wait(), SOON)
    assert by_name(pipeline.state) == replayed(pipeline)
    assert (await pipeline.submit(draft(4))).seq == 2


async def test_a_failing_disk_is_told_once_even_when_the_one_who_is_told_emits(
    pipeline: Pipeline, held: HeldJournal
) -> None:
    told: list[str] = []

    def report(failure: StorageFailed) -> None:
        told.append(failure.message)
        pipeline.emit(draft(99, "thing.report"))

    pipeline.on_storage_failure.append(report)
    for attempt in range(3):
        held.failures += [StorageFailed(f"full {attempt}"), StorageFailed("still full")]
        for _ in range(2):
            with pytest.raises(StorageFailed):
                await pipeline.submit(draft(1))
                await pipeline.settled()
        held.failures.clear()
        await pipeline.settled()
        await pipeline.submit(draft(2))
    assert len(told) == 3
    assert by_name(pipeline.state) == replayed(pipeline)


async def test_a_stop_on_a_broken_disk_still_ends_the_writer(tmp_path: Path) -> None:
    journal, clock = HeldJournal(tmp_path), ManualClock()
    made = Pipeline(journal, TYPES, clock, Ids(clock))
    await made.start()
    writer = made._writer
    assert writer is not None
    journal.failures.append(StorageFailed("the disk is broken"))
    made.emit(draft(1))
    with pytest.raises(StorageFailed, match="the disk is broken"):
        await made.stop()
    assert not writer.is_alive()
    journal.close()


# --- snapshots and replay


async def test_refolding_takes_what_was_erased_out_of_memory_while_the_hub_works_on(
    pipeline: Pipeline, held: HeldJournal
) -> None:
    def read(plate: str, entity: str) -> Draft:
        return Draft("thing_read", {"plate": plate}, "test", entity)

    def plates() -> dict[str, Any]:
        return {one.entity: one.attributes.get("plate") for one in pipeline.state}

    await pipeline.submit(read("กข1", "thing.old"))
    held.clock.advance(86_400)
    pipeline.clock.advance(86_400)  # type: ignore[attr-defined]  # a ManualClock here
    await pipeline.submit(read("กข2", "thing.new"))
    assert [receipt["events"] for receipt in held.destroy_keys("plates", "2023-11-15")] == [1]
    assert plates() == {"thing.old": "กข1", "thing.new": "กข2"}
    await held.hold()
    writing = later(pipeline.submit(read("กข3", "thing.writing")))
    await held.is_reached()
    waiting = later(pipeline.submit(read("กข4", "thing.open")))
    await turn()
    # one journal lock serves writer and eraser; readers need none, so refolding does not wait for the held commit
    await asyncio.wait_for(pipeline.refold(), SOON)
    assert plates() == {"thing.old": None, "thing.new": "กข2", "thing.writing": "กข3", "thing.open": "กข4"}
    held.gate.set()
    await asyncio.wait_for(asyncio.gather(writing, waiting), SOON)
    assert by_name(pipeline.state) == replayed(pipeline)
    await pipeline.submit(draft(1))  # the writer has kept the snapshot before it takes this group
    snapshot = held.load_snapshot()
    assert snapshot is not None
    assert "กข1" not in str(snapshot.entities)


async def test_snapshots_are_made_under_load_that_never_pauses(tmp_path: Path) -> None:
    """While one group is written the next is always open."""
    journal, clock = HeldJournal(tmp_path), ManualClock()
    pipeline = Pipeline(journal, TYPES, clock, Ids(clock), snapshot_every=20)
    await pipeline.start()
    finished = asyncio.Event()

    def go_on(event: Event, change: object) -> None:
        if event.seq < 100:
            pipeline.emit(draft(event.seq))
        else:
            finished.set()

    pipeline.committed.add(Subscription(go_on))
    saved: list[int] = []
    keep = journal.save_snapshot

    def save(snapshot: Snapshot) -> None:
        state = State(TYPES)
        for event in journal.read(Query(before=snapshot.seq + 1, limit=1000)):
            state.apply(event)
        assert state.dump() == snapshot.entities
        saved.append(snapshot.seq)
        keep(snapshot)

    journal.save_snapshot = save  # type: ignore[method-assign]
    pipeline.emit(draft(0))
    pipeline.emit(draft(1))  # two chains: at each commit the next group is open
    await asyncio.wait_for(finished.wait(), SOON)
    await pipeline.stop()
    assert len(saved) >= 4
    assert min(b - a for a, b in pairwise(saved[:-1])) >= 20
    journal.close()


ENTITY = st.sampled_from(["thing.a", "thing.b", "thing.c", None])
SET = st.builds(
    lambda n, state, more, entity: Draft("thing_set", {"n": n, "state": state, "more": more}, "test", entity),
    st.integers(-5, 5), st.sampled_from(["on", "off", None]),
    st.dictionaries(st.sampled_from(["x", "y", "n"]), st.one_of(st.none(), st.text(max_size=3), st.floats(-1, 1))),
    ENTITY,
)  # fmt: skip
GONE = st.builds(lambda entity: Draft("thing_gone", {}, "test", entity), ENTITY)
UNKNOWN = st.builds(lambda entity: Draft("from_a_plugin_that_left", {"any": [1]}, "test", entity), ENTITY)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    drafts=st.lists(st.one_of(SET, SET, GONE, UNKNOWN), max_size=30), every=st.integers(1, 12), stops=st.booleans(),
    memory=st.booleans(),
)  # fmt: skip
def test_snapshot_and_the_events_after_it_give_the_state(
    tmp_path_factory: pytest.TempPathFactory, drafts: list[Draft], every: int, stops: bool, memory: bool
) -> None:
    folder = tmp_path_factory.mktemp("replay")

    async def live() -> None:
        clock = ManualClock()
        journal = MemoryJournal() if memory else SqliteJournal(folder / "j.db", TYPES, KeyRing(bytes(32)), clock)
        pipeline = Pipeline(journal, TYPES, clock, Ids(clock), snapshot_every=every)
        await pipeline.start()
        for one in drafts:
            clock.advance(1.5)
            await pipeline.submit(one)
        if stops:
            await pipeline.stop()
        assert by_name(pipeline.state) == replayed(pipeline)
        again = Pipeline(journal, TYPES, clock, Ids(clock))
        await again.start()
        assert (by_name(again.state), again.state.seq) == (by_name(pipeline.state), len(drafts))
        await again.stop()
        if not stops:
            await pipeline.stop()
        journal.close()

    asyncio.run(live())
