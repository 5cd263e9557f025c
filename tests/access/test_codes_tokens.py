"""Codes of authenticator apps, the wall's PIN, and API tokens."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from hub.access import totp
from hub.access.accounts import Accounts
from hub.core.access import Actor
from hub.core.clock import ManualClock
from hub.core.error import InvalidInput, LimitExceeded, Unauthenticated

GOOD = "สามคำ ที่จำ ได้ดี"
ROOT = Path(__file__).parents[2]
HERE, THERE = "10.0.0.5", "10.0.0.66"


async def refusal(accounts: Accounts, name: str, password: str, address: str = HERE, code: str | None = None) -> Any:
    with pytest.raises((Unauthenticated, LimitExceeded)) as refused:
        await accounts.sign_in(name, password, address, code)
    return refused.value.as_data()


# --- codes

# RFC 6238 appendix B, SHA-1: time, eight digits
VECTORS = [
    (59, "94287082"), (1111111109, "07081804"), (1111111111, "14050471"), (1234567890, "89005924"),
    (2000000000, "69279037"), (20000000000, "65353130"),
]  # fmt: skip


@pytest.mark.parametrize(("now", "digits"), VECTORS)
def test_totp_vectors_of_the_rfc(now: int, digits: str) -> None:
    secret = b"12345678901234567890"
    assert totp.code(secret, now // 30, digits=8) == digits
    assert totp.match(secret, digits[2:], now) == now // 30


# RFC 4226 appendix D
def test_hotp_vectors_of_the_rfc() -> None:
    expected = "755224 287082 359152 969429 338314 254676 287922 162583 399871 520489".split()
    assert [totp.code(b"12345678901234567890", n) for n in range(10)] == expected


def test_a_code_is_not_taken_twice() -> None:
    secret, now = b"s" * 20, 1_700_000_010.0
    step = int(now // 30)
    assert totp.match(secret, totp.code(secret, step), now, last_used=step - 1) == step
    assert totp.match(secret, totp.code(secret, step), now, last_used=step) is None
    assert totp.match(secret, totp.code(secret, step - 1), now, last_used=step) is None


def test_totp_drift_is_one_step() -> None:
    secret, now = b"s" * 20, 1_700_000_010.0
    step = int(now // 30)
    taken = [offset for offset in range(-4, 5) if totp.match(secret, totp.code(secret, step + offset), now) is not None]
    assert taken == [-1, 0, 1]
    assert totp.match(secret, "", now) is None
    assert totp.match(secret, "๑๒๓๔๕๖", now) is None


def test_totp_address_for_authenticator_apps() -> None:
    assert totp.uri(b"12345678901234567890", "สม", "Safe Zone") == (
        "otpauth://totp/Safe%20Zone:%E0%B8%AA%E0%B8%A1?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Safe+Zone"
        "&digits=6&period=30"
    )
    assert totp.decode(totp.encode(b"0123456")) == b"0123456"


async def test_a_code_is_asked_once_the_app_has_shown_one(accounts: Accounts, clock: ManualClock) -> None:
    accounts.add("somchai", GOOD, ["ccoc"])
    secret, address = accounts.new_totp("somchai")
    assert f"secret={secret}&" in address
    await accounts.sign_in("somchai", GOOD, HERE)  # not yet in force
    with pytest.raises(InvalidInput, match="does not fit"):
        accounts.confirm_totp("somchai", secret, "000000")
    with pytest.raises(InvalidInput, match="base 32"):
        accounts.confirm_totp("somchai", "!!", "000000")

    def shown() -> str:
        return totp.code(totp.decode(secret), int(clock.now() // 30))

    accounts.confirm_totp("somchai", secret, shown())
    assert (await refusal(accounts, "somchai", GOOD))["message"] == "name, password or code is wrong"
    assert await refusal(accounts, "somchai", GOOD, code=shown())  # used when it was confirmed
    clock.advance(60)
    assert (await accounts.sign_in("somchai", GOOD, HERE, shown())).totp is not None
    assert await refusal(accounts, "somchai", GOOD, code=shown())  # a code read over the shoulder
    accounts.remove_totp("somchai")
    await accounts.sign_in("somchai", GOOD, HERE)


async def test_of_two_who_give_the_same_code_at_once_one_is_refused(accounts: Accounts, clock: ManualClock) -> None:
    accounts.add("somchai", GOOD, ["ccoc"])
    secret, _ = accounts.new_totp("somchai")
    step = int(clock.now() // 30)
    accounts.confirm_totp("somchai", secret, totp.code(totp.decode(secret), step))
    clock.advance(60)
    shown = totp.code(totp.decode(secret), step + 2)
    tries = [accounts.sign_in("somchai", GOOD, f"10.0.0.{n}", shown) for n in range(2)]
    found = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(f).__name__ for f in found) == ["Account", "Unauthenticated"]


async def test_the_pin_of_the_wall(accounts: Accounts) -> None:
    accounts.add("somchai", GOOD, ["ccoc"])
    with pytest.raises(Unauthenticated):
        await accounts.check_pin("somchai", "583920", HERE)  # none is set
    accounts.set_pin("somchai", "583920")
    assert (await accounts.check_pin("somchai", "583920", HERE)).actor().person is True
    for _ in range(5):
        with pytest.raises(Unauthenticated, match="name or PIN is wrong"):
            await accounts.check_pin("somchai", "583921", HERE)
    with pytest.raises(LimitExceeded):
        await accounts.check_pin("somchai", "583920", HERE)
    await accounts.sign_in("somchai", GOOD, HERE)  # the desk is not the wall


# --- tokens


def test_a_token_acts_with_the_accounts_roles_and_is_no_person(accounts: Accounts) -> None:
    accounts.add("somchai", GOOD, ["operator"])
    bearer, token = accounts.add_token("somchai", title="script")
    assert bearer.startswith(f"szh_{token.id}_")
    assert len(bearer.split("_")[2]) == 64
    assert accounts.token_actor(bearer) == Actor(f"token:{token.id}", frozenset({"operator"}), person=False)
    assert [t.title for t in accounts.tokens("somchai")] == ["script"]
    accounts.set_roles("somchai", ["patrol"])
    assert accounts.token_actor(bearer).roles == {"patrol"}


def test_a_narrowed_token_has_only_what_the_account_has_too(accounts: Accounts) -> None:
    accounts.add("shop", GOOD, ["partner"], owner="gold_shop", grants=["event.emit:sos_raised"])
    bearer, token = accounts.add_token(
        "shop", grants=["event.emit:sos_raised", "event.emit", "camera.view", "user.manage"]
    )
    assert accounts.token_actor(bearer) == Actor(
        f"token:{token.id}", frozenset(), "gold_shop", frozenset({"event.emit:sos_raised", "camera.view"})
    )
    accounts.set_grants("shop", [])
    assert accounts.token_actor(bearer).grants == {"camera.view"}
    with pytest.raises(InvalidInput, match="is no right"):
        accounts.add_token("shop", grants=["*"])


async def test_every_token_that_is_not_valid_gets_the_same_answer(accounts: Accounts, clock: ManualClock) -> None:
    accounts.add("somchai", GOOD, ["ccoc"])
    bearer, token = accounts.add_token("somchai", expires=clock.now() + 60)
    revoked, gone = accounts.add_token("somchai")
    accounts.revoke_token(gone.id)
    wrong = [
        "",
        "szh",
        "szh__",
        f"szh_{token.id}_",
        f"szh_{token.id}_{'0' * 64}",
        f"xxx{bearer[3:]}",
        revoked,
        "\ud800_\ud800_\ud800",
    ]
    answers = []
    assert accounts.token_actor(bearer).roles == {"ccoc"}
    for bad in wrong:
        with pytest.raises(Unauthenticated) as refused:
            accounts.token_actor(bad)
        answers.append(refused.value.as_data())
    clock.advance(60)
    with pytest.raises(Unauthenticated) as refused:
        accounts.token_actor(bearer)
    assert answers == [refused.value.as_data()] * len(wrong)


def test_a_disabled_accounts_token_stops(accounts: Accounts) -> None:
    accounts.add("somchai", GOOD, ["ccoc"])
    bearer, _ = accounts.add_token("somchai")
    accounts.set_disabled("somchai", True)
    with pytest.raises(Unauthenticated):
        accounts.token_actor(bearer)
    accounts.set_disabled("somchai", False)
    assert accounts.token_actor(bearer).roles == {"ccoc"}


def test_tokens_are_limited_and_end(accounts: Accounts, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.access.accounts.MAX_TOKENS_EACH", 2)
    accounts.add("somchai", GOOD, ["ccoc"])
    for _ in range(2):
        accounts.add_token("somchai", expires=clock.now() + 10)
    with pytest.raises(LimitExceeded):
        accounts.add_token("somchai")
    clock.advance(10)
    accounts.add_token("somchai")
    assert len(accounts.tokens("somchai")) == 1
    for expires in (clock.now(), clock.now() + 6 * 366 * 86_400):
        with pytest.raises(InvalidInput):
            accounts.add_token("somchai", expires=expires)
