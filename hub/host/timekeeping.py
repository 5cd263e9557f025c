"""Does something keep the machine's clock right? Times in evidence are worth nothing otherwise."""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Callable
from typing import Final

from hub.core.event import Draft
from hub.core.pipeline import Pipeline
from hub.core.system import ClockChanged

log = logging.getLogger(__name__)

ENTITY: Final = "hub.clock"
PATIENCE_S: Final = 900.0  # a machine that has just started needs some minutes to find its time
_TIME_ERROR: Final = 5  # adjtimex(2): the clock is not synchronised


def kept() -> bool | None:
    """Does the kernel say that a service (chrony, systemd-timesyncd) keeps the clock right? ``None`` when it may not be
    asked: containers forbid it."""
    buffer = ctypes.create_string_buffer(1024)  # struct timex with modes = 0: only ask
    answer = int(ctypes.CDLL(None).adjtimex(buffer))
    return None if answer < 0 else answer != _TIME_ERROR


class Timekeeping:
    """Looks now and then, and says when the answer changed. ``ask`` is ``kept``, or a test's own."""

    def __init__(self, pipeline: Pipeline, ask: Callable[[], bool | None] = kept) -> None:
        self._pipeline, self._ask = pipeline, ask
        self._wrong_since: float | None = None

    def look(self) -> None:
        """Look once; ``adrift`` after a quarter of an hour without a kept clock, ``unknown`` when nobody answers."""
        now, answer = self._pipeline.clock.monotonic(), self._ask()
        if answer is not False:
            self._wrong_since = None
            self._say("unknown" if answer is None else "kept")
            return
        self._wrong_since = now if self._wrong_since is None else self._wrong_since
        if now - self._wrong_since >= PATIENCE_S:
            self._say("adrift")

    def _say(self, state: str) -> None:
        known = self._pipeline.state.get(ENTITY)
        if known is None or known.state != state:
            if state == "unknown":
                log.warning("whether anything keeps the clock right cannot be asked here: no alarm will tell")
            data = ClockChanged(state=state).model_dump(mode="json")
            self._pipeline.emit(Draft(ClockChanged.type.name, data, "hub", ENTITY))
