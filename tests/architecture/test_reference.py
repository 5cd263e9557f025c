"""The reference pages are what the code says, and the words that code cannot say itself are complete."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel

from hub.cli import build_parser
from hub.cli.reference import _now, words
from hub.cli.reference import files as generated
from hub.cli.reference.fields import field_rows
from hub.host.config import _ENTRY, TOP
from hub.host.settings import Children, Upkeep, Web, Zone
from hub.sdk.manifest import Manifest
from tests.architecture.tree import ROOT, told

OUT = ROOT / "docs" / "reference"


def files(out: Path) -> list[tuple[Path, str]]:
    return list(generated(out, build_parser()))


def stale(out: Path) -> list[str]:
    return [str(path) for path, text in files(out) if _now(path) != text]


def test_the_reference_is_up_to_date() -> None:
    rows = stale(OUT)
    assert rows == [], told([*rows, "run: hub reference"])


def test_a_page_that_differs_is_seen(tmp_path: Path) -> None:
    for path, text in files(tmp_path):
        if path.parent == tmp_path:
            path.write_text(text)
    assert [row for row in stale(tmp_path) if row.startswith(str(tmp_path))] == []
    page = tmp_path / "roles.md"
    page.write_text(page.read_text().replace("●", "○", 1))
    assert [row for row in stale(tmp_path) if row.startswith(str(tmp_path))] == [str(page)]


def test_pages_are_the_same_each_time() -> None:
    assert files(OUT) == files(OUT)


def fields_of(models: Iterable[type[BaseModel]], known: dict[str, str]) -> set[str]:
    rows = [row for model in models for row in field_rows(model, known)]
    return {f"{row.owner}.{row.name.rpartition('.')[2]}" for row in rows}


def test_every_field_of_the_hub_s_files_is_explained() -> None:
    assert set(TOP) == words.TOP.keys()
    assert set(_ENTRY) == words.ENTRY.keys()
    assert fields_of((Zone, Web, Upkeep, Children), words.SETTINGS) == words.SETTINGS.keys()
    assert fields_of((Manifest,), words.MANIFEST) == words.MANIFEST.keys()


def test_every_setting_of_every_plugin_is_explained() -> None:
    page = (OUT / "configuration.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert [row for row in rows if row.endswith("|  |")] == []
    assert len(rows) > 60


def test_pages_hold_what_they_are_for() -> None:
    text = {path.name: text for path, text in files(OUT) if path.parent == OUT}
    assert "## plate_read\n" in text["events.md"]
    assert "| `number` | text" in text["events.md"]
    assert "### drone.dispatch\n" in text["actions.md"]
    assert "Right `drone.dispatch`" in text["actions.md"]
    assert "| `unit.set_status` |" not in text["actions.md"]
    assert "`async alert(text: str" in text["capabilities.md"]
    assert "## hub user add\n" in text["commands.md"]
    assert "| `--role ROLE` |" in text["commands.md"]
    assert "| `views[].kind` |" not in text["plugins.md"]
    assert "| `kind` | one of `table`, `form`, `map`" in text["plugins.md"]
    right = next(line for line in text["roles.md"].splitlines() if line.startswith("| `watchlist.approve`"))
    head = next(line for line in text["roles.md"].splitlines() if line.startswith("| right"))
    have = [role for role, mark in zip(head.split("|"), right.split("|"), strict=True) if mark.strip() == "●"]
    assert [role.strip() for role in have] == ["commander"]
