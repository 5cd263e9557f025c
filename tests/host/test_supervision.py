"""Plugins that fail, hang, block, die and eat memory: the others go on, and health says which and why."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import venv
from typing import Any

import pytest

from hub.host.process import Bounds
from tests.host.conftest import Bench, eventually

HEAD = """
class Settings(Config):
    n: int = Field(1, description="a number")
"""
TAIL = """
@plugin
def hub_plugin():
    return PluginSpec(Settings, setup, setup_limit=LIMIT)
"""
BOTH = pytest.mark.parametrize("where", ["plugins", "partners"])
EMITS = 'emits = ["state_changed"]\n'


def code(body: str, limit: float = 20) -> str:
    """A plugin's ``setup`` and what belongs to it, indented by four."""
    lines = "\n".join(line.removeprefix("    ") for line in body.splitlines())
    return HEAD + lines + TAIL.replace("LIMIT", str(limit))


GOOD = code("""
    async def setup(ctx, config):
        await ctx.add(Entity("sensor.good", Text("ดี", "Good")))
        yield
""")


@BOTH
async def test_one_that_raises_is_tried_again_while_others_run(bench: Bench, where: str) -> None:
    bench.plugin("good", GOOD, where=where)
    bench.plugin("bad", code("""
    async def setup(ctx, config):
        raise ValueError("the wire is cut")
        yield
    """), where=where)  # fmt: skip
    await bench.start(bench.config("{plugin: good}", "{plugin: bad}"))
    assert bench.row("good")["state"] == "running"
    row = bench.row("bad")
    assert row["state"] == "retrying"
    assert row["reason"] == f"ValueError: the wire is cut ({where}/bad/__init__.py:9)"
    assert bench.states_of("bad")[:2] == [("starting", ""), ("retrying", row["reason"])]
    again = await bench.until(lambda: len(bench.states_of("bad")) >= 4 and bench.states_of("bad"))
    assert again[2:4] == [("starting", ""), ("retrying", row["reason"])]


@BOTH
async def test_a_dead_device_is_said_in_its_own_words(bench: Bench, where: str) -> None:
    bench.plugin("dead", code("""
    async def setup(ctx, config):
        raise Unavailable("no answer", where="10.0.0.9", hint="is it on?")
        yield
    """), where=where)  # fmt: skip
    await bench.start(bench.config("{plugin: dead}"))
    assert (bench.row("dead")["state"], bench.row("dead")["reason"]) == (
        "retrying", "10.0.0.9: no answer (is it on?)"
    )  # fmt: skip


@BOTH
async def test_one_that_hangs_is_ended_at_its_limit(bench: Bench, where: str) -> None:
    bench.plugin("slow", code("""
    async def setup(ctx, config):
        await asyncio.sleep(3600)
        yield
    """, limit=0.3), where=where)  # fmt: skip
    await bench.start(bench.config("{plugin: slow}"))
    assert bench.row("slow")["state"] == "retrying"
    assert bench.row("slow")["reason"].startswith("set-up took longer than 0.3 s")


@BOTH
async def test_a_wrong_configuration_fails_with_its_line(bench: Bench, where: str) -> None:
    bench.plugin("good", GOOD, where=where)
    bench.plugin("strict", GOOD.replace("Settings", "Strict"), where=where)
    config = bench.config("{plugin: good}", "plugin: strict\n    config:\n      nn: 1\n      n: x")
    await bench.start(config)
    assert bench.row("good")["state"] == "running" and bench.row("strict")["state"] == "failed"
    told = bench.row("strict")["reason"].replace(str(bench.folder) + "/", "")
    assert sorted(told.splitlines()) == [
        "config.yaml:7:7: unknown field 'nn'; did you mean 'n'?",
        "config.yaml:8:10: n: input should be a valid integer, unable to parse string as an integer",
    ]


@BOTH
async def test_code_that_cannot_be_imported_fails_with_its_line(bench: Bench, where: str) -> None:
    bench.plugin("broken", "\nimport no_such_library\n", where=where)
    await bench.start(bench.config("{plugin: broken}"))
    told = bench.row("broken")["reason"]
    assert bench.row("broken")["state"] == "failed"
    assert told.startswith(f"{bench.folder}/{where}/broken/__init__.py:5:1: cannot be imported: ModuleNotFoundError")


async def test_an_unknown_plugin_and_a_wrong_manifest(bench: Bench) -> None:
    folder = bench.plugin("good", GOOD)
    bench.plugin("odd", GOOD, toml="colour = 3\n")
    host = bench.build()
    config = bench.config("{plugin: goood}")
    told = [str(m).replace(f"{bench.folder}/", "") for m in host.prepare(config)]
    assert told == [
        "plugins/odd/plugin.toml:1:1: colour: extra inputs are not permitted",
        "config.yaml:4:5: there is no plugin 'goood'; did you mean 'good'?",
    ]
    assert folder.is_dir() and list(host.discovery.found) == ["good"]


