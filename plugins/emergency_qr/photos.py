"""Citizens' photos: how many bytes of them a day, so that they cannot fill the disk. Words are taken all the same."""

from __future__ import annotations

from contextlib import suppress

from hub.sdk import Context, HubError, InvalidInput, LimitExceeded

MAX_PHOTO = 10 << 20
MAX_OF_ONE = 100 << 20  # bytes a day of one phone
MAX_SENDERS = 5_000
DAY_S, BANGKOK_S = 86_400, 7 * 3_600


def photo_mime(content: bytes) -> str:
    """The kind of a picture by its first bytes; ``InvalidInput`` for anything else and over 10 MiB."""
    if len(content) <= MAX_PHOTO:
        if content.startswith(b"\xff\xd8\xff"):
            return "image/jpeg"
        if content.startswith(b"\x89PNG\r\n\x1a\n"):
            return "image/png"
        if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
            return "image/webp"
    raise InvalidInput("a photo is JPEG, PNG or WebP of at most 10 MiB", where="photo")


class Photos:
    """Keeps them, at most ``a_day`` bytes a day (of Thailand); what was kept today is known after a restart too."""

    def __init__(self, ctx: Context, a_day: int) -> None:
        self._ctx, self._a_day = ctx, a_day
        self._rows = ctx.records("photos")
        self._day, self._bytes = 0, 0
        self._of: dict[str, int] = {}  # sender → bytes of today

    async def take_up(self) -> None:
        """Go on with today's count."""
        row = (await self._rows.all()).get("today", {})
        self._day, self._bytes = int(row.get("day", 0)), int(row.get("bytes", 0))

    async def keep(self, photo: bytes, sender: str) -> str:
        """Its media id. ``LimitExceeded`` when today's bytes are used up, of this sender or of all."""
        mime, size = photo_mime(photo), len(photo)
        self._admit(size, sender)
        self._count(size, sender)
        try:
            media = await self._ctx.media.put(photo, mime, "messages")
        except HubError:
            self._count(-size, sender)
            raise
        with suppress(HubError):  # the photo is kept; the next one writes the count
            await self._rows.put("today", {"day": self._day, "bytes": self._bytes})
        return media

    def _admit(self, size: int, sender: str) -> None:
        today = int((self._ctx.clock.now() + BANGKOK_S) // DAY_S)
        if today != self._day:
            self._day, self._bytes = today, 0
            self._of.clear()
        if self._of.get(sender, 0) + size > MAX_OF_ONE:
            raise LimitExceeded(f"over {MAX_OF_ONE >> 20} MiB of photos of one phone today", where="photo")
        if self._bytes + size > self._a_day:
            raise LimitExceeded("today's photos have used up photos_mib_a_day", where="photo")

    def _count(self, size: int, sender: str) -> None:
        self._bytes += size
        self._of[sender] = self._of.pop(sender, 0) + size
        while len(self._of) > MAX_SENDERS:
            del self._of[next(iter(self._of))]
