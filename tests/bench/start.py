"""What a start costs until the hub serves: ``python -m tests.bench start [--no-demo]``.

CPU seconds and resident memory from ``/proc`` (proc(5): ``stat`` fields utime and stime, ``status`` VmRSS) of real
processes, read at the moment the hub says its address: an empty zone, and the demo zone with all its processes.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from tests.demo import demo_config
from tests.scenarios.serve import Served

TICK = os.sysconf("SC_CLK_TCK")
EMPTY = "zone: {name: empty, center: [17.0, 99.8]}\nweb: {port: 0}\n"


def report(name: str, value: float, unit: str) -> None:
    print(json.dumps({"name": name, "value": round(value, 3), "unit": unit}), flush=True)


def cpu_s(pid: int) -> float:
    """User and system time of a process and of its ended children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICK


def rss_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)


def descendants(pid: int) -> list[int]:
    """Its children, their children, and so on."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    found = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    return found + [deeper for child in found for deeper in descendants(child)]


def title(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    return " ".join(Path(word).name for word in words if word and not word.startswith("-") and len(word) < 80)[:60]


def measure(label: str, config: Path, environ: dict[str, str], settle_s: float) -> None:
    with tempfile.TemporaryDirectory() as data:
        begun = time.monotonic()
        with Served(config, Path(data) / "data", environ) as hub:
            pid = hub.process.pid
            report(f"{label}: start to serving", time.monotonic() - begun, "s")
            report(f"{label}: hub process, CPU until it serves", cpu_s(pid), "s")
            report(f"{label}: hub process, resident", rss_mb(pid), "MB")
            if settle_s:
                time.sleep(settle_s)  # not a wait for something: the figures are of this moment
                for other in [pid, *descendants(pid)]:
                    report(f"{label}: after {settle_s:g} s, {title(other)}, CPU", cpu_s(other), "s")
                    report(f"{label}: after {settle_s:g} s, {title(other)}, resident", rss_mb(other), "MB")
            hub.stop()


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench start", description=__doc__)
    parser.add_argument("--no-demo", action="store_true", help="the empty zone only")
    parser.add_argument("--runs", type=int, default=3, help="starts of the empty zone")
    parser.add_argument("--settle", type=float, default=15.0, help="seconds after which the demo is looked at again")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.yaml"
        config.write_text(EMPTY)
        for _ in range(options.runs):
            measure("empty zone", config, {}, 0)
    if not options.no_demo:
        with tempfile.TemporaryDirectory() as folder:
            config, _ = demo_config(Path(folder))  # ports of this run alone
            measure("demo zone", config, {}, options.settle)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
