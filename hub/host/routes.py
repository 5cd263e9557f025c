"""The addresses of plugins: ``/hook/INSTANCE/PATH`` on the public listener and ``/plugin/INSTANCE/PATH``, each with
a right, on the staff listener. The web layer checks who asks; here is what may be asked."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from hub.core.clock import Clock
from hub.core.error import HubError, InvalidInput, LimitExceeded, NotFound
from hub.host.claims import Claims
from hub.host.rate import Buckets, Rate, network
from hub.host.text import plain
from hub.sdk.context import MAX_BODY, Socket, WebRequest, WebResponse

log = logging.getLogger(__name__)

METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"})
SOCKET = "SOCKET"  # stands where a method stands
MAX_ROUTES = 200  # of one instance
MAX_SOCKETS = 200  # of one instance, open at once: so many for the public, and so many for the staff
MAX_SOCKETS_EACH = 8  # of these, from one sender of the public
MAX_STAFF_BODY = 16 << 20
MAX_ANSWER = 16 << 20
ANSWER_WITHIN_S = 30.0

Handler = Callable[[Any], Awaitable[Any]]  # of a WebRequest, or of a Socket
OnFault = Callable[[str, BaseException], None]


PER_INSTANCE = Rate(200, 400)
PER_REMOTE = Rate(20, 60)


@dataclass(frozen=True, slots=True)
class Served:
    """What stands at one address. ``right``: who on the staff listener may ask; ``None`` on the public one. ``path``:
    as it was registered; a request's own may hold a secret, and does not go into a fault."""

    handler: Handler
    on_fault: OnFault
    right: str | None
    path: str = ""


@dataclass(frozen=True, slots=True)
class Manner:
    """How an instance's public addresses are served. ``permissions``: what its pages may ask their reader's browser
    for (camera, microphone, geolocation); ``max_body``: bytes of a request."""

    permissions: Sequence[str] = ()
    max_body: int = MAX_BODY


@dataclass(slots=True)
class _Table:
    exact: dict[tuple[str, str], Served] = field(default_factory=dict)

    def find(self, method: str, path: str) -> Served | None:
        if (found := self.exact.get((method, path))) is not None:
            return found
        steps = path.split("/")
        for length in range(len(steps) - 1, 0, -1):
            if (found := self.exact.get((method, "/".join(steps[:length]) + "/*"))) is not None:
                return found
        return None

    def methods(self, path: str) -> list[str]:
        return sorted(method for method in METHODS if self.find(method, path) is not None)


