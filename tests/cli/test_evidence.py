"""``hub evidence``: an incident's folder proves itself, and any change in it is named."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from hub.access.heads import Signer
from hub.app import App, Options
from hub.core.clock import SystemClock
from hub.core.event import Draft
from tests.cli.hubctl import hub
from tests.scenarios.kit import WEB, write_zone

FILM, CROP = b"\0\0\0\x18ftyp" + bytes(range(256)) * 40, b"\xff\xd8 a plate \xff\xd9"
INCIDENT = "incident.gold"


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a hub with an incident that has a crop, a clip, a note, and two looks at them."""
    folder = tmp_path_factory.mktemp("station")
    asyncio.run(_happened(folder))
    return folder


async def _happened(folder: Path) -> None:
    app = App(Options(write_zone(folder, top=WEB), folder / "data", port=0))
    await app.start()

    async def emit(kind: str, data: dict[str, Any], entity: str) -> int:
        known = app.types.need(kind)
        event = await app.pipeline.submit(
            Draft(kind, known.validate(data), "instance:test", entity, lane=known.lane)
        )
        return event.seq

    film = await app.media.put(FILM, "video/mp4", "incidents", "camera.a")
    crop = await app.media.put(CROP, "image/jpeg", "incidents", "camera.a")
    opened = {
        "kind": "plate", "title": "พบป้าย 1กข 1234", "reference": "690123-004", "opened_at": 1.0, "opened_by": "rule",
        "crop": crop, "source_entity": "hit.a",
    }  # fmt: skip
    await emit("plate_read", {"series": "1กข", "number": "1234", "crop": crop}, "hit.a")
    await emit("incident_opened", opened, INCIDENT)
    seq = await emit(
        "clip_saved",
        {"media": film, "sha256": film, "begins": 100.0, "ends": 120.5, "camera": "camera.a", "incident": INCIDENT},
        "camera.a",
    )
    await emit("incident_attached", {"what": "clip_saved", "ref": f"event:{seq}", "by": "camera.a"}, INCIDENT)
    await emit("incident_noted", {"text": "ส่งมอบให้ร้อยเวร", "by": "user:somchai"}, INCIDENT)
    app.ledger.record("user:somchai", "media.read", film, INCIDENT)
    app.ledger.record("user:somsri", "media.read", "0" * 64, "duty.patrol")  # another matter
    app.ledger.record("user:somsri", "media.read", crop, "duty.patrol")
    await app.pipeline.settled()
    await app.stop()


@pytest.fixture
def exported(station: Path, tmp_path: Path) -> Path:
    target = tmp_path / "case"
    said = hub("evidence", "export", "690123-004", target, "--data", station / "data")
    assert said.status == 0, said.err
    assert said.lines[0] == f"{target}: 2 files, 5 events, 2 lines of the audit ledger"
    return target


def test_the_folder_holds_files_events_and_looks_with_their_times(exported: Path) -> None:
    manifest = json.loads((exported / "manifest.json").read_text())
    assert (manifest["incident"], manifest["reference"]) == (INCIDENT, "690123-004")
    files = {file["mime"]: file for file in manifest["files"]}
    assert (exported / files["video/mp4"]["file"]).read_bytes() == FILM
    assert (exported / files["image/jpeg"]["file"]).read_bytes() == CROP
    film = files["video/mp4"]
    assert film["sha256"] == hashlib.sha256(FILM).hexdigest() and film["of"] == ["camera.a"]
    assert (film["begins"], film["ends"]) == ("1970-01-01T00:01:40.000+00:00", "1970-01-01T00:02:00.500+00:00")
    assert [event["type"] for event in manifest["events"]] == [
        "plate_read", "incident_opened", "clip_saved", "incident_attached", "incident_noted",
    ]  # fmt: skip
    assert manifest["events"][4]["data"]["text"] == "ส่งมอบให้ร้อยเวร"
    assert [(row["who"], row["subject"] == film["media"]) for row in manifest["audit"]] == [
        ("user:somchai", True), ("user:somsri", False),
    ]  # fmt: skip


def test_what_was_not_changed_verifies_with_the_key_kept_outside(exported: Path, station: Path) -> None:
    key = Signer(station / "data", SystemClock()).public_key
    said = hub("evidence", "verify", exported, "--key", key)
    words = "2 files, signature by the key that was given: nothing was changed"
    assert (said.status, said.lines) == (0, [words])
    assert hub("evidence", "verify", exported).status == 0
    said = hub("evidence", "verify", exported, "--key", "ab" * 32)
    assert (said.status, said.lines[0]) == (1, "manifest.sig: was made with another key")


def test_each_change_is_named(exported: Path, tmp_path: Path) -> None:
    manifest = json.loads((exported / "manifest.json").read_text())
    film = next(file["file"] for file in manifest["files"] if file["mime"] == "video/mp4")

    def changed(name: str, change: Any) -> list[str]:
        copy = tmp_path / name
        shutil.copytree(exported, copy)
        change(copy)
        said = hub("evidence", "verify", copy)
        assert said.status == 1
        return said.lines[:-1]

    def edit(folder: Path, **more: Any) -> None:
        (folder / "manifest.json").write_text(json.dumps({**manifest, **more}, ensure_ascii=False))

    def rewrite(folder: Path) -> None:
        row = {**manifest["audit"][0], "who": "user:other"}
        edit(folder, audit=[row])
        body = (folder / "manifest.json").read_bytes()
        signed = json.loads((folder / "manifest.sig").read_text())
        signed["sha256"] = hashlib.sha256(body).hexdigest()
        (folder / "manifest.sig").write_text(json.dumps(signed))

    assert changed("bytes", lambda f: (f / film).write_bytes(FILM[:-1] + b"x")) == [f"{film}: was changed"]
    assert changed("gone", lambda f: (f / film).unlink()) == [f"{film}: is missing"]
    assert changed("more", lambda f: (f / "media" / "x").write_text("x")) == ["media/x: was not exported"]
    renamed = changed("words", lambda f: edit(f, reference="690123-005"))
    assert renamed == ["manifest.json: was changed after the export"]
    assert changed("sig", lambda f: (f / "manifest.sig").unlink()) == ["manifest.sig: is not there or is no signature"]
    assert changed("audit", rewrite) == [
        "manifest.sig: is not the key's signature", f"audit line {manifest['audit'][0]['n']}: was changed",
    ]  # fmt: skip


def test_what_cannot_be_done_is_said(station: Path, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    for arguments, words in (
        (("export", "incident.none", tmp_path / "a", "--data", station / "data"), "no such incident in the journal"),
        (("export", "690123-999", tmp_path / "a", "--data", station / "data"), "no incident has this number"),
        (("export", INCIDENT, tmp_path / "there", "--data", station / "data"), "is there already"),
        (("export", INCIDENT, tmp_path / "a", "--data", tmp_path), "there is no journal"),
        (("verify", tmp_path / "there"), "there is no manifest.json"),
    ):
        said = hub("evidence", *arguments)
        assert (said.status, words in said.err) == (1, True), said.err
    assert not (tmp_path / "a").exists()
    (tmp_path / "there" / "manifest.json").write_text('{"format": "safezone-evidence-1", "files": [1], "audit": []}')
    assert "is no manifest of an export" in hub("evidence", "verify", tmp_path / "there").err
