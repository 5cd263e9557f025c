"""Documents that people edit, in tinydb, on a storage that survives a crash.

tinydb's own JSON storage overwrites its file in place and can lose all of it; this one writes beside it, syncs and
renames, and keeps the generation before.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from tinydb import TinyDB
from tinydb.storages import Storage
from tinydb.table import Document, Table

from hub.core.documents import MAX_DOCUMENTS
from hub.core.error import InvalidInput, LimitExceeded, StorageFailed
from hub.store.keys import sync_folder

_NAME = re.compile(r"[a-z0-9][a-z0-9_.:-]{0,119}")


class CrashSafeStorage(Storage):
    """A JSON file that is whole at every moment: temporary file, fsync, rename, fsync of the folder."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)

    def read(self) -> dict[str, dict[str, Any]] | None:
        """The contents; ``None`` when there is no file yet."""
        try:
            found: dict[str, dict[str, Any]] = orjson.loads(self._path.read_bytes())
            return found
        except FileNotFoundError:
            return None
        except orjson.JSONDecodeError as wrong:
            raise StorageFailed(
                f"is not JSON: {wrong}", where=str(self._path), hint=f"compare with {self._path.name}.bak and repair it"
            ) from None

    def write(self, data: Mapping[str, Mapping[Any, Any]]) -> None:
        """Replace the contents durably."""
        part = self._path.with_suffix(".part")
        try:
            with part.open("wb") as file:
                file.write(orjson.dumps(data, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS))
                file.flush()
                os.fsync(file.fileno())
            if self._path.exists():
                backup = self._path.with_name(self._path.name + ".bak")
                backup.unlink(missing_ok=True)
                os.link(self._path, backup)
            part.replace(self._path)
            sync_folder(self._path.parent)
        except OSError as failed:
            raise StorageFailed(f"could not be written: {failed.strerror}", where=str(self._path)) from failed


class _StringTable(Table):
    document_id_class = str  # type: ignore[assignment]


class TinyDocuments:
    """Implements ``Documents``: one file a collection, so that one fault costs one collection."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, TinyDB] = {}
        self._turn = asyncio.Lock()

    async def get(self, collection: str, key: str) -> dict[str, Any] | None:
        """One document."""
        return (await self.all(collection)).get(key)

    async def put(self, collection: str, key: str, value: Mapping[str, Any]) -> None:
        """Write one."""
        _check(key)
        async with self._turn:
            await asyncio.to_thread(self._put, collection, key, dict(value))

    async def delete(self, collection: str, key: str) -> None:
        """Remove one."""
        async with self._turn:
            await asyncio.to_thread(self._delete, collection, key)

    async def all(self, collection: str) -> dict[str, dict[str, Any]]:
        """All by key."""
        async with self._turn:
            return await asyncio.to_thread(self._all, collection)

    def _table(self, collection: str) -> Table:
        if collection not in self._open:
            _check(collection)
            file = self._folder / f"{collection.replace(':', '__')}.json"
            self._open[collection] = TinyDB(file, storage=CrashSafeStorage)
        return _StringTable(self._open[collection].storage, "documents", cache_size=0)

    def _put(self, collection: str, key: str, value: dict[str, Any]) -> None:
        table = self._table(collection)
        if len(table) >= MAX_DOCUMENTS and not table.contains(doc_id=key):  # type: ignore[arg-type]
            raise LimitExceeded(f"{collection} has {MAX_DOCUMENTS} documents", where=collection)
        table.upsert(Document(value, doc_id=key))  # type: ignore[arg-type]

    def _delete(self, collection: str, key: str) -> None:
        table = self._table(collection)
        if table.contains(doc_id=key):  # type: ignore[arg-type]
            table.remove(doc_ids=[key])  # type: ignore[list-item]

    def _all(self, collection: str) -> dict[str, dict[str, Any]]:
        return {str(found.doc_id): dict(found) for found in self._table(collection).all()}


def _check(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidInput(f"{name!r} cannot name a document", where="documents", hint="small letters, digits, _ . : -")
