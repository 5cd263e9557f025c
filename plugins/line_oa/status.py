"""The channel's entity as the screens show it."""

from __future__ import annotations

from typing import Any

from hub.sdk import Context, StateChanged


class Status:
    """One entity's state. Each report carries all attributes: the hub may keep only the newest of several."""

    def __init__(self, ctx: Context, entity: str) -> None:
        self._ctx, self._entity = ctx, entity
        self._state: str | None = None
        self._attributes: dict[str, Any] = {}

    async def take_up(self) -> None:
        """The newest group is known from before a restart; the rest is asked anew."""
        state = await self._ctx.state(self._entity)
        if state is not None and (group := state.attributes.get("last_group")):
            self._attributes["last_group"] = group

    async def show(self, state: str | None = None, **attributes: Any) -> None:
        """Report, unless it says nothing new. Without ``state`` the state stays."""
        before = (self._state, self._attributes)
        self._state, self._attributes = state or self._state, self._attributes | attributes
        if before != (self._state, self._attributes):
            data = StateChanged(state=self._state, attributes=self._attributes)
            await self._ctx.emit(data, entity=self._entity)
