"""A process that dies at any point: each deadline fires once, each idempotent action is done, none under two keys.

The journal is a real SQLite file. "Dying" is leaving the pipeline, actions and engine as they are and building new ones
over the same file; what was not committed is lost, as it is when the process is killed. Some of the points are real
processes that are killed before or after a commit (``killed``).
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from random import Random

import pytest

from hub.core.clock import Clock
from hub.core.event import EventTypes
from hub.core.journal import Journal
from hub.store.journal_sqlite import SqliteJournal
from hub.store.keys import KeyRing
from tests.automation.zone import START, Zone

TOP = Path(__file__).parents[2]
POINTS = 500  # ways to die, over all seeds
SEEDS = 25
KILLS = POINTS // SEEDS
RULES = """
- id: chain
  mode: parallel
  max: 100
  triggers: {trigger: event, event_type: plate_read}
  actions:
    - {action: light.turn_on, target: {entity_id: light.a}, data: {note: "begin {{ trigger.event.data.plate }}"}}
    - delay: 60
    - {action: light.turn_on, target: {entity_id: light.a}, data: {note: "delay {{ trigger.event.data.plate }}"}}
    - repeat:
        count: 2
        sequence:
          - delay: 10
          - action: light.turn_on
            target: {entity_id: light.b}
            data: {note: "turn {{ repeat.index }} {{ trigger.event.data.plate }}"}
    - parallel:
        - [{delay: 5}, {action: light.turn_on, target: {entity_id: light.a}, data: {note: "left {{ trigger.event.data.plate }}"}}]
        - [{delay: 7}, {action: light.turn_on, target: {entity_id: light.b}, data: {note: "right {{ trigger.event.data.plate }}"}}]
    - wait_template: "{{ is_state('sensor.t', 'never') }}"
      timeout: 30
    - {action: light.turn_on, target: {entity_id: light.a}, data: {note: "end {{ wait.completed }} {{ trigger.event.data.plate }}"}}
- id: holds
  mode: parallel
  max: 100
  triggers: {trigger: state, entity_id: sensor.t, to: bright, for: 45}
  actions: {action: light.turn_on, target: {entity_id: light.b}, data: {note: "held {{ trigger.for.total_seconds() }}"}}
"""  # noqa: E501 - one line an action reads better
EACH = ("begin", "delay", "turn 1", "turn 2", "left", "right", "end False")
PLATES = [f"กข{n}" for n in range(3)]
WANTED = {f"{word} {plate}" for word in EACH for plate in PLATES} | {"held 45.0"}
LEAST, MOST = 6, 60  # kills of real processes for each seed


def opened(folder: Path, types: EventTypes, clock: Clock) -> Journal:
    return SqliteJournal(folder / "journal.db", types, KeyRing.open(folder / "master.key"), clock)


def _dies(zone: Zone) -> None:
    """As a kill: nothing is told, nothing is finished."""
    for task in list(zone.actions._tasks):
        task.cancel()
    zone.engine._host.clock._due.clear()  # type: ignore[attr-defined]
    zone.journal.close()


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_what_was_begun_is_finished_once_wherever_it_dies(seed: int, tmp_path: Path) -> None:
    random, now = Random(seed), START
    zone = await Zone(opener=partial(opened, tmp_path), now=now, seed=seed).start(RULES)
    done: list[str] = []
    for number, plate in enumerate(PLATES):
        zone.plate(plate)
        if number == 1:
            zone.set("sensor.t", "bright")
        await zone.pipeline.settled()  # acknowledged
    for kill in range(KILLS):
        steps = random.choice((0, 0, 1, 3, 7, 13))
        for _ in range(random.randint(0, 4)):  # somewhere between the loop's turns
            await zone.pipeline.settled()
        if steps:
            zone.clock.advance(steps)
            if random.random() < 0.7:
                await zone.idle()
        now = zone.clock.now() + random.choice((0.0, 0.0, 2.0))
        done += [str(params["note"]) for _, _, params in zone.calls]
        _dies(zone)
        zone = await Zone(opener=partial(opened, tmp_path), now=now, seed=seed * 1000 + kill).start(RULES)
    for _ in range(30):
        await zone.after(10)
    done += [str(params["note"]) for _, _, params in zone.calls]
    asked = Counter((event.data["key"], event.data["params"]["note"]) for event in zone.events("action_requested"))
    assert {note for _, note in asked} == WANTED
    assert set(done) == WANTED  # the devices heard each; again only after a kill, with the same key
    assert max(Counter(note for _, note in asked).values()) == 1  # never under another key
    assert zone.runs() == []
    zone.journal.close()


@pytest.mark.parametrize("seed", range(3))
def test_real_processes_that_are_killed_at_a_commit(seed: int, tmp_path: Path) -> None:
    (tmp_path / "now").write_text(str(START))
    for kill in range(MOST):
        last = _process(tmp_path, seed, kill)
        if last.returncode == 0:
            break
        assert last.returncode == -signal.SIGKILL, last.stderr
    assert kill >= LEAST
    asked = Counter(line.partition("\t")[0] for line in last.stdout.splitlines())
    assert asked == Counter(WANTED)  # each once, so under one key
    assert set((tmp_path / "heard").read_text().splitlines()) == WANTED


def _process(folder: Path, seed: int, kill: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.automation.killed", str(folder), str(seed), str(kill)]
    return subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=False)
