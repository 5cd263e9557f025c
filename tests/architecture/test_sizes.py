"""No file is longer than 400 lines, no function longer than 70."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.architecture.tree import files, parsed, place, told

FILE_LINES = 400
FUNCTION_LINES = 70
CODE = ("hub", "plugins", "tests", "scripts", "ui")


def long_files(paths: list[Path]) -> list[str]:
    sized = [(path, path.read_text(encoding="utf-8").count("\n")) for path in paths]
    return [f"{place(path)}: {lines} lines, at most {FILE_LINES}" for path, lines in sized if lines > FILE_LINES]


def long_functions(tree: ast.Module, where: str) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                found.append(f"{where}:{node.lineno} {node.name}: {lines} lines, at most {FUNCTION_LINES}")
    return found


def test_no_file_is_too_long() -> None:
    paths = list(files(*CODE, endings=(".py", ".ts", ".svelte", ".js", ".css", ".sh")))
    assert len(paths) > 20
    rows = long_files(paths)
    assert rows == [], told(rows)


def test_no_function_is_too_long() -> None:
    rows = [row for path in files(*CODE, endings=(".py",)) for row in long_functions(parsed(path), place(path))]
    assert rows == [], told(rows)


def test_the_measure_sees_one_line_too_many(tmp_path: Path) -> None:
    right, wrong = tmp_path / "right.py", tmp_path / "wrong.py"
    right.write_text("x = 1\n" * 400)
    wrong.write_text("x = 1\n" * 401)
    assert long_files([right, wrong]) == [f"{wrong}: 401 lines, at most 400"]
    right_body, wrong_body = "    x = 1\n" * 69, "    x = 1\n" * 70
    assert long_functions(ast.parse(f"def f():\n{right_body}"), "a.py") == []
    assert long_functions(ast.parse(f"async def f():\n{wrong_body}"), "a.py") == ["a.py:1 f: 71 lines, at most 70"]
