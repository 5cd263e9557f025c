"""A vision process that speaks the protocol and sees what its settings say."""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
from typing import Any

from hub.core.error import Unavailable
from hub.core.wire import Message, Peer, Reply, encode


async def main(fd: int) -> None:
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=fd))
    opened: dict[str, dict[str, Any]] = {}

    def tell(call: str, blob: bytes = b"", **args: Any) -> None:
        writer.write(encode(Message({"call": call, "args": args}, blob)))

    async def handle(name: str, args: dict[str, Any], blob: bytes) -> Any:
        if name == "ping":
            raise Unavailable("this process knows no ping") if not opened else KeyError("ping")
        if name == "open":
            opened[args["key"]] = args
            key = args["key"]
            tell("camera", key=key, state="running", reason="")
            tell("motion", key=key, moving=True, at=1000.0, boxes=[[0.1, 0.2, 0.3, 0.4]])
            tell("motion", key=key, moving=True, at=1001.0, boxes=[])
            guess = {"series": "1กบ", "number": "1234", "province": "", "confidence": 0.2}
            tell(
                "plate", b"a crop", key=key, at=1002.0, series="1กข", number="1234", province="สุโขทัย",
                confidence=0.8, alternatives=[guess], box=[0, 0, 1, 1],
            )  # fmt: skip
            tell("motion", key=key, moving=False, at=1003.0, boxes=[])
            tell("passed", key=key, at=1004.0, what="crossed", name="gate", way="left", seconds=0.0)
            tell("passed", key=key, at=1005.0, what="stayed", name="bank", way="", seconds=61.5)
            for at, scene in ((1006.0, "ok"), (1007.0, "covered"), (1008.0, "ok"), (1009.0, "moved")):
                tell("scene", key=key, at=at, scene=scene)
            tell("plate", key="nobody", at=0)
            if args["url"].endswith("/die"):
                os._exit(7)
            return {}
        if name == "snapshot":
            return Reply({"at": 1.0, "width": 2, "height": 2}, f"jpeg of {opened[args['key']]['password']}".encode())
        if name == "live":
            tell("live", b"init", key=args["key"], n=1, header={"kind": "fmp4", "codecs": "avc1.42c01e"})
            for n, key_frame in ((2, True), (3, False), (5, False), (6, False), (7, True)):  # 4 was lost
                tell("live", f"piece {n}".encode(), key=args["key"], n=n, at=1000.0 + n, key_frame=key_frame)
            return {"on": args["on"]}
        if name == "clip":
            parts = [{"begins": 990.0, "ends": 1000.0, "size": 6}, {"begins": 1000.0, "ends": 1010.0, "size": 6}]
            return {"clip": "1", "parts": parts, "full": False}
        if name == "clip_part":
            return Reply({}, f"part {args['part']}".encode())
        if name == "close":
            opened.pop(args["key"])
            return {}
        return None

    await Peer(reader, writer, handle).run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int)
    asyncio.run(main(parser.parse_args().fd))
