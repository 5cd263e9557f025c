from __future__ import annotations

import asyncio
import json
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from hub.access import totp
from hub.access.accounts import Accounts
from hub.access.passwords import Hasher, check_password, check_pin
from hub.core.access import Actor
from hub.core.clock import ManualClock
from hub.core.error import Conflict, InvalidInput, LimitExceeded, NotFound, StorageFailed, Unauthenticated

GOOD = "สามคำ ที่จำ ได้ดี"
ROOT = Path(__file__).parents[2]
HERE, THERE = "10.0.0.5", "10.0.0.66"


async def refusal(accounts: Accounts, name: str, password: str, address: str = HERE, code: str | None = None) -> Any:
    with pytest.raises((Unauthenticated, LimitExceeded)) as refused:
        await accounts.sign_in(name, password, address, code)
    return refused.value.as_data()


async def test_sign_in_gives_a_person_with_the_accounts_roles(accounts: Accounts, clock: ManualClock) -> None:
    accounts.add("Somchai", GOOD, ["ccoc", "patrol"], grants=["event.emit:sos_raised"], title="ด.ต. สมชาย")
    account = await accounts.sign_in(" SOMCHAI", GOOD, HERE)
    assert account.actor("duty.patrol") == Actor(
        "user:somchai", frozenset({"ccoc", "patrol"}), None, frozenset({"event.emit:sos_raised"}), "duty.patrol", True
    )
    assert account.public() == {
        "name": "somchai", "title": "ด.ต. สมชาย", "roles": ["ccoc", "patrol"], "owner": None,
        "grants": ["event.emit:sos_raised"], "disabled": False, "made": clock.now(), "pin": False, "totp": False,
    }  # fmt: skip


async def test_the_same_answer_whatever_is_wrong(accounts: Accounts) -> None:
    accounts.add("somchai", GOOD, ["ccoc"])
    accounts.add("gone", GOOD, ["ccoc"])
    accounts.set_disabled("gone", True)
    answers = [
        await refusal(accounts, "somchai", "wrong password"),
        await refusal(accounts, "nobody", GOOD),
        await refusal(accounts, "gone", GOOD),
        await refusal(accounts, "", ""),
    ]
    assert answers == [answers[0]] * 4
    assert answers[0]["code"] == "unauthenticated"
    assert answers[0]["message"] == "name, password or code is wrong"


async def test_an_unknown_account_takes_as_long_as_a_known_one() -> None:
    hasher = Hasher(memory_kib=8192, passes=2)
    encoded = hasher.hash(GOOD)
    hasher.verify(None, "warm up")

    def fastest(known: str | None) -> float:
        times = []
        for _ in range(7):
            begun = time.perf_counter()
            assert not hasher.verify(known, "wrong password")
            times.append(time.perf_counter() - begun)
        return min(times)

    known, unknown = fastest(encoded), fastest(None)
    assert 0.5 < unknown / known < 2.0  # without the dummy hash it is below 0.01


def test_nothing_fits_where_no_secret_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda: "the dummy's own secret")
    assert not Hasher(memory_kib=64, passes=1).verify(None, "the dummy's own secret")
    assert not Hasher(memory_kib=64, passes=1).verify("no hash at all", "x")


def test_nothing_in_the_file_can_be_used_to_sign_in(accounts: Accounts, tmp_path: Path) -> None:
    accounts.add("somchai", GOOD, ["ccoc"])
    bearer, _ = accounts.add_token("somchai")
    accounts.set_pin("somchai", "583920")
    text = (tmp_path / "accounts.json").read_text()
    assert GOOD not in text
    assert bearer.split("_")[2] not in text
    assert "583920" not in text
    assert json.loads(text)["accounts"]["somchai"]["password"].startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert stat.S_IMODE((tmp_path / "accounts.json").stat().st_mode) == 0o600
    assert sorted(p.name for p in tmp_path.iterdir()) == ["accounts.json", "accounts.json.lock"]


def test_the_hubs_own_parameters_are_argon2id_above_the_least() -> None:
    assert Hasher().hash("x" * 10).startswith("$argon2id$v=19$m=19456,t=3,p=1$")


