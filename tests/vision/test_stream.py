"""A real RTSP stream through the real vision process."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from hub.core.error import HubError, Unavailable
from tests.vision.conftest import MakeCamera, Rgb, Vision


def scene(box: tuple[int, int, int, int] | None = None, level: int = 90) -> Rgb:
    """A grey street of 320 × 240 with texture; ``box`` x, y, w, h is bright."""
    noise = np.random.default_rng(1).integers(-20, 20, (240, 320, 1))
    picture = np.clip(level + noise, 0, 255).astype(np.uint8).repeat(3, axis=2)
    if box is not None:
        x, y, w, h = box
        picture[y : y + h, x : x + w] = (250, 240, 230)
    return picture


async def test_snapshot_shows_what_the_camera_films(camera: MakeCamera, vision: Vision) -> None:
    picture = np.zeros((240, 320, 3), np.uint8)
    picture[:120, :160], picture[:120, 160:] = (200, 30, 30), (30, 200, 30)
    picture[120:, :160], picture[120:, 160:] = (30, 30, 200), (230, 230, 230)
    cam = camera([picture])
    await vision.call("open", {"key": "a", "url": cam.url(), "analyse": []})
    await vision.told("camera", key="a", state="running", reason="")
    answer = await vision.call("snapshot", {"key": "a"})
    shown = np.asarray(Image.open(io.BytesIO(answer.blob)), int)
    assert (answer.header["result"]["width"], answer.header["result"]["height"]) == (320, 240)
    for (y, x), colour in {(60, 80): (200, 30, 30), (60, 240): (30, 200, 30), (180, 80): (30, 30, 200)}.items():
        assert np.abs(shown[y, x] - colour).max() < 25
    assert vision.seen[0][:2] == ("camera", {"key": "a", "state": "connecting", "reason": ""})
    status = (await vision.call("status")).header["result"]
    assert (status["sources"]["a"]["width"], status["sources"]["a"]["state"]) == (320, "running")


async def test_motion_begins_and_ends_once(camera: MakeCamera, vision: Vision) -> None:
    still = [scene()] * 40
    passing = [scene((20 + 25 * i, 100, 60, 40)) for i in range(8)]
    cam = camera([*still, *passing, *still], fps=10)
    await vision.call("open", {"key": "m", "url": cam.url(), "analyse": ["motion"], "fps": 10})
    at, began, _ = await vision.told("motion", key="m", moving=True)
    assert began["boxes"]
    x, y, w, h = began["boxes"][0]
    assert 0.40 <= y <= 0.44 and 0.14 <= h <= 0.19  # rows 100 to 140 of 240
    assert x < 0.5 and 0.15 <= w <= 0.4  # 60 px wide; the place before may still glow
    _, ended, _ = await vision.told("motion", key="m", moving=False, since=at)
    assert ended["boxes"] == [] and ended["at"] - began["at"] >= 2.0
    assert [d["moving"] for n, d, _ in vision.seen if n == "motion"][:2] == [True, False]


async def test_it_comes_back_after_the_camera_was_killed(camera: MakeCamera, vision: Vision) -> None:
    cam = camera([scene()])
    await vision.call("open", {"key": "r", "url": cam.url(), "analyse": []})
    at, _, _ = await vision.told("camera", key="r", state="running")
    cam.kill()
    at, lost, _ = await vision.told("camera", key="r", state="retrying", since=at)
    assert lost["reason"] != ""
    at, lost, _ = await vision.told(
        "camera", key="r", state="retrying", since=at, reason="nothing listens at the address"
    )
    cam.start()
    await vision.told("camera", key="r", state="running", reason="", since=at)


async def test_wrong_password_is_told_without_it(camera: MakeCamera, vision: Vision) -> None:
    cam = camera([scene()], user="admin", password="s3cret/#word")
    await vision.call(
        "open", {"key": "p", "url": cam.url(), "username": "admin", "password": "wr0ng-pass", "analyse": []}
    )
    at, refused, _ = await vision.told("camera", key="p", state="retrying")
    assert refused["reason"] == "the camera refuses the user name or password"
    with pytest.raises(Unavailable) as none:
        await vision.call("snapshot", {"key": "p"})
    assert "wr0ng-pass" not in str(none.value)
    login = {"username": "admin", "password": "s3cret/#word"}
    await vision.call("open", {"key": "p", "url": cam.url(), **login, "analyse": []})
    await vision.told("camera", key="p", state="running", since=at)
    assert not any("s3cret" in str(data) or "wr0ng" in str(data) for _, data, _ in vision.seen)


async def test_several_sources_one_of_them_dead(camera: MakeCamera, vision: Vision) -> None:
    cam = camera([scene()], paths=("/1", "/2", "/3"))
    for n in ("1", "2", "3"):
        await vision.call("open", {"key": n, "url": cam.url(f"/{n}"), "analyse": ["motion"]})
    await vision.call("open", {"key": "dead", "url": cam.url("/none"), "analyse": ["motion"]})
    for n in ("1", "2", "3"):
        await vision.told("camera", key=n, state="running", reason="")
    _, dead, _ = await vision.told("camera", key="dead", state="retrying")
    assert dead["reason"] == "the camera knows no stream of this path"
    await vision.call("close", {"key": "2"})
    status = (await vision.call("status")).header["result"]
    assert set(status["sources"]) == {"1", "3", "dead"} and status["dropped"] == 0
    with pytest.raises(HubError) as unknown:
        await vision.call("snapshot", {"key": "2"})
    assert unknown.value.code == "not_found"


@pytest.mark.parametrize("codec", ["jpeg", "h265"])
async def test_other_codecs_are_decoded_too(camera: MakeCamera, vision: Vision, codec: str) -> None:
    cam = camera([scene(level=150)], codec=codec)
    await vision.call("open", {"key": "j", "url": cam.url(), "analyse": ["motion"]})
    await vision.told("camera", key="j", state="running")
    answer = await vision.call("snapshot", {"key": "j"})
    assert abs(np.asarray(Image.open(io.BytesIO(answer.blob)).convert("L")).mean() - 150) < 4
