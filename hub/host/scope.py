"""Whose code runs, and for what cause: context variables that follow a plugin's tasks and end at the hub's door."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

from hub.core.action import Call
from hub.core.event import Event


@dataclass(frozen=True, slots=True)
class Chain:
    """Why this code runs. ``cause``: id of the event or call; ``emits``/``calls``: depth of what it does next."""

    cause: str | None = None
    emits: int = 0
    calls: int = 0

    @classmethod
    def of_event(cls, event: Event) -> Chain:
        return cls(event.id, event.depth + 1, event.depth)

    @classmethod
    def of_call(cls, call: Call) -> Chain:
        return cls(call.cause or call.key, call.depth, call.depth)


class Tasks:
    """The tasks that one instance's code has started."""

    def __init__(self) -> None:
        self._all: WeakSet[asyncio.Task[Any]] = WeakSet()

    def add(self, task: asyncio.Task[Any]) -> None:
        self._all.add(task)

    def running(self) -> list[asyncio.Task[Any]]:
        here = asyncio.current_task()
        return [task for task in self._all if not task.done() and task is not here]

    async def end(self, limit: float) -> list[asyncio.Task[Any]]:
        """Cancel all; those that still run after ``limit`` seconds."""
        running = self.running()
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=limit)
        return [task for task in running if not task.done()]


NO_CAUSE = Chain()
chain: ContextVar[Chain] = ContextVar("hub_chain", default=NO_CAUSE)
_owner: ContextVar[Tasks | None] = ContextVar("hub_tasks", default=None)


@contextmanager
def hub_side() -> Iterator[None]:
    """Inside, tasks and callbacks belong to the hub, though a plugin's code asked."""
    token = _owner.set(None)
    try:
        yield
    finally:
        _owner.reset(token)


@contextmanager
def plugin_side(tasks: Tasks, why: Chain) -> Iterator[None]:
    """Inside, a plugin's code runs: its tasks are its own, what it does has this cause."""
    owner, cause = _owner.set(tasks), chain.set(why)
    try:
        yield
    finally:
        _owner.reset(owner)
        chain.reset(cause)


def fresh_context(tasks: Tasks | None) -> contextvars.Context:
    """A context for a long-lived task of an instance: no cause, nobody's call."""
    context = contextvars.Context()
    context.run(_owner.set, tasks)
    return context


def _plain_task(loop: asyncio.AbstractEventLoop, coro: Any, **kwargs: Any) -> asyncio.Task[Any]:
    return asyncio.Task(coro, loop=loop, **kwargs)


def track_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """From now on each task that a plugin's code starts is known as its own."""
    inner: Any = loop.get_task_factory()

    def make(
        loop: asyncio.AbstractEventLoop, coro: Any, **kwargs: Any
    ) -> asyncio.Task[Any]:
        build: Callable[..., asyncio.Task[Any]] = inner or _plain_task
        task = build(loop, coro, **kwargs)
        if (tasks := _owner.get()) is not None:
            tasks.add(task)
        return task

    loop.set_task_factory(make)
