"""The files of the tutorial, taken out of its page, are a plugin that passes its own tests; its YAML is accepted."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from hub.automation.check import check_text
from hub.cli.check import mistakes
from hub.host.config import load
from hub.sdk.manifest import load_manifest
from hub.testing import harness
from tests.architecture.tree import ROOT

PAGE = (ROOT / "docs" / "tutorial" / "plugin.md").read_text()
FILE = re.compile(r"^## [^`\n]*`(door_sensor/[^`]+)`$.*?^```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
YAML = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def write(folder: Path) -> Path:
    files = dict(FILE.findall(PAGE))
    assert sorted(files) == ["door_sensor/__init__.py", "door_sensor/plugin.toml", "door_sensor/test_door_sensor.py"]
    (folder / "door_sensor").mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder / "door_sensor"


def test_the_tutorial_s_plugin_passes_its_own_tests(tmp_path: Path) -> None:
    folder = write(tmp_path)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "9 passed" in ran.stdout, ran.stdout


def test_it_has_forty_lines(tmp_path: Path) -> None:
    code = (write(tmp_path) / "__init__.py").read_text()
    assert 35 <= len(code.splitlines()) <= 42


def test_its_configuration_and_rule_are_accepted(tmp_path: Path) -> None:
    write(tmp_path / "my_plugins")
    entry, _ = YAML.findall(PAGE)
    (tmp_path / "secrets.yaml").write_text("door_gold_shop_1: a-long-secret\n")
    path = tmp_path / "config.yaml"
    path.write_text("zone: {name: test, center: [17, 99.8]}\n" + entry)
    assert mistakes(path) == []
    config = load(path)
    assert config.instances[0].config["secret"] == "a-long-secret"
    assert load_manifest(tmp_path / "my_plugins" / "door_sensor").emits == ["door_opened", "state_changed"]


async def test_its_rule_names_every_field_that_the_running_hub_asks_for(tmp_path: Path) -> None:
    _, rule = YAML.findall(PAGE)
    config = {"id": "gold_shop_1", "name": "ร้านทอง 1", "secret": "a-long-secret"}
    async with harness(write(tmp_path), config, beside=[{"plugin": "incident_desk"}]) as hub:
        await hub.until(lambda: any(spec.name == "incident.open" for spec in hub.app.actions.specs()))
        assert check_text(rule, "rule.yaml", hub.app.catalogue()) == []
        (wrong,) = check_text(rule.replace("kind: door_open, ", ""), "rule.yaml", hub.app.catalogue())
        assert "kind" in wrong.words
