"""``hub evidence``: everything that belongs to an incident in one folder that proves itself, also while the hub runs.

The folder holds ``media/`` with the files, ``manifest.json`` with their hashes, times, events and the lines of the
audit ledger about them, and ``manifest.sig``: the hub's Ed25519 signature (RFC 8032) over the manifest's SHA-256.
"""

from __future__ import annotations

import argparse
import getpass
import hashlib
import json
import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from hub.cli import options
from hub.cli.audit import reader
from hub.core.error import InvalidInput, NotFound

if TYPE_CHECKING:
    from hub.core.event import Event

FORMAT: Final = "safezone-evidence-1"
MANIFEST, SIGNATURE, MEDIA = "manifest.json", "manifest.sig", "media"
MAX_EVENTS: Final = 10_000
MAX_MANIFEST: Final = 64 << 20
ENDINGS: Final = {"video/mp4": ".mp4", "image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp",
                  "audio/ogg": ".ogg"}  # fmt: skip
_MEDIA_ID = re.compile(r"[0-9a-f]{64}")
_FILE = re.compile(r"media/[0-9a-f]{64}(\.[a-z0-9]{1,4})?")


def add(commands: options.Commands) -> None:
    """Declare the commands."""
    evidence = options.group(commands, "evidence", "an incident's pictures, clips, events and audit lines as a folder")
    export = options.command(evidence, "export", _export, "write an incident's evidence into a new folder")
    options.data(export)
    export.add_argument("incident", metavar="INCIDENT", help="its entity id (incident.ID) or its number (690123-004)")
    export.add_argument("folder", type=Path, metavar="DIR", help="where to; a folder that does not exist yet")
    verify = options.command(evidence, "verify", _verify, "say whether an export was changed; exit 1 if it was")
    verify.add_argument("folder", type=Path, metavar="DIR", help="an exported folder")
    verify.add_argument("--key", metavar="HEX", help="the hub's public key as kept outside (hub audit head prints it)")


# --- export


def _export(given: argparse.Namespace) -> int:
    if given.folder.exists():
        raise InvalidInput("is there already", where=str(given.folder), hint="name a folder that does not exist yet")
    journal = reader(given.data)
    incident = _incident(journal, given.incident)
    events = _events(journal, incident)
    if not events:
        raise NotFound("no such incident in the journal", where=given.incident)
    (given.folder / MEDIA).mkdir(parents=True)
    files = _files(given.data / "media", events, given.folder)
    lines = _audit(journal, incident, {file["media"] for file in files})
    manifest = {
        "format": FORMAT, "incident": incident, "reference": _first(events, "reference"),
        "exported": {"at": _iso(time.time()), "by": getpass.getuser()}, "files": files,
        "events": [_event(event) for event in events],
        "audit": lines, "ledger": _head(given.data),
    }  # fmt: skip
    body = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True).encode()
    (given.folder / MANIFEST).write_bytes(body)
    signed = _sign(given.data, hashlib.sha256(body).hexdigest())
    (given.folder / SIGNATURE).write_text(json.dumps(signed, indent=1) + "\n", encoding="utf-8")
    print(f"{given.folder}: {len(files)} files, {len(events)} events, {len(lines)} lines of the audit ledger")
    print("it holds people's data as they are: hand it over by name only, and note to whom")
    return 0


def _incident(journal: Any, asked: str) -> str:
    """The entity id; a number that was said aloud is looked up."""
    from hub.core.journal import Query

    if asked.startswith("incident."):
        return asked
    query = Query(type="incident_opened", match={"reference": asked}, limit=1, newest=True)
    found = journal.read(query)
    if not found:
        raise NotFound("no incident has this number", where=asked, hint="give its entity id, incident.ID")
    return str(found[0].entity)


def _events(journal: Any, incident: str) -> list[Event]:
    """The incident's own events, those on its timeline, and those they were caused by."""
    from hub.core.journal import Query

    own: list[Event] = journal.read(Query(entity=incident, limit=MAX_EVENTS))
    found = {event.seq: event for event in own}
    for event in own:
        ref = str(event.data.get("ref", ""))
        if event.type == "incident_attached" and ref.removeprefix("event:").isdecimal():
            seq = int(ref.removeprefix("event:"))
            found.update({one.seq: one for one in journal.read(Query(after=seq - 1, before=seq + 1, limit=1))})
    source = _first(own, "source_entity")
    if source:
        opened = own[0].seq
        about = journal.read(Query(entity=source, before=opened, limit=20, newest=True))
        found.update({one.seq: one for one in about})
    return [found[seq] for seq in sorted(found)]


def _first(events: list[Event], name: str) -> str | None:
    return next((str(event.data[name]) for event in events if event.data.get(name)), None)


def _event(event: Event) -> dict[str, Any]:
    return {**event.as_data(), "at_utc": _iso(event.at)}


def _files(kept: Path, events: list[Event], folder: Path) -> list[dict[str, Any]]:
    """Copy what the events name, each checked against its hash; what was erased meanwhile is said."""
    files: list[dict[str, Any]] = []
    for media, event in _named(events):
        path = kept / media[:2] / media
        if not path.is_file():
            continue
        content, note = path.read_bytes(), json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        if hashlib.sha256(content).hexdigest() != media:
            raise InvalidInput("is damaged: its bytes are not those that were kept", where=media,
                               hint="restore it from the last backup")  # fmt: skip
        name = f"{MEDIA}/{media}{ENDINGS.get(note['mime'], '')}"
        (folder / name).write_bytes(content)
        times = {name: _iso(event.data[name]) for name in ("begins", "ends") if event.data.get(name) is not None}
        files.append({
            "file": name, "media": media, "sha256": media, "bytes": len(content), "mime": note["mime"],
            "of": note.get("of", []), "event": event.seq, "kept": _iso(event.received), **times,
        })  # fmt: skip
    return files


