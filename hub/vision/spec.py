"""What the hub asks to watch: one source, checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from hub.core.error import InvalidInput

STREAMS = ("rtsp", "rtsps")
SNAPSHOTS = ("http", "https")
ANALYSES = ("motion", "plate")
MAX_URL = 2048
_HINT = "give the camera's own address, such as rtsp://192.0.2.10/stream1"


@dataclass(frozen=True, slots=True)
class MotionSettings:
    """``sensitivity`` 0 (only strong changes) to 1 (faint ones too); ``min_area_px`` in pixels of the picture."""

    sensitivity: float = 0.5
    min_area_px: float | None = None


@dataclass(frozen=True, slots=True)
class PlateSettings:
    """``min_interval_s``: seconds in which the same plate is reported once a source."""

    min_interval_s: float = 10.0


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """One source. ``url`` holds no credentials; they are in no ``repr`` and no error."""

    key: str
    url: str
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    analyse: frozenset[str] = frozenset()
    motion: MotionSettings = MotionSettings()
    plate: PlateSettings = PlateSettings()
    fps: float = 5.0

    @property
    def is_stream(self) -> bool:
        """RTSP; otherwise single pictures over HTTP."""
        return urlsplit(self.url).scheme in STREAMS

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
    analyse = args.get("analyse") or []
    if not isinstance(analyse, list) or any(item not in ANALYSES for item in analyse):
        raise InvalidInput("must be a list of motion and plate", where="analyse")
    motion, plate = _table(args, "motion"), _table(args, "plate")
    area = _number(motion, "min_area_px", None, 1, 1e8)
    return SourceSpec(
        key=_text(args, "key", required=True),
        url=url,
        username=username,
        password=password,
        analyse=frozenset(analyse),
        motion=MotionSettings(_number(motion, "sensitivity", 0.5, 0, 1) or 0.0, area),
        plate=PlateSettings(_number(plate, "min_interval_s", 10.0, 0, 86_400) or 0.0),
        fps=_number(args, "fps", 5.0, 0.1, 30) or 5.0,
    )


def _address(url: str) -> tuple[str, str, str]:
    """Address without credentials, user name and password. The words of an error never hold the address."""
    if len(url) > MAX_URL or any(ord(c) <= 32 or ord(c) == 127 for c in url):
        raise InvalidInput(f"has spaces, control signs or over {MAX_URL} characters", where="url", hint=_HINT)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise InvalidInput("is not an address", where="url", hint=_HINT) from None
    if parts.scheme not in STREAMS + SNAPSHOTS:
        allowed = ", ".join(f"{scheme}://" for scheme in STREAMS + SNAPSHOTS)
        raise InvalidInput(f"only {allowed} are allowed", where="url", hint=_HINT)
    if not host:
        raise InvalidInput("names no host", where="url", hint=_HINT)
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


def _number(args: dict[str, Any], name: str, default: float | None, low: float, high: float) -> float | None:
    value = args.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise InvalidInput(f"must be a number from {low:g} to {high:g}", where=name)
    return float(value)
