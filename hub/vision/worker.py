"""One supervised thread a source: it connects, decodes, hands pictures to the analysis, and tries again for ever."""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hub.core.error import HubError, Unavailable
from hub.vision.relay import Relay
from hub.vision.spec import SourceSpec

if TYPE_CHECKING:  # importing these loads PyAV, Pillow and the kernels
    from hub.vision.analysis import Analysis, Emit
    from hub.vision.picture import Picture

BACK_OFF_S = (0.2, 2.0)
"""First and longest wait before connecting again; doubled each time."""
_STEADY_S = 2.0
_FPS_PICTURES = 50


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A picture as JPEG. ``at`` is epoch seconds."""

    data: bytes
    at: float
    width: int
    height: int


class SourceWorker:
    """Pulls one source until ``stop``. ``emit(name, data, blob)`` is called from several threads."""

    def __init__(self, spec: SourceSpec, emit: Emit, pool: Executor) -> None:
        self.spec = spec
        self._sink, self._pool = emit, pool
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._state, self._reason = "connecting", ""
        self._analysis: Analysis | None = None
        self._load_note = ""
        self._last: tuple[Picture, float] | None = None
        self._times: deque[float] = deque(maxlen=_FPS_PICTURES)
        self._frames, self._cpu_s = 0, 0.0
        self.relay = Relay(spec.record_s, lambda data, blob: self._emit("live", {"key": spec.key, **data}, blob))
        self._side = SidePull(spec.live, self.relay, self._stop) if spec.live is not None else None
        self._due = 0.0
        self._thread = threading.Thread(target=self._run, name=f"source {spec.key}", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        if self.spec.analyse:
            self._pool.submit(self._load)
        self._emit("camera", {"key": self.spec.key, "state": self._state, "reason": ""})
        self._thread.start()
        if self._side is not None:
            self._side.start()

    def stop(self) -> None:
        """End; returns at once. Nothing is emitted afterwards; the thread leaves its socket within its time limits."""
        self._stop.set()
        self.relay.wanted.set()  # who waits for a viewer waits no more

    def snapshot(self) -> Snapshot:
        """The newest picture as JPEG; ``Unavailable`` when there is none yet."""
        last = self._last
        if last is None:
            raise Unavailable(f"no picture yet: {self._reason or self._state}", where=self.spec.key)
        from hub.vision.picture import jpeg

        picture, at = last
        return Snapshot(jpeg(picture), at, picture.width, picture.height)

    def status(self) -> dict[str, Any]:
        """State, figures and times for the hub."""
        last, times = self._last, list(self._times)
        span = times[-1] - times[0] if len(times) > 1 else 0.0
        running = self._state == "running"
        analysis = self._analysis
        return {
            "state": self._state,
            "reason": self._reason,
            "fps": round((len(times) - 1) / span, 2) if running and span > 0 else 0.0,
            "width": last[0].width if last else 0,
            "height": last[0].height if last else 0,
            "last_frame_at": last[1] if last else None,
            "frames": self._frames,
            "ring_mb": round(self.relay.size / 1e6, 2),
            "cpu_s": round(self._cpu_s + (analysis.cpu_s if analysis else 0.0), 3),
        }

    def _load(self) -> None:
        """Load the kernels (seconds, the first time on a machine) while the stream already runs."""
        try:
            from hub.vision.analysis import Analysis

            self._analysis = Analysis(self.spec, self._emit, self._pool)
        except Exception as fault:  # a broken installation must be seen on the camera, not only in a log
            self._load_note = f"analysis is off: {type(fault).__name__}: {fault}"

    def _run(self) -> None:
        wait = BACK_OFF_S[0]
        while not self._stop.is_set():
            began = time.monotonic()
            reason = self._pull()
            if self._stop.is_set():
                return
            self._became("retrying", reason)
            if self._side is None:
                self.relay.ended(reason)
            self._times.clear()
            if self._analysis is not None:
                self._analysis.idle(time.time())
            if time.monotonic() - began >= _STEADY_S and self._frames:
                wait = BACK_OFF_S[0]
            self._stop.wait(wait)
            wait = min(wait * 2, BACK_OFF_S[1])

    def _pull(self) -> str:
        """One connection from its beginning to its end; returns why it ended."""
        try:
            from hub.vision import pull

            for picture in pull.pictures(self.spec, self._stop, self.relay):
                if self._stop.is_set():
                    break
                self._took(picture)
        except HubError as ended:
            return ended.message
        except Exception as fault:  # whatever it is, the source is tried again and the class is shown
            return f"the stream failed: {type(fault).__name__}"
        return "closed"

    def _took(self, picture: Picture) -> None:
        now, tick = time.time(), time.monotonic()
        self._last = (picture, now)
        self._times.append(tick)
        self._frames += 1
        analysis = self._analysis
        if analysis is not None and tick >= self._due:
            self._due = max(self._due + 1.0 / self.spec.fps, tick - 1.0 / self.spec.fps)
            analysis.take(picture, now)
        self._became("running", analysis.note if analysis else self._load_note)
        self._cpu_s = time.thread_time()

    def _became(self, state: str, reason: str) -> None:
        if (state, reason) == (self._state, self._reason):
            return
        self._state, self._reason = state, reason
        self._emit("camera", {"key": self.spec.key, "state": state, "reason": reason})

    def _emit(self, name: str, data: dict[str, Any], blob: bytes = b"") -> None:
        with self._lock:
            if not self._stop.is_set():
                self._sink(name, data, blob)


class SidePull:
    """The stream for viewers, where it is another than the one that is analysed: pulled while somebody wants it."""

    def __init__(self, spec: SourceSpec, relay: Relay, stop: threading.Event) -> None:
        self._spec, self._relay, self._stop = spec, relay, stop
        self._thread = threading.Thread(target=self._run, name=f"live {spec.key}", daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def _unwanted(self) -> bool:
        return self._stop.is_set() or not self._relay.wanted.is_set()

    def _run(self) -> None:
        from hub.vision import pull

        wait = BACK_OFF_S[0]
        while not self._stop.is_set():
            self._relay.wanted.wait()
            began, reason = time.monotonic(), ""
            try:
                pull.follow(self._spec, self._unwanted, self._relay)
            except HubError as ended:
                reason = ended.message
            except Exception as fault:  # as in SourceWorker._pull
                reason = f"the stream failed: {type(fault).__name__}"
            if self._unwanted():
                self._relay.ended("")
                wait = BACK_OFF_S[0]
                continue
            self._relay.ended(reason or "the camera ended the stream")
            wait = BACK_OFF_S[0] if time.monotonic() - began >= _STEADY_S + pull.OPEN_S else wait
            self._stop.wait(wait)
            wait = min(wait * 2, BACK_OFF_S[1])
