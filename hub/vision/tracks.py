"""Passages of plates: sightings of one plate in many pictures become one report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from hub.vision.compose import one_line, registration
from hub.vision.lattice import fused
from hub.vision.picture import Box, Picture, overlap
from hub.vision.plates import AT_REST, Candidate, Sighting, looks_same
from hub.vision.provinces import distance
from hub.vision.reader import PlateText

GONE_S = 1.5
SURE, AGREE, PATIENCE = 0.6, 2, 6
"""So many pictures that agree are told at once when they are so sure; else the passage may bring a better one, but
whoever stands still is told after some more."""
"""A passage ends when its plate was not seen for so long."""
MAX_TRACKS = 16
_MAX_REPORTED = 1024
_CERTAIN = 0.95
_MAX_TEXTS, _MOST_UNSURE = 16, 24  # different readings of a passage, and pictures of one that never agree
_MAX_READ = 8  # the surest readings of a passage that are put together
_SAME_LETTERS = 2
"""Texts that differ in no more letters, near each other, are readings of one plate."""


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """One plate to tell: its text, and the picture in which it was read best."""

    text: PlateText
    candidate: Candidate
    picture: Picture
    at: float


@dataclass(slots=True, eq=False)
class _Track:
    candidate: Candidate
    seen: float
    best: dict[str, Report] = field(default_factory=dict)
    votes: dict[str, list[float]] = field(default_factory=dict)
    read: list[PlateText] = field(default_factory=list)
    count: int = 0
    told: bool = False

    def take(self, report: Report) -> None:
        """Count a reading; each text keeps its best picture."""
        self.count += 1
        key = report.text.text
        self.votes.setdefault(key, []).append(report.text.confidence)
        before = self.best.get(key)
        if before is None or before.text.confidence < report.text.confidence:
            self.best[key] = report
        if len(self.best) > _MAX_TEXTS:  # each keeps a picture
            least = min(self.best, key=lambda text: sum(self.votes[text]))
            del self.best[least], self.votes[least]
        if report.text.lattice:
            self.read = sorted([*self.read, report.text], key=lambda text: -text.confidence)[:_MAX_READ]

    def settled(self, text: PlateText) -> bool:
        """Whether enough pictures agree with ``text``, or no more of them would help."""
        votes = len(self.votes.get(text.text, ()))
        return votes >= (AGREE if text.confidence >= SURE else PATIENCE) or self.count >= _MOST_UNSURE

    def winner(self) -> Report:
        """What all pictures say together, with the picture that says so best."""
        voted = max(self.best, key=lambda key: (sum(self.votes[key]), self.best[key].text.confidence))
        text = self._together(self.best[voted].text)
        return replace(self.best.get(text.text, self.best[voted]), text=text)

    def _together(self, voted: PlateText) -> PlateText:
        """The readings' characters, each as likely as all pictures make it; the vote where that is no plate."""
        if len(self.read) < 2:
            return voted
        characters = fused([(text.lattice, text.confidence) for text in self.read])
        text = registration(characters, voted.province) if voted.series else one_line(characters)
        return text or voted


class PlateTracks:
    """The passages of one source. Times are those of the pictures, in seconds."""

    def __init__(self, min_interval_s: float) -> None:
        self._interval = min_interval_s
        self._tracks: list[_Track] = []
        self._reported: dict[str, float] = {}

    def known(self, candidate: Candidate, at: float) -> bool:
        """Whether this is a plate at rest that was told already; it counts as seen then and need not be read again."""
        for track in self._tracks:
            if track.told and looks_same(track.candidate, candidate):
                track.seen = max(track.seen, at)
                return True
        return False

    def observe(self, sightings: Iterable[Sighting], picture: Picture, at: float) -> list[Report]:
        """Take one picture's readings; returns what is to be told now: enough pictures agree, or a passage has
        ended."""
        reports = self.ended(at)
        taken: list[_Track] = []
        for sighting in sightings:
            track = self._track(sighting.candidate, sighting.text, at, taken)
            taken.append(track)
            track.candidate, track.seen = sighting.candidate, at
            track.take(Report(sighting.text, sighting.candidate, picture, at))
            if not track.told and track.settled(sighting.text):
                reports += self._tell(track)
        return reports

    def ended(self, at: float) -> list[Report]:
        """Forget passages that ended before ``at``; those never told are told now, by their best reading."""
        over = [track for track in self._tracks if at - track.seen > GONE_S]
        self._tracks = [track for track in self._tracks if at - track.seen <= GONE_S]
        return [report for track in over if not track.told for report in self._tell(track)]

    def _tell(self, track: _Track) -> list[Report]:
        track.told = True
        report = track.winner()
        key = report.text.text
        last = self._reported.get(key)
        if last is not None and report.at - last < self._interval:
            return []
        self._reported = {k: t for k, t in self._reported.items() if report.at - t < self._interval}
        if len(self._reported) < _MAX_REPORTED:
            self._reported[key] = report.at
        return [report]

    def _track(self, candidate: Candidate, text: PlateText, at: float, taken: list[_Track]) -> _Track:
        for track in self._tracks:
            if track not in taken and _one_plate(track, candidate, text):
                return track
        track = _Track(candidate, at)
        self._tracks = [*self._tracks, track][-MAX_TRACKS:]
        return track


def _one_plate(track: _Track, candidate: Candidate, text: PlateText) -> bool:
    letters = min(distance(text.text, other) for other in track.best)
    if letters == 0:
        return True
    shared = overlap(track.candidate.box, candidate.box)
    if shared > AT_REST and not looks_same(track.candidate, candidate):
        return False  # nothing moved, yet it looks different: another plate stands there
    if text.confidence >= _CERTAIN and any(one.text.confidence >= _CERTAIN for one in track.best.values()):
        return False  # nobody is so sure of a misreading: cars with like plates follow each other
    return letters <= _SAME_LETTERS and _near(track.candidate.box, candidate.box)


def _near(a: Box, b: Box) -> bool:
    """Within three widths of a plate: so far it moves between two pictures."""
    reach = 3 * max(a[2] - a[0], b[2] - b[0])
    return abs(a[0] + a[2] - b[0] - b[2]) <= 2 * reach and abs(a[1] + a[3] - b[1] - b[3]) <= 2 * reach
