from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.access.grants import Grants
from hub.access.rights import ASSIGNABLE, LISTS, OWN, PATTERN_FORM, RIGHT_FORM, RIGHTS, ROLES, holders, matches
from hub.access.roles import Roles, roles_allow
from hub.capabilities import capability_actions
from hub.core.access import SYSTEM, Actor
from hub.core.clock import ManualClock
from hub.core.error import Denied, InvalidInput, LimitExceeded, NotFound, StorageFailed
from hub.core.event import EventTypes
from hub.core.ids import Ids
from hub.core.journal import MemoryJournal
from hub.core.pipeline import Pipeline
from hub.core.state import EntityState
from hub.core.system import Fault, StateChanged


def entity(name: str, owner: str | None = None) -> EntityState:
    return EntityState(name, "idle", {"owner": owner} if owner else {}, 0.0, 0.0, 1)


def actor(*roles: str, **more: Any) -> Actor:
    return Actor("user:somchai", frozenset(roles), **more)


SHOP = entity("camera.gold_shop_3", "gold_shop")
BANK = entity("camera.bank_1", "bank")


def test_every_right_in_the_table_is_spelled_right() -> None:
    for right in RIGHTS:
        assert RIGHT_FORM.fullmatch(right), right
    for role, patterns in {**ROLES, **OWN}.items():
        for pattern in patterns:
            assert PATTERN_FORM.fullmatch(pattern), (role, pattern)
            assert any(matches(pattern, right) for right in RIGHTS), f"{role}: {pattern} matches no right of the table"
    assert set(OWN) <= set(ROLES)


def test_every_right_has_a_holder_and_titles_in_both_languages() -> None:
    for right, title in RIGHTS.items():
        assert holders(right), right
        assert any("\u0e00" <= ch <= "\u0e7f" for ch in title.th), right
        assert title.en.isascii(), right


def test_the_actions_of_the_vocabulary_ask_for_rights_of_the_table() -> None:
    asked = {spec.right for spec in capability_actions().values()}
    assert asked <= set(RIGHTS)
    assert [right for right in sorted(asked) if not Roles().may(actor("ccoc"), right, BANK)] == []


@pytest.mark.parametrize(
    ("role", "can", "cannot"),
    [
        ("commander", "watchlist.approve user.manage audit.read drone.dispatch grant.manage", "plugin.manage"),
        ("ccoc", "incident.control drone.dispatch line.control event.emit unit.alert personal.read",
         "user.manage automation.publish watchlist.approve audit.read plugin.manage grant.manage"),
        ("operator", "automation.publish plugin.manage drone.dispatch event.emit",
         "user.manage watchlist.approve audit.read"),
        ("patrol", "incident.control unit.read personal.read",
         "drone.dispatch watchlist.control light.control event.emit"),
        ("municipality", "light.control state.read", "event.read media.read personal.read unit.read incident.read"),
        ("partner", "public.report", "state.read event.read media.read event.emit personal.read"),
        ("auditor", "audit.read event.read", "personal.read media.read unit.read incident.control user.manage"),
        ("technician", "plugin.manage system.manage", "personal.read media.read user.manage incident.read audit.read"),
        ("display", "state.read unit.read", "media.read personal.read event.emit incident.control audit.read"),
        ("public", "public.read public.report", "state.read event.read media.read"),
    ],
)  # fmt: skip
def test_what_each_role_may_and_may_not(role: str, can: str, cannot: str) -> None:
    roles = Roles()
    assert [r for r in can.split() if not roles.may(actor(role), r)] == []
    assert [r for r in cannot.split() if roles.may(actor(role), r)] == []


def test_the_wall_only_reads() -> None:
    assert {pattern.partition(".")[2] for pattern in ROLES["display"]} == {"read", "watch"}


def test_no_account_may_be_the_system_and_the_system_may_all() -> None:
    assert "system" not in ASSIGNABLE
    assert Roles().may(SYSTEM, "drone.dispatch", BANK)
    assert [role for role, patterns in ROLES.items() if "*" in patterns] == ["system"]


@given(st.from_regex(RIGHT_FORM, fullmatch=True), st.sampled_from(sorted(ROLES.keys() - {"system"})))
def test_deny_by_default(right: str, role: str) -> None:
    expected = any(
        pattern == right
        or (pattern.endswith(".*") and right.split(".")[0] == pattern[:-2])
        or (pattern.startswith("*.") and right.split(".")[1] == pattern[2:])
        for pattern in ROLES[role]
    )
    assert Roles().may(actor(role), right, BANK) is expected


