"""Pictures, clips and recordings: files named by the SHA-256 of their bytes (FIPS 180-4), checked whenever read.

Beside each stands a small JSON file: MIME type, the entities it came from, and for each retention class the last day on
which it was kept.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import orjson

from hub.core.clock import Clock
from hub.core.documents import MediaNote
from hub.core.error import InvalidInput, LimitExceeded, NotFound, StorageFailed
from hub.store.daykeys import day_of
from hub.store.drafts import DraftFile, Drafts, damaged
from hub.store.files import disk_fault, make_folder, sync_folder, unfinished, write_file
from hub.store.space import Level

MAX_BYTES: Final = 16 << 20
_ID: Final = re.compile(r"[0-9a-f]{64}")
_MIME: Final = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]{0,60}")
MAX_OF: Final = 64
"""Entities, and instances, that are remembered of one picture: equal bytes of more are chance, not evidence."""
_RECORDINGS: Final = ("video/", "audio/")


class MediaFiles:
    """``hub.core.documents.Media`` in a folder. ``level`` tells how the disk stands."""

    def __init__(self, folder: Path, clock: Clock, level: Callable[[], Level] = lambda: Level.OK) -> None:
        self._folder, self._clock, self._level = folder, clock, level
        self._lock = threading.Lock()  # around changes
        self._drafts = Drafts(folder / "drafts", clock)
        make_folder(folder)

    async def put(
        self, content: bytes, mime: str, retention: str, entity: str | None = None, by: str | None = None
    ) -> str:
        """Keep it; the id (64 hexadecimal digits). Keeping the same again adds to how long it stays, ``entity`` to what
        it came from, and ``by`` to the instances that kept it.

        ``LimitExceeded`` over 16 MiB; ``StorageFailed`` when the disk is too full for this kind.
        """
        self._admit(len(content), mime)
        return await asyncio.to_thread(self._put, bytes(content), mime, retention, entity, by)

    async def draft(
        self, owner: str, key: str, mime: str, retention: str, entity: str | None = None
    ) -> OpenDraft:  # fmt: skip
        """Begin media that come piece by piece, or go on with those of this ``key`` after a crash: what is there can be
        finished or dropped however full the disk is."""
        if key not in await self.drafts(owner):
            self._admit(0, mime)
        return OpenDraft(self, await asyncio.to_thread(self._drafts.open, owner, key, mime, retention, entity))

    async def drafts(self, owner: str) -> list[str]:
        """The keys of what the owner began and did not finish."""
        return await asyncio.to_thread(self._drafts.keys, owner)

    def _admit(self, size: int, mime: str) -> None:
        if size > MAX_BYTES:
            raise LimitExceeded(f"{size} bytes; media have at most {MAX_BYTES}", where=mime)
        if not _MIME.fullmatch(mime):
            raise InvalidInput(f"{mime!r} is not a MIME type", where="mime", hint="such as image/jpeg")
        level = self._level()
        if level >= (Level.SHED_RECORDINGS if mime.startswith(_RECORDINGS) else Level.EMERGENCY):
            raise StorageFailed("the disk is too full to keep this", where=mime, hint="free space on the hub's disk")

    async def get(self, media: str) -> tuple[bytes, str]:
        """Bytes and MIME type; ``NotFound`` when it is not there or was erased, ``StorageFailed`` when damaged."""
        return await asyncio.to_thread(self._get, media)

    async def about(self, media: str) -> MediaNote:
        """MIME type and the entities it came from; ``NotFound`` as for ``get``. The bytes are not read."""
        return await asyncio.to_thread(self._about, media)

    def erase(self, retention_class: str, before_day: str) -> list[dict[str, Any]]:
        """Let go of what the class kept before that day (ISO 8601), and delete what no class keeps. Blocks.

        One receipt (``class``, ``day``, ``media``, ``deleted``) for each; one that cannot be read or deleted has a
        receipt with ``damaged``, the words for it, and holds up no other.
        """
        receipts = self._drafts.erase(retention_class, before_day)
        for about in sorted(self._folder.glob("??/*.json")):
            try:
                with self._lock:
                    receipt = self._let_go(about, retention_class, before_day)
            except (OSError, StorageFailed) as fault:
                receipt = damaged(retention_class, about, fault)
            if receipt is not None:
                receipts.append(receipt)
        return receipts

    def _let_go(self, about: Path, retention_class: str, before_day: str) -> dict[str, Any] | None:
        note = self._note(about)
        day = note["kept"].get(retention_class)
        if day is None or day >= before_day:
            return None
        del note["kept"][retention_class]
        if note["kept"]:
            write_file(about, orjson.dumps(note))
        else:
            self._delete(about)
        return {"class": retention_class, "day": day, "media": about.stem, "deleted": not note["kept"]}

    def _put(self, content: bytes, mime: str, retention: str, entity: str | None, by: str | None) -> str:
        name = hashlib.sha256(content).hexdigest()
        path = self._path(name)
        about = path.with_suffix(".json")
        today = day_of(self._clock.now())
        with self._lock:
            try:
                make_folder(path.parent)
            except OSError as fault:
                raise disk_fault(fault, path) from fault
            known = about.exists() and path.exists()
            note = self._note(about) if known else _new_note(mime)
            fresh = [_added(note["of"], entity), _added(note["by"], by)]
            if any(fresh) or note["kept"].get(retention, "") < today:
                note["kept"][retention] = today
                write_file(about, orjson.dumps(note))
            if not known:  # after its note: bytes without one would never be erased
                write_file(path, content)
        return name

    def _about(self, media: str) -> MediaNote:
        if not _ID.fullmatch(media):
            raise _gone(media)
        try:
            note = self._note(self._path(media).with_suffix(".json"))
        except FileNotFoundError:
            raise _gone(media) from None
        return MediaNote(note["mime"], tuple(note["of"]), tuple(note["by"]))

    def _get(self, media: str) -> tuple[bytes, str]:
        if not _ID.fullmatch(media):
            raise _gone(media)
        path = self._path(media)
        try:
            content = path.read_bytes()
            mime = self._note(path.with_suffix(".json"))["mime"]
        except FileNotFoundError:
            raise _gone(media) from None
        except OSError as fault:
            raise disk_fault(fault, path) from fault
        if hashlib.sha256(content).hexdigest() != media:
            raise StorageFailed("is damaged: its bytes are not those that were kept", where=media)
        return content, mime

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name

    @staticmethod
    def _note(about: Path) -> dict[str, Any]:
        try:
            note = orjson.loads(about.read_bytes())
            of, by = ([str(name) for name in note.get(part, ())] for part in ("of", "by"))
            kept = {str(name): str(day) for name, day in note["kept"].items()}
            return {"mime": str(note["mime"]), "kept": kept, "of": of, "by": by}
        except (ValueError, KeyError, TypeError, AttributeError) as fault:
            raise StorageFailed("the note beside the media file is damaged", where=str(about)) from fault

    def _delete(self, about: Path) -> None:
        for path in (about.with_suffix(""), unfinished(about.with_suffix(""))):
            with suppress(FileNotFoundError):
                path.unlink()
        about.unlink()
        sync_folder(about.parent)


class OpenDraft:
    """``hub.sdk.context.MediaDraft``. One caller at a time."""

    def __init__(self, media: MediaFiles, file: DraftFile) -> None:
        self._media, self._file = media, file

    @property
    def size(self) -> int:
        """Bytes that are on the disk."""
        return self._file.size

    async def append(self, chunk: bytes) -> int:
        """Add, and be on the disk when it returns; the size then. ``LimitExceeded`` beyond 16 MiB."""
        self._media._admit(self._file.size + len(chunk), self._file.mime)
        return await asyncio.to_thread(self._file.append, bytes(chunk))

    async def keep(self) -> str:
        """Make it media; the id. ``InvalidInput`` when nothing came."""
        return await asyncio.to_thread(self._keep)

    async def drop(self) -> None:
        """Forget it."""
        await asyncio.to_thread(self._file.delete)

    def _keep(self) -> str:
        file = self._file
        content = file.read()
        if not content:
            raise InvalidInput("nothing came, so there is nothing to keep", where=file.key)
        name = self._media._put(content, file.mime, file.retention, file.entity, file.owner)
        file.delete()  # last: after a crash in between, keeping it again gives the same name
        return name


def _new_note(mime: str) -> dict[str, Any]:
    return {"mime": mime, "kept": {}, "of": [], "by": []}


def _added(names: list[str], name: str | None) -> bool:
    """Put the name into the list; was it new?"""
    if name is None or name in names or len(names) >= MAX_OF:
        return False
    names.append(name)
    return True


def _gone(media: str) -> NotFound:
    return NotFound("no such picture or recording", where=media[:64], hint="it may have been erased")
