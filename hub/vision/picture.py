"""Decoded pictures: their luma without a colour conversion, and JPEG on demand."""

from __future__ import annotations

import io
import warnings
from typing import Protocol

import numpy as np
from av import VideoFrame
from av.video.reformatter import ColorRange
from numpy.typing import NDArray
from PIL import Image

from hub.core.error import InvalidInput

MAX_PIXELS = 40_000_000
_PLANAR_LUMA = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "nv21", "gray")
Box = tuple[int, int, int, int]
"""Left, top, right, bottom in whole pixels; right and bottom are past it."""


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes."""
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0.0
    shared = wide * high
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


class Picture(Protocol):
    """One picture. Immutable; usable from any thread."""

    @property
    def width(self) -> int:
        """Pixels."""
        ...

    @property
    def height(self) -> int:
        """Pixels."""
        ...

    @property
    def black(self) -> int:
        """The luma where no light is: video mostly has 16, files 0."""
        ...

    def luma(self) -> NDArray[np.uint8]:
        """uint8 (height, width); may be a view with strides that lives as long as the picture."""
        ...

    def image(self) -> Image.Image:
        """In colour."""
        ...


class StreamPicture:
    """A frame of a stream."""

    def __init__(self, frame: VideoFrame) -> None:
        self._frame = frame
        self.width, self.height = frame.width, frame.height
        # H.264 and H.265 mean the limited range where they say nothing (ITU-T H.264, E.2.1)
        full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
        self.black = 16 if frame.format.name in _PLANAR_LUMA and frame.format.name != "gray" and not full else 0

    def luma(self) -> NDArray[np.uint8]:
        """See ``Picture``. The decoder's own luma plane, where it has one of 8 bits."""
        if self._frame.format.name not in _PLANAR_LUMA:
            return np.asarray(self._frame.to_ndarray(format="gray"), np.uint8)
        plane = self._frame.planes[0]
        rows = np.frombuffer(plane, np.uint8)[: plane.line_size * self.height]  # type: ignore[call-overload]
        view: NDArray[np.uint8] = rows.reshape(self.height, plane.line_size)[:, : self.width]
        return view

    def image(self) -> Image.Image:
        """See ``Picture``."""
        image: Image.Image = self._frame.to_image()  # type: ignore[no-untyped-call]
        return image


class StillPicture:
    """A picture from a JPEG or PNG file."""

    def __init__(self, data: bytes) -> None:
        """``InvalidInput`` when ``data`` is no JPEG or PNG picture, is broken, or has over ``MAX_PIXELS``."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)
                opened = Image.open(io.BytesIO(data), formats=("JPEG", "PNG"))
            if opened.width * opened.height > MAX_PIXELS:
                raise InvalidInput(f"a picture of {opened.width} × {opened.height} is over {MAX_PIXELS} pixels")
            self._image = opened.convert("RGB")
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
            raise InvalidInput("not a whole JPEG or PNG picture") from None
        self.width, self.height = self._image.size
        self.black = 0

    def luma(self) -> NDArray[np.uint8]:
        """See ``Picture``."""
        return np.asarray(self._image.convert("L"), np.uint8)

    def image(self) -> Image.Image:
        """See ``Picture``."""
        return self._image


def jpeg(picture: Picture, box: Box | None = None, *, quality: int = 85) -> bytes:
    """JPEG of the picture, or of ``box`` (left, top, right, bottom in pixels)."""
    image = picture.image()
    if box is not None:
        image = image.crop(box)
    out = io.BytesIO()
    image.convert("RGB").save(out, "JPEG", quality=quality)
    return out.getvalue()