async def test_the_line_that_blocks_the_loop_is_named(bench: Bench) -> None:
    bench.plugin("blocker", "import time\n" + code("""
    async def setup(ctx, config):
        async def block():
            time.sleep(1.2)
        await ctx.every(0.05, block)
        yield
    """))  # fmt: skip
    await bench.start(bench.config("{plugin: blocker}"))
    fault = (await bench.until(lambda: bench.events("fault")))[0]
    assert re.fullmatch(r"blocked the hub for 1\.\d s at plugins/blocker/__init__\.py:11", fault.data["message"])
    assert fault.entity == "plugin.blocker"
    reasons = [reason for _, reason in bench.states_of("blocker")]
    assert fault.data["message"] in reasons


@BOTH
async def test_five_faults_in_a_minute_mean_a_restart(bench: Bench, where: str) -> None:
    bench.plugin("faulty", code("""
    async def setup(ctx, config):
        async def fail():
            raise RuntimeError("again")
        await ctx.every(0.01, fail)
        yield
    """), where=where)  # fmt: skip
    await bench.start(bench.config("{plugin: faulty}"))
    states = await bench.until(
        lambda: next((s for s in bench.states_of("faulty") if s[0] == "retrying"), None)
    )
    assert states[1] == f"5 faults within a minute; the last: RuntimeError: again ({where}/faulty/__init__.py:10)"
    faults = [event.data for event in bench.events("fault")][:5]
    assert [fault["message"] for fault in faults] == [f"RuntimeError: again ({where}/faulty/__init__.py:10)"] * 5
    assert faults[0]["where"] == "faulty: every 0.01 s"


@BOTH
async def test_a_task_group_that_the_setup_holds_open(bench: Bench, where: str) -> None:
    bench.plugin("group", code("""
    async def setup(ctx, config):
        async def work():
            await asyncio.sleep(0.05)
            raise OSError("cable")
        async with asyncio.TaskGroup() as group:
            group.create_task(work())
            yield
    """), where=where)  # fmt: skip
    await bench.start(bench.config("{plugin: group}"))
    found = await bench.until(lambda: next((s for s in bench.states_of("group") if s[0] == "retrying"), None))
    assert found[1] == f"OSError: cable ({where}/group/__init__.py:11)"
    assert ("running", "") in bench.states_of("group")


async def test_unload_leaves_no_task_and_says_so_of_entities(bench: Bench) -> None:
    bench.plugin("tasks", code("""
    async def forever():
        await asyncio.sleep(3600)

    async def setup(ctx, config):
        await ctx.add(Entity("sensor.a", Text("ก", "A")))
        asyncio.create_task(forever(), name="left-behind")
        async def tick():
            asyncio.create_task(forever(), name="left-by-tick")
            await asyncio.sleep(3600)
        await ctx.every(0.01, tick)
        await ctx.emit(StateChanged(state="on"), entity="sensor.a")
        yield
    """), toml=EMITS)  # fmt: skip
    await bench.start(bench.config("{plugin: tasks}"))
    await eventually(lambda: {"left-behind", "left-by-tick"} <= {task.get_name() for task in asyncio.all_tasks()})
    await bench.host.stop()
    left = {task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()}
    assert not {name for name in left if "left" in name or "tasks" in name}
    state = bench.pipeline.state.get("sensor.a")
    assert state is not None and state.state == "on" and state.attributes["available"] is False
    assert bench.states_of("tasks")[-1] == ("stopped", "")


async def test_unload_that_hangs_is_bounded(bench: Bench) -> None:
    bench.plugin("stuck", code("""
    async def setup(ctx, config):
        yield
        await asyncio.sleep(3600)
    """, limit=0.2))  # fmt: skip
    await bench.start(bench.config("{plugin: stuck}"))
    async with asyncio.timeout(5):
        await bench.host.stop()
    assert bench.row("stuck")["state"] == "stopped"


async def test_health_that_a_plugin_says_of_itself(bench: Bench) -> None:
    bench.plugin("well", code("""
    async def setup(ctx, config):
        await ctx.health(False, "the modem has no signal")
        async def well():
            await ctx.health(True)
        await ctx.every(0.1, well)
        yield
    """))  # fmt: skip
    await bench.start(bench.config("{plugin: well}"))
    await bench.until(lambda: bench.states_of("well")[-1] == ("running", ""))
    assert ("retrying", "the modem has no signal") in bench.states_of("well")


# --- children


def pid_of(bench: Bench, name: str) -> int:
    return next(int(row["pid"]) for row in bench.host.processes() if row["name"] == name)


