"""Pictures and clips, each look leaving a trace; and the ledger of those traces."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from aiohttp import web

from hub.access.audit import Ledger, entries
from hub.access.heads import Signer
from hub.access.roles import Roles
from hub.access.views import Views
from hub.core.access import Actor, ViewGate
from hub.core.documents import Media, MediaNote
from hub.core.pipeline import Pipeline
from hub.core.state import EntityState
from hub.web.route import Ask, NoBody, Route

MAX_ENTRIES = 1_000
NOT_INLINE = "attachment"
SHOWN_INLINE = frozenset({"image/jpeg", "image/png", "image/webp", "video/mp4", "audio/ogg"})
LOOK = "media.read"
_RANGE = re.compile(r"bytes=(\d{0,12})-(\d{0,12})")


class EvidenceApi:
    """Whoever asks for a picture needs the right to those of the entity it came from; for video ``gate`` decides."""

    def __init__(
        self, pipeline: Pipeline, media: Media, ledger: Ledger, signer: Signer, roles: Roles, gate: ViewGate,
        views: Views,
    ) -> None:  # fmt: skip
        self._pipeline, self._media, self._ledger, self._signer = pipeline, media, ledger, signer
        self._roles, self._gate, self._views = roles, gate, views

    def routes(self) -> list[Route]:
        """Its part of the table."""
        return [
            Route("GET", "/api/media/{id}", LOOK, "A picture or recording", self.media, filtered=True),
            Route("GET", "/api/audit", "audit.read", "The audit ledger", self.audit),
        ]

    async def media(self, ask: Ask[NoBody]) -> web.Response:
        name = ask.path["id"]
        note = await self._media.about(name)
        private = await self._admit(ask.actor, note)
        content, mime = await self._media.get(name)
        self._ledger.record(ask.actor.id, LOOK, name, ask.actor.purpose)
        await self._pipeline.settled()
        # a name is the content's own hash, so a browser may keep it; the session is asked again for each new one
        # but not what an owner may take back
        keep = "no-store" if private else "private, max-age=3600, immutable"
        headers = {"Cache-Control": keep, "Accept-Ranges": "bytes"}
        if mime not in SHOWN_INLINE:
            headers["Content-Disposition"] = NOT_INLINE
        return _part(ask.request.headers.get("Range", ""), content, mime, headers)

    async def _admit(self, actor: Actor, note: MediaNote) -> bool:
        """``Denied`` unless the actor may see what came from one of its entities; what came from none that is there
        needs the right as such. Is it of a private camera?"""
        entity = self._best(actor, note)
        if entity is not None and note.mime.startswith("video/"):
            view = await self._gate.open(actor, entity, "recorded", actor.purpose)
            await view.close()
        else:
            self._roles.check(actor, LOOK, entity)
            if entity is not None:
                self._views.begin(actor, entity, "recorded", lasting=False)
        return entity is not None and self._views.private(entity)

    def _best(self, actor: Actor, note: MediaNote) -> EntityState | None:
        known = self._pipeline.state.get
        states = [state for name in note.of if (state := known(name) or self._views.gone(name)) is not None]
        return next((state for state in states if self._roles.may(actor, LOOK, state)), states[0] if states else None)

    async def audit(self, ask: Ask[NoBody]) -> dict[str, Any]:
        after, limit = ask.number("after", 0), ask.number("limit", 200, lowest=1, highest=MAX_ENTRIES)
        self._ledger.record(ask.actor.id, "audit.read", f"after {after}", ask.actor.purpose)
        await self._pipeline.settled()
        found = await asyncio.to_thread(entries, self._pipeline.journal, after, limit)
        head = self._signer.head(self._ledger).as_data()
        return {"entries": found, "head": head}


def _part(asked: str, content: bytes, mime: str, headers: dict[str, str]) -> web.Response:
    """All of it, or the one range of bytes a player asks for (RFC 9110, 14)."""
    match, size = _RANGE.fullmatch(asked), len(content)
    if match is None or match[1] + match[2] == "":
        return web.Response(body=content, content_type=mime, headers=headers)
    first = int(match[1]) if match[1] else max(size - int(match[2]), 0)
    last = min(int(match[2]), size - 1) if match[1] and match[2] else size - 1
    if first > last:
        return web.Response(status=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    headers = {**headers, "Content-Range": f"bytes {first}-{last}/{size}"}
    return web.Response(status=206, body=content[first : last + 1], content_type=mime, headers=headers)
