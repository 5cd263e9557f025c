"""The same plugin, in the hub's process and in a child, does the same and brings the same events."""

from __future__ import annotations

from typing import Any

import pytest

from hub.sdk.context import WebRequest
from tests.host.conftest import Bench

TOML = """
emits = ["state_changed", "rang"]
calls = ["camera.snapshot", "bell.ring"]
[[event_types]]
name = "rang"
title = { th = "กริ่งดัง", en = "It rang" }
projection = { state = "ringing", attributes = { times = "times" } }
[event_types.fields.times]
type = "int"
doc = "how often"
[[actions]]
name = "bell.ring"
title = { th = "กดกริ่ง", en = "Ring" }
right = "bell.control"
idempotent = true
"""
CODE = """
class Settings(Config):
    host: str = Field(description="address")
    times: int = Field(2, ge=1, description="how often")

class Bell:
    def __init__(self, ctx): self.ctx = ctx
    async def clip(self, before_s, after_s, incident): return []
    async def snapshot(self):
        await self.ctx.emit(StateChanged(state="seen"), entity="camera.bell")
        return await self.ctx.media.put(b"picture " + current_call().key.encode()[:0], "image/jpeg")

async def setup(ctx, config):
    notes, rows = ctx.documents("notes"), ctx.records("rows")
    await ctx.add(Entity("camera.bell", Text("กริ่ง", "Bell"), ("camera",), position=(17.0, 99.8)), Bell(ctx))

    async def ring(times: int = 1) -> dict:
        seq = await ctx.emit_named("rang", {"times": times}, entity="camera.bell")
        return {"rang": times, "durable": seq > 0}

    async def on_rang(event):
        await rows.put(str(event.seq), {"times": event.data["times"]})
        await notes.put("last", {"times": event.data["times"], "host": config.host})
        if event.depth < 4:
            await ctx.emit(StateChanged(state="heard", attributes={"depth": event.depth}), entity="camera.bell")

    async def page(request):
        if request.path == "/bad":
            raise InvalidInput("not like this", where="page")
        return WebResponse(201, request.body[::-1], "text/x", {"X-Query": request.query.get("a", "")})

    await ctx.on("rang", on_rang, match={"times": 3}, entity="camera.bell")
    await ctx.act("bell.ring", ring)
    await ctx.route("POST", "/page/*", page)
    await ctx.route("GET", "bad", page)
    yield
    await ctx.emit(StateChanged(state="unloaded"), entity="camera.bell")

@plugin
def hub_plugin():
    return PluginSpec(Settings, setup)
"""

BOTH = pytest.mark.parametrize("where", ["plugins", "partners"])


async def exercise(bench: Bench, where: str) -> list[Any]:
    bench.plugin("bell", CODE, where=where, toml=TOML)
    host = await bench.start(bench.config("{plugin: bell, config: {host: h}}"))
    assert bench.row("bell")["state"] == "running", bench.row("bell")
    ring = await bench.call("bell.ring", times=3)
    assert (ring.status, ring.result) == ("done", {"rang": 3, "durable": True})
    await bench.until(lambda: [e for e in bench.events("state_changed") if e.data["state"] == "heard"])
    picture = await bench.call("camera.snapshot", "camera.bell")
    assert await bench.media.get(picture.result) == (b"picture ", "image/jpeg")
    assert await bench.documents.get("bell.notes", "last") == {"times": 3, "host": "h"}
    assert [row for _, row in bench.journal.records("plugin:bell:rows")] == [{"times": 3}]
    request = WebRequest("POST", "/page/x", {"a": "ก"}, {}, b"abc", "10.0.0.1")
    answer = await bench.web("bell", request)
    assert (answer.status, answer.body, answer.content_type) == (201, b"cba", "text/x")
    assert answer.headers == {"X-Query": "ก"}
    bad = await bench.web("bell", WebRequest("GET", "/bad", {}, {}, b"", "10.0.0.1"))
    assert (bad.status, bad.body) == (
        400, b'{"error":{"code":"invalid_input","message":"not like this","where":"page","hint":""}}'
    )  # fmt: skip
    await host.stop()
    return [(e.type, e.entity, e.source, e.data, e.depth, e.cause is not None) for e in bench.events()]


@BOTH
async def test_the_same_plugin_brings_the_same_events(bench: Bench, where: str) -> None:
    seen = await exercise(bench, where)
    told = [row for row in seen if row[0] in ("rang", "state_changed")]
    assert told == [
        ("rang", "camera.bell", "instance:bell", {"times": 3}, 1, True),
        ("state_changed", "camera.bell", "instance:bell", {"state": "heard", "attributes": {"depth": 1}}, 2, True),
        ("state_changed", "camera.bell", "instance:bell", {"state": "seen", "attributes": {}}, 1, True),
        ("state_changed", "camera.bell", "instance:bell", {"state": "unloaded", "attributes": {}}, 0, False),
    ]
    assert [row[0] for row in seen if row[1] == "plugin.bell"] == [
        "entity_added", "instance_changed", "instance_changed", "instance_changed"
    ]  # fmt: skip
    last = [row for row in seen if row[0] == "availability_changed"]
    assert [(row[1], row[3]["available"]) for row in last] == [("camera.bell", False)]
