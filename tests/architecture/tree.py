"""The checkout as the architecture tests see it: its own files, their syntax trees and what they import."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOREIGN = {"node_modules", "ui_dist", "__pycache__", "dist", "build"}


def files(*folders: str, endings: tuple[str, ...], root: Path = ROOT) -> Iterator[Path]:
    """Our own files under ``folders`` whose names end so, in order; nothing built, installed or hidden."""
    for folder in folders:
        for path in sorted((root / folder).rglob("*")):
            parts = path.relative_to(root).parts
            own = not any(part in FOREIGN or part.startswith(".") for part in parts)
            if own and path.suffix in endings and path.is_file():
                yield path


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of one Python file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def place(path: Path, root: Path = ROOT) -> str:
    """How a person finds the file: its path from the top, with slashes."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


@dataclass(frozen=True)
class Import:
    """One imported module by its absolute dotted name, and where the import stands."""

    module: str
    path: Path
    line: int
    relative: bool = False


def imports(path: Path, root: Path = ROOT) -> Iterator[Import]:
    """Every import in a file, also those within functions. ``from a import b`` counts as ``a.b``."""
    package = path.relative_to(root).with_suffix("").parts
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield Import(name.name, path, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level] if node.level else ()
            base = ".".join([*above, *(node.module or "").split(".")]).strip(".")
            for name in node.names:
                yield Import(f"{base}.{name.name}", path, node.lineno, relative=node.level > 0)


def within(module: str, room: str) -> bool:
    """Whether a dotted name is ``room`` or lies in it."""
    return module == room or module.startswith(room + ".")


def told(rows: list[str]) -> str:
    """The rows of a failure, one a line."""
    return "\n" + "\n".join(rows)
