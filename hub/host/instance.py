"""Supervision of one instance: starting → running, retrying(reason) with back-off, failed(configuration), stopped.

Every change is an event of the entity ``plugin.NAME``.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from typing import Any

from hub.core.error import ConfigError, HubError, Mistake
from hub.core.event import Draft, EventData
from hub.core.pipeline import Pipeline
from hub.core.system import EntityAdded, Fault, InstanceChanged, InstanceHeard, InstanceSilent
from hub.host.attempt import Attempt
from hub.host.config import InstanceConfig
from hub.host.context import END_WITHIN_S
from hub.host.discover import Found
from hub.host.registry import blame, shown, words_of
from hub.host.scope import fresh_context
from hub.host.text import plain

log = logging.getLogger(__name__)

BACKOFF_FIRST_S, BACKOFF_MOST_S = 1.0, 60.0
STEADY_S = 60.0  # after running so long the next back-off begins small again
FAULTS, FAULTS_WITHIN_S = 5, 60.0
MAX_REASON = 1_000

Make = Callable[["Instance"], Attempt]


class Instance:
    """One configured plugin, kept alive. Also the ``Watcher`` of its contexts.

    ``make`` builds an attempt; ``None`` when the instance cannot be tried (``wrong`` says why).
    ``on_ready(instance, attempt)`` is called when a set-up succeeded and no reload is open.
    """

    def __init__(
        self, pipeline: Pipeline, config: InstanceConfig, found: Found | None, make: Make | None,
        on_ready: Callable[[Instance, Attempt], None], wrong: str = "",
    ) -> None:  # fmt: skip
        self.name, self.config, self.found = config.name, config, found
        self.state, self.reason, self.faults = "stopped", "", 0
        self.attempt: Attempt | None = None
        self.first: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.last_fault = ""
        self.last_sign: float | None = None  # when what it speaks with gave a sign of life (seconds since 1970)
        self.signs: dict[str, float] = {}  # the same of its entities
        self.silent = False
        self._last_event_at: float | None = None
        self._pipeline, self._make, self._on_ready, self._wrong = pipeline, make, on_ready, wrong
        self._recent: deque[float] = deque(maxlen=FAULTS)
        self._stopping, self._broken = asyncio.Event(), asyncio.Event()
        self._why = self._unwell = ""
        self._silent = False
        self.probing = False  # part of a reload that is not decided yet
        self.mistakes: list[Mistake] = []
        self._running: Attempt | None = None
        self._task: asyncio.Task[None] | None = None

    # --- life

    def start(self, probe: bool = False) -> None:
        """Begin. ``probe``: try once, silently; ``first`` tells whether it runs (then it is supervised as usual)."""
        self._silent = self.probing = probe
        if not probe:
            self._describe()
        name = f"instance {self.name}"
        self._task = asyncio.get_running_loop().create_task(self._supervise(), name=name, context=fresh_context(None))

    async def stop(self, silent: bool = False) -> None:
        """Unload and end. ``silent``: a newer self goes on, so nothing is said."""
        self._silent = self._silent or silent
        self._stopping.set()
        if self._task is not None:
            await self._task

    @property
    def last_event_at(self) -> float | None:
        """When it last brought an event."""
        now = self.attempt.ctx.last_event_at if self.attempt is not None else None
        return now if now is not None else self._last_event_at

    def again(self) -> Instance:
        """A fresh one with the same configuration."""
        return Instance(self._pipeline, self.config, self.found, self._make, self._on_ready, self._wrong)

    async def _supervise(self) -> None:
        if self._make is None:
            self._change("failed", self._wrong)
            self._say_first(False)
            return
        delay = BACKOFF_FIRST_S
        while not self._stopping.is_set():
            probe = self._silent
            self._change("starting")
            begun = self._pipeline.clock.monotonic()
            reason = await self._once(self._make)
            ran = self.first.done() and self.first.result()
            if probe and not ran:
                self.reason = reason or self.reason
            self._say_first(False)
            if self._stopping.is_set():
                break
            if reason is None or (probe and not ran):
                return
            if self._pipeline.clock.monotonic() - begun >= STEADY_S:
                delay = BACKOFF_FIRST_S
            self._change("retrying", reason)
            await self._pause(delay * (0.75 + self._pipeline.ids.random.random() / 2))
            delay = min(BACKOFF_MOST_S, delay * 2)
        self._change("stopped")

    async def _pause(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        sleep = loop.create_task(self._pipeline.clock.sleep(seconds))
        stop = loop.create_task(self._stopping.wait())
        await asyncio.wait({sleep, stop}, return_when=asyncio.FIRST_COMPLETED)
        for task in (sleep, stop):
            task.cancel()

    async def _once(self, make: Make) -> str | None:
        """One attempt to its end: why it ended; ``None`` when trying again cannot help (the state says why)."""
        self._broken.clear()
        self._why = self._unwell = ""
        self._recent.clear()
        attempt = self.attempt = make(self)
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        run = loop.create_task(
            attempt.run(lambda: self._ready(attempt), stop), name=f"run {self.name}",
            context=fresh_context(attempt.ctx.tasks),
        )  # fmt: skip
        waits = [loop.create_task(event.wait()) for event in (self._stopping, self._broken)]
        await self._wait_for_end(attempt, run, waits)
        stop.set()
        reason = await self._end(attempt, run)
        for wait in waits:
            wait.cancel()
        left = await attempt.ctx.close()
        if left:
            self._emit(Fault(where=self.name, message=f"left tasks running: {', '.join(left)[:300]}"))
        if not self._silent:
            attempt.ctx.leave(reason or self.reason or "the plugin is stopped")
        self._last_event_at = self.last_event_at
        self.attempt = None
        return reason

    async def _wait_for_end(self, attempt: Attempt, run: asyncio.Task[None], waits: list[asyncio.Task[Any]]) -> None:
        """Until it ends, breaks, or is to stop; a set-up that even ignores its cancellation is given up."""
        begun = asyncio.get_running_loop().time()
        while not run.done():
            done, _ = await asyncio.wait({run, *waits}, timeout=END_WITHIN_S, return_when=asyncio.FIRST_COMPLETED)
            if done:
                return
            took = asyncio.get_running_loop().time() - begun
            if not self._ran(attempt) and took > attempt.limit + END_WITHIN_S:
                self._why = f"set-up took longer than {attempt.limit:g} s and does not let itself be cancelled"
                return

    def _ran(self, attempt: Attempt) -> bool:
        return self._running is attempt

    async def _end(self, attempt: Attempt, run: asyncio.Task[None]) -> str | None:
        """Let the attempt unload within its limit, then take it down; why it ended."""
        if not run.done() and not self._ran(attempt):
            run.cancel()
        await asyncio.wait({run}, timeout=attempt.limit + END_WITHIN_S)
        if not run.done():
            run.cancel()
            await asyncio.wait({run}, timeout=END_WITHIN_S)
        if not run.done():
            return self._why or "it did not end when it was told to"
        fault = None if run.cancelled() else run.exception()
        if self._why:
            return self._why
        if isinstance(fault, ConfigError):
            self.mistakes = fault.mistakes
            self._change("failed", str(fault))
            return None
        if fault is None:
            return "it ended by itself" if not self._stopping.is_set() else "stopped"
        log.warning("instance %s: %s", self.name, fault, exc_info=fault)
        return self._explain(fault)

    def _ready(self, attempt: Attempt) -> None:
        self._running = attempt
        self._silent = False
        self._describe()
        if not self.probing:
            self._on_ready(self, attempt)
        self._say_how()
        self._say_first(True)

    def adopt(self) -> None:
        """The reload that started it is decided: it stays."""
        self.probing = False
        if self.attempt is not None and self._running is self.attempt:
            self._on_ready(self, self.attempt)

    def restore(self) -> None:
        """The reload is given up: this one goes on as it was."""
        if self.attempt is not None and self._running is self.attempt:
            self.attempt.ctx.restore()

    def _say_first(self, runs: bool) -> None:
        if not self.first.done():
            self.first.set_result(runs)

    # --- Watcher

    def fault(self, where: str, fault: BaseException) -> None:
        """The plugin's code raised: log, count, tell; too often in a minute means a restart."""
        log.warning("instance %s, %s: %s", self.name, where, fault, exc_info=fault)
        self.note_fault(where, self._explain(fault))

    def note_fault(self, where: str, words: str) -> None:
        """The same for a fault that is known in words only."""
        where, words = plain(where), plain(words)
        self.faults += 1
        self.last_fault = words
        self._emit(Fault(where=f"{self.name}: {where}"[:MAX_REASON], message=words[:MAX_REASON]))
        now = self._pipeline.clock.monotonic()
        self._recent.append(now)
        if len(self._recent) == FAULTS and now - self._recent[0] < FAULTS_WITHIN_S:
            self.broken(f"{FAULTS} faults within a minute; the last: {words}")

    def overflow(self, dropped: int) -> None:
        """Its handlers do not keep up."""
        words = f"its handlers do not keep up; {dropped} events were dropped, telemetry first"
        self._emit(Fault(where=self.name, message=words, hint="look at what its handlers wait for"))

    def health(self, ok: bool, reason: str) -> None:
        """What the instance says of itself."""
        self._unwell = "" if ok else (plain(reason) or "it cannot do its duty now")[:MAX_REASON]
        if self.attempt is not None and self._running is self.attempt:
            self._say_how()

    def _say_how(self) -> None:
        self._change("retrying" if self._unwell else "running", self._unwell)

    @property
    def silent_after(self) -> float | None:
        """Seconds without a sign of life that are too many; the configuration's word before the manifest's."""
        own = self.config.silent_after_s
        return own if own is not None or self.found is None else self.found.manifest.silent_after_s

    def alive(self, entity: str | None = None) -> None:
        """What it speaks with gave a sign of life, ``entity`` when one is named."""
        self.last_sign = self._pipeline.clock.now()
        if entity is not None:
            self.signs[entity] = self.last_sign
        if self.silent:
            self.silent = False
            self._emit(InstanceHeard(plugin=self.config.plugin))

    def look(self, now: float, since: float) -> None:
        """Say once that it is silent; ``since``: the hub's start, for one that was never heard."""
        limit, last = self.silent_after, self.last_sign
        if limit is not None and not self.silent and self.config.enabled and now - (last or since) > limit:
            self.silent = True
            self._emit(InstanceSilent(plugin=self.config.plugin, last_sign=last, limit_s=limit))

    def broken(self, reason: str) -> None:
        """It must begin again."""
        self._why = self._why or reason[:MAX_REASON]
        self._broken.set()

    def blocked(self, words: str) -> None:
        """It kept the hub's loop from turning."""
        self.note_fault("the hub's loop", words)
        if self.state == "running":
            self._change("running", words)

    # --- events

    def _explain(self, fault: BaseException) -> str:
        if isinstance(fault, HubError):
            own = fault.where == self.name  # that it is this instance need not be said again
            return (fault.message if own else str(fault))[:MAX_REASON]
        if self.found is None:
            return words_of(fault)
        file, line = blame(fault, self.found.folder)
        return f"{words_of(fault)} ({shown(file, self.found.folder)}:{line})"

    def _change(self, state: str, reason: str = "") -> None:
        reason = plain(reason)
        if (self.state, self.reason) == (state, reason):
            return
        self.state, self.reason = state, reason
        if not self._silent:
            self._emit(InstanceChanged(plugin=self.config.plugin, state=state, reason=reason))

    def _describe(self) -> None:
        """Bring in the entity ``plugin.NAME``."""
        title = self.found.manifest.title if self.found else None
        name = title.model_dump() if title else {"th": self.name, "en": self.name}
        known = self._pipeline.state.get(f"plugin.{self.name}")
        if known is None or known.attributes.get("name") != name:
            self._emit(EntityAdded(description={"name": name, "capabilities": [], "instance": self.name}))

    def _emit(self, data: EventData) -> None:
        fields, name = data.model_dump(mode="json"), type(data).type.name
        self._pipeline.emit(Draft(name, fields, "hub", f"plugin.{self.name}"))
