from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from hub.access.account import Account
from hub.access.accounts import Accounts
from hub.access.sessions import Session, Sessions, check_csrf, csrf_token
from hub.core.access import Actor
from hub.core.clock import ManualClock
from hub.core.error import Denied, StorageFailed, Unauthenticated
from hub.core.event import EventTypes
from hub.core.ids import Ids
from hub.core.journal import MemoryJournal, Record
from hub.core.pipeline import Pipeline

HERE = "10.0.0.5"
MINUTE = 60.0


@pytest.fixture
def somchai(accounts: Accounts) -> Account:
    return accounts.add("somchai", "three good words", ["ccoc"])


@pytest.fixture
def sessions(pipeline: Pipeline, accounts: Accounts) -> Sessions:
    return Sessions(pipeline, accounts)


def ended(sessions: Sessions, secret: str) -> bool:
    try:
        sessions.use(secret)
    except Unauthenticated:
        return True
    return False


async def test_a_session_is_durable_and_its_secret_is_not_in_the_journal(
    sessions: Sessions, somchai: Account, journal: MemoryJournal, clock: ManualClock
) -> None:
    secret, session = await sessions.open(somchai, HERE)
    assert len(secret) == 64
    rows = journal.records("sessions")
    assert rows == [(session.key, {
        "account": "somchai", "epoch": 0, "address": HERE, "opened": clock.now(), "seen": clock.now(), "display": False,
    })]  # fmt: skip
    assert secret not in json.dumps(rows)
    actor = sessions.actor(sessions.use(secret), "duty.ccoc_watch")
    assert actor == Actor("user:somchai", frozenset({"ccoc"}), purpose="duty.ccoc_watch", person=True)


async def test_it_ends_after_thirty_idle_minutes(sessions: Sessions, somchai: Account, clock: ManualClock) -> None:
    secret, _ = await sessions.open(somchai, HERE)
    clock.advance(30 * MINUTE - 1)
    assert not ended(sessions, secret)
    clock.advance(30 * MINUTE - 1)
    assert not ended(sessions, secret)
    clock.advance(30 * MINUTE)
    assert ended(sessions, secret)


async def test_it_ends_after_twelve_hours_however_busy(
    sessions: Sessions, somchai: Account, clock: ManualClock
) -> None:
    secret, session = await sessions.open(somchai, HERE)
    for _ in range(12 * 4 - 1):
        clock.advance(15 * MINUTE)
        assert not ended(sessions, secret)
    assert sessions.use(secret).expires() == session.opened + 12 * 3600
    clock.advance(15 * MINUTE)
    assert ended(sessions, secret)
    assert sessions.of("somchai") == []


async def test_the_wall_does_not_expire_and_is_nobody_in_person(
    sessions: Sessions, accounts: Accounts, clock: ManualClock
) -> None:
    wall = accounts.add("wall", "three good words", ["display"])
    secret, _ = await sessions.open(wall, HERE)
    clock.advance(400 * 86_400)
    actor = sessions.actor(sessions.use(secret))
    assert actor == Actor("user:wall", frozenset({"display"}), person=False)
    accounts.set_roles("wall", ["ccoc"])  # an endless session must not become an officer's
    assert ended(sessions, secret)


async def test_a_restart_signs_nobody_out(
    sessions: Sessions, somchai: Account, accounts: Accounts, pipeline: Pipeline, clock: ManualClock
) -> None:
    secret, _ = await sessions.open(somchai, HERE)
    clock.advance(20 * MINUTE)
    seen = sessions.use(secret)
    clock.advance(59)
    sessions.use(secret)  # not written: less than a minute since
    await pipeline.settled()
    again = Sessions(pipeline, accounts)
    again.load()
    assert again.of("somchai") == [seen]
    clock.advance(29 * MINUTE)
    assert not ended(again, secret)


