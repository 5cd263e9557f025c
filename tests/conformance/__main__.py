"""``python -m tests.conformance PATH [PATH…]``: files or folders of cases, one JSON object a line."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from hub.automation.language.blueprint import folder_blueprints
from tests.conformance.case import Case, Differs
from tests.conformance.differences import reason
from tests.conformance.world import ZONE, World

WITHIN_S = 20.0
BLUEPRINTS = Path(__file__).parent / "blueprints"


def files(paths: Sequence[str]) -> Iterator[Path]:
    """The files, those of folders too."""
    for name in paths:
        path = Path(name)
        yield from sorted(path.rglob("*.jsonl")) if path.is_dir() else [path]


async def run(case: dict[str, object]) -> str:
    """"" when it passed, else what differs."""
    try:
        async with asyncio.timeout(WITHIN_S):
            zone = ZoneInfo("UTC") if "/test_template.py::" in str(case["test"]) else ZONE
            await Case(World(folder_blueprints(BLUEPRINTS), zone)).run(case)
    except Differs as differs:
        return str(differs)
    except TimeoutError:
        return f"it did not end within {WITHIN_S:g} s"
    except Exception as fault:  # a fault of one case must not hide the others
        return f"{type(fault).__name__}: {fault}"
    return ""


def main(paths: Sequence[str]) -> int:
    """One line a failing case; the exit code says whether there was one."""
    logging.disable(logging.CRITICAL)
    passed = failed = skipped = 0
    for path in files(paths):
        for line in path.read_text(encoding="utf-8").splitlines():
            case = json.loads(line)
            if reason(case["test"]) is not None:
                skipped += 1
                continue
            words = asyncio.run(run(case))
            if words:
                failed += 1
                print(f"FAILED {path.stem} {case['test']}: {words}")
            else:
                passed += 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
