"""The plugins' addresses on the staff listener: ``/plugin/INSTANCE/PATH``. The hub finds out who asks and checks the
right that the plugin named, before the plugin hears of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from aiohttp import web

from hub.access.roles import Roles
from hub.host.routes import MAX_STAFF_BODY, SOCKET
from hub.sdk.context import Socket, WebRequest, WebResponse
from hub.web.bodies import body_of
from hub.web.public import answered, asked
from hub.web.route import SIGNED_IN, Ask, NoBody, Route
from hub.web.sockets import PluginSocket, is_socket
from hub.web.stream import Present

METHODS = ("GET", "POST", "PUT", "DELETE")


class StaffRoutes(Protocol):
    """What the host serves there."""

    def staff(self, instance: str, method: str, path: str) -> Any:
        """What stands at an address, with its ``right``; ``NotFound`` otherwise."""

    async def ask(self, served: Any, request: WebRequest) -> WebResponse:
        """Its answer; never raises."""

    async def talk(self, served: Any, instance: str, socket: Socket) -> None:
        """Let it serve an open socket; never raises."""


class PluginPages:
    """Serves them."""

    def __init__(self, routes: StaffRoutes, roles: Roles, watch: Callable[[web.Request], Present]) -> None:
        self._routes, self._roles, self._watch = routes, roles, watch

    def routes(self) -> list[Route]:
        """Its part of the table. The right is the plugin's word and is checked in the handler."""
        words = "A page or file of a plugin; the plugin names the right"
        return [Route(method, "/plugin/{instance}/{path}", SIGNED_IN, words, self._serve) for method in METHODS]

    async def _serve(self, ask: Ask[NoBody]) -> web.StreamResponse:
        request, instance, path = ask.request, ask.path["instance"], ask.path["path"]
        served = self._routes.staff(instance, SOCKET if is_socket(request) else request.method, path)
        self._roles.check(ask.actor, served.right)
        if is_socket(request):
            present, right = self._watch(request), served.right
            socket = await PluginSocket.open(
                request, asked(request, b"", ask.actor.id), lambda: self._lasts(present, right)
            )
            await self._routes.talk(served, instance, socket)
            return await socket.end()
        body = await body_of(request, MAX_STAFF_BODY)
        return answered(await self._routes.ask(served, asked(request, body, ask.actor.id)))

    def _lasts(self, present: Present, right: str) -> bool:
        actor = present()
        return actor is not None and self._roles.may(actor, right)
