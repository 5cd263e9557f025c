"""What an instance may do is what its plugin.toml says, for its own entities; the hub stamps the rest."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from hub.core.error import Denied, InvalidInput, NotFound, Unavailable
from hub.core.event import Draft, Event
from hub.core.journal import Put, Query
from hub.core.system import Fault, StateChanged
from hub.host.context import LocalContext
from hub.host.inbox import Inbox
from hub.sdk import Entity, Text, WebRequest, WebResponse
from tests.host.conftest import Bench, eventually

CODE = """
class Settings(Config):
    pass

async def setup(ctx, config):
    yield

@plugin
def hub_plugin():
    return PluginSpec(Settings, setup)
"""
TOML = """
emits = ["state_changed", "plate_read", "motion_started"]
calls = ["camera.*"]
reads = [READS]
"""


class Camera:
    async def snapshot(self) -> str:
        return "0" * 64

    async def clip(self, before_s: float, after_s: float, incident: str | None) -> list[str]:
        return ["0" * 64]


async def contexts(bench: Bench, *names: str, reads: str = "") -> list[LocalContext]:
    """Running instances' own contexts."""
    bench.plugin("thing", CODE, toml=TOML.replace("READS", reads))
    await bench.start(bench.config(*(f"{{plugin: thing, name: {name}}}" for name in names)))
    attempts = [bench.host.instances[name].attempt for name in names]
    return [attempt.ctx for attempt in attempts if attempt is not None]


def entity(id: str, *capabilities: str) -> Entity:
    return Entity(id, Text("ก", "A"), capabilities)


async def test_forged_entities_sources_and_types_are_refused(bench: Bench) -> None:
    mine, other = await contexts(bench, "mine", "other")
    await mine.add(entity("camera.a", "camera"), Camera())
    moved = StateChanged(state="on")
    with pytest.raises(Denied, match=r"other may not speak for camera.a: it belongs to mine"):
        await other.emit(moved, entity="camera.a")
    with pytest.raises(Denied, match=r"camera.a belongs to mine"):
        await other.add(entity("camera.a"))
    with pytest.raises(Denied, match="belongs to mine"):
        await other.remove("camera.a")
    with pytest.raises(Denied, match="the instance has not added it"):
        await mine.emit(moved, entity="camera.nowhere")
    with pytest.raises(Denied, match=r"plugin.x: this domain is the hub's own"):
        await mine.add(entity("plugin.x"))
    with pytest.raises(Denied, match="may not emit fault: it is the hub's own"):
        await mine.emit(Fault(where="x", message="y"))
    with pytest.raises(Denied, match=r"may not emit motion_ended: it is not in emits"):
        await mine.emit_named("motion_ended", {}, entity="camera.a")
    with pytest.raises(Denied, match="the hub itself sets instance"):
        await mine.emit(StateChanged(attributes={"instance": "other"}), entity="camera.a")
    with pytest.raises(NotFound, match="no event type 'nothing'"):
        await mine.emit_named("nothing", {})
    with pytest.raises(InvalidInput, match="boxes"):
        await mine.emit_named("motion_started", {"boxes": 3}, entity="camera.a")
    with pytest.raises(Denied, match=r"may not call unit.alert"):
        await mine.call("unit.alert", "unit.a", {"text": "x"})
    with pytest.raises(InvalidInput, match="no capability 'camra'; did you mean 'camera'"):
        await mine.add(entity("camera.b", "camra"))
    with pytest.raises(InvalidInput, match="has no async method snapshot"):
        await mine.add(entity("camera.b", "camera"), object())
    with pytest.raises(Denied, match=r"not among \[\[actions\]\]"):
        await mine.act("thing.do", Camera().snapshot)
    assert await mine.emit(moved, entity="camera.a") == bench.pipeline.committed_seq
    assert [event.source for event in bench.events("state_changed")] == ["instance:mine"]


async def test_an_entity_is_described_again_only_when_it_changed(bench: Bench) -> None:
    (mine,) = await contexts(bench, "mine")
    for name in ("camera.a", "camera.a"):
        await mine.add(entity(name, "camera"), Camera())
    assert len(bench.events("entity_added", entity="camera.a")) == 1
    await mine.emit(StateChanged(attributes={"lat": 1.0}), entity="camera.a")
    await mine.add(entity("camera.a", "camera"), Camera())
    assert len(bench.events("entity_added", entity="camera.a")) == 1
    await mine.add(Entity("camera.a", Text("ข", "B"), ("camera",)), Camera())
    assert [event.data["description"]["name"]["en"] for event in bench.events("entity_added", entity="camera.a")] == [
        "A", "B"
    ]  # fmt: skip
    await mine.remove("camera.a")
    assert bench.pipeline.state.get("camera.a") is None and bench.host.entities.owner("camera.a") is None


