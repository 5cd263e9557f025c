"""Options that several commands have."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

Commands = Any  # argparse keeps the type of its sub-parsers' action to itself
Command = Callable[[argparse.Namespace], int]


def config(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """``--config FILE``."""
    parser.add_argument("--config", type=Path, metavar="FILE", required=required, help="the configuration file")


def data(parser: argparse.ArgumentParser) -> None:
    """``--data DIR``."""
    parser.add_argument("--data", type=Path, metavar="DIR", required=True, help="the folder with the hub's data")


def command(commands: Commands, name: str, call: Command, words: str) -> argparse.ArgumentParser:
    """A new command; ``words`` say what it does."""
    said = f"{words[0].upper()}{words[1:]}."
    parser: argparse.ArgumentParser = commands.add_parser(name, help=words, description=said)
    parser.set_defaults(command=call)
    return parser


def group(commands: Commands, name: str, words: str) -> Commands:
    """A command that has commands of its own."""
    parser = commands.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.")
    return parser.add_subparsers(title="commands", metavar="COMMAND", required=True)


def port(text: str) -> int:
    """A port from the command line; 0 takes a free one."""
    value = int(text)
    if not 0 <= value <= 65_535:
        raise argparse.ArgumentTypeError(f"{value} is no port: 0 to 65535")
    return value
