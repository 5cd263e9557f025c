"""Places in a picture: polygons and lines in fractions of it, what crosses or stays there, and how large a metre is."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass, field

Point = tuple[float, float]
"""x and y, from the upper left corner; fractions of the picture's width and height."""
Polygon = tuple[Point, ...]
FORGET_S = 2.0
"""Who was not seen in an area for so long begins anew."""
EDGE = 0.01
"""So near to a line, in fractions of the picture, is on it: the foot of who stands there sways from side to side."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How many metres the whole height of the picture would be, at one or two rows: (row as a fraction, metres).

    The operator measures it on the ground. Between two rows it goes in a straight line, beyond them it stays.
    """

    rows: tuple[Point, ...]

    def metres_at(self, row: float) -> float:
        """Metres that the picture's height would be for things that stand at ``row``."""
        (low, first), (high, last) = min(self.rows), max(self.rows)
        if high == low:
            return first
        share = min(max((row - low) / (high - low), 0.0), 1.0)
        return first + share * (last - first)


def inside(point: Point, polygon: Polygon) -> bool:
    """Whether a point lies in a polygon, by the even-odd rule."""
    x, y = point
    result = False
    for (x0, y0), (x1, y1) in itertools.pairwise((*polygon, polygon[0])):
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) * (x1 - x0) / (y1 - y0):
            result = not result
    return result


def side(point: Point, start: Point, end: Point) -> float:
    """Over 0 right of the way from ``start`` to ``end`` as it is seen in the picture, under 0 left, 0 on it."""
    return (end[0] - start[0]) * (point[1] - start[1]) - (end[1] - start[1]) * (point[0] - start[0])


def crossing(before: Point, after: Point, start: Point, end: Point) -> str:
    """``right`` or ``left``: to which side of the line from ``start`` to ``end`` a step went over it; "" when not.

    A step that ends on the line has not crossed it yet; the next one tells.
    """
    was, now = side(before, start, end), side(after, start, end)
    if now == 0 or was * now > 0 or (was == 0 and before == after):
        return ""
    if side(start, before, after) * side(end, before, after) > 0:
        return ""  # beyond the line's ends
    return "" if was == 0 else "right" if now > 0 else "left"


@dataclass(slots=True)
class LineCounter:
    """Crossings of one line by tracked points, each counted at the step that crosses it.

    ``places`` holds each track's last place off the line, so that standing on it loses nothing.
    """

    start: Point
    end: Point
    places: dict[int, Point] = field(default_factory=dict)

    def step(self, places: dict[int, Point]) -> list[tuple[int, str]]:
        """Take all places of this picture by track; returns who crossed, and to which side. Others are forgotten."""
        crossed = []
        kept: dict[int, Point] = {}
        for track, place in places.items():
            before = self.places.get(track)
            on_line = abs(side(place, self.start, self.end)) <= EDGE * math.dist(self.start, self.end)
            way = crossing(before, place, self.start, self.end) if before is not None and not on_line else ""
            if way:
                crossed.append((track, way))
            if not on_line:
                kept[track] = place
            elif before is not None:
                kept[track] = before
        self.places = kept
        return crossed


@dataclass(slots=True)
class Loitering:
    """How long each track has been in one area. Times are those of the pictures, in seconds.

    A track that leaves for less than ``forget_s``, or is not seen for as long, goes on; the gap counts only if it was
    not seen elsewhere. When the clock is set back all begin anew.
    """

    polygon: Polygon
    after_s: float
    forget_s: float = FORGET_S
    _spent: dict[int, float] = field(default_factory=dict)
    _seen: dict[int, float] = field(default_factory=dict)
    _out: set[int] = field(default_factory=set)
    _told: set[int] = field(default_factory=set)

    def step(self, places: Iterable[tuple[int, Point]], at: float) -> list[int]:
        """Take the places of one picture; returns the tracks whose time has just come to ``after_s``."""
        self._forget(at)
        due = []
        for track, place in places:
            if not inside(place, self.polygon):
                self._out.add(track)
                continue
            gap = at - self._seen.get(track, at)
            self._spent[track] = self._spent.get(track, 0.0) + (0.0 if track in self._out else gap)
            self._out.discard(track)
            self._seen[track] = at
            if self._spent[track] >= self.after_s and track not in self._told:
                self._told.add(track)
                due.append(track)
        return due

    def seconds(self, track: int) -> float:
        """How long a track has been in the area; 0 when it is not known there."""
        return self._spent.get(track, 0.0)

    def _forget(self, at: float) -> None:
        for track in [track for track, seen in self._seen.items() if not 0 <= at - seen <= self.forget_s]:
            del self._seen[track], self._spent[track]
            self._out.discard(track)
            self._told.discard(track)
        self._out &= self._seen.keys()