async def test_a_killed_child_is_started_again(bench: Bench) -> None:
    bench.plugin("good", GOOD, where="partners")
    await bench.start(bench.config("{plugin: good}"))
    first = pid_of(bench, "good")
    os.kill(first, signal.SIGKILL)
    await bench.until(lambda: ("retrying", "its process was killed by SIGKILL") in bench.states_of("good"))
    assert bench.pipeline.state.get("sensor.good").attributes["available"] is False  # type: ignore[union-attr]
    await bench.until(lambda: bench.row("good")["state"] == "running")
    assert pid_of(bench, "good") != first
    assert bench.pipeline.state.get("sensor.good").attributes["available"] is True  # type: ignore[union-attr]


async def test_a_child_that_eats_memory_is_killed(bench: Bench) -> None:
    bench.plugin("glutton", code("""
    async def setup(ctx, config):
        held = []
        async def eat():
            held.append(bytearray(b"x") * (16 << 20))
        await ctx.every(0.01, eat)
        yield
    """), where="partners")  # fmt: skip
    await bench.start(bench.config("{plugin: glutton, memory_mb: 128}"))
    found: Any = await bench.until(lambda: next((r for s, r in bench.states_of("glutton") if s == "retrying"), None))
    used = re.fullmatch(r"used (\d+) MB of its 128 MB", found)
    assert used and 128 <= int(used[1]) < 1024


async def test_a_silent_child_is_killed_and_its_line_named(bench: Bench) -> None:
    bench.plugin("mute", "import time\n" + code("""
    async def setup(ctx, config):
        async def block():
            time.sleep(60)
        await ctx.every(0.2, block)
        yield
    """), where="partners")  # fmt: skip
    await bench.start(bench.config("{plugin: mute}"), Bounds(ping_s=0.2, silent_s=0.5))
    found = await bench.until(lambda: next((r for s, r in bench.states_of("mute") if s == "retrying"), None))
    assert found == "did not answer for 0.5 s (partners/mute/__init__.py:11)"


async def test_a_child_that_exits_says_its_last_words(bench: Bench) -> None:
    bench.plugin("leaver", "import os\n" + code("""
    async def setup(ctx, config):
        print("good bye")
        os._exit(3)
        yield
    """), where="partners")  # fmt: skip
    await bench.start(bench.config("{plugin: leaver}"))
    assert (bench.row("leaver")["state"], bench.row("leaver")["reason"]) == (
        "retrying", "its process ended with code 3: good bye"
    )  # fmt: skip


async def test_a_child_does_not_see_the_hubs_environment(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_SECRET", "s3cret")
    bench.plugin("nosy", "import os\n" + code("""
    async def setup(ctx, config):
        await ctx.add(Entity("sensor.env", Text("ก", "A"), attributes={"env": sorted(os.environ), "pid": os.getpid()}))
        yield
    """), where="partners")  # fmt: skip
    await bench.start(bench.config("{plugin: nosy}"))
    state = bench.pipeline.state.get("sensor.env")
    assert state is not None and state.attributes["pid"] == pid_of(bench, "nosy") != os.getpid()
    assert "HUB_SECRET" not in state.attributes["env"] and "PATH" in state.attributes["env"]


async def test_no_code_of_a_partner_runs_in_the_hub(bench: Bench) -> None:
    bench.plugin("partner", "import sys\nsys.modules['partner_was_here'] = sys\n" + GOOD, where="partners")
    host = await bench.start(bench.config("{plugin: partner}"))
    assert bench.row("partner")["isolation"] == "child" and bench.row("partner")["state"] == "running"
    assert "partner_was_here" not in sys.modules and "hub_plugins.partner" not in sys.modules
    assert host.describe()[0]["schema"]["properties"]["n"]["description"] == "a number"


async def test_the_hub_goes_and_takes_its_children_along(bench: Bench) -> None:
    bench.plugin("good", GOOD, where="partners")
    await bench.start(bench.config("{plugin: good}"))
    pid = pid_of(bench, "good")
    await bench.host.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_child_runs_in_its_own_environment(bench: Bench) -> None:
    folder = bench.plugin("own", "import sys\nfrom special_library import NAME\n" + code("""
    async def setup(ctx, config):
        await ctx.add(Entity("sensor.own", Text("ก", "A"), attributes={"prefix": sys.prefix, "library": NAME}))
        yield
    """), where="partners")  # fmt: skip
    await asyncio.to_thread(venv.create, folder / ".venv", symlinks=True)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    (folder / ".venv" / "lib" / version / "site-packages" / "special_library.py").write_text("NAME = 'special'\n")
    await bench.start(bench.config("{plugin: own}"))
    state = bench.pipeline.state.get("sensor.own")
    assert state is not None, bench.row("own")
    assert (state.attributes["prefix"], state.attributes["library"]) == (str(folder / ".venv"), "special")
