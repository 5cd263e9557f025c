"""The stickers: places with a random word in their address, which can be replaced and revoked."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from hub.sdk import Context, Entity, InvalidInput, NotFound, StateChanged, Text

from .settings import Settings

MAX_STICKERS = 4_000
Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]{0,39}$")]
Words = Annotated[str, Field(min_length=1, max_length=200)]
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,64}")


@dataclass(slots=True)
class Sticker:
    """One place. ``token``: the word in its address, "" when it was revoked."""

    id: str
    name: Text
    lat: float | None
    lon: float | None
    token: str
    made_at: float
    reports: int = 0
    calls: int = 0

    @property
    def entity(self) -> str:
        """Its entity id."""
        return f"sticker.{self.id}"

    def row(self) -> dict[str, Any]:
        """As a document."""
        return {
            "name": self.name.as_data(), "lat": self.lat, "lon": self.lon, "token": self.token,
            "made_at": self.made_at, "reports": self.reports, "calls": self.calls,
        }  # fmt: skip

    @classmethod
    def of_row(cls, id: str, row: dict[str, Any]) -> Sticker:
        """Of its document."""
        return cls(
            id, Text(**row["name"]), row["lat"], row["lon"], row["token"], row["made_at"], row.get("reports", 0),
            row.get("calls", 0),
        )  # fmt: skip


class Stickers:
    """All of them. What is on screen stands in documents; the configuration brings the first ones."""

    def __init__(self, ctx: Context, config: Settings) -> None:
        self._ctx, self._config = ctx, config
        self._documents = ctx.documents("stickers")
        self._by_id: dict[str, Sticker] = {}

    async def take_up(self) -> None:
        """Bring them in."""
        kept = await self._documents.all()
        self._by_id = {key: Sticker.of_row(key, row) for key, row in kept.items()}
        for given in self._config.stickers:
            known = self._by_id.get(given.id)
            made = Sticker(
                given.id, given.name.text(), given.lat, given.lon,
                known.token if known is not None else given.token or new_token(),
                known.made_at if known is not None else self._ctx.clock.now(),
                known.reports if known is not None else 0, known.calls if known is not None else 0,
            )  # fmt: skip
            self._by_id[given.id] = made
            if known != made:
                await self._documents.put(made.id, made.row())
        for sticker in self._by_id.values():
            await self._show(sticker)

    def at(self, token: str) -> Sticker | None:
        """The sticker of that address; ``None`` when it is unknown or revoked."""
        if not _TOKEN.fullmatch(token):
            return None
        return next((one for one in self._by_id.values() if secrets.compare_digest(one.token, token)), None)

    def named(self, id: str) -> Sticker | None:
        """The sticker of that place."""
        return self._by_id.get(id)

    def usable(self) -> list[Sticker]:
        """Those that are not revoked, by id."""
        return [sticker for _, sticker in sorted(self._by_id.items()) if sticker.token]

    async def count(self, sticker: Sticker, *, call: bool = False) -> None:
        """Somebody reported or called there."""
        if call:
            sticker.calls += 1
        else:
            sticker.reports += 1
        await self._keep(sticker)

    # --- actions

    async def put(
        self, id: Id, th: Words, en: Words, lat: Annotated[float, Field(ge=-90, le=90)] | None = None,
        lon: Annotated[float, Field(ge=-180, le=180)] | None = None,
    ) -> None:  # fmt: skip
        """Add a place or change one; its code stays."""
        known = self._by_id.get(id)
        if known is None and len(self._by_id) >= MAX_STICKERS:
            raise InvalidInput(f"more than {MAX_STICKERS} stickers", where="sticker.put", hint="revoke old ones")
        if known is None:
            known = self._by_id[id] = Sticker(id, Text(th, en), lat, lon, new_token(), self._ctx.clock.now())
        known.name, known.lat, known.lon = Text(th, en), lat, lon
        await self._keep(known)

    async def replace(self, id: Id) -> None:
        """A new code: the printed one stops working at once."""
        sticker = self._need(id)
        sticker.token, sticker.made_at = new_token(), self._ctx.clock.now()
        await self._keep(sticker)

    async def revoke(self, id: Id) -> None:
        """Its code stops working; replace gives it a new one."""
        sticker = self._need(id)
        sticker.token = ""
        await self._keep(sticker)

    def _need(self, id: str) -> Sticker:
        if (found := self._by_id.get(id)) is None:
            raise NotFound(f"no sticker {id!r}", where="sticker", hint="see the list of stickers")
        return found

    async def _keep(self, sticker: Sticker) -> None:
        await self._documents.put(sticker.id, sticker.row())
        await self._show(sticker)

    async def _show(self, sticker: Sticker) -> None:
        where = (sticker.lat, sticker.lon) if sticker.lat is not None and sticker.lon is not None else None
        await self._ctx.add(
            Entity(sticker.entity, sticker.name, position=where, simulated=self._config.simulated)
        )
        shown = {"reports": sticker.reports, "calls": sticker.calls, "made_at": sticker.made_at}
        state = StateChanged(state="ready" if sticker.token else "revoked", attributes=shown)
        await self._ctx.emit(state, entity=sticker.entity)


def new_token() -> str:
    """128 bits from the system, in letters for an address."""
    return secrets.token_urlsafe(16)
