"""``hub backup``, ``restore`` and ``migrate``: for the station's technician."""

from __future__ import annotations

import argparse
import contextlib
import time
from pathlib import Path

from hub.cli import options
from hub.core.error import ConfigError, InvalidInput


def add(commands: options.Commands) -> None:
    """Declare the commands."""
    backup = options.command(commands, "backup", _backup, "copy everything into a folder, also while the hub runs")
    options.data(backup)
    options.config(backup)
    backup.add_argument("target", type=Path, metavar="FOLDER", help="where to; a folder that does not exist yet")
    restore = options.command(commands, "restore", _restore, "write a backup into empty folders")
    restore.add_argument("source", type=Path, metavar="FOLDER", help="a backup")
    options.data(restore)
    restore.add_argument("--config-folder", type=Path, metavar="DIR", help="where the configuration goes; else nowhere")
    migrate = options.command(
        commands, "migrate", _migrate, "bring the journal of an older hub to this one; a backup is made first"
    )
    options.data(migrate)
    options.config(migrate)
    migrate.add_argument("--backup", type=Path, metavar="FOLDER", required=True, help="where the backup goes")


def _backup(given: argparse.Namespace) -> int:
    from hub.store.backup import backup

    made = backup(given.data, given.config, given.target, time.time())
    print(f"{given.target}: {made.files} files, {made.bytes / 1e6:.1f} MB, with the master key: lock it away")
    for folder in _outside(given.config):
        print(f"not in it: {folder} lies outside the configuration's folder; copy it yourself")
    return 0


def _outside(config: Path) -> list[Path]:
    """The plugin folders that a backup of the configuration's folder cannot hold. A configuration that is wrong can
    be backed up; where its plugins lie is not known."""
    from hub.host.config import load

    with contextlib.suppress(ConfigError):
        own = config.resolve().parent
        return [folder for folder in load(config).plugin_folders if not folder.is_relative_to(own)]
    return []


def _restore(given: argparse.Namespace) -> int:
    from hub.store.backup import restore

    if not given.source.is_dir():
        raise InvalidInput("is no folder", where=str(given.source))
    made = restore(given.source, given.data, given.config_folder)
    print(f"{given.data}: {made.files} files, {made.bytes / 1e6:.1f} MB, each as it was backed up")
    return 0


def _migrate(given: argparse.Namespace) -> int:
    from hub.store.backup import JOURNAL, backup
    from hub.store.migrate import migrate, pending, version_of

    found = version_of(given.data / JOURNAL)
    if not pending(found):
        print(f"the journal has schema {found}, as this hub: nothing to do")
        return 0
    backup(given.data, given.config, given.backup, time.time())
    left = migrate(given.data / JOURNAL)
    print(f"schema {found} → {left[-1] + 1}; to go back: hub restore {given.backup} with the hub that wrote it")
    return 0
