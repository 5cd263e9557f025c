"""Every plugin says how long it may be silent, so that none of them can die unseen."""

from __future__ import annotations

from hub.sdk.manifest import load_manifest
from tests.architecture.tree import ROOT


def test_every_plugin_declares_how_long_it_may_be_silent() -> None:
    folders = sorted(path.parent for path in (ROOT / "plugins").glob("*/plugin.toml"))
    assert [path.name for path in folders if load_manifest(path).silent_after_s is None] == []
