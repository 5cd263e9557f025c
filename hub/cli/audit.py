"""``hub audit``: the audit ledger, read from the journal's file, also while the hub runs."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub.cli import options
from hub.core.error import InvalidInput, NotFound

if TYPE_CHECKING:
    from hub.access.heads import Head

JOURNAL, MASTER = "journal.db", "master.key"
MAX_HEADS_BYTES = 8 << 20


def add(commands: options.Commands) -> None:
    """Declare the commands."""
    audit = options.group(commands, "audit", "the ledger of who looked at what for which purpose")
    verify = options.command(audit, "verify", _verify, "say whether the ledger was changed; exit 1 if it was")
    options.data(verify)
    verify.add_argument("--head", type=Path, metavar="FILE", help="signed heads kept outside, one JSON object a line")
    verify.add_argument("--key", metavar="HEX", help="the public key kept outside; else the one that stands in FILE")
    options.data(options.command(audit, "head", _head, "print a signed head of the ledger, to be kept outside"))


def _verify(given: argparse.Namespace) -> int:
    from hub.access.audit import details, entries
    from hub.access.heads import verify

    heads, key = _kept(given.head) if given.head else ([], None)
    journal = reader(given.data)
    recorded = entries(journal)
    faults = verify(recorded, heads, given.key or key, details(journal))
    for fault in faults:
        print(f"{fault.kind}: {fault.words}")
    against = f" against {len(heads)} signed heads" if heads else ""
    print(f"{len(recorded)} entries{against}: {'changed' if faults else 'nothing was changed'}")
    return 1 if faults else 0


def _head(given: argparse.Namespace) -> int:
    from hub.access.audit import Ledger
    from hub.access.heads import Signer
    from hub.core.clock import SystemClock
    from hub.core.event import EventTypes
    from hub.core.ids import Ids
    from hub.core.pipeline import Pipeline

    clock = SystemClock()
    ledger = Ledger(Pipeline(reader(given.data), EventTypes(), clock, Ids(clock)))
    ledger.load()
    signer = Signer(given.data, clock)
    print(json.dumps(signer.head(ledger).as_data() | {"key": signer.public_key}, sort_keys=True))
    return 0


def reader(data: Path) -> Any:
    """The journal of a data folder for ``records`` only; it takes no lock, so the hub may run.

    ``NotFound`` when there is none.
    """
    path = data / JOURNAL
    if not path.is_file():
        raise NotFound("there is no journal", where=str(path), hint="name the folder that hub run --data has")
    if not (data / MASTER).is_file():
        raise NotFound("there is no master key", where=str(data / MASTER), hint="restore it from the backup")
    from hub.cli.records import RecordsReader

    return RecordsReader(path, data / MASTER)


def _kept(path: Path) -> tuple[list[Head], str | None]:
    """The heads in a file and the one public key they name."""
    from hub.access.heads import Head

    if path.stat().st_size > MAX_HEADS_BYTES:
        raise InvalidInput("larger than 8 MiB", where=str(path))
    heads, keys = [], set()
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
            heads.append(Head.from_data(data))
            keys.add(data.get("key"))
        except (ValueError, KeyError, TypeError, AttributeError):
            hint = "one line of hub audit head each"
            raise InvalidInput("this is no signed head", where=f"{path}:{number}", hint=hint) from None
    if len(keys) > 1:
        raise InvalidInput("the heads name different keys", where=str(path), hint="give the right one with --key")
    return heads, keys.pop() if keys else None
