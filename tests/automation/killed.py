"""A process to be killed: ``python -m tests.automation.killed FOLDER SEED KILL``. It goes on with the rules of
``test_kill_points`` over the journal in the folder, from the moment in the file ``now``, and kills itself with SIGKILL
before or after one of its next commits, if it comes to that. What devices hear stands in ``heard``."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, TextIO

from tests.automation.test_kill_points import PLATES, RULES, opened
from tests.automation.zone import Zone

STEPS = 400  # of one second: longer than all waits of the rules together


class Heard(list[Any]):
    """What devices are asked, on paper before they do it."""

    def __init__(self, paper: TextIO) -> None:
        super().__init__()
        self._paper = paper

    def append(self, call: Any) -> None:
        self._paper.write(f"{call[2]['note']}\n")


class Doomed:
    """The journal's ``commit``, with the end of the process before or after the one of that number."""

    def __init__(self, commit: Any, last: int, *, after: bool) -> None:
        self._commit, self._left, self._after = commit, last, after

    def __call__(self, events: Any, records: Any) -> None:
        self._left -= 1
        if self._left == 0 and not self._after:
            os.kill(os.getpid(), signal.SIGKILL)
        self._commit(events, records)
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


async def main(folder: Path, seed: int, kill: int) -> None:
    random = Random(seed * 1000 + kill)
    zone = Zone(opener=partial(opened, folder), now=float((folder / "now").read_text()), seed=seed * 1000 + kill)
    doomed = Doomed(zone.journal.commit, random.randint(1, 8), after=random.random() < 0.5)
    zone.journal.commit = doomed  # type: ignore[method-assign]
    with (folder / "heard").open("a", encoding="utf-8", buffering=1) as heard:
        zone.calls = Heard(heard)
        await zone.start(RULES)
        for plate in PLATES:
            if not any(event.data["plate"] == plate for event in zone.events("plate_read")):
                zone.plate(plate)
                await zone.after(3)  # so that each has commits of its own
        if not zone.events("state_changed"):
            zone.set("sensor.t", "bright")
            await zone.pipeline.settled()
        for _ in range(STEPS):
            await zone.after(1)
            (folder / "now").write_text(str(zone.clock.now()))
    asked = [(event.data["key"], event.data["params"]["note"]) for event in zone.events("action_requested")]
    for key, note in asked:
        print(f"{note}\t{key}")
    assert zone.runs() == [], zone.runs()
    zone.journal.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
