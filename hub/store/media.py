"""Pictures and recordings: files named by the SHA-256 of their bytes, so that evidence can be proved unchanged."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from pathlib import Path

from hub.core.error import InvalidInput, LimitExceeded, NotFound, StorageFailed
from hub.store.keys import sync_folder

MAX_MEDIA = 16 << 20
_ID = re.compile(r"[0-9a-f]{64}")
_EXTENSIONS = {
    "image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "video/mp4": ".mp4", "audio/ogg": ".ogg",
    "application/pdf": ".pdf",
}  # fmt: skip
_MIMES = {extension: mime for mime, extension in _EXTENSIONS.items()}
_RETENTION = re.compile(r"[a-z][a-z0-9_]{0,39}")


class MediaFolder:
    """Implements ``Media``: ``FOLDER/CLASS/ab/abcdef….jpg``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, content: bytes, mime: str, retention: str) -> str:
        """Keep it durably; the id. The same bytes in the same class are kept once."""
        if len(content) > MAX_MEDIA:
            raise LimitExceeded(f"{len(content)} bytes are more than {MAX_MEDIA}", where="media")
        if mime not in _EXTENSIONS:
            raise InvalidInput(f"{mime!r} is not kept here", where="media", hint=f"one of {', '.join(_EXTENSIONS)}")
        if not _RETENTION.fullmatch(retention):
            raise InvalidInput(f"{retention!r} is no retention class", where="media")
        return await asyncio.to_thread(self._put, content, _EXTENSIONS[mime], retention)

    async def get(self, media: str) -> tuple[bytes, str]:
        """Bytes and MIME type, verified against the name."""
        if not _ID.fullmatch(media):
            raise NotFound("no such picture", where=media[:80])
        return await asyncio.to_thread(self._get, media)

    def _put(self, content: bytes, extension: str, retention: str) -> str:
        name = hashlib.sha256(content).hexdigest()
        folder = self._folder / retention / name[:2]
        path = folder / f"{name}{extension}"
        if path.exists():
            return name
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            part = path.with_suffix(".part")
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
            sync_folder(folder)
        except OSError as failed:
            raise StorageFailed(f"the picture could not be kept: {failed.strerror}", where=str(path)) from failed
        return name

    def _get(self, media: str) -> tuple[bytes, str]:
        for path in self._folder.glob(f"*/{media[:2]}/{media}.*"):
            if path.suffix in _MIMES:
                content = path.read_bytes()
                if hashlib.sha256(content).hexdigest() != media:
                    raise StorageFailed("the file was changed since it was kept", where=media)
                return content, _MIMES[path.suffix]
        raise NotFound("no such picture", where=media)
