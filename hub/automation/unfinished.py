"""A file about to be replaced or taken away. Its new text stands beside it, synced, before the journal has its version,
and gets its name after: so a crash in between is seen at the next start, and what the journal has is brought about.

Beside ``a.yaml`` stands ``.a.yaml.7.new`` with what version 7 is, or ``.a.yaml.7.gone`` when version 7 takes it away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hub.store.files import disk_fault, sync_folder, write_new

_NAME = re.compile(r"\.([a-z0-9_-]{1,60}\.yaml)\.(\d{1,9})\.(new|gone)")


@dataclass(frozen=True, slots=True)
class Unfinished:
    """One change of ``path`` that is not done yet. Every method blocks; ``StorageFailed`` when the disk refuses."""

    path: Path
    number: int
    beside: Path

    @classmethod
    def prepare(cls, path: Path, number: int, content: bytes | None) -> Unfinished:
        """Write the new text (``None``: the file goes) beside it; nobody reads it there."""
        kind = "gone" if content is None else "new"
        made = cls(path, number, path.with_name(f".{path.name}.{number}.{kind}"))
        try:
            write_new(made.beside, content or b"")
            mode = path.stat().st_mode & 0o777 if path.exists() else 0o644  # who could read it before still can
            made.beside.chmod(mode)
            sync_folder(path.parent)
        except OSError as fault:
            made.drop()
            raise disk_fault(fault, path) from fault
        return made

    @property
    def goes(self) -> bool:
        """Is the file taken away?"""
        return self.beside.suffix == ".gone"

    def content(self) -> bytes:
        """The new text."""
        return self.beside.read_bytes()

    def finish(self) -> None:
        """Give the text its name, or take the file away."""
        try:
            if self.goes:
                self.path.unlink(missing_ok=True)
                self.drop()
            else:
                self.beside.replace(self.path.resolve())
        except OSError as fault:
            raise disk_fault(fault, self.path) from fault
        with suppress(OSError):  # it is done; should the power go before the disk has it, the next start does it again
            sync_folder(self.path.parent)

    def drop(self) -> None:
        """It is not to be."""
        with suppress(OSError):
            self.beside.unlink()


def left(folder: Path) -> Iterator[Unfinished]:
    """What a crash left in a folder."""
    for beside in sorted(folder.glob(".*")):
        if (found := _NAME.fullmatch(beside.name)) is not None and beside.is_file():
            yield Unfinished(folder / found[1], int(found[2]), beside)
