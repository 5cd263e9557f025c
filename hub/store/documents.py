"""Documents that people edit, on tinydb with a storage of our own: whole or not at all, and durable.

One file a collection. tinydb rewrites the whole of it at each change, which is why a collection has a limit.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson
from tinydb import TinyDB
from tinydb.storages import Storage
from tinydb.table import Document, Table

from hub.core.documents import MAX_DOCUMENTS
from hub.core.error import InvalidInput, LimitExceeded, StorageFailed
from hub.store.files import disk_fault, make_folder, write_file

_COLLECTION: Final = re.compile(r"[a-z0-9][a-z0-9_.:-]{0,119}")
MAX_KEY: Final = 200
T = TypeVar("T")


class SafeStorage(Storage):
    """JSON in ``path``: written beside it, synced, renamed; the version before it stays as ``NAME.bak``."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, dict[str, Any]] | None:
        """All tables; ``None`` when there is no file; ``StorageFailed`` when it is damaged."""
        try:
            raw = self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as fault:
            raise disk_fault(fault, self._path) from fault
        try:
            tables = orjson.loads(raw)
            if isinstance(tables, dict) and all(isinstance(table, dict) for table in tables.values()):
                return tables
            said = "not a table of documents"
        except ValueError as fault:
            said = str(fault)
        raise StorageFailed(
            f"is damaged: {said}", where=str(self._path), hint=f"the version before it is {self._path.name}.bak"
        )

    def write(self, data: dict[str, dict[str, Any]]) -> None:
        """Replace the file."""
        raw = orjson.dumps(data, option=orjson.OPT_INDENT_2)
        write_file(self._path, raw, keep=self._path.with_name(f"{self._path.name}.bak"))


class TextTable(Table):
    """A table whose ids are texts."""

    document_id_class = str  # type: ignore[assignment]  # tinydb's own way to other ids; its annotation says int
    default_query_cache_capacity = 0


class TextTinyDB(TinyDB):
    """tinydb with ``TextTable``."""

    table_class = TextTable


class Documents:
    """``hub.core.documents.Documents`` in a folder. Changes of one collection wait for each other."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._opened: dict[str, tuple[threading.Lock, Table]] = {}
        make_folder(folder)

    async def get(self, collection: str, key: str) -> dict[str, Any] | None:
        """One document."""

        def find(table: Table) -> dict[str, Any] | None:
            found = table.get(doc_id=key)  # type: ignore[call-overload]  # ids are texts here
            return None if found is None else dict(found)

        return await self._on(collection, find)

    async def put(self, collection: str, key: str, value: Mapping[str, Any]) -> None:
        """Write one; ``LimitExceeded`` beyond ``MAX_DOCUMENTS``, ``InvalidInput`` when it is not JSON data."""
        if not 1 <= len(key) <= MAX_KEY:
            raise InvalidInput(f"an id has 1 to {MAX_KEY} characters", where=f"{collection}/{key[:MAX_KEY]}")
        try:
            plain = orjson.loads(orjson.dumps({key: dict(value)}))[key]
        except TypeError as wrong:
            raise InvalidInput(f"not JSON data: {wrong}", where=f"{collection}/{key}") from None
        await self._on(collection, lambda table: _put(table, collection, key, plain))

    async def delete(self, collection: str, key: str) -> None:
        """Remove one; harmless when it is not there."""

        def remove(table: Table) -> None:
            if table.contains(doc_id=key):  # type: ignore[arg-type]
                table.remove(doc_ids=[key])  # type: ignore[list-item]

        await self._on(collection, remove)

    async def all(self, collection: str) -> dict[str, dict[str, Any]]:
        """All of a collection by id."""
        return await self._on(collection, lambda table: {str(doc.doc_id): dict(doc) for doc in table})

    async def _on(self, collection: str, call: Callable[[Table], T]) -> T:
        return await asyncio.to_thread(self._locked, collection, call)

    def _locked(self, collection: str, call: Callable[[Table], T]) -> T:
        lock, table = self._open(collection)
        with lock:
            return call(table)

    def _open(self, collection: str) -> tuple[threading.Lock, Table]:
        with self._lock:
            if collection not in self._opened:
                if not _COLLECTION.fullmatch(collection):
                    raise InvalidInput(
                        f"{collection!r} cannot name a collection", where="collection",
                        hint="small letters, digits and _ . : -, at most 120",
                    )  # fmt: skip
                database = TextTinyDB(self._folder / f"{collection}.json", storage=SafeStorage)
                self._opened[collection] = threading.Lock(), database.table("documents", cache_size=0)
            return self._opened[collection]


def _put(table: Table, collection: str, key: str, value: dict[str, Any]) -> None:
    def replace(document: dict[str, Any]) -> None:
        document.clear()
        document.update(value)

    if table.contains(doc_id=key):  # type: ignore[arg-type]
        table.update(replace, doc_ids=[key])  # type: ignore[arg-type, list-item]
    elif len(table) >= MAX_DOCUMENTS:
        raise LimitExceeded(
            f"a collection has at most {MAX_DOCUMENTS} documents", where=collection, hint="use records for more"
        )
    else:
        table.insert(Document(value, doc_id=key))  # type: ignore[arg-type]