async def test_calls_carry_the_instance_and_its_key(bench: Bench) -> None:
    mine, other = await contexts(bench, "mine", "other")
    await other.add(entity("camera.a", "camera"), Camera())
    first = await mine.call("camera.snapshot", "camera.a", key="k")
    again = await mine.call("camera.snapshot", "camera.a", key="k")
    assert (first.status, first.key, again.ms) == ("done", "instance:mine:k", first.ms)
    asked = bench.events("action_requested")
    assert [(event.data["actor"], event.data["key"]) for event in asked] == [("instance:mine", "instance:mine:k")]


async def test_an_action_that_answers_no_json_fails_in_words(bench: Bench) -> None:
    class Odd:
        async def snapshot(self) -> Any:
            return object()

        async def clip(self, before_s: float, after_s: float, incident: str | None) -> list[str]:
            return []

    (mine,) = await contexts(bench, "mine")
    await mine.add(entity("camera.a", "camera"), Odd())
    outcome = await mine.call("camera.snapshot", "camera.a")
    assert outcome.status == "failed" and outcome.error is not None
    assert outcome.error["message"] == "the answer is no JSON data: object"


PLATE = {"series": "1กข", "number": "1234", "confidence": 0.9}


async def test_personal_fields_are_hidden_from_who_may_not_read_them(bench: Bench) -> None:
    mine, other = await contexts(bench, "mine", "other")
    seen: dict[str, list[Event]] = {"mine": [], "other": []}
    both = asyncio.Event()

    async def note(name: str, event: Event) -> None:
        seen[name].append(event)
        if all(seen.values()):
            both.set()

    await mine.on("plate_read", lambda event: note("mine", event))
    await other.on("plate_read", lambda event: note("other", event))
    await mine.add(entity("camera.a"))
    await mine.emit_named("plate_read", PLATE, entity="camera.a")
    async with asyncio.timeout(5):
        await both.wait()
    assert (seen["mine"][0].data["plate"], seen["other"][0].data["plate"]) == ("1กข1234", None)
    assert seen["other"][0].data["confidence"] == 0.9
    told = await other.history(Query(type="plate_read"))
    assert [event.data["number"] for event in told] == [None]


async def test_who_may_read_plates_sees_them(bench: Bench) -> None:
    mine, other = await contexts(bench, "mine", "other", reads='"plate"')
    await mine.add(entity("camera.a"))
    await mine.emit_named("plate_read", PLATE, entity="camera.a")
    assert [event.data["plate"] for event in await other.history(Query(type="plate_read"))] == ["1กข1234"]


async def test_a_loop_of_handlers_is_stopped(bench: Bench) -> None:
    (mine,) = await contexts(bench, "mine")
    await mine.add(entity("camera.a"))

    async def echo(event: Event) -> None:
        await mine.emit(StateChanged(state=str(event.seq)), entity="camera.a")

    await mine.on("state_changed", echo)
    await mine.emit(StateChanged(state="first"), entity="camera.a")
    fault = (await bench.until(lambda: bench.events("fault")))[0]
    assert "a chain of 9 events and actions was stopped at state_changed" in fault.data["message"]
    assert [event.depth for event in bench.events("state_changed")] == list(range(9))
    chain = bench.events("state_changed")
    assert [event.cause for event in chain[1:]] == [event.id for event in chain[:-1]]


async def test_match_and_entity_choose_events(bench: Bench) -> None:
    (mine,) = await contexts(bench, "mine")
    seen: list[tuple[str, Any]] = []

    async def note(event: Event) -> None:
        seen.append((str(event.entity), event.data["state"]))

    for name in ("camera.a", "camera.b"):
        await mine.add(entity(name))
    await mine.on("state_changed", note, match={"state": "on"}, entity="camera.a")
    for name, state in (("camera.a", "off"), ("camera.b", "on"), ("camera.a", "on")):
        await mine.emit(StateChanged(state=state), entity=name)
    await eventually(lambda: seen)
    assert seen == [("camera.a", "on")]


async def test_a_durable_handler_gets_what_came_while_it_was_away(bench: Bench) -> None:
    (mine,) = await contexts(bench, "mine")
    seen: list[int] = []

    async def note(event: Event) -> None:
        seen.append(event.data["attributes"]["n"])

    await mine.add(entity("camera.a"))
    await mine.on("state_changed", note, durable=True)

    def tell(*numbers: int) -> None:  # telemetry would be coalesced on its way in through a context
        for n in numbers:
            data = {"state": "on", "attributes": {"n": n}}
            bench.pipeline.emit(Draft("state_changed", data, "instance:mine", "camera.a"))

    tell(1, 2)
    await bench.pipeline.settled()
    await eventually(lambda: seen == [1, 2])
    await mine.close()
    await bench.pipeline.settled()
    tell(3, 4)
    await bench.pipeline.settled()
    await bench.host.restart("mine")
    attempt = bench.host.instances["mine"].attempt
    assert attempt is not None
    await attempt.ctx.on("state_changed", note, durable=True)
    tell(*range(5, 1200))
    await eventually(lambda: len(seen) >= 1199)
    assert seen == list(range(1, 1200))


