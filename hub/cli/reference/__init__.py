"""``hub reference``: makes ``docs/reference`` and the settings tables of the plugins' READMEs, or checks them."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

from hub.cli import options
from hub.core.error import NotFound

_BLOCK = re.compile(r"(<!-- config -->\n).*?(<!-- /config -->)", re.DOTALL)


def add(commands: options.Commands) -> None:
    """Declare the command."""
    made = options.command(commands, "reference", _reference, "make the reference pages from the code")
    made.add_argument("--check", action="store_true", help="change nothing; exit 1 when a page is stale")
    made.add_argument(
        "--out", type=Path, default=Path("docs/reference"), metavar="DIR", help="where (default: docs/reference)"
    )


def _reference(given: argparse.Namespace) -> int:
    if not given.out.is_dir():
        raise NotFound("there is no such folder", where=str(given.out), hint="run it in the checkout")
    stale = [(path, text) for path, text in files(given.out, given.parser) if _now(path) != text]
    for path, text in stale:
        if not given.check:
            path.write_text(text, encoding="utf-8")
        print(f"{path}: {'stale: run hub reference' if given.check else 'written'}")
    return 1 if given.check and stale else 0


def files(out: Path, parser: argparse.ArgumentParser) -> Iterator[tuple[Path, str]]:
    """Each generated file with what it should hold. ``parser``: all commands."""
    from hub.cli.reference import pages
    from hub.host.discover import builtin_folder, discover

    plugins = discover((), builtin_folder(), installed=False).found
    for name, make in pages.PAGES.items():
        yield out / name, make(plugins)
    yield out / "commands.md", pages.commands(parser)
    for name, spec in pages.specs(plugins):
        readme = plugins[name].folder / "README.md"
        if (text := _now(readme)) is not None and _BLOCK.search(text):
            rows = "\n".join(pages.plugin_settings(spec))
            yield readme, _BLOCK.sub(lambda found, rows=rows: f"{found[1]}{rows}\n{found[2]}", text)  # type: ignore[misc]


def _now(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
