"""The public listener: routes of plugins under ``/hook/INSTANCE/``, and whether the hub is well. Nothing else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from hub.sdk.context import WebRequest, WebResponse
from hub.web.guard import MAX_BODY, errors, json_answer

Dispatch = Callable[[str, WebRequest], Awaitable[WebResponse]]
# What a plugin may say of its answer. Everything else could weaken what protects the reader.
_FROM_PLUGINS = frozenset({
    "cache-control", "content-disposition", "content-language", "etag", "location", "retry-after", "www-authenticate",
})  # fmt: skip
# Cookies ignore ports, and an officer's session must never come into a plugin's hands.
_NOT_TO_PLUGINS = frozenset({"cookie", "proxy-authorization", "x-csrf"})
# A plugin's page is its own world: no script of it runs, and it is of no origin (``sandbox``).
_POLICY = (
    "sandbox allow-forms; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; "
    "frame-ancestors 'none'"
)


def add_hooks(app: web.Application, dispatch: Dispatch) -> None:
    """Add the plugins' routes."""

    async def hook(request: web.Request) -> web.Response:
        body = await request.read()
        asked = WebRequest(
            method=request.method,
            path=request.match_info["path"],
            query=dict(request.query),
            headers=_told(request),
            body=body,
            remote=request.remote or "",
        )
        answer = await dispatch(request.match_info["instance"], asked)
        response = web.Response(status=answer.status, body=answer.body)
        response.headers["Content-Type"] = answer.content_type
        response.headers["Content-Security-Policy"] = _POLICY
        for name, value in answer.headers.items():
            if name.lower() in _FROM_PLUGINS:
                response.headers[name] = value
        return response

    app.router.add_route("*", "/hook/{instance}/{path:.*}", hook)


def _told(request: web.Request) -> dict[str, str]:
    """The request's headers for a plugin: without sessions and API tokens; Basic is a phone's own."""
    told = {name.lower(): value for name, value in request.headers.items() if name.lower() not in _NOT_TO_PLUGINS}
    if told.get("authorization", "").lower().startswith("bearer "):
        del told["authorization"]
    return told


def public_app(dispatch: Dispatch, summary: Callable[[], dict[str, Any]]) -> web.Application:
    """The application of the public listener."""

    async def health(request: web.Request) -> web.Response:
        return json_answer(summary())

    app = web.Application(client_max_size=MAX_BODY, middlewares=[errors])
    add_hooks(app, dispatch)
    app.router.add_get("/api/health", health)
    return app
