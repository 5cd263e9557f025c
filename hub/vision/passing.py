"""Who goes over a line, and who stays in an area: from each picture's boxes of what moves. Nobody is told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.vision.areas import FORGET_S, LineCounter, Loitering
from hub.vision.spec import MotionSettings
from hub.vision.tracking import GONE_S, Fractions, Tracker

_MISSED = 2.5  # pictures in which a thing may not be found, where they come so slowly that a second is none


@dataclass(frozen=True, slots=True)
class Passed:
    """``what``: ``crossed`` a line, to its ``left`` or ``right``, or ``stayed`` in an area for so many seconds."""

    what: str
    name: str
    way: str = ""
    seconds: float = 0.0

    def as_data(self) -> dict[str, object]:
        """JSON form."""
        return {"what": self.what, "name": self.name, "way": self.way, "seconds": self.seconds}


class PassingWatch:
    """The lines and areas of one source, of which ``rate`` pictures a second are seen. Times in seconds."""

    def __init__(self, settings: MotionSettings, rate: float) -> None:
        self._tracker = Tracker(max(GONE_S, _MISSED / rate))
        forget_s = max(FORGET_S, _MISSED / rate)
        self._lines = [(line.name, LineCounter(line.start, line.end)) for line in settings.lines]
        self._areas = [(area.name, Loitering(area.polygon, area.after_s, forget_s)) for area in settings.areas]

    @property
    def wanted(self) -> bool:
        """Whether there is a line or an area at all."""
        return bool(self._lines or self._areas)

    def look(self, boxes: Sequence[Fractions], at: float) -> list[Passed]:
        """Take one picture's boxes (x, y, w, h); what is to be told now."""
        seen = {track.number: track.foot for track in self._tracker.step(boxes, at)}
        # who is not found for a picture or two, just on the line, has crossed it all the same
        known = {track.number: track.foot for track in self._tracker.tracks}
        told = [
            Passed("crossed", name, way=way) for name, line in self._lines for _, way in line.step(known)
        ]
        for name, area in self._areas:
            told += [
                Passed("stayed", name, seconds=round(area.seconds(track), 1))
                for track in area.step(seen.items(), at)
            ]
        return told
