"""PDF of a page of HTML, by a process of its own: it is slow, needs much memory, and reads what strangers wrote."""

from __future__ import annotations

import asyncio
import signal
import sys

from hub.core.error import ActionFailed, InvalidInput, TimedOut
from hub.host.processes import send

MAX_HTML = 4 << 20
WITHIN_S = 30.0
REFUSED = 3  # exit status: the page cannot be set, and stderr says why

class Pdf:
    """Sets pages, one at a time: on a small computer two at once only slow each other."""

    def __init__(self) -> None:
        self._one = asyncio.Semaphore(1)

    async def __call__(self, html: str) -> bytes:
        """The page as PDF. ``InvalidInput`` when it is too large or cannot be set, ``TimedOut`` after 30 s of work."""
        page = html.encode()
        if len(page) > MAX_HTML:
            raise InvalidInput(f"the page is over {MAX_HTML >> 20} MiB", where="pdf")
        async with self._one:
            status, made, said = await _set(page)
        words = said.decode(errors="replace").strip()[-300:]
        if status == REFUSED:
            raise InvalidInput(words, where="pdf")
        if status != 0 or not made.startswith(b"%PDF"):
            raise ActionFailed(f"the page could not be set: {words}", where="pdf")
        return made


async def _set(page: bytes) -> tuple[int | None, bytes, bytes]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hub.host.pdf_main",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(WITHIN_S):
            made, said = await process.communicate(page)
    except TimeoutError:
        raise TimedOut(f"the page was not set within {WITHIN_S:g} s", where="pdf") from None
    finally:
        if process.returncode is None:
            send(process, signal.SIGKILL)
            await process.wait()
    return process.returncode, made, said
