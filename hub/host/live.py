"""Set-up, service and unload of one instance, the same in the hub's process and in a child."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

from hub.core.error import InvalidInput, TimedOut
from hub.sdk.spec import PluginSpec

MAX_LIMIT = 300.0


def limit_of(spec: PluginSpec) -> float:
    """Seconds for set-up, and for unload."""
    return min(spec.setup_limit, MAX_LIMIT)


async def live(
    spec: PluginSpec, ctx: Any, settings: Any, ready: Callable[[], None], stop: asyncio.Event
) -> None:
    """Set up, say ``ready``, serve until ``stop``, unload: all in the caller's task, as task groups and time limits
    that the plugin holds open across its ``yield`` need it."""
    generator: Any = spec.setup(ctx, settings)
    await _set_up(generator, limit_of(spec))
    ready()
    try:
        await stop.wait()
    except asyncio.CancelledError as cancelled:
        # a task group that the set-up holds open cancels us when one of its tasks raised: let it say why
        if not stop.is_set():
            await generator.athrow(cancelled)
        raise
    await _unload(generator, limit_of(spec))


async def _set_up(generator: AsyncGenerator[None, None], limit: float) -> None:
    try:
        async with asyncio.timeout(limit) as bound:
            await anext(generator)
    except StopAsyncIteration:
        raise InvalidInput("setup() ended without its yield", hint="yield once, when the set-up is done") from None
    except TimeoutError:
        if not bound.expired():
            raise
        raise TimedOut(f"set-up took longer than {limit:g} s") from None


async def _unload(generator: AsyncGenerator[None, None], limit: float) -> None:
    try:
        async with asyncio.timeout(limit) as bound:
            await anext(generator)
    except StopAsyncIteration:
        return
    except TimeoutError:
        if not bound.expired():
            raise
        raise TimedOut(f"unload took longer than {limit:g} s") from None
    await generator.aclose()
