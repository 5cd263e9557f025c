"""Pictures that follow each other in one HTTP answer of an MJPEG camera: multipart/x-mixed-replace (RFC 2046, 5.1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from hub.core.error import Unavailable

MAX_PART = 16 << 20
MAX_LINE = 4096
MAX_LINES = 64


class Body(Protocol):
    """What ``http.client.HTTPResponse`` has."""

    def readline(self, limit: int = -1, /) -> bytes:
        """To the end of the line, at most ``limit`` bytes."""

    def read(self, size: int, /) -> bytes:
        """So many bytes, fewer at the end."""


def parts(body: Body, boundary: str) -> Iterator[bytes]:
    """The pictures; ends where the answer ends. ``Unavailable`` for what is no such answer, or over 16 MB."""
    mark = b"--" + boundary.strip('"').removeprefix("--").encode("ascii", "replace")
    if not boundary:
        raise Unavailable("the camera's MJPEG answer names no boundary")
    while _to_boundary(body, mark):
        size = _length(body)
        data = body.read(size) if size else _until(body, mark)
        if not data or len(data) < size:
            return
        yield data


def _to_boundary(body: Body, mark: bytes) -> bool:
    for _ in range(MAX_LINES):
        line = body.readline(MAX_LINE)
        if line.rstrip() == mark:
            return True
        if not line or line.rstrip() == mark + b"--":
            return False
    raise Unavailable("the camera's MJPEG answer does not keep to its boundary")


def _length(body: Body) -> int:
    """``Content-Length`` of the part's headers; 0 when it does not say."""
    size = 0
    for _ in range(MAX_LINES):
        line = body.readline(MAX_LINE)
        if not line.strip():
            return size
        name, _, value = line.decode("latin-1").partition(":")
        if name.strip().lower() == "content-length":
            if not value.strip().isdecimal() or int(value) > MAX_PART:
                raise Unavailable(f"a picture of the MJPEG stream is over {MAX_PART >> 20} MB, or its size no number")
            size = int(value)
    raise Unavailable("a picture of the MJPEG stream has endless headers")


def _until(body: Body, mark: bytes) -> bytes:
    """A picture without a length: to the end of a JPEG before the boundary. Its boundary is read again as a line."""
    lines, size = [], 0
    while line := body.readline(1 << 16):
        lines.append(line)
        size += len(line)
        if size > MAX_PART:
            raise Unavailable(f"a picture of the MJPEG stream is over {MAX_PART >> 20} MB")
        if line.endswith((b"\xff\xd9\r\n", b"\xff\xd9\n")):
            return b"".join(lines).rstrip(b"\r\n")
    return b""
