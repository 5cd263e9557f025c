"""Third parties stay in their room, and plugins see the SDK and the capabilities only."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from tests.architecture.tree import ROOT, Import, files, imports, place, told, within

ANYWHERE = ("hub", "plugins")

# Library → where it may be imported. A library that is not here has no room in the hub yet: give it one on purpose.
ROOMS: dict[str, tuple[str, ...]] = {
    "aiohttp": ("hub.web", "plugins"),
    "aiomqtt": ("plugins",),
    "amqtt": ("plugins",),
    "argon2": ("hub.access",),
    "astral": ("hub.automation.execution.sun", "plugins"),
    "av": ("hub.vision", "plugins"),
    "cryptography": ("hub.access", "hub.store", "hub.web", "plugins"),
    "jinja2": ("hub.automation.templates", "hub.web", "plugins"),
    "llvmlite": (),
    "numba": ("hub.kernels",),
    "numpy": ("hub.kernels", "hub.vision", "plugins"),
    "onvif": ("plugins",),
    "onvif_parsers": ("plugins",),
    "orjson": ANYWHERE,
    "PIL": ("hub.vision", "plugins"),
    "onnxruntime": ("hub.vision",),
    "pluggy": ("hub.sdk", "hub.host", "plugins"),
    "pydantic": ("hub.access", "hub.app", "hub.automation", "hub.capabilities", "hub.cli", "hub.core", "hub.host",
                 "hub.sdk", "hub.store", "hub.web", "plugins"),
    "pydantic_core": ("hub.core", "hub.host", "hub.automation"),
    "pymavlink": ("plugins",),
    "pytest": ("hub.testing.contract",),
    "re2": ("hub.automation.templates.text",),
    "segno": ("plugins",),
    "sqlite3": ("hub.store",),
    "tinydb": ("hub.store.documents",),
    "weasyprint": ("hub.host.pdf_main",),
    "yaml": ("hub.automation", "hub.cli", "hub.host"),
    "zeroconf": ("plugins",),
}  # fmt: skip

# What a plugin may import of the hub. Its tests may use the test kit too.
PUBLIC = ("hub.sdk", "hub.capabilities")
KIT = "hub.testing"

# What the vision process may know of the hub: how to speak over its pipe, and the words for what goes wrong.
VISION_KNOWS = ("hub.core.wire", "hub.core.error", "hub.vision", "hub.kernels")


def strangers(found: Iterable[Import], importer: str, where: str) -> list[str]:
    """Imports of third parties by module ``importer`` that stand outside their room."""
    rows = []
    for one in found:
        top = one.module.split(".")[0]
        if top in ("hub", "plugins", "tests", "__future__") or (top in sys.stdlib_module_names and top not in ROOMS):
            continue
        if not any(within(importer, room) for room in ROOMS.get(top, ())):
            rooms = ", ".join(ROOMS.get(top, ())) or "nowhere"
            rows.append(f"{where}:{one.line} imports {top}, which may be imported in: {rooms}")
    return rows


def trespasses(found: Iterable[Import], name: str, where: str, test: bool = False) -> list[str]:
    """Imports by plugin ``name`` of the hub's inner rooms or of another plugin. ``test``: by one of its test files."""
    rows, doors = [], (*PUBLIC, KIT) if test else PUBLIC
    for one in found:
        inner = within(one.module, "hub") and not any(within(one.module, door) for door in doors)
        other = within(one.module, "plugins") and not within(one.module, f"plugins.{name}")
        if inner or other or within(one.module, "tests"):
            rows.append(f"{where}:{one.line} imports {one.module}; a plugin sees {' and '.join(doors)} only")
    return rows


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def is_test(path: Path) -> bool:
    return path.name.startswith("test_") or path.name == "conftest.py"


def test_third_parties_stay_in_their_room() -> None:
    rows = []
    for path in files("hub", endings=(".py",)):
        rows += strangers(imports(path), module_of(path), place(path))
    assert rows == [], told(rows)


def test_vision_knows_the_wire_and_the_errors_only() -> None:
    rows = [
        f"{place(path)}:{one.line} imports {one.module}; vision knows {', '.join(VISION_KNOWS)} only"
        for path in files("hub/vision", endings=(".py",))
        for one in imports(path)
        if within(one.module, "hub") and not any(within(one.module, door) for door in VISION_KNOWS)
    ]
    assert rows == [], told(rows)


def test_plugins_leave_the_stores_and_the_kernels_libraries_alone() -> None:
    rows = []
    for path in files("plugins", endings=(".py",)):
        if not is_test(path):
            known = [one for one in imports(path) if one.module.split(".")[0] in ROOMS]
            rows += strangers(known, module_of(path), place(path))
    assert rows == [], told(rows)


def test_plugins_see_the_public_contract_only() -> None:
    rows = []
    for path in files("plugins", endings=(".py",)):
        rows += trespasses(imports(path), path.relative_to(ROOT / "plugins").parts[0], place(path), is_test(path))
    assert rows == [], told(rows)


def test_a_plugin_names_its_own_modules_relatively() -> None:
    """The host loads a plugin under a name of its own, and the wheel keeps it elsewhere than ``plugins/``."""
    rows = [
        f"{place(path)}:{one.line} imports {one.module}; write it as `from .`"
        for path in files("plugins", endings=(".py",))
        if not is_test(path)
        for one in imports(path)
        if within(one.module, "plugins") and not one.relative
    ]
    assert rows == [], told(rows)


def test_the_rules_see_a_planted_trespass(tmp_path: Path) -> None:
    path = tmp_path / "plugins" / "lamp" / "device.py"
    path.parent.mkdir(parents=True)
    path.write_text(
        "import sqlite3\n"
        "from hub.core.event import Event\n"
        "from hub import web\n"
        "from ..radio import Radio\n"
        "from .fake import Lamp\n"
        "from hub.sdk import Context\n"
        "def later():\n"
        "    import plugins.radio.device\n"
    )
    found = list(imports(path, tmp_path))
    assert [one.module for one in found if one.module.startswith("plugins")] == [
        "plugins.radio.Radio", "plugins.lamp.fake.Lamp", "plugins.radio.device",
    ]  # fmt: skip
    refused = " ".join(trespasses(found, "lamp", "device.py"))
    assert [row.split(" imports ")[0] for row in trespasses(found, "lamp", "device.py")] == [
        "device.py:2", "device.py:3", "device.py:4", "device.py:8",
    ], refused  # fmt: skip
    kit = [Import("hub.testing.contract", path, 1), Import("hub.app.App", path, 2)]
    assert [row.split(" imports ")[0] for row in trespasses(kit, "lamp", "d.py")] == ["d.py:1", "d.py:2"]
    assert [row.split(" imports ")[0] for row in trespasses(kit, "lamp", "test_d.py", test=True)] == ["test_d.py:2"]
    assert strangers(found, "plugins.lamp.device", "device.py") == [
        "device.py:1 imports sqlite3, which may be imported in: hub.store"
    ]
    assert strangers(found, "hub.store.journal", "journal.py") == []
    unknown = [Import("requests.sessions", path, 3)]
    assert strangers(unknown, "hub.web", "web.py") == ["web.py:3 imports requests, which may be imported in: nowhere"]
