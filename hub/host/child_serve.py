"""What the hub asks of a child: load, set up, events, actions, requests, unload."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import logging
import socket
from pathlib import Path
from typing import Any

from hub.core.action import Call
from hub.core.error import ConfigError, HubError, NotFound, Unavailable
from hub.core.event import Event
from hub.core.wire import Peer, Reply
from hub.host.child_context import RemoteContext
from hub.host.live import limit_of, live
from hub.host.perform import as_json, device_params, method_of, perform, typed_by
from hub.host.problems import problems
from hub.host.registry import Registry
from hub.host.remote import said
from hub.host.scope import NO_CAUSE, Chain, fresh_context, plugin_side, track_tasks
from hub.sdk.context import WebRequest, WebResponse
from hub.sdk.spec import PluginSpec

Args = dict[str, Any]
END_WITHIN_S = 5.0


class Serving:
    """One instance in this process."""

    def __init__(self) -> None:
        self.peer: Peer
        self._ctx: RemoteContext
        self._spec: PluginSpec
        self._config: Args = {}
        self._beside = ""
        self._life: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self._bodies: dict[int, asyncio.Task[Any]] = {}

    async def handle(self, name: str, args: Args, blob: bytes) -> Any:
        """Serve one call of the hub. A fault of the plugin travels in words with file and line."""
        calls = {
            "load": self._load, "setup": self._setup, "unload": self._unload, "event": self._event,
            "perform": self._perform, "request": self._request, "serve": self._serve,
        }  # fmt: skip
        if name == "ping":
            return None
        if name == "cancel":
            return self._cancel(args["token"])
        if name not in calls:
            raise NotFound(f"no call {name!r}")
        if "token" not in args:
            return await calls[name](args, blob)
        task = asyncio.current_task()
        self._bodies[args["token"]] = task  # type: ignore[assignment]  # it runs in one
        try:
            return await calls[name](args, blob)
        except asyncio.CancelledError:
            raise Unavailable("it was cancelled") from None
        except Exception as fault:
            raise said(fault, self._ctx.explain(fault)) from fault
        finally:
            self._bodies.pop(args["token"], None)

    def _cancel(self, token: int) -> None:
        if (task := self._bodies.get(token)) is not None:
            task.cancel()

    # --- life

    async def _load(self, args: Args, _: bytes) -> Args:
        folder = Path(args["folder"])
        self._ctx = RemoteContext(self.peer, args["instance"], folder)
        try:
            self._spec = Registry().load(args["plugin"], folder)
        except ConfigError as wrong:
            return {"mistakes": [[m.file, m.line, m.column, m.words] for m in wrong.mistakes]}
        self._config, self._beside = args["config"], args["beside"]
        return {
            "schema": self._spec.config.model_json_schema(), "limit": limit_of(self._spec),
            "problems": problems(self._spec.config, self._config, self._beside),
        }  # fmt: skip

    async def _setup(self, args: Args, _: bytes) -> str | None:
        """Set up; words when the settings are wrong in a way that trying again cannot mend."""
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        settings = self._spec.config.model_validate(self._config, context={"beside": self._beside})
        self._life = loop.create_task(
            live(self._spec, self._ctx, settings, ready.set, self._stop), name="life",
            context=fresh_context(self._ctx.tasks),
        )  # fmt: skip
        waiting = loop.create_task(ready.wait())
        await asyncio.wait({self._life, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if ready.is_set():
            self._life.add_done_callback(self._ended)
            return None
        fault = self._life.exception()
        if isinstance(fault, ConfigError):
            return fault.message
        if fault is not None:
            raise said(fault, self._ctx.explain(fault)) from fault
        raise HubError("the set-up ended by itself")

    def _ended(self, life: asyncio.Task[None]) -> None:
        if self._stop.is_set():
            return
        fault = None if life.cancelled() else life.exception()
        reason = self._ctx.explain(fault) if fault is not None else "it ended by itself"
        self._ctx.spawn(self._tell_broken(reason), "broken")

    async def _tell_broken(self, reason: str) -> None:
        with contextlib.suppress(Unavailable):
            await self._ctx.ask("broken", reason=reason)

    async def _unload(self, args: Args, _: bytes) -> None:
        self._stop.set()
        if self._life is not None:
            await asyncio.wait({self._life})
            if (fault := None if self._life.cancelled() else self._life.exception()) is not None:
                raise said(fault, self._ctx.explain(fault)) from fault
        await self._ctx.tasks.end(END_WITHIN_S)

    # --- work

    async def _event(self, args: Args, _: bytes) -> None:
        event = Event.from_data(args["event"])
        with plugin_side(self._ctx.tasks, Chain.of_event(event)):
            await self._ctx.handlers[args["number"]](event)

    async def _perform(self, args: Args, _: bytes) -> Any:
        call, name = Call(**args["call"]), args["name"]
        if args["kind"] == "action":
            found = self._ctx.own(name)
            if found is None:
                raise Unavailable(f"nothing serves {name}", where=name)
            return await perform(self._ctx.tasks, call, found[1], typed_by(found[0], call.params))
        verb = call.action.partition(".")[2]
        method = method_of(self._ctx.device(name), verb)
        if method is None:
            raise Unavailable(f"{name} does not do {call.action}", where=name)
        return await perform(self._ctx.tasks, call, method, typed_by(device_params(call.action), call.params))

    async def _request(self, args: Args, blob: bytes) -> Reply:
        request = WebRequest(**args["request"], body=blob)
        with plugin_side(self._ctx.tasks, NO_CAUSE):
            answer: Any = await self._ctx.routes[args["number"]](request)
        if not isinstance(answer, WebResponse):
            raise TypeError("a route must answer a WebResponse")
        head = {"status": answer.status, "content_type": answer.content_type, "headers": dict(answer.headers)}
        return Reply(head, answer.body)

    async def _serve(self, args: Args, _: bytes) -> Any:
        service, method = self._ctx.services.get(args["key"]), str(args["method"])
        found = getattr(service, method, None) if not method.startswith("_") else None
        if not inspect.iscoroutinefunction(found):
            raise NotFound(f"the service has no method {method}", where=args["key"])
        with plugin_side(self._ctx.tasks, NO_CAUSE):
            return as_json(await found(*args["args"], **args["kwargs"]), f"{args['key']}.{method}")


async def _main(fd: int) -> None:
    track_tasks(asyncio.get_running_loop())
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=fd))
    serving = Serving()
    serving.peer = Peer(reader, writer, serving.handle, "the hub")
    await serving.peer.run()


def serve(fd: int) -> None:
    """Serve until the hub closes the wire."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    asyncio.run(_main(fd))
