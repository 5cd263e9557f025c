"""Shares of private cameras: windows of the day, who is let in when, what survives, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.access.audit import Ledger, entries
from hub.access.roles import Roles
from hub.access.share import LONGEST_S, NEEDED, Share, clean_hours, minute, within
from hub.access.shares import MAX_EACH, MAX_WAITING, Shares
from hub.access.views import MAX_EACH as MAX_VIEWS
from hub.access.views import Views
from hub.core.access import Actor
from hub.core.clock import ManualClock
from hub.core.entity import Entity
from hub.core.error import Conflict, Denied, HubError, InvalidInput, LimitExceeded, NotFound
from hub.core.event import Draft
from hub.core.journal import MemoryJournal
from hub.core.pipeline import Pipeline
from hub.core.state import EntityState
from hub.core.text import Text

BANGKOK = ZoneInfo("Asia/Bangkok")
OWNER = Actor("user:shop", frozenset({"partner"}), owner="gold_shop_2", person=True)
OTHER = Actor("user:inn", frozenset({"partner"}), owner="hotel_1", person=True)
DESK = Actor("user:dao", frozenset({"ccoc"}), purpose="duty.ccoc_watch", person=True)
CHIEF = Actor("user:chief", frozenset({"commander"}), person=True)
CAM, SECOND, INN, STREET = "camera.shop_in", "camera.shop_back", "camera.inn", "camera.street"
DAY = 86_400.0


def bring_in(pipeline: Pipeline, name: str, owner: str | None, *, private: bool = True) -> None:
    made = Entity(name, Text("ก", "a"), ("camera",), owner=owner, attributes={"private": private})
    pipeline.emit(Draft("entity_added", {"description": made.describe("shop_cctv")}, "instance:shop_cctv", name))


@pytest.fixture
def ledger(pipeline: Pipeline) -> Ledger:
    return Ledger(pipeline)


@pytest.fixture
def shares(pipeline: Pipeline, ledger: Ledger) -> Shares:
    made = Shares(pipeline, ledger, BANGKOK)
    for name, owner in ((CAM, "gold_shop_2"), (SECOND, "gold_shop_2"), (INN, "hotel_1")):
        bring_in(pipeline, name, owner)
    bring_in(pipeline, STREET, "gold_shop_2", private=False)
    return made


@pytest.fixture
def roles(shares: Shares) -> Roles:
    return Roles(None, shares)


def state(pipeline: Pipeline, name: str = CAM) -> EntityState:
    found = pipeline.state.get(name)
    assert found is not None
    return found


def give(shares: Shares, clock: ManualClock, **changed: Any) -> Share:
    terms: dict[str, Any] = {
        "actor": OWNER, "cameras": [CAM], "kinds": ["live"], "to": ["role:ccoc"], "since": clock.now(),
        "until": clock.now() + DAY,
    }  # fmt: skip
    return shares.give(**{**terms, **changed})


# --- windows of the day


SECONDS = st.integers(1_700_000_000, 1_900_000_000)


@given(st.integers(0, 1439), st.integers(1, 1439), SECONDS)
def test_hours_are_those_of_bangkok_and_go_over_midnight(begin: int, length: int, at: int) -> None:
    end = (begin + length) % 1440
    hours = (f"{begin // 60:02}:{begin % 60:02}", f"{end // 60:02}:{end % 60:02}")
    now, wanted = (at + 7 * 3600) // 60 % 1440, False  # Thailand has one time, all year, since 1920
    step = begin
    while step != end:  # walk the minutes of the window: slow, and plainly right
        wanted = wanted or step == now
        step = (step + 1) % 1440
    assert within(hours, at, BANGKOK) is wanted


@given(SECONDS)
def test_a_window_and_its_complement_share_no_minute_and_miss_none(now: int) -> None:
    assert within(("20:00", "06:00"), now, BANGKOK) is not within(("06:00", "20:00"), now, BANGKOK)
    assert within(None, now, BANGKOK)


@pytest.mark.parametrize("clock", ["24:00", "7:00", "07:60", "0700", "", "aa:bb", "07:00:00", "๐๗:๐๐", "-1:00"])
def test_what_is_no_time_of_day(clock: str) -> None:
    with pytest.raises(InvalidInput, match="is no time of day"):
        minute(clock)


def test_hours_need_two_different_times() -> None:
    assert clean_hours(None) is None and clean_hours(["20:00", "06:00"]) == ("20:00", "06:00")
    for hours, said in ((["20:00"], "needs a beginning and an end"), (["20:00", "20:00"], "at the same time")):
        with pytest.raises(InvalidInput, match=said):
            clean_hours(hours)


# --- who is let in


async def test_without_a_share_nobody_but_the_owner_sees_a_private_camera(pipeline: Pipeline, roles: Roles) -> None:
    everything = Actor("user:root", grants=frozenset({"*"}), person=True)
    system = Actor("system", frozenset({"system"}))
    automation = Actor("automation:night", frozenset({"operator"}))
    for right in NEEDED:
        for who in (DESK, CHIEF, OTHER, everything, system, automation):
            assert not roles.may(who, right, state(pipeline)), (who.id, right)
        with pytest.raises(Denied, match="does not share"):
            roles.check(DESK, right, state(pipeline))
    assert all(roles.may(OWNER, right, state(pipeline)) for right in NEEDED if right != "camera.clip")
    assert roles.may(DESK, "camera.watch", state(pipeline, STREET))  # owned, but not private
    assert roles.may(DESK, "state.read", state(pipeline))  # that it is there is no secret


@pytest.mark.parametrize(
    ("kinds", "open_rights"),
    [
        (["live"], {"camera.watch"}), (["recorded"], {"camera.view", "camera.clip", "media.read"}),
        (["control"], {"camera.control"}), (["live", "recorded", "control"], set(NEEDED)),
    ],
)  # fmt: skip
async def test_a_share_opens_what_it_says_to_whom_it_says(
    pipeline: Pipeline, shares: Shares, roles: Roles, clock: ManualClock, kinds: list[str], open_rights: set[str]
) -> None:
    give(shares, clock, kinds=kinds)
    assert {right for right in NEEDED if roles.may(DESK, right, state(pipeline))} == open_rights
    assert not any(roles.may(CHIEF, right, state(pipeline)) for right in NEEDED)
    assert not any(roles.may(DESK, right, state(pipeline, SECOND)) for right in NEEDED)
    patrol = Actor("user:p", frozenset({"ccoc_trainee"}))
    assert not any(roles.may(patrol, right, state(pipeline)) for right in NEEDED)


async def test_a_share_gives_no_right_that_the_person_has_not(
    pipeline: Pipeline, shares: Shares, roles: Roles, clock: ManualClock
) -> None:
    give(shares, clock, kinds=["live", "recorded", "control"], to=["role:municipality", "user:inn"])
    for who in (Actor("user:lamp", frozenset({"municipality"})), OTHER):
        assert not any(roles.may(who, right, state(pipeline)) for right in NEEDED), who.id


async def test_it_holds_from_to_and_for_its_purpose(
    pipeline: Pipeline, shares: Shares, roles: Roles, clock: ManualClock
) -> None:
    now = clock.now()
    give(shares, clock, to=["user:dao"], since=now + 60, until=now + 120, purpose="incident.7")
    case = Actor("user:dao", frozenset({"ccoc"}), purpose="incident.7")

    def seen(who: Actor) -> bool:
        return roles.may(who, "camera.watch", state(pipeline))

    assert not seen(case)
    clock.advance(60)
    assert seen(case) and not seen(DESK)
    clock.advance(60)
    assert not seen(case)


async def test_hours_close_it_each_day(pipeline: Pipeline, shares: Shares, roles: Roles, clock: ManualClock) -> None:
    noon = datetime(2026, 11, 23, 12, 0, tzinfo=BANGKOK).timestamp()
    clock.advance(max(0.0, noon - clock.now()))
    start = clock.now()
    give(shares, clock, hours=["20:00", "06:00"], until=start + 3 * DAY)
    local = datetime.fromtimestamp(start, BANGKOK)
    seen = []
    for _ in range(48):
        if roles.may(DESK, "camera.watch", state(pipeline)):
            seen.append(datetime.fromtimestamp(clock.now(), BANGKOK).hour)
        clock.advance(3_600)
    assert local.minute == 0 and sorted(set(seen)) == [0, 1, 2, 3, 4, 5, 20, 21, 22, 23] and len(seen) == 20


async def test_what_was_private_stays_so_whatever_the_plugin_says_later(
    pipeline: Pipeline, roles: Roles, shares: Shares, journal: MemoryJournal
) -> None:
    told = {"attributes": {"private": False, "owner": "hotel_1"}}
    pipeline.emit(Draft("state_changed", told, "instance:shop_cctv", CAM))
    assert not roles.may(DESK, "camera.watch", state(pipeline)) and not roles.may(OTHER, "media.read", state(pipeline))
    pipeline.emit(Draft("entity_removed", {}, "hub", CAM))
    left = shares.gone(CAM)
    assert left is not None and not roles.may(DESK, "media.read", left) and roles.may(OWNER, "media.read", left)
    await pipeline.settled()
    shares.load()
    assert shares.gone(CAM) is not None and shares.cameras_of("hotel_1") == [INN]
    bring_in(pipeline, CAM, "gold_shop_2", private=False)  # the operator's configuration decides, and the ledger has it
    assert roles.may(DESK, "camera.watch", state(pipeline))
    await pipeline.settled()
    assert [entry["what"] for entry in entries(journal)].count("camera.private") == 4


# --- giving and taking back


async def test_taking_back_ends_it_at_once_and_is_told(
    pipeline: Pipeline, shares: Shares, roles: Roles, clock: ManualClock, journal: MemoryJournal
) -> None:
    told: list[bool] = []
    share = give(shares, clock)
    shares.on_change.append(lambda: told.append(roles.may(DESK, "camera.watch", state(pipeline))))
    with pytest.raises(NotFound):
        shares.revoke(OTHER, share.id)
    with pytest.raises(Denied, match="owns no camera"):
        shares.revoke(DESK, share.id)
    ended = shares.revoke(OWNER, share.id)
    assert (ended.ended, ended.ended_by, told) == (clock.now(), "user:shop", [False])
    assert shares.state_of(ended) == "revoked"
    with pytest.raises(NotFound, match="no such share"):
        shares.revoke(OWNER, share.id)
    await pipeline.settled()
    assert [entry["what"] for entry in entries(journal)][-2:] == ["share.given", "share.revoked"]


async def test_shares_survive_a_restart_and_old_ones_go(
    pipeline: Pipeline, shares: Shares, clock: ManualClock, ledger: Ledger
) -> None:
    short = give(shares, clock, until=clock.now() + 60, hours=["08:00", "17:00"], note="ตู้ทอง")
    long = give(shares, clock, until=clock.now() + 200 * DAY)
    await pipeline.settled()
    again = Shares(pipeline, ledger, BANGKOK)
    again.load()
    assert {one.id: one for one in again.of_owner("gold_shop_2")} == {short.id: short, long.id: long}
    clock.advance(61)
    assert [again.state_of(one) for one in again.of_owner("gold_shop_2")] == ["active", "ended"]
    clock.advance(91 * DAY)
    newest = give(again, clock)
    assert {one.id for one in again.of_owner("gold_shop_2")} == {long.id, newest.id}


async def test_a_request_is_answered_by_the_owner_once(
    pipeline: Pipeline, shares: Shares, roles: Roles, clock: ManualClock
) -> None:
    wish = shares.wish(DESK, [CAM], ["live"], clock.now() + DAY, "ทองหาย", purpose="incident.7")
    assert (wish.owner, wish.to, wish.state) == ("gold_shop_2", ("user:dao",), "waiting")
    with pytest.raises(NotFound):
        shares.answer(OTHER, wish.id, True)
    share = shares.answer(OWNER, wish.id, True)
    assert share is not None and (share.by, share.purpose, share.note) == ("user:shop", "incident.7", "ทองหาย")
    case = Actor("user:dao", frozenset({"ccoc"}), purpose="incident.7")
    assert roles.may(case, "camera.watch", state(pipeline))
    with pytest.raises(Conflict, match="answered already"):
        shares.answer(OWNER, wish.id, False)
    clock.advance(1)
    refused = shares.wish(DESK, [SECOND], ["recorded"], clock.now() + DAY, "อีกเรื่อง")
    assert shares.answer(OWNER, refused.id, False) is None
    assert [one.state for one in shares.wishes(by="user:dao")] == ["refused", "approved"]  # the newest first


@pytest.mark.parametrize(
    ("changed", "kind", "said"),
    [
        ({"cameras": []}, InvalidInput, "names 0 cameras"),
        ({"cameras": [f"camera.c{n}" for n in range(65)]}, InvalidInput, "names 65 cameras"),
        ({"cameras": [INN]}, Denied, "is no private camera of yours"),
        ({"cameras": [STREET]}, Denied, "is no private camera of yours"),
        ({"cameras": ["camera.*"]}, Denied, "is no private camera of yours"),
        ({"kinds": ["audio"]}, InvalidInput, "not among live, recorded, control"),
        ({"kinds": []}, InvalidInput, "not among live, recorded, control"),
        ({"to": []}, InvalidInput, "names 0 receivers"),
        ({"to": ["role:public"]}, InvalidInput, "nobody to share with"),
        ({"to": ["role:partner"]}, InvalidInput, "nobody to share with"),
        ({"to": ["role:system"]}, InvalidInput, "nobody to share with"),
        ({"to": ["everybody"]}, InvalidInput, "nobody to share with"),
        ({"to": ["user:" + "x" * 65]}, InvalidInput, "nobody to share with"),
        ({"until": 0.0}, InvalidInput, "ends before it begins"),
        ({"since": 0.0, "until": 10.0}, InvalidInput, "is in the past"),
        ({"until": 9e12}, InvalidInput, "is more than a year away"),
        ({"hours": ["25:00", "06:00"]}, InvalidInput, "is no time of day"),
        ({"purpose": "curiosity"}, InvalidInput, "is no purpose"),
        ({"note": "x" * 501}, InvalidInput, "longer than 500"),
        ({"actor": DESK}, Denied, "owns no camera"),
    ],
)
async def test_what_cannot_be_shared(
    shares: Shares, clock: ManualClock, changed: dict[str, Any], kind: type[HubError], said: str
) -> None:
    with pytest.raises(kind, match=said):
        give(shares, clock, **changed)
    assert shares.of_owner("gold_shop_2") == []


async def test_limits(shares: Shares, clock: ManualClock) -> None:
    for _ in range(MAX_EACH):
        give(shares, clock)
    with pytest.raises(LimitExceeded, match="200 shares"):
        give(shares, clock)
    for _ in range(MAX_WAITING):
        shares.wish(DESK, [CAM], ["live"], clock.now() + 60, "ขอดู")
    with pytest.raises(LimitExceeded, match="50 requests wait"):
        shares.wish(DESK, [CAM], ["live"], clock.now() + 60, "ขอดู")
    with pytest.raises(InvalidInput, match="says nothing"):
        shares.wish(DESK, [INN], ["live"], clock.now() + 60, "  ")
    for cameras in ([STREET], [CAM, INN], []):
        with pytest.raises(InvalidInput, match="private cameras of one owner"):
            shares.wish(DESK, cameras, ["live"], clock.now() + 60, "ขอดู")
    assert give(shares, clock, actor=OTHER, cameras=[INN], until=clock.now() + LONGEST_S).owner == "hotel_1"


# --- the list of views


@pytest.fixture
def views(pipeline: Pipeline, shares: Shares) -> Views:
    known: dict[str, Actor] = {who.id: who for who in (OWNER, DESK)}
    behind: Callable[[str], Actor] = lambda name: known.get(name, Actor(name))  # noqa: E731
    return Views(pipeline, shares, behind)


async def test_every_look_of_others_is_listed_with_who_how_long_and_why(
    pipeline: Pipeline, shares: Shares, views: Views, clock: ManualClock
) -> None:
    share = give(shares, clock)
    look = views.begin(DESK, state(pipeline), "live")
    assert look is not None and views.begin(OWNER, state(pipeline), "live") is None
    clock.advance(12.5)
    views.end(look)
    params: dict[str, Any] = {"action": "camera.snapshot", "key": "k", "actor": "user:dao", "params": {}}
    for actor in ("user:dao", "user:shop", "automation:x"):
        clock.advance(1)
        pipeline.emit(Draft("action_requested", params | {"actor": actor}, "hub", CAM))
    pipeline.emit(Draft("action_requested", params | {"action": "light.turn_on"}, "hub", CAM))
    await pipeline.settled()
    rows = views.of_owner("gold_shop_2")
    assert [(row["who"], row["kind"]) for row in rows] == [
        ("automation:x", "snapshot"), ("user:dao", "snapshot"), ("user:dao", "live"),
    ]  # fmt: skip
    last = rows[-1]
    assert (last["ended"] - last["began"], last["roles"], last["purpose"], last["share"]) == (
        12.5, ["ccoc"], "duty.ccoc_watch", share.id,
    )  # fmt: skip
    assert views.of_owner("hotel_1") == []
    again = Views(pipeline, shares, Actor)
    again.load()
    assert again.of_owner("gold_shop_2") == rows


async def test_the_list_is_bounded(pipeline: Pipeline, views: Views, journal: MemoryJournal) -> None:
    for _ in range(MAX_VIEWS + 5):
        views.begin(DESK, state(pipeline, STREET), "recorded", lasting=False)
    await pipeline.settled()
    assert len(views.of_owner("gold_shop_2")) == len(journal.records("camera_views")) == MAX_VIEWS
