"""``kill -9`` while people answer: whoever was thanked is counted, once, and spent tokens stay spent."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from random import Random

import aiohttp

from plugins.survey import fake
from tests.scenarios.kit import people
from tests.scenarios.serve import ROOT, Client, Served, session

CONFIG = """\
zone: {name: test, center: [17.0, 99.8]}
web: {host: 127.0.0.1, port: 0}
plugins:
  - plugin: survey
    config: {forms: [!include form.yaml]}
"""


async def answer_until_killed(served: Served, thanked: list[float]) -> None:
    """People answer one after another until the hub is gone."""
    random, url = Random(7), f"{served.url}/hook/survey/f/fear_trust"
    async with session() as web:
        while True:
            try:
                if await fake.answer(web, url, "qr", random, {}) == 200:
                    thanked.append(time.monotonic())
            except (aiohttp.ClientError, OSError):
                return


async def test_who_was_thanked_is_counted_after_a_kill(tmp_path: Path) -> None:
    (tmp_path / "form.yaml").write_text((ROOT / "plugins/survey/examples/fear_trust.yaml").read_text())
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG)
    folks, thanked = people(tmp_path / "data", ("operator",)), list[float]()
    served = await asyncio.to_thread(Served(config, tmp_path / "data").start)
    crowd = asyncio.create_task(answer_until_killed(served, thanked))
    try:
        async with asyncio.timeout(30):
            while len(thanked) < 12:  # noqa: ASYNC110 - the other side is another process
                await asyncio.sleep(0.01)
        await asyncio.to_thread(served.kill)
        await crowd
        served = await asyncio.to_thread(Served(config, tmp_path / "data").start)
        async with session() as web:
            client = Client(web, served.url, folks.bearer("operator"))
            answered = [event for event in await client.events() if event["type"] == "survey_answered"]
            closed = await client.act("survey.close", form="form.fear_trust")
    finally:
        crowd.cancel()
        served.process.kill()
    # one more may be recorded whose thanks did not come through
    assert len(thanked) <= len(answered) <= len(thanked) + 1
    assert closed["answers"] == len(answered) == len({event["data"]["once"] for event in answered})
