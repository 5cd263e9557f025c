"""Plates end to end: labelled pictures as a real RTSP stream of another program, through the whole hub, to events.

``python -m tests.bench plates_hub DATA_DIR [COUNT]``. 15 pictures a second, three passages a second, each at the next
of three places; what counts is the ``plate_read`` event in the journal.
"""

from __future__ import annotations

import asyncio
import csv
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from hub.app import App, Options
from hub.core.journal import Query

SERVER = Path(__file__).parents[1] / "vision" / "rtsp_server.py"
SYSTEM_PYTHON = "/usr/bin/python3"
WIDTH, HEIGHT, FPS, SHOWN = 640, 480, 15, 5
PLACES = ((30, 310), (350, 170), (190, 30))
CONFIG = """
zone: {{name: {{th: ทดสอบ, en: Test}}, center: [17.0, 99.8]}}
plugins:
  - plugin: rtsp_camera
    config:
      cameras: [{{id: bench, name: {{th: ทดสอบ, en: Bench}}, url: "{url}", analyse: [plate], fps: 15}}]
"""


def frames(folder: Path, names: list[str], data: Path) -> list[str]:
    """One raw picture a plate in a street, as the server's files."""
    noise = np.random.default_rng(3).integers(0, 30, (HEIGHT, WIDTH, 1))
    street = Image.fromarray((noise + 40).astype(np.uint8).repeat(3, axis=2))
    files: list[str] = []
    for count, name in enumerate(names):
        plate, picture = Image.open(data / name).convert("RGB"), street.copy()
        picture.paste(plate.resize((240, round(240 * plate.height / plate.width))), PLACES[count % len(PLACES)])
        file = folder / f"{name}.rgb"
        file.write_bytes(picture.tobytes())
        files.append(str(file))
    return files


async def read_all(folder: Path, url: str, seconds: float) -> list[tuple[str, str, str]]:
    """Every plate the hub's journal holds after ``seconds`` of that stream."""
    config = folder / "config.yaml"
    config.write_text(CONFIG.format(url=url))
    app = App(Options(config, folder / "data", port=0))
    await app.start()
    try:
        await asyncio.sleep(seconds)  # the stream's own length: nothing else says that it was seen once
        events = await asyncio.to_thread(app.journal.read, Query(type="plate_read", limit=10_000))
    finally:
        await app.stop()
    return [(e.data["series"], e.data["number"], e.data["province"]) for e in events]


def main(argv: list[str]) -> int:
    data = Path(argv[0] if argv else os.environ["HUB_TEST_DATA"]) / ("" if argv else "plates-thai")
    count = int(argv[1]) if len(argv) > 1 else 469
    with (data / "labels.tsv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table, delimiter="\t"))[:: max(1, 469 // count)][:count]
    Random(1).shuffle(rows)  # in the file like plates stand beside each other
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = frames(folder, [row["file"] for row in rows], data)
        mount = {"fps": FPS, "width": WIDTH, "height": HEIGHT, "codec": "h264", "frames": files, "hold": SHOWN}
        (folder / "spec.json").write_text(json.dumps({"port": 0, "mounts": {"/plates": mount}}))
        command = [SYSTEM_PYTHON, str(SERVER), str(folder / "spec.json")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            said = server.stdout.readline() if server.stdout else ""
            url = f"rtsp://127.0.0.1:{said.split()[-1]}/plates"
            seconds = len(files) * SHOWN / FPS + 12
            told = set(asyncio.run(read_all(folder, url, seconds)))
            server.terminate()
    plates, whole = {t[:2] for t in told}, told
    exact = sum((row["series"], row["number"]) in plates for row in rows)
    both = sum((row["series"], row["number"], row["province"]) in whole for row in rows)
    number = sum(row["number"] in {t[1] for t in told} for row in rows)
    for figure, value, unit in (
        ("plates_hub.pictures", len(rows), "count"), ("plates_hub.events", len(told), "count"),
        ("plates_hub.exact", round(exact / len(rows), 3), "ratio"),
        ("plates_hub.both", round(both / len(rows), 3), "ratio"),
        ("plates_hub.number", round(number / len(rows), 3), "ratio"),
    ):  # fmt: skip
        print(json.dumps({"name": figure, "value": value, "unit": unit}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
