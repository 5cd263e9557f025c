"""Home Assistant's side of ``tests.bench.automation_peer``: run by the Python of an environment that has it.

``python home_assistant.py FILE``: reads the same YAML and prints JSON lines. It imports nothing of the hub.
"""
# mypy: ignore-errors

import asyncio
import json
import logging
import sys
import tempfile
import time
from pathlib import Path

logging.disable(logging.CRITICAL)

import yaml  # noqa: E402
from homeassistant import bootstrap, config_entries, loader  # noqa: E402
from homeassistant.core import HomeAssistant, callback  # noqa: E402
from homeassistant.helpers import template  # noqa: E402
from homeassistant.setup import async_setup_component  # noqa: E402


async def started(folder):
    hass = HomeAssistant(folder)
    hass.config.skip_pip = True
    loader.async_setup(hass)
    hass.config_entries = config_entries.ConfigEntries(hass, {})
    await bootstrap.async_load_base_functionality(hass)
    await async_setup_component(hass, "homeassistant", {})
    await hass.async_start()
    return hass


def report(name, value, unit):
    print(json.dumps({"name": name, "value": value, "unit": unit}), flush=True)


async def with_rules(folder, text):
    hass = await started(folder)
    done = []

    @callback
    def turned_on(call):
        done.append(call)

    hass.services.async_register("light", "turn_on", turned_on)
    ok = await async_setup_component(hass, "automation", {"automation": yaml.safe_load(text)})
    assert ok
    await hass.async_block_till_done()
    return hass, done


async def plate_events(folder, text, plates, runs, burst):
    """Microseconds of the loop's thread for each event; waited for after every ``burst`` of them."""
    hass, done = await with_rules(folder, text)
    begun = time.thread_time()
    for n in range(runs):
        hass.bus.async_fire("plate_read", {"plate": plates[n % len(plates)], "province": "", "confidence": 1.0})
        if (n + 1) % burst == 0:
            await hass.async_block_till_done()
    spent = (time.thread_time() - begun) / runs * 1e6
    await hass.async_stop(force=True)
    return spent, len(done)


async def state_runs(folder, text, runs, burst):
    hass, done = await with_rules(folder, text)
    hass.states.async_set("light.b", "on")
    for n in range(1000):
        hass.states.async_set(f"sensor.s{n}", "off")
    await hass.async_block_till_done()
    begun = time.thread_time()
    for n in range(runs):
        turn, which = divmod(n, 1000)
        hass.states.async_set(f"sensor.s{which}", "on" if turn % 2 == 0 else "off")
        if (n + 1) % burst == 0:
            await hass.async_block_till_done()
    spent = time.thread_time() - begun
    await hass.async_stop(force=True)
    return len(done) / spent, len(done)


async def templates(folder, sources, runs):
    hass = await started(folder)
    hass.states.async_set("light.a", "on")
    found = {}
    for name, source in sources.items():
        made = template.Template(source, hass)
        begun = time.thread_time()
        for _ in range(runs):
            made.async_render({"trigger": {"n": 4}}, parse_result=True)
        found[name] = (time.thread_time() - begun) / runs * 1e6
    await hass.async_stop(force=True)
    return found


async def loading(folder, text):
    hass = await started(folder)
    begun = time.thread_time()
    await async_setup_component(hass, "automation", {"automation": yaml.load(text, yaml.CSafeLoader)})
    await hass.async_block_till_done()
    spent = time.thread_time() - begun
    await hass.async_stop(force=True)
    return spent * 1000


async def main(job):
    with tempfile.TemporaryDirectory() as folder:
        for name, part in job["events"].items():
            spent, done = await plate_events(folder, part["text"], part["plates"], part["runs"], part["burst"])
            report(f"{name}", spent, "us")
            report(f"{name} actions", done, "1")
        for name, part in job["states"].items():
            speed, done = await state_runs(folder, part["text"], part["runs"], part["burst"])
            report(name, speed, "1/s")
            report(f"{name} actions", done, "1")
        for name, spent in (await templates(folder, job["templates"], job["renders"])).items():
            report(f"template {name}", spent, "us")
        report("load", await loading(folder, job["load"]), "ms")


asyncio.run(main(json.loads(Path(sys.argv[1]).read_text())))
