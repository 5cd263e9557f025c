"""Bringing a journal of an older version of the hub to this one. A step is SQL; each runs in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from hub.core.error import NotFound, StorageFailed
from hub.store.driver import SQLITE, Connection, failure
from hub.store.files import FolderLock
from hub.store.schema import SCHEMA_VERSION

# Version → the statements that bring it to the next. Version 1 is the first, so there is none yet.
STEPS: Final[Mapping[int, tuple[str, ...]]] = {}


def version_of(path: Path) -> int:
    """The schema version of a journal's file; ``NotFound`` when there is none."""
    if not path.is_file():
        raise NotFound("there is no journal", where=str(path), hint="name the folder that hub run --data has")
    db = SQLITE.connect(path)
    try:
        return int(db.execute("PRAGMA user_version").fetchall()[0][0])
    except SQLITE.error as fault:
        raise failure(fault, path) from fault
    finally:
        db.close()


def pending(found: int, steps: Mapping[int, tuple[str, ...]] = STEPS, wanted: int = SCHEMA_VERSION) -> list[int]:
    """The versions from which a step leads on, in order; ``StorageFailed`` when there is no way."""
    if found > wanted:
        hint = "run the hub that wrote it, or restore the backup made before the upgrade"
        raise StorageFailed(f"the journal has schema {found}; this hub knows {wanted}", where="journal.db", hint=hint)
    if missing := [number for number in range(found, wanted) if number not in steps]:
        raise StorageFailed(f"no step leads on from schema {missing[0]}", where="journal.db")
    return list(range(found, wanted))


def migrate(
    path: Path, steps: Mapping[int, tuple[str, ...]] = STEPS, wanted: int = SCHEMA_VERSION
) -> list[int]:
    """Take all steps that are pending; the versions that were left behind. The hub must not run: ``Conflict``."""
    with FolderLock(path.parent):
        found = pending(version_of(path), steps, wanted)
        db = SQLITE.connect(path)
        try:
            for number in found:
                _step(db, steps[number], number + 1)
        except SQLITE.error as fault:
            raise failure(fault, path) from fault
        finally:
            db.close()
    return found


def _step(db: Connection, statements: tuple[str, ...], reached: int) -> None:
    db.execute("BEGIN IMMEDIATE").fetchall()
    try:
        for statement in statements:
            db.execute(statement).fetchall()
        db.execute(f"PRAGMA user_version = {reached:d}").fetchall()
        db.execute("COMMIT").fetchall()
    except BaseException:
        db.execute("ROLLBACK").fetchall()
        raise
