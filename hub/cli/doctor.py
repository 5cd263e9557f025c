"""``hub doctor``: is this machine fit to run the hub?"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hub.cli import options

if TYPE_CHECKING:
    from hub.host.config import HubConfig

LEAST_PYTHON = (3, 11)
LEAST_FREE = 2 << 30  # below it the hub begins to shed telemetry (hub.store.space)
_BUILT_AFTER = 1_760_000_000.0  # no clock can be right that is before this program


@dataclass(frozen=True, slots=True)
class Finding:
    """One look: ``level`` is ok, warning (it runs, with less) or bad; ``hint`` says what to do."""

    level: str
    words: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.level:<8} {self.words}" + (f" ({self.hint})" if self.hint else "")


def add(commands: options.Commands) -> None:
    """Declare the command."""
    doctor = options.command(commands, "doctor", _doctor, "look at this machine: disk, clock, programs, port, keys")
    options.data(doctor)
    options.config(doctor)


def _doctor(given: argparse.Namespace) -> int:
    from hub.host.config import load

    findings = list(look(load(given.config), given.data))
    for finding in findings:
        print(finding)
    return 1 if any(finding.level == "bad" for finding in findings) else 0


def look(config: HubConfig, data: Path) -> Iterator[Finding]:
    """All findings."""
    yield python()
    yield disk(data)
    yield clock()
    yield master_key(data)
    yield port(config, data)
    yield from programs(config)


def python() -> Finding:
    """The interpreter."""
    here = ".".join(map(str, sys.version_info[:3]))
    fits = tuple(sys.version_info) >= LEAST_PYTHON  # pip asks too, but not where the code is only copied
    return Finding("ok" if fits else "bad", f"Python {here}", "" if fits else "3.11 or newer is needed")


def disk(data: Path) -> Finding:
    """Space where the data are, or will be."""
    folder = next(path for path in (data.absolute(), *data.absolute().parents) if path.is_dir())
    free = shutil.disk_usage(folder).free
    words = f"{free / (1 << 30):.1f} GiB free for {data}"
    if not os.access(folder, os.W_OK):
        return Finding("bad", f"{folder} may not be written", "give it to the hub's user")
    return Finding("ok", words) if free >= LEAST_FREE else Finding("bad", words, "free space: at least 2 GiB")


def clock() -> Finding:
    """Is the time right, and kept right?"""
    now = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    if time.time() < _BUILT_AFTER:
        return Finding("bad", f"the clock says {now}", "set it: events would be stamped wrongly")
    from hub.host.timekeeping import kept

    if (answer := kept()) is None:
        hint = "a container may not ask: see to it that the machine below runs chrony or systemd-timesyncd"
        return Finding("warning", f"the clock says {now}; whether it is kept right cannot be asked here", hint)
    if not answer:
        hint = "run chrony or systemd-timesyncd"
        return Finding("warning", f"the clock says {now}, but nothing keeps it right", hint)
    return Finding("ok", f"the clock says {now} and is kept right")


def master_key(data: Path) -> Finding:
    """Who may read the key under which personal data is sealed."""
    path = data / "master.key"
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return Finding("ok", "there is no master key yet; the first start makes it")
    if mode & 0o077:
        return Finding("bad", f"others may read {path}", f"chmod 600 {path}")
    if not os.access(path, os.R_OK):
        return Finding("bad", f"{path} may not be read", "run this as the hub's user")
    return Finding("ok", "the master key is the owner's only; is there a copy of it outside this machine?")


def port(config: HubConfig, data: Path) -> Finding:
    """Can the staff listener be opened?"""
    from hub.cli.run import running

    host, number = config.web.host, config.web.port
    if (pid := running(data)) is not None:
        return Finding("ok", f"the hub runs (process {pid})")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, number))
        except OSError as taken:
            return Finding("bad", f"cannot listen on {host}:{number}: {taken.strerror}", "choose another web.port")
    return Finding("ok", f"{host}:{number} is free")


def programs(config: HubConfig) -> Iterator[Finding]:
    """What configured plugins need of Debian, and what writes Thai."""
    from hub.host.discover import builtin_folder, discover

    found = discover(config.plugin_folders, builtin_folder()).found
    for entry in config.instances:
        for package in found[entry.plugin].manifest.debian if entry.plugin in found and entry.enabled else ():
            if not installed(package):
                yield Finding("bad", f"{entry.name} needs the Debian package {package}", f"apt-get install {package}")
    if said("fc-list", ":lang=th", "family").strip():
        yield Finding("ok", "there are Thai fonts")
    else:
        yield Finding("warning", "there are no Thai fonts", "apt-get install fonts-thai-tlwg")


def installed(package: str) -> bool:
    """Is the Debian package there? On other systems the question has no answer, and nothing is said."""
    if shutil.which("dpkg-query") is None:
        return True
    return said("dpkg-query", "-W", "-f", "${db:Status-Status}", package).strip() == "installed"


def said(*command: str) -> str:
    """What a program printed; nothing when it is not there or fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
