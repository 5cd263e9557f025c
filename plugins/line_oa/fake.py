"""A LINE platform on loopback: takes what a bot sends, keeps it for looking, and sends signed webhooks.

As a program: ``python plugins/line_oa/fake.py --port 18080 [--webhook URL]``. What was sent stands at ``GET /_sent``;
``POST /_receive`` {"text", "user"} lets a citizen write; ``POST /_fail`` {"status", "times", "message"} refuses.
It shares no code with the client.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import hmac
import itertools
import json
import sys
import time
import uuid
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from hub.sdk.program import end_asked, say_ready

MAX_KEPT = 1000
_KEY_S = 24 * 3600.0
_PATHS = ("push", "multicast", "reply")


@dataclass(slots=True)
class Failure:
    """What the next ``times`` sends are answered with. ``status`` 0 closes the connection without an answer."""

    status: int
    times: int = 1
    message: str = "An error occurred"
    headers: dict[str, str] = field(default_factory=dict)
    accept_first: bool = False
    """Take the message before failing, as when the answer is lost on its way."""


class LinePlatform:
    """The server. ``sent``: the newest 1,000 accepted sends; ``quota``: the month's limit or ``None``."""

    def __init__(
        self, token: str = "demo-line-token", secret: str = "demo-line-secret", *, quota: int | None = 300,
        now: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self.token, self.secret, self.quota, self.used = token, secret, quota, 0
        self.webhook: str | None = None
        self.sent: deque[dict[str, Any]] = deque(maxlen=MAX_KEPT)
        self.failures: deque[Failure] = deque(maxlen=100)
        self.arrived = asyncio.Event()
        self._now, self._count = now, itertools.count(1)
        self._accepted: OrderedDict[str, tuple[float, str, dict[str, Any]]] = OrderedDict()
        self._reply_tokens: OrderedDict[str, str] = OrderedDict()
        self.contents: OrderedDict[str, tuple[bytes, str]] = OrderedDict()
        self._runner: web.AppRunner | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen; the port."""
        app = web.Application(client_max_size=1 << 20)
        for path in _PATHS:
            app.router.add_post(f"/v2/bot/message/{path}", self._message)
        app.router.add_get("/v2/bot/message/quota", self._quota)
        app.router.add_get("/v2/bot/message/quota/consumption", self._consumption)
        app.router.add_get("/v2/bot/message/{id}/content", self._content)
        app.router.add_get("/_sent", self._look)
        app.router.add_post("/_fail", self._fail)
        app.router.add_post("/_receive", self._receive)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    # What a bot calls

    async def _message(self, request: web.Request) -> web.StreamResponse:
        failure = self.failures[0] if self.failures else None
        if failure is not None:
            failure.times -= 1
            if failure.times <= 0:
                self.failures.popleft()
            if failure.accept_first:
                await self._accept(request)
            if failure.status == 0:
                assert request.transport is not None
                request.transport.abort()
            return self._answer(failure.status or 500, {"message": failure.message}, failure.headers)
        return await self._accept(request)

    async def _accept(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return self._answer(401, {"message": "Authentication failed due to the following reason: invalid token"})
        kind = request.path.rsplit("/", 1)[1]
        try:
            body = json.loads(await request.read())
            recipients = self._check(kind, body)
        except (ValueError, KeyError, TypeError) as wrong:
            return self._answer(400, {"message": "The request body has 1 error(s)", "details": [
                {"message": str(wrong), "property": "body"}]})  # fmt: skip
        key = request.headers.get("X-Line-Retry-Key")
        if key is not None:
            refused = self._known(kind, key)
            if refused is not None:
                return refused
        if kind != "reply" and self.quota is not None and self.used + len(recipients) > self.quota:
            return self._answer(429, {"message": "You have reached your monthly limit."})
        return self._keep(kind, body, recipients, key)

    def _check(self, kind: str, body: dict[str, Any]) -> list[str]:
        """The recipients; ``ValueError`` with LINE's kind of words."""
        messages = body["messages"]
        if not isinstance(messages, list) or not 1 <= len(messages) <= 5:
            raise ValueError("Size must be between 1 and 5")
        for message in messages:
            if message["type"] == "text" and not 1 <= len(message["text"].encode("utf-16-le")) // 2 <= 5000:
                raise ValueError("Length must be between 1 and 5000")
        if kind == "reply":
            recipient = self._reply_tokens.pop(body["replyToken"], None)
            if recipient is None:
                raise ValueError("Invalid reply token")
            return [recipient]
        recipients = [body["to"]] if kind == "push" else body["to"]
        if not 1 <= len(recipients) <= 500 or not all(isinstance(one, str) and one for one in recipients):
            raise ValueError("The property, 'to', in the request body is invalid")
        return list(recipients)

    def _known(self, kind: str, key: str) -> web.Response | None:
        """The refusal of a retry key that is wrong or was accepted in the last 24 hours."""
        if kind == "reply":
            return self._answer(400, {"message": "The endpoint does not support the retry key"})
        try:
            uuid.UUID(key)
        except ValueError:
            return self._answer(400, {"message": "The retry key is not a UUID"})
        at, request_id, answer = self._accepted.get(key, (0.0, "", {}))
        if not request_id or self._now() - at > _KEY_S:
            return None
        body = {"message": "The retry key is already accepted", **answer}
        return self._answer(409, body, {"x-line-accepted-request-id": request_id})

    def _keep(self, kind: str, body: dict[str, Any], recipients: list[str], key: str | None) -> web.Response:
        request_id, at = str(uuid.UUID(int=next(self._count))), self._now()
        ids = [str(500_000_000_000_000_000 + next(self._count)) for _ in body["messages"]]
        answer = {} if kind == "multicast" else {"sentMessages": [{"id": one, "quoteToken": f"q{one}"} for one in ids]}
        if key is not None:
            self._accepted[key] = (at, request_id, answer)
            if len(self._accepted) > MAX_KEPT:
                self._accepted.popitem(last=False)
        if kind != "reply":
            self.used += len(recipients)
        self.sent.append({
            "request_id": request_id, "at": at, "kind": kind, "to": recipients, "messages": body["messages"],
            "retry_key": key,
        })  # fmt: skip
        self.arrived.set()
        return self._answer(200, answer, {"x-line-request-id": request_id})

    async def _quota(self, request: web.Request) -> web.Response:
        return self._answer(200, {"type": "none"} if self.quota is None else {"type": "limited", "value": self.quota})

    async def _content(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return self._answer(401, {"message": "invalid token"})
        found = self.contents.get(request.match_info["id"])
        if found is None:
            return self._answer(404, {"message": "Not found"})
        return web.Response(body=found[0], content_type=found[1])

    async def _consumption(self, request: web.Request) -> web.Response:
        return self._answer(200, {"totalUsage": self.used})

    def _answer(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None) -> web.Response:
        extra = {"x-line-request-id": str(uuid.UUID(int=next(self._count))), **(headers or {})}
        return web.json_response(body, status=status, headers=extra)

    # What a person does

    async def _look(self, request: web.Request) -> web.Response:
        return web.json_response(list(self.sent))

    async def _fail(self, request: web.Request) -> web.Response:
        wanted = await request.json()
        status, times = int(wanted["status"]), int(wanted.get("times", 1))
        self.failures.append(Failure(status, times, str(wanted.get("message", "An error occurred"))))
        return web.json_response({"failing": len(self.failures)})

    async def _receive(self, request: web.Request) -> web.Response:
        if self.webhook is None:
            return web.json_response({"message": "started without --webhook"}, status=409)
        wanted = await request.json()
        event = self.text_event(str(wanted["text"]), user=str(wanted.get("user", "U" + "0" * 32)))
        return web.json_response({"status": await self.deliver(self.webhook, [event])})

    # Webhooks

    def event(self, kind: str, *, user: str = "U" + "0" * 32, group: str = "", **more: Any) -> dict[str, Any]:
        """A webhook event of any type with what all of them carry, and a reply token that works once."""
        number = next(self._count)
        token = hashlib.md5(str(number).encode()).hexdigest()
        self._reply_tokens[token] = group or user
        if len(self._reply_tokens) > MAX_KEPT:
            self._reply_tokens.popitem(last=False)
        source = {"type": "group", "groupId": group, "userId": user} if group else {"type": "user", "userId": user}
        return {
            "type": kind, "mode": "active", "timestamp": int(self._now() * 1000), "source": source,
            "webhookEventId": f"01{number:024d}", "deliveryContext": {"isRedelivery": False}, "replyToken": token,
            **more,
        }  # fmt: skip

    def text_event(self, text: str, *, user: str = "U" + "0" * 32, group: str = "") -> dict[str, Any]:
        """Somebody wrote."""
        message = {"type": "text", "id": str(next(self._count)), "quoteToken": "q", "text": text}
        return self.event("message", user=user, group=group, message=message)

    def image_event(self, content: bytes, mime: str = "image/jpeg", *, user: str = "U" + "0" * 32) -> dict[str, Any]:
        """Somebody sent a picture."""
        identity = str(next(self._count))
        self.contents[identity] = (content, mime)
        if len(self.contents) > 100:
            self.contents.popitem(last=False)
        message = {"type": "image", "id": identity, "quoteToken": "q", "contentProvider": {"type": "line"}}
        return self.event("message", user=user, message=message)

    def location_event(self, lat: float, lon: float, *, user: str = "U" + "0" * 32) -> dict[str, Any]:
        """Somebody sent a place."""
        message = {"type": "location", "id": str(next(self._count)), "title": "ที่นี่", "address": "จำลอง",
                   "latitude": lat, "longitude": lon}  # fmt: skip
        return self.event("message", user=user, message=message)

    def body(self, events: Sequence[dict[str, Any]]) -> tuple[bytes, str]:
        """A webhook's raw body and its X-Line-Signature."""
        raw = json.dumps({"destination": "U" + "f" * 32, "events": list(events)}, ensure_ascii=False).encode()
        return raw, base64.b64encode(hmac.digest(self.secret.encode(), raw, hashlib.sha256)).decode()

    async def deliver(self, url: str, events: Sequence[dict[str, Any]]) -> int:
        """Send a signed webhook; the HTTP status of the answer, 0 when nobody answers."""
        raw, signature = self.body(events)
        headers = {"Content-Type": "application/json; charset=utf-8", "X-Line-Signature": signature}
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session,
                session.post(url, data=raw, headers=headers, allow_redirects=False) as answer,
            ):
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return 0


async def _say(platform: LinePlatform, number: int, said: str) -> None:
    """A citizen writes some seconds after the start, and again while the hub does not take it, as LINE does."""
    seconds, _, words = said.partition(" ")
    await asyncio.sleep(float(seconds))
    event = platform.text_event(words, user=f"U{number:032x}")
    while platform.webhook and await platform.deliver(platform.webhook, [event]) != 200:
        event = event | {"deliveryContext": {"isRedelivery": True}}
        await asyncio.sleep(5)


async def main(arguments: Sequence[str]) -> None:
    """The program."""
    parser = argparse.ArgumentParser(description="a LINE platform on loopback (simulated)")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--token", default="demo-line-token")
    parser.add_argument("--secret", default="demo-line-secret")
    parser.add_argument("--quota", type=int, default=300)
    parser.add_argument("--webhook", help="where messages of citizens are sent")
    parser.add_argument("--say", action="append", default=[], metavar="'SECONDS WORDS'", help="what a citizen writes")
    given = parser.parse_args(arguments)
    platform = LinePlatform(given.token, given.secret, quota=given.quota)
    platform.webhook = given.webhook
    port = await platform.start(port=given.port)
    told = end_asked()
    say_ready(port=port, url=f"http://127.0.0.1:{port}")
    citizens = [asyncio.create_task(_say(platform, number, one)) for number, one in enumerate(given.say)]
    await told.wait()
    for citizen in citizens:
        citizen.cancel()
    await platform.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
