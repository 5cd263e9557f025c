"""The repository's own demo configuration on free ports, so that a demo that runs beside the tests is left alone."""

from __future__ import annotations

import re
import shutil
import socket
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
PORT = re.compile(r"\b18[0-9]{3}\b")  # every port of the demo's devices
FOLDERS = ("zone", "automations", "blueprints")


def demo_config(folder: Path) -> tuple[Path, dict[int, int]]:
    """Copy ``config.yaml`` and what it includes into ``folder``; its path, and the free port for each of the demo's."""
    ports: dict[int, int] = {}
    held: list[socket.socket] = []

    def free(found: re.Match[str]) -> str:
        number = int(found[0])
        if number not in ports:
            pair = _pair()
            held.extend(pair)
            ports[number] = pair[0].getsockname()[1]
        return str(ports[number])

    for name in FOLDERS:
        shutil.copytree(TOP / name, folder / name)
    for path in (TOP / "config.yaml", *sorted((TOP / "zone").glob("*.yaml"))):
        text = PORT.sub(free, path.read_text(encoding="utf-8")).replace("data/patrol_logs", str(folder / "patrol_logs"))
        (folder / path.relative_to(TOP)).write_text(text)
    for one in held:
        one.close()
    return folder / "config.yaml", ports


def _pair() -> tuple[socket.socket, socket.socket]:
    """A port that is free for TCP and for UDP."""
    while True:
        stream = socket.create_server(("127.0.0.1", 0))
        datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            datagram.bind(stream.getsockname())
        except OSError:
            stream.close()
            datagram.close()
            continue
        return stream, datagram
