"""What a plugin may know of people, and that a durable handler gives nothing up while the journal is away."""

from __future__ import annotations

import pytest

from hub.core.error import InvalidInput, StorageFailed
from hub.core.event import Draft, Event
from hub.core.system import StateChanged
from tests.host.conftest import Bench, eventually
from tests.host.test_grants import Camera, contexts, entity

HIT = {
    "entry": "e1", "plate": "1กข1234", "read_plate": "1กข1234", "match": "exact", "confidence": 0.9,
    "camera": "camera.a", "lat": 17.0,
}  # fmt: skip


@pytest.mark.parametrize(("reads", "plate"), [("", None), ('"plate"', "1กข1234")])
async def test_states_hide_what_reads_does_not_name(bench: Bench, reads: str, plate: str | None) -> None:
    (mine,) = await contexts(bench, "mine", reads=reads)
    kind = bench.pipeline.types.need("watchlist_hit")
    bench.pipeline.emit(Draft(kind.name, kind.validate(HIT), "hub", "hit.h1"))
    hit = await mine.state("hit.h1")
    assert hit is not None
    assert (hit.attributes["plate"], hit.attributes["lat"], hit.state) == (plate, 17.0, "pending")
    assert [state.attributes["plate"] for state in await mine.states("hit")] == [plate]


async def test_a_durable_handler_is_asked_again_after_a_commit_that_failed(bench: Bench) -> None:
    (mine,) = await contexts(bench, "mine")
    seen: list[int] = []

    async def note(event: Event) -> None:
        seen.append(event.seq)
        if len(seen) < 3:
            raise StorageFailed("the disk is full")

    await mine.on("state_changed", note, durable=True)
    await mine.add(entity("camera.a", "camera"), Camera())
    seq = await mine.emit(StateChanged(state="on"), entity="camera.a")
    await eventually(lambda: len(seen) == 3)
    assert seen == [seq, seq, seq]


@pytest.mark.parametrize(
    ("cause", "at"), [({"a": 1}, None), ("x" * 201, None), (None, "tomorrow"), (None, float("nan"))]
)
async def test_an_origin_that_is_none_is_refused_before_it_spoils_a_group(bench: Bench, cause: str, at: float) -> None:
    (mine,) = await contexts(bench, "mine")
    await mine.add(entity("camera.a", "camera"), Camera())
    before = bench.pipeline.state.seq
    with pytest.raises(InvalidInput):
        await mine.emit(StateChanged(state="on"), entity="camera.a", cause=cause, at=at)
    assert bench.pipeline.state.seq == before


async def test_numbers_that_json_does_not_have_are_null_in_memory_too(bench: Bench) -> None:
    kind = bench.pipeline.types.need("state_changed")
    assert kind.validate({"state": "on", "attributes": {"lat": float("nan")}})["attributes"] == {"lat": None}
