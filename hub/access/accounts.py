"""Accounts of people and their API tokens, in ``accounts.json``: few, inspectable, changed also while the hub runs.

The file holds hashes (argon2id for passwords and PINs, SHA-256 for tokens, whose 256 random bits need no stretching)
and TOTP secrets, which must be readable to be checked: it is 0600 and its backup is as secret as the file.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from hub.access import totp
from hub.access.account import MAX_TOKENS_EACH, Account, Token, as_book, clean_name, clean_roles
from hub.access.jsonfile import JsonFile, Stamp
from hub.access.passwords import Hasher, check_password, check_pin
from hub.access.rights import PATTERN_FORM
from hub.access.roles import roles_allow
from hub.access.throttle import Throttle
from hub.core.access import Actor
from hub.core.clock import Clock
from hub.core.error import Conflict, InvalidInput, LimitExceeded, NotFound, Unauthenticated

FILE = "accounts.json"
MAX_ACCOUNTS = 2_000
SCHEME = "szh"
LONGEST_TOKEN_S = 5 * 366 * 86_400.0
WRONG = "name, password or code is wrong"
WAIT = "after several wrong attempts you must wait"


class Accounts:
    """The accounts in folder ``data``. Reading follows the file; methods that change it block (lock, sync).

    ``random_bytes`` is the machine's own source, never the seeded one of ``Ids``: a replay must not repeat secrets.
    """

    def __init__(
        self, data: Path, clock: Clock, *, hasher: Hasher | None = None,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:  # fmt: skip
        self._file = JsonFile(data / FILE)
        self._clock, self._random = clock, random_bytes
        self._hasher = hasher or Hasher()
        self._throttle = Throttle(clock)
        # stamp and contents in one assignment: other threads read it too
        self._book: tuple[Stamp | None, dict[str, Account], dict[str, Token]] = (None, {}, {})

    # --- reading

    def get(self, name: str) -> Account | None:
        """One account, or ``None``."""
        return self._follow()[0].get(_key(name))

    def need(self, name: str) -> Account:
        """One account; ``NotFound`` otherwise."""
        account = self.get(name)
        if account is None:
            raise NotFound(f"no account {name!r}", where=name, hint="hub user list shows the names")
        return account

    def behind(self, actor_id: str) -> Actor:
        """Who stands behind the id in a record: an account as it is now, or the bare id."""
        kind, _, name = actor_id.partition(":")
        account = self.get(name) if kind == "user" else None
        return Actor(actor_id) if account is None else account.actor()

    def all(self) -> list[Account]:
        """All accounts, by name."""
        accounts, _ = self._follow()
        return [accounts[name] for name in sorted(accounts)]

    def tokens(self, name: str) -> list[Token]:
        """An account's tokens, the oldest first; their secrets are not kept."""
        _, tokens = self._follow()
        return sorted((t for t in tokens.values() if t.account == _key(name)), key=lambda t: (t.made, t.id))

    def _follow(self) -> tuple[dict[str, Account], dict[str, Token]]:
        stamp = self._file.stamp()
        if stamp != self._book[0]:
            self._book = (stamp, *as_book(self._file.read(), str(self._file.path)))
        return self._book[1:]

    # --- signing in

    async def sign_in(self, name: str, password: str, address: str, code: str | None = None) -> Account:
        """The account whose password (and TOTP code, when it has one) was given.

        ``Unauthenticated`` in the same words and time whatever was wrong, ``LimitExceeded`` when guessing.
        """
        self._throttle.attempt(_key(name), address)
        account = self.get(name)
        right = await self._hasher.verify_async(account.password if account else None, password)
        if account is None or not right or account.disabled or not await self._code_fits(account, code):
            self._throttle.failed(_key(name), address)
            raise Unauthenticated(WRONG, where="sign_in", hint=WAIT)
        self._throttle.succeeded(_key(name), address)
        if self._hasher.outdated(account.password):
            await asyncio.to_thread(lambda: self._change(account.name, {"password": self._hasher.hash(password)}))
        return self.need(account.name)

    async def check_pin(self, name: str, pin: str, address: str) -> Account:
        """The person who gives the PIN at the wall; errors as for ``sign_in``."""
        key = f"pin:{_key(name)}"
        self._throttle.attempt(key, address)
        account = self.get(name)
        right = await self._hasher.verify_async(account.pin if account else None, pin)
        if account is None or not right or account.disabled:
            self._throttle.failed(key, address)
            raise Unauthenticated("name or PIN is wrong", where="pin", hint=WAIT)
        self._throttle.succeeded(key, address)
        return account

    async def _code_fits(self, account: Account, code: str | None) -> bool:
        if account.totp is None:
            return True
        counter = totp.match(totp.decode(account.totp), code or "", self._clock.now(), account.totp_used)
        return counter is not None and await asyncio.to_thread(self._use_code, account.name, counter)

    def _use_code(self, name: str, counter: int) -> bool:
        """Mark the code as used, under the lock: of two who give the same code at once one is refused."""
        try:
            with self._file.change() as data:
                found = data.get("accounts", {}).get(name)
                if found is None or found["totp_used"] >= counter:
                    raise Conflict("the code was used", where="code")
                found["totp_used"] = counter
        except Conflict:
            return False
        return True

    # --- changing accounts

    def add(
        self, name: str, password: str, roles: Iterable[str], *, owner: str | None = None, title: str = "",
        grants: Iterable[str] = (),
    ) -> Account:  # fmt: skip
        """A new account; ``Conflict`` when the name is taken, ``InvalidInput`` says what is wrong with it."""
        name, kept = clean_name(name), clean_roles(roles, owner)
        check_password(password, name)
        account = Account(
            name, kept, self._hasher.hash(password), self._clock.now(), owner=owner, title=title,
            grants=_clean_grants(grants),
        )  # fmt: skip
        with self._file.change() as data:
            accounts = data.setdefault("accounts", {})
            if name in accounts:
                raise Conflict(f"the account {name!r} exists", where=name, hint="choose another name")
            if len(accounts) >= MAX_ACCOUNTS:
                raise LimitExceeded(f"there are {MAX_ACCOUNTS} accounts", where=name)
            accounts[name] = account.as_data()
        return account

    def set_password(self, name: str, password: str) -> Account:
        """Change the password: every session of the account ends."""
        account = self.need(name)
        check_password(password, account.name)
        return self._change(account.name, {"password": self._hasher.hash(password)}, sign_out=True)

    def set_pin(self, name: str, pin: str | None) -> Account:
        """Set or remove the PIN for the wall."""
        if pin is not None:
            check_pin(pin)
        return self._change(name, {"pin": None if pin is None else self._hasher.hash(pin)})

    def set_roles(self, name: str, roles: Iterable[str], owner: str | None = None) -> Account:
        """Replace the roles and the owner; open sessions have them at their next request."""
        return self._change(name, {"roles": sorted(clean_roles(roles, owner)), "owner": owner})

    def set_grants(self, name: str, grants: Iterable[str]) -> Account:
        """Replace the rights beyond the roles (``event.emit:plate_read``)."""
        return self._change(name, {"grants": sorted(_clean_grants(grants))})

    def set_disabled(self, name: str, disabled: bool) -> Account:
        """Disable (sessions end, tokens stop) or enable again."""
        return self._change(name, {"disabled": disabled}, sign_out=disabled)

    def sign_out_everywhere(self, name: str) -> Account:
        """End every session of the account."""
        return self._change(name, {}, sign_out=True)

    def remove(self, name: str) -> None:
        """Remove the account and its tokens. What it did stays in the journal under its name."""
        key = _key(name)
        with self._file.change() as data:
            if data.get("accounts", {}).pop(key, None) is None:
                raise NotFound(f"no account {name!r}", where=name)
            data["tokens"] = {i: t for i, t in data.get("tokens", {}).items() if t["account"] != key}

    def new_totp(self, name: str, issuer: str = "Safe Zone") -> tuple[str, str]:
        """A new TOTP secret (base 32) and its ``otpauth://`` address; ``confirm_totp`` puts it in force."""
        secret = self._random(20)
        return totp.encode(secret), totp.uri(secret, self.need(name).name, issuer)

    def confirm_totp(self, name: str, secret: str, code: str) -> Account:
        """Put the secret in force once the person's app shows a fitting code."""
        try:
            counter = totp.match(totp.decode(secret), code, self._clock.now())
        except ValueError:
            raise InvalidInput("this is no base 32 secret", where="secret") from None
        if counter is None:
            raise InvalidInput("the code does not fit", where="code", hint="check the phone's clock, try the next code")
        return self._change(name, {"totp": secret, "totp_used": counter})

    def remove_totp(self, name: str) -> Account:
        """Ask for no code any more (a lost phone)."""
        return self._change(name, {"totp": None, "totp_used": -1})

    def _change(self, name: str, fields: dict[str, Any], sign_out: bool = False) -> Account:
        with self._file.change() as data:
            found = data.get("accounts", {}).get(_key(name))
            if found is None:
                raise NotFound(f"no account {name!r}", where=name, hint="hub user list shows the names")
            found.update(fields)
            if sign_out:
                found["epoch"] += 1
            return Account.from_data(found)

    # --- API tokens

    def add_token(
        self, name: str, *, title: str = "", expires: float | None = None, grants: Iterable[str] = ()
    ) -> tuple[str, Token]:
        """A token ``szh_ID_SECRET`` (shown this once) for an account.

        Without ``grants`` it acts with the account's roles; with them it has those rights only, and of them only what
        the account itself may do at that moment. It never counts as a person. Default expiry: one year.
        """
        account, now = self.need(name), self._clock.now()
        expires = now + 366 * 86_400.0 if expires is None else expires
        if not now < expires <= now + LONGEST_TOKEN_S:
            raise InvalidInput("a token ends in the future and within five years", where="expires")
        token_id, secret = self._random(6).hex(), self._random(32).hex()
        token = Token(token_id, account.name, _digest(secret), now, expires, title, _clean_grants(grants))
        with self._file.change() as data:
            if account.name not in data.get("accounts", {}):
                raise NotFound(f"no account {name!r}", where=name)
            kept = {i: t for i, t in data.get("tokens", {}).items() if t["expires"] > now}
            if sum(t["account"] == account.name for t in kept.values()) >= MAX_TOKENS_EACH:
                raise LimitExceeded(
                    f"the account has {MAX_TOKENS_EACH} tokens", where=account.name, hint="revoke one first"
                )
            kept[token_id] = token.as_data()
            data["tokens"] = kept
        return f"{SCHEME}_{token_id}_{secret}", token

    def revoke_token(self, token_id: str) -> None:
        """The token is valid no more; ``NotFound`` when there is none."""
        with self._file.change() as data:
            if data.get("tokens", {}).pop(token_id, None) is None:
                raise NotFound("no such token", where=token_id)

    def token_actor(self, bearer: str) -> Actor:
        """Who a bearer token stands for; ``Unauthenticated`` in the same words whatever is wrong with it."""
        accounts, tokens = self._follow()
        prefix, _, rest = bearer.partition("_")
        token_id, _, secret = rest.partition("_")
        token = tokens.get(token_id)
        fits = hmac.compare_digest(_digest(secret), token.digest if token else _digest(""))
        account = accounts.get(token.account) if token else None
        if (
            token is None or account is None or not fits or prefix != SCHEME or account.disabled
            or self._clock.now() >= token.expires
        ):  # fmt: skip
            raise Unauthenticated("the token is not valid", where="Authorization", hint="make one: hub user token NAME")
        whole = account.actor()
        if not token.grants:
            return Actor(f"token:{token.id}", whole.roles, whole.owner, whole.grants)
        allowed = frozenset(g for g in token.grants if roles_allow(whole.roles, g) or _among(g, whole.grants))
        return Actor(f"token:{token.id}", frozenset(), whole.owner, allowed)


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip().casefold()


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _among(grant: str, held: frozenset[str]) -> bool:
    return grant in held or grant.partition(":")[0] in held


def _clean_grants(grants: Iterable[str]) -> frozenset[str]:
    """Grants of an account or token: ``domain.verb`` or ``domain.verb:qualifier``; no bare ``*``."""
    kept = frozenset(grants)
    for grant in kept:
        right, colon, qualifier = grant.partition(":")
        if right == "*" or not PATTERN_FORM.fullmatch(right) or (colon and not qualifier):
            raise InvalidInput(f"{grant!r} is no right", where="grants", hint="write domain.verb or domain.verb:name")
    return kept
