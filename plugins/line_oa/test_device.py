"""The LINE client against the platform on loopback, judged by LINE's own SDK, which only these tests import."""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from linebot.v3 import WebhookParser  # type: ignore[import-untyped]
from linebot.v3.exceptions import InvalidSignatureError  # type: ignore[import-untyped]
from linebot.v3.messaging import ApiClient, Configuration, MessagingApi  # type: ignore[import-untyped]
from linebot.v3.messaging import models as sdk
from linebot.v3.webhooks import LocationMessageContent, MessageEvent, TextMessageContent  # type: ignore[import-untyped]

from plugins.line_oa import device, fake
from plugins.line_oa.device import (
    BadWebhook,
    LineClient,
    Malformed,
    NoAnswer,
    NotAllowed,
    Quota,
    QuotaSpent,
    Sent,
    TooMany,
    location_message,
    parse_webhook,
    text_message,
    verify_signature,
)

USER, GROUP = "U" + "1" * 32, "C" + "2" * 32
NOW = 1_790_000_000.0
KEY = uuid.UUID("11111111-2222-4333-8444-555555555555")


class Bench:
    """A platform that listens and a client of it."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.platform, self.session = fake.LinePlatform(now=lambda: NOW), session
        self.url = ""

    def client(self, token: str = "demo-line-token", timeout_s: float = 5.0) -> LineClient:
        return LineClient(self.session, token, base_url=self.url, timeout_s=timeout_s)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with aiohttp.ClientSession() as session:
        made = Bench(session)
        made.url = f"http://127.0.0.1:{await made.platform.start()}"
        yield made
        await made.platform.stop()


async def test_a_push_arrives_as_the_sdk_reads_it(bench: Bench) -> None:
    messages = [text_message("ป้าย กข 1234 ⚠️"), location_message("ร้านทอง 1", "จำลอง", 17.009, 99.824)]
    sent = await bench.client().push(GROUP, messages, KEY)
    (kept,) = bench.platform.sent
    assert (kept["to"], kept["retry_key"], kept["request_id"]) == ([GROUP], str(KEY), sent.request_id)
    assert not sent.earlier
    assert len(sent.message_ids) == 2
    judged = sdk.PushMessageRequest.from_dict({"to": kept["to"][0], "messages": kept["messages"]})
    text, place = judged.messages
    assert isinstance(text, sdk.TextMessage)
    assert text.text == "ป้าย กข 1234 ⚠️"
    assert isinstance(place, sdk.LocationMessage)
    assert (place.title, place.latitude, place.longitude) == ("ร้านทอง 1", 17.009, 99.824)


async def test_the_same_retry_key_is_success_and_sends_once(bench: Bench) -> None:
    client = bench.client()
    first = await client.push(USER, [text_message("หนึ่ง")], KEY)
    second = await client.push(USER, [text_message("หนึ่ง")], KEY)
    assert second == Sent(first.request_id, first.message_ids, earlier=True)
    other = await client.push(USER, [text_message("หนึ่ง")], uuid.UUID(int=7))
    assert not other.earlier
    assert [one["retry_key"] for one in bench.platform.sent] == [str(KEY), str(uuid.UUID(int=7))]
    assert bench.platform.used == 2


async def test_a_lost_answer_is_sent_again_with_the_same_key(bench: Bench) -> None:
    bench.platform.failures.append(fake.Failure(0, accept_first=True))
    with pytest.raises(NoAnswer) as lost:
        await bench.client().push(USER, [text_message("ด่วน")], KEY)
    assert lost.value.status is None
    again = await bench.client().push(USER, [text_message("ด่วน")], KEY)
    assert again.earlier
    assert len(bench.platform.sent) == 1


@pytest.mark.parametrize(
    ("failure", "kind", "words"),
    [
        (fake.Failure(400, message="bad"), Malformed, "LINE refuses the message: bad"),
        (fake.Failure(401, message="token"), NotAllowed, "LINE does not allow it: token"),
        (fake.Failure(403, message="plan"), NotAllowed, "LINE does not allow it: plan"),
        (fake.Failure(429, message="rate"), TooMany, "LINE asks for patience: rate"),
        (fake.Failure(500, message="oops"), NoAnswer, "LINE has trouble: oops"),
        (
            fake.Failure(302, headers={"Location": "/elsewhere"}),
            Malformed,
            "LINE refuses the message: An error occurred",
        ),
    ],
)
async def test_refusals_are_told_apart(bench: Bench, failure: fake.Failure, kind: type[Exception], words: str) -> None:
    bench.platform.failures.append(fake.Failure(failure.status, 1, failure.message, failure.headers))
    with pytest.raises(kind) as refused:
        await bench.client().push(USER, [text_message("x")], KEY)
    assert type(refused.value) is kind
    assert str(refused.value) == words
    assert isinstance(refused.value, device.LineError)
    assert refused.value.status == failure.status
    assert list(bench.platform.sent) == []


async def test_patience_is_as_long_as_line_says(bench: Bench) -> None:
    bench.platform.failures.append(fake.Failure(429, headers={"Retry-After": "7"}))
    with pytest.raises(TooMany) as refused:
        await bench.client().push(USER, [text_message("x")], KEY)
    assert refused.value.retry_after_s == 7.0


async def test_quota_is_counted_a_recipient_and_ends(bench: Bench) -> None:
    bench.platform.quota = 3
    client = bench.client()
    assert await client.quota() == Quota(3, 0)
    await client.multicast([USER, "U" + "3" * 32], [text_message("สอง")], KEY)
    quota = await client.quota()
    assert (quota, quota.left) == (Quota(3, 2), 1)
    with pytest.raises(QuotaSpent, match="You have reached your monthly limit"):
        await client.multicast([USER, GROUP], [text_message("x")], uuid.UUID(int=1))
    bench.platform.quota = None
    assert (await client.quota()).left is None


async def test_a_wrong_token(bench: Bench) -> None:
    with pytest.raises(NotAllowed) as refused:
        await bench.client("other").push(USER, [text_message("x")], KEY)
    assert refused.value.status == 401


async def test_limits_are_kept_before_anything_is_sent(bench: Bench) -> None:
    client = bench.client()
    for count in (0, 6):
        with pytest.raises(Malformed, match=rf"{count} messages; LINE takes 1 to 5"):
            await client.push(USER, [text_message("x")] * count, KEY)
    with pytest.raises(Malformed, match="501 recipients"):
        await client.multicast([USER] * 501, [text_message("x")], KEY)
    with pytest.raises(Malformed, match="no LINE id"):
        await client.push("", [text_message("x")], KEY)
    with pytest.raises(Malformed, match="no http"):
        LineClient(bench.session, "t", base_url="ftp://x")
    with pytest.raises(Malformed, match="token"):
        LineClient(bench.session, "a\r\nX: y")
    assert len(text_message("😀" * 4000)["text"].encode("utf-16-le")) // 2 <= 5000
    await client.push(USER, [text_message("😀" * 4000)], KEY)
    assert len(bench.platform.sent) == 1


async def test_no_answer_in_time() -> None:
    silent = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    async with aiohttp.ClientSession() as session:
        client = LineClient(session, "t", base_url=f"http://127.0.0.1:{port}", timeout_s=0.2)
        with pytest.raises(NoAnswer, match=r"no answer in 0\.2 s"):
            await client.push(USER, [text_message("x")], KEY)
    silent.close()
    async with aiohttp.ClientSession() as session:
        with pytest.raises(NoAnswer, match="cannot be reached"):
            await LineClient(session, "t", base_url="http://127.0.0.1:9").quota()


async def test_the_sdk_as_an_independent_client_of_the_platform(bench: Bench) -> None:
    def use() -> tuple[Any, Any, int]:
        with ApiClient(Configuration(host=bench.url, access_token="demo-line-token")) as api:
            line = MessagingApi(api)
            request = sdk.PushMessageRequest.from_dict({"to": USER, "messages": [{"type": "text", "text": "จาก SDK"}]})
            pushed = line.push_message(request, x_line_retry_key=str(KEY))
            try:
                line.push_message(request, x_line_retry_key=str(KEY))
            except Exception as refused:  # the SDK's ApiException has no types
                status = int(getattr(refused, "status", 0))
            else:
                status = 200
            return pushed, line.get_message_quota_consumption(), status

    pushed, used, again = await asyncio.to_thread(use)
    assert len(pushed.sent_messages) == 1
    assert used.total_usage == 1
    assert again == 409


async def test_a_webhook_is_signed_parsed_and_answered(bench: Bench) -> None:
    told: list[tuple[bytes, str]] = []

    async def hook(request: aiohttp.web.Request) -> aiohttp.web.Response:
        told.append((await request.read(), request.headers["X-Line-Signature"]))
        return aiohttp.web.Response()

    app = aiohttp.web.Application()
    app.router.add_post("/hook/line_oa/webhook", hook)
    runner = aiohttp.web.AppRunner(app)
    await runner.setup()
    await aiohttp.web.TCPSite(runner, "127.0.0.1", 0).start()
    written = bench.platform.text_event("ช่วยด้วย", user=USER, group=GROUP)
    events = [written, bench.platform.location_event(17.0, 99.8, user=USER), bench.platform.event("follow", user=USER)]
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook/line_oa/webhook"
    assert await bench.platform.deliver(url, events) == 200
    await runner.cleanup()
    ((raw, signature),) = told
    assert verify_signature(raw, signature, "demo-line-secret")
    assert not verify_signature(raw + b" ", signature, "demo-line-secret")
    assert not verify_signature(raw, signature, "other")
    assert not verify_signature(raw, "ลายเซ็น", "demo-line-secret")
    text, place, follow = parse_webhook(raw)
    assert text.message is not None
    assert (text.message.text, text.at, text.redelivered) == ("ช่วยด้วย", NOW, False)
    assert (text.source.kind, text.source.user_id, text.source.reply_to) == ("group", USER, GROUP)
    assert place.message is not None
    assert (place.message.lat, place.message.lon, place.source.reply_to) == (17.0, 99.8, USER)
    assert (follow.kind, follow.message) == ("follow", None)
    replied = await bench.client().reply(text.reply_token, [text_message("รับแล้ว")])
    assert len(replied.message_ids) == 1
    assert bench.platform.sent[-1]["to"] == [GROUP]
    assert bench.platform.used == 0  # replies are free
    with pytest.raises(Malformed, match="Invalid reply token"):
        await bench.client().reply(text.reply_token, [text_message("อีกครั้ง")])


async def test_the_sdk_reads_the_platforms_webhooks() -> None:
    platform = fake.LinePlatform(now=lambda: NOW)
    raw, signature = platform.body([platform.text_event("สวัสดี", user=USER), platform.location_event(17.0, 99.8)])
    text, place = WebhookParser("demo-line-secret").parse(raw.decode(), signature)
    ours = parse_webhook(raw)
    assert isinstance(text, MessageEvent)
    assert isinstance(text.message, TextMessageContent)
    assert text.message.text == "สวัสดี"
    assert [text.webhook_event_id, place.webhook_event_id] == [one.id for one in ours]
    assert text.reply_token == ours[0].reply_token
    assert isinstance(place.message, LocationMessageContent)
    with pytest.raises(InvalidSignatureError):
        WebhookParser("other").parse(raw.decode(), signature)


def test_redelivery_and_doubles() -> None:
    platform = fake.LinePlatform(now=lambda: NOW)
    event = platform.text_event("x", user=USER)
    again = event | {"deliveryContext": {"isRedelivery": True}}
    raw, _ = platform.body([event, again])
    assert [(one.id, one.redelivered) for one in parse_webhook(raw)] == [(event["webhookEventId"], False)]
    raw, _ = platform.body([again])
    assert [(one.id, one.redelivered) for one in parse_webhook(raw)] == [(event["webhookEventId"], True)]
    assert parse_webhook(b'{"destination":"U","events":[]}') == []  # LINE's "verify" button


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"{", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "no list of events"),
        (b'{"events":[1]}', r"events\[0\] is no object"),
        (b'{"events":[{"type":"x","webhookEventId":"1"}]}', r"events\[0\]\.timestamp"),
        (b'{"events":[{"type":"x","timestamp":1}]}', "no webhookEventId"),
        (b" " * (device.MAX_WEBHOOK + 1), "over 512 KB"),
        (json.dumps({"events": [{}] * 101}).encode(), "101 events in one body, at most 100"),
    ],
)
def test_bodies_that_are_not_lines(raw: bytes, words: str) -> None:
    with pytest.raises(BadWebhook, match=words):
        parse_webhook(raw)


async def test_the_program_shows_what_was_sent_and_ends_with_its_parent() -> None:
    program = await asyncio.create_subprocess_exec(
        sys.executable, str(Path(fake.__file__)), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert program.stdin is not None
    assert program.stdout is not None
    ready = json.loads(await asyncio.wait_for(program.stdout.readline(), 20))
    async with aiohttp.ClientSession() as session:
        client = LineClient(session, "demo-line-token", base_url=ready["url"])
        await session.post(f"{ready['url']}/_fail", json={"status": 500})
        with pytest.raises(NoAnswer):
            await client.push(USER, [text_message("ก")], KEY)
        await client.push(USER, [text_message("ข")], KEY)
        async with session.get(f"{ready['url']}/_sent") as answer:
            assert [one["messages"] for one in await answer.json()] == [[{"type": "text", "text": "ข"}]]
    program.stdin.close()
    assert await asyncio.wait_for(program.wait(), 10) == 0
