"""The public listener: routes of plugins under ``/hook/INSTANCE/``, and whether the hub is well. Nothing else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from hub.sdk.context import WebRequest, WebResponse
from hub.web.guard import MAX_BODY, errors, json_answer

Dispatch = Callable[[str, WebRequest], Awaitable[WebResponse]]
# A plugin's page may not turn off what protects its readers.
_NOT_FROM_PLUGINS = frozenset({"content-security-policy", "set-cookie", "x-content-type-options", "referrer-policy"})


def add_hooks(app: web.Application, dispatch: Dispatch) -> None:
    """Add the plugins' routes."""

    async def hook(request: web.Request) -> web.Response:
        body = await request.read()
        asked = WebRequest(
            method=request.method,
            path=request.match_info["path"],
            query=dict(request.query),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
            remote=request.remote or "",
        )
        answer = await dispatch(request.match_info["instance"], asked)
        response = web.Response(status=answer.status, body=answer.body)
        response.headers["Content-Type"] = answer.content_type
        for name, value in answer.headers.items():
            if name.lower() not in _NOT_FROM_PLUGINS:
                response.headers[name] = value
        return response

    app.router.add_route("*", "/hook/{instance}/{path:.*}", hook)


def public_app(dispatch: Dispatch, summary: Callable[[], dict[str, Any]]) -> web.Application:
    """The application of the public listener."""

    async def health(request: web.Request) -> web.Response:
        return json_answer(summary())

    app = web.Application(client_max_size=MAX_BODY, middlewares=[errors])
    add_hooks(app, dispatch)
    app.router.add_get("/api/health", health)
    return app
