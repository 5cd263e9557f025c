"""``hub new plugin`` and ``hub plugin``: write a plugin, see which there are."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub.cli import options
from hub.core.error import ConfigError, NotFound

if TYPE_CHECKING:
    from hub.host.discover import Discovery, Found


def add(commands: options.Commands) -> None:
    """Declare the commands."""
    new = options.group(commands, "new", "make something new")
    made = options.command(new, "plugin", _new, "write a plugin with a fake device that passes its own tests")
    made.add_argument("name", metavar="NAME", help="small letters, digits and _")
    made.add_argument(
        "--folder", type=Path, default=Path("plugins"), metavar="DIR", help="where to put it (default: plugins)"
    )
    plugin = options.group(commands, "plugin", "the plugins that are there")
    listed = options.command(plugin, "list", _list, "show every plugin that is found")
    options.config(listed, required=False)
    one = options.command(plugin, "describe", _describe, "show what a plugin declares and how it is configured")
    one.add_argument("name", metavar="NAME", help="the plugin's name")
    options.config(one, required=False)


def _new(given: argparse.Namespace) -> int:
    from hub.host.discover import builtin_folder, discover
    from hub.sdk.scaffold import write_plugin

    written = write_plugin(given.folder, given.name, taken=discover((), builtin_folder()).found)
    for path in written:
        print(path)
    print(f"its tests: python -m pytest {given.folder / given.name}")
    return 0


def _discover(config: Path | None) -> Discovery:
    from hub.host.config import load
    from hub.host.discover import builtin_folder, discover

    return discover(load(config).plugin_folders if config is not None else (), builtin_folder())


def _list(given: argparse.Namespace) -> int:
    discovery = _discover(given.config)
    for name, found in sorted(discovery.found.items()):
        where = "child" if found.child else "process"
        manifest = found.manifest
        print(f"{name:<20} {manifest.version:<8} {where:<8} {manifest.title.en} · {manifest.title.th}")
    for mistake in discovery.mistakes:
        print(mistake)
    return 1 if discovery.mistakes else 0


def _describe(given: argparse.Namespace) -> int:
    from hub.host.loading import did_you_mean

    discovery = _discover(given.config)
    found = discovery.found.get(given.name)
    if found is None:
        near = did_you_mean(given.name, discovery.found)
        wrong = [m for m in discovery.mistakes if Path(m.file).parent.name == given.name]
        if wrong:
            raise ConfigError(wrong)
        raise NotFound(f"there is no plugin {given.name!r}{near}", hint="hub plugin list shows them")
    for line in described(found):
        print(line)
    return 0


def described(found: Found) -> list[str]:
    """A plugin in lines. Settings are shown of those that came with the hub: other code is not imported here."""
    manifest = found.manifest
    rows: list[tuple[str, Any]] = [
        ("title", f"{manifest.title.en} · {manifest.title.th}"),
        ("description", manifest.description.en),
        ("version", manifest.version),
        ("folder", found.folder),
        ("runs in", "a process of its own" if found.child else "the hub's process"),
        ("emits", ", ".join(manifest.emits)),
        ("calls", ", ".join(manifest.calls)),
        ("reads", ", ".join(manifest.reads)),
        ("event types", ", ".join(kind.name for kind in manifest.types())),
        ("actions", ", ".join(action.name for action in manifest.actions)),
        ("views", ", ".join(f"{view.id} ({view.kind})" for view in manifest.views)),
        ("Debian packages", ", ".join(manifest.debian)),
    ]
    lines = [manifest.name, *(f"  {name}: {value}" for name, value in rows if value)]
    if found.builtin:
        from hub.cli.reference.fields import field_rows
        from hub.host.registry import Registry

        spec = Registry().load(found.name, found.folder, found.fingerprint)
        lines += ["  settings:", *(f"    {row.name}: {row.type}: {row.words}" for row in field_rows(spec.config))]
    return lines
