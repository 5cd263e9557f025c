"""What automations cost the loop thread: ``python -m tests.bench automation [--runs N]``.

CPU of the loop's thread (``time.thread_time``) with the journal in memory: so the engine, state, bus, actions and the
making of the commit group, without the disk. Prints JSON lines ``{"name", "value", "unit"}``.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

from hub.serve import quiet_collector
from tests.automation.zone import OFFICER, Zone

SIZES = (10, 1_000, 10_000)
STATE_RULES = 1_000


def plate_rules(count: int) -> str:
    return "\n".join(
        f"- {{id: p{n}, triggers: {{trigger: event, event_type: plate_read, event_data: {{plate: A{n}}}}},"
        " actions: {action: light.turn_on, target: {entity_id: light.a}}}"
        for n in range(count)
    )


def state_rules(count: int) -> str:
    return "\n".join(
        f"- {{id: s{n}, mode: parallel, max: 100, triggers: {{trigger: state, entity_id: sensor.s{n}, to: 'on'}},"
        " conditions: {condition: state, entity_id: light.b, state: 'on'},"
        " actions: {action: light.turn_on, target: {entity_id: light.a}}}"
        for n in range(count)
    )


def report(name: str, value: float, unit: str) -> None:
    print(json.dumps({"name": name, "value": round(value, 3), "unit": unit}), flush=True)


def timed(times: int, call: Callable[[int], Any]) -> list[float]:
    """Microseconds of this thread for each call."""
    spent = []
    for n in range(times):
        begun = time.thread_time_ns()
        call(n)
        spent.append((time.thread_time_ns() - begun) / 1_000)
    return spent


def summary(name: str, spent: list[float]) -> None:
    ordered = sorted(spent)
    report(f"{name} median", statistics.median(ordered), "us")
    report(f"{name} p99", ordered[int(len(ordered) * 0.99)], "us")


async def matching_none(count: int, runs: int) -> float:
    """Median cost of an event that no rule wants."""
    zone = await Zone().start(plate_rules(count))
    event = zone.plate("miss")
    await zone.idle()

    spent: list[float] = []
    whole: list[float] = []
    for first in range(0, runs, 500):  # in groups, as under load; the commits stay outside the measure
        spent += timed(500, lambda _n: zone.pipeline.rules.deliver(event, None))
        whole += timed(500, lambda n, first=first: zone.plate(f"miss{first + n}"))  # type: ignore[misc]
        await zone.idle()
    report(f"event that matches none of {count} rules, bus and engine", statistics.median(spent), "us")
    report(f"event that matches none of {count} rules, whole emit", statistics.median(whole), "us")
    return statistics.median(spent)


async def emit_to_action(runs: int) -> None:
    """From ``emit`` to the action that is owed, traces on; beside it the same events without a rule."""
    zone = await Zone().start(state_rules(STATE_RULES))
    quiet_collector()  # as the hub does when it has started
    zone.set("light.b", "on")
    for n in range(STATE_RULES):
        zone.add(f"sensor.s{n}")
        zone.add(f"sensor.free{n}")
    await zone.idle()
    with_rule: list[float] = []
    without: list[float] = []
    committed: list[float] = []
    for turn in range(max(1, runs // 100)):
        at = turn * 100
        state = "on" if (turn // 10) % 2 == 0 else "off"
        without += timed(100, lambda n, at=at, state=state: zone.set(f"sensor.free{(at + n) % STATE_RULES}", state))  # type: ignore[misc]
        spent = timed(100, lambda n, at=at, state=state: zone.set(f"sensor.s{(at + n) % STATE_RULES}", state))  # type: ignore[misc]
        begun = time.thread_time_ns()
        await zone.idle()
        if state == "on":
            with_rule += spent
            committed.append((time.thread_time_ns() - begun) / 100_000)
    summary("emit to action owed, state trigger and condition, 1000 rules", with_rule)
    summary("emit alone, no rule", without)
    report("commit, device call and outcome for each such run", statistics.median(committed), "us")
    report("actions called", len(zone.calls), "1")


async def templates(runs: int) -> None:
    """Rendering: an expression (closures) and a loop (jinja)."""
    zone = await Zone().start()
    made = zone.engine._templates
    for name, source in (
        ("expression template", "{{ is_state('light.a', 'on') and trigger.n > 3 }}"),
        ("template with a loop", "{% for s in states.light %}{{ s.entity_id }}{% endfor %}"),
    ):
        template = made.compile(source)
        summary(name, timed(runs, lambda _n, template=template: template.render({"trigger": {"n": 4}})))  # type: ignore[misc]


async def loading(count: int) -> None:
    """YAML to armed rules."""
    zone = await Zone().start()
    text = state_rules(count).replace("light.b", "light.a")
    begun = time.thread_time()
    zone.engine.publish(text, OFFICER)
    report(f"load {count} automations from YAML", (time.thread_time() - begun) * 1_000, "ms")


async def measure(runs: int) -> None:
    """All figures."""
    gc.freeze()
    figures = [await matching_none(count, runs) for count in SIZES]
    report(f"cost at {SIZES[-1]} rules over cost at {SIZES[0]}", figures[-1] / figures[0], "1")
    await emit_to_action(runs)
    await templates(runs)
    await loading(1_000)


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench automation", description=__doc__)
    parser.add_argument("--runs", type=int, default=5_000, help="events for each figure")
    asyncio.run(measure(parser.parse_args(argv).runs))
    return 0
