"""Nothing in ``hub/`` or ``ui/src`` knows a plugin's name: they work with what plugins declare.

A compound name (``line_oa``) means the plugin wherever it stands, even in a comment. A plain word (``units``) is also
an ordinary word of the language, so it counts only where it can mean nothing but the plugin: as a path, a module or a
source (``plugins/units``, ``instance:units``), or as the whole of a quoted string, which is how code would pick out
an instance. A word that is a capability as well (``watchlist``) belongs to the vocabulary, and its quoted form is free.
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.architecture.tree import ROOT, files, place, told


def pattern(name: str, vocabulary: set[str]) -> re.Pattern[str]:
    """What counts as naming plugin ``name``."""
    word = re.escape(name)
    if "_" in name:
        return re.compile(rf"(?<![A-Za-z0-9]){word}(?![A-Za-z0-9])")
    forms = rf"(?:plugins?[/.:]|instance[s]?[/.:]){word}\b"
    return re.compile(forms if name in vocabulary else rf"{forms}|([\"'`]){word}\1")


def named(text: str, where: str, names: set[str], vocabulary: set[str]) -> list[str]:
    """Each line of ``text`` that names a plugin."""
    patterns = {name: pattern(name, vocabulary) for name in sorted(names)}
    return [
        f"{where}:{number} names the plugin {name}: {line.strip()[:80]}"
        for number, line in enumerate(text.splitlines(), 1)
        for name, form in patterns.items()
        if form.search(line)
    ]


def plugin_names() -> set[str]:
    return {manifest.parent.name for manifest in (ROOT / "plugins").glob("*/plugin.toml")}


def vocabulary() -> set[str]:
    return {path.stem for path in (ROOT / "hub" / "capabilities").glob("[a-z]*.py")}


def general() -> list[Path]:
    return [
        *files("hub", endings=(".py", ".html", ".css", ".js", ".sql", ".toml", ".yaml", ".json")),
        *files("ui/src", endings=(".ts", ".svelte", ".css", ".json", ".html")),
    ]


def test_no_plugin_is_known_by_name() -> None:
    names, words = plugin_names(), vocabulary()
    assert len(names) >= 7, sorted(names)
    rows = [row for path in general() for row in named(path.read_text(encoding="utf-8"), place(path), names, words)]
    assert rows == [], told(rows)


def test_planted_names_are_found_and_ordinary_words_are_not() -> None:
    names, words = {"units", "line_oa", "watchlist"}, {"watchlist", "unit"}
    text = '\n'.join([
        'if instance == "units":',
        "steps of 16 units; right='watchlist.read'; kind = 'watchlist'",
        "# as in plugins/watchlist",
        "source = 'instance:units'",
        "from plugins.units import x",
        "_line_oa_token = 1",
        "const units = view.units;",
        "a newline_oath",
    ])  # fmt: skip
    rows = named(text, "a.py", names, words)
    assert [row.split(":")[1] for row in rows] == [
        "1 names the plugin units", "3 names the plugin watchlist", "4 names the plugin units",
        "5 names the plugin units", "6 names the plugin line_oa",
    ]  # fmt: skip
