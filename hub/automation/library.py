"""The operators' own texts: files in the folder that the configuration includes, saved byte for byte.

A save is checked in a thread, written beside the file, committed with its version and its publisher, given its name,
and then taken up: all of it or nothing. Versions are records in the journal, so that an older one can be saved again.
A crash between the commit and the name is mended at the next start (``complete``).
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import yaml

from hub.automation.check import check_text
from hub.automation.language.blueprint import Blueprints
from hub.automation.language.known import Known
from hub.automation.language.model import Source
from hub.automation.publishing import Decision, Publishing
from hub.automation.unfinished import Unfinished, left
from hub.core.access import Actor
from hub.core.apart import Apart
from hub.core.error import Conflict, InvalidInput, Mistake, NotFound, StorageFailed
from hub.core.journal import Drop, Put, Record
from hub.core.pipeline import Pipeline

TABLE = "automation_versions"
VERSIONS = 50  # kept of each file
MAX_FILES = 1_000
MAX_BYTES = 256 * 1024
MAX_CHECKED = 16  # texts at one time: 256 KB of rules cost seconds of the processor
BY_HAND = "file"  # who wrote what the hub did not write
_NAME = re.compile(r"[a-z0-9_-]{1,60}\.yaml")
_INCLUDE = "!include_dir_list"

log = logging.getLogger(__name__)

Rows = list[dict[str, Any]]
Mistakes = dict[str, list[Mistake]]


class Publisher(Protocol):
    """What the library needs of the automation engine."""

    def list(self) -> Rows:
        """One row an automation, with ``id``, ``file`` and ``shadow``."""

    def mistakes(self) -> Mistakes:
        """Mistakes by file, of what was loaded last."""

    @property
    def publishing(self) -> Publishing:
        """What is decided of a text before it is taken up."""

    def reload(self, changed: Iterable[Source], known: Known | None = None) -> Any:
        """Take in a file that changed."""

    def remove(self, automation_id: str) -> None:
        """Take one out."""


class Taken(Conflict):
    """Somebody else saved meanwhile. ``other``: the hash of what stands there now, by whom and when."""

    def __init__(self, file: str, other: dict[str, Any]) -> None:
        super().__init__(
            f"{other['by'] or 'somebody'} saved this file meanwhile", where=file, hint="look at both, then save again"
        )
        self.other = other


def included_folder(config: Path) -> Path | None:
    """The folder of ``automations: !include_dir_list FOLDER``; ``None`` when the configuration has none, or one that
    leads out of its own folder."""
    try:
        top = yaml.compose(config.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    for key, value in top.value if isinstance(top, yaml.MappingNode) else ():
        if key.value == "automations" and value.tag == _INCLUDE:
            folder = (config.parent / str(value.value)).resolve()
            return folder if folder.is_relative_to(config.parent.resolve()) else None
    return None


def hash_of(content: bytes) -> str:
    """The name of one version of a file: 32 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(content).hexdigest()[:32]


