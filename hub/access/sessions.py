"""Sessions of people: short, hashed, durable (a restart of the hub signs nobody out), ended with their account.

The browser holds 256 random bits; the journal holds their SHA-256, so that who reads the journal cannot sign in.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from hub.access.account import Account
from hub.access.accounts import Accounts
from hub.core.access import Actor
from hub.core.error import Denied, Unauthenticated
from hub.core.journal import Drop, Put
from hub.core.pipeline import Pipeline

TABLE = "sessions"
IDLE_S = 30 * 60.0
LONGEST_S = 12 * 3_600.0
WRITE_EVERY_S = 60.0  # how often the last sign of life is written: a restart may shorten the idle time by this much
MAX_EACH = 10
MAX_SESSIONS = 2_000


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser. ``key`` is the hash of its secret; ``display``: the wall, which never expires by time."""

    key: str
    account: str
    epoch: int
    address: str
    opened: float
    seen: float
    display: bool = False

    def expires(self) -> float | None:
        """When it ends if nothing more is heard; ``None`` for the wall."""
        return None if self.display else min(self.seen + IDLE_S, self.opened + LONGEST_S)

    def as_data(self) -> dict[str, Any]:
        """JSON form; the key is the record's."""
        data = asdict(self)
        del data["key"]
        return data


class Sessions:
    """All sessions, in memory and in the records table ``sessions``. Runs on the loop thread.

    ``on_end`` callables hear of each session that ended, to cut its open streams.
    """

    def __init__(
        self, pipeline: Pipeline, accounts: Accounts, *, random_bytes: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        self._pipeline, self._accounts, self._random = pipeline, accounts, random_bytes
        self._sessions: dict[str, Session] = {}
        self._written: dict[str, float] = {}
        self.on_end: list[Callable[[Session], None]] = []
        pipeline.on_recover.append(self.load)

    def load(self) -> None:
        """Take them from the journal: at start, and after a failed commit."""
        rows = self._pipeline.journal.records(TABLE)
        known, self._sessions = self._sessions, {key: Session(key=key, **value) for key, value in rows}
        self._written = {key: session.seen for key, session in self._sessions.items()}
        for key, session in self._sessions.items():
            if key in known:  # what was heard since is newer than what was written
                self._sessions[key] = replace(session, seen=max(session.seen, known[key].seen))

    async def open(self, account: Account, address: str) -> tuple[str, Session]:
        """A new session: the secret for the browser's cookie, and the session, durable when this returns."""
        now = self._pipeline.clock.now()
        self.sweep()
        self._make_room(account.name)
        secret = self._random(32).hex()
        session = Session(_key(secret), account.name, account.epoch, address, now, now, account.display)
        self._put(session)
        await self._pipeline.settled()
        return secret, session

    def use(self, secret: str) -> Session:
        """The session of a request, which keeps it alive; ``Unauthenticated`` when it has ended."""
        session = self._sessions.get(_key(secret))
        if session is None or not self._valid(session):
            if session is not None:
                self._end(session)
            raise Unauthenticated("you are not signed in", where="session", hint="sign in")
        now = self._pipeline.clock.now()
        session = replace(session, seen=now)
        if now - self._written[session.key] >= WRITE_EVERY_S:
            self._put(session)
        else:
            self._sessions[session.key] = session
        return session

    def actor(self, session: Session, purpose: str | None = None) -> Actor:
        """Who asks in this session, with the account's rights of this moment; ``Unauthenticated`` when it is gone."""
        account = self._accounts.get(session.account)
        if account is None or not self._valid(session):
            raise Unauthenticated("you are not signed in", where="session", hint="sign in")
        return account.actor(purpose)

    def valid(self, session: Session) -> bool:
        """Is the session still open? For a stream that was opened with it; this does not keep it alive."""
        newest = self._sessions.get(session.key)
        return newest is not None and self._valid(newest)

    def close(self, secret: str) -> None:
        """Sign out; harmless when it has ended."""
        session = self._sessions.get(_key(secret))
        if session is not None:
            self._end(session)

    def sweep(self) -> None:
        """End those whose time or account has ended; the app calls it now and then."""
        for session in [s for s in self._sessions.values() if not self._valid(s)]:
            self._end(session)

    def of(self, account: str) -> list[Session]:
        """An account's open sessions, the oldest first."""
        return sorted((s for s in self._sessions.values() if s.account == account), key=lambda s: (s.opened, s.key))

    def _valid(self, session: Session) -> bool:
        account = self._accounts.get(session.account)
        expires = session.expires()
        return (
            account is not None
            and not account.disabled
            and account.epoch == session.epoch
            and account.display == session.display
            and (expires is None or self._pipeline.clock.now() < expires)
        )

    def _make_room(self, account: str) -> None:
        own = self.of(account)
        for session in own[: len(own) - MAX_EACH + 1] if len(own) >= MAX_EACH else ():
            self._end(session)
        if len(self._sessions) >= MAX_SESSIONS:
            self._end(min(self._sessions.values(), key=lambda s: s.seen))

    def _put(self, session: Session) -> None:
        self._sessions[session.key], self._written[session.key] = session, session.seen
        self._pipeline.put(Put(TABLE, session.key, session.as_data()))

    def _end(self, session: Session) -> None:
        self._sessions.pop(session.key, None)
        self._written.pop(session.key, None)
        self._pipeline.put(Drop(TABLE, session.key))
        for told in self.on_end:
            told(session)


def csrf_token(secret: str) -> str:
    """The token that a form or script of this session sends along; it follows from the secret and does not show it."""
    return hmac.digest(secret.encode(), b"hub csrf", "sha256").hex()


def check_csrf(secret: str, given: str | None) -> None:
    """``Denied`` unless the request carries its session's CSRF token."""
    if not hmac.compare_digest(csrf_token(secret).encode(), (given or "").encode("utf-8", "surrogatepass")):
        raise Denied("the request did not come from the hub's own page", where="X-CSRF", hint="reload the page")


def _key(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
