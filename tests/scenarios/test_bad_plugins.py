"""Four bad plugins: the rest runs on, and the health page says which and why."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

import hub.host.host as host_module
from hub.host.discover import builtin_folder
from tests.scenarios.conftest import Begin
from tests.scenarios.kit import unit_secret, write_plugin, write_zone

RAISES = """\
async def setup(ctx, config):
    raise RuntimeError("the serial port is on fire")
    yield

@plugin
def hub_plugin():
    return PluginSpec(Config, setup)
"""
HANGS = """\
async def setup(ctx, config):
    await asyncio.Event().wait()
    yield

@plugin
def hub_plugin():
    return PluginSpec(Config, setup, setup_limit=1.0)
"""
EATS = """\
async def setup(ctx, config):
    held = []
    async def eat() -> None:
        held.append(bytearray(24 << 20))
    await ctx.every(0.02, eat)
    yield

@plugin
def hub_plugin():
    return PluginSpec(Config, setup)
"""
# In the hub's own process: only what came with the hub may be, so it stands in a copy of the built-in folder.
BLOCKS = """\
import time

async def setup(ctx, config):
    async def block(request: WebRequest) -> WebResponse:
        time.sleep(1.5)
        return WebResponse()
    await ctx.route("POST", "block", block)
    yield

@plugin
def hub_plugin():
    return PluginSpec(Config, setup)
"""


@pytest.fixture
def with_blocker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The built-in plugins and one that blocks the loop."""
    folder = tmp_path / "builtin"
    folder.mkdir()
    for name in ("incident_desk", "watchlist", "units"):
        (folder / name).symlink_to(builtin_folder() / name)
    write_plugin(tmp_path, "blocks", BLOCKS).rename(folder / "blocks")
    monkeypatch.setattr(host_module, "builtin_folder", lambda: folder)


def line_of(code: str, words: str) -> int:
    """The line of the plugin's file in which these words stand; ``write_plugin`` puts four lines before it."""
    return next(n for n, line in enumerate(code.splitlines(), 5) if words in line)


async def test_four_bad_plugins_harm_nobody_else(begin: Begin, with_blocker: None, tmp_path: Path) -> None:
    write_plugin(tmp_path, "raises", RAISES)
    write_plugin(tmp_path, "hangs", HANGS)
    write_plugin(tmp_path, "eats", EATS)
    more = "  - {plugin: raises}\n  - {plugin: hangs}\n  - {plugin: eats, memory_mb: 128}\n  - {plugin: blocks}\n"
    begun = time.monotonic()
    scene = await begin(write_zone(tmp_path, plugins=more))
    assert time.monotonic() - begun < 14  # nobody waited for the one that hangs
    client = scene.machine("commander")

    async def rows() -> dict[str, Any]:
        return {row["instance"]: row for row in (await client.get("/api/health"))["plugins"]}

    async def first_reason(plugin: str) -> str:
        found = await scene.event("instance_changed", state="retrying", plugin=plugin)
        return str(found.data["reason"])

    assert re.fullmatch(r".*used \d{3} MB of its 128 MB.*", await first_reason("eats"))
    found = await rows()
    line = line_of(RAISES, "on fire")
    assert found["raises"]["state"] in ("retrying", "starting")
    reason = await first_reason("raises")
    assert f"raises/__init__.py:{line}" in reason and "the serial port is on fire" in reason
    assert "1 s" in await first_reason("hangs")

    async with scene.http.post(f"{scene.app.url}/hook/blocks/block") as answer:
        assert answer.status == 200
    blocked = await scene.event("fault")
    words = f"{blocked.data['where']} {blocked.data['message']}"
    assert re.search(rf"blocked the hub for [12]\.\d s at .*blocks/__init__.py:{line_of(BLOCKS, 'time.sleep')}", words)

    found = await rows()
    assert {name: found[name]["state"] for name in ("incident_desk", "watchlist", "units", "blocks")} == {
        "incident_desk": "running", "watchlist": "running", "units": "running", "blocks": "running",
    }  # fmt: skip
    assert found["blocks"]["faults"] == 1 and "blocked the hub" in found["blocks"]["reason"]
    assert (await client.get("/api/health"))["status"] == "degraded"
    assert "hub" in {row["name"] for row in (await client.get("/api/health"))["processes"]}
    incident = await (await scene.person("ccoc")).act("incident.call_note", text="smoke at the market")
    assert (await client.get(f"/api/incidents/{incident}"))["state"] == "open"
    query = {"id": "s1", "secret": unit_secret("s1"), "lat": "17.0", "lon": "99.8", "timestamp": str(int(time.time()))}
    async with scene.http.post(f"{scene.app.url}/hook/units/position", params=query) as answer:
        assert answer.status == 200
