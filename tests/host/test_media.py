"""An instance keeps pictures of its own entities, and gets no others: not even when it knows their names."""

from __future__ import annotations

import pytest

from hub.core.error import Denied, NotFound
from hub.sdk import Entity, Text
from tests.host.conftest import Bench
from tests.host.test_grants import contexts


async def test_pictures_of_others_stay_theirs(bench: Bench) -> None:
    mine, other = await contexts(bench, "mine", "other")
    await mine.add(Entity("camera.a", Text("ก", "A")))
    shown = await mine.media.put(b"of a camera", "image/jpeg", entity="camera.a")
    loose = await mine.media.put(b"of nothing", "image/jpeg")
    seen = await bench.media.put(b"seen by the hub", "image/jpeg", "plates", "camera.a")
    draft = await mine.media.draft("call", "video/webm", entity="camera.a")
    await draft.append(b"spoken")
    spoken = await draft.keep()
    for name, content in ((shown, b"of a camera"), (loose, b"of nothing"), (seen, b"seen by the hub"),
                          (spoken, b"spoken")):  # fmt: skip
        assert (await mine.media.get(name))[0] == content
        with pytest.raises(Denied, match="other did not keep this"):
            await other.media.get(name)
    with pytest.raises(NotFound):
        await other.media.get("0" * 64)
    for call in (
        other.media.put(b"x", "image/jpeg", entity="camera.a"), other.media.draft("x", "video/webm", entity="camera.a"),
        other.media.put(b"x", "image/jpeg", entity="camera.none"),
    ):  # fmt: skip
        with pytest.raises(Denied, match="other may not speak for camera"):
            await call
    assert await other.media.put(b"of nothing", "image/jpeg") == loose  # who has the bytes has them
    assert (await other.media.get(loose))[0] == b"of nothing"
    assert (await bench.media.about(loose)).by == ("mine", "other")


CHILD = """
class Settings(Config):
    name: str = Field(description="media")

class Thief:
    def __init__(self, ctx, name): self.ctx, self.name = ctx, name
    async def snapshot(self): return (await self.ctx.media.get(self.name))[1]
    async def clip(self, before_s, after_s, incident): return []

async def setup(ctx, config):
    await ctx.add(Entity("camera.thief", Text("ก", "A"), ("camera",)), Thief(ctx, config.name))
    yield

@plugin
def hub_plugin():
    return PluginSpec(Settings, setup)
"""


async def test_a_partners_child_gets_none_either(bench: Bench) -> None:
    name = await bench.media.put(b"a face", "image/jpeg", "incidents", "camera.other")
    bench.plugin("thief", CHILD, where="partners")
    await bench.start(bench.config(f"{{plugin: thief, config: {{name: '{name}'}}}}"))
    outcome = await bench.call("camera.snapshot", "camera.thief")
    assert outcome.error is not None and (outcome.status, outcome.error["code"]) == ("failed", "denied")
