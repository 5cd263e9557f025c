"""Sessions and tokens at the door, and the routes to sign in and out. Being on the local network is no credential."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import Field

from hub.access.accounts import Accounts
from hub.access.audit import Ledger
from hub.access.purposes import Purposes
from hub.access.roles import Roles
from hub.access.sessions import Session, Sessions, check_csrf, csrf_token
from hub.core.access import Actor
from hub.core.error import Unauthenticated
from hub.core.pipeline import Pipeline
from hub.core.text import Text
from hub.web.guard import NOBODY, json_answer
from hub.web.route import OPEN, SIGNED_IN, Ask, Body, NoBody, Route

COOKIE = "hub_session"
CSRF_HEADER = "X-CSRF"
LOOPBACK = frozenset({"127.0.0.1", "::1"})
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class DemoLogin:
    """The demo zone's login; it is told to browsers on loopback only."""

    user: str
    password: str


class SignInBody(Body):
    """What a person types."""

    user: str = Field(max_length=64)
    password: str = Field(max_length=1024)
    code: str | None = Field(None, max_length=16)


class PurposeBody(Body):
    """For what people's data is looked at from now on."""

    purpose: str = Field(max_length=120)


class SessionAuth:
    """Implements ``Authenticator`` for browsers and machines, and serves ``/api/session``."""

    def __init__(
        self, pipeline: Pipeline, accounts: Accounts, sessions: Sessions, purposes: Purposes, ledger: Ledger,
        station: Text, demo: DemoLogin | None,
    ) -> None:  # fmt: skip
        self._pipeline = pipeline
        self._accounts, self._sessions, self._purposes, self._ledger = accounts, sessions, purposes, ledger
        self._station, self._demo = station, demo
        self._chosen: dict[str, str] = {}  # session key → purpose; a restart falls back to the duty
        sessions.on_end.append(self._forget)

    def routes(self) -> list[Route]:
        """Its part of the table."""
        return [
            Route("GET", "/api/login", OPEN, "What the login page shows", self.login_page),
            Route("POST", "/api/session", OPEN, "Sign in", self.sign_in, SignInBody),
            Route("GET", "/api/session", SIGNED_IN, "Who is signed in", self.session),
            Route("DELETE", "/api/session", SIGNED_IN, "Sign out", self.sign_out),
            Route("PUT", "/api/session/purpose", SIGNED_IN, "Name a purpose", self.set_purpose, PurposeBody),
        ]

    async def actor(self, request: web.Request) -> Actor | None:
        """Who asks: a Bearer token, or a session's cookie."""
        header = request.headers.get("Authorization", "")
        if header:
            kind, _, token = header.partition(" ")
            if kind.lower() != "bearer":
                raise Unauthenticated("only Bearer tokens are understood here", where="Authorization")
            return self._with_duty(self._accounts.token_actor(token.strip()))
        secret = request.cookies.get(COOKIE)
        if secret is None:
            return None
        session = self._sessions.use(secret)
        if request.method not in SAFE or request.headers.get("Upgrade"):
            self._same_origin(request, secret)
        return self._with_duty(self._sessions.actor(session, self._chosen.get(session.key)))

    def watch(self, request: web.Request) -> Callable[[], Actor | None]:
        """Who a long-lived connection belongs to, asked again as long as it lasts. An open board keeps its session
        alive, up to the session's longest time: nobody should have to sign in in the middle of a watch."""
        header, secret = request.headers.get("Authorization", ""), request.cookies.get(COOKIE)
        session = self._sessions.use(secret) if secret and not header else None

        def present() -> Actor | None:
            try:
                if session is None:
                    return self._with_duty(self._accounts.token_actor(header.partition(" ")[2].strip()))
                now = self._sessions.use(secret or "")
                return self._with_duty(self._sessions.actor(now, self._chosen.get(now.key)))
            except Unauthenticated:
                return None

        return present

    @staticmethod
    def _same_origin(request: web.Request, secret: str) -> None:
        # a browser cannot set headers on a WebSocket: there the Origin that it sends decides
        if request.headers.get("Upgrade"):
            origin = request.headers.get("Origin", "")
            if origin.partition("://")[2] != request.host:
                raise Unauthenticated("the stream was asked for by another site", where="Origin")
        else:
            check_csrf(secret, request.headers.get(CSRF_HEADER))

    def _with_duty(self, actor: Actor) -> Actor:
        """The first duty of the actor's roles stands where no purpose was chosen."""
        if actor.purpose is not None:
            return actor
        duty = next(iter(self._purposes.open_to(actor)), None)
        return Actor(actor.id, actor.roles, actor.owner, actor.grants, duty, actor.person)

    def _forget(self, session: Session) -> None:
        self._chosen.pop(session.key, None)

    async def login_page(self, ask: Ask[NoBody]) -> dict[str, Any]:
        near = self._demo is not None and _is_local(ask.request)
        demo = {"user": self._demo.user, "password": self._demo.password} if near and self._demo else None
        return {"demo": demo, "station": self._station.as_data()}

    async def sign_in(self, ask: Ask[SignInBody]) -> web.Response:
        body, address = ask.body, ask.request.remote or "unknown"
        account = await self._accounts.sign_in(body.user, body.password, address, body.code)
        secret, session = await self._sessions.open(account, address)
        self._ledger.record(account.actor().id, "session.open", address, None)
        await self._pipeline.settled()
        answer = json_answer(self._describe(self._with_duty(account.actor()), session, secret))
        answer.set_cookie(COOKIE, secret, httponly=True, samesite="Strict", secure=ask.request.secure, path="/")
        return answer

    async def session(self, ask: Ask[NoBody]) -> dict[str, Any]:
        secret = ask.request.cookies.get(COOKIE)
        session = self._sessions.use(secret) if secret and not ask.request.headers.get("Authorization") else None
        return self._describe(ask.actor, session, secret)

    @staticmethod
    def _describe(actor: Actor, session: Session | None, secret: str | None) -> dict[str, Any]:
        return {
            "user": actor.id.partition(":")[2],
            "roles": sorted(actor.roles),
            "rights": Roles.patterns(actor),
            "csrf": csrf_token(secret) if session and secret else None,
            "expires": session.expires() if session else None,
            "purpose": actor.purpose,
        }

    async def sign_out(self, ask: Ask[NoBody]) -> web.Response:
        secret = ask.request.cookies.get(COOKIE)
        if secret:
            self._sessions.close(secret)
            self._ledger.record(ask.actor.id, "session.close", ask.request.remote or "", None)
        await self._pipeline.settled()
        answer = json_answer({"user": NOBODY.id})
        answer.del_cookie(COOKIE, path="/")
        return answer

    async def set_purpose(self, ask: Ask[PurposeBody]) -> dict[str, Any]:
        actor = ask.actor
        named = Actor(actor.id, actor.roles, actor.owner, actor.grants, ask.body.purpose, actor.person)
        purpose = self._purposes.require(named)
        secret = ask.request.cookies.get(COOKIE)
        if secret:
            self._chosen[self._sessions.use(secret).key] = purpose
        self._ledger.record(named.id, "purpose.named", purpose, purpose)
        await self._pipeline.settled()
        return {"purpose": purpose}


def _is_local(request: web.Request) -> bool:
    """A browser on this machine that asked for this machine: no reverse proxy, no name of another site."""
    host = request.host.rpartition(":")[0] if ":" in request.host.rpartition("]")[2] else request.host
    forwarded = any(name.lower().startswith(("x-forwarded", "forwarded")) for name in request.headers)
    return request.remote in LOOPBACK and host.strip("[]") in {*LOOPBACK, "localhost"} and not forwarded
