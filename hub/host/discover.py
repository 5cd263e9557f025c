"""Finds plugins by their ``plugin.toml``: in folders, and through the entry point group ``hub.plugins``.

Runs no code of any plugin. A bad ``plugin.toml`` is a mistake of that plugin; the others go on.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import hub
from hub.core.error import ConfigError, Mistake
from hub.sdk.manifest import Manifest, load_manifest

GROUP = "hub.plugins"
MAX_PLUGINS = 500
_ROLES_OF_THE_HUB = frozenset({"system"})


@dataclass(frozen=True, slots=True)
class Found:
    """A plugin that is there. ``builtin``: it came with the hub, so it may run in the hub's own process.

    ``fingerprint`` changes when its files change, so that a reload takes up new code.
    """

    manifest: Manifest
    folder: Path
    builtin: bool
    fingerprint: int = 0

    @property
    def name(self) -> str:
        return self.manifest.name

    @property
    def child(self) -> bool:
        """Does it run in a process of its own?"""
        return not self.builtin or self.manifest.isolation == "child"


@dataclass(slots=True)
class Discovery:
    """What was found, by name, and what is wrong with the rest."""

    found: dict[str, Found] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)


def builtin_folder() -> Path:
    """The plugins of this installation: inside the wheel, or beside the package in a checkout."""
    package = Path(hub.__file__).resolve().parent
    packed = package / "_plugins"
    return packed if packed.is_dir() else package.parent / "plugins"


def discover(folders: Iterable[Path] = (), builtin: Path | None = None, installed: bool = True) -> Discovery:
    """All plugins of ``builtin``, then ``folders``, then (``installed``) entry points; the first of a name stays."""
    result = Discovery()
    own = builtin.resolve() if builtin is not None else None
    if own is not None:
        _take_folder(result, own, True)
    for folder in dict.fromkeys(path.resolve() for path in folders):
        if folder != own:
            _take_folder(result, folder, False)
    if installed:
        for point in sorted(entry_points(group=GROUP), key=lambda p: p.name):
            _take_point(result, point)
    return result


def _take_folder(result: Discovery, parent: Path, builtin: bool) -> None:
    if not parent.is_dir():
        return
    for folder in sorted(parent.iterdir()):
        if (folder / "plugin.toml").is_file():
            _take(result, folder, builtin)


def _take_point(result: Discovery, point: EntryPoint) -> None:
    folder = _package_folder(point.value.partition(":")[0])
    if folder is None or not (folder / "plugin.toml").is_file():
        words = f"the entry point {point.name} of {GROUP} names {point.value}, which holds no plugin.toml"
        result.mistakes.append(Mistake(str(folder or point.value), 1, 1, words))
    else:
        _take(result, folder, False)


def _package_folder(module: str) -> Path | None:
    """Where a package's files are, without importing it or its parents."""
    top, *rest = module.split(".")
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return None
    places = spec.submodule_search_locations if spec is not None else None
    for place in places or ():
        if (folder := Path(place).joinpath(*rest)).is_dir():
            return folder.resolve()
    return None


def _take(result: Discovery, folder: Path, builtin: bool) -> None:
    try:
        manifest = load_manifest(folder)
    except ConfigError as wrong:
        result.mistakes += wrong.mistakes
        return
    toml = str(folder / "plugin.toml")
    if (first := result.found.get(manifest.name)) is not None:
        if first.folder != folder:
            words = f"a plugin {manifest.name!r} exists already in {first.folder}; this one is not used"
            result.mistakes.append(Mistake(toml, 1, 1, words))
    elif _ROLES_OF_THE_HUB & set(manifest.roles):
        result.mistakes.append(Mistake(toml, 1, 1, "a plugin may not act with the role 'system'"))
    elif len(result.found) >= MAX_PLUGINS:
        result.mistakes.append(Mistake(toml, 1, 1, f"more than {MAX_PLUGINS} plugins"))
    else:
        result.found[manifest.name] = Found(manifest, folder, builtin, _fingerprint(folder))


def _fingerprint(folder: Path) -> int:
    files = [path for path in folder.glob("*") if path.suffix in (".py", ".toml") and path.is_file()]
    return hash(tuple(sorted((path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in files)))
