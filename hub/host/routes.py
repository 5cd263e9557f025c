"""The routes of plugins, which the web layer serves as ``/hook/INSTANCE/PATH`` on the public listener."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import orjson

from hub.core.clock import Clock
from hub.core.error import HubError, InvalidInput
from hub.host.claims import Claims
from hub.host.rate import Buckets, Rate
from hub.sdk.context import MAX_BODY, WebRequest, WebResponse

log = logging.getLogger(__name__)

METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"})
MAX_ROUTES = 200  # of one instance
MAX_ANSWER = 16 << 20
ANSWER_WITHIN_S = 30.0

Handler = Callable[[WebRequest], Awaitable[WebResponse]]
OnFault = Callable[[str, BaseException], None]


PER_INSTANCE = Rate(200, 400)
PER_REMOTE = Rate(20, 60)


@dataclass(slots=True)
class _Table:
    exact: dict[tuple[str, str], tuple[Handler, OnFault]] = field(default_factory=dict)

    def find(self, method: str, path: str) -> tuple[Handler, OnFault] | None:
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
    """``instance → (method, path) → handler``. A path that ends in ``/*`` serves all below it."""

    # The address under which phones and webhooks reach the hub; whoever starts the listeners sets it.
    address = ""

    def __init__(self, clock: Clock, claims: Claims) -> None:
        self._claims = claims
        self._tables: dict[str, _Table] = {}
        self._instances, self._remotes = Buckets(clock, PER_INSTANCE), Buckets(clock, PER_REMOTE)

    def add(
        self, instance: str, method: str, path: str, handler: Handler, holder: object, on_fault: OnFault
    ) -> None:
        """Serve; ``InvalidInput`` when the method or path cannot be served."""
        method, path = method.upper(), normal(path)
        if method not in METHODS:
            raise InvalidInput(f"no method {method!r}", where=path, hint=", ".join(sorted(METHODS)))
        table = self._tables.setdefault(instance, _Table())
        if len(table.exact) >= MAX_ROUTES:
            raise InvalidInput(f"more than {MAX_ROUTES} routes", where=instance)
        key = (method, path)

        def put() -> None:
            self._tables.setdefault(instance, _Table()).exact[key] = (handler, on_fault)

        def drop() -> None:
            if (known := self._tables.get(instance)) is not None:
                known.exact.pop(key, None)
                if not known.exact:
                    del self._tables[instance]

        self._claims.take("route", f"{instance} {method} {path}", holder, instance, put, drop)

    async def dispatch(self, instance: str, request: WebRequest) -> WebResponse:
        """The instance's answer, or the refusal: 404, 405, 413, 429, 500, 503, 504. Never raises."""
        table = self._tables.get(instance)
        path = normal(request.path)
        found = table.find(request.method.upper(), path) if table is not None else None
        if table is None or found is None:
            allowed = table.methods(path) if table is not None else []
            if allowed:
                return refusal(405, "invalid_input", "not with this method", {"Allow": ", ".join(allowed)})
            return refusal(404, "not_found", "there is nothing here")
        if len(request.body) > MAX_BODY:
            return refusal(413, "limit", f"the body is over {MAX_BODY} bytes")
        if not self._remotes.take((instance, request.remote)) or not self._instances.take(instance):
            return refusal(429, "limit", "too many requests; try again in a second", {"Retry-After": "1"})
        return await _answer(found, request)


async def _answer(found: tuple[Handler, OnFault], request: WebRequest) -> WebResponse:
    handler, on_fault = found
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            answer: object = await handler(request)
        if not isinstance(answer, WebResponse) or len(answer.body) > MAX_ANSWER:
            raise TypeError(f"the route {request.path} must answer a WebResponse of at most {MAX_ANSWER} bytes")
    except HubError as refused:
        return _error(refused)
    except TimeoutError:
        return refusal(504, "timed_out", f"no answer within {ANSWER_WITHIN_S:g} s")
    except Exception as fault:  # a plugin's fault is told to its owner, not to a stranger
        on_fault(f"route {request.path}", fault)
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
    return WebResponse(refused.status, orjson.dumps({"error": refused.as_data()}), "application/json")
