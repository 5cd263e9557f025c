"""Automations against Home Assistant in the same run: ``python -m tests.bench automation_peer --peer PYTHON``.

``PYTHON`` is the interpreter of an environment with ``homeassistant==2024.3.3`` (``python3.11 -m venv peer &&
peer/bin/pip install homeassistant==2024.3.3``). Both sides read the same YAML; figures are CPU of the loop's thread.
The hub's journal is in memory here, as Home Assistant's bus is; ``tests.bench automation`` has the journaled figures.
Events come one at a time, each waited for to its end, and ``in bursts`` of 100, as under load, on both sides.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from hub.automation import Source
from hub.core.event import Draft
from hub.serve import quiet_collector
from tests.automation.zone import OFFICER, Zone
from tests.bench.automation import plate_rules, report, state_rules

PEER = Path(__file__).parent / "peer" / "home_assistant.py"
SIZES = (10, 100, 1_000, 10_000)
RUNS = {10: 2_000, 100: 1_000, 1_000: 200, 10_000: 100}
PLATES = 10_000
BURST = 100
TEMPLATES = {
    "expression": "{{ is_state('light.a', 'on') and trigger.n > 3 }}",
    "arithmetic": "{{ (trigger.n | float(0) * 2) | round(1) }}",
    "loop": "{% for s in states.light %}{{ s.entity_id }}{% endfor %}{% for i in range(20) %}{{ i }}{% endfor %}",
}


def idiom() -> str:
    """Its strongest way: one automation, a list of plates in a condition."""
    plates = ", ".join(f"'A{n}'" for n in range(PLATES))
    return (
        "- id: all\n  mode: parallel\n  max: 1000\n  trigger_variables: {}\n"
        f"  variables: {{plates: [{plates}]}}\n"
        "  triggers: {platform: event, event_type: plate_read}\n"
        "  conditions: [\"{{ trigger.event.data.plate in plates }}\"]\n"
        "  actions: {service: light.turn_on, target: {entity_id: light.a}}\n"
    ).replace("triggers:", "trigger:").replace("conditions:", "condition:").replace("actions:", "action:")


def old_spelling(text: str) -> str:
    """The spelling that Home Assistant 2024.3 reads; the hub reads both."""
    for new, old in (("triggers: {trigger:", "trigger: {platform:"), ("conditions:", "condition:"),
                     ("actions: {action:", "action: {service:")):  # fmt: skip
        text = text.replace(new, old)
    return text


def job() -> dict[str, Any]:
    state = old_spelling(state_rules(1_000)).replace("trigger: {trigger:", "trigger: {platform:")
    events: dict[str, Any] = {}
    states: dict[str, Any] = {}
    for burst, how in ((1, ""), (BURST, ", in bursts")):
        for n in SIZES:
            text = old_spelling(plate_rules(n))
            events[f"none of {n}{how}"] = {"text": text, "plates": ["miss"], "runs": RUNS[n], "burst": burst}
        for name, plate in (("miss", "miss"), ("hit", "A77")):
            events[f"idiom {name}{how}"] = {"text": idiom(), "plates": [plate], "runs": 300, "burst": burst}
        states[f"state runs{how}"] = {"text": state, "runs": 4_000, "burst": burst}
    return {"events": events, "states": states, "templates": TEMPLATES, "renders": 5_000, "load": state}


def theirs(python: str, what: dict[str, Any]) -> dict[str, float]:
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(what, file)
        file.flush()
        said = subprocess.run([python, str(PEER), file.name], capture_output=True, text=True, check=False)
    if said.returncode:
        raise SystemExit(f"the peer did not run: {said.stderr[-2000:]}")
    rows = [json.loads(line) for line in said.stdout.splitlines() if line.startswith("{")]
    return {row["name"]: row["value"] for row in rows}


async def _quiet(zone: Zone) -> None:
    """Until the event is committed, its action was done and its outcome is committed too."""
    await zone.pipeline.settled()
    while zone.actions._tasks or zone.pipeline._open:
        await asyncio.sleep(0)
        await zone.pipeline.settled()


async def _plates(text: str, plates: list[str], runs: int, burst: int) -> tuple[float, int]:
    zone = await Zone().start(text)
    quiet_collector()  # as the hub does when it has started
    spent = 0.0
    for first in range(0, runs, burst):
        begun = time.thread_time()
        for n in range(first, min(first + burst, runs)):
            data = {"plate": plates[n % len(plates)], "province": "", "confidence": 1.0}
            zone.pipeline.emit(Draft("plate_read", data, "instance:cam", "camera.x"))
        await _quiet(zone)
        spent += time.thread_time() - begun
    await zone.idle()
    return spent / runs * 1e6, len(zone.calls)


async def _states(text: str, runs: int, burst: int) -> tuple[float, int]:
    zone = await Zone().start()
    zone.set("light.b", "on")
    for n in range(1_000):
        zone.add(f"sensor.s{n}")
        zone.set(f"sensor.s{n}", "off")
    zone.engine.publish(text, OFFICER)
    await zone.idle()
    quiet_collector()
    begun = time.thread_time()
    for n in range(runs):
        turn, which = divmod(n, 1_000)
        zone.set(f"sensor.s{which}", "on" if turn % 2 == 0 else "off")
        if (n + 1) % burst == 0:
            await _quiet(zone)
    return len(zone.calls) / (time.thread_time() - begun), len(zone.calls)


async def ours(what: dict[str, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, part in what["events"].items():
        runs = max(part["runs"], 1_000)
        found[name], found[f"{name} actions"] = await _plates(part["text"], part["plates"], runs, part["burst"])
    for name, part in what["states"].items():
        found[name], found[f"{name} actions"] = await _states(part["text"], part["runs"], part["burst"])
    zone = await Zone().start()
    zone.set("light.a", "on")
    for name, source in what["templates"].items():
        made = zone.engine._templates.compile(source)
        begun = time.thread_time()
        for _ in range(what["renders"]):
            made.render({"trigger": {"n": 4}})
        found[f"template {name}"] = (time.thread_time() - begun) / what["renders"] * 1e6
    for name in ("load", "load again"):
        begun = time.thread_time()
        zone.engine.load([Source(what["load"], "a.yaml", OFFICER)])
        found[name] = (time.thread_time() - begun) * 1e3
    return found


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench automation_peer", description=__doc__)
    parser.add_argument("--peer", metavar="PYTHON", help="the Python of an environment with Home Assistant")
    python = parser.parse_args(argv).peer
    if python is None:
        sys.stderr.write("skipped: --peer names no Python with homeassistant==2024.3.3\n")
        return 0
    what = job()
    peer = theirs(python, what)
    hub = asyncio.run(ours(what))
    peer["load again"] = peer["load"]  # it has no other way
    for name in (name for name in peer if not name.endswith(" actions")):
        runs = name.startswith("state runs")
        unit = "1/s" if runs else "ms" if name.startswith("load") else "us"
        report(f"{name}: hub", hub[name], unit)
        report(f"{name}: Home Assistant 2024.3.3", peer[name], unit)
        ratio = hub[name] / peer[name] if runs else peer[name] / hub[name]
        report(f"{name}: ratio", ratio, "x")
    report("cost at 10000 over cost at 10: hub", hub["none of 10000"] / hub["none of 10"], "x")
    return 0
