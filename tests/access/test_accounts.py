from __future__ import annotations

import asyncio
import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher, extract_parameters

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


def test_an_unknown_account_costs_the_same_hash_as_a_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted, not timed: what argon2 is asked to do, with which cost."""
    hasher, asked = Hasher(memory_kib=8192, passes=2), []
    verify = PasswordHasher.verify

    def seen(self: PasswordHasher, encoded: str, secret: str) -> bool:
        asked.append(extract_parameters(encoded))
        return verify(self, encoded, secret)

    encoded = hasher.hash(GOOD)
    monkeypatch.setattr(PasswordHasher, "verify", seen)
    assert not hasher.verify(encoded, "wrong password")
    assert not hasher.verify(None, "wrong password")
    assert asked == [extract_parameters(encoded)] * 2


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