def _named(events: list[Event]) -> Iterator[tuple[str, Event]]:
    """Media ids in the events' data, each once, with the event that names it first."""
    seen: set[str] = set()
    for event in events:
        for text in _texts(event.data):
            if _MEDIA_ID.fullmatch(text) and text not in seen:
                seen.add(text)
                yield text, event


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, Mapping):
        for value in data.values():
            yield from _texts(value)
    elif isinstance(data, list):
        for value in data:
            yield from _texts(value)


def _audit(journal: Any, incident: str, media: set[str]) -> list[dict[str, Any]]:
    """Who looked at it, or at anything for its sake."""
    from hub.access.audit import entries

    return [row for row in entries(journal) if row["subject"] in media | {incident} or row["purpose"] == incident]


def _head(data: Path) -> dict[str, Any]:
    from hub.access.audit import Ledger
    from hub.access.heads import Signer
    from hub.core.clock import SystemClock
    from hub.core.event import EventTypes
    from hub.core.ids import Ids
    from hub.core.pipeline import Pipeline

    clock = SystemClock()
    ledger = Ledger(Pipeline(reader(data), EventTypes(), clock, Ids(clock)))
    ledger.load()
    return Signer(data, clock).head(ledger).as_data()


def _sign(data: Path, digest: str) -> dict[str, str]:
    from hub.access.heads import Signer
    from hub.core.clock import SystemClock

    signer = Signer(data, SystemClock())
    return {"sha256": digest, "signature": signer.sign(_signed(digest)), "key": signer.public_key}


def _signed(digest: str) -> bytes:
    return f"{FORMAT}:{digest}".encode()


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


# --- verify


def _verify(given: argparse.Namespace) -> int:
    folder: Path = given.folder
    manifest, body = _manifest(folder)
    wrong = [*_signature_faults(folder, body, given.key), *_file_faults(folder, manifest), *_audit_faults(manifest)]
    for words in wrong:
        print(words)
    against = "the key that was given" if given.key else "the key in the folder: compare it with one kept outside"
    print(f"{len(manifest['files'])} files, signature by {against}: {'changed' if wrong else 'nothing was changed'}")
    return 1 if wrong else 0


def _manifest(folder: Path) -> tuple[dict[str, Any], bytes]:
    path = folder / MANIFEST
    if not path.is_file():
        raise NotFound("there is no manifest.json", where=str(folder), hint="name a folder of hub evidence export")
    if path.stat().st_size > MAX_MANIFEST:
        raise InvalidInput("larger than 64 MiB", where=str(path))
    body = path.read_bytes()
    try:
        manifest = json.loads(body)
        if manifest["format"] != FORMAT or not all(isinstance(manifest[part], list) for part in ("files", "audit")):
            raise KeyError
        _ = [(str(file["file"]), str(file["sha256"]), int(file["bytes"])) for file in manifest["files"]]
    except (ValueError, KeyError, TypeError):
        raise InvalidInput("is no manifest of an export", where=str(path)) from None
    return manifest, body


def _signature_faults(folder: Path, body: bytes, key: str | None) -> Iterator[str]:
    from hub.access.heads import signed_by

    try:
        signed = json.loads((folder / SIGNATURE).read_text(encoding="utf-8"))
        digest, signature, own = str(signed["sha256"]), str(signed["signature"]), str(signed["key"])
    except (OSError, ValueError, KeyError, TypeError):
        yield f"{SIGNATURE}: is not there or is no signature"
        return
    if digest != hashlib.sha256(body).hexdigest():
        yield f"{MANIFEST}: was changed after the export"
    if key is not None and key.lower() != own:
        yield f"{SIGNATURE}: was made with another key"
    elif not signed_by(key or own, signature, _signed(digest)):
        yield f"{SIGNATURE}: is not the key's signature"


def _file_faults(folder: Path, manifest: dict[str, Any]) -> Iterator[str]:
    listed = set()
    for file in manifest["files"]:
        name = str(file["file"])
        listed.add(name)
        path = folder / name
        if not _FILE.fullmatch(name) or path.is_symlink() or not path.is_file():
            yield f"{name[:100]}: is missing"
        elif hashlib.sha256(path.read_bytes()).hexdigest() != file["sha256"]:
            yield f"{name}: was changed"
    for path in sorted((folder / MEDIA).glob("*")):
        if f"{MEDIA}/{path.name}" not in listed:
            yield f"{MEDIA}/{path.name}: was not exported"


def _audit_faults(manifest: dict[str, Any]) -> Iterator[str]:
    """Each line carries its own hash; that none is left out between them is seen in the whole ledger only."""
    from hub.access.audit import Entry

    for row in manifest["audit"]:
        try:
            entry = Entry(**row)
            changed = entry.computed() != entry.hash
        except (TypeError, ValueError):
            changed = True
        if changed:
            yield f"audit line {str(row.get('n') if isinstance(row, dict) else row)[:20]}: was changed"
