"""Boxes of one picture after another become tracks: who was where, and which way it goes.

Greedy matching, the best pair first: by shared area, and for small fast things by the distance to where they were
heading. No appearance is kept: a track is a number that lasts as long as something is seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from hub.vision.areas import Point

Fractions = tuple[float, float, float, float]
GONE_S = 1.0
"""A track ends when it was not seen for so long."""
MOST_TRACKS = 64
_REACH = 1.5  # boxes' diagonals that a thing may be off where it was expected
_STEADY = 0.5  # share of the new speed in the kept one
_MOVES = 0.02  # fractions of the picture a second under which nothing has a direction


@dataclass(slots=True)
class Track:
    """One thing: ``box`` x, y, w, h in fractions of the picture; ``speed`` in fractions a second."""

    number: int
    box: Fractions
    begun: float
    seen: float
    pictures: int = 1
    speed: Point = (0.0, 0.0)

    @property
    def centre(self) -> Point:
        """The middle of the box."""
        x, y, w, h = self.box
        return x + w / 2, y + h / 2

    @property
    def foot(self) -> Point:
        """The middle of the lower edge: where a thing stands on the ground."""
        x, y, w, h = self.box
        return x + w / 2, y + h

    @property
    def direction(self) -> float | None:
        """Degrees as seen in the picture: 0 up, 90 right, 180 down, 270 left; ``None`` at rest."""
        if math.hypot(*self.speed) < _MOVES:
            return None
        return math.degrees(math.atan2(self.speed[0], -self.speed[1])) % 360

    def expected(self, at: float) -> Fractions:
        """The box where it would be at the time ``at``."""
        after = at - self.seen
        x, y, w, h = self.box
        return x + self.speed[0] * after, y + self.speed[1] * after, w, h

    def take(self, box: Fractions, at: float) -> None:
        """It was seen again."""
        before, after = self.centre, max(at - self.seen, 1e-3)
        self.box, self.seen, self.pictures = box, at, self.pictures + 1
        now = ((self.centre[0] - before[0]) / after, (self.centre[1] - before[1]) / after)
        share = 1.0 if self.pictures == 2 else _STEADY
        self.speed = (
            self.speed[0] + share * (now[0] - self.speed[0]),
            self.speed[1] + share * (now[1] - self.speed[1]),
        )


def shared(a: Fractions, b: Fractions) -> float:
    """Intersection over union of two boxes."""
    wide = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    high = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0.0
    return wide * high / (a[2] * a[3] + b[2] * b[3] - wide * high)


def likeness(expected: Fractions, box: Fractions) -> float:
    """How well a box continues a track: 1 … 2 where they share area, 0 … 1 by nearness, under 0 not at all."""
    area = shared(expected, box)
    if area > 0:
        return 1 + area
    apart = math.hypot(
        expected[0] + expected[2] / 2 - box[0] - box[2] / 2, expected[1] + expected[3] / 2 - box[1] - box[3] / 2
    )
    reach = _REACH * max(math.hypot(expected[2], expected[3]), math.hypot(box[2], box[3]))
    return 1 - apart / reach if reach > 0 else -1.0


class Tracker:
    """The tracks of one source. Times are those of the pictures, in seconds; ``gone_s``: as ``GONE_S``."""

    def __init__(self, gone_s: float = GONE_S) -> None:
        self.tracks: list[Track] = []
        self._gone_s = gone_s
        self._next = 1

    def step(self, boxes: Sequence[Fractions], at: float) -> list[Track]:
        """Take one picture's boxes; returns the tracks that were seen in it, in the order of the boxes."""
        # a clock that was set back would keep dead tracks until it has come there again: they end
        self.tracks = [track for track in self.tracks if 0 <= at - track.seen <= self._gone_s]
        pairs = [
            (likeness(track.expected(at), box), i, j)
            for i, track in enumerate(self.tracks)
            for j, box in enumerate(boxes)
        ]
        owner: dict[int, Track] = {}
        taken: set[int] = set()
        for score, i, j in sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2])):
            if score <= 0:
                break
            if i not in taken and j not in owner:
                taken.add(i)
                owner[j] = self.tracks[i]
        for j, box in enumerate(boxes):
            if j in owner:
                owner[j].take(box, at)
            elif len(self.tracks) < MOST_TRACKS:
                owner[j] = Track(self._next, box, at, at)
                self._next += 1
                self.tracks.append(owner[j])
        return [owner[j] for j in sorted(owner)]
