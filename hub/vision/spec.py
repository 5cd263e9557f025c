"""What the hub asks to watch: one source, checked."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from hub.core.error import InvalidInput
from hub.vision.areas import Point, Polygon, Scale, side

STREAMS = ("rtsp", "rtsps")
SNAPSHOTS = ("http", "https")
ANALYSES = ("motion", "plate")
KINDS = {"": STREAMS + SNAPSHOTS, "stream": STREAMS, "snapshot": SNAPSHOTS, "mjpeg": SNAPSHOTS}
MOST_RECORD_S = 60.0
MOST_MASKS = 32
MOST_PLACES = 16  # lines, and areas
MOST_NAME = 60
MAX_URL = 2048
_HINT = "give the camera's own address, such as rtsp://192.0.2.10/stream1"


@dataclass(frozen=True, slots=True)
class Line:
    """A line that who crosses it is told of. Points in fractions of the picture."""

    name: str
    start: Point
    end: Point


@dataclass(frozen=True, slots=True)
class Area:
    """An area; who stays ``after_s`` seconds in it is told of."""

    name: str
    polygon: Polygon
    after_s: float


Place = TypeVar("Place", Line, Area)


@dataclass(frozen=True, slots=True)
class MotionSettings:
    """``sensitivity`` 0 (only strong changes) to 1 (faint ones too); ``min_area_px`` in pixels of the picture.

    Where the operator set a ``scale``, what is smaller than ``min_size_m`` both ways is left out instead.
    ``masks``: polygons in fractions of the picture in which nothing is looked for. ``tamper``: tell when the camera
    does not see what it should.
    """

    sensitivity: float = 0.5
    min_area_px: float | None = None
    min_size_m: float = 0.5
    scale: Scale | None = None
    masks: tuple[Polygon, ...] = ()
    lines: tuple[Line, ...] = ()
    areas: tuple[Area, ...] = ()
    tamper: bool = True


@dataclass(frozen=True, slots=True)
class PlateSettings:
    """``min_interval_s``: seconds in which the same plate is reported once a source."""

    min_interval_s: float = 10.0


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """One source. ``url`` and ``live_url`` hold no credentials; they are in no ``repr`` and no error.

    ``every_s``: seconds between single pictures; ``live_url``: "" when viewers get what is analysed; ``record_s``:
    seconds that are kept for clips.
    """

    key: str
    url: str
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    analyse: frozenset[str] = frozenset()
    motion: MotionSettings = MotionSettings()
    plate: PlateSettings = PlateSettings()
    fps: float = 5.0
    every_s: float = 0.2
    live_url: str = ""
    record_s: float = 0.0

    @property
    def is_stream(self) -> bool:
        """RTSP; otherwise single pictures over HTTP."""
        return urlsplit(self.url).scheme in STREAMS

    @property
    def rate(self) -> float:
        """Pictures a second that are analysed."""
        return self.fps if self.is_stream else min(self.fps, 1.0 / self.every_s)

    @property
    def live(self) -> SourceSpec | None:
        """What is pulled for viewers alone; ``None`` when they get what is analysed."""
        return replace(self, url=self.live_url, live_url="", analyse=frozenset()) if self.live_url else None

    @property
    def full_url(self) -> str:
        """With credentials, for the decoder only. Never print it."""
        if not self.username:
            return self.url
        parts = urlsplit(self.url)
        login = f"{quote(self.username, safe='')}:{quote(self.password, safe='')}@"
        return urlunsplit(parts._replace(netloc=login + parts.netloc))


def parse(args: dict[str, Any]) -> SourceSpec:
    """The ``open`` call's arguments; ``InvalidInput`` names the field that is wrong."""
    url, username, password = _address(_text(args, "url", required=True))
    username = _text(args, "username") or username
    password = _text(args, "password") or password
    if _text(args, "transport") not in ("", "tcp"):
        raise InvalidInput("only tcp is supported", where="transport", hint="leave it out")
    _check_kind(args, url)
    analyse = args.get("analyse") or []
    if not isinstance(analyse, list) or any(item not in ANALYSES for item in analyse):
        raise InvalidInput("must be a list of motion and plate", where="analyse")
    motion, plate = _table(args, "motion"), _table(args, "plate")
    fps = _number(args, "fps", 5.0, 0.1, 30) or 5.0
    return SourceSpec(
        key=_text(args, "key", required=True),
        url=url,
        username=username,
        password=password,
        analyse=frozenset(analyse),
        motion=_motion(motion),
        plate=PlateSettings(_number(plate, "min_interval_s", 10.0, 0, 86_400) or 0.0),
        fps=fps,
        every_s=_number(args, "every_s", 1.0 / fps, 0.03, 3600) or 1.0,
        live_url=_live(args, url, username),
        record_s=_number(args, "record_s", 0.0, 0, MOST_RECORD_S) or 0.0,
    )


