"""The command ``hub``. Each group of commands is a module here; what is heavy is imported inside the commands only.

Exit status: 0 well, 1 it could not be done (one clear line on stderr), 2 the command line was wrong.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from hub.cli import audit, backup, check, contacts, doctor, evidence, plates, plugin, reference, replay, run, user
from hub.core.error import ConfigError, HubError

GROUPS = (run, check, replay, plugin, plates, user, audit, doctor, backup, evidence, contacts, reference)


def build_parser() -> argparse.ArgumentParser:
    """All commands. Each sets ``command``: a function from the parsed options to the exit status."""
    parser = argparse.ArgumentParser(prog="hub", description="The hub of a police station's safety zone.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for group in GROUPS:
        group.add(commands)
    parser.set_defaults(parser=parser)  # the reference describes it
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status. Wrong input never ends in a traceback."""
    options = build_parser().parse_args(arguments)
    try:
        status: int = options.command(options)
        sys.stdout.flush()
        return status
    except ConfigError as wrong:
        print(wrong.message, file=sys.stderr)
    except HubError as refused:
        print(f"hub: {refused}", file=sys.stderr)
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as fault:
        place = f"{fault.filename}: " if fault.filename else ""
        print(f"hub: {place}{fault.strerror or fault}", file=sys.stderr)
    except KeyboardInterrupt:
        print("hub: interrupted", file=sys.stderr)
    return 1
