"""``hub new plugin`` writes a plugin that passes its own tests and ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hub.cli.reference.fields import field_rows, settings_table
from hub.core.error import Conflict, InvalidInput
from hub.host.registry import Registry
from hub.sdk.scaffold import write_plugin
from tests.architecture.test_rooms import trespasses
from tests.architecture.tree import ROOT, imports


def test_its_tests_pass_where_it_stands(tmp_path: Path) -> None:
    written = write_plugin(tmp_path, "gate_lamp")
    assert [path.name for path in written] == [
        "README.md", "__init__.py", "device.py", "fake.py", "plugin.toml", "test_gate_lamp.py",
    ]  # fmt: skip
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path / "gate_lamp")]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "11 passed" in ran.stdout, ran.stdout


def test_it_keeps_our_style(tmp_path: Path) -> None:
    folder = write_plugin(tmp_path / "plugins", "gate_lamp")[0].parent
    config = ["--config", str(ROOT / "pyproject.toml")]
    ruff = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", *config, "--ignore", "S,D,T20", str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ruff.returncode == 0, ruff.stdout
    for path in folder.glob("*.py"):
        assert trespasses(imports(path, tmp_path), "gate_lamp", path.name, path.name.startswith("test_")) == []


def test_its_readme_has_the_table_that_the_reference_makes(tmp_path: Path) -> None:
    folder = write_plugin(tmp_path, "gate_lamp")[0].parent
    rows = settings_table(field_rows(Registry().load("gate_lamp", folder).config))
    between = (folder / "README.md").read_text().split("<!-- config -->\n")[1].split("<!-- /config -->")[0]
    assert between.splitlines() == rows


@pytest.mark.parametrize(
    "name", ["", "Gate", "1gate", "gate-lamp", "json", "class", "hub", "x" * 41, "../gate", "ประตู"]
)
def test_names_that_cannot_be(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match=r"another name|cannot be a plugin's name"):
        write_plugin(tmp_path / "plugins", name)
    assert not (tmp_path / "plugins").exists()


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "gate").mkdir()
    (tmp_path / "gate" / "mine.py").write_text("x = 1\n")
    with pytest.raises(Conflict, match="there is such a plugin already"):
        write_plugin(tmp_path, "gate")
    assert [path.name for path in (tmp_path / "gate").iterdir()] == ["mine.py"]
    with pytest.raises(Conflict):
        write_plugin(tmp_path, "lamp", taken={"lamp"})
