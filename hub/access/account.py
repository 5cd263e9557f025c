"""What ``accounts.json`` holds: accounts and tokens, and the rules for names and roles."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hub.access.rights import ASSIGNABLE, OWN
from hub.core.access import Actor
from hub.core.error import InvalidInput, StorageFailed

LONGEST_NAME = 64
MAX_TOKENS_EACH = 50


@dataclass(frozen=True, slots=True)
class Account:
    """One person's account (or the wall's, or a partner's). ``epoch`` grows when all its sessions must end."""

    name: str
    roles: frozenset[str]
    password: str
    made: float
    owner: str | None = None
    title: str = ""
    grants: frozenset[str] = frozenset()
    disabled: bool = False
    pin: str | None = None
    totp: str | None = None
    totp_used: int = -1
    epoch: int = 0

    @property
    def display(self) -> bool:
        """Is it the wall's: read-only, nobody in person?"""
        return self.roles == {"display"}

    def actor(self, purpose: str | None = None) -> Actor:
        """Who asks when this account is signed in."""
        return Actor(f"user:{self.name}", self.roles, self.owner, self.grants, purpose, person=not self.display)

    def as_data(self) -> dict[str, Any]:
        """JSON form, as in the file; hashes included."""
        return asdict(self) | {"roles": sorted(self.roles), "grants": sorted(self.grants)}

    def public(self) -> dict[str, Any]:
        """JSON form for screens: no hash, no secret."""
        return {
            "name": self.name, "title": self.title, "roles": sorted(self.roles), "owner": self.owner,
            "grants": sorted(self.grants), "disabled": self.disabled, "made": self.made, "pin": self.pin is not None,
            "totp": self.totp is not None,
        }  # fmt: skip

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Account:
        """The account that ``as_data`` described."""
        return cls(**{**data, "roles": frozenset(data["roles"]), "grants": frozenset(data["grants"])})


@dataclass(frozen=True, slots=True)
class Token:
    """One API token; ``digest`` is the SHA-256 of its secret, hex."""

    id: str
    account: str
    digest: str
    made: float
    expires: float
    title: str = ""
    grants: frozenset[str] = frozenset()

    def as_data(self) -> dict[str, Any]:
        """JSON form, as in the file."""
        return asdict(self) | {"grants": sorted(self.grants)}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Token:
        """The token that ``as_data`` described."""
        return cls(**{**data, "grants": frozenset(data["grants"])})


def as_book(data: Mapping[str, Any], where: str) -> tuple[dict[str, Account], dict[str, Token]]:
    """Accounts and tokens from the contents of the file ``where``; ``StorageFailed`` when they make no sense."""
    try:
        return (
            {name: Account.from_data(value) for name, value in data.get("accounts", {}).items()},
            {key: Token.from_data(value) for key, value in data.get("tokens", {}).items()},
        )
    except (AttributeError, KeyError, TypeError) as fault:
        hint = "it was made by another version, or edited: restore it from the last backup"
        raise StorageFailed(f"cannot be understood: {fault}", where=where, hint=hint) from fault


def clean_name(name: str) -> str:
    """An account's name in its one form (NFC, small letters); Thai is welcome. ``InvalidInput`` otherwise."""
    kept = unicodedata.normalize("NFC", name).strip().casefold()
    fits = all(ch.isalnum() or unicodedata.category(ch) in ("Mn", "Mc") or ch in "._-" for ch in kept)
    if not kept or len(kept) > LONGEST_NAME or not fits:
        raise InvalidInput(
            f"{name!r} cannot be an account's name", where="name",
            hint=f"letters, digits, dot, dash, underscore; at most {LONGEST_NAME}",
        )  # fmt: skip
    return kept


def clean_roles(roles: Iterable[str], owner: str | None) -> frozenset[str]:
    """Roles that an account may have; a role that acts on its own entities needs an owner."""
    kept = frozenset(roles)
    for role in sorted(kept):
        if role not in ASSIGNABLE:
            raise InvalidInput(f"no role {role!r}", where="roles", hint=f"roles: {', '.join(ASSIGNABLE)}")
        if role in OWN and not owner:
            raise InvalidInput(f"the role {role} needs an owner", where="owner", hint="name whose entities it may see")
    if "display" in kept and len(kept) > 1:
        raise InvalidInput("the wall has no other role beside display", where="roles")
    return kept
