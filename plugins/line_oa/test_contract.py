"""The plugin in the real hub, and the contract that every plugin keeps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from hub.testing import contract, harness
from plugins.line_oa import fake

HERE = Path(__file__).parent
SECRETS = {"channel_token": "demo-line-token", "channel_secret": "demo-line-secret", "answer_within_s": 2}
DEAD = SECRETS | {"base_url": "http://127.0.0.1:9"}
GROUP = "C" + "2" * 32


@asynccontextmanager
async def platform() -> AsyncIterator[Mapping[str, Any]]:
    line = fake.LinePlatform()
    yield SECRETS | {"base_url": f"http://127.0.0.1:{await line.start()}"}
    await line.stop()


test_contract = contract(HERE, platform, dead_config=DEAD)


async def test_in_and_out_through_the_real_hub() -> None:
    line = fake.LinePlatform()
    url = f"http://127.0.0.1:{await line.start()}"
    async with harness(HERE, SECRETS | {"base_url": url}) as hub:
        sent = await hub.call("line.push", params={"to": GROUP, "text": "พบป้าย", "incident": "incident.1"})
        assert (sent.status, sent.result["quota_left"]) == ("done", 299)
        told = await hub.wait_event("message_sent")
        assert (told.entity, told.data["to"], told.data["incident"]) == ("line.line_oa", GROUP, "incident.1")
        raw, signature = line.body([line.text_event("ช่วยด้วย", group=GROUP)])
        async with aiohttp.ClientSession() as session:
            answers = [await _post(session, hub.hook("webhook"), raw, sign) for sign in (signature, signature, "x")]
        assert answers == [200, 200, 401]
        assert [event.data["text"] for event in hub.events("message_received")] == ["ช่วยด้วย"]
    await line.stop()


async def _post(session: aiohttp.ClientSession, url: str, raw: bytes, signature: str) -> int:
    async with session.post(url, data=raw, headers={"X-Line-Signature": signature}) as answer:
        return answer.status
