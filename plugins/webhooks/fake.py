"""A system on loopback that sends to a hook.
``python plugins/webhooks/fake.py --url http://127.0.0.1:8123/hook/webhooks --hook panic_gold_1 --secret … --sign``.

It shares no code with the plugin, so that both are held to the contract in README.md.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import aiohttp

from hub.sdk.program import end_asked, say_ready

JSON = {"Content-Type": "application/json"}


class Sender:
    """Knows one hook. ``url``: the plugin's address; ``local``: the address of this machine it sends from."""

    def __init__(
        self, url: str, hook: str, secret: str, *, sign: bool = False, now: Callable[[], float] = time.time,
        local: str | None = None,
    ) -> None:  # fmt: skip
        self.address = f"{url.rstrip('/')}/{hook}" if sign else f"{url.rstrip('/')}/{hook}/{secret}"
        self.secret, self.sign, self.now, self.local = secret, sign, now, local

    def signed(self, body: bytes, at: float | None = None) -> dict[str, str]:
        """The header for a body; nothing where none is needed."""
        if not self.sign:
            return {}
        stamp = int(self.now() if at is None else at)
        key = hmac.new(self.secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256)
        return {"X-Signature": f"t={stamp},v1={key.hexdigest()}"}

    async def send(self, said: Any) -> tuple[int, Any]:
        """Send JSON; status and answer."""
        body = json.dumps(said, ensure_ascii=False).encode()
        return await self.send_raw(body, JSON | self.signed(body))

    async def send_raw(
        self, body: bytes, headers: Mapping[str, str], *, method: str = "POST", query: str = "",
        address: str | None = None,
    ) -> tuple[int, Any]:  # fmt: skip
        """Send any bytes."""
        to = (address or self.address) + query
        connector = aiohttp.TCPConnector(local_addr=(self.local, 0) if self.local else None)
        limit = aiohttp.ClientTimeout(total=10)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=limit) as session,
            session.request(method, to, data=body, headers=headers, allow_redirects=False) as answer,
        ):
            return answer.status, await answer.json(content_type=None)


async def main(arguments: Sequence[str]) -> None:
    """The program: sends what it is told once, ``--after`` seconds from now, until the hub has taken it."""
    parser = argparse.ArgumentParser(description="a system that sends to a webhook, on loopback (simulated)")
    parser.add_argument("--url", required=True)
    parser.add_argument("--hook", required=True)
    parser.add_argument("--secret", required=True)
    parser.add_argument("--sign", action="store_true")
    parser.add_argument("--say", default="จำลอง: กดปุ่มฉุกเฉิน")
    parser.add_argument("--after", type=float, default=0.0)
    given = parser.parse_args(arguments)
    sender = Sender(given.url, given.hook, given.secret, sign=given.sign)
    told = end_asked()
    say_ready()
    sending = asyncio.create_task(_say(sender, given.say, given.after))
    await told.wait()
    sending.cancel()


async def _say(sender: Sender, words: str, after: float) -> None:
    await asyncio.sleep(after)
    body = json.dumps({"text": words, "at": sender.now()}, ensure_ascii=False).encode()
    headers, status = JSON | sender.signed(body), 0  # the same request each time: the hub takes it once
    while status != 200:
        try:
            status, _ = await sender.send_raw(body, headers)
        except (aiohttp.ClientError, TimeoutError):
            status = 0
        if status != 200:
            await asyncio.sleep(5)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
