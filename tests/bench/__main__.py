"""``python -m tests.bench NAME [ARGUMENTS]``: run one benchmark, ``tests.bench.NAME.main(argv) -> int``.

Each prints JSON lines ``{"name", "value", "unit"}``.
"""

import importlib
import sys
from pathlib import Path


def run(argv: list[str]) -> int:
    """Run the benchmark ``argv[0]`` with the rest as its arguments; without one, list them."""
    names = sorted(p.stem for p in Path(__file__).parent.glob("[a-z]*.py"))
    if not argv or argv[0] not in names:
        sys.stderr.write(f"usage: python -m tests.bench NAME [ARGUMENTS]; NAME is one of {', '.join(names)}\n")
        return 2
    return int(importlib.import_module(f"tests.bench.{argv[0]}").main(argv[1:]))


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