def _motion(args: dict[str, Any]) -> MotionSettings:
    scale = _points(args.get("scale"), "scale", 1, 2)
    if any(not 0 <= row <= 1 or metres <= 0 for row, metres in scale):
        raise InvalidInput("must be rows from 0 to 1, each with metres over 0", where="scale")
    return MotionSettings(
        sensitivity=_number(args, "sensitivity", 0.5, 0, 1) or 0.0,
        min_area_px=_number(args, "min_area_px", None, 1, 1e8),
        min_size_m=_number(args, "min_size_m", 0.5, 0, 1000) or 0.0,
        scale=Scale(scale) if scale else None,
        masks=tuple(_places(mask, "masks", 3, 64) for mask in _list(args, "masks", MOST_MASKS)),
        lines=_named(map(_line, _list(args, "lines", MOST_PLACES)), "lines"),
        areas=_named(map(_area, _list(args, "areas", MOST_PLACES)), "areas"),
        tamper=_flag(args, "tamper", True),
    )


def _named(places: Iterable[Place], where: str) -> tuple[Place, ...]:
    """Each has a name of its own: it is all that an event says of a place."""
    found = tuple(places)
    names = [place.name for place in found]
    if twice := [name for name in names if names.count(name) > 1]:
        raise InvalidInput(f"two have the name {twice[0]}", where=where)
    return found


def _name(table: dict[str, Any], where: str) -> str:
    name = _text(table, "name", required=True)
    if len(name) > MOST_NAME:
        raise InvalidInput(f"must have at most {MOST_NAME} characters", where=f"{where}.name")
    return name


def _line(given: Any) -> Line:
    table = _table({"lines": given}, "lines")
    start, end = _places(table.get("points"), "lines", 2, 2)
    if start == end:
        raise InvalidInput("a line needs two different points", where="lines")
    return Line(_name(table, "lines"), start, end)


def _area(given: Any) -> Area:
    table = _table({"areas": given}, "areas")
    after_s = _number(table, "after_s", None, 1, 86_400)
    if after_s is None:
        raise InvalidInput("needs seconds, from 1", where="areas.after_s")
    polygon = _places(table.get("points"), "areas", 3, 64)
    other = max(polygon, key=lambda point: math.dist(polygon[0], point))
    if all(abs(side(point, polygon[0], other)) < 1e-9 for point in polygon):
        raise InvalidInput("its points lie on one line", where="areas")
    return Area(_name(table, "areas"), polygon, after_s)


def _list(args: dict[str, Any], name: str, most: int) -> list[Any]:
    value = args.get(name) or []
    if not isinstance(value, list) or len(value) > most:
        raise InvalidInput(f"must be a list of at most {most}", where=name)
    return value


def _places(value: Any, where: str, least: int, most: int) -> tuple[Point, ...]:
    """Points of the picture."""
    points = _points(value if value is not None else [], where, least, most)
    if any(not 0 <= number <= 1 for point in points for number in point):
        raise InvalidInput("must be fractions of the picture, from 0 to 1", where=where)
    return points


