"""A copy of everything of one hub, made while it runs, and back again.

A backup is a folder: ``journal.db`` (whole and compact), ``data/`` (documents, media, accounts, keys), ``config/``
(the configuration and what it includes), and ``manifest.json`` with the SHA-256 of each file. The journal is copied
first, so that every picture it names is in the copy. It holds the master key: keep it as you keep the key.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hub.core.error import Conflict, InvalidInput, NotFound, StorageFailed
from hub.store.driver import SQLITE, failure
from hub.store.files import FolderLock, make_folder, sync_folder, write_file

JOURNAL: Final = "journal.db"
MANIFEST: Final = "manifest.json"
FORMAT: Final = 1
MAX_FILES: Final = 2_000_000
# What belongs to the running process, and what SQLite makes anew.
_LEFT_OUT: Final = frozenset(
    {JOURNAL, f"{JOURNAL}-wal", f"{JOURNAL}-shm", "hub.pid", "hub.lock", "reload.request", "reload.result", "reserve"}
)
_CONFIG: Final = frozenset({".yaml", ".yml", ".json", ".geojson"})
_NOT_LOOKED_INTO: Final = frozenset({"node_modules", ".venv", ".git", "__pycache__"})


@dataclass(frozen=True, slots=True)
class Summary:
    """What a backup holds: ``files`` and ``bytes`` of them."""

    files: int
    bytes: int


def backup(data: Path, config: Path, target: Path, now: float) -> Summary:
    """Copy the data folder and the folder of the configuration file to ``target``, which must not exist yet.

    ``NotFound`` when there is no journal; ``Conflict`` when the target is there; ``InvalidInput`` when it would lie in
    what is copied; ``StorageFailed`` for a full disk.
    """
    for what, folder in (("data", data), ("configuration", config.resolve().parent)):
        if target.resolve().is_relative_to(folder.resolve()):
            words = f"lies in the folder of the {what}: each backup would hold those before it"
            raise InvalidInput(words, where=str(target), hint=f"name a folder outside {folder.resolve()}")
    if not (data / JOURNAL).is_file():
        raise NotFound("there is no journal", where=str(data / JOURNAL), hint="name the folder that hub run --data has")
    if target.exists():
        raise Conflict("is there already", where=str(target), hint="name a folder that does not exist yet")
    unfinished = target.with_name(f"{target.name}.unfinished")
    if unfinished.exists():
        shutil.rmtree(unfinished)
    try:
        make_folder(unfinished)
        copy_journal(data / JOURNAL, unfinished / JOURNAL)
        _copy_tree(data, unfinished / "data", lambda path: path.parent != data or path.name not in _LEFT_OUT)
        folder = config.resolve().parent
        _copy_tree(folder, unfinished / "config", lambda path: _of_config(path, folder, data.resolve()))
        summary = _write_manifest(unfinished, config.name, now)
        unfinished.rename(target)
        sync_folder(target.parent)
    except OSError as fault:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise StorageFailed(f"the backup failed: {fault.strerror}", where=str(fault.filename or target)) from fault
    return summary


def copy_journal(source: Path, target: Path) -> None:
    """A whole, compact copy of a database that others may be writing."""
    try:
        db = SQLITE.connect(source)
        try:
            db.execute("VACUUM INTO ?", (str(target),)).fetchall()
        finally:
            db.close()
    except SQLITE.error as fault:
        raise failure(fault, target) from fault
    target.chmod(0o600)


def verify(source: Path) -> dict[str, Any]:
    """The manifest of a backup all of whose files are as they were written; ``StorageFailed`` names what is not."""
    try:
        manifest: dict[str, Any] = json.loads((source / MANIFEST).read_bytes())
        expected = dict(manifest["files"])
        if manifest["format"] != FORMAT:
            raise InvalidInput(f"a backup of format {manifest['format']}; this hub knows {FORMAT}", where=str(source))
    except FileNotFoundError:
        raise NotFound("is no backup: it has no manifest.json", where=str(source)) from None
    except (ValueError, KeyError, TypeError) as wrong:
        raise StorageFailed("the manifest is damaged", where=str(source / MANIFEST)) from wrong
    there = {str(path.relative_to(source)) for path in _files(source)} - {MANIFEST}
    for name in sorted(expected.keys() | there):
        if name not in there:
            raise StorageFailed("is missing from the backup", where=name)
        if name not in expected or digest(source / name) != expected[name]:
            raise StorageFailed("is not what was backed up", where=name, hint="use another backup")
    return manifest


def restore(source: Path, data: Path, config: Path | None = None) -> Summary:
    """Write a verified backup into ``data``, which must be empty or not exist, and the configuration into the folder
    ``config`` (left as it is when ``None``)."""
    manifest = verify(source)
    for folder in (data, config):
        if folder is not None and folder.exists() and any(folder.iterdir()):
            raise Conflict("is not empty", where=str(folder), hint="restore into an empty folder")
    make_folder(data)
    with FolderLock(data):
        if (source / "data").is_dir():
            _copy_tree(source / "data", data, lambda path: True)
        shutil.copy2(source / JOURNAL, data / JOURNAL)
        sync_folder(data)
    if config is not None:
        _copy_tree(source / "config", config, lambda path: True)
    return Summary(len(manifest["files"]), int(manifest["bytes"]))


def digest(path: Path) -> str:
    """SHA-256 of a file (FIPS 180-4), hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _of_config(path: Path, folder: Path, data: Path) -> bool:
    """Configuration, automations, blueprints, zone, own plugins; not the data, nor what is built or checked out."""
    if path.is_relative_to(data):
        return False
    beside = path.relative_to(folder)
    return path.suffix in _CONFIG or beside.parts[0] == "plugins" or _of_plugin(beside, folder)


def _of_plugin(beside: Path, folder: Path) -> bool:
    """Does it lie in a plugin? ``plugin_folders`` may name any folder: a plugin is known by its ``plugin.toml``."""
    return any((folder / parent / "plugin.toml").is_file() for parent in beside.parents if parent.parts)


def _copy_tree(source: Path, target: Path, wanted: Callable[[Path], bool]) -> None:
    for path in _files(source):
        if wanted(path):
            copy = target / path.relative_to(source)
            make_folder(copy.parent)
            try:
                shutil.copyfile(path, copy, follow_symlinks=False)
                copy.chmod(path.stat().st_mode & 0o700)
            except FileNotFoundError:  # deleted meanwhile: retention, or a draft that became media
                continue
    for here, folders, names in _walk(source):
        if not folders and not names:  # the configuration may name an empty folder
            make_folder(target / here.relative_to(source))


def _walk(folder: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    for here, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _NOT_LOOKED_INTO)
        yield Path(here), folders, sorted(names)


def _files(folder: Path) -> Iterator[Path]:
    count = 0
    for here, _, names in _walk(folder):
        for name in names:
            count += 1
            if count > MAX_FILES:
                raise InvalidInput(f"more than {MAX_FILES} files", where=str(folder))
            if not name.endswith(".new") and not (here / name).is_symlink():
                yield here / name


def _write_manifest(folder: Path, config: str, now: float) -> Summary:
    found = {str(path.relative_to(folder)): path for path in _files(folder)}
    size = sum(path.stat().st_size for path in found.values())
    files = {name: digest(path) for name, path in found.items()}
    manifest = {"format": FORMAT, "made_at": now, "config": config, "bytes": size, "files": files}
    write_file(folder / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True).encode())
    return Summary(len(files), size)
