"""``hub new plugin NAME``: a plugin that works, with a fake device that speaks a real protocol, and its own tests."""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Collection
from pathlib import Path
from string import Template
from typing import Final

from hub.core.error import Conflict, InvalidInput

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{1,39}")
_TAKEN: Final = frozenset({"hub", "plugins", "tests", "fake", "device", "plugin"})
TEMPLATES: Final = Path(__file__).with_name("templates")


def write_plugin(folder: Path, name: str, taken: Collection[str] = ()) -> list[Path]:
    """Write ``folder/name``; the files written. ``InvalidInput`` for a name that cannot be, ``Conflict`` when there is
    such a plugin (``taken``) or folder already."""
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        hint = "2 to 40 small letters, digits and _, a letter first, as in gate_lamp"
        raise InvalidInput(f"{name!r} cannot be a plugin's name", where="NAME", hint=hint)
    if name in _TAKEN or name in sys.stdlib_module_names:
        raise InvalidInput(f"{name!r} is the name of a Python module", where="NAME", hint="choose another name")
    target = folder / name
    if name in taken or target.exists():
        where = str(target) if target.exists() else name
        raise Conflict("there is such a plugin already", where=where, hint="choose another name")
    words = {"name": name, "title": name.replace("_", " ").capitalize(), "upper": name.upper()}
    target.mkdir(parents=True)
    written = []
    for template in sorted(TEMPLATES.glob("*.txt")):
        path = target / template.name.removesuffix(".txt").replace("NAME", name)
        path.write_text(Template(template.read_text(encoding="utf-8")).substitute(words), encoding="utf-8")
        written.append(path)
    return written