def _points(value: Any, where: str, least: int, most: int) -> tuple[Point, ...]:
    """``least`` to ``most`` pairs of numbers; none when there is no value."""
    if value is None:
        return ()
    pairs: list[Any] = value if isinstance(value, list) and least <= len(value) <= most else [None]
    if any(not isinstance(pair, list) or len(pair) != 2 for pair in pairs):
        raise InvalidInput(f"must be {least} to {most} pairs of numbers", where=where)
    numbers = [[_number({where: number}, where, None, 0, 1e6) for number in pair] for pair in pairs]
    if any(number is None for pair in numbers for number in pair):
        raise InvalidInput("must be numbers", where=where)
    return tuple((pair[0] or 0.0, pair[1] or 0.0) for pair in numbers)


def _check_kind(args: dict[str, Any], url: str) -> None:
    """The kind that was said must be one that the address can be."""
    kind = _text(args, "kind")
    if kind not in KINDS:
        raise InvalidInput("must be stream, snapshot or mjpeg", where="kind", hint="leave it out")
    if urlsplit(url).scheme not in KINDS[kind]:
        allowed = ", ".join(f"{scheme}://" for scheme in KINDS[kind])
        raise InvalidInput(f"{kind} needs an address with {allowed}", where="kind", hint="leave it out")


def _live(args: dict[str, Any], url: str, username: str) -> str:
    """The address for viewers, "" when it is the same."""
    given = _text(args, "live_url")
    if not given:
        return ""
    clean, own_name, _ = _address(given, "live_url")
    if urlsplit(clean).scheme not in STREAMS:
        raise InvalidInput("must be an rtsp:// stream", where="live_url", hint=_HINT)
    if own_name and own_name != username:
        raise InvalidInput("has an account of its own", where="live_url", hint="both addresses take one account")
    return "" if clean == url else clean


def _address(url: str, where: str = "url") -> tuple[str, str, str]:
    """Address without credentials, user name and password. The words of an error never hold the address."""
    if len(url) > MAX_URL or any(ord(c) <= 32 or ord(c) == 127 for c in url):
        raise InvalidInput(f"has spaces, control signs or over {MAX_URL} characters", where=where, hint=_HINT)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise InvalidInput("is not an address", where=where, hint=_HINT) from None
    if parts.scheme not in STREAMS + SNAPSHOTS:
        allowed = ", ".join(f"{scheme}://" for scheme in STREAMS + SNAPSHOTS)
        raise InvalidInput(f"only {allowed} are allowed", where=where, hint=_HINT)
    if not host:
        raise InvalidInput("names no host", where=where, hint=_HINT)
    netloc = f"[{host}]" if ":" in host else host
    netloc += f":{port}" if port is not None else ""
    clean = urlunsplit(parts._replace(netloc=netloc, fragment=""))
    return clean, unquote(parts.username or ""), unquote(parts.password or "")


def _text(args: dict[str, Any], name: str, *, required: bool = False) -> str:
    value = args.get(name)
    if value is None and not required:
        return ""
    if not isinstance(value, str) or (required and not value) or len(value) > MAX_URL * 2:
        raise InvalidInput("must be a text", where=name)
    return value


def _table(args: dict[str, Any], name: str) -> dict[str, Any]:
    value = args.get(name) or {}
    if not isinstance(value, dict):
        raise InvalidInput("must be a table of settings", where=name)
    return value


def _flag(args: dict[str, Any], name: str, default: bool) -> bool:
    value = args.get(name)
    if value is not None and not isinstance(value, bool):
        raise InvalidInput("must be true or false", where=name)
    return default if value is None else value


def _number(args: dict[str, Any], name: str, default: float | None, low: float, high: float) -> float | None:
    value = args.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise InvalidInput(f"must be a number from {low:g} to {high:g}", where=name)
    return float(value)