async def test_a_hash_of_weaker_parameters_is_renewed_at_sign_in(tmp_path: Path, clock: ManualClock) -> None:
    Accounts(tmp_path, clock, hasher=Hasher(memory_kib=64, passes=1)).add("somchai", GOOD, ["ccoc"])
    account = await Accounts(tmp_path, clock, hasher=Hasher(memory_kib=128, passes=1)).sign_in("somchai", GOOD, HERE)
    assert "m=128" in account.password


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("short", "has 5 characters"),
        ("x" * 257, "longer than 256"),
        ("Somchai12345", "little more than the account's name"),
        ("somchaisomchai", "little more than the account's name"),
    ],
)
def test_password_rules(password: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        check_password(password, "somchai")


def test_a_good_password_may_contain_the_name() -> None:
    check_password("somchai likes rain", "somchai")
    check_password("a" * 10, "b")


@pytest.mark.parametrize("pin", ["12345", "123456", "987654", "000000", "12345a", "1234567890123", "๑๒๓๔๕๗"])
def test_pin_rules(pin: str) -> None:
    with pytest.raises(InvalidInput):
        check_pin(pin)


@pytest.mark.parametrize("name", ["", "  ", "a b", "user:x", "../x", "a/b", "x" * 65, "a\n"])
def test_names_that_cannot_be(accounts: Accounts, name: str) -> None:
    if name == "a\n":
        assert accounts.add(name, GOOD, []).name == "a"  # white space around is a slip of the hand
        return
    with pytest.raises(InvalidInput):
        accounts.add(name, GOOD, [])


def test_a_name_is_taken_in_whatever_case_or_form(accounts: Accounts) -> None:
    accounts.add("กำนัน", GOOD, ["partner"], owner="village_3")
    accounts.add("René", GOOD, [])
    for again in ("กำนัน", "RENÉ", "rene\u0301"):
        with pytest.raises(Conflict):
            accounts.add(again, GOOD, [])
    assert [a.name for a in accounts.all()] == ["rené", "กำนัน"]


@pytest.mark.parametrize(
    ("roles", "owner", "words"),
    [
        (["system"], None, "no role 'system'"),
        (["public"], None, "no role 'public'"),
        (["general"], None, "no role 'general'"),
        (["partner"], None, "needs an owner"),
        (["display", "ccoc"], None, "no other role"),
    ],
)
def test_roles_that_no_account_may_have(accounts: Accounts, roles: list[str], owner: str | None, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        accounts.add("somchai", GOOD, roles, owner=owner)
    assert accounts.all() == []


def test_another_process_adds_an_account_and_the_hub_sees_it(accounts: Accounts, tmp_path: Path) -> None:
    accounts.add("first", GOOD, ["ccoc"])
    code = (
        "import sys; from pathlib import Path; from hub.access.accounts import Accounts; "
        "from hub.core.clock import SystemClock; "
        "Accounts(Path(sys.argv[1]), SystemClock()).add('second', 'long enough words', ['operator'])"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, timeout=60, cwd=ROOT)
    assert [a.name for a in accounts.all()] == ["first", "second"]
    assert accounts.need("second").roles == {"operator"}


def test_many_processes_change_the_file_and_none_is_lost(tmp_path: Path, accounts: Accounts) -> None:
    code = (
        "import sys; from pathlib import Path; from hub.access.jsonfile import JsonFile\n"
        "for n in range(40):\n"
        "    with JsonFile(Path(sys.argv[1])).change() as data: data[f'{sys.argv[2]}-{n}'] = n\n"
    )
    path = tmp_path / "counted.json"
    running = [subprocess.Popen([sys.executable, "-c", code, str(path), str(i)], cwd=ROOT) for i in range(3)]
    assert [p.wait(60) for p in running] == [0, 0, 0]
    assert len(json.loads(path.read_text())) == 120


def test_an_error_inside_a_change_leaves_the_file_as_it_was(accounts: Accounts, tmp_path: Path) -> None:
    accounts.add("somchai", GOOD, ["ccoc"])
    before = (tmp_path / "accounts.json").read_bytes()
    with pytest.raises(NotFound):
        accounts.set_disabled("nobody", True)
    assert (tmp_path / "accounts.json").read_bytes() == before


@pytest.mark.parametrize("text", ['{"accounts": {', "[]", '{"accounts": {"a": {"name": "a"}}}'])
async def test_a_damaged_file_is_named_and_not_overwritten(tmp_path: Path, accounts: Accounts, text: str) -> None:
    path = tmp_path / "accounts.json"
    path.write_text(text)
    with pytest.raises(StorageFailed) as failed:
        await accounts.sign_in("somchai", GOOD, HERE)
    assert failed.value.where == str(path)
    assert "backup" in failed.value.hint
    assert path.read_text() == text


def test_removed_with_its_tokens(accounts: Accounts) -> None:
    accounts.add("somchai", GOOD, ["ccoc"])
    accounts.add("other", GOOD, ["ccoc"])
    bearer, _ = accounts.add_token("somchai")
    kept, _ = accounts.add_token("other")
    accounts.remove("somchai")
    with pytest.raises(Unauthenticated):
        accounts.token_actor(bearer)
    assert accounts.token_actor(kept).roles == {"ccoc"}
    with pytest.raises(NotFound):
        accounts.remove("somchai")


# --- guessing


async def test_the_delay_grows_and_passes(accounts: Accounts, clock: ManualClock) -> None:
    accounts.add("somchai", GOOD, ["ccoc"])
    for _ in range(5):
        assert (await refusal(accounts, "somchai", "wrong"))["code"] == "unauthenticated"
    waits = []
    for _ in range(12):
        assert (await refusal(accounts, "somchai", GOOD))["code"] == "limit"  # even the right password waits
        waited = 0
        while (await refusal(accounts, "somchai", "wrong"))["code"] == "limit":
            clock.advance(1)
            waited += 1
        waits.append(waited)
    assert waits[:8] == [2, 4, 8, 16, 32, 64, 128, 256]
    assert waits[-1] == 900
    clock.advance(900)
    assert (await accounts.sign_in("somchai", GOOD, HERE)).name == "somchai"


async def test_an_unknown_name_is_slowed_down_in_the_same_way(accounts: Accounts) -> None:
    accounts.add("somchai", GOOD, ["ccoc"])
    known = [await refusal(accounts, "somchai", "wrong", HERE) for _ in range(6)]
    unknown = [await refusal(accounts, "nobody", "wrong", THERE) for _ in range(6)]
    assert known == unknown
    assert known[5]["hint"] == "wait 2 s and try again"


async def test_guessing_from_many_addresses_is_limited_but_does_not_keep_the_officer_out(accounts: Accounts) -> None:
    accounts.add("somchai", GOOD, ["ccoc"])
    await accounts.sign_in("somchai", GOOD, HERE)
    codes = [(await refusal(accounts, "somchai", "wrong", f"10.9.0.{n}"))["code"] for n in range(12)]
    assert codes == ["unauthenticated"] * 10 + ["limit"] * 2
    assert (await refusal(accounts, "somchai", GOOD, THERE))["code"] == "limit"
    assert (await accounts.sign_in("somchai", GOOD, HERE)).name == "somchai"


async def test_one_address_tries_many_names(accounts: Accounts, clock: ManualClock) -> None:
    codes = [(await refusal(accounts, f"name{n}", "wrong"))["code"] for n in range(32)]
    assert codes == ["unauthenticated"] * 30 + ["limit"] * 2
    clock.advance(2)
    assert (await refusal(accounts, "name40", "wrong"))["code"] == "unauthenticated"


async def test_signing_in_rightly_is_not_limited(accounts: Accounts) -> None:
    accounts.add("somchai", GOOD, ["ccoc"])
    for _ in range(40):
        await accounts.sign_in("somchai", GOOD, HERE)


async def test_what_the_throttle_remembers_is_bounded(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.access.throttle.MAX_KEYS", 5)
    for n in range(20):
        await refusal(accounts, f"name{n}", "wrong", f"10.1.0.{n}")
    assert len(accounts._throttle._buckets) == 5
    assert len(accounts._throttle._failures) == 5


async def test_only_so_many_wait_for_a_hash(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.access.passwords.WAITING", 3)
    hasher = Hasher(memory_kib=64, passes=1)
    encoded = hasher.hash(GOOD)
    found = await asyncio.gather(*(hasher.verify_async(encoded, GOOD) for _ in range(6)), return_exceptions=True)
    assert [f for f in found if f is True] == [True] * 3
    assert [type(f) for f in found if f is not True] == [LimitExceeded] * 3
    assert await hasher.verify_async(encoded, GOOD)


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
        "shop", grants=["event.emit:sos_raised", "event.emit", "media.read", "user.manage"]
    )
    assert accounts.token_actor(bearer) == Actor(
        f"token:{token.id}", frozenset(), "gold_shop", frozenset({"event.emit:sos_raised", "media.read"})
    )
    accounts.set_grants("shop", [])
    assert accounts.token_actor(bearer).grants == {"media.read"}
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


def test_a_kill_in_the_middle_of_writing_leaves_a_whole_file(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from hub.access.jsonfile import JsonFile\n"
        "file = JsonFile(Path(sys.argv[1])); n = 0\n"
        "while True:\n"
        "    with file.change() as data: data['n'] = n = data.get('n', 0) + 1; data['fill'] = str(n % 10) * 20_000\n"
        "    print(n, flush=True)\n"
    )
    path, last = tmp_path / "counted.json", 0
    for kill_after in (1, 7, 20, 33, 50, 64):
        with subprocess.Popen(
            [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as running:
            assert running.stdout is not None
            for _ in range(kill_after):
                last = int(running.stdout.readline())
            running.kill()
            last = max([last, *map(int, running.stdout.read().split("\n")[:-1])])
        data = json.loads(path.read_text())
        assert data["n"] in (last, last + 1)  # written, perhaps not yet said
        assert data["fill"] == str(data["n"] % 10) * 20_000
