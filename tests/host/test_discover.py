"""Plugins are found by their ``plugin.toml``, without running any of their code."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from hub.core.error import ConfigError
from hub.host import discover as module
from hub.host.discover import builtin_folder, discover
from hub.host.registry import Registry
from tests.host.conftest import Bench

BOOM = "raise SystemExit('this code ran')\n"


def test_no_code_runs_and_the_first_of_a_name_stays(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.plugin("a", BOOM)
    bench.plugin("b", BOOM, where="partners")
    bench.plugin("a", BOOM, where="partners")
    bench.plugin("c", BOOM, where="partners", toml='roles = ["system"]\n')
    folder = bench.plugin("d", BOOM, where="partners")
    (folder / "plugin.toml").write_text('name = "other"\n')
    found = discover([tmp_path / "partners", tmp_path / "plugins", tmp_path / "none"], tmp_path / "plugins", False)
    assert {name: (plugin.builtin, plugin.child) for name, plugin in found.found.items()} == {
        "a": (True, False), "b": (False, True)
    }  # fmt: skip
    told = [str(mistake).replace(f"{tmp_path}/", "") for mistake in found.mistakes]
    assert told[0] == "partners/a/plugin.toml:1:1: a plugin 'a' exists already in plugins/a; this one is not used"
    assert told[1] == "partners/c/plugin.toml:1:1: a plugin may not act with the role 'system'"
    assert told[2].startswith("partners/d/plugin.toml:1:1: ") and len(told) == 3


def test_entry_points_are_found_without_importing_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench(tmp_path)
    bench.plugin("acme", BOOM)
    package = tmp_path / "acme_parts"
    package.mkdir()
    (package / "__init__.py").write_text(BOOM)
    (tmp_path / "plugins" / "acme").rename(package / "acme")
    monkeypatch.syspath_prepend(str(tmp_path))
    points = [
        EntryPoint("acme", "acme_parts.acme", module.GROUP), EntryPoint("gone", "no_such.package", module.GROUP)
    ]  # fmt: skip
    monkeypatch.setattr(module, "entry_points", lambda group: points if group == "hub.plugins" else [])
    found = discover()
    assert found.found["acme"].folder == package / "acme" and found.found["acme"].child
    assert "acme_parts" not in sys.modules
    assert [mistake.words for mistake in found.mistakes] == [
        "the entry point gone of hub.plugins names no_such.package, which holds no plugin.toml"
    ]


def test_every_plugin_of_this_installation_is_found() -> None:
    found = discover(builtin=builtin_folder(), installed=False)
    assert found.mistakes == [] and all(plugin.builtin for plugin in found.found.values())


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("x = (\n", "__init__.py:4:1: cannot be imported: SyntaxError: '(' was never closed"),
        ("1 / 0\n", "__init__.py:4:1: cannot be imported: ZeroDivisionError: division by zero"),
        ("x = 1\n", "__init__.py:1:1: declares no plugin: mark a function hub_plugin with @plugin"),
        ("@plugin\ndef hub_plugin():\n    return 1 / 0\n", "__init__.py:6:1: hub_plugin() failed: ZeroDivisionError"),
        ("@plugin\ndef hub_plugin():\n    return 3\n", "__init__.py:1:1: declares no plugin"),
        ("@plugin\ndef hub_plugin():\n    return PluginSpec(int, 0)\n", "__init__.py:1:1: PluginSpec.config must be"),
        (BOOM, "__init__.py:4:1: cannot be imported: SystemExit: this code ran"),
    ],
)
def test_what_is_wrong_with_its_code(tmp_path: Path, code: str, words: str) -> None:
    folder = Bench(tmp_path).plugin("p", code)
    with pytest.raises(ConfigError) as told:
        Registry().load("p", folder)
    assert str(told.value.mistakes[0]).removeprefix(f"{folder}/").startswith(words)


def test_relative_imports_work(tmp_path: Path) -> None:
    folder = Bench(tmp_path).plugin(
        "p",
        "from .device import NAME\n\nclass S(Config):\n    pass\n\nasync def setup(ctx, config):\n    yield\n\n"
        "@plugin\ndef hub_plugin():\n    return PluginSpec(S, setup, setup_limit=NAME)\n",
    )
    (folder / "device.py").write_text("NAME = 7.5\n")
    assert Registry().load("p", folder).setup_limit == 7.5
