"""``python -m hub.host.child_main --fd N``: a process that runs one plugin instance for the hub.

The descriptor is one end of a socket pair that speaks ``hub.core.wire``; when the hub closes it, the process ends.
"""

from __future__ import annotations

import argparse
import ctypes
import faulthandler
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # prctl(2)


def main() -> None:
    """Prepare the process, then serve until the hub closes the wire."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--nice", type=int, default=0)
    options = parser.parse_args()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # no orphan, even when its loop is blocked
    faulthandler.register(signal.SIGUSR1, file=sys.stderr, all_threads=False)
    faulthandler.enable()
    os.nice(options.nice)
    # the hub's own libraries come last, so that the plugin's own environment has its own versions
    sys.path += [path for path in os.environ.pop("HUB_SITE", "").split(os.pathsep) if path and path not in sys.path]

    from hub.host.child_serve import serve

    serve(options.fd)


if __name__ == "__main__":
    main()
