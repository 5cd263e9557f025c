from __future__ import annotations

import copy
import hashlib
import json
import stat
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.access.audit import GENESIS, Entry, Ledger, details, entries
from hub.access.heads import Head, Signer, verify
from hub.core.clock import ManualClock
from hub.core.error import InvalidInput, StorageFailed
from hub.core.event import Draft, EventTypes
from hub.core.ids import Ids
from hub.core.journal import MemoryJournal
from hub.core.pipeline import Pipeline
from hub.core.system import SYSTEM_TYPES

Rows = list[dict[str, Any]]


@pytest.fixture
def ledger(pipeline: Pipeline) -> Ledger:
    made = Ledger(pipeline)
    made.load()
    return made


@pytest.fixture
def signer(tmp_path: Path, clock: ManualClock) -> Signer:
    return Signer(tmp_path, clock)


async def write(ledger: Ledger, pipeline: Pipeline, clock: ManualClock, count: int) -> None:
    for n in range(count):
        clock.advance(1)
        ledger.record("user:somchai", "media.view", f"camera.c{n}", "incident.7", {"n": n, "where": "ถนนจรดวิถีถ่อง"})
    await pipeline.settled()


def rechain(rows: Rows, start: int = 0) -> Rows:
    """What an intruder with the machine does: every hash made anew."""
    prev = rows[start - 1]["hash"] if start else GENESIS
    for n in range(start, len(rows)):
        entry = Entry(**{**rows[n], "n": n + 1, "prev": prev})
        rows[n] = replace(entry, hash=entry.computed()).as_data()
        prev = rows[n]["hash"]
    return rows


def found(rows: Rows, heads: Sequence[Head] = (), key: str | None = None) -> list[tuple[str, int]]:
    return [(fault.kind, fault.n) for fault in verify(rows, heads, key)]


async def test_an_entry_says_who_what_why_and_when(
    ledger: Ledger, pipeline: Pipeline, clock: ManualClock, journal: MemoryJournal
) -> None:
    ledger.record("user:somchai", "media.view", "camera.c1", "incident.7", {"from": 1, "to": 2.5})
    await pipeline.settled()
    (row,) = entries(journal)
    assert row == {
        "n": 1, "at": clock.now(), "who": "user:somchai", "what": "media.view", "subject": "camera.c1",
        "purpose": "incident.7", "detail": {"from": 1, "to": 2.5}, "sealed": None, "prev": "0" * 64,
        "hash": row["hash"],
    }  # fmt: skip
    assert [key for key, _ in journal.records("audit")] == ["000000000001"]
    assert verify([row]) == []


def test_the_hash_is_the_sha256_of_the_canonical_json() -> None:
    entry = Entry(1, 1.5, "user:a", "x.y", "ก", None, {"b": 1, "a": [True, None]}, None, GENESIS)
    text = (
        '{"at":1.5,"detail":{"a":[true,null],"b":1},"n":1,"prev":"' + "0" * 64 + '","purpose":null,"sealed":null,'
        '"subject":"\\u0e01","what":"x.y","who":"user:a"}'
    )
    assert entry.computed() == hashlib.sha256(text.encode()).hexdigest()


async def test_an_untouched_ledger_verifies_after_a_round_trip_through_json(
    ledger: Ledger, pipeline: Pipeline, clock: ManualClock, journal: MemoryJournal, signer: Signer
) -> None:
    await write(ledger, pipeline, clock, 20)
    head = signer.head(ledger)
    await write(ledger, pipeline, clock, 5)
    rows = json.loads(json.dumps(entries(journal)))
    assert head.n == 20
    assert verify(rows, [head, signer.head(ledger)], signer.public_key) == []
    assert verify([], [Head(0, GENESIS, 0.0)]) == []


