"""The contract's checks see what they are for: one planted fault each, and none in a plugin without."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.testing import CHECKS, Subject
from hub.testing.sampling import sample

TOML = """
name = "lamp"
api = 1
emits = ["state_changed", "lamp_lit"]
title = { th = "โคม", en = "Lamp" }
description = { th = "โคม", en = "Lamp" }

[[event_types]]
name = "lamp_lit"
title = { th = "ติด", en = "Lit" }
projection = { state = "on" }
[event_types.fields]
level = { type = "int", doc = "0 to 100" }

[[actions]]
name = "lamp.light"
title = { th = "เปิด", en = "Light" }
right = "lamp.control"
timeout_s = 3

[[views]]
id = "lamps"
kind = "table"
title = { th = "โคม", en = "Lamps" }
domain = "lamp"
"""
CODE = '''
import asyncio
import os
import socket
import threading
import time
from pathlib import Path

from pydantic import Field

from hub.sdk import ActionFailed, Config, Entity, PluginSpec, StateChanged, Text, Unavailable, plugin

# at import


class Settings(Config):
    port: int = Field(9, description="where the lamp is")


async def setup(ctx, config):
    await ctx.add(Entity("lamp.one", Text("โคม", "Lamp")))

    async def light(level: int = 100) -> None:
        # in the action
        await ctx.emit_named("lamp_lit", {"level": level}, entity="lamp.one")

    await ctx.act("lamp.light", light)
    # in set-up
    await ctx.emit(StateChanged(state="off"), entity="lamp.one")
    yield
    # in unload


@plugin
def hub_plugin():
    return PluginSpec(Settings, setup)
'''
Check = Callable[[Subject], list[str]]
BY_NAME: dict[str, Check] = {check.__name__: check for check in CHECKS}


def lamp(folder: Path, code: dict[str, str] | None = None, toml: dict[str, str] | None = None) -> Subject:
    """The lamp with replacements made in its files; a comment's replacement keeps the comment's indentation."""
    home = folder / "lamp"
    home.mkdir()
    for name, text, changes in (("__init__.py", CODE, code or {}), ("plugin.toml", TOML, toml or {})):
        for old, new in changes.items():
            assert text.count(old) == 1, old
            line = next(line for line in text.splitlines() if old in line)
            indent = line[: len(line) - len(line.lstrip())] if old.startswith("# ") else ""
            text = text.replace(old, textwrap.indent(textwrap.dedent(new).strip("\n"), indent).removeprefix(indent))
        (home / name).write_text(text)
    return Subject(home, {}, dead_config={"port": 1})


def test_the_checks_are_those_of_the_contract() -> None:
    assert list(BY_NAME) == [
        "described_without_running_it", "imported_without_side_effect", "every_field_is_described",
        "declarations_agree", "unload_leaves_nothing", "set_up_survives_a_dead_device", "actions_end_in_time",
        "a_child_is_the_same",
    ]  # fmt: skip


def test_a_good_plugin_passes(tmp_path: Path) -> None:
    subject = lamp(tmp_path)
    assert {name: check(subject) for name, check in BY_NAME.items()} == {name: [] for name in BY_NAME}


@pytest.mark.parametrize(
    ("planted", "words"),
    [
        ("kept = socket.socket()", "__init__.py:13 makes a socket while it is imported"),
        ("kept = Path('/etc/hostname').read_text()", "__init__.py:13 opens a file while it is imported"),
        ("threading.Thread(target=print).start()", "__init__.py:13 starts a thread while it is imported"),
        ("os.system('true')", "__init__.py:13 starts a program while it is imported"),
    ],
)
def test_effects_of_the_import(tmp_path: Path, planted: str, words: str) -> None:
    subject = lamp(tmp_path, {"# at import": planted})
    assert words in BY_NAME["imported_without_side_effect"](subject)
    assert BY_NAME["described_without_running_it"](subject) == []


def test_a_field_without_words(tmp_path: Path) -> None:
    subject = lamp(tmp_path, {'Field(9, description="where the lamp is")': "Field(9)"})
    assert BY_NAME["every_field_is_described"](subject) == ["Config.port has no description"]


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ({'domain = "lamp"': 'domain = "lamps"'}, "views: lamps: there is no domain 'lamps'; did you mean 'lamp'?"),
        ({'domain = "lamp"': 'event_type = "lamp_lit"'}, "views: lamps: a table needs 'domain'"),
        ({'domain = "lamp"': 'domain = "lamp"\naction = "lamp.lite"'},
         "views: lamps: there is no action 'lamp.lite'; did you mean 'lamp.light'?"),
        ({'emits = ["state_changed", "lamp_lit"]': 'emits = ["state_changed", "lamp_lit", "plate_red"]'},
         "emits: there is no event type 'plate_red'; did you mean 'plate_read'?"),
        ({'emits = ["state_changed", "lamp_lit"]': 'emits = ["state_changed", "lamp_lit", "fault"]'},
         "emits: fault is the hub's own"),
        ({'emits = ["state_changed", "lamp_lit"]': 'calls = ["incident.opn"]\nemits = ["state_changed", "lamp_lit"]'},
         "calls: there is no action 'incident.opn'; did you mean 'incident.open'?"),
        ({'emits = ["state_changed", "lamp_lit"]': 'calls = ["incident.*", "door.open", "incident.open"]\n'
                                                   'emits = ["state_changed", "lamp_lit"]'},
         ""),
        ({'projection = { state = "on" }': 'projection = { state_from = "levl" }'},
         "event_types: lamp_lit: its projection names 'levl', which is no field of it"),
        ({'right = "lamp.control"': 'right = "control"'},
         "actions: lamp.light: 'control' is no right; write domain.verb"),
        ({'[[views]]': '[[actions]]\nname = "lamp.dim"\ntitle = { th = "หรี่", en = "Dim" }\nright = "lamp.control"\n\n'
                       '[[views]]'},
         "actions: lamp.dim is declared, but the set-up does not serve it with ctx.act"),
    ],
)  # fmt: skip
def test_declarations_that_do_not_agree(tmp_path: Path, toml: dict[str, str], words: str) -> None:
    assert BY_NAME["declarations_agree"](lamp(tmp_path, toml=toml)) == ([words] if words else [])


@pytest.mark.parametrize(
    ("planted", "words"),
    [
        ("asyncio.get_running_loop().create_task(asyncio.sleep(60), name='lost')", ""),
        ("left = socket.socket(); KEPT.append(left)", "a socket is left open"),
        ("threading.Thread(target=STOP.wait, name='worker', daemon=True).start()", "the thread worker is left"),
    ],
)
def test_what_unload_leaves(tmp_path: Path, planted: str, words: str) -> None:
    subject = lamp(tmp_path, {"# at import": "KEPT = []\nSTOP = threading.Event()", "# in set-up": planted})
    found = BY_NAME["unload_leaves_nothing"](subject)
    assert found == ([words] if words else [])  # what asyncio knows as the plugin's own, the hub itself ends


def test_a_task_that_does_not_let_itself_be_ended(tmp_path: Path) -> None:
    stubborn = """
        async def stubborn():
            for _ in range(700):
                try:
                    await asyncio.sleep(0.01)
                except asyncio.CancelledError:
                    pass
        asyncio.get_running_loop().create_task(stubborn(), name='stubborn')
    """
    found = BY_NAME["unload_leaves_nothing"](lamp(tmp_path, {"# in set-up": stubborn}))
    assert "left tasks running: stubborn" in found


def test_a_set_up_that_needs_its_device(tmp_path: Path) -> None:
    subject = lamp(tmp_path, {"# in set-up": "if config.port == 1: raise Unavailable('nobody answers')"})
    assert BY_NAME["set_up_survives_a_dead_device"](subject) == [
        "the set-up did not succeed: retrying: nobody answers"
    ]
    assert BY_NAME["declarations_agree"](subject) == []


@pytest.mark.parametrize(
    ("planted", "words"),
    [
        ("await asyncio.sleep(60)", ""),
        ("""
         end = time.monotonic() + 4
         while time.monotonic() < end:
             try:
                 await asyncio.sleep(0.05)
             except asyncio.CancelledError:
                 pass
         """, "lamp.light (config): it had not ended 1 s after its limit of 1 s"),
        ("time.sleep(2.5)", "lamp.light (config): it had not ended 1 s after its limit of 1 s"),
    ],
)  # fmt: skip
def test_actions_that_do_not_end(tmp_path: Path, planted: str, words: str) -> None:
    subject = lamp(tmp_path, {"# in the action": planted})
    subject.dead_config = None
    assert BY_NAME["actions_end_in_time"](subject) == ([words] if words else [])


def test_a_child_that_differs(tmp_path: Path) -> None:
    only_here = "if __import__('sys').argv[-1].isdigit(): return"
    subject = lamp(tmp_path, {"# in the action": only_here, "# in set-up": """
        if __import__('sys').argv[-1].isdigit():
            await ctx.add(Entity("lamp.two", Text("โคม", "Lamp")))
    """})  # fmt: skip
    found = BY_NAME["a_child_is_the_same"](subject)
    assert found == ["lamp.two is there in one of the two only", "lamp_lit of lamp does not come from the child"]


def test_parameters_that_are_invented() -> None:
    schema: dict[str, Any] = {
        "properties": {
            "text": {"type": "string", "minLength": 3}, "on": {"type": "boolean"}, "free": {"type": "string"},
            "level": {"exclusiveMinimum": 2, "type": "integer"}, "kind": {"enum": ["a", "b"]},
            "where": {"$ref": "#/$defs/P"},
            "some": {"anyOf": [{"type": "number", "minimum": 0.5}, {"type": "null"}]},
            "all": {"type": "array", "items": {"type": "integer"}, "minItems": 2},
        },
        "required": ["text", "on", "level", "kind", "where", "some", "all"],
        "$defs": {"P": {"type": "object", "properties": {"lat": {"type": "number"}}, "required": ["lat"]}},
    }  # fmt: skip
    assert sample(schema) == {
        "text": "xxx", "on": True, "level": 3, "kind": "a", "where": {"lat": 1}, "some": 0.5, "all": [1, 1],
    }  # fmt: skip
