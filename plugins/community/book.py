"""What is common to the kinds of things the community keeps: ids, limits, names, and what a restart takes up again."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Collection, Mapping
from typing import Any

from hub.sdk import Context, Entity, EntityState, InvalidInput, LimitExceeded, NotFound, Text, current_call

MAX_PICTURE = 512 << 10
_SIGNATURES = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


class Book:
    """The entities of one domain, each served by what ``serve`` makes for its id. ``done``: the states in which one may
    leave when the book is full."""

    def __init__(
        self, ctx: Context, domain: str, limit: int, done: Collection[str], simulated: bool,
        serve: Callable[[str], object] | None = None,
    ) -> None:  # fmt: skip
        self.ctx, self.domain, self._limit, self._done, self.simulated = ctx, domain, limit, done, simulated
        self._serve = serve

    async def take_up(self) -> None:
        """Bring back what was there before a restart."""
        for state in await self.all():
            name, facts = state.attributes.get("name") or {}, state.attributes
            text = Text(str(name.get("th") or state.entity), str(name.get("en") or state.entity))
            place = (facts["lat"], facts["lon"]) if facts.get("lat") is not None else None
            await self._add(state.entity, text, place, bool(facts.get("simulated")))

    async def _add(self, entity: str, name: Text, place: tuple[float, float] | None, simulated: bool) -> None:
        can = (self.domain,) if self._serve is not None else ()
        served = self._serve(entity) if self._serve is not None else None
        await self.ctx.add(Entity(entity, name, can, position=place, simulated=simulated), served)

    async def all(self) -> list[EntityState]:
        """The book, oldest first."""
        mine, states = self.ctx.instance, await self.ctx.states(self.domain)
        found = [one for one in states if one.attributes.get("instance") == mine]
        return sorted(found, key=lambda one: (float(one.attributes.get("made_at") or 0), one.entity))

    async def begin(self, title: str, position: tuple[float, float] | None = None) -> tuple[str, bool]:
        """A new entity for this call, and whether it is new: the same call sent again names the same one."""
        entity = f"{self.domain}.{hashlib.sha256(current_call().key.encode()).hexdigest()[:12]}"
        known = await self.ctx.state(entity)
        if known is not None and known.state != "unknown":
            return entity, False
        await self._room()
        await self._add(entity, Text(title[:200], title[:200]), position, self.simulated)
        return entity, True

    async def _room(self) -> None:
        entries = await self.all()
        over = [one for one in entries if one.state in self._done]
        for one in over[: max(0, len(entries) - self._limit + 1)]:
            await self.ctx.remove(one.entity)
        if len(entries) - len(over) >= self._limit:
            words = f"there are {self._limit} that are not finished"
            raise LimitExceeded(words, where=self.domain, hint="finish or drop some first")

    async def need(self, name: str) -> EntityState:
        """The one of that id, with or without its domain; ``NotFound`` otherwise."""
        entity = name if name.startswith(f"{self.domain}.") else f"{self.domain}.{name}"
        found = await self.ctx.state(entity)
        if found is None or found.attributes.get("instance") != self.ctx.instance:
            words = f"no {self.domain.replace('_', ' ')} {name!r}"
            raise NotFound(words, where=self.domain, hint="choose one of the list")
        return found


async def emit(ctx: Context, kind: str, entity: str, fields: Mapping[str, Any]) -> None:
    """Report a fact of one of the plugin's own types."""
    await ctx.emit_named(kind, fields, entity=entity)


def picture(encoded: str) -> tuple[bytes, str]:
    """A JPEG or PNG sent as base64 (RFC 4648), at most 512 KiB: its bytes and MIME type."""
    try:
        content = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInput("the picture is not base64", where="picture") from None
    if len(content) > MAX_PICTURE:
        words = f"the picture has {len(content) >> 10} KiB, at most {MAX_PICTURE >> 10}"
        raise InvalidInput(words, where="picture", hint="make it smaller")
    mime = next((mime for start, mime in _SIGNATURES.items() if content.startswith(start)), None)
    if mime is None:
        raise InvalidInput("this is neither a JPEG nor a PNG picture", where="picture")
    return content, mime