async def test_an_edit_is_found_where_it_is(
    ledger: Ledger, pipeline: Pipeline, clock: ManualClock, journal: MemoryJournal
) -> None:
    await write(ledger, pipeline, clock, 6)
    for field, value in (
        ("who", "user:other"), ("purpose", "incident.8"), ("detail", {}), ("at", 0.0), ("what", ""), ("subject", "x"),
        ("sealed", "00"), ("prev", GENESIS), ("hash", "0" * 64), ("detail", {"n": 3.0, "where": "ถนนจรดวิถีถ่อง"}),
    ):  # fmt: skip
        rows = copy.deepcopy(entries(journal))
        rows[3][field] = value
        assert found(rows) == [("edited", 4)], field


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(data=st.data())
def test_any_one_change_is_found_at_or_just_after_it(data: st.DataObject) -> None:
    rows = rechain([Entry(0, float(n), "user:a", "x.y", f"s{n}", None, {"k": n}, None, "").as_data() for n in range(8)])
    at = data.draw(st.integers(0, 7))
    field = data.draw(st.sampled_from(sorted(rows[0])))
    value = data.draw(st.none() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False))
    changed = copy.deepcopy(rows)
    changed[at][field] = value
    faults = verify(changed)
    if repr(changed[at][field]) == repr(rows[at][field]):
        assert faults == []
    else:
        assert [fault.n for fault in faults] == [at + 1]


async def test_an_edit_with_its_own_hash_made_anew_breaks_the_next(
    ledger: Ledger, pipeline: Pipeline, clock: ManualClock, journal: MemoryJournal
) -> None:
    await write(ledger, pipeline, clock, 6)
    rows = entries(journal)
    rows[3] = {**rows[3], "who": "user:other"}
    rows[3]["hash"] = Entry(**rows[3]).computed()
    faults = verify(rows)
    assert [(f.kind, f.n) for f in faults] == [("broken", 5)]
    assert "does not follow entry 4" in faults[0].words


async def test_reordered_removed_and_doubled_entries(
    ledger: Ledger, pipeline: Pipeline, clock: ManualClock, journal: MemoryJournal
) -> None:
    await write(ledger, pipeline, clock, 6)
    rows = entries(journal)
    assert found([*rows[:2], rows[3], rows[2], *rows[4:]]) == [("order", 3)]
    assert found([*rows[:2], *rows[3:]]) == [("missing", 3)]
    assert found(rows[1:]) == [("missing", 1)]
    assert found([*rows[:3], rows[2], *rows[3:]]) == [("order", 4)]
    assert found([*rows[:3], {"n": 4}, *rows[4:]]) == [("malformed", 4)]


async def test_truncation_is_found_only_by_a_head_from_outside(
    ledger: Ledger, pipeline: Pipeline, clock: ManualClock, journal: MemoryJournal, signer: Signer
) -> None:
    await write(ledger, pipeline, clock, 10)
    head = signer.head(ledger)
    rows = entries(journal)[:7]
    assert found(rows) == []
    faults = verify(rows, [head], signer.public_key)
    assert [(f.kind, f.n) for f in faults] == [("truncated", 8)]
    assert faults[0].words == "entries 8 to 10 are gone: a head was signed for them"
    assert found([], [head], signer.public_key) == [("truncated", 1)]


async def test_a_whole_chain_rewritten_is_found_only_by_a_head_from_outside(
    ledger: Ledger, pipeline: Pipeline, clock: ManualClock, journal: MemoryJournal, signer: Signer, tmp_path: Path
) -> None:
    await write(ledger, pipeline, clock, 4)
    first = signer.head(ledger)
    await write(ledger, pipeline, clock, 6)
    second = signer.head(ledger)
    rows = copy.deepcopy(entries(journal))
    rows[6]["who"] = "user:scapegoat"
    rows = rechain(rows, 6)
    assert found(rows) == []
    # the intruder signs heads of the new chain with the machine's key: only those kept outside count
    forged = Signer(tmp_path, clock)._key
    inside = Head(10, rows[9]["hash"], 1.0)
    inside = replace(inside, signature=forged.sign(inside.signed()).hex())
    assert found(rows, [inside], signer.public_key) == []
    faults = verify(rows, [second, first], signer.public_key)
    assert [(f.kind, f.n) for f in faults] == [("rewritten", 5)]
    assert faults[0].words == "rewritten between 5 and 10: entry 10 is not the one that was signed"
    del rows[6]
    assert found(rechain(rows), [first, second], signer.public_key) == [("truncated", 10)]
    assert found(rechain([*rows, rows[0]]), [first, second], signer.public_key) == [("rewritten", 5)]


