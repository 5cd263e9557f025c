"""Brings a file's visits to the red boxes, each once, and says what became of them."""

from __future__ import annotations

import asyncio
import json
import os
import re
from pathlib import Path
from typing import Any

from hub.capabilities import CheckpointLog, PatrolLogImported
from hub.sdk import Context, InvalidInput, Unavailable

from .device import MAX_FILE, BadFile, Log, Mistake, parse_log

SOURCE = "police_4_0"
SERVICE_WITHIN_S = 5.0
SHOWN = 20


class Importer:
    """One import at a time."""

    def __init__(self, ctx: Context, entity: str) -> None:
        self._ctx, self._entity = ctx, entity
        self._boxes: CheckpointLog | None = None
        self._one = asyncio.Lock()

    async def _log(self) -> CheckpointLog:
        """The service of the red boxes. It may come later than we do, so it is asked for when it is needed."""
        if self._boxes is not None:
            return self._boxes
        try:
            async with asyncio.timeout(SERVICE_WITHIN_S):
                found: CheckpointLog = await self._ctx.need(CheckpointLog)  # type: ignore[type-abstract] # its name
        except TimeoutError:
            raise Unavailable(
                "nobody keeps the red boxes now", where="red_box", hint="is the plugin red_box set up and running?"
            ) from None
        self._boxes = found
        return found

    async def take(self, raw: bytes, name: str) -> PatrolLogImported:
        """Import a file; what became of it, once that is durable. Doing it again changes nothing.

        ``InvalidInput`` when nothing of it can be used (that is written down too), ``Unavailable`` when nobody keeps
        the red boxes.
        """
        boxes = await self._log()
        async with self._one:
            try:
                log = await asyncio.to_thread(parse_log, raw, self._ctx.clock.now(), name)
            except BadFile as wrong:
                mistake = Mistake(wrong.line, wrong.column, str(wrong))
                await self._tell(name, "refused", Log(mistakes=[mistake], bad=1), {})
                where = f"line {wrong.line}" + (f", column {wrong.column}" if wrong.column else "")
                raise InvalidInput(str(wrong), where=where, hint="the form of the file stands in the README") from None
            counts = dict.fromkeys(("new", "known", "unknown_box"), 0)
            for row in log.rows:
                result = await boxes.log_scan(
                    row.box, row.at, SOURCE, f"{SOURCE}:{row.id}", row.officer, row.lat, row.lon, row.accuracy_m
                )
                counts[result] += 1
                if result == "unknown_box" and len(log.mistakes) < SHOWN:
                    log.mistakes.append(Mistake(row.line, "box", f"no red box has the code {row.box!r}"))
            whole = not log.bad and not counts["unknown_box"]
            return await self._tell(name, "imported" if whole else "partly", log, counts)

    async def _tell(self, name: str, result: Any, log: Log, counts: dict[str, int]) -> PatrolLogImported:
        done = PatrolLogImported(
            file=name[:200], source=SOURCE, result=result, rows=len(log.rows) + log.bad, new=counts.get("new", 0),
            known=counts.get("known", 0), unknown_boxes=counts.get("unknown_box", 0), bad=log.bad,
            mistakes=[one.as_data() for one in sorted(log.mistakes, key=lambda one: one.line)[:SHOWN]],
            at=self._ctx.clock.now(),
        )  # fmt: skip
        await self._ctx.emit(done, entity=self._entity)
        return done


class Folder:
    """A folder into which logs are dropped: each is imported and moved to ``done`` or ``refused``, with what became of
    it beside it. A file counts as whole when it has not changed between two looks."""

    def __init__(self, ctx: Context, importer: Importer, folder: Path) -> None:
        self._ctx, self._importer, self._folder = ctx, importer, folder
        self._seen: dict[str, tuple[int, int]] = {}
        self._wrong = ""

    async def look(self) -> None:
        """Import what is whole."""
        try:
            found = await asyncio.to_thread(self._found)
        except OSError as wrong:
            await self._say(f"the folder {self._folder} cannot be read: {wrong.strerror}")
            return
        if not found:
            await self._say("")
        for name, stamp in found.items():
            if self._seen.get(name) == stamp:
                await self._take(name)
        self._seen = found

    async def _say(self, wrong: str) -> None:
        """Tell what keeps it from its duty, once; "" when nothing does any more."""
        if wrong != self._wrong:
            self._wrong = wrong
            await self._ctx.health(not wrong, wrong)

    def _found(self) -> dict[str, tuple[int, int]]:
        entries = [one for one in os.scandir(self._folder) if re.search(r"\.(csv|json)$", one.name, re.I)]
        plain = [one for one in entries if one.is_file(follow_symlinks=False)]
        stats = {one.name: one.stat(follow_symlinks=False) for one in sorted(plain, key=lambda one: one.name)[:100]}
        return {name: (stat.st_size, stat.st_mtime_ns) for name, stat in stats.items()}

    async def _take(self, name: str) -> None:
        try:
            raw = await asyncio.to_thread(_read, self._folder / name)
            done = (await self._importer.take(raw, name)).model_dump(mode="json")
            await asyncio.to_thread(self._move, name, "done", done)
            await self._say("")
        except InvalidInput as wrong:
            told = {"result": "refused", "message": wrong.message, "where": wrong.where}
            await asyncio.to_thread(self._move, name, "refused", told)
        except Unavailable as later:  # it stays where it is until the red boxes are there
            await self._say(later.message)
        except OSError as wrong:
            await self._say(f"{name} cannot be read or moved: {wrong.strerror}")

    def _move(self, name: str, where: str, told: dict[str, Any]) -> None:
        target = self._folder / where
        target.mkdir(exist_ok=True)
        (target / f"{name}.result.json").write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
        (self._folder / name).replace(target / name)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_FILE + 1)
