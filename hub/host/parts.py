"""What the contexts of all instances share, and who watches over an instance."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from hub.core.actions import Actions
from hub.core.documents import Documents, Media
from hub.core.event import EventData
from hub.core.pipeline import Pipeline
from hub.core.state import EntityState
from hub.host.claims import Claims
from hub.host.entities import Entities
from hub.host.routes import Routes
from hub.host.services import Services
from hub.sdk.context import Video, VideoSource, WordList


class Reporter(Protocol):
    """An instance for which the hub itself sees something."""

    instance: str

    async def report(self, data: EventData, entity: str, at: float | None = None) -> int:
        """Emit what the hub saw of the instance's entity; its sequence number."""

    async def state(self, entity: str) -> EntityState | None:
        """What is known of an entity."""


class VideoService(Protocol):
    """Watches sources for camera entities."""

    async def open(self, ctx: Reporter, entity: str, source: VideoSource) -> Video:
        """Watch a source; what is seen is reported through ``ctx.report``."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What all contexts share. Built by ``Host``."""

    pipeline: Pipeline
    actions: Actions
    documents: Documents
    media: Media
    claims: Claims
    entities: Entities
    routes: Routes
    services: Services
    video: VideoService
    pdf: Callable[[str], Awaitable[bytes]]
    words: Callable[[str], WordList]


class Watcher(Protocol):
    """Who supervises the instance."""

    def fault(self, where: str, fault: BaseException) -> None:
        """The plugin's code raised."""

    def overflow(self, dropped: int) -> None:
        """Events were dropped: the handlers do not keep up."""

    def health(self, ok: bool, reason: str) -> None:
        """What the instance says of itself."""

    def broken(self, reason: str) -> None:
        """It cannot go on and must begin again."""

    def alive(self, entity: str | None) -> None:
        """What it speaks with gave a sign of life, ``entity`` when one is named."""
