"""Lock files name versions and hashes; where they are fetched from is for whoever installs to choose."""

from __future__ import annotations

import json
import re
import tomllib

from tests.architecture.tree import ROOT, told

PYTHON_LOCKS = ("requirements.lock", "requirements-dev.lock")
ADDRESS = re.compile(r"https?://|git\+|file:/|^\s*(--index-url|--extra-index-url|--find-links|-i|-f)\b")


def pins(lock: str) -> dict[str, str]:
    """Distribution, in its normal spelling, → version, of a requirements file."""
    found = re.findall(r"(?m)^([A-Za-z0-9._-]+)==(\S+)", lock)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


def test_no_address_in_a_python_lock() -> None:
    rows = [
        f"{name}:{number} {line.strip()}"
        for name in PYTHON_LOCKS
        for number, line in enumerate((ROOT / name).read_text().splitlines(), 1)
        if ADDRESS.search(line)
    ]
    assert rows == [], told(rows)
    assert ADDRESS.search("--index-url https://example.org/simple")
    assert ADDRESS.search("aiohttp @ git+ssh://example.org/aiohttp")


def test_every_pin_has_a_hash() -> None:
    for name in PYTHON_LOCKS:
        blocks = re.split(r"(?m)^(?=[A-Za-z0-9])", (ROOT / name).read_text())
        bare = [block.split()[0] for block in blocks if "==" in block and "--hash=sha256:" not in block]
        assert bare == [], f"{name}: {bare}"


def test_the_locks_hold_what_the_project_needs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    runtime, dev = (pins((ROOT / name).read_text()) for name in PYTHON_LOCKS)
    needed = {re.split(r"[<>=;\[ ]", row)[0].lower() for row in project["dependencies"]}
    tools = {re.split(r"[<>=;\[ ]", row)[0].lower() for row in project["optional-dependencies"]["dev"]}
    assert needed - runtime.keys() == set()
    assert tools - dev.keys() == set()
    differing = {name: (version, dev.get(name)) for name, version in runtime.items() if dev.get(name) != version}
    assert differing == {}, "run `make lock`"


def test_no_address_in_the_board_s_lock() -> None:
    assert "omit-lockfile-registry-resolved=true" in (ROOT / ".npmrc").read_text().split()
    assert "omit-lockfile-registry-resolved=true" in (ROOT / "ui" / ".npmrc").read_text().split()
    packages = json.loads((ROOT / "ui" / "package-lock.json").read_text())["packages"]
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if name and "integrity" not in package] == []
