"""The public listener: addresses of plugins under ``/hook/INSTANCE/``, and whether the hub is well. Nothing else."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from hub.core.error import LimitExceeded, TimedOut, Unavailable
from hub.host.text import plain
from hub.sdk.context import Socket, WebRequest, WebResponse
from hub.web import pages
from hub.web.bodies import Bodies
from hub.web.guard import MAX_BODY, errors, json_answer
from hub.web.sockets import PluginSocket, is_socket

log = logging.getLogger(__name__)

# Libraries of others that plugins' pages run, laid there by the build of the screens.
VENDOR = Path(__file__).parent / "ui_dist" / "vendor"


class PluginRoutes(Protocol):
    """The plugins' public addresses."""

    def manner(self, instance: str) -> Any:
        """Its ``permissions`` and ``max_body``."""

    def admit(self, instance: str, method: str, path: str, remote: str) -> Any:
        """What stands at an address, or a ``WebResponse`` that refuses."""

    async def ask(self, served: Any, request: WebRequest) -> WebResponse:
        """Its answer; never raises."""

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


def add_hooks(app: web.Application, routes: PluginRoutes, bodies: Bodies | None = None) -> None:
    """Add the plugins' addresses."""
    bodies = bodies or Bodies()

    async def hook(request: web.Request) -> web.StreamResponse:
        instance = request.match_info["instance"]
        if is_socket(request):
            served = routes.public_socket(instance, request.match_info["path"], request.remote or "")
            socket = await PluginSocket.open(request, asked(request, b""))
            await routes.talk(served, instance, socket)
            return await socket.end()
        manner = routes.manner(instance)
        served = routes.admit(instance, request.method, request.match_info["path"], request.remote or "")
        if isinstance(served, WebResponse):
            answer = served
        else:
            try:
                async with bodies.read(request, manner.max_body) as body:
                    told = replace(asked(request, body), remembered=pages.remembered(request, instance))
                    answer = await routes.ask(served, told)
            except (LimitExceeded, Unavailable, TimedOut) as refused:
                return _not_read(refused)
        answer = _kept_inside(answer, instance)
        response = answered(answer, pages.with_scripts(request, instance) if answer.scripts else pages.SILENT)
        response.headers["Permissions-Policy"] = pages.permissions(manner.permissions if answer.scripts else ())
        if answer.remember is not None:
            pages.remember(response, request, instance, answer.remember)
        return response

    app.router.add_route("*", "/hook/{instance}/{path:.*}", hook)


def _not_read(refused: LimitExceeded | Unavailable | TimedOut) -> web.Response:
    """The refusal of a body; what is left of it is not waited for."""
    statuses = {LimitExceeded: 413, TimedOut: 408, Unavailable: 503}
    response = json_answer({"error": refused.as_data()}, statuses[type(refused)])
    response.force_close()
    return response


def _kept_inside(answer: WebResponse, instance: str) -> WebResponse:
    """The answer without a way out of the instance's own addresses."""
    strays = [
        name for name, to in answer.headers.items()
        if name.lower() == "location" and not pages.leads_into(to, f"/hook/{instance}/")
    ]  # fmt: skip
    if not strays:
        return answer
    log.warning("%s may lead its readers to /hook/%s/… only: its redirect is left out", instance, instance)
    return replace(answer, headers={name: to for name, to in answer.headers.items() if name not in strays})


def asked(request: web.Request, body: bytes, actor: str | None = None) -> WebRequest:
    """The request as a plugin sees it."""
    return WebRequest(
        method=request.method,
        path=plain(request.match_info["path"]),
        query={plain(name): plain(value) for name, value in request.query.items()},
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
    told = {
        name.lower(): plain(value) for name, value in request.headers.items() if name.lower() not in _NOT_TO_PLUGINS
    }  # fmt: skip
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