@given(st.from_regex(RIGHT_FORM, fullmatch=True))
def test_who_has_no_role_or_an_unknown_one_has_no_right(right: str) -> None:
    assert not Roles().may(actor(), right)
    assert not Roles().may(actor("general", "ccoc.*", "*"), right)


def test_denied_names_the_right_and_who_has_it() -> None:
    with pytest.raises(Denied) as denied:
        Roles().check(actor("patrol"), "watchlist.approve")
    assert denied.value.as_data() == {
        "code": "denied", "message": "user:somchai lacks the right watchlist.approve", "where": "watchlist.approve",
        "hint": "roles that have it: commander",
    }  # fmt: skip
    with pytest.raises(Denied, match="no role has it; it needs a grant"):
        Roles().check(actor("commander"), "vault.open", BANK)


def test_a_partner_sees_only_its_own() -> None:
    roles, partner = Roles(), actor("partner", owner="gold_shop")
    assert roles.may(partner, "camera.view", SHOP)
    assert not roles.may(partner, "camera.view", BANK)
    assert not roles.may(partner, "camera.view", entity("camera.nobodys"))
    assert not roles.may(partner, "camera.view")
    assert roles.may(partner, "state.read")  # a list, which the caller filters
    assert roles.may_some(partner, "camera.view")
    assert roles.may(partner, "media.read", SHOP) and not roles.may(partner, "media.read", BANK)
    assert not roles.may(partner, "media.read")  # what came from nowhere is not theirs
    assert roles.may(partner, "camera.watch", SHOP) and not roles.may(partner, "camera.watch", BANK)
    assert not roles.may_some(partner, "personal.read")
    assert {right for right in RIGHTS if right in LISTS} == {"state.read", "event.read"}


def test_a_partner_without_owner_does_not_own_what_has_no_owner() -> None:
    assert not Roles().may(actor("partner"), "state.read", entity("camera.nobodys"))
    assert not Roles().may(actor("partner"), "state.read")
    assert not Roles().may_some(actor("partner"), "state.read")


def test_emit_only_the_granted_type_and_only_for_own_entities() -> None:
    roles = Roles()
    camera = Actor("token:ab", grants=frozenset({"event.emit:plate_read"}), owner="gold_shop")
    assert roles.may_emit(camera, "plate_read", SHOP)
    assert not roles.may_emit(camera, "plate_read", BANK)
    assert not roles.may_emit(camera, "plate_read")
    assert not roles.may_emit(camera, "sos_raised", SHOP)
    assert not roles.may(camera, "event.emit", SHOP)
    assert roles.may_some(camera, "event.emit")
    unowned = replace(camera, owner=None)
    assert roles.may_emit(unowned, "plate_read", BANK)
    assert roles.may_emit(actor("operator"), "anything", BANK)


def test_nobody_emits_what_the_hub_itself_makes() -> None:
    with pytest.raises(Denied, match="fault is made by the hub itself"):
        Roles().check_emit(actor("operator"), Fault.type)
    Roles().check_emit(actor("operator"), StateChanged.type, BANK)
    with pytest.raises(Denied, match=r"lacks the right event\.emit:state_changed"):
        Roles().check_emit(actor("patrol"), StateChanged.type, BANK)


def test_narrowing_never_widens() -> None:
    assert roles_allow(["ccoc"], "incident.*")
    assert roles_allow(["operator"], "event.emit:plate_read")
    assert not roles_allow(["patrol"], "incident.*")
    assert not roles_allow(["ccoc"], "*.read")
    assert not roles_allow(["commander"], "*")


# --- grants

NIGHT = 8 * 3600.0


