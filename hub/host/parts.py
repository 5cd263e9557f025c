"""What the contexts of all instances share, and who watches over an instance."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from hub.core.actions import Actions
from hub.core.documents import Documents, Media
from hub.core.pipeline import Pipeline
from hub.host.claims import Claims
from hub.host.entities import Entities
from hub.host.routes import Routes
from hub.host.services import Services
from hub.sdk.context import Video, VideoSource

if TYPE_CHECKING:
    from hub.host.context import LocalContext


class VideoService(Protocol):
    """Watches sources for camera entities."""

    async def open(self, ctx: LocalContext, entity: str, source: VideoSource) -> Video:
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
