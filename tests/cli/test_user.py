"""Accounts and tokens through the command, read back as the hub reads them."""

from __future__ import annotations

import json
import stat
import time
from pathlib import Path

import pytest

from hub.access.accounts import Accounts
from hub.core.clock import SystemClock
from hub.core.error import Unauthenticated
from tests.cli.hubctl import hub

PASSWORD = "three plain words"


def add(data: Path, name: str = "somchai", *more: str) -> None:
    said = hub("user", "add", name, "--role", "ccoc", *more, "--data", data, stdin=f"{PASSWORD}\n{PASSWORD}\n")
    assert said.status == 0, said.err


async def test_an_added_person_signs_in_while_the_accounts_are_read(tmp_path: Path) -> None:
    data = tmp_path / "data"
    accounts = Accounts(data, SystemClock())
    assert accounts.all() == []
    said = hub("user", "add", "Somchai", "--role", "ccoc", "--role", "operator", "--title", "ร้อยเวร", "--data", data,
               stdin=f"{PASSWORD}\r\n{PASSWORD}\r\n")  # fmt: skip
    assert (said.status, said.out, said.err) == (0, "somchai: ccoc, operator\n", "")
    account = await accounts.sign_in("somchai", PASSWORD, "127.0.0.1")
    assert (account.name, account.roles, account.title) == ("somchai", frozenset({"ccoc", "operator"}), "ร้อยเวร")
    assert stat.S_IMODE((data / "accounts.json").stat().st_mode) == 0o600
    assert PASSWORD not in (data / "accounts.json").read_text()


def test_a_token_is_all_that_is_printed(tmp_path: Path) -> None:
    add(tmp_path)
    said = hub("user", "token", "somchai", "--data", tmp_path, "--title", "bridge", "--days", "7")
    assert (said.status, said.err, len(said.lines)) == (0, "", 1)
    accounts = Accounts(tmp_path, SystemClock())
    actor = accounts.token_actor(said.out.strip())
    assert (actor.roles, actor.person) == (frozenset({"ccoc"}), False)
    (token,) = accounts.tokens("somchai")
    assert token.title == "bridge"
    assert token.expires == pytest.approx(time.time() + 7 * 86_400, abs=60)
    assert said.out.strip().rpartition("_")[2] not in (tmp_path / "accounts.json").read_text()


async def test_disable_enable_password_remove(tmp_path: Path) -> None:
    add(tmp_path)
    bearer = hub("user", "token", "somchai", "--data", tmp_path).out.strip()
    accounts = Accounts(tmp_path, SystemClock())
    assert hub("user", "disable", "somchai", "--data", tmp_path).status == 0
    with pytest.raises(Unauthenticated):
        accounts.token_actor(bearer)
    assert hub("user", "list", "--data", tmp_path).lines == ["somchai  ccoc  (disabled; tokens: 1)"]
    assert hub("user", "enable", "somchai", "--data", tmp_path).status == 0
    assert accounts.token_actor(bearer).roles == {"ccoc"}
    said = hub("user", "password", "somchai", "--data", tmp_path, stdin="other good words\nother good words\n")
    assert said.status == 0
    with pytest.raises(Unauthenticated):
        await accounts.sign_in("somchai", PASSWORD, "127.0.0.1")
    assert (await accounts.sign_in("somchai", "other good words", "127.0.0.1")).name == "somchai"
    assert hub("user", "remove", "somchai", "--data", tmp_path).status == 0
    assert json.loads((tmp_path / "accounts.json").read_text()) == {"accounts": {}, "tokens": {}}


@pytest.mark.parametrize(
    ("arguments", "stdin", "words"),
    [
        (["add", "somchai", "--role", "ccoc"], f"{PASSWORD}\n{PASSWORD}\n", "the account 'somchai' exists"),
        (["add", "noi", "--role", "chief"], "", "no role 'chief'"),
        (["add", "noi", "--role", "partner"], "", "the role partner needs an owner"),
        (["add", "no one", "--role", "ccoc"], "", "'no one' cannot be an account's name"),
        (["add", "noi", "--role", "ccoc"], "short\nshort\n", "the password has 5 characters"),
        (["add", "noi", "--role", "ccoc"], f"{PASSWORD}\nother words here\n", "the two passwords differ"),
        (["add", "noi", "--role", "ccoc"], f"{PASSWORD}\n", "the two passwords differ"),
        (["add", "noi", "--role", "ccoc"], "", "the password has 0 characters"),
        (["add", "noi", "--role", "ccoc"], b"\xff\xfe\n\xff\xfe\n", "the password is no UTF-8 text"),
        (["token", "noi"], "", "no account 'noi'"),
        (["token", "somchai", "--days", "-1"], "", "a token ends in the future"),
        (["token", "somchai", "--days", "nan"], "", "a token ends in the future"),
        (["disable", "noi"], "", "no account 'noi'"),
        (["password", "noi"], "", "no account 'noi'"),
        (["remove", "noi"], "", "no account 'noi'"),
    ],
)
def test_what_cannot_be_is_one_clear_line(tmp_path: Path, arguments: list[str], stdin: str | bytes, words: str) -> None:
    accounts = Accounts(tmp_path, SystemClock())
    accounts.add("somchai", PASSWORD, ["ccoc"])
    before = (tmp_path / "accounts.json").read_bytes()
    said = hub("user", *arguments, "--data", tmp_path, stdin=stdin)
    assert (said.status, said.out, len(said.err.splitlines())) == (1, "", 1)
    assert said.err.startswith("hub: ")
    assert words in said.err
    assert (tmp_path / "accounts.json").read_bytes() == before


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    said = hub("user", "list", "--data", tmp_path / "none")
    assert (said.status, said.err) == (1, f"hub: {tmp_path / 'none'}: there is no such data folder\n")
    assert not (tmp_path / "none").exists()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "accounts.json").write_text("{")
    said = hub("user", "list", "--data", tmp_path)
    assert said.status == 1
    assert f"{tmp_path / 'accounts.json'}: is not JSON" in said.err


@pytest.mark.parametrize(
    "arguments",
    [[], ["fly"], ["user"], ["user", "add", "x", "--data", "d"], ["run", "--port", "70000"], ["run", "--port", "x"],
     ["check"], ["audit", "verify"]],
)  # fmt: skip
def test_a_wrong_command_line_is_usage(arguments: list[str]) -> None:
    said = hub(*arguments)
    assert (said.status, said.out) == (2, "")
    assert said.err.startswith("usage: hub")
