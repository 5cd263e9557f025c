"""``hub plates``: read number plates in picture files, as the hub's vision process does."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub.cli import options
from hub.core.error import HubError, InvalidInput
from hub.core.wire import MAX_BLOB

if TYPE_CHECKING:
    from hub.host.process import Child

WITHIN_S = 60.0  # the first picture waits for the networks to be loaded


def add(commands: options.Commands) -> None:
    """Declare the commands."""
    plates = options.group(commands, "plates", "number plates in pictures")
    read = options.command(plates, "read", _read, "read the plates in JPEG or PNG files")
    read.add_argument("images", metavar="IMAGE", nargs="+", type=Path, help="a picture file")
    read.add_argument("--json", action="store_true", help="one JSON object a line, with boxes and alternatives")


def _read(given: argparse.Namespace) -> int:
    return asyncio.run(_read_all(given.images, as_json=given.json))


async def _read_all(images: list[Path], *, as_json: bool) -> int:
    """Every file is tried; 1 when one could not be read."""
    from hub.host.process import Bounds, Child
    from hub.host.vision import KEEP, MODULE

    child = Child("vision", MODULE, _heard, Bounds(silent_s=WITHIN_S, keep=KEEP))
    await child.start()
    status = 0
    try:
        for path in images:
            try:
                told = await _one(child, path)
            except (HubError, OSError) as wrong:
                print(f"hub: {path}: {getattr(wrong, 'strerror', None) or wrong}", file=sys.stderr)
                status = 1
            else:
                print(json.dumps({"file": str(path), **told}, ensure_ascii=False) if as_json else _words(path, told))
    finally:
        await child.stop()
    return status


async def _heard(call: str, args: dict[str, Any], blob: bytes) -> None:
    """The process tells nothing of itself here: no source is open."""


async def _one(child: Child, path: Path) -> dict[str, Any]:
    content = await asyncio.to_thread(path.read_bytes)
    if not content or len(content) > MAX_BLOB:
        raise InvalidInput(f"{len(content)} bytes: no picture, or one over {MAX_BLOB >> 20} MB")
    told: dict[str, Any] = (await child.ask("read", {}, content, limit=WITHIN_S)).header["result"]
    return told


def _words(path: Path, told: dict[str, Any]) -> str:
    """A line for people."""
    plates = (
        f"{' '.join(filter(None, (plate['series'], plate['number'], plate['province'])))} ({plate['confidence']:.0%})"
        for plate in told["plates"]
    )
    return f"{path}: {', '.join(plates) or 'no plate'}"