async def test_records_and_documents_are_the_instances_own(bench: Bench) -> None:
    mine, other = await contexts(bench, "mine", "other")
    await mine.records("rows").put("a", {"n": 1})
    assert (await mine.records("rows").all(), await other.records("rows").all()) == ({"a": {"n": 1}}, {})
    await mine.records("rows").delete("a")
    assert await mine.records("rows").all() == {}
    await mine.documents("boxes").put("b", {"n": 2})
    assert (await mine.documents("boxes").get("b"), await other.documents("boxes").get("b")) == ({"n": 2}, None)
    for name in ("Rows", "a:b", ""):
        with pytest.raises(InvalidInput):
            mine.records(name)
    with pytest.raises(InvalidInput, match="not JSON data"):
        await mine.records("rows").put("a", {"n": object()})
    assert not any(isinstance(record, Put) for record in bench.journal.records("rows"))


async def test_an_unloaded_context_refuses(bench: Bench) -> None:
    (mine,) = await contexts(bench, "mine")
    await bench.host.stop()
    with pytest.raises(Unavailable, match="the instance mine is unloaded"):
        await mine.add(entity("camera.a"))
    with pytest.raises(Unavailable):
        await mine.emit(StateChanged(state="x"))


async def test_a_full_line_drops_telemetry_first(bench: Bench) -> None:
    told: list[int] = []
    inbox = Inbox(bench.types, lambda: told.append(1), size=3)

    async def nothing(event: Event) -> None:
        return

    for seq, kind in enumerate(["motion_started", "unit_moved", "alarm_returned", "plate_read", "alarm_returned"]):
        inbox.put(nothing, Event(seq, str(seq), kind, 0, 0, None, "x", {}))
    left = [(await inbox.take())[1].seq for _ in range(len(inbox))]
    assert (left, inbox.dropped, told) == ([2, 3, 4], 2, [1])


async def test_routes_are_limited(bench: Bench) -> None:
    (mine,) = await contexts(bench, "mine")

    async def hello(request: WebRequest) -> WebResponse:
        if request.path == "/boom":
            raise RuntimeError("secret words")
        return WebResponse(200, b"hello")

    await mine.route("get", "/hello/", hello)
    await mine.route("GET", "boom", hello)

    async def ask(path: str, method: str = "GET", body: bytes = b"", remote: str = "1") -> WebResponse:
        return await bench.web("mine", WebRequest(method, path, {}, {}, body, remote))

    assert (await ask("/hello")).body == b"hello"
    nobody = await bench.web("none", WebRequest("GET", "/", {}, {}, b"", "1"))
    assert [(await ask("/hell")).status, nobody.status] == [404, 404]
    wrong = await ask("/hello", "POST")
    assert (wrong.status, wrong.headers) == (405, {"Allow": "GET"})
    failed = await ask("/boom")
    assert failed.status == 500 and b"secret" not in failed.body
    await bench.pipeline.settled()
    assert "RuntimeError: secret words" in bench.events("fault")[0].data["message"]
    answers = [await ask("/hello", remote="9") for _ in range(70)]
    refused = [answer for answer in answers if answer.status == 429]
    assert len(refused) >= 5 and refused[0].headers == {"Retry-After": "1"}
    assert (await ask("/hello", remote="8")).status == 200




async def test_a_durable_handler_misses_nothing_that_comes_while_the_journal_is_read(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    (mine,) = await contexts(bench, "mine")
    seen: list[int] = []
    reading, go_on = asyncio.Event(), threading.Event()
    loop, read = asyncio.get_running_loop(), bench.journal.read

    def slow(query: Query) -> list[Event]:
        found = read(query)
        loop.call_soon_threadsafe(reading.set)
        go_on.wait(10)
        return found

    async def note(event: Event) -> None:
        seen.append(event.data["attributes"]["n"])

    await mine.add(entity("camera.a"))
    monkeypatch.setattr(bench.journal, "read", slow)
    await mine.on("state_changed", note, durable=True)
    await reading.wait()
    await mine.emit(StateChanged(attributes={"n": 1}), entity="camera.a")
    go_on.set()
    await eventually(lambda: seen == [1])
