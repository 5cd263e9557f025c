"""``python -m hub.testing.describe FOLDER``: describes a plugin in a process of its own and tells, as JSON, what that
did: code that ran before it had to, and what the import opened, started or connected.

The audit hooks of Python (PEP 578) see it; what a library does when it is imported is the library's own.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

_WATCHED = {
    "open": "opens a file", "socket.__new__": "makes a socket", "socket.connect": "connects", "socket.bind": "listens",
    "_thread.start_new_thread": "starts a thread", "subprocess.Popen": "starts a program", "os.fork": "forks",
    "os.system": "starts a program", "os.remove": "removes a file", "os.mkdir": "makes a folder",
}  # fmt: skip


class Watch:
    """Collects what the plugin's own code does."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)
        self.ran: list[str] = []
        self.effects: list[str] = []
        self.importing = False
        sys.addaudithook(self._see)

    def _see(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "exec" and not self.importing:
            file = getattr(arguments[0], "co_filename", "")
            if file.startswith(self.folder):
                self.ran.append(file)
        elif event in _WATCHED and self.importing:
            frame = self._culprit(sys._getframe(1))
            if frame is not None:
                where = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
                self.effects.append(f"{where} {_WATCHED[event]} while it is imported")

    def _culprit(self, frame: FrameType | None) -> FrameType | None:
        """The plugin's frame that did it; ``None`` when it was the import of a module."""
        while frame is not None:
            file = frame.f_code.co_filename
            if file.startswith("<frozen importlib"):
                return None
            if file.startswith(self.folder):
                return frame
            frame = frame.f_back
        return None


def describe(folder: Path) -> dict[str, Any]:
    """What describing did, and the JSON Schema of the settings."""
    from hub.host.discover import discover
    from hub.host.registry import Registry
    from hub.sdk.manifest import load_manifest

    watch = Watch(folder)
    manifest = load_manifest(folder)
    discover([folder.parent], installed=False)
    watch.importing = True
    threads = threading.active_count()
    spec = Registry().load(manifest.name, folder)
    watch.importing = False
    if threading.active_count() > threads and not watch.effects:
        watch.effects.append("a thread runs after it was imported")
    return {"ran": watch.ran, "effects": watch.effects, "schema": spec.config.model_json_schema()}


if __name__ == "__main__":
    from hub.core.error import HubError

    sys.dont_write_bytecode = True
    try:
        json.dump(describe(Path(sys.argv[1]).resolve()), sys.stdout)
    except HubError as wrong:
        sys.exit(str(wrong))
