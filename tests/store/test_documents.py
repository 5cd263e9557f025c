"""Documents on tinydb: replaced whole, limited, and never half written."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import orjson
import pytest

from hub.core.documents import MAX_DOCUMENTS
from hub.core.error import InvalidInput, LimitExceeded, StorageFailed
from hub.store.documents import Documents
from tests.store.kit import files


async def test_put_get_delete_all(tmp_path: Path) -> None:
    documents = Documents(tmp_path)
    await documents.put("zone.boxes", "ตู้ 1", {"name": "หน้าวัด", "at": [17.0, 99.8]})
    await documents.put("zone.boxes", "2", {"name": "market"})
    await documents.put("zone.contacts", "2", {"phone": "191"})
    await documents.put("zone.boxes", "ตู้ 1", {"name": "หลังวัด"})  # replaced, not merged
    for fresh in (documents, Documents(tmp_path)):
        assert await fresh.get("zone.boxes", "ตู้ 1") == {"name": "หลังวัด"}
        assert await fresh.get("zone.boxes", "3") is None
        assert await fresh.get("zone.nothing", "3") is None
        assert await fresh.all("zone.boxes") == {"ตู้ 1": {"name": "หลังวัด"}, "2": {"name": "market"}}
        assert await fresh.all("zone.contacts") == {"2": {"phone": "191"}}
    await documents.delete("zone.boxes", "2")
    await documents.delete("zone.boxes", "2")
    assert await Documents(tmp_path).all("zone.boxes") == {"ตู้ 1": {"name": "หลังวัด"}}


async def test_what_is_handed_out_or_in_is_a_copy(tmp_path: Path) -> None:
    documents, value = Documents(tmp_path), {"list": [1]}
    await documents.put("c", "k", value)
    value["list"].append(2)
    (await documents.all("c"))["k"]["list"].append(3)
    found = await documents.get("c", "k")
    assert found == {"list": [1]}


async def test_many_at_once(tmp_path: Path) -> None:
    documents = Documents(tmp_path)
    await asyncio.gather(*(documents.put("c", str(n), {"n": n}) for n in range(40)))
    assert await documents.all("c") == {str(n): {"n": n} for n in range(40)}


async def test_limits(tmp_path: Path) -> None:
    full = {"documents": {str(n): {"n": n} for n in range(MAX_DOCUMENTS)}}
    (tmp_path / "c.json").write_bytes(orjson.dumps(full))
    documents = Documents(tmp_path)
    with pytest.raises(LimitExceeded, match="c: a collection has at most 5000 documents"):
        await documents.put("c", "one more", {})
    await documents.put("c", "17", {"n": "changed"})
    assert await documents.get("c", "17") == {"n": "changed"}
    assert len(await documents.all("c")) == MAX_DOCUMENTS


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "A", "x" * 121, "ก"])
async def test_names_that_are_no_collection(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="cannot name a collection"):
        await Documents(tmp_path).put(name, "k", {})
    assert files(tmp_path) == []


@pytest.mark.parametrize(("key", "value"), [("", {}), ("k" * 201, {}), ("k", {"x": object()}), ("\ud800", {})])
async def test_what_is_no_document(tmp_path: Path, key: str, value: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        await Documents(tmp_path).put("c", key, value)
    assert files(tmp_path) == []


@pytest.mark.parametrize("damage", [b'{"documents": {"1": {"n"', b"", b"[1]", b'{"documents": 3}'])
async def test_a_damaged_file_is_named_and_the_version_before_it_is_there(tmp_path: Path, damage: bytes) -> None:
    documents = Documents(tmp_path)
    await documents.put("c", "1", {"n": 1})
    await documents.put("c", "2", {"n": 2})
    (tmp_path / "c.json").write_bytes(damage)
    for attempt in (documents.put("c", "3", {}), documents.all("c"), documents.delete("c", "1")):
        with pytest.raises(StorageFailed, match=r"c\.json: is damaged: .*the version before it is c\.json\.bak"):
            await attempt
    assert (tmp_path / "c.json").read_bytes() == damage  # nothing is written over what a person may still save
    (tmp_path / "c.json.bak").replace(tmp_path / "c.json")
    assert await documents.all("c") == {"1": {"n": 1}}


async def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = Documents(tmp_path)
    await documents.put("c", "1", {"n": 1})
    with monkeypatch.context() as patch:

        def full(handle: int) -> None:
            raise OSError(28, os.strerror(28))

        patch.setattr(os, "fsync", full)
        with pytest.raises(StorageFailed, match=r"c\.json: cannot be read or written: No space left on device"):
            await documents.put("c", "2", {"n": 2})
    assert await documents.all("c") == {"1": {"n": 1}}
    assert files(tmp_path) == ["c.json"]
    await documents.put("c", "2", {"n": 2})
    assert await documents.all("c") == {"1": {"n": 1}, "2": {"n": 2}}
