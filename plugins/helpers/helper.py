"""What all helpers share. The hub's state is their only memory: it is in the journal, so it outlives them."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from hub.capabilities import HelperChanged
from hub.sdk import Context, Entity, EntityState, Unavailable

from .settings import Helped

Value = tuple[str, Mapping[str, Any]]
"""A state and its attributes."""

_NO_VALUE = ("unknown", "unavailable")


class Helper(ABC):
    """One helper, ``DOMAIN.NAME``. A subclass says what it begins with, and changes it by ``become``."""

    domain: ClassVar[str]
    acts: ClassVar[bool] = True  # do people and rules change it?

    def __init__(self, ctx: Context, name: str, settings: Helped) -> None:
        self.id, self._ctx = f"{self.domain}.{name}", ctx
        self._title = settings.title(name)
        self._about = {"icon": settings.icon} if settings.icon else {}
        self._turn = asyncio.Lock()  # what is read and what is written from it are one

    @abstractmethod
    def first(self, held: EntityState | None) -> Value:
        """What it begins with; ``held``: what it was before the start, ``None`` when it had no value."""

    async def take_up(self) -> None:
        """Bring it in with its value of before, or its first one."""
        held = await self._ctx.state(self.id)
        capabilities = (self.domain,) if self.acts else ()
        entity = Entity(self.id, self._title, capabilities, attributes=self._about)
        await self._ctx.add(entity, self if self.acts else None)
        before = None if held is None or held.state in _NO_VALUE else held
        await self.become(lambda _now: self.first(before))

    async def held(self) -> EntityState:
        """What it is now."""
        state = await self._ctx.state(self.id)
        if state is None:
            raise Unavailable(f"{self.id} has no state yet", where=self.id, hint="try again in a moment")
        return state

    async def become(self, new: Callable[[EntityState], Value]) -> None:
        """Make of what it is what ``new`` says; nothing is told when that is the same."""
        async with self._turn:
            held = await self.held()
            state, attributes = new(held)
            known = held.attributes
            if state != held.state or any(key not in known or known[key] != attributes[key] for key in attributes):
                await self._ctx.emit(HelperChanged(state=state, attributes=dict(attributes)), entity=self.id)