class Routes:
    """``(instance, staff) → (method, path) → handler``. A path that ends in ``/*`` serves all below it."""

    # The address under which phones and webhooks reach the hub; whoever starts the listeners sets it.
    address = ""

    def __init__(self, clock: Clock, claims: Claims) -> None:
        self._claims = claims
        self._tables: dict[tuple[str, bool], _Table] = {}
        self._open: Counter[tuple[str, str]] = Counter()
        self._manners: dict[str, Manner] = {}
        self._instances, self._remotes = Buckets(clock, PER_INSTANCE), Buckets(clock, PER_REMOTE)

    def add(
        self, instance: str, method: str, path: str, handler: Handler, holder: object, on_fault: OnFault,
        right: str | None = None, manner: Manner | None = None,
    ) -> None:  # fmt: skip
        """Serve; ``InvalidInput`` when the method or path cannot be served."""
        self._manners[instance] = manner or Manner()
        method, path = method.upper(), normal(path)
        if method not in METHODS and method != SOCKET:
            raise InvalidInput(f"no method {method!r}", where=path, hint=", ".join(sorted(METHODS)))
        place = (instance, right is not None)
        table = self._tables.setdefault(place, _Table())
        if len(table.exact) >= MAX_ROUTES:
            raise InvalidInput(f"more than {MAX_ROUTES} routes", where=instance)
        key = (method, path)

        def put() -> None:
            self._tables.setdefault(place, _Table()).exact[key] = Served(handler, on_fault, right, path)

        def drop() -> None:
            if (known := self._tables.get(place)) is not None:
                known.exact.pop(key, None)
                if not known.exact:
                    del self._tables[place]

        where = "staff" if right is not None else "public"
        self._claims.take("route", f"{where} {instance} {method} {path}", holder, instance, put, drop)

    def manner(self, instance: str) -> Manner:
        """How the instance's public addresses are served."""
        return self._manners.get(instance, Manner())

    def staff(self, instance: str, method: str, path: str) -> Served:
        """What stands at a staff address, for the caller to check its right; ``NotFound`` otherwise."""
        table = self._tables.get((instance, True))
        found = table.find(method.upper(), normal(path)) if table is not None else None
        if found is None:
            raise NotFound("there is nothing here", where=f"/plugin/{instance}{normal(path)}")
        return found

    async def ask(self, served: Served, request: WebRequest) -> WebResponse:
        """The answer of a public address that admitted it, or of a staff address whose right was checked. Never
        raises."""
        return await _answer(served, request)

    def public_socket(self, instance: str, path: str, remote: str) -> Served:
        """The socket at a public address; ``NotFound`` or ``LimitExceeded`` otherwise."""
        table = self._tables.get((instance, False))
        found = table.find(SOCKET, normal(path)) if table is not None else None
        if found is None:
            raise NotFound("there is nothing here", where=f"/hook/{instance}{normal(path)}")
        if not self._may_pass(instance, remote):
            raise LimitExceeded("too many connections; try again in a second", where=instance)
        return found

    def _may_pass(self, instance: str, remote: str) -> bool:
        return self._remotes.take((instance, network(remote))) and self._instances.take(instance)

    async def talk(self, served: Served, instance: str, socket: Socket) -> None:
        """Let the plugin serve an open socket. Never raises; one too many is closed at once. The place is free before
        the farewell, which the other side may draw out."""
        places = _places(served, instance, socket.request.remote)
        if any(self._open[place] >= most for place, most in places.items()):
            await socket.close("too many connections; close one, or try again later")
            return
        self._open.update(list(places))
        words = ""
        try:
            await served.handler(socket)
        except HubError as refused:
            words = plain(refused.message) or "refused"
        except Exception as fault:  # a plugin's fault is told to its owner, not to a stranger
            served.on_fault(f"socket {served.path}", fault)
            words = "this did not work; it was noted"
        finally:
            self._open.subtract(list(places))
            self._open = +self._open  # forget who has none
        if words:
            await socket.close(words)

    def admit(self, instance: str, method: str, path: str, remote: str) -> Served | WebResponse:
        """What stands at a public address, or the refusal: 404, 405, 429. Before anything of the body is read."""
        table = self._tables.get((instance, False))
        path = normal(path)
        found = table.find(method.upper(), path) if table is not None else None
        if table is None or found is None:
            allowed = table.methods(path) if table is not None else []
            if allowed:
                return refusal(405, "invalid_input", "not with this method", {"Allow": ", ".join(allowed)})
            return refusal(404, "not_found", "there is nothing here")
        if not self._may_pass(instance, remote):
            return refusal(429, "limit", "too many requests; try again in a second", {"Retry-After": "1"})
        return found


def _places(served: Served, instance: str, remote: str) -> dict[tuple[str, str], int]:
    """What one open socket takes a place of, and how many there are: the public's do not take the staff's."""
    if served.right is not None:
        return {(instance, "staff"): MAX_SOCKETS}
    return {(instance, "public"): MAX_SOCKETS, (instance, f"from {network(remote)}"): MAX_SOCKETS_EACH}


async def _answer(found: Served, request: WebRequest) -> WebResponse:
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            answer: object = await found.handler(request)
        if not isinstance(answer, WebResponse) or len(answer.body) > MAX_ANSWER:
            raise TypeError(f"the route {found.path} must answer a WebResponse of at most {MAX_ANSWER} bytes")
    except HubError as refused:
        return _error(refused)
    except TimeoutError:
        return refusal(504, "timed_out", f"no answer within {ANSWER_WITHIN_S:g} s")
    except Exception as fault:  # a plugin's fault is told to its owner, not to a stranger
        found.on_fault(f"route {found.path}", fault)
        return refusal(500, "error", "this did not work; it was noted")
    return answer


def normal(path: str) -> str:
    """``/a/b`` for ``a/b/``; ``/`` for nothing."""
    return "/" + path.strip("/")


def refusal(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> WebResponse:
    """An answer in the form of the API's errors."""
    body = orjson.dumps({"error": {"code": code, "message": message, "where": "", "hint": ""}})
    return WebResponse(status, body, "application/json", headers or {})


def _error(refused: HubError) -> WebResponse:
    data = {name: plain(words) for name, words in refused.as_data().items()}
    return WebResponse(refused.status, orjson.dumps({"error": data}), "application/json")
