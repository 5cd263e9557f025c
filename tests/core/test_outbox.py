"""What automations owe is tried again while its device is away, and lies among the dead letters when that was in vain.

The journal is a real SQLite file; "killed" leaves pipeline and actions as they are and builds new ones over that file.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random

import pytest

from hub.core import outbox
from hub.core.action import Call, Outcome
from hub.core.actions import OWED, Request
from hub.core.error import (
    ActionFailed,
    Conflict,
    Denied,
    HubError,
    InvalidInput,
    NotFound,
    StorageFailed,
    TimedOut,
)
from hub.core.outbox import DEAD
from tests.core.kit import SOON, turn
from tests.core.lamps import AWAY, OFFICER, STRANGER, Lot, Zone, words


@pytest.fixture
async def zone(tmp_path: Path) -> Zone:
    return await Zone(tmp_path).start()


async def test_a_device_that_is_away_twice_and_then_answers_gives_one_outcome_under_one_key(zone: Zone) -> None:
    began, zone.says = zone.clock.now(), [AWAY, TimedOut("no answer")]
    zone.owe("on", "run:0:1:lamp.a", level=30)
    waiter = zone.actions._owed["run:0:1:lamp.a"].waiter()
    await zone.tried(1)
    row = zone.row("run:0:1:lamp.a")
    assert (row["tries"], row["due"], row["error"]["message"]) == (1, began + 4, "the lamp is away")
    assert zone.finished() == [] and not waiter.done()
    await zone.next()
    assert zone.finished() == [] and not waiter.done() and zone.row("run:0:1:lamp.a")["due"] == began + 4 + 16
    await zone.next()
    assert (await waiter).status == "done"
    assert zone.calls == [("lamp.on", "run:0:1:lamp.a", began + after) for after in (0, 4, 20)]
    assert zone.finished() == [("run:0:1:lamp.a", "done")] and len(zone.events("action_requested")) == 1
    assert (zone.journal.records(OWED), zone.journal.records(DEAD), zone.events("action_gave_up")) == ([], [], [])


async def test_a_kill_between_two_tries_loses_none_and_begins_no_count_anew(zone: Zone) -> None:
    zone.says = [AWAY] * 2
    zone.owe("on", "k1")
    await zone.tried(1)
    await zone.next()
    due = zone.row("k1")["due"]
    second = await zone.killed()
    second.says = [AWAY] * 2
    assert second.row("k1")["tries"] == 2 and second.calls == []
    await second.next()
    assert second.calls == [("lamp.on", "k1", due)] and second.row("k1")["tries"] == 3
    third = await second.killed()
    third.says = [AWAY] * 2
    for _ in range(2):
        await third.next()
    assert await third.ended() == [("k1", "failed")]
    assert [len(one.calls) for one in (zone, second, third)] == [2, 1, 2]
    assert third.events("action_gave_up")[0]["tries"] == 5 and third.dead()[0].tries == 5


async def test_a_try_that_a_kill_cut_off_is_made_again_with_the_same_key(zone: Zone) -> None:
    zone.says = [AWAY]
    zone.owe("on", "k1")
    await zone.tried(1)
    hangs: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    begun = asyncio.Event()

    async def hang(call: Call) -> None:
        begun.set()
        await hangs

    zone.actions.attach("lamp.a", hang)
    zone.clock.advance(4)
    await asyncio.wait_for(begun.wait(), SOON)
    after = await zone.killed(attach=False, later=1.0)
    after.clock.advance(30)
    await turn()
    await after.pipeline.settled()
    assert after.calls == [] and after.row("k1")["tries"] == 1  # its plugin is still starting: that is no try
    after.attach()
    after.clock.advance(0)
    assert await after.ended() == [("k1", "done")] and [key for _, key, _ in after.calls] == ["k1"]


async def test_what_should_have_been_tried_before_its_time_ended_is_not_sent_after(zone: Zone) -> None:
    zone.says = [AWAY]
    zone.owe("on", "k1")
    await zone.tried(1)
    after = await zone.killed(later=901.0)
    after.clock.advance(0)
    assert await after.ended() == [("k1", "failed")]
    assert after.calls == [] and [words(entry) for entry in after.dead()] == ["the lamp is away"]


async def test_tries_that_are_used_up_leave_a_letter_that_a_person_sends_again(zone: Zone) -> None:
    letter = await zone.give_up("k1", "on")
    assert (letter.tries, words(letter), letter.call.actor) == (5, "the lamp is away", "automation:night")
    assert len(zone.calls) == 5 and zone.finished() == [("k1", "failed")]
    (told,) = zone.events("action_gave_up")
    assert (told["action"], told["key"], told["tries"], told["error"]["message"]) == (
        "lamp.on", "k1", 5, "the lamp is away",
    )  # fmt: skip
    assert told.keys() == {"action", "key", "tries", "error"}
    after = await zone.killed()
    assert [(entry.call.key, entry.tries, entry.call.params) for entry in after.dead()] == [("k1", 5, {"level": 100})]
    with pytest.raises(Denied, match=r"lamp\.control is missing"):
        after.actions.retry("k1", STRANGER)
    with pytest.raises(Denied):
        after.actions.discard("k1", STRANGER)
    assert len(after.dead()) == 1 and after.calls == []
    outcome = await after.actions.retry("k1", OFFICER)
    assert (outcome.status, [key for _, key, _ in after.calls]) == ("done", ["k1"])
    assert [one["actor"] for one in after.events("action_requested")] == ["automation:night", "user:noi"]
    assert after.dead() == [] and after.journal.records(DEAD) == [] and after.journal.records(OWED) == []
    with pytest.raises(NotFound):
        after.actions.retry("k1", OFFICER)


async def test_a_persons_try_is_one_try_and_its_failure_is_a_letter_again(zone: Zone) -> None:
    await zone.give_up("k1")
    zone.says = [ActionFailed("the fuse is out")]
    outcome = await zone.actions.retry("k1", OFFICER)
    assert (outcome.status, len(zone.calls)) == ("failed", 3)
    assert [(entry.tries, words(entry)) for entry in zone.dead()] == [(3, "the fuse is out")]
    assert [value["tries"] for _, value in zone.journal.records(DEAD)] == [3]
    zone.actions.discard("k1", OFFICER)
    await zone.pipeline.settled()
    assert zone.dead() == [] and zone.journal.records(DEAD) == []


@pytest.mark.parametrize(
    ("verb", "error"),
    [
        ("on", Denied("no")), ("on", InvalidInput("no")), ("on", NotFound("no")), ("on", Conflict("no")),
        ("on", ActionFailed("no")), ("toggle", AWAY), ("toggle", TimedOut("no")), ("toggle", StorageFailed("no")),
    ],
)  # fmt: skip
async def test_what_cannot_pass_or_may_not_be_repeated_is_tried_once(zone: Zone, verb: str, error: HubError) -> None:
    zone.says = [error]
    zone.owe(verb, "k1")
    assert await zone.ended() == [("k1", "failed")]
    assert zone.clock.next_due() is None and len(zone.calls) == 1 and zone.actions.outbox() == []


@pytest.mark.parametrize("error", [AWAY, TimedOut("late"), StorageFailed("the plugin's disk is full")])
async def test_what_may_pass_is_tried_again(zone: Zone, error: HubError) -> None:
    zone.says = [error]
    zone.owe("on", "k1")
    await zone.tried(1)
    await zone.next()
    assert await zone.ended() == [("k1", "done")] and len(zone.calls) == 2


async def test_who_waits_at_the_door_is_told_at_once(zone: Zone) -> None:
    zone.says = [AWAY]
    asked = zone.actions.call(Request("lamp.on", {}, OFFICER, "lamp.a"))
    outcome: Outcome = await asyncio.wait_for(asked, SOON)
    assert outcome.status == "failed" and zone.actions.outbox() == [] and zone.clock.next_due() is None


async def test_the_declaration_says_how_often_and_how_long(zone: Zone) -> None:
    assert (await zone.give_up("twice")).tries == 2 and len(zone.calls) == 2
    zone.says, began = [AWAY] * 5, zone.clock.now()
    zone.owe("moment", "short")  # 4 s later is within its 10 s, 16 s after that is not
    await zone.tried(3)
    await zone.next()
    await zone.ended(2)
    assert [at - began for _, key, at in zone.calls if key == "short"] == [0, 4]
    assert [entry.call.key for entry in zone.dead()] == ["short", "twice"]


async def test_a_dangerous_action_is_never_sent_after_its_60_seconds(zone: Zone) -> None:
    zone.says, began = [AWAY] * 5, zone.clock.now()
    zone.owe("flare", "k1")
    await zone.pipeline.settled()
    zone.clock.advance(30)
    answered = asyncio.ensure_future(zone.actions.answer("confirmation.k1", OFFICER, True))
    await zone.tried(1)
    await zone.next()
    await zone.next()
    assert (await asyncio.wait_for(answered, SOON)).status == "failed"
    assert [at - began for _, _, at in zone.calls] == [30, 34, 50]  # the next would be 64 s later
    assert len(zone.dead()) == 1
    again = await zone.actions.retry("k1", OFFICER)
    await zone.pipeline.settled()
    assert (again.status, again.confirmation, len(zone.calls)) == ("confirming", "confirmation.k1", 3)
    zone.clock.advance(60)
    await zone.ended(2)
    assert zone.finished()[-1] == ("k1", "expired") and len(zone.calls) == 3
    await zone.actions.retry("k1", OFFICER)
    zone.says = []
    assert (await zone.actions.answer("confirmation.k1", OFFICER, True)).status == "done" and zone.dead() == []


async def test_the_wait_is_drawn_by_the_injected_lot_only(zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> float:
        raise AssertionError("a lot of its own")

    monkeypatch.setattr("random.uniform", forbidden)
    monkeypatch.setattr("random.random", forbidden)
    zone.says, zone.lot.share, began = [AWAY] * 5, 0.0, zone.clock.now()
    zone.owe("on", "k1")
    await zone.tried(1)
    assert zone.lot.drawn == 1 and zone.row("k1")["due"] == began + 2
    zone.lot.share = 0.25
    await zone.next()
    assert zone.lot.drawn == 2 and zone.row("k1")["due"] == began + 2 + 10
    spread = {outbox.delay(3, Random(seed)) for seed in range(50)}
    assert len(spread) == 50 and min(spread) >= 32 and max(spread) <= 64
    assert outbox.delay(9, Lot()) == outbox.LONGEST_DELAY_S


async def test_a_retry_does_not_undo_what_was_done_later(zone: Zone) -> None:
    zone.says = [AWAY, AWAY, AWAY]
    zone.owe("on", "old", level=30)
    zone.owe("on", "same", level=100)
    zone.owe("on", "other", "lamp.b")
    await zone.tried(3)
    zone.clock.advance(1)
    assert (await zone.actions.call(Request("lamp.on", {}, OFFICER, "lamp.a", key="new"))).status == "done"
    assert await zone.ended(2) == [("new", "done"), ("old", "failed")]
    assert [words(entry) for entry in zone.dead()] == ["a later lamp.on was done first"]
    zone.clock.advance(5)
    assert {key for key, _ in await zone.ended(4)} == {"old", "new", "same", "other"}
    assert [key for _, key, _ in zone.calls].count("old") == 1


async def test_a_try_whose_record_was_lost_is_written_again_and_the_next_is_made_once(zone: Zone) -> None:
    zone.says, zone.journal.fail = [AWAY], 1
    zone.owe("on", "k1")
    with pytest.raises(StorageFailed):
        await zone.tried(1)
    await zone.pipeline.settled()
    assert zone.row("k1")["tries"] == 1
    await zone.next()
    assert await zone.ended() == [("k1", "done")] and len(zone.calls) == 2


async def test_a_letter_whose_sending_was_lost_is_still_there(zone: Zone) -> None:
    await zone.give_up("k1")
    zone.journal.fail = 2
    lost = await zone.actions.retry("k1", OFFICER)
    assert "nothing was done" in str(lost.error) and len(zone.calls) == 2
    assert [entry.call.key for entry in zone.dead()] == ["k1"]
    assert (await zone.actions.retry("k1", OFFICER)).status == "done"


async def test_a_waiting_call_can_be_taken_back(zone: Zone) -> None:
    zone.says = [AWAY]
    zone.owe("on", "k1")
    await zone.tried(1)
    with pytest.raises(Conflict, match="being tried"):
        zone.actions.retry("k1", OFFICER)
    zone.actions.discard("k1", OFFICER)
    assert await zone.ended() == [("k1", "refused")]
    assert zone.clock.next_due() is None and zone.actions.outbox() == [] and zone.journal.records(OWED) == []


async def test_the_newest_letters_stay(zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MAX_LETTERS", 2)
    for key in ("k1", "k3", "k2"):
        await zone.give_up(key)
        zone.clock.advance(1)
    assert [entry.call.key for entry in zone.dead()] == ["k2", "k3"]
    assert [key for key, _ in zone.journal.records(DEAD)] == ["k2", "k3"]
    after = await zone.killed()
    assert [entry.call.key for entry in after.dead()] == ["k2", "k3"]
    await after.give_up("k0")
    assert [entry.call.key for entry in after.dead()] == ["k0", "k2"]


async def test_one_dead_network_does_not_fill_the_outbox(zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MAX_WAITING", 1)
    zone.says = [AWAY] * 2
    zone.owe("on", "k1")
    zone.owe("on", "k2", "lamp.b")
    await zone.tried(2)
    assert await zone.ended() == [("k2", "failed")]
    assert [(entry.call.key, entry.due is None) for entry in zone.actions.outbox()] == [("k1", False), ("k2", True)]


async def test_a_letter_too_large_to_keep_is_seen_and_not_sent(zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MAX_LETTER_BYTES", 5)
    letter = await zone.give_up("k1", "on")
    assert (letter.whole, letter.call.params) == (False, {})
    with pytest.raises(Conflict, match="too large"):
        zone.actions.retry("k1", OFFICER)
