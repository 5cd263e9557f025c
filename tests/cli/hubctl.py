"""Runs the command ``hub`` as a person does: a process of its own."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Said:
    """What it said."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


def hub(*arguments: object, stdin: str | bytes = "", within: float = 60.0) -> Said:
    given = stdin if isinstance(stdin, bytes) else stdin.encode()
    command = [sys.executable, "-m", "hub", *map(str, arguments)]
    ran = subprocess.run(command, input=given, capture_output=True, timeout=within, check=False)
    said = Said(ran.returncode, ran.stdout.decode(), ran.stderr.decode())
    assert "Traceback" not in said.err, said.err
    return said
