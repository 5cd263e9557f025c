"""Services between instances, wherever each of them runs, and actions of a plugin in a child."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic import ValidationError

from hub.host.check import check
from hub.host.remote import model_of
from tests.host.conftest import Bench

PROTOCOL = """
import sys, types
from typing import Protocol

class Line(Protocol):
    async def send(self, text: str, times: int = 1) -> list: ...

Line.__module__, Line.__qualname__ = "shared", "Line"

class Settings(Config):
    pass
"""
OFFER = PROTOCOL + """
class Modem:
    def __init__(self): self.sent = []
    async def send(self, text, times=1):
        if text == "bad":
            raise Unavailable("no carrier", where="modem")
        self.sent += [text] * times
        return self.sent
    async def _secret(self): return "s"

async def setup(ctx, config):
    await ctx.offer(Line, Modem())
    yield

@plugin
def hub_plugin():
    return PluginSpec(Settings, setup)
"""
NEED = PROTOCOL + """
async def setup(ctx, config):
    line = await ctx.need(Line)
    async def ask(text: str, times: int = Field(1, ge=1, le=3)) -> dict:
        return {"sent": await line.send(text, times=times)}
    async def slow() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            await ctx.emit_named("ended", {})
    await ctx.act("line.ask", ask)
    await ctx.act("line.slow", slow)
    yield

@plugin
def hub_plugin():
    return PluginSpec(Settings, setup, setup_limit=10)
"""
TOML = """
emits = ["ended"]
[[event_types]]
name = "ended"
title = { th = "จบ", en = "Ended" }
[[actions]]
name = "line.ask"
title = { th = "ถาม", en = "Ask" }
right = "line.control"
[[actions]]
name = "line.slow"
title = { th = "ช้า", en = "Slow" }
right = "line.control"
timeout_s = 0.3
"""


@pytest.mark.parametrize("offers", ["plugins", "partners"])
@pytest.mark.parametrize("needs", ["plugins", "partners"])
async def test_a_service_of_another(bench: Bench, offers: str, needs: str) -> None:
    bench.plugin("modem", OFFER, where=offers)
    bench.plugin("user", NEED, where=needs, toml=TOML)
    await bench.start(bench.config("{plugin: user}", "{plugin: modem}"))
    assert (bench.row("user")["state"], bench.row("modem")["state"]) == ("running", "running")
    done = await bench.call("line.ask", text="ก", times=2)
    assert (done.status, done.result) == ("done", {"sent": ["ก", "ก"]})
    failed = await bench.call("line.ask", text="bad")
    assert (failed.status, failed.error["code"], failed.error["message"]) == ("failed", "unavailable", "no carrier")
    late = await bench.call("line.slow")
    assert late.status == "timed_out"
    await bench.until(lambda: bench.events("ended"))  # what ran there was cancelled too
    await bench.host.restart("modem")
    await bench.until(lambda: ("retrying", "the service Line that it uses went away") in bench.states_of("user"))
    await bench.until(lambda: bench.row("user")["state"] == "running")
    assert (await bench.call("line.ask", text="x")).result == {"sent": ["x"]}


async def test_a_service_that_nobody_offers(bench: Bench) -> None:
    bench.plugin("user", NEED.replace("setup_limit=10", "setup_limit=0.3"), toml=TOML)
    await bench.start(bench.config("{plugin: user}"))
    assert (bench.row("user")["state"], bench.row("user")["reason"]) == (
        "retrying", "set-up took longer than 0.3 s"
    )  # fmt: skip


async def test_an_action_whose_plugin_is_away_is_answered(bench: Bench) -> None:
    bench.plugin("modem", OFFER)
    bench.plugin("user", NEED, where="partners", toml=TOML)
    await bench.start(bench.config("{plugin: user}", "{plugin: modem}"))
    await bench.host.instances["user"].stop()
    outcome = await bench.call("line.ask", text="x")
    assert outcome.status == "failed"
    assert outcome.error["message"] == "nothing serves line.ask now"


def test_parameters_by_their_schema() -> None:
    schema = {
        "type": "object", "required": ["text"],
        "properties": {
            "text": {"type": "string", "maxLength": 3}, "n": {"type": "integer", "minimum": 1, "default": 2},
            "mode": {"enum": ["a", "b"], "default": "a"}, "who": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "any": {"$ref": "#/$defs/X"},
        },
    }  # fmt: skip
    model = model_of("x.y", schema)
    assert model.model_validate({"text": "abc"}).model_dump() == {
        "text": "abc", "n": 2, "mode": "a", "who": None, "any": None
    }  # fmt: skip
    assert model.model_json_schema() == schema
    for wrong in ({}, {"text": "abcd"}, {"text": "a", "n": 0}, {"text": "a", "mode": "c"}, {"text": "a", "z": 1}):
        with pytest.raises(ValidationError):
            model.model_validate(wrong)


async def test_check_tells_everything_without_starting(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    strict = PROTOCOL + """
class Strict(Config):
    port: int = Field(description="port")

async def setup(ctx, config):
    raise SystemExit("was started")
    yield

@plugin
def hub_plugin():
    return PluginSpec(Strict, setup)
"""
    bench.plugin("here", strict)
    bench.plugin("there", strict, where="partners")
    bench.plugin("broken", "import nothing_like_this\n", where="partners")
    config = bench.config(
        "{plugin: here}", "{plugin: there, config: {port: x}}", "{plugin: broken}", "{plugin: none}",
        "{plugin: here, name: fine, config: {port: 3}}",
    )  # fmt: skip
    before = asyncio.all_tasks()
    told = [str(m).replace(f"{tmp_path}/", "") for m in await check(config, tmp_path / "plugins", installed=False)]
    assert told == [
        "config.yaml:4:5: 'port' is missing",
        "config.yaml:5:36: port: input should be a valid integer, unable to parse string as an integer",
        "config.yaml:7:5: there is no plugin 'none'",
        "partners/broken/__init__.py:4:1: cannot be imported: ModuleNotFoundError: No module named 'nothing_like_this'",
    ]
    assert asyncio.all_tasks() == before
