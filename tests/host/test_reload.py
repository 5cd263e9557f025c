"""Reload: only what changed is replaced, new before old; when a new version does not start, all is as it was."""

from __future__ import annotations

import asyncio
import socket

import pytest

from hub.core.error import ConfigError, Unavailable
from hub.core.system import AvailabilityChanged
from hub.host.reload import Change
from tests.host.conftest import Bench

CODE = """
class Settings(Config):
    sensors: list[str] = Field(default=["a"], description="which")
    ok: bool = Field(True, description="does it start")

class Eye:
    def __init__(self, version): self.version = version
    async def snapshot(self): return self.version
    async def clip(self, before_s, after_s, incident): return [self.version]

async def setup(ctx, config):
    for name in config.sensors:
        await ctx.add(Entity(f"camera.{ctx.instance}_{name}", Text(name, name), ("camera",)), Eye(VERSION))
    async def which(request): return WebResponse(200, ",".join(config.sensors).encode())
    await ctx.route("GET", "/which", which)
    await ctx.emit(StateChanged(state="up"), entity=f"camera.{ctx.instance}_{config.sensors[0]}")
    if not config.ok:
        raise Unavailable("the new one does not start")
    yield
    await ctx.emit(StateChanged(state="down"), entity=f"camera.{ctx.instance}_{config.sensors[0]}")

@plugin
def hub_plugin():
    return PluginSpec(Settings, setup)
"""
EXCLUSIVE = """
import socket

class Settings(Config):
    port: int = Field(description="port")
    ok: bool = Field(True, description="does it start")

async def setup(ctx, config):
    with socket.socket() as held:
        held.bind(("127.0.0.1", config.port))
        if not config.ok:
            raise Unavailable("no")
        yield

@plugin
def hub_plugin():
    return PluginSpec(Settings, setup)
"""
BOTH = pytest.mark.parametrize("where", ["plugins", "partners"])


def code(version: str = "one") -> str:
    return f'VERSION = "{version}"\n' + CODE


async def served(bench: Bench, entity: str) -> object:
    return (await bench.call("camera.snapshot", entity)).result


async def which(bench: Bench, name: str) -> bytes:
    from hub.sdk import WebRequest

    return (await bench.web(name, WebRequest("GET", "/which", {}, {}, b"", "1"))).body


@BOTH
async def test_only_what_changed_is_replaced(bench: Bench, where: str) -> None:
    bench.plugin("cams", code(), where=where, toml='emits = ["state_changed"]\n')
    config = bench.config("{plugin: cams, name: x}", "{plugin: cams, name: y}", "{plugin: cams, name: z}")
    await bench.start(config)
    x = bench.host.instances["x"]
    change = await bench.host.reload(
        bench.config("{plugin: cams, name: x}", "{plugin: cams, name: y, config: {sensors: [b, c]}}", "{plugin: cams}")
    )
    assert change == Change(started=("cams",), stopped=("z",), replaced=("y",), unchanged=("x",))
    assert bench.host.instances["x"] is x and sorted(bench.host.instances) == ["cams", "x", "y"]
    ids = {state.entity for state in bench.pipeline.state if state.domain in ("camera", "plugin")}
    assert ids == {
        "camera.x_a", "camera.y_b", "camera.y_c", "camera.cams_a", "plugin.x", "plugin.y", "plugin.cams"
    }  # fmt: skip
    assert await which(bench, "y") == b"b,c"
    said = [(event.entity, event.data["state"]) for event in bench.events("state_changed")]
    assert said.index(("camera.y_b", "up")) < said.index(("camera.y_a", "down"))  # the new one before the old ends


@BOTH
async def test_a_new_version_that_does_not_start_changes_nothing(bench: Bench, where: str) -> None:
    bench.plugin("cams", code(), where=where, toml='emits = ["state_changed"]\n')
    await bench.start(bench.config("{plugin: cams, name: x}", "{plugin: cams, name: y}"))
    x, y = bench.host.instances["x"], bench.host.instances["y"]
    bad = bench.config(
        "{plugin: cams, name: x, config: {sensors: [b]}}", "{plugin: cams, name: y, config: {sensors: [a], ok: false}}"
    )
    with pytest.raises(Unavailable, match=r"nothing was changed: y: .*the new one does not start"):
        await bench.host.reload(bad)
    assert (bench.host.instances["x"], bench.host.instances["y"]) == (x, y)
    assert (x.state, y.state) == ("running", "running")
    assert await served(bench, "camera.x_a") == await served(bench, "camera.y_a") == "one"
    assert await which(bench, "y") == b"a"
    assert bench.pipeline.state.get("camera.x_b") is None
    for name in ("camera.x_a", "camera.y_a"):
        state = bench.pipeline.state.get(name)
        assert state is not None and state.attributes["available"] is True, name


