"""What the core asks of the store for documents that people edit (red boxes, contacts, areas, forms, roster)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

MAX_DOCUMENTS = 5_000  # a collection; beyond it use records


class Documents(Protocol):
    """Named collections of JSON documents with string ids. Each method is durable when it returns."""

    async def get(self, collection: str, key: str) -> dict[str, Any] | None:
        """One document."""

    async def put(self, collection: str, key: str, value: Mapping[str, Any]) -> None:
        """Write one; ``LimitExceeded`` beyond ``MAX_DOCUMENTS``."""

    async def delete(self, collection: str, key: str) -> None:
        """Remove one; harmless when it is not there."""

    async def all(self, collection: str) -> dict[str, dict[str, Any]]:
        """All of a collection by id."""


@dataclass(frozen=True, slots=True)
class MediaNote:
    """``of``: the entities it came from, none when nobody said; ``by``: the instances that kept it."""

    mime: str
    of: tuple[str, ...] = ()
    by: tuple[str, ...] = ()


class Draft(Protocol):
    """Media that come piece by piece and outlive a crash. One caller at a time."""

    @property
    def size(self) -> int:
        """Bytes that are on the disk."""

    async def append(self, chunk: bytes) -> int:
        """Add; on the disk when it returns. The size then. ``LimitExceeded`` beyond 16 MiB."""

    async def keep(self) -> str:
        """Make it media; the id. ``InvalidInput`` when nothing came."""

    async def drop(self) -> None:
        """Forget it."""


class Media(Protocol):
    """Pictures, clips and recordings, named by the SHA-256 of their bytes."""

    async def put(
        self, content: bytes, mime: str, retention: str, entity: str | None = None, by: str | None = None
    ) -> str:
        """Keep it; the id (64 hexadecimal digits). ``entity``: what it shows or came from; ``by``: the instance that
        keeps it. ``LimitExceeded`` over 16 MiB."""

    async def get(self, media: str) -> tuple[bytes, str]:
        """Bytes and MIME type; ``NotFound`` when it is not there or was erased."""

    async def about(self, media: str) -> MediaNote:
        """What is known of it; ``NotFound`` as for ``get``."""

    async def draft(self, owner: str, key: str, mime: str, retention: str, entity: str | None = None) -> Draft:
        """Begin media that come piece by piece, or go on with the owner's ``key`` after a crash."""

    async def drafts(self, owner: str) -> list[str]:
        """The keys of what the owner began and did not finish."""