async def test_the_last_sign_of_life_is_written_once_a_minute(
    sessions: Sessions, somchai: Account, pipeline: Pipeline, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, _ = await sessions.open(somchai, HERE)
    written: list[object] = []
    put = pipeline.put

    def watched(record: Record) -> None:
        written.append(record)
        put(record)

    monkeypatch.setattr(pipeline, "put", watched)
    for _ in range(600):
        clock.advance(1)
        sessions.use(secret)
    assert len(written) == 10


@pytest.mark.parametrize("change", ["disable", "password", "everywhere", "remove"])
async def test_it_ends_with_its_account(sessions: Sessions, somchai: Account, accounts: Accounts, change: str) -> None:
    secret, session = await sessions.open(somchai, HERE)
    told: list[Session] = []
    sessions.on_end.append(told.append)
    match change:
        case "disable":
            accounts.set_disabled("somchai", True)
        case "password":
            accounts.set_password("somchai", "four other good words")
        case "everywhere":
            accounts.sign_out_everywhere("somchai")
        case "remove":
            accounts.remove("somchai")
    assert not sessions.valid(session)
    with pytest.raises(Unauthenticated):
        sessions.actor(session)
    assert ended(sessions, secret)
    assert told == [session]
    if change == "disable":
        accounts.set_disabled("somchai", False)
        assert ended(sessions, secret)


async def test_new_roles_hold_at_the_next_request(sessions: Sessions, somchai: Account, accounts: Accounts) -> None:
    secret, session = await sessions.open(somchai, HERE)
    accounts.set_roles("somchai", ["patrol"])
    assert sessions.actor(sessions.use(secret)).roles == {"patrol"}
    assert sessions.valid(session)


async def test_sign_out(sessions: Sessions, somchai: Account, journal: MemoryJournal, pipeline: Pipeline) -> None:
    secret, _ = await sessions.open(somchai, HERE)
    other, _ = await sessions.open(somchai, HERE)
    sessions.close(secret)
    sessions.close(secret)
    await pipeline.settled()
    assert ended(sessions, secret)
    assert not ended(sessions, other)
    assert len(journal.records("sessions")) == 1


async def test_the_eleventh_session_ends_the_first(sessions: Sessions, somchai: Account, clock: ManualClock) -> None:
    secrets = []
    for _ in range(11):
        secrets.append((await sessions.open(somchai, HERE))[0])
        clock.advance(1)
    assert [ended(sessions, secret) for secret in secrets] == [True] + [False] * 10


async def test_all_sessions_are_limited(
    sessions: Sessions, accounts: Accounts, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.access.sessions.MAX_SESSIONS", 3)
    secrets = []
    for n in range(4):
        secrets.append((await sessions.open(accounts.add(f"u{n}", "three good words", []), HERE))[0])
        clock.advance(1)
    assert [ended(sessions, secret) for secret in secrets] == [True, False, False, False]


@pytest.mark.parametrize("secret", ["", "x", "0" * 64, "\ud800"])
def test_made_up_secrets(sessions: Sessions, secret: str) -> None:
    assert ended(sessions, secret)


async def test_csrf_token_belongs_to_one_session(sessions: Sessions, somchai: Account) -> None:
    one, _ = await sessions.open(somchai, HERE)
    two, _ = await sessions.open(somchai, HERE)
    check_csrf(one, csrf_token(one))
    assert one not in csrf_token(one)
    for wrong in (None, "", csrf_token(two), csrf_token(one)[:-1], "ก", "\ud800"):
        with pytest.raises(Denied, match="own page"):
            check_csrf(one, wrong)


async def test_a_session_that_was_not_committed_is_none(tmp_path: Path, clock: ManualClock, accounts: Accounts) -> None:
    class Full(MemoryJournal):
        full = False

        def commit(self, events: Sequence[Any], records: Sequence[Any]) -> None:
            if self.full:
                raise StorageFailed("disk full")
            super().commit(events, records)

    journal = Full()
    pipeline = Pipeline(journal, EventTypes(), clock, Ids(clock))
    await pipeline.start()
    somchai = accounts.add("somchai", "three good words", ["ccoc"])
    given: list[bytes] = []

    def random(size: int) -> bytes:
        given.append(bytes([len(given)]) * size)
        return given[-1]

    sessions = Sessions(pipeline, accounts, random_bytes=random)
    kept, _ = await sessions.open(somchai, HERE)
    clock.advance(30)
    sessions.use(kept)
    journal.full = True
    with pytest.raises(StorageFailed):
        await sessions.open(somchai, HERE)
    assert ended(sessions, given[1].hex())
    held: Mapping[str, float] = {s.account: s.seen for s in sessions.of("somchai")}
    assert held == {"somchai": clock.now()}  # the older one goes on, with its unwritten sign of life
