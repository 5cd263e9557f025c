"""Plates of one source: the newest picture is read beside decoding, and each passage is told once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor

from hub.core.error import Unavailable
from hub.vision.picture import Picture
from hub.vision.plates import Candidate, PlateFinder, Sighting, looks_same, read_candidate
from hub.vision.reader import PlateReader
from hub.vision.spec import PlateSettings
from hub.vision.tracks import PlateTracks, Report

_DUD_S = 5.0
_DUD_TRIES = 3
_MAX_DUDS = 32


class PlateWatch:
    """Takes pictures from the decoding thread, works in ``pool``, one picture of this source at a time.

    While one is worked on only the newest other waits. ``tell`` is called from the pool's threads. ``note`` holds words
    when the reader does not work, else "".
    """

    def __init__(
        self, settings: PlateSettings, reader: PlateReader, pool: Executor, tell: Callable[[Report], None]
    ) -> None:
        self._reader, self._pool, self._tell = reader, pool, tell
        self._finder = PlateFinder(rough=reader.refines)
        self._tracks = PlateTracks(settings.min_interval_s)
        self._lock = threading.Lock()
        self._waiting: tuple[Picture | None, float] | None = None
        self._busy = False
        self._duds: list[tuple[Candidate, float]] = []
        self.note = ""
        self.cpu_s = 0.0

    def offer(self, picture: Picture | None, at: float) -> None:
        """Work on ``picture`` when the one before is done; ``None`` only ends passages that are over at ``at``."""
        with self._lock:
            self._waiting = (picture, at)
            if self._busy:
                return
            self._busy = True
        try:
            self._pool.submit(self._work)
        except RuntimeError:  # the pool is shut: the process ends
            return

    def _work(self) -> None:
        while True:
            with self._lock:
                waiting, self._waiting = self._waiting, None
                if waiting is None:
                    self._busy = False
                    return
            before = time.thread_time()
            try:
                for report in self.look(*waiting):
                    self._tell(report)
            except Exception as fault:  # a fault in one picture must not end the analysis of all later ones
                self.note = f"plate reading failed on a picture: {type(fault).__name__}"
            self.cpu_s += time.thread_time() - before

    def look(self, picture: Picture | None, at: float) -> list[Report]:
        """Find, read and track the plates of one picture; what is to be told now."""
        if picture is None:
            return self._tracks.ended(at)
        luma = picture.luma()
        self._duds = [(dud, since) for dud, since in self._duds if at - since < _DUD_S]
        sightings: list[Sighting] = []
        for candidate in self._finder.find(luma):
            if self._tracks.known(candidate, at) or self._hopeless(candidate):
                continue
            try:
                sighting = read_candidate(self._reader, luma, candidate)
                self.note = ""
            except Unavailable as off:
                self.note = str(off)
                break
            if sighting is not None:
                sightings.append(sighting)
            else:
                self._duds = [*self._duds, (candidate, at)][-_MAX_DUDS:]
        return self._tracks.observe(sightings, picture, at)

    def _hopeless(self, candidate: Candidate) -> bool:
        """Whether this was tried a few times lately and gave no text: a sign, a window, a plate too small."""
        return sum(looks_same(dud, candidate) for dud, _ in self._duds) >= _DUD_TRIES
