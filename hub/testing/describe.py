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
    "subprocess.Popen": "starts a program", "os.fork": "forks",
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
            self.note(_WATCHED[event], sys._getframe(1))

    def note(self, words: str, frame: FrameType) -> None:
        """Something was done: by whom?"""
        culprit = self._culprit(frame)
        if culprit is not None:
            where = f"{Path(culprit.f_code.co_filename).name}:{culprit.f_lineno}"
            self.effects.append(f"{where} {words} while it is imported")

    def threads(self) -> None:
        """See threads too: Python 3.11 has no audit event for them."""
        start = threading.Thread.start

        def noted(thread: threading.Thread) -> None:
            self.note("starts a thread", sys._getframe(1))
            start(thread)

        setattr(threading.Thread, "start", noted)  # noqa: B010 - a method of another's class

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
    watch.threads()
    watch.importing = True
    spec = Registry().load(manifest.name, folder)
    watch.importing = False
    return {"ran": watch.ran, "effects": watch.effects, "schema": spec.config.model_json_schema()}


if __name__ == "__main__":
    from hub.core.error import HubError

    sys.dont_write_bytecode = True
    try:
        json.dump(describe(Path(sys.argv[1]).resolve()), sys.stdout)
    except HubError as wrong:
        sys.exit(str(wrong))
