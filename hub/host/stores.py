"""What an instance keeps: its documents, its records and media, each in a room of its own."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import orjson

from hub.core.documents import Documents, Draft, Media
from hub.core.error import Denied, InvalidInput, LimitExceeded
from hub.core.journal import Drop, Put
from hub.core.pipeline import Pipeline
from hub.host.entities import Entities
from hub.host.text import check_data

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
MAX_KEY = 200
MAX_VALUE = 256 * 1024


def check_name(name: str) -> str:
    """The name of a collection or table, as it is; ``InvalidInput`` otherwise."""
    if not _NAME.fullmatch(name):
        raise InvalidInput(f"{name!r} is no name", where=name, hint="small letters, digits and _, at most 40")
    return name


def _check(key: str, value: Any = None) -> Any:
    check_data({"key": key, "value": value}, "document")
    if not key or len(key) > MAX_KEY:
        raise InvalidInput(f"a key has 1 to {MAX_KEY} characters", where=key[:MAX_KEY])
    data = orjson.dumps(value)
    if len(data) > MAX_VALUE:
        raise LimitExceeded(f"{len(data)} bytes; at most {MAX_VALUE}", where=key)
    return orjson.loads(data)


class InstanceCollection:
    """Documents of one instance, in the collection ``INSTANCE.NAME``."""

    def __init__(self, documents: Documents, instance: str, name: str) -> None:
        self._documents, self._collection = documents, f"{instance}.{check_name(name)}"

    async def get(self, key: str) -> dict[str, Any] | None:
        return await self._documents.get(self._collection, key)

    async def put(self, key: str, value: Mapping[str, Any]) -> None:
        await self._documents.put(self._collection, key, _check(key, dict(value)))

    async def delete(self, key: str) -> None:
        await self._documents.delete(self._collection, key)

    async def all(self) -> dict[str, dict[str, Any]]:
        return await self._documents.all(self._collection)


class InstanceRecords:
    """Rows of one instance in the journal's database, in the table ``plugin:INSTANCE:NAME``."""

    def __init__(self, pipeline: Pipeline, instance: str, name: str) -> None:
        self._pipeline, self._table = pipeline, f"plugin:{instance}:{check_name(name)}"

    async def put(self, key: str, value: Any) -> None:
        self._pipeline.put(Put(self._table, key, _check(key, value), sealed="instance"))
        await self._pipeline.settled()

    async def delete(self, key: str) -> None:
        check_data(key, "key")
        self._pipeline.put(Drop(self._table, key))
        await self._pipeline.settled()

    async def all(self) -> dict[str, Any]:
        await self._pipeline.settled()
        return dict(await asyncio.to_thread(self._pipeline.journal.records, self._table))


class InstanceMedia:
    """Pictures and recordings. An instance names its own entities, and gets what it kept itself or what came from
    its own entities: other people's pictures are for people with the right to them."""

    def __init__(self, media: Media, instance: str, entities: Entities) -> None:
        self._media, self._instance, self._entities = media, instance, entities

    async def put(
        self, content: bytes, mime: str, retention: str = "incidents", entity: str | None = None
    ) -> str:
        self._own(entity)
        return await self._media.put(content, mime, retention, entity, self._instance)

    async def get(self, media: str) -> tuple[bytes, str]:
        note = await self._media.about(media)
        if self._instance not in note.by and not any(self._entities.owner(one) == self._instance for one in note.of):
            raise Denied(f"{self._instance} did not keep this, nor did it come from its entities", where=media[:64])
        return await self._media.get(media)

    async def draft(
        self, key: str, mime: str, retention: str = "incidents", entity: str | None = None
    ) -> Draft:
        self._own(entity)
        return await self._media.draft(self._instance, key, mime, retention, entity)

    async def drafts(self) -> list[str]:
        return await self._media.drafts(self._instance)

    def _own(self, entity: str | None) -> None:
        if entity is not None:
            self._entities.need(entity, self._instance)
