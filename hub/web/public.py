"""The public listener: addresses of plugins under ``/hook/INSTANCE/``, and whether the hub is well. Nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from hub.core.error import LimitExceeded
from hub.sdk.context import Socket, WebRequest, WebResponse
from hub.web import pages
from hub.web.guard import MAX_BODY, errors, json_answer
from hub.web.sockets import PluginSocket, is_socket

# Libraries of others that plugins' pages run, laid there by the build of the screens.
VENDOR = Path(__file__).parent / "ui_dist" / "vendor"


class PluginRoutes(Protocol):
    """The plugins' public addresses."""

    def manner(self, instance: str) -> Any:
        """Its ``permissions`` and ``max_body``."""

    async def dispatch(self, instance: str, request: WebRequest) -> WebResponse:
        """The answer, or the refusal; never raises."""

    def public_socket(self, instance: str, path: str, remote: str) -> Any:
        """What serves a WebSocket there; ``NotFound``, ``LimitExceeded`` otherwise."""

    async def talk(self, served: Any, instance: str, socket: Socket) -> None:
        """Let it serve an open one; never raises."""


# What a plugin may say of its answer. Everything else could weaken what protects the reader.
_FROM_PLUGINS = frozenset({
    "cache-control", "content-disposition", "content-language", "etag", "location", "retry-after", "www-authenticate",
})  # fmt: skip
# Cookies ignore ports, and an officer's session must never come into a plugin's hands.
_NOT_TO_PLUGINS = frozenset({"cookie", "proxy-authorization", "x-csrf"})


def add_hooks(app: web.Application, routes: PluginRoutes) -> None:
    """Add the plugins' addresses."""

    async def hook(request: web.Request) -> web.StreamResponse:
        instance = request.match_info["instance"]
        if is_socket(request):
            served = routes.public_socket(instance, request.match_info["path"], request.remote or "")
            socket = await PluginSocket.open(request, asked(request, b""))
            await routes.talk(served, instance, socket)
            return await socket.end()
        manner = routes.manner(instance)
        try:
            told = asked(request, await body_of(request, manner.max_body))
        except LimitExceeded as large:
            return json_answer({"error": large.as_data()}, 413)
        answer = await routes.dispatch(instance, replace(told, remembered=pages.remembered(request, instance)))
        response = answered(answer, pages.with_scripts(request, instance) if answer.scripts else pages.SILENT)
        response.headers["Permissions-Policy"] = pages.permissions(manner.permissions if answer.scripts else ())
        if answer.remember is not None:
            pages.remember(response, request, instance, answer.remember)
        return response

    app.router.add_route("*", "/hook/{instance}/{path:.*}", hook)


async def body_of(request: web.Request, most: int) -> bytes:
    """The body; ``LimitExceeded`` when it is larger."""
    try:
        return await request.clone(client_max_size=most).read()
    except web.HTTPRequestEntityTooLarge:
        raise LimitExceeded(f"the body is larger than {most >> 20} MiB", where="body") from None


def asked(request: web.Request, body: bytes, actor: str | None = None) -> WebRequest:
    """The request as a plugin sees it."""
    return WebRequest(
        method=request.method,
        path=request.match_info["path"],
        query=dict(request.query),
        headers=_told(request),
        body=body,
        remote=request.remote or "",
        actor=actor,
    )


def answered(answer: WebResponse, policy: str = pages.SILENT) -> web.Response:
    """The plugin's answer, with what protects its reader."""
    response = web.Response(status=answer.status, body=answer.body)
    response.headers["Content-Type"] = answer.content_type
    response.headers["Content-Security-Policy"] = policy
    for name, value in answer.headers.items():
        if name.lower() in _FROM_PLUGINS:
            response.headers[name] = value
    return response


def _told(request: web.Request) -> dict[str, str]:
    """The request's headers for a plugin: without sessions and API tokens; Basic is a phone's own."""
    told = {name.lower(): value for name, value in request.headers.items() if name.lower() not in _NOT_TO_PLUGINS}
    if told.get("authorization", "").lower().startswith("bearer "):
        del told["authorization"]
    return told


def public_app(routes: PluginRoutes, summary: Callable[[], dict[str, Any]]) -> web.Application:
    """The application of the public listener."""

    async def health(request: web.Request) -> web.Response:
        return json_answer(summary())

    app = web.Application(client_max_size=MAX_BODY, middlewares=[errors])
    add_hooks(app, routes)
    app.router.add_get("/api/health", health)
    if VENDOR.is_dir():
        app.router.add_static("/vendor/", VENDOR)
    return app
