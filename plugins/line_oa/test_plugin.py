"""The plugin against the LINE platform on loopback, over real HTTP."""

from __future__ import annotations

import asyncio
import logging
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from linebot.v3.messaging import models as sdk  # type: ignore[import-untyped]
from pydantic import ValidationError

from hub.sdk import (
    ActionFailed,
    Call,
    Context,
    Entity,
    EntityState,
    EventData,
    LimitExceeded,
    SystemClock,
    Unavailable,
    WebRequest,
    WebResponse,
)
from hub.sdk.context import _current_call
from plugins.line_oa import Settings, fake, inbox, setup
from plugins.line_oa.channel import retry_key

GROUP, USER = "C" + "2" * 32, "U" + "1" * 32
EMITS = set(tomllib.loads((Path(fake.__file__).parent / "plugin.toml").read_text())["emits"])
LINE = "line.line_oa"


class NoWaiting(SystemClock):
    """The machine's clock, on which pauses take no time and are noted."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


class Rows:
    """A table that outlives the instance."""

    def __init__(self) -> None:
        self.rows: dict[str, Any] = {}

    async def put(self, key: str, value: Any) -> None:
        self.rows[key] = value

    async def delete(self, key: str) -> None:
        del self.rows[key]

    async def all(self) -> dict[str, Any]:
        return dict(self.rows)


class Hub:
    """What the plugin needs of ``Context``; keeps what it was told."""

    instance = "line_oa"

    def __init__(self) -> None:
        self.clock, self.log, self.tables = NoWaiting(), logging.getLogger("line_oa"), dict[str, Rows]()
        self.emitted: list[EventData] = []
        self.ats: list[float | None] = []
        self.entities: list[Entity] = []
        self.healthy: list[tuple[bool, str]] = []
        self.failing: list[Exception] = []
        self.attributes: dict[str, Any] = {}
        self.lives = 0
        self.states: list[str | None] = []
        self.push: Callable[..., Awaitable[dict[str, Any]]]
        self.webhook: Callable[[WebRequest], Awaitable[WebResponse]]
        self.look: Callable[[], Awaitable[None]]

    async def add(self, entity: Entity, device: object | None = None) -> None:
        self.entities.append(entity)

    async def emit(
        self, data: EventData, *, entity: str | None = None, at: float | None = None, cause: str | None = None
    ) -> int:
        report = data.type.name.startswith("report_")
        assert (type(data).type.name in EMITS, entity) == (True, None if report else LINE)
        await asyncio.sleep(0)
        if self.failing:
            raise self.failing.pop()
        if data.type.name == "state_changed":
            self.states.append(data.model_dump()["state"])
            self.attributes.update(data.model_dump()["attributes"])
        else:
            self.emitted.append(data)
            self.ats.append(at)
        return len(self.emitted)

    async def act(self, name: str, handler: Callable[..., Awaitable[Any]]) -> None:
        assert name == "line.push"
        self.push = handler

    async def route(self, method: str, path: str, handler: Callable[[WebRequest], Awaitable[WebResponse]]) -> None:
        assert (method, path) == ("POST", "webhook")
        self.webhook = handler

    async def every(self, seconds: float, call: Callable[[], Awaitable[None]]) -> None:
        if call.__name__ == "look":
            self.look = call

    async def on(self, type: str, handler: object, **how: Any) -> None:
        assert how == {"match": {"door": "line_oa"}, "durable": True}

    async def alive(self) -> None:
        self.lives += 1

    async def state(self, entity: str) -> EntityState | None:
        return EntityState(entity, "ok", self.attributes, 0.0, 0.0, 1) if self.attributes else None

    @property
    def rows(self) -> Rows:
        return self.records("webhook_events")

    def records(self, name: str) -> Rows:
        return self.tables.setdefault(name, Rows())

    async def health(self, ok: bool, reason: str = "") -> None:
        self.healthy.append((ok, reason))

    async def send(self, text: str = "ทดสอบ", key: str = "run:1", **more: Any) -> dict[str, Any]:
        """``line.push`` as the hub would call it."""
        token = _current_call.set(Call("line.push", None, {}, key, "user:somchai", None))
        try:
            return await self.push(GROUP, text, **more)
        finally:
            _current_call.reset(token)

    async def post(self, body: tuple[bytes, str]) -> tuple[int, bytes]:
        answer = await self.webhook(WebRequest("POST", "/webhook", {}, {"x-line-signature": body[1]}, body[0], "::1"))
        return answer.status, answer.body


class Bench:
    """The platform, the hub, and the plugin between them."""

    def __init__(self) -> None:
        self.platform, self.hub, self.url = fake.LinePlatform(), Hub(), ""

    @asynccontextmanager
    async def running(self, **changed: Any) -> AsyncIterator[Hub]:
        config = {"base_url": self.url, "channel_token": "demo-line-token", "channel_secret": "demo-line-secret"}
        life = setup(cast(Context, self.hub), Settings.model_validate(config | changed))
        await anext(life)
        yield self.hub
        with pytest.raises(StopAsyncIteration):
            await anext(life)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    made.url = f"http://127.0.0.1:{await made.platform.start()}"
    yield made
    await made.platform.stop()


async def test_a_push_reaches_the_group_and_is_told(bench: Bench) -> None:
    async with bench.running(simulated=True) as hub:
        result = await hub.send("ป้าย กข 1234", incident="incident.7")
    (kept,) = bench.platform.sent
    judged = sdk.PushMessageRequest.from_dict({"to": kept["to"][0], "messages": kept["messages"]})
    assert (judged.to, judged.messages[0].text) == (GROUP, "ป้าย กข 1234")
    assert kept["retry_key"] == str(retry_key("run:1"))
    assert result == {"request_id": kept["request_id"], "quota_left": 299}
    assert [data.model_dump() for data in hub.emitted] == [
        {"channel": "line", "to": GROUP, "text": "ป้าย กข 1234", "quota_left": 299, "incident": "incident.7"}
    ]
    assert (hub.attributes["quota_left"], hub.attributes["quota_limit"], hub.states[-1]) == (299, 300, "ok")
    assert (hub.entities[0].id, hub.entities[0].simulated, hub.entities[0].capabilities) == (LINE, True, ())


async def test_the_same_call_reaches_people_once(bench: Bench) -> None:
    async with bench.running() as hub:
        first = await hub.send()
    async with bench.running() as hub:  # as after a crash
        again = await hub.send()
        await hub.send(key="run:2")
    assert again["request_id"] == first["request_id"]
    assert [one["retry_key"] for one in bench.platform.sent] == [str(retry_key("run:1")), str(retry_key("run:2"))]


async def test_a_lost_answer_is_asked_for_again(bench: Bench) -> None:
    bench.platform.failures.append(fake.Failure(0, accept_first=True))
    async with bench.running() as hub:
        await hub.send()
    assert (len(bench.platform.sent), len(hub.emitted), hub.clock.slept) == (1, 1, [1.0])


async def test_a_platform_that_stays_away(bench: Bench) -> None:
    bench.platform.failures.append(fake.Failure(500, 3, "oops"))
    async with bench.running() as hub:
        with pytest.raises(Unavailable, match="LINE has trouble: oops"):
            await hub.send()
        assert (hub.clock.slept, hub.emitted, hub.states) == ([1.0, 2.0], [], ["failing"])
        assert hub.healthy == [(False, "LINE has trouble: oops")]
        assert hub.attributes["last_error"] == "LINE has trouble: oops"
        await hub.look()
    assert (hub.healthy[-1], hub.states[-1], hub.attributes["quota_left"]) == ((True, ""), "ok", 300)


@pytest.mark.parametrize(("wait", "slept"), [("2", [2.0]), ("60", [])])
async def test_patience_is_short_in_an_action(bench: Bench, wait: str, slept: list[float]) -> None:
    bench.platform.failures.append(fake.Failure(429, 1, "slow down", {"Retry-After": wait}))
    async with bench.running() as hub:
        if slept:
            await hub.send()
        else:
            with pytest.raises(LimitExceeded, match="LINE asks for patience: slow down"):
                await hub.send()
    assert (hub.clock.slept, len(bench.platform.sent)) == (slept, len(slept))
    assert (False, "LINE asks for patience: slow down") not in hub.healthy


async def test_a_spent_quota_is_named_and_shown(bench: Bench) -> None:
    bench.platform.quota = 1
    async with bench.running() as hub:
        assert (await hub.send())["quota_left"] == 0
        assert hub.states[-1] == "quota_spent"
        with pytest.raises(ActionFailed, match="the month's LINE quota is used up") as refused:
            await hub.send(key="run:2")
    assert "buy more messages" in refused.value.hint
    assert (len(hub.emitted), hub.attributes["quota_left"]) == (1, 0)


async def test_a_wrong_token_and_a_wrong_recipient_are_told_apart(bench: Bench) -> None:
    async with bench.running(channel_token="other") as hub:
        with pytest.raises(ActionFailed, match="LINE does not allow it") as refused:
            await hub.send()
        assert (refused.value.hint[:21], hub.states) == ("look at channel_token", ["failing"])
    bench.hub = Hub()
    bench.platform.failures.append(fake.Failure(400, 1, "The property, 'to', in the request body is invalid"))
    async with bench.running() as hub:
        with pytest.raises(ActionFailed, match="'to', in the request body is invalid") as refused:
            await hub.send()
        assert (refused.value.hint[:21], hub.states, hub.healthy) == ("look at the recipient", [], [])


async def test_a_quota_that_cannot_be_asked_is_asked_ever_more_seldom(bench: Bench) -> None:
    await bench.platform.stop()
    async with bench.running() as hub:
        await hub.look()
        await hub.look()  # not due
    assert [ok for ok, _ in hub.healthy] == [False]
    assert hub.healthy[0][1].startswith("LINE cannot be reached")


async def test_a_citizens_message_becomes_one_fact(bench: Bench) -> None:
    async with bench.running() as hub:
        event = bench.platform.text_event("ช่วยด้วย", user=USER, group=GROUP)
        place = bench.platform.location_event(17.0, 99.8, user=USER)
        sticker = bench.platform.event("message", user=USER, group=GROUP, message={"type": "sticker", "id": "77"})
        follow = bench.platform.event("follow", user=USER)
        body = bench.platform.body([event, place, sticker, follow])
        assert await hub.post(body) == (200, b"{}")
        again = event | {"deliveryContext": {"isRedelivery": True}}
        assert await hub.post(bench.platform.body([again])) == (200, b"{}")
    async with bench.running() as hub:  # also after a restart
        assert await hub.post(body) == (200, b"{}")
    told = [(one.type.name, one.model_dump()) for one in hub.emitted]
    assert [(name, d.get("sender") or d.get("reporter"), d["text"], d["lat"]) for name, d in told] == [
        ("message_received", USER, "ช่วยด้วย", None), ("report_received", USER, "ที่นี่ จำลอง", 17.0),
        ("message_received", USER, "[สติกเกอร์]", None),
    ]  # fmt: skip
    assert hub.ats[0] == event["timestamp"] / 1000
    assert hub.attributes["last_group"] == GROUP


async def test_two_deliveries_at_once_are_one_fact(bench: Bench) -> None:
    async with bench.running() as hub:
        body = bench.platform.body([bench.platform.text_event("x")])
        assert list(await asyncio.gather(hub.post(body), hub.post(body))) == [(200, b"{}"), (200, b"{}")]
    assert len(hub.emitted) == 1


async def test_strangers_are_refused(bench: Bench) -> None:
    async with bench.running() as hub:
        raw, signature = bench.platform.body([bench.platform.text_event("x")])
        for forged in ((raw, ""), (raw, "AAAA"), (raw + b" ", signature)):
            assert (await hub.post(forged))[0] == 401
        fake_body = fake.LinePlatform(secret="other").body([])
        assert (await hub.post(fake_body))[0] == 401
        assert await hub.post(bench.platform.body([{}])) == (400, b'{"error": "events[0].timestamp is no time in '
                                                                  b'milliseconds"}')  # fmt: skip
    assert (hub.emitted, hub.rows.rows) == ([], {})


async def test_what_could_not_be_kept_is_not_acknowledged(bench: Bench) -> None:
    async with bench.running() as hub:
        body = bench.platform.body([bench.platform.text_event("ไฟไหม้")])
        hub.failing.append(Unavailable("the journal is full"))
        with pytest.raises(Unavailable):
            await hub.post(body)
        assert (hub.emitted, hub.rows.rows) == ([], {})
        assert await hub.post(body) == (200, b"{}")
    assert [data.model_dump()["text"] for data in hub.emitted] == ["ไฟไหม้"]


async def test_the_memory_of_events_is_bounded(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox.Inbox.__init__, "__defaults__", (3,))
    events = [bench.platform.text_event(str(number)) for number in range(5)]
    async with bench.running() as hub:
        assert (await hub.post(bench.platform.body(events)))[0] == 200
    assert sorted(hub.rows.rows) == [event["webhookEventId"] for event in events[2:]]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"base_url": "ftp://x"}, "an address such as https"),
        ({"base_url": "http://x/?a=1"}, "an address such as https"),
        ({"channel_token": "a b"}, "a token has no spaces"),
        ({"channel_secret": ""}, "at least 1"),
        ({"colour": "red"}, "not permitted"),
    ],
)
def test_wrong_settings_are_named(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Settings.model_validate({"channel_token": "t", "channel_secret": "s"} | changed)