class Library:
    """The files. Every method that changes one waits for its turn (whoever reads them all to take them up waits for it
    too), and for the commit. ``apart``: where texts are parsed."""

    def __init__(
        self, config: Path, pipeline: Pipeline, engine: Publisher, known: Callable[[], Known], blueprints: Blueprints,
        apart: Apart | None = None,
    ) -> None:  # fmt: skip
        self._config, self._pipeline, self._engine = config, pipeline, engine
        self._known, self._blueprints = known, blueprints
        self._folder = included_folder(config)
        self.apart = apart or Apart("too many texts are being checked at once", most=MAX_CHECKED)
        self.turn = asyncio.Lock()

    # --- a crash before

    async def complete(self) -> list[str]:
        """At the start, before the files are read: of each change that a crash cut off, the journal knows whether it
        was made. If it was, the file is brought to it; if not, the file stays. The files that changed."""
        done: list[str] = []
        for one in await asyncio.to_thread(lambda: list(left(self._folder)) if self._folder is not None else []):
            versions = await self._versions(one.path.name)
            newest = (versions[-1]["n"], versions[-1]["hash"]) if versions else None
            try:
                if newest == (one.number, None if one.goes else hash_of(await asyncio.to_thread(one.content))):
                    await asyncio.to_thread(one.finish)
                    done.append(one.path.name)
                else:
                    await asyncio.to_thread(one.drop)
            except (OSError, StorageFailed):  # it stays for the start after this one
                log.exception("%s: a change that was cut off cannot be finished", one.path)
        return done

    # --- reading

    async def all(self) -> Rows:
        """All files with their automations and mistakes; those outside the folder are told as read-only."""
        rows, known = self._engine.list(), self._known()
        ids: dict[str, list[str]] = {}
        for row in rows:
            ids.setdefault(row["file"], []).append(row["id"])
        wrong = self._engine.mistakes()
        found = await self.apart.run(lambda: self._files(ids, known, wrong))
        inside = {row["shown"] for row in found}
        found += [
            _outside(shown, ids, wrong.get(shown, []), "outside")
            for shown in sorted((ids.keys() | wrong.keys()) - inside)
        ]
        return found

    def _files(self, ids: dict[str, list[str]], known: Known, wrong: Mistakes) -> Rows:
        found: Rows = []
        folder = self._folder
        paths = sorted(folder.rglob("*.yaml")) if folder is not None and folder.is_dir() else []
        for path in [path for path in paths if not path.name.startswith(".")][:MAX_FILES]:
            shown, text = self._shown(path), ""
            reason = "" if path.parent == folder and _NAME.fullmatch(path.name) else "name"
            try:
                content = path.read_bytes() if path.is_file() else None  # a pipe would never end
            except OSError:
                content = None
            if content is None:
                found.append(_outside(shown, ids, wrong.get(shown, []), "text"))
                continue
            reason = reason or ("large" if len(content) > MAX_BYTES else "")
            try:
                text = content.decode()
            except UnicodeDecodeError:
                reason = "text"
            mistakes = check_text(text, path.name, known, self._blueprints) if reason != "text" else []
            found.append({
                "file": path.name if not reason else shown, "hash": hash_of(content), "ids": ids.get(shown, []),
                "mistakes": places(mistakes), "writable": not reason, "reason": reason, "shown": shown,
            })  # fmt: skip
        return found

    async def read(self, file: str) -> dict[str, Any]:
        """A file's text, its hash and its versions, newest first; ``NotFound`` without such a file."""
        path = self._path(file)
        await self._pipeline.settled()
        content = await asyncio.to_thread(_content, path)
        if content is None:
            raise NotFound(f"there is no file {file}", where=file)
        versions = [_without_text(version) for version in reversed(await self._versions(file))]
        shown = self._shown(path)
        rows = [row for row in self._engine.list() if row["file"] == shown]
        return {
            "file": file, "text": _text(content, file), "hash": hash_of(content), "versions": versions,
            "ids": [row["id"] for row in rows], "shadow": any(row["shadow"] for row in rows),
        }  # fmt: skip

    async def version(self, file: str, number: int) -> dict[str, Any]:
        """One version with its text."""
        self._path(file)
        await self._pipeline.settled()
        found = next((one for one in await self._versions(file) if one["n"] == number), None)
        if found is None:
            raise NotFound(f"{file} has no version {number}", where=file, hint=f"the last {VERSIONS} are kept")
        return found

    # --- changing

    async def save(
        self, file: str, text: str, *, base: str | None, note: str, shadow: bool, actor: Actor
    ) -> dict[str, Any]:
        """Publish a text with the actor's rights and write it. ``base``: the hash of what it was made from, ``None``
        for a new file. ``ConfigError`` with every mistake, or ``Taken``, changes nothing."""
        path, content, known = self._path(file), _encoded(text, file), self._known()
        if len(content) > MAX_BYTES:
            raise InvalidInput(f"the text is longer than {MAX_BYTES // 1024} KB", where=file, hint="split it")
        shown = self._shown(path)
        # the rule has the officer's rights, not the purpose of what the officer looks at now, and is no person
        actor = replace(actor, person=False, purpose=None)
        async with self.turn:
            before = await asyncio.to_thread(_content, path)
            versions = await self._unchanged(file, before, base)
            if before is None and await asyncio.to_thread(self._full):
                raise InvalidInput(f"there are {MAX_FILES} files already", where=file)
            await self.apart.run(lambda: self._engine.publishing.prepare(text, shown, known))
            made = self._made(versions, before, content, actor.id, note, "shadow" if shadow else "live")
            ids = await self._change(path, versions, made, content, lambda old: self._engine.publishing.decide(
                text, actor, shown, known, shadow=shadow, gone=old,
            ))  # fmt: skip
            self._engine.reload([Source(text, shown, actor)], known)
        return {"file": file, "hash": hash_of(content), "version": made[-1]["n"], "ids": ids}

    async def remove(self, file: str, *, base: str | None, actor: Actor) -> None:
        """Take a file and its automations out; its versions stay, so it can be saved again."""
        path = self._path(file)
        async with self.turn:
            before = await asyncio.to_thread(_content, path)
            if before is None:
                raise NotFound(f"there is no file {file}", where=file)
            versions = await self._unchanged(file, before, base)
            made = self._made(versions, before, None, actor.id, "", "removed")
            shown = self._shown(path)
            await self._change(path, versions, made, None, lambda old: self._engine.publishing.decide(
                "", actor, shown, gone=old
            ))  # fmt: skip
            self._engine.reload([Source("", shown, actor)])

    async def _change(
        self, path: Path, versions: Rows, made: Rows, content: bytes | None, decide: Callable[[list[str]], Decision]
    ) -> list[str]:
        """Make the versions durable, with what is decided, and the file what the last of them is. Rules that this takes
        out go; the ids of the others. When any step fails all is as before, and the engine has not noticed."""
        unfinished = await asyncio.to_thread(Unfinished.prepare, path, made[-1]["n"], content)
        records, undo = _records(path.name, versions, made)
        try:
            decision = decide([row["id"] for row in self._of(path)])
            for record in records:
                self._pipeline.put(record)
            await self._pipeline.settled()
        except Exception:  # when the hub is stopped meanwhile, the next start looks what the journal has
            await asyncio.to_thread(unfinished.drop)
            raise
        try:
            await asyncio.to_thread(unfinished.finish)
        except StorageFailed:
            self._engine.publishing.undo(decision)
            for record in undo:
                self._pipeline.put(record)
            await self._pipeline.settled()  # if this fails too, the next start finishes what the journal has
            await asyncio.to_thread(unfinished.drop)
            raise
        for row in self._of(path):
            if row["id"] not in decision.ids:
                self._engine.remove(row["id"])
        return decision.ids

    async def _unchanged(self, file: str, before: bytes | None, base: str | None) -> Rows:
        """The versions of a file that is still as the caller knew it; ``Taken`` otherwise."""
        await self._pipeline.settled()
        versions = await self._versions(file)
        now = hash_of(before) if before is not None else None
        if now != base:
            last = versions[-1] if versions and (now is None or versions[-1]["hash"] == now) else None
            told = {"by": BY_HAND, "at": None} if last is None else {"by": last["by"], "at": last["at"]}
            raise Taken(file, {"hash": now, **told})
        return versions

    def _made(
        self, versions: Rows, before: bytes | None, content: bytes | None, by: str, note: str, mode: str
    ) -> Rows:
        """The new versions: the one before, if it was written by hand, and the new one."""
        number = versions[-1]["n"] if versions else 0
        made: Rows = []
        now = self._pipeline.clock.now()
        if before is not None and (not versions or versions[-1]["hash"] != hash_of(before)):
            number += 1
            made.append(_version(number, before, BY_HAND, now, "", "live"))
        return [*made, _version(number + 1, content, by, now, note, mode)]

    # --- places

    def _path(self, file: str) -> Path:
        if self._folder is None:
            raise InvalidInput(
                "the configuration includes no folder of automations", where=file,
                hint="write 'automations: !include_dir_list automations' into config.yaml",
            )  # fmt: skip
        if not _NAME.fullmatch(file):
            raise InvalidInput(
                "a file's name has small Latin letters, digits, _ and -, at most 60, and ends in .yaml", where=file
            )
        path = self._folder / file
        if path.is_symlink() and not path.resolve().is_relative_to(self._folder):
            raise InvalidInput(f"{file} leads out of the folder", where=file)
        return path

    def _shown(self, path: Path) -> str:
        """A file as the configuration's reader names it."""
        shown = self._config.parent / path.relative_to(self._config.parent.resolve())
        return str(shown).encode(errors="replace").decode()

    def _of(self, path: Path) -> Rows:
        shown = self._shown(path)
        return [row for row in self._engine.list() if row["file"] == shown]

    def _full(self) -> bool:
        return self._folder is not None and sum(1 for _ in self._folder.glob("*.yaml")) >= MAX_FILES

    async def _versions(self, file: str) -> Rows:
        """Oldest first."""
        behind = f"{file}/"
        rows = await asyncio.to_thread(self._pipeline.journal.records, TABLE, behind, VERSIONS)
        return [value for key, value in rows if key.startswith(behind)]