async def test_a_head_that_is_not_signed_with_the_key_counts_for_nothing(
    ledger: Ledger, pipeline: Pipeline, clock: ManualClock, journal: MemoryJournal, signer: Signer, tmp_path: Path
) -> None:
    await write(ledger, pipeline, clock, 3)
    good = signer.head(ledger)
    stranger = Signer(tmp_path / "stranger", clock).head(ledger)
    rows = entries(journal)
    for bad in (
        stranger,
        replace(good, at=1.0),
        replace(good, n=9),
        replace(good, hash="0" * 64),
        replace(good, signature="zz"),
    ):
        assert found(rows, [bad], signer.public_key) == [("signature", bad.n)]
    assert found(rows, [good], "not a key") == [("signature", 3)]


def test_the_key_is_made_once_and_is_the_owners_alone(tmp_path: Path, clock: ManualClock) -> None:
    one, two = Signer(tmp_path / "d", clock), Signer(tmp_path / "d", clock)
    assert one.public_key == two.public_key
    assert [p.name for p in (tmp_path / "d").iterdir()] == ["audit.key"]
    assert stat.S_IMODE((tmp_path / "d" / "audit.key").stat().st_mode) == 0o600
    (tmp_path / "d" / "audit.key").write_bytes(b"short")
    with pytest.raises(StorageFailed, match="no Ed25519 key"):
        Signer(tmp_path / "d", clock)


async def test_a_head_travels_as_json(ledger: Ledger, pipeline: Pipeline, clock: ManualClock, signer: Signer) -> None:
    await write(ledger, pipeline, clock, 2)
    head = signer.head(ledger)
    assert Head.from_data(json.loads(json.dumps(head.as_data()))) == head
    assert head.at == clock.now()


# --- personal data


async def test_personal_data_is_sealed_apart_and_its_deletion_leaves_the_chain_whole(
    ledger: Ledger, pipeline: Pipeline, journal: MemoryJournal, signer: Signer
) -> None:
    plate = {"plate": "1กข 1234", "province": "สุโขทัย"}
    ledger.record("user:somchai", "plate.search", "plate", "incident.7", {"hits": 2}, personal=plate)
    ledger.record("user:somchai", "plate.search", "plate", "incident.7", {"hits": 2}, personal=plate)
    await pipeline.settled()
    rows = entries(journal)
    assert "1234" not in json.dumps(rows, ensure_ascii=False)
    assert rows[0]["sealed"] != rows[1]["sealed"]  # the chain does not tell that it was the same plate
    parts = details(journal)
    assert parts[1]["personal"] == plate
    assert verify(rows, [signer.head(ledger)], signer.public_key, parts) == []
    assert verify(rows, [signer.head(ledger)], signer.public_key, {}) == []  # retention destroyed them


async def test_an_edited_sealed_part_is_found(ledger: Ledger, pipeline: Pipeline, journal: MemoryJournal) -> None:
    ledger.record("user:a", "x.y", "camera.c1")
    ledger.record("user:a", "plate.search", "plate", personal={"plate": "1กข 1234"})
    await pipeline.settled()
    rows, parts = entries(journal), details(journal)
    for wrong in (
        {**parts[2], "personal": {"plate": "2กข 1234"}},
        {**parts[2], "key": "00"},
        {},
        {"key": 1, "personal": 2},
    ):
        assert [(f.kind, f.n) for f in verify(rows, sealed={2: wrong})] == [("detail", 2)]
    assert [(f.kind, f.n) for f in verify(rows, sealed={1: parts[2]})] == [("detail", 1)]


async def test_the_sealed_part_goes_under_the_class_audit(ledger: Ledger, pipeline: Pipeline) -> None:
    ledger.record("user:a", "plate.search", "plate", personal={"plate": "1กข 1234"})
    sealed = {record.table: getattr(record, "sealed", None) for record in pipeline._open.records}
    assert sealed == {"audit_detail": "audit", "audit": None, "audit_last": None}


