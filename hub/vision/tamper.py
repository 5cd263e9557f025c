"""Whether a camera still sees what it should: the kernel's word for each picture, told when it lasts."""

from __future__ import annotations

LASTS_S = 2.0
"""For so long a camera is covered, out of focus or dark, or sees again, before it is told: a truck passes, a lamp
blinks, an automatic focus looks for its place."""


class TamperWatch:
    """``ok``, ``moved`` (told at once: what is seen then is the new usual), ``covered``, ``defocused`` or ``dark``.

    What it is at the beginning is told too: who asks may still believe what a process said that is no more.
    """

    def __init__(self) -> None:
        self._now = self._told = ""
        self._since = 0.0

    def look(self, scene: str, at: float) -> str | None:
        """Take one picture's word; what is to be told now, at the time ``at`` in seconds."""
        if scene != self._now:
            self._now, self._since = scene, at
        self._since = min(self._since, at)  # the clock may be set back
        lasts = scene == "moved" or at - self._since >= LASTS_S
        if scene == self._told or not lasts:
            return None
        self._told = scene
        return scene
