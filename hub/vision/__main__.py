"""``python -m hub.vision --fd N``: serve the hub over the inherited Unix socket ``N`` until it is closed."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import sys

from hub.core.wire import Peer
from hub.vision.service import VisionService


async def serve(fd: int) -> None:
    """Answer over the connected socket ``fd`` until the other end closes it."""
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=fd))
    service = VisionService()
    peer = Peer(reader, writer, service.handle, name="hub")
    sender = asyncio.create_task(service.send(peer))
    await peer.run()
    sender.cancel()
    service.shut()


def main() -> int:
    """Run; the exit status is 2 when ``fd`` is no connected socket."""
    parser = argparse.ArgumentParser(prog="python -m hub.vision", description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="number of the inherited, connected Unix socket")
    fd = parser.parse_args().fd
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: the hub ends us by closing
    try:
        asyncio.run(serve(fd))
    except OSError as wrong:
        sys.stderr.write(f"hub.vision: --fd {fd}: {wrong.strerror}\n")
        return 2
    sys.stderr.flush()
    os._exit(0)  # decoding threads may still sit in a socket's time limit inside libav: do not wait for them


if __name__ == "__main__":
    sys.exit(main())