# --- with the journal


class Failing(MemoryJournal):
    full = False

    def commit(self, events: Sequence[Any], records: Sequence[Any]) -> None:
        if self.full:
            raise StorageFailed("disk full")
        super().commit(events, records)


async def test_after_a_failed_commit_the_chain_goes_on_from_what_is_durable(clock: ManualClock, signer: Signer) -> None:
    journal = Failing()
    pipeline = Pipeline(journal, EventTypes(SYSTEM_TYPES), clock, Ids(clock))
    await pipeline.start()
    ledger = Ledger(pipeline)
    ledger.load()
    await write(ledger, pipeline, clock, 3)
    kept = signer.head(ledger)
    journal.full = True
    with pytest.raises(StorageFailed):
        await write(ledger, pipeline, clock, 4)
    assert (signer.head(ledger).n, signer.head(ledger).hash) == (kept.n, kept.hash)
    journal.full = False
    await write(ledger, pipeline, clock, 2)
    assert [row["n"] for row in entries(journal)] == [1, 2, 3, 4, 5]
    assert verify(entries(journal), [kept, signer.head(ledger)], signer.public_key) == []


async def test_a_head_covers_only_what_is_durable(
    ledger: Ledger, pipeline: Pipeline, clock: ManualClock, signer: Signer
) -> None:
    await write(ledger, pipeline, clock, 2)
    ledger.record("user:a", "x.y", "camera.c1")
    assert signer.head(ledger).n == 2
    await pipeline.settled()
    assert signer.head(ledger).n == 3


async def test_entry_and_event_share_one_transaction(clock: ManualClock) -> None:
    groups: list[tuple[list[str], list[str]]] = []

    class Watching(MemoryJournal):
        def commit(self, events: Sequence[Any], records: Sequence[Any]) -> None:
            groups.append(([event.type for event in events], [record.table for record in records]))
            super().commit(events, records)

    pipeline = Pipeline(Watching(), EventTypes(SYSTEM_TYPES), clock, Ids(clock))
    await pipeline.start()
    ledger = Ledger(pipeline)
    pipeline.emit(Draft("fault", {"where": "x", "message": "y"}, "hub"))
    ledger.record("user:a", "x.y", "camera.c1")
    await pipeline.settled()
    assert groups == [(["fault"], ["audit", "audit_last"])]


async def test_a_restart_continues_the_chain(
    ledger: Ledger, pipeline: Pipeline, clock: ManualClock, journal: MemoryJournal
) -> None:
    await write(ledger, pipeline, clock, 3)
    again = Ledger(pipeline)
    again.load()
    assert again.last == ledger.last
    await write(again, pipeline, clock, 1)
    assert verify(entries(journal)) == []
    assert len(entries(journal)) == 4


@pytest.mark.parametrize("detail", [{"x": float("nan")}, {"x": object()}, {"x": "y" * 20_000}])
async def test_what_is_no_json_or_too_large_is_refused_and_leaves_no_gap(
    ledger: Ledger, pipeline: Pipeline, journal: MemoryJournal, detail: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput):
        ledger.record("user:a", "x.y", "s", detail=detail)
    with pytest.raises(InvalidInput):
        ledger.record("user:a", "x.y", "s", personal=detail)
    ledger.record("user:a", "x.y", "s")
    await pipeline.settled()
    assert [row["n"] for row in entries(journal)] == [1]


async def test_details_are_kept_in_json_form(ledger: Ledger, pipeline: Pipeline, journal: MemoryJournal) -> None:
    ledger.record("user:a", "x.y", "s", None, {"t": (1, 2)})
    await pipeline.settled()
    (row,) = entries(journal)
    assert row["detail"] == {"t": [1, 2]}
    assert verify([row]) == []


@pytest.mark.parametrize("place", range(4))
async def test_half_a_character_is_refused_before_it_can_spoil_a_group(ledger: Ledger, place: int) -> None:
    words = ["user:a", "x.y", "s", "incident.7"]
    words[place] = "\ud800"
    with pytest.raises(InvalidInput):
        ledger.record(words[0], words[1], words[2], words[3])
