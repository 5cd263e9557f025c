"""All analysis of one source. Importing this module loads the compiled kernels: only for what is analysed."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from hub.core.error import Unavailable
from hub.vision.motion import MotionWatch
from hub.vision.network import MISSING, NetworkReader
from hub.vision.passing import PassingWatch
from hub.vision.picture import Box, Picture, StillPicture, jpeg
from hub.vision.plates import Candidate, PlateFinder, read_picture
from hub.vision.platewatch import PlateWatch
from hub.vision.reader import PlateReader
from hub.vision.spec import SourceSpec
from hub.vision.tamper import TamperWatch
from hub.vision.tracks import Report

Emit = Callable[[str, dict[str, Any], bytes], None]
_AROUND = 0.6
"""Surroundings in a crop, as a share of the plate's width, on each side."""


@functools.cache
def default_reader() -> PlateReader | None:
    """The project's own reader, or ``None`` where its networks are missing. Asked once a process."""
    try:
        return NetworkReader()
    except Unavailable:
        return None


class Analysis:
    """What is found in the pictures of one source, told through ``emit``."""

    def __init__(self, spec: SourceSpec, emit: Emit, pool: Executor) -> None:
        self._key, self._emit = spec.key, emit
        self._motion = MotionWatch(spec.motion, spec.rate) if "motion" in spec.analyse else None
        self._passing = PassingWatch(spec.motion, spec.rate)
        self._tamper = TamperWatch() if spec.motion.tamper else None
        self._plates: PlateWatch | None = None
        self._off = ""
        if "plate" in spec.analyse:
            reader = default_reader()
            if reader is None:
                self._off = MISSING
            else:
                self._plates = PlateWatch(spec.plate, reader, pool, self._tell_plate)

    @property
    def note(self) -> str:
        """Words when a part does not work, else ""."""
        return self._off or (self._plates.note if self._plates else "")

    @property
    def cpu_s(self) -> float:
        """Processor seconds spent on plates outside the decoding thread, without the reader's own processes."""
        return self._plates.cpu_s if self._plates else 0.0

    def take(self, picture: Picture, at: float) -> None:
        """Analyse a picture of the time ``at``: motion at once, plates beside."""
        if self._motion is not None:
            self._watch(self._motion, picture, at)
        if self._plates is not None:
            self._plates.offer(picture, at)

    def _watch(self, motion: MotionWatch, picture: Picture, at: float) -> None:
        """What moves, who passes, and whether the camera still sees what it should."""
        if (change := motion.look(picture.luma(), at, picture.black)) is not None:
            self._emit("motion", {"key": self._key, "at": at, **change.as_data()}, b"")
        if self._passing.wanted:
            for passed in self._passing.look(motion.boxes, at):
                self._emit("passed", {"key": self._key, "at": at, **passed.as_data()}, b"")
        if self._tamper is not None and (scene := self._tamper.look(motion.scene, at)) is not None:
            self._emit("scene", {"key": self._key, "at": at, "scene": scene}, b"")

    def idle(self, at: float) -> None:
        """No picture comes: what ends by time ends."""
        change = self._motion.quiet(at) if self._motion else None
        if change is not None:
            self._emit("motion", {"key": self._key, "at": at, **change.as_data()}, b"")
        if self._plates is not None:
            self._plates.offer(None, at)

    def _tell_plate(self, report: Report) -> None:
        data = plate_data(report.text.as_data(), report.candidate, report.picture)
        crop = jpeg(report.picture, _around(report.candidate.plate, report.picture))
        self._emit("plate", {"key": self._key, "at": report.at, **data}, crop)


def plate_data(text: dict[str, Any], candidate: Candidate, picture: Picture) -> dict[str, Any]:
    """A reading as it travels; ``box`` is x, y, w, h in fractions of the picture."""
    left, top, right, bottom = candidate.plate
    wide, high = picture.width, picture.height
    box = [left / wide, top / high, (right - left) / wide, (bottom - top) / high]
    return {"alternatives": [], **text, "box": [round(min(max(value, 0.0), 1.0), 4) for value in box]}


def _around(box: Box, picture: Picture) -> Box:
    margin = round((box[2] - box[0]) * _AROUND)
    left, top = max(box[0] - margin, 0), max(box[1] - margin, 0)
    return left, top, min(box[2] + margin, picture.width), min(box[3] + margin, picture.height)


def read_file(data: bytes) -> dict[str, Any]:
    """Plates of one JPEG or PNG file. ``InvalidInput`` for another, ``Unavailable`` without a reader."""
    reader = default_reader()
    if reader is None:
        raise Unavailable(MISSING)
    picture = StillPicture(data)
    started = time.perf_counter()
    sightings = read_picture(PlateFinder(rough=reader.refines), reader, picture.luma())
    plates = [plate_data(s.text.as_data(), s.candidate, picture) for s in sightings]
    spent = round(time.perf_counter() - started, 4)
    return {"plates": plates, "width": picture.width, "height": picture.height, "seconds": spent}
