"""What a child may ask of the hub: each call is one method of its instance's ``LocalContext``."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from hub.core.error import Denied, InvalidInput, LimitExceeded, NotFound
from hub.core.journal import Query
from hub.core.wire import Reply
from hub.host.context import LocalContext
from hub.host.perform import Executor, as_json
from hub.host.remote import chain_of, entity_of, model_of, packed, source_of
from hub.host.scope import NO_CAUSE, plugin_side
from hub.sdk.context import Handler, Video, WebRequest, WebResponse, WordList

Args = dict[str, Any]
MAX_VIDEOS = 200
MAX_WORD_LISTS = 8
MAX_WORDS = 2_000


class There(Protocol):
    """What lives in the child, as the hub calls it."""

    def executor(self, kind: str, name: str) -> Executor:
        """Does the actions of an ``entity``, or an ``action`` of the plugin."""

    def handler(self, number: int) -> Handler:
        """Takes events."""

    def route(self, number: int) -> Callable[[WebRequest], Awaitable[WebResponse]]:
        """Answers web requests."""

    def service(self, key: str) -> object:
        """Offered to other instances."""


class Served:
    """Answers one child."""

    def __init__(self, ctx: LocalContext, watcher: Any, there: There) -> None:
        self._ctx, self._watcher, self._there = ctx, watcher, there
        self._videos: dict[int, Video] = {}
        self._word_lists: dict[str, WordList] = {}
        self._numbers = itertools.count(1)
        self._services: dict[str, Any] = {}
        self._calls: Mapping[str, Callable[[Args, bytes], Awaitable[Any]]] = {
            "add": self._add, "remove": self._remove, "emit": self._emit, "on": self._on, "act": self._act,
            "call": self._call, "state": self._state, "states": self._states, "history": self._history,
            "offer": self._offer, "need": self._need, "service": self._service, "video": self._video,
            "video_snapshot": self._video_snapshot, "video_clip": self._video_clip, "video_close": self._video_close,
            "document": self._document, "record": self._record, "words_put": self._words_put,
            "words_nearest": self._words_nearest, "media_put": self._media_put,
            "media_get": self._media_get, "route": self._route,
            "address": self._address, "pdf": self._pdf, "alive": self._alive, "health": self._health,
            "fault": self._fault, "broken": self._broken, "log": self._log,
        }  # fmt: skip

    async def handle(self, name: str, args: Args, blob: bytes) -> Any:
        """Serve one call; ``NotFound`` when there is none of that name, ``InvalidInput`` when it lacks a part."""
        call = self._calls.get(name)
        if call is None:
            raise NotFound(f"the hub has no call {name!r}", where=self._ctx.instance)
        try:
            with plugin_side(self._ctx.tasks, chain_of(args["why"]) if "why" in args else NO_CAUSE):
                return await call(args, blob)
        except (KeyError, TypeError, ValueError, AttributeError) as wrong:
            raise InvalidInput(f"{name}: {type(wrong).__name__}: {wrong}", where=self._ctx.instance) from wrong

    async def _add(self, args: Args, _: bytes) -> None:
        entity = entity_of(args["entity"])
        await self._ctx.add_served(entity, self._there.executor("entity", entity.id) if args["device"] else None)

    async def _remove(self, args: Args, _: bytes) -> None:
        await self._ctx.remove(args["entity"])

    async def _emit(self, args: Args, _: bytes) -> int:
        return await self._ctx.emit_named(
            args["type"], args["data"], entity=args["entity"], at=args["at"], cause=args["cause"]
        )

    async def _on(self, args: Args, _: bytes) -> None:
        handler = self._there.handler(int(args["number"]))
        await self._ctx.on(
            args["type"], handler, match=args["match"], entity=args["entity"], durable=bool(args["durable"])
        )

    async def _act(self, args: Args, _: bytes) -> None:
        name = str(args["name"])
        executor = self._there.executor("action", name)
        await self._ctx.act_served(name, model_of(name, args["schema"]), lambda _: executor)

    async def _call(self, args: Args, _: bytes) -> Args:
        outcome = await self._ctx.call(
            args["action"], args["target"], args["params"], key=args["key"], cause=args["cause"]
        )
        return outcome.as_data()

    # --- what is known

    async def _state(self, args: Args, _: bytes) -> Args | None:
        state = await self._ctx.state(args["entity"])
        return state.as_data() if state else None

    async def _states(self, args: Args, _: bytes) -> Reply:
        return Reply(None, packed([state.as_data() for state in await self._ctx.states(args["domain"])]))

    async def _history(self, args: Args, _: bytes) -> Reply:
        return Reply(None, packed([event.as_data() for event in await self._ctx.history(Query(**args["query"]))]))

    async def _document(self, args: Args, blob: bytes) -> Any:
        return await self._stored(self._ctx.documents(args["name"]), args)

    async def _record(self, args: Args, blob: bytes) -> Any:
        return await self._stored(self._ctx.records(args["name"]), args)

    @staticmethod
    async def _stored(store: Any, args: Args) -> Any:
        verb = args["verb"]
        if verb == "all":
            return Reply(None, packed(await store.all()))
        if verb == "get":
            return await store.get(args["key"])
        if verb == "put":
            return await store.put(args["key"], args["value"])
        if verb == "delete":
            return await store.delete(args["key"])
        raise InvalidInput(f"no verb {verb!r}", where=args["name"])

    def _word_list(self, args: Args) -> WordList:
        name = str(args["name"])
        if name not in self._word_lists and len(self._word_lists) >= MAX_WORD_LISTS:
            raise LimitExceeded(f"more than {MAX_WORD_LISTS} lists of words", where=self._ctx.instance)
        return self._word_lists.setdefault(name, self._ctx.words(name))

    async def _words_put(self, args: Args, _: bytes) -> None:
        await self._word_list(args).put(args["words"])

    async def _words_nearest(self, args: Args, _: bytes) -> list[tuple[str, float]]:
        bounds = {name: args[name] for name in ("other", "gap", "bound", "most")}
        return await self._word_list(args).nearest(args["read"], **bounds)

    async def _media_put(self, args: Args, blob: bytes) -> str:
        return await self._ctx.media.put(blob, args["mime"], args["retention"], args.get("entity"))

    async def _media_get(self, args: Args, _: bytes) -> Reply:
        content, mime = await self._ctx.media.get(args["media"])
        return Reply({"mime": mime}, content)

    # --- services, video, web

    async def _offer(self, args: Args, _: bytes) -> None:
        await self._ctx.offer_named(args["key"], self._there.service(args["key"]))

    async def _need(self, args: Args, _: bytes) -> None:
        self._services[args["key"]] = await self._ctx.need_named(args["key"])

    async def _service(self, args: Args, _: bytes) -> Any:
        """A method of a service another instance offers: only those the child has asked for, only public ones."""
        service, method = self._services.get(args["key"]), str(args["method"])
        if service is None or method.startswith("_"):
            raise Denied(f"{method} of {args['key']} is not offered", where=self._ctx.instance)
        answer = await getattr(service, method)(*args["args"], **args["kwargs"])
        return as_json(answer, f"{args['key']}.{method}")

    async def _video(self, args: Args, _: bytes) -> int:
        if len(self._videos) >= MAX_VIDEOS:
            raise LimitExceeded(f"more than {MAX_VIDEOS} video sources", where=self._ctx.instance)
        number = next(self._numbers)
        self._videos[number] = await self._ctx.video(args["entity"], source_of(args["source"]))
        return number

    async def _video_snapshot(self, args: Args, _: bytes) -> str:
        return await self._videos[args["number"]].snapshot()

    async def _video_clip(self, args: Args, _: bytes) -> list[str]:
        video = self._videos[args["number"]]
        return await video.clip(args["before_s"], args["after_s"], args["incident"])

    async def _video_close(self, args: Args, _: bytes) -> None:
        await self._videos.pop(args["number"]).close()

    async def _route(self, args: Args, _: bytes) -> None:
        there = self._there.route(int(args["number"]))
        await self._ctx.route(args["method"], args["path"], there, args["right"])

    async def _address(self, args: Args, _: bytes) -> str:
        return await self._ctx.address()

    async def _pdf(self, _: Args, blob: bytes) -> Reply:
        return Reply(None, await self._ctx.pdf(blob.decode()))

    async def _alive(self, args: Args, _: bytes) -> None:
        await self._ctx.alive(args["entity"])

    # --- how it is

    async def _health(self, args: Args, _: bytes) -> None:
        await self._ctx.health(bool(args["ok"]), str(args["reason"]))

    async def _fault(self, args: Args, _: bytes) -> None:
        self._watcher.note_fault(str(args["where"])[:MAX_WORDS], str(args["words"])[:MAX_WORDS])

    async def _broken(self, args: Args, _: bytes) -> None:
        self._watcher.broken(str(args["reason"])[:MAX_WORDS])

    async def _log(self, args: Args, _: bytes) -> None:
        level = logging.getLevelNamesMapping().get(str(args["level"]), logging.INFO)
        self._ctx.log.log(level, "%s", str(args["message"])[:MAX_WORDS])
