"""From pictures to events, through the real vision process: who crosses a line, who stays, and a hand on the lens."""

from __future__ import annotations

import io
import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
from aiohttp import web
from PIL import Image

from hub.testing import harness

HERE = Path(__file__).parent
WITHIN_S = 90.0  # the vision process loads its libraries first, and then a round begins somewhere
GATE = "camera.gate"
MOTION: dict[str, Any] = {
    "lines": [{"name": "ประตู / gate", "points": [[0.3, 1], [0.3, 0]]}],
    "areas": [{"name": "bank", "points": [[0.6, 0.3], [1, 0.3], [1, 0.9], [0.6, 0.9]], "after_s": 2}],
}


def jpeg(at: int | None, covered: bool = False) -> bytes:
    """A wall of stones with somebody in dark clothes at ``at``, or a hand before the lens."""
    wall = np.random.default_rng(4).integers(80, 160, (40, 54)).repeat(6, 0).repeat(6, 1)[:240, :320].astype(np.uint8)
    if at is not None:
        wall[100:160, at : at + 30] = 15
    kept = io.BytesIO()
    Image.fromarray(np.full_like(wall, 70) if covered else wall).save(kept, "JPEG", quality=90)
    return kept.getvalue()


def round_of_pictures() -> Iterator[bytes]:
    """Ten a second: quiet; somebody comes from the left, stays at the right, leaves; a hand for four seconds."""
    there = list(range(10, 230, 10)) + [230 + 8 * (n % 4) for n in range(35)]
    shots = [*[jpeg(None)] * 40, *map(jpeg, there), *[jpeg(None)] * 30, *[jpeg(None, covered=True)] * 40]
    return itertools.cycle(shots)


@asynccontextmanager
async def wall() -> AsyncIterator[str]:
    shots = round_of_pictures()

    async def picture(_: web.Request) -> web.Response:
        return web.Response(body=next(shots), content_type="image/jpeg")

    app = web.Application()
    app.router.add_get("/picture", picture)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/picture"
    await runner.cleanup()


async def test_a_line_an_area_and_a_hand_on_the_lens_become_events_and_the_state_shows_the_hand() -> None:
    async with wall() as url:
        about = {"id": "gate", "name": {"th": "ประตู", "en": "Gate"}, "url": url, "analyse": ["motion"], "fps": 10}
        config = {"cameras": [{**about, "kind": "snapshot", "every_s": 0.1, "motion": MOTION}]}
        async with harness(HERE, config) as hub:
            crossed = await hub.wait_event("line_crossed", entity=GATE, timeout=WITHIN_S)
            assert crossed.data == {"line": "ประตู / gate", "way": "right"}
            stayed = await hub.wait_event("loitering", entity=GATE, timeout=WITHIN_S)
            assert stayed.data["area"] == "bank" and 2.0 <= stayed.data["seconds"] < 3.0
            assert stayed.at > crossed.at and set(stayed.data) == {"area", "seconds"}  # nobody is numbered
            begun = await hub.wait_event("camera_tampered", match={"what": "covered"}, timeout=WITHIN_S)
            assert begun.data["active"] and begun.source == "instance:rtsp_camera"
            seen = hub.state(GATE)
            assert seen is not None
            assert (seen.attributes["tampered"], seen.attributes["tampered_by"]) == (True, "covered")
            over = await hub.wait_event("camera_tampered", match={"active": False}, timeout=WITHIN_S)
            assert over.at > begun.at + 2.0
            seen = hub.state(GATE)
            assert seen is not None and (seen.attributes["tampered"], seen.attributes["tampered_by"]) == (False, "")
