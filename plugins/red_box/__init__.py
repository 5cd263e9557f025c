"""Red boxes: check-points that patrols scan within windows of time, and what was missed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from pydantic import Field

from hub.capabilities import CheckpointLog
from hub.sdk import Context, InvalidInput, PluginSpec, current_call, plugin

from .boxes import BoxBook, BoxChange, Lat, Lon
from .device import Box, Scan
from .page import ScanPage
from .scans import ScanLog
from .settings import Settings
from .sheet import Sheet

LOOK_S = 15.0
PRUNE_S = 3600.0
Words = Annotated[str, Field(min_length=1, max_length=200)]


class _Checkpoint:
    """Serves one box's action."""

    def __init__(self, ctx: Context, book: BoxBook, log: ScanLog, box: str) -> None:
        self._ctx, self._book, self._log, self._box = ctx, book, log, box

    async def note_visit(self, unit: str, reason: str) -> str:
        if await self._ctx.state(unit) is None or not unit.startswith("unit."):
            raise InvalidInput(f"there is no unit {unit!r}", where="unit", hint="such as unit.s211")
        call = current_call()
        scan = Scan(call.key[:80], "", "form", self._ctx.clock.now(), unit=unit, officer=call.actor, note=reason)
        await self._log.take(self._book.need(self._box), scan)
        return scan.scan_id


class _Log:
    """Offers ``hub.capabilities.CheckpointLog``."""

    def __init__(self, ctx: Context, book: BoxBook, log: ScanLog) -> None:
        self._ctx, self._book, self._log = ctx, book, log

    async def log_scan(
        self, code: str, at: float, source: str, scan_id: str, officer: str = "", lat: float | None = None,
        lon: float | None = None, accuracy_m: float | None = None,
    ) -> str:  # fmt: skip
        found = self._book.find(code)
        if found is None:
            return "unknown_box"
        box, secret = found
        scan = Scan(scan_id, secret, source, self._ctx.clock.now(), at, None, lat, lon, accuracy_m, None, officer)
        return "new" if await self._log.take(box, scan) is not None else "known"


class _Desk:
    """The actions on the list of boxes."""

    def __init__(self, ctx: Context, book: BoxBook, log: ScanLog) -> None:
        self._ctx, self._book, self._log = ctx, book, log

    async def serve(self, box: Box) -> None:
        """A box is there, or was changed."""
        device = _Checkpoint(self._ctx, self._book, self._log, box.id)
        await self._ctx.add(self._book.described(box), device)
        await self._log.begin(box)

    async def save(
        self, box: Words, name_th: Words, lat: Lat, lon: Lon, name_en: Annotated[str, Field(max_length=200)] = "",
        radius_m: Annotated[float, Field(ge=5, le=1000)] = 40.0, windows: Annotated[str, Field(max_length=600)] = "",
    ) -> str:  # fmt: skip
        """Add a box or change one; ``windows``: as in 22:00-06:00/120, several parted by ``;``, empty for the usual
        ones. Its entity id."""
        made = self._book.made(BoxChange(box, name_th, name_en, lat, lon, radius_m, windows))
        await self._book.save(made)
        await self.serve(made)
        return made.entity

    async def remove(self, box: Words) -> None:
        """Take a box out."""
        known = self._book.need(box)
        await self._book.remove(known)
        await self._log.forget(known)
        await self._ctx.remove(known.entity)

    async def renew_code(self, box: Words) -> str:
        """A new code, say when somebody has photographed the old one: print it, and change it in the box."""
        made = self._book.renewed(self._book.need(box))
        await self._book.save(made)
        return made.code


async def setup(ctx: Context, config: Settings) -> AsyncIterator[None]:
    """Bring the boxes in, then open the patrol's page and look at the windows."""
    book = BoxBook(ctx, config.windows)
    log = ScanLog(ctx, book, config)
    desk = _Desk(ctx, book, log)
    await book.take_up(config.boxes)
    await log.take_up()
    for box in list(book.boxes.values()):
        await desk.serve(box)
    await ctx.act("red_box.save", desk.save)
    await ctx.act("red_box.remove", desk.remove)
    await ctx.act("red_box.renew_code", desk.renew_code)
    await ctx.offer(CheckpointLog, _Log(ctx, book, log))  # type: ignore[type-abstract] # a Protocol is its name here
    await ScanPage(ctx, book, log, config.timezone).open()
    await ctx.route("GET", "sheet", Sheet(ctx, book, config.public_url).serve, right="checkpoint.control")
    await ctx.every(LOOK_S, log.look)
    await ctx.every(PRUNE_S, log.prune)
    await ctx.every(30.0, ctx.alive)
    yield


@plugin
def hub_plugin() -> PluginSpec:
    """Declare the plugin."""
    return PluginSpec(Settings, setup)
