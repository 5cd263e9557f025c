"""``hub user``: accounts and tokens, also while the hub runs."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hub.cli import options
from hub.core.error import InvalidInput, NotFound

if TYPE_CHECKING:
    from hub.access.accounts import Accounts

DAY_S = 86_400.0


def add(commands: options.Commands) -> None:
    """Declare the commands."""
    user = options.group(commands, "user", "accounts of people and tokens of machines")
    made = options.command(user, "add", _add, "make an account; the password is read twice from standard input")
    made.add_argument("name", metavar="NAME", help="the account's name")
    made.add_argument("--role", action="append", required=True, metavar="ROLE", help="a role; may be given again")
    made.add_argument("--owner", metavar="OWNER", help="whose entities a partner sees")
    made.add_argument("--title", default="", metavar="WORDS", help="the person's name or post")
    options.data(made)
    token = options.command(user, "token", _token, "print a new token for Authorization: Bearer; it is shown this once")
    token.add_argument("name", metavar="NAME", help="the account's name")
    token.add_argument("--title", default="", metavar="WORDS", help="what it is for")
    token.add_argument("--days", type=float, default=366.0, metavar="N", help="valid so long (default 366)")
    options.data(token)
    options.data(options.command(user, "list", _list, "show all accounts"))
    for name, call, words in (
        ("password", _password, "change a password (read twice from standard input); all its sessions end"),
        ("disable", _disable, "end an account's sessions and tokens until it is enabled again"),
        ("enable", _enable, "let a disabled account in again"),
        ("remove", _remove, "remove an account and its tokens; what it did stays in the journal"),
    ):
        one = options.command(user, name, call, words)
        one.add_argument("name", metavar="NAME", help="the account's name")
        options.data(one)


def read_password() -> str:
    """Twice from the terminal, unseen, or as two lines of standard input; ``InvalidInput`` when they differ."""
    if sys.stdin.isatty():
        first, second = getpass.getpass("password: "), getpass.getpass("once more: ")
    else:
        first, second = (sys.stdin.buffer.readline() for _ in range(2))  # type: ignore[assignment]
        first, second = _line(first), _line(second)  # type: ignore[arg-type]
    if first != second:
        raise InvalidInput("the two passwords differ", where="password", hint="give the same one twice")
    return first


def _line(raw: bytes) -> str:
    try:
        return raw.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise InvalidInput("the password is no UTF-8 text", where="password") from None


def _accounts(data: Path, *, make: bool = False) -> Accounts:
    from hub.access.accounts import Accounts
    from hub.core.clock import SystemClock

    if not data.is_dir():
        if not make:
            raise NotFound("there is no such data folder", where=str(data))
        data.mkdir(parents=True, mode=0o700)
    return Accounts(data, SystemClock())


def _add(given: argparse.Namespace) -> int:
    from hub.access.account import clean_name, clean_roles

    name = clean_name(given.name)
    clean_roles(given.role, given.owner)  # said before a password is asked for
    accounts = _accounts(given.data, make=True)
    account = accounts.add(name, read_password(), given.role, owner=given.owner, title=given.title)
    print(f"{account.name}: {', '.join(sorted(account.roles))}")
    return 0


def _token(given: argparse.Namespace) -> int:
    import time

    bearer, _ = _accounts(given.data).add_token(given.name, title=given.title, expires=time.time() + given.days * DAY_S)
    print(bearer)
    return 0


def _list(given: argparse.Namespace) -> int:
    accounts = _accounts(given.data)
    for account in accounts.all():
        notes = [f"owner {account.owner}"] if account.owner else []
        notes += ["disabled"] if account.disabled else []
        notes += [f"tokens: {count}"] if (count := len(accounts.tokens(account.name))) else []
        shown = "  ".join([account.name, ", ".join(sorted(account.roles)), *([account.title] if account.title else [])])
        print(f"{shown}  ({'; '.join(notes)})" if notes else shown)
    return 0


def _password(given: argparse.Namespace) -> int:
    accounts = _accounts(given.data)
    accounts.need(given.name)
    accounts.set_password(given.name, read_password())
    print(f"{given.name}: the password is changed, its sessions are ended")
    return 0


def _disable(given: argparse.Namespace) -> int:
    _accounts(given.data).set_disabled(given.name, True)
    print(f"{given.name}: disabled")
    return 0


def _enable(given: argparse.Namespace) -> int:
    _accounts(given.data).set_disabled(given.name, False)
    print(f"{given.name}: enabled")
    return 0


def _remove(given: argparse.Namespace) -> int:
    _accounts(given.data).remove(given.name)
    print(f"{given.name}: removed")
    return 0
