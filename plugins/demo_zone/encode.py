"""The scene as H.264, encoded once: each picture becomes one access unit that is kept and sent again every round."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
from PIL import Image

from .scene import FPS, FRAMES, HEIGHT, WIDTH, Scene

GROUP = FPS
"""Pictures from one key picture to the next: whoever joins waits at most a second."""
MAX_BYTES = 64 << 20
_OPTIONS = {
    "preset": "veryfast", "tune": "zerolatency", "crf": "20", "profile": "main", "threads": "1",
    "x264-params": f"keyint={GROUP}:min-keyint={GROUP}:scenecut=0",
}  # fmt: skip
SEQUENCE_SET, PICTURE_SET = 7, 8


def units(stream: bytes) -> list[bytes]:
    """NAL units of an Annex B byte stream (ITU-T H.264, annex B), without start codes and trailing zeros."""
    found, start = [], stream.find(b"\0\0\1")
    while start >= 0:
        end = stream.find(b"\0\0\1", start + 3)
        unit = stream[start + 3 : end if end >= 0 else len(stream)].rstrip(b"\0")
        if unit:
            found.append(unit)
        start = end
    return found


def kind(unit: bytes) -> int:
    """nal_unit_type."""
    return unit[0] & 0x1F


class EncodedRound:
    """The round's access units, filled by a thread that is well ahead of the time of showing.

    ``headers``: sequence and picture parameter set. ``fault`` holds words when encoding failed.
    """

    def __init__(self, scene: Scene) -> None:
        self.headers: tuple[bytes, bytes] = (b"", b"")
        self.fault = ""
        self._pictures: list[list[bytes]] = []
        self._ready = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._fill, args=(scene,), name="encode", daemon=True)
        self._thread.start()

    def __len__(self) -> int:
        return len(self._pictures)

    def picture(self, index: int) -> list[bytes] | None:
        """Units of picture ``index`` of the round, ``None`` when it is not encoded yet."""
        return self._pictures[index] if index < len(self._pictures) else None

    def wait(self, count: int, limit_s: float) -> bool:
        """Wait until ``count`` pictures are there; ``False`` when they are not in time."""
        with self._ready:
            self._ready.wait_for(lambda: len(self._pictures) >= count or bool(self.fault), limit_s)
        return len(self._pictures) >= count

    def stop(self) -> None:
        """End the thread."""
        self._stopped = True
        self._thread.join(5)

    def _fill(self, scene: Scene) -> None:
        try:
            size = 0
            for picture in self._encoded(scene):
                size += sum(map(len, picture))
                if size > MAX_BYTES:
                    raise ValueError(f"the round is over {MAX_BYTES >> 20} MB")
                with self._ready:
                    self._pictures.append(picture)
                    self._ready.notify_all()
        except Exception as fault:  # the thread's end must be told to whoever waits for it
            with self._ready:
                self.fault = f"the scene cannot be encoded: {fault}"
                self._ready.notify_all()

    def _encoded(self, scene: Scene) -> Iterator[list[bytes]]:
        codec = av.CodecContext.create("libx264", "w")
        if not isinstance(codec, av.VideoCodecContext):
            raise TypeError("libx264 is no video encoder here")
        codec.width, codec.height, codec.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        codec.framerate, codec.time_base = Fraction(FPS), Fraction(1, FPS)
        codec.options = dict(_OPTIONS)
        codec.open()
        last: tuple[Image.Image, av.VideoFrame] | None = None
        for index in range(FRAMES):
            if self._stopped:
                return
            image = scene.frame(index)
            if last is None or image is not last[0]:  # most pictures of the round show no car
                last = image, av.VideoFrame.from_ndarray(np.asarray(image), format="rgb24").reformat(format="yuv420p")
            last[1].pts, last[1].time_base = index, codec.time_base
            for packet in codec.encode(last[1]):
                yield self._access_unit(bytes(packet))

    def _access_unit(self, stream: bytes) -> list[bytes]:
        found = units(stream)
        headers = {kind(unit): unit for unit in found if kind(unit) in (SEQUENCE_SET, PICTURE_SET)}
        if len(headers) == 2:  # before every key picture, so that whoever joins has them
            self.headers = headers[SEQUENCE_SET], headers[PICTURE_SET]
        return found