async def test_a_grant_holds_for_its_entities_and_its_time(pipeline: Pipeline, clock: ManualClock) -> None:
    grants = Grants(pipeline)
    roles, now, somchai = Roles(grants), clock.now(), actor("municipality")
    grants.give("user:somchai", ["media.read"], "camera.gold_*", now + 60, now + NIGHT, "user:owner")
    assert not roles.may(somchai, "media.read", SHOP)  # not yet
    clock.advance(60)
    assert roles.may(somchai, "media.read", SHOP)
    assert not roles.may(somchai, "media.read", BANK)
    assert not roles.may(somchai, "media.read")
    assert roles.may_some(somchai, "media.read")
    assert not roles.may(somchai, "camera.control", SHOP)
    assert not roles.may(replace(somchai, id="user:other"), "media.read", SHOP)
    clock.advance(NIGHT - 60 - 0.001)
    assert roles.may(somchai, "media.read", SHOP)
    clock.advance(0.001)
    assert not roles.may(somchai, "media.read", SHOP)
    assert grants.all() == []


async def test_a_grant_to_a_role_for_one_purpose(pipeline: Pipeline, clock: ManualClock) -> None:
    grants = Grants(pipeline)
    roles, now = Roles(grants), clock.now()
    grant = grants.give("role:municipality", ["event.*"], "*", now, now + NIGHT, "user:chief", purpose="incident.7")
    assert roles.may(actor("municipality", purpose="incident.7"), "event.read")
    assert not roles.may(actor("municipality"), "event.read")
    assert not roles.may(actor("municipality", purpose="incident.8"), "event.read")
    assert not roles.may(actor("technician", purpose="incident.7"), "event.emit")
    assert grants.revoke(grant.id) == grant
    assert not roles.may(actor("municipality", purpose="incident.7"), "event.read")
    with pytest.raises(NotFound):
        grants.revoke(grant.id)


async def test_grants_survive_a_restart_and_ended_ones_are_dropped(
    pipeline: Pipeline, clock: ManualClock, journal: MemoryJournal
) -> None:
    grants, now = Grants(pipeline), clock.now()
    short = grants.give("user:a", ["media.read"], "*", now, now + 10, "user:chief")
    long = grants.give("user:a", ["media.read"], "*", now, now + NIGHT, "user:chief")
    await pipeline.settled()
    again = Grants(pipeline)
    again.load()
    assert again.all() == [short, long]
    clock.advance(11)
    third = again.give("user:b", ["light.*"], "light.*", clock.now(), clock.now() + NIGHT, "user:chief")
    await pipeline.settled()
    assert {key for key, _ in journal.records("grants")} == {long.id, third.id}


async def test_a_grant_that_was_not_committed_is_none(clock: ManualClock) -> None:
    class Full(MemoryJournal):
        def commit(self, events: Any, records: Any) -> None:
            raise StorageFailed("disk full")

    pipeline = Pipeline(Full(), EventTypes(), clock, Ids(clock))
    await pipeline.start()
    grants = Grants(pipeline)
    grants.give("user:somchai", ["media.read"], "*", clock.now(), clock.now() + 10, "user:chief")
    with pytest.raises(StorageFailed):
        await pipeline.settled()
    assert not Roles(grants).may(actor(), "media.read")


@pytest.mark.parametrize(
    ("who", "rights", "glob", "length", "where"),
    [
        ("somchai", ["media.read"], "*", 1.0, "who"),
        ("user:", ["media.read"], "*", 1.0, "who"),
        ("user:a", [], "*", 1.0, "rights"),
        ("user:a", ["*"], "*", 1.0, "rights"),
        ("user:a", ["Media.Read"], "*", 1.0, "rights"),
        ("user:a", ["media.read"], "", 1.0, "entities"),
        ("user:a", ["media.read"], "*", 0.0, "until"),
        ("user:a", ["media.read"], "*", 400 * 86_400.0, "until"),
    ],
)
async def test_senseless_grants_are_refused(
    pipeline: Pipeline, clock: ManualClock, who: str, rights: list[str], glob: str, length: float, where: str
) -> None:
    with pytest.raises(InvalidInput) as wrong:
        Grants(pipeline).give(who, rights, glob, clock.now(), clock.now() + length, "user:chief")
    assert wrong.value.where == where


async def test_grants_are_limited(pipeline: Pipeline, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.access.grants.MAX_GRANTS", 2)
    grants, now = Grants(pipeline), clock.now()
    for _ in range(2):
        grants.give("user:a", ["media.read"], "*", now, now + 10, "user:chief")
    with pytest.raises(LimitExceeded):
        grants.give("user:a", ["media.read"], "*", now, now + 10, "user:chief")
    clock.advance(10)
    grants.give("user:a", ["media.read"], "*", clock.now(), clock.now() + 10, "user:chief")
