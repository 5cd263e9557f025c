"""What the officer's browser records, kept as it comes: the staff's socket ``recording?call=CALL``.

First text: ``{"mime": "video/webm"}``; then bytes, about one piece a second, each on the disk before it is answered
with ``{"kept": BYTES}``; text ``end`` closes the file. One socket is one file of at most 15 MiB; a
long call is several.
"""

from __future__ import annotations

import contextlib
from typing import Any

import orjson

from hub.capabilities import CallRecorded
from hub.sdk import Context, Denied, HubError, InvalidInput, LimitExceeded, MediaDraft, NotFound, Socket

from .calls import Calls
from .device import EmergencyCall
from .settings import Settings

MAX_FILE = 15 << 20
MAX_PIECES = 100  # of one call
MIMES = ("video/webm", "video/mp4", "audio/webm", "audio/mp4")
EBML = b"\x1a\x45\xdf\xa3"  # begins a WebM file (RFC 8794, section 11.2.1)


def begins(head: bytes, mime: str) -> bool:
    """Does a file of that kind begin so? (WebM: EBML magic; MP4: a ``ftyp`` box, ISO 14496-12)"""
    return head.startswith(EBML) if mime.endswith("/webm") else head[4:8] == b"ftyp"


class Recorder:
    """Keeps recordings and says so."""

    def __init__(self, ctx: Context, calls: Calls, config: Settings) -> None:
        self._ctx, self._calls, self._config = ctx, calls, config

    async def take_up(self) -> None:
        """Keep what a crash cut: all that had come until then."""
        for key in await self._ctx.media.drafts():
            call = self._calls.find(key.rpartition("-")[0])
            try:
                await self._finish(key, call)
            except HubError as fault:  # a full disk, a damaged note: neither reports nor calls wait for it
                self._ctx.log.error("the unfinished recording %s waits for the next start: %s", key, fault)
                if call is not None:
                    with contextlib.suppress(HubError):
                        words = f"what was recorded before the restart could not be kept: {fault.message}"
                        await self._calls.recording_failed(call, words)

    async def _finish(self, key: str, call: EmergencyCall | None) -> None:
        draft = await self._ctx.media.draft(key, "video/webm", self._config.recording_retention)
        if not draft.size:
            await draft.drop()
            return
        size, media = draft.size, await draft.keep()
        if call is not None:
            await self._tell(call, media, size, (await self._ctx.media.get(media))[1], True)

    async def serve(self, socket: Socket) -> None:
        """One file."""
        call = self._admit(socket)
        try:
            await self._record(socket, call)
        except HubError as fault:
            call.recorded_at = None
            await self._calls.recording_failed(call, fault.message)
            raise

    def _admit(self, socket: Socket) -> EmergencyCall:
        call = self._calls.find(socket.request.query.get("call", ""))
        if call is None or call.ended_at is not None:
            raise NotFound("this call is over", where="call")
        if call.officer != socket.request.actor:
            raise Denied(f"{call.officer or 'nobody'} has this call", where=call.entity)
        if call.pieces >= MAX_PIECES:
            raise LimitExceeded(f"more than {MAX_PIECES} recordings of one call", where=call.entity)
        return call

    async def _record(self, socket: Socket, call: EmergencyCall) -> None:
        mime = _mime(await socket.receive())
        call.pieces += 1
        await self._calls.save(call)
        key = f"{call.id}-{call.pieces}"
        draft = await self._ctx.media.draft(key, mime, self._config.recording_retention, call.entity)
        try:
            whole = await self._take(socket, call, draft, mime)
        except HubError:
            await self._close(call, draft, mime, False)
            raise
        await self._close(call, draft, mime, whole)  # cancelled, the draft stays for the next start

    async def _take(self, socket: Socket, call: EmergencyCall, draft: MediaDraft, mime: str) -> bool:
        """Each piece to the disk, then its answer, while this officer has the call. Is it whole?"""
        while isinstance(piece := await socket.receive(), bytes):
            if call.ended_at is not None or call.officer != socket.request.actor:
                return True  # up to the end or the transfer, which is all that it may hold
            if not draft.size and not begins(piece, mime):
                raise InvalidInput(f"these bytes are no {mime}", where=call.entity)
            if draft.size + len(piece) > MAX_FILE:
                raise LimitExceeded(f"a recording has at most {MAX_FILE >> 20} MiB", where=call.entity)
            kept = await draft.append(piece)
            call.recorded_at = self._ctx.clock.now()
            if mime.startswith("video/"):  # sound alone is not what was promised
                call.picture_due = None
            await socket.send(orjson.dumps({"kept": kept}).decode())
        return piece == "end"

    async def _close(self, call: EmergencyCall, draft: MediaDraft, mime: str, whole: bool) -> None:
        call.recorded_at = None
        if not draft.size:
            await draft.drop()
            return
        size, media = draft.size, await draft.keep()
        await self._tell(call, media, size, mime, not whole)

    async def _tell(self, call: EmergencyCall, media: str, size: int, mime: str, interrupted: bool) -> None:
        if media not in call.recordings:
            call.recordings.append(media)
            await self._calls.save(call)
        recorded = CallRecorded(
            media=media, sha256=media, bytes=size, mime=mime, interrupted=interrupted, recordings=call.recordings
        )  # media are named by the SHA-256 of their bytes
        await self._ctx.emit(recorded, entity=call.entity)


def _mime(first: str | bytes | None) -> str:
    try:
        said: Any = orjson.loads(first) if isinstance(first, str) else None
        mime = str(said["mime"]).partition(";")[0]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise InvalidInput('the first word is {"mime": "video/webm"}', where="recording") from None
    if mime not in MIMES:
        raise InvalidInput(f"no recordings of {mime[:40]}", where="recording", hint=", ".join(MIMES))
    return mime
