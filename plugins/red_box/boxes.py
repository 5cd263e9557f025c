"""The boxes: documents that people edit, an entity each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from random import Random
from typing import Annotated, Any

from pydantic import Field

from hub.sdk import Context, Entity, InvalidInput, LimitExceeded, NotFound, Text

from .device import Box, split_code
from .settings import ID, BoxSettings
from .windows import BadWindow, Window, parse

MAX_BOXES = 500
MAX_OLD = 5
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32


class BoxBook:
    """All boxes."""

    def __init__(self, ctx: Context, windows: list[str]) -> None:
        self._ctx, self._usual = ctx, windows
        self._documents, self._removed = ctx.documents("boxes"), ctx.documents("removed_boxes")
        self.boxes: dict[str, Box] = {}

    async def take_up(self, given: Iterable[BoxSettings]) -> None:
        """Read the documents; a box of the configuration that is not among them becomes one."""
        for key, document in (await self._documents.all()).items():
            self.boxes[key] = _box(key, document)
        for one in given:
            if one.id not in self.boxes and await self._removed.get(one.id) is None:
                lat, lon = one.position
                await self._write(Box(
                    one.id, one.name.th, one.name.en, lat, lon, one.radius_m, tuple(one.windows),
                    one.secret or new_secret(self._ctx.ids.random), simulated=one.simulated,
                ))  # fmt: skip

    def find(self, code: str) -> tuple[Box, str] | None:
        """The box of a code, and the secret that the code shows ("" when it is the id alone). ``None`` for a box that
        is not there and for a secret that it never had."""
        name, secret = split_code(code)
        box = self.boxes.get(name)
        if box is None or (secret and secret != box.secret and secret not in box.old):
            return None
        return box, secret

    def windows(self, box: Box) -> list[Window]:
        """The windows of a box, its own or the usual ones."""
        return [parse(text) for text in box.windows or self._usual]

    def described(self, box: Box) -> Entity:
        """As an entity."""
        words = ", ".join(box.windows or self._usual)
        return Entity(
            box.entity, Text(box.th, box.en), ("checkpoint",), position=(box.lat, box.lon), simulated=box.simulated,
            attributes={"radius_m": box.radius_m, "windows": words, "code_id": box.id.upper()},
        )  # fmt: skip

    async def save(self, box: Box) -> None:
        """Keep a new or changed box; durable when it returns."""
        if box.id not in self.boxes and len(self.boxes) >= MAX_BOXES:
            raise LimitExceeded(f"more than {MAX_BOXES} boxes", where=box.id)
        await self._write(box)

    async def _write(self, box: Box) -> None:
        await self._documents.put(box.id, _document(box))
        self.boxes[box.id] = box

    async def remove(self, box: Box) -> None:
        """Take a box out; one of the configuration stays out."""
        await self._removed.put(box.id, {"at": self._ctx.clock.now()})
        await self._documents.delete(box.id)
        del self.boxes[box.id]

    def need(self, box: str) -> Box:
        """The box; ``NotFound`` otherwise."""
        found = self.boxes.get(box.strip().lower())
        if found is None:
            raise NotFound(f"there is no box {box!r}", where="box", hint="its id as in the list, such as rb1")
        return found

    def made(self, changes: BoxChange) -> Box:
        """The box that a form describes; the code of one that is there stays."""
        known = self.boxes.get(changes.id)
        secret = known.secret if known else new_secret(self._ctx.ids.random)
        return Box(
            changes.id, changes.th, changes.en, changes.lat, changes.lon, changes.radius_m, changes.windows, secret,
            known.old if known else (), known.simulated if known else False,
        )  # fmt: skip

    def renewed(self, box: Box) -> Box:
        """The box with a new code; the old one is still known, and doubted."""
        old = (box.secret, *box.old)[:MAX_OLD]
        return Box(box.id, box.th, box.en, box.lat, box.lon, box.radius_m, box.windows,
                   new_secret(self._ctx.ids.random), old, box.simulated)  # fmt: skip


class BoxChange:
    """A form's fields, checked; ``InvalidInput`` names the wrong one."""

    def __init__(self, box: str, name_th: str, name_en: str, lat: float, lon: float, radius_m: float,
                 windows: str) -> None:  # fmt: skip
        self.id = box.strip().lower()
        if not re.fullmatch(ID, self.id):
            raise InvalidInput(f"{box!r} is no id", where="box", hint="small letters, digits and _, such as rb1")
        self.th, self.en, self.lat, self.lon, self.radius_m = name_th, name_en or name_th, lat, lon, radius_m
        self.windows = tuple(text.strip() for text in re.split(r"[;\n]", windows) if text.strip())
        if len(self.windows) > 10:
            raise InvalidInput("more than 10 windows", where="windows")
        for text in self.windows:
            try:
                parse(text)
            except BadWindow as wrong:
                raise InvalidInput(str(wrong), where="windows") from None


Lat = Annotated[float, Field(ge=-90, le=90)]
Lon = Annotated[float, Field(ge=-180, le=180)]


def new_secret(random: Random) -> str:
    """Eight letters and digits, one of 10¹², that are not misread."""
    return "".join(random.choice(_ALPHABET) for _ in range(8))


def _document(box: Box) -> dict[str, Any]:
    return {
        "name": {"th": box.th, "en": box.en}, "lat": box.lat, "lon": box.lon, "radius_m": box.radius_m,
        "windows": list(box.windows), "secret": box.secret, "old": list(box.old), "simulated": box.simulated,
    }  # fmt: skip


def _box(key: str, d: dict[str, Any]) -> Box:
    return Box(
        key, d["name"]["th"], d["name"]["en"], float(d["lat"]), float(d["lon"]), float(d["radius_m"]),
        tuple(d["windows"]), d["secret"], tuple(d["old"]), bool(d.get("simulated")),
    )  # fmt: skip
