"""The recorder's side of ``tests.bench recorder_peer``: run by the Python of an environment that has Home Assistant.

``python home_assistant_recorder.py EVENTS FOLDER``: fires so many events and waits until all are committed, each in a
transaction of its own (``commit_interval: 0``: its only setting with which nothing is lost in a power cut), and again
with its default of one commit in 5 seconds, which loses what came since. Imports nothing of the hub.
"""
# mypy: ignore-errors

import asyncio
import json
import logging
import sqlite3
import sys
import time
from pathlib import Path

logging.disable(logging.CRITICAL)

from homeassistant import bootstrap, config_entries, loader  # noqa: E402
from homeassistant.components.recorder import get_instance  # noqa: E402
from homeassistant.components.recorder.const import DOMAIN  # noqa: E402
from homeassistant.core import HomeAssistant  # noqa: E402
from homeassistant.helpers import recorder as recorder_helper  # noqa: E402
from homeassistant.setup import async_setup_component  # noqa: E402


async def measure(folder, events, interval):
    folder.mkdir()
    hass = HomeAssistant(str(folder))
    hass.config.skip_pip = True
    loader.async_setup(hass)
    hass.config_entries = config_entries.ConfigEntries(hass, {})
    await bootstrap.async_load_base_functionality(hass)
    recorder_helper.async_initialize_recorder(hass)
    database = folder / "peer.db"
    settings = {"db_url": f"sqlite:///{database}", "commit_interval": interval, "auto_purge": False}
    assert await async_setup_component(hass, DOMAIN, {DOMAIN: settings})
    await hass.async_start()
    recorder = get_instance(hass)
    await recorder.async_recorder_ready.wait()
    await recorder.async_block_till_done()
    begun, cpu = time.monotonic(), time.process_time()
    for n in range(events):
        hass.bus.async_fire("plate_read", {"plate": "1กข1234", "n": n, "province": "", "confidence": 1.0})
        if n % 500 == 499:  # its queue holds 30,000 at most
            await recorder.async_block_till_done()
    await recorder.async_block_till_done()
    took, spent = time.monotonic() - begun, time.process_time() - cpu
    await hass.async_stop(force=True)
    with sqlite3.connect(database) as kept:
        kind = "select event_type_id from event_types where event_type = 'plate_read'"
        query = f"select count(*) from events where event_type_id = ({kind})"
        (rows,) = kept.execute(query).fetchone()
    assert rows == events, f"{rows} of {events} were kept"
    return events / took, spent / events * 1e6


async def main(events, folder):
    for name, interval in (("nothing may be lost", 0), ("its default, 5 s may be lost", 5)):
        rate, cpu = await measure(folder / str(interval), events, interval)
        for what, value, unit in (("events", rate, "1/s"), ("CPU each", cpu, "us")):
            print(json.dumps({"name": f"{what}, {name}", "value": value, "unit": unit}), flush=True)


asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
