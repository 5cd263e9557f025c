"""Both listeners: staff (API, stream, screens) and public (routes of plugins)."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from hub.core.error import Unavailable
from hub.web import connections
from hub.web.guard import MAX_BODY, Guard, add_headers, errors, json_answer
from hub.web.openapi import document
from hub.web.proxies import behind
from hub.web.public import PluginRoutes, add_hooks, public_app
from hub.web.route import OPEN, Ask, NoBody, Route

UI = Path(__file__).parent / "ui_dist"
SHUTDOWN_S = 3.0
NOT_BUILT = (
    "<!doctype html><meta charset=utf-8><title>hub</title>"
    "<p>The screens are not built: run <code>make install</code>. The API is at /api/openapi.json."
)


@dataclass(frozen=True, slots=True)
class Listener:
    """Where to listen; port 0 takes a free one."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None


class Server:
    """Serves a table of routes, the built screens and the plugins' routes."""

    def __init__(
        self, routes: Sequence[Route], guard: Guard, plugins: PluginRoutes, summary: Callable[[], dict[str, Any]],
        version: str, proxies: Collection[str] = (),
    ) -> None:  # fmt: skip
        self._routes = [*routes, Route("GET", "/api/openapi.json", OPEN, "This API for machines", self._openapi)]
        self._guard, self._plugins, self._summary, self._version = guard, plugins, summary, version
        self._proxies = frozenset(proxies)
        self._runners: list[web.AppRunner] = []
        self._entrances: list[asyncio.Task[None]] = []
        self._bound: list[tuple[Listener, socket.socket]] = []

    @property
    def routes(self) -> Sequence[Route]:
        """The whole table."""
        return self._routes

    def bind(self, staff: Listener, public: Listener | None) -> list[tuple[str, int]]:
        """Take the addresses, so that plugins can be told theirs before anything is served. They are answered to
        from ``start`` on; what connects before waits."""
        self._bound = [(listener, _bind(listener)) for listener in (staff, public) if listener is not None]
        return [held.getsockname()[:2] for _, held in self._bound]

    async def start(self) -> None:
        """Serve. Without a public listener its routes are on the staff listener, which is for loopback and for
        reverse proxies that part them by path."""
        app = self._staff_app()
        if len(self._bound) == 1:
            add_hooks(app, self._plugins)
        app.router.add_get("/{tail:.*}", self._screen)
        apps = (app, public_app(self._plugins, self._summary))
        limits = (connections.EACH_STAFF, connections.EACH_PUBLIC)
        for served, each, (listener, held) in zip(apps, limits, self._bound, strict=False):
            await self._serve(served, held, listener, each)

    async def stop(self) -> None:
        """Close both."""
        for entrance in self._entrances:
            entrance.cancel()
        await asyncio.gather(*self._entrances, return_exceptions=True)
        self._entrances.clear()
        for runner in self._runners:
            await runner.cleanup()
        self._runners.clear()
        for _, held in self._bound:
            held.close()
        self._bound.clear()

    def _staff_app(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY, middlewares=[errors])
        for route in self._routes:
            # a name at the end may hold slashes, as the key of a confirmation does
            path = re.sub(r"{(\w+)}$", r"{\1:.+}", route.path)
            app.router.add_route(route.method, path, self._guard.wrap(route))
        return app

    async def _serve(self, app: web.Application, held: socket.socket, listener: Listener, each: int) -> None:
        app.on_response_prepare.append(add_headers)
        app.middlewares.insert(0, behind(self._proxies))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S, handle_signals=False)
        await runner.setup()
        self._runners.append(runner)
        assert runner.server is not None  # noqa: S101  # it is set up
        most = connections.room() // len(self._bound)  # the public listener's crowd leaves the staff's share alone
        entrance = connections.Entrance(runner.server, held, listener.tls, most, each, self._proxies)
        self._entrances.append(asyncio.create_task(entrance.run(), name=f"entrance {listener.host}"))

    async def _openapi(self, ask: Ask[NoBody]) -> web.Response:
        return json_answer(document(self._routes, self._version))

    async def _screen(self, request: web.Request) -> web.StreamResponse:
        """A file of the built screens; every other path is a page of the one-page application."""
        tail = request.match_info["tail"]
        if tail.startswith(("api/", "hook/", "plugin/")):
            raise web.HTTPNotFound
        file = (UI / tail).resolve()
        if tail and file.is_relative_to(UI) and file.is_file():
            hashed = tail.startswith("assets/")
            cache = "public, max-age=31536000, immutable" if hashed else "no-cache"
            return web.FileResponse(file, headers={"Cache-Control": cache})
        if not (UI / "index.html").is_file():
            return web.Response(text=NOT_BUILT, content_type="text/html")
        return web.FileResponse(UI / "index.html", headers={"Cache-Control": "no-cache"})


def _bind(listener: Listener) -> socket.socket:
    family = socket.AF_INET6 if ":" in listener.host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((listener.host, listener.port))
    except OSError as taken:
        made.close()
        raise Unavailable(
            f"cannot listen on {listener.host}:{listener.port}: {taken.strerror}", where="web.port",
            hint="is another hub running? choose another port",
        ) from None  # fmt: skip
    made.listen(128)
    made.setblocking(False)
    return made
