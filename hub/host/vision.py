"""The vision process as the hub sees it: started with the first source, started again when it ends, every source
opened again; what it sees becomes events of the camera's entity."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

from hub.capabilities import (
    CameraTampered,
    ClipSaved,
    LineCrossed,
    Loitering,
    MotionEnded,
    MotionStarted,
    PlateGuess,
    PlateRead,
    VideoChanged,
)
from hub.core.clock import Clock
from hub.core.documents import Media
from hub.core.error import Conflict, HubError, InvalidInput, LimitExceeded, NotFound, Unavailable
from hub.core.event import EventData
from hub.core.ids import Ids
from hub.core.system import Fault
from hub.host.feed import MAX_VIEWERS, Feed, Viewer
from hub.host.parts import Reporter
from hub.host.process import Bounds, Child
from hub.sdk.context import VideoSource

log = logging.getLogger(__name__)

MODULE = "hub.vision"
KEEP = ("NUMBA_CACHE_DIR",)
MAX_SOURCES = 64
OPEN_WITHIN_S = 20.0
SNAPSHOT_WITHIN_S = 10.0
CLIP_PART_WITHIN_S = 20.0
SETTLES_S = 15.0  # after somebody held a camera, it may still turn to a preset
LINGER_S = 5.0
"""Seconds without viewers after which the pictures for them end: who only turns a page comes back before."""
REOPEN_S = 30.0
"""Seconds after which a source that the process refused is opened again."""
BACKOFF_FIRST_S, BACKOFF_MOST_S, STEADY_S = 1.0, 60.0, 60.0


@dataclass(slots=True)
class _Source:
    ctx: Reporter
    entity: str
    source: VideoSource
    moving: bool = False
    tampered: bool = False

    def args(self) -> dict[str, Any]:
        """What the call ``open`` takes."""
        source = self.source
        login = {"username": source.username, "password": source.password}
        given = {
            "key": self.entity, "url": source.url, "analyse": list(source.analyse), "fps": source.fps,
            "kind": source.kind, "live_url": source.live_url, "record_s": source.record_s,
        }  # fmt: skip
        if source.every_s is not None:
            given["every_s"] = source.every_s
        return {**source.settings, **given, **{name: value for name, value in login.items() if value is not None}}


class Vision:
    """Implements ``VideoService`` with ``python -m hub.vision``."""

    def __init__(
        self, media: Media, clock: Clock, ids: Ids, *, module: str = MODULE, bounds: Bounds | None = None
    ) -> None:
        self._media, self._clock, self._ids = media, clock, ids
        self._module, self._bounds = module, bounds or Bounds(ping_s=10.0, silent_s=30.0, keep=KEEP)
        self._sources: dict[str, _Source] = {}
        self._feeds: dict[str, Feed] = {}
        self._unopened: set[str] = set()  # refused by the process that runs now
        self._cropless = False  # pictures of plates cannot be kept, and it was told
        self._child: Child | None = None
        self._task: asyncio.Task[None] | None = None
        self._wanted = asyncio.Lock()
        self.restarts = 0

    @property
    def pid(self) -> int | None:
        """Of the process, while it runs."""
        return self._child.pid if self._child is not None else None

    async def open(self, ctx: Reporter, entity: str, source: VideoSource) -> WatchedSource:
        """Watch a source. ``InvalidInput`` when it cannot be one; a camera that is off is no error."""
        if "key" in source.settings:
            raise InvalidInput("settings may not name a key", where=entity)
        known = self._sources.get(entity)
        if known is not None and known.ctx.instance != ctx.instance:
            raise Conflict(f"{entity} is watched for {known.ctx.instance}", where=entity)
        if known is None and len(self._sources) >= MAX_SOURCES:
            raise LimitExceeded(f"more than {MAX_SOURCES} video sources", where=entity)
        state = await ctx.state(entity)  # what an earlier hub said of the picture is still believed
        mine = _Source(ctx, entity, source, tampered=bool(state is not None and state.attributes.get("tampered_by")))
        async with self._wanted:
            child = await self._running()
            if known is not None:
                await self._close_there(entity)
            self._sources[entity] = mine  # before it is opened: what is seen may come before the answer
            try:
                await self._open_there(child, mine)
            except BaseException:
                self._sources.pop(entity, None)
                raise
            finally:
                self._unopened.discard(entity)
        return WatchedSource(self, mine)

    async def process(self) -> Child:
        """The process, started where none was. ``Unavailable`` while it starts anew, or when the system refuses."""
        async with self._wanted:
            child = await self._running()
        if child.ended.done():
            raise Unavailable("the vision process starts anew")
        return child

    async def snapshot(self, source: _Source) -> str:
        """Keep the newest picture; its media id."""
        if self._child is None or self._sources.get(source.entity) is not source:
            raise Unavailable("the camera's picture is not watched now", where=source.entity)
        answer = await self._child.ask("snapshot", {"key": source.entity}, limit=SNAPSHOT_WITHIN_S)
        return await self._media.put(answer.blob, "image/jpeg", "incidents", source.entity, source.ctx.instance)

    async def clip(self, source: _Source, before_s: float, after_s: float, incident: str | None) -> list[str]:
        """Keep what is shown around now; the media ids, each reported as ``clip_saved``."""
        child = self._child
        if child is None or self._sources.get(source.entity) is not source:
            raise Unavailable("the camera's picture is not watched now", where=source.entity)
        args = {"key": source.entity, "before_s": before_s, "after_s": after_s}
        made = (await child.ask("clip", args, limit=after_s + CLIP_PART_WITHIN_S)).header["result"]
        kept = []
        for number, part in enumerate(made["parts"]):
            ask = {"clip": made["clip"], "part": number}
            content = (await child.ask("clip_part", ask, limit=CLIP_PART_WITHIN_S)).blob
            media = await self._media.put(content, "video/mp4", "incidents", source.entity, source.ctx.instance)
            saved = ClipSaved(
                media=media, sha256=media, begins=part["begins"], ends=part["ends"], camera=source.entity,
                incident=incident,
            )  # fmt: skip
            await source.ctx.report(saved, source.entity)
            kept.append(media)
        return kept

    # --- viewers

    async def join(self, entity: str) -> Viewer:
        """A place at a camera's live pictures. ``NotFound`` for an entity without any, ``LimitExceeded`` beyond
        ``MAX_VIEWERS``. A camera that is off is no error: its header says so."""
        if entity not in self._sources:
            raise NotFound("this entity has no live picture", where=entity, hint="is its plugin running?")
        feed = self._feeds.get(entity)
        if feed is None:
            feed = self._feeds[entity] = Feed(entity)
            viewer = feed.join()
            await self._show(entity)
            asyncio.get_running_loop().create_task(self._linger(feed), name=f"live {entity}")
            return viewer
        if len(feed.viewers) >= MAX_VIEWERS:
            raise LimitExceeded(f"{MAX_VIEWERS} people watch this camera already", where=entity)
        return feed.join()

    async def _show(self, entity: str) -> None:
        """Ask for the live pictures of a feed's camera."""
        if self._child is not None:
            try:
                await self._child.ask("live", {"key": entity, "on": True}, limit=OPEN_WITHIN_S)
            except HubError as refused:
                self._feeds[entity].off(str(refused))

    async def _linger(self, feed: Feed) -> None:
        """End the pictures some seconds after the last viewer left."""
        left = self._clock.monotonic()
        while (now := self._clock.monotonic()) - left < LINGER_S:
            await self._clock.sleep(LINGER_S / 5)
            left = now if feed.viewers else left
        del self._feeds[feed.entity]
        if self._child is not None and feed.entity in self._sources:
            try:
                await self._child.ask("live", {"key": feed.entity, "on": False}, limit=OPEN_WITHIN_S)
            except HubError as refused:
                log.info("the vision process did not end the live pictures of %s: %s", feed.entity, refused)

    async def _open_there(self, child: Child, source: _Source) -> None:
        await child.ask("open", source.args(), limit=OPEN_WITHIN_S)
        if source.entity in self._feeds:
            await self._show(source.entity)

    async def close(self, source: _Source) -> None:
        """Watch it no more; harmless when a newer source took its place."""
        if self._sources.get(source.entity) is source:
            del self._sources[source.entity]
            if (feed := self._feeds.get(source.entity)) is not None:
                feed.off("the camera was taken out")
            await self._close_there(source.entity)

    async def _close_there(self, entity: str) -> None:
        if self._child is not None and not self._child.ended.done():
            try:
                await self._child.ask("close", {"key": entity}, limit=OPEN_WITHIN_S)
            except HubError as refused:
                log.info("the vision process did not close %s: %s", entity, refused)

    async def stop(self) -> None:
        """End the process."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        if self._child is not None:
            await self._child.stop()
            self._child = None

    # --- the process

    async def _running(self) -> Child:
        if self._child is None:
            self._child = await self._spawn()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._supervise(), name="vision")
        return self._child

    async def _spawn(self) -> Child:
        child = Child("vision", self._module, self._heard, self._bounds)
        await child.start()
        return child

    async def _supervise(self) -> None:
        delay = BACKOFF_FIRST_S
        while self._child is not None:
            begun = self._clock.monotonic()
            while not self._child.ended.done():
                await asyncio.wait({self._child.ended}, timeout=REOPEN_S if self._unopened else None)
                if self._unopened and not self._child.ended.done():
                    async with self._wanted:
                        for entity in self._unopened:  # it may have been slow only
                            await self._close_there(entity)
                        await self._open_all(self._child, self._unopened)
            reason = await asyncio.shield(self._child.ended)
            await self._child.stop()
            log.warning("the vision process ended: %s", reason)
            if self._clock.monotonic() - begun >= STEADY_S:
                delay = BACKOFF_FIRST_S
            for feed in self._feeds.values():
                feed.off(f"vision process: {reason}")
            for source in list(self._sources.values()):
                await self._report(source, VideoChanged(video="retrying", reason=f"vision process: {reason}"))
            await self._clock.sleep(delay * (0.75 + self._ids.random.random() / 2))
            delay = min(BACKOFF_MOST_S, delay * 2)
            async with self._wanted:
                await self._again()

    async def _again(self) -> None:
        """A new process with all sources."""
        self.restarts += 1
        try:
            child = self._child = await self._spawn()
        except HubError as refused:
            log.warning("the vision process did not start: %s", refused)
            return
        await self._open_all(child, set(self._sources))

    async def _open_all(self, child: Child, entities: set[str]) -> None:
        """Each on its own: one that is refused is told, and tried again later; the others are opened."""
        self._unopened = set()
        for source in [one for entity, one in self._sources.items() if entity in entities]:
            try:
                await self._open_there(child, source)
            except HubError as refused:
                log.warning("the vision process did not open %s: %s", source.entity, refused)
                self._unopened.add(source.entity)
                await self._report(source, VideoChanged(video="retrying", reason=f"vision process: {refused}"))

    # --- what it says

    async def _heard(self, name: str, args: dict[str, Any], blob: bytes) -> None:
        source = self._sources.get(str(args.get("key")))
        if source is None:
            return
        try:
            if name == "live":  # first and without a wait: pictures must stay in order
                if source.entity in self._feeds:
                    self._feeds[source.entity].take(args, blob)
            elif name == "camera":
                await self._report(source, VideoChanged(video=args["state"], reason=args.get("reason") or ""))
            elif name == "motion":
                await self._motion(source, args)
            elif name == "passed":
                await self._passed(source, args)
            elif name == "scene":
                await self._scene(source, args)
            elif name == "plate":
                await self._plate(source, args, blob)
        except (KeyError, TypeError, ValueError) as wrong:
            log.warning("the vision process sent a %s that is none: %s", name, wrong)

    async def _motion(self, source: _Source, args: dict[str, Any]) -> None:
        if bool(args["moving"]) != source.moving:  # a new process says again what was
            source.moving = bool(args["moving"])
            data = MotionStarted(boxes=args["boxes"]) if source.moving else MotionEnded()
            await self._report(source, data, args.get("at"))

    async def _turned(self, source: _Source, at: float) -> bool:
        """Whether somebody moves, or just moved, the camera through the hub: what changes in the picture was wanted.

        ``ptz_until`` is projected from ``ptz_locked``, which comes before the camera is asked to move.
        """
        state = await source.ctx.state(source.entity)
        return state is not None and at < float(state.attributes.get("ptz_until") or 0.0) + SETTLES_S

    async def _passed(self, source: _Source, args: dict[str, Any]) -> None:
        """Lines and areas are drawn in the usual view: while a camera is turned they lie somewhere else."""
        if await self._turned(source, float(args["at"])):
            return
        data: EventData = Loitering(area=args["name"], seconds=args["seconds"])
        if args["what"] == "crossed":
            data = LineCrossed(line=args["name"], way=args["way"])
        await self._report(source, data, args.get("at"))

    async def _scene(self, source: _Source, args: dict[str, Any]) -> None:
        """What the camera sees of itself: told when it is no more as it should be, and when it is again."""
        scene = str(args["scene"])
        if scene == "moved" and await self._turned(source, float(args["at"])):
            return
        tampered = scene != "ok"
        if tampered or source.tampered:
            source.tampered = tampered
            what = scene if tampered else ""
            await self._report(source, CameraTampered(active=tampered, what=what), args.get("at"))

    async def _plate(self, source: _Source, args: dict[str, Any], blob: bytes) -> None:
        crop = await self._crop(source, blob) if blob else None
        guesses = [PlateGuess(**guess) for guess in args.get("alternatives") or ()]
        read = PlateRead(
            series=args["series"], number=args["number"], province=args.get("province") or "",
            confidence=args["confidence"], alternatives=guesses, lattice=args.get("lattice") or [], crop=crop,
            box=args.get("box"),
        )  # fmt: skip
        await self._report(source, read, args.get("at"))

    async def _crop(self, source: _Source, blob: bytes) -> str | None:
        """Keep a plate's picture; ``None`` when it cannot be kept, which is told once: the read is worth more."""
        try:
            media = await self._media.put(blob, "image/jpeg", "plates", source.entity, source.ctx.instance)
        except HubError as refused:
            log.log(logging.DEBUG if self._cropless else logging.WARNING, "a plate's picture is not kept: %s", refused)
            if not self._cropless:
                self._cropless = True
                words = f"plates are read without their pictures: {refused.message}"
                await self._report(source, Fault(where=source.entity, message=words, hint=refused.hint))
            return None
        self._cropless = False
        return media

    async def _report(self, source: _Source, data: EventData, at: float | None = None) -> None:
        try:
            await source.ctx.report(data, source.entity, at)
        except HubError as refused:  # its instance is being unloaded, or the journal failed
            log.info("%s of %s was not taken: %s", type(data).type.name, source.entity, refused)


class WatchedSource:
    """One source under the vision process's care."""

    def __init__(self, vision: Vision, source: _Source) -> None:
        self._vision, self._source = vision, source

    async def snapshot(self) -> str:
        return await self._vision.snapshot(self._source)

    async def clip(self, before_s: float = 10.0, after_s: float = 10.0, incident: str | None = None) -> list[str]:
        return await self._vision.clip(self._source, before_s, after_s, incident)

    async def close(self) -> None:
        await self._vision.close(self._source)