async def test_a_wrong_configuration_changes_nothing(bench: Bench) -> None:
    bench.plugin("cams", code(), toml='emits = ["state_changed"]\n')
    await bench.start(bench.config("{plugin: cams}"))
    before = bench.host.instances["cams"]
    with pytest.raises(ConfigError, match=r"config.yaml:4:5: there is no plugin 'cam'; did you mean 'cams'"):
        await bench.host.reload(bench.config("{plugin: cam}"))
    with pytest.raises(ConfigError, match=r"config.yaml:4:33: unknown field 'sensor'; did you mean 'sensors'"):
        await bench.host.reload(bench.config("{plugin: cams, config: {    sensor: [b]}}"))
    assert bench.host.instances == {"cams": before} and before.state == "running"


@BOTH
async def test_changed_files_are_taken_up(bench: Bench, where: str) -> None:
    bench.plugin("cams", code("one"), where=where, toml='emits = ["state_changed"]\n')
    await bench.start(bench.config("{plugin: cams}"))
    assert await served(bench, "camera.cams_a") == "one"
    bench.plugin("cams", code("second"), where=where, toml='emits = ["state_changed"]\n')
    change = await bench.host.reload(bench.config("{plugin: cams}"))
    assert change.replaced == ("cams",) and await served(bench, "camera.cams_a") == "second"
    assert (await bench.host.reload(bench.config("{plugin: cams}"))).unchanged == ("cams",)


async def test_an_exclusive_one_stops_first_and_comes_back(bench: Bench) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    bench.plugin("port", EXCLUSIVE, toml="exclusive = true\n")
    await bench.start(bench.config(f"{{plugin: port, config: {{port: {port}}}}}"))
    with pytest.raises(Unavailable, match="nothing was changed"):
        await bench.host.reload(bench.config(f"{{plugin: port, config: {{port: {port}, ok: false}}}}"))
    await bench.until(lambda: bench.row("port")["state"] == "running")
    change = await bench.host.reload(bench.config(f"{{plugin: port, config: {{ok: true, port: {port}}}}}"))
    assert change.replaced == ("port",) and bench.row("port")["state"] == "running"


async def test_what_is_configured_no_more_is_gone_after_a_start(bench: Bench) -> None:
    bench.plugin("cams", code(), toml='emits = ["state_changed"]\n')
    await bench.start(bench.config("{plugin: cams, name: x}", "{plugin: cams, name: y, config: {sensors: [a, b]}}"))
    await bench.host.stop()
    bench.build()
    bench.host.prepare(bench.config("{plugin: cams, name: y}"))
    await bench.host.start()
    await bench.pipeline.settled()
    assert {state.entity for state in bench.pipeline.state} == {"camera.y_a", "plugin.y"}


async def test_restart_by_hand(bench: Bench) -> None:
    bench.plugin("cams", code(), where="partners", toml='emits = ["state_changed"]\n')
    await bench.start(bench.config("{plugin: cams}"))
    first = next(row["pid"] for row in bench.host.processes() if row["name"] == "cams")
    assert await bench.host.restart("cams") == "running"
    assert next(row["pid"] for row in bench.host.processes() if row["name"] == "cams") != first
    await asyncio.sleep(0)
    assert [state for state, _ in bench.states_of("cams")] == [
        "starting", "running", "stopped", "starting", "running"
    ]  # fmt: skip


async def test_what_is_switched_off_or_wrong_is_not_available(bench: Bench) -> None:
    bench.plugin("cams", code(), toml='emits = ["state_changed"]\n')
    await bench.start(bench.config("{plugin: cams, name: x}", "{plugin: cams, name: y}"))
    await bench.host.stop()
    for name in ("x", "y"):  # as after a kill -9: nobody has said that they are gone
        bench.host.entities._emit(AvailabilityChanged(available=True), name, f"camera.{name}_a")
    bench.build()
    bench.host.prepare(bench.config("{plugin: cams, name: x, enabled: false}", "{plugin: cams, name: y, confg: {}}"))
    await bench.host.start()
    told = {
        name: bench.pipeline.state.get(name).attributes.get("reason")  # type: ignore[union-attr]
        for name in ("camera.x_a", "camera.y_a")
    }
    assert told == {"camera.x_a": "its plugin is switched off", "camera.y_a": "its plugin cannot start"}
    assert list(bench.host.instances) == ["y"] and bench.row("y")["state"] == "failed"
    assert bench.pipeline.state.get("plugin.x") is None
