"""What stands before every handler: who is it, may it, is the body right; and after it: errors in one form, headers.

The order is fixed: authenticate, CSRF, right, body. A route without an entry in the table does not exist.
"""

from __future__ import annotations

import logging
from typing import Any, Protocol

import orjson
from aiohttp import web
from pydantic import ValidationError

from hub.access.roles import Roles
from hub.core.access import Actor
from hub.core.error import Denied, HubError, InvalidInput, Unauthenticated
from hub.core.event import explain
from hub.web import bodies
from hub.web.encode import encoded
from hub.web.route import OPEN, SIGNED_IN, Ask, NoBody, Route

log = logging.getLogger(__name__)

MAX_BODY = 1 << 20
NOBODY = Actor("public", frozenset({"public"}))

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; "
        "connect-src 'self'; media-src 'self' blob:; worker-src 'self' blob:; manifest-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), geolocation=(self)",
}


class Authenticator(Protocol):
    """Finds out who asks."""

    async def actor(self, request: web.Request) -> Actor | None:
        """The actor of a valid session or token; ``None`` when neither is given.

        ``Unauthenticated`` when one is given that is not valid; ``Denied`` when a browser's changing request lacks
        the CSRF token of its session.
        """


def json_answer(data: Any, status: int = 200) -> web.Response:
    """An answer in JSON, never stored by caches."""
    return web.Response(
        body=encoded(data), status=status, content_type="application/json", headers={"Cache-Control": "no-store"}
    )


def error_answer(error: HubError) -> web.Response:
    """An error in the one form every client knows."""
    return json_answer({"error": error.as_data()}, error.status)


class Guard:
    """Makes aiohttp handlers of routes."""

    def __init__(self, authenticator: Authenticator, roles: Roles) -> None:
        self._authenticator, self._roles = authenticator, roles

    def wrap(self, route: Route) -> Any:
        """The aiohttp handler of a route."""

        async def handle(request: web.Request) -> web.StreamResponse:
            actor = await self._actor(request, route)
            answer = await route.handler(Ask(request, actor, await _body(request, route)))
            return answer if isinstance(answer, web.StreamResponse) else json_answer(answer)

        return handle

    async def _actor(self, request: web.Request, route: Route) -> Actor:
        actor = await self._authenticator.actor(request) if route.right != OPEN else await self._perhaps(request)
        if actor is None:
            if route.right != OPEN:
                raise Unauthenticated("nobody is signed in", hint="sign in, or send a token")
            return NOBODY
        if route.right in (OPEN, SIGNED_IN):
            return actor
        if not route.filtered or not self._roles.may_some(actor, route.right):
            self._roles.check(actor, route.right)
        return actor

    async def _perhaps(self, request: web.Request) -> Actor | None:
        # an open route must answer even when an old cookie comes with the request
        try:
            return await self._authenticator.actor(request)
        except Denied:
            return None


async def _body(request: web.Request, route: Route) -> Any:
    if route.body is NoBody:
        return NoBody()
    async with bodies.in_time(bodies.STAFF_WITHIN_S):
        raw = await request.read()
    try:
        return route.body.model_validate(orjson.loads(raw or b"{}"))
    except orjson.JSONDecodeError as wrong:
        raise InvalidInput(f"the body is not JSON: {wrong}", where="body") from None
    except ValidationError as wrong:
        raise InvalidInput(explain(wrong), where="body", hint="see docs/reference/api.md") from None


@web.middleware
async def errors(request: web.Request, handler: Any) -> web.StreamResponse:
    """Every error in one form; what nobody expected is logged and told without its inside."""
    try:
        response: web.StreamResponse = await handler(request)
    except HubError as refused:
        response = error_answer(refused)
    except web.HTTPRequestEntityTooLarge:
        words = InvalidInput(f"the body is larger than {MAX_BODY} bytes", where="body")
        response = json_answer({"error": words.as_data()}, 413)
    except web.HTTPException as other:
        if other.status < 400:
            raise
        code = {404: "not_found", 405: "invalid_input"}.get(other.status, "error")
        response = json_answer({"error": {"code": code, "message": other.reason, "where": request.path, "hint": ""}},
                               other.status)  # fmt: skip
    except ConnectionResetError:
        raise
    except Exception:  # the last door: an officer sees an error, the log has the rest
        log.exception("%s %s failed", request.method, request.path)
        response = error_answer(HubError("the hub failed at this request", hint="see the hub's log"))
    return response


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Security headers on everything that leaves."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