def places(mistakes: Iterable[Mistake]) -> Rows:
    """Mistakes as the screens show them."""
    return [{"line": m.line, "column": m.column, "words": m.words} for m in mistakes]


def _version(
    number: int, content: bytes | None, by: str, at: float, note: str, mode: str
) -> dict[str, Any]:  # fmt: skip
    return {
        "n": number, "text": None if content is None else content.decode(errors="replace"),
        "hash": None if content is None else hash_of(content), "by": by, "at": at, "note": note, "mode": mode,
    }  # fmt: skip


def _records(file: str, versions: Rows, made: Rows) -> tuple[list[Record], list[Record]]:
    """What is written for the new versions, of which the newest are kept, and what takes it back."""
    old = [*versions, *made][:-VERSIONS]
    return (
        [*(Put(TABLE, _key(file, one["n"]), one) for one in made), *(Drop(TABLE, _key(file, one["n"])) for one in old)],
        [*(Drop(TABLE, _key(file, one["n"])) for one in made), *(Put(TABLE, _key(file, one["n"]), one) for one in old)],
    )


def _outside(shown: str, ids: dict[str, list[str]], mistakes: list[Mistake], reason: str) -> dict[str, Any]:
    """A file that the editor cannot open."""
    return {
        "file": shown, "hash": None, "ids": ids.get(shown, []), "mistakes": places(mistakes), "writable": False,
        "reason": reason, "shown": shown,
    }  # fmt: skip


def _without_text(version: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in version.items() if key != "text"}


def _key(file: str, number: int) -> str:
    return f"{file}/{number:08d}"


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _encoded(text: str, file: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise InvalidInput("the text holds half a character, which cannot be written", where=file) from None


def _text(content: bytes, file: str) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise InvalidInput(f"{file} is not UTF-8 text", where=file, hint="save it as UTF-8") from None
