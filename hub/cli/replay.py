"""``hub replay``: what a file of automations would have done over recorded events, beside a running hub."""

from __future__ import annotations

import argparse
import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hub.cli import options
from hub.core.error import ConfigError, HubError


def add(commands: options.Commands) -> None:
    """Declare the command."""
    parser = options.command(commands, "replay", _replay, "tell what automations would have done over recorded events")
    parser.add_argument("file", type=Path, metavar="FILE", help="automations in YAML")
    options.config(parser)
    options.data(parser)
    parser.add_argument("--from", dest="start", required=True, metavar="TIME", help="ISO 8601, in the zone's time")
    parser.add_argument("--to", dest="end", required=True, metavar="TIME", help="the end, which is not in the span")
    parser.add_argument("--json", action="store_true", help="the whole answer as JSON")


def _replay(given: argparse.Namespace) -> int:
    from hub.host.config import load

    try:
        config = load(given.config)
        answer = _answer(given, config, ZoneInfo(config.zone.timezone))
    except ConfigError as wrong:
        for mistake in wrong.mistakes:
            print(mistake)
        return 1
    except (HubError, ValueError, OSError) as wrong:
        print(wrong)
        return 1
    print(json.dumps(answer, ensure_ascii=False, indent=1) if given.json else _words(answer))
    return 0


def _answer(given: argparse.Namespace, config: Any, zone: ZoneInfo) -> dict[str, Any]:
    from hub.automation.language.blueprint import folder_blueprints
    from hub.automation.replay import Replay
    from hub.cli.check import catalogue
    from hub.cli.records import RecordsReader
    from hub.core.access import Actor
    from hub.core.event import EventTypes
    from hub.host.discover import builtin_folder, discover

    known = catalogue(config, discover(config.plugin_folders, builtin_folder()))
    types = EventTypes(known.events.values())
    folders = [base / "blueprints" / "automation" for base in (config.path.parent, builtin_folder().parent)]
    journal = RecordsReader(given.data / "journal.db", given.data / "master.key", types)
    replay = Replay(
        journal, types, zone, config.zone.center, folder_blueprints(*folders), action=known.actions.get,
        check=lambda actor, right, entity: None,
    )  # fmt: skip
    start, end = (datetime.fromisoformat(text) for text in (given.start, given.end))
    span = [(moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp() for moment in (start, end)]
    text = given.file.read_text(encoding="utf-8")
    return replay.run(text, span[0], span[1], Actor("user:operator", grants=frozenset({"*"}), person=True))


def _words(answer: dict[str, Any]) -> str:
    """For the terminal."""
    lines = [
        f"it would have run {answer['total']} times over {answer['events']} events ({answer['seconds']:g} s)",
        f"{answer['alarms']} alarms: {answer['alarms_per_hour']:g} an hour, of {answer['budget_per_hour']:g} that two "
        "officers can handle",
    ]
    for row in answer["fired"][:20]:
        when = datetime.fromtimestamp(row["at"]).astimezone().isoformat(sep=" ", timespec="seconds")
        asked = ", ".join(action["action"] for action in row["actions"])
        lines.append(f"  {when}  {row['automation']}  {row['type'] or '-'} {row['entity'] or ''}  {asked}")
    for row in answer["near"][:10]:
        lines.append(f"  nearly: {row['automation']}  {row['type'] or '-'}  {row['path']}: {row['why']}")
    return "\n".join(lines)
