"""The contract that every plugin keeps, as checks: each answers what is wrong, in words; nothing when all is well."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from hub.sdk.manifest import Manifest, load_manifest
from hub.testing.declared import disagreements
from hub.testing.harness import Harness, harness
from hub.testing.leftovers import Leftovers
from hub.testing.sampling import Answer, ask_all

Settings = Mapping[str, Any] | Callable[[], AbstractAsyncContextManager[Mapping[str, Any]]]
DESCRIBE_WITHIN_S = 60.0
SAME_WITHIN_S = 20.0
QUIET_S = 0.3


@dataclass
class Subject:
    """A plugin under test.

    ``config``: settings, or a function whose ``async with`` starts the fake device and gives them. ``dead_config``:
    the same pointing to a port where nobody listens; ``silent_config``: to a device that takes connections and never
    answers. ``params``: parameters for actions whose required ones cannot be invented.
    """

    folder: Path
    config: Settings = field(default_factory=dict)
    dead_config: Settings | None = None
    silent_config: Settings | None = None
    params: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @cached_property
    def manifest(self) -> Manifest:
        """Its ``plugin.toml``."""
        return load_manifest(self.folder)

    @cached_property
    def described(self) -> dict[str, Any]:
        """What describing it did, in a process of its own."""
        command = [sys.executable, "-m", "hub.testing.describe", str(self.folder.resolve())]
        done = subprocess.run(command, capture_output=True, text=True, timeout=DESCRIBE_WITHIN_S, check=False)
        if done.returncode:
            raise AssertionError(f"it cannot be described: {done.stderr.strip()}")
        told: dict[str, Any] = json.loads(done.stdout)
        return told


@asynccontextmanager
async def _given(settings: Settings) -> AsyncIterator[Mapping[str, Any]]:
    if isinstance(settings, Mapping):
        yield settings
    else:
        async with settings() as made:
            yield made


def described_without_running_it(subject: Subject) -> list[str]:
    """Reading the manifest and finding the plugin runs none of its code."""
    return [f"{file} ran while the plugin was only described" for file in subject.described["ran"]]


def imported_without_side_effect(subject: Subject) -> list[str]:
    """Importing it opens no socket or file, and starts no thread, task or program."""
    return list(subject.described["effects"])


def every_field_is_described(subject: Subject) -> list[str]:
    """Each field of the settings, nested ones too, carries a description."""
    schema = subject.described["schema"]
    models = {"Config": schema, **schema.get("$defs", {})}
    return [
        f"{model}.{name} has no description"
        for model, part in models.items()
        for name, one in part.get("properties", {}).items()
        if not one.get("description")
    ]


def declarations_agree(subject: Subject) -> list[str]:
    """What ``plugin.toml`` declares exists, and what it declares is served."""
    return asyncio.run(_declarations(subject))


async def _declarations(subject: Subject) -> list[str]:
    async with _given(subject.config) as config, harness(subject.folder, config) as hub:
        domains = {one.domain for one in hub.entities()}
        served = {one.name for one in subject.manifest.actions if hub.app.host.claims.holds("action", one.name)}
        known = {kind.name: kind for kind in hub.app.pipeline.types}
        actions = {spec.name for spec in hub.app.actions.specs()}
        actions |= {one.name for found in hub.app.host.discovery.found.values() for one in found.manifest.actions}
        return disagreements(subject.manifest, domains, served, known, actions)


def unload_leaves_nothing(subject: Subject) -> list[str]:
    """After unload no task, socket or thread is left, and none of its entities is served."""
    return asyncio.run(_unload(subject))


async def _unload(subject: Subject) -> list[str]:
    async with _given(subject.config) as config, harness(subject.folder, config, isolation="process") as hub:
        await hub.unload()
        wrong = [event.data["message"] for event in hub.events("fault") if event.data["where"] == hub.instance]
        for one in hub.entities():
            now = hub.state(one.entity)
            if hub.app.host.claims.holds("entity", one.entity) or now is None or now.attributes.get("available"):
                wrong.append(f"{one.entity} is still served")
        before = Leftovers.now()  # what modules keep for good is there by now
        await hub.restart()
        await hub.unload()
        return [*wrong, *await before.grown()]


def set_up_survives_a_dead_device(subject: Subject) -> list[str]:
    """Nobody answers at the device's address, and the set-up succeeds all the same."""
    return asyncio.run(_dead(subject))


async def _dead(subject: Subject) -> list[str]:
    if subject.dead_config is None:
        return []
    async with _given(subject.dead_config) as config, harness(subject.folder, config, running=False) as hub:
        one = hub.supervised
        ready = one.first.done() and one.first.result()
        return [] if ready else [f"the set-up did not succeed: {one.state}: {one.reason}"]


def actions_end_in_time(subject: Subject) -> list[str]:
    """Each action is answered, or lets itself be cancelled, within its limit (shortened to 1 s), whatever the device
    does."""
    return asyncio.run(_in_time(subject))


async def _in_time(subject: Subject) -> list[str]:
    wrong = []
    for kind in ("config", "dead_config", "silent_config"):
        settings = getattr(subject, kind)
        if settings is None:
            continue
        async with _given(settings) as config:
            async with harness(subject.folder, config, isolation="process", running=kind == "config") as hub:
                answers = await ask_all(hub, subject.params, limit=1.0)
            wrong += [f"{one.action} ({kind}): {one.late}" for one in answers if one.late]
    return wrong


def a_child_is_the_same(subject: Subject) -> list[str]:
    """In a child process it brings the same entities and events, and its actions end alike."""
    return asyncio.run(_same(subject))


async def _same(subject: Subject) -> list[str]:
    here = await _seen(subject, "process", frozenset())
    there = await _seen(subject, "child", here.events)
    wrong = [f"{one} is there in one of the two only" for one in sorted(here.entities ^ there.entities)]
    wrong += [f"{kind} of {domain} does not come from the child" for kind, domain in sorted(here.events - there.events)]
    for one in here.answers:
        other = there.answers.get(one, "missing")
        if other != here.answers[one]:
            wrong.append(f"{one} ends with {here.answers[one]!r} in the hub's process, with {other!r} in a child")
    return wrong


@dataclass(frozen=True)
class _Seen:
    entities: frozenset[str]
    events: frozenset[tuple[str, str]]  # type, domain of the entity: ids may be made at random
    answers: Mapping[str, str]


async def _seen(subject: Subject, isolation: Any, expected: frozenset[tuple[str, str]]) -> _Seen:
    """What comes of set-up and of each action, until all that is expected was seen, or else until it is quiet."""
    def events(hub: Harness) -> frozenset[tuple[str, str]]:
        own = (one for one in hub.events() if one.source == f"instance:{hub.instance}")
        return frozenset((one.type, (one.entity or "").partition(".")[0]) for one in own)

    async with _given(subject.config) as config, harness(subject.folder, config, isolation=isolation) as hub:
        entities = frozenset(one.entity for one in hub.entities())
        answers: list[Answer] = await ask_all(hub, subject.params, limit=None)
        with suppress(AssertionError):  # the difference is told by the comparison
            await hub.until(lambda: expected <= events(hub), SAME_WITHIN_S)
        if not expected:
            await asyncio.sleep(QUIET_S)  # what comes later by itself is not compared
        return _Seen(entities, events(hub), {one.action: one.status for one in answers})


CHECKS: tuple[Callable[[Subject], list[str]], ...] = (
    described_without_running_it, imported_without_side_effect, every_field_is_described, declarations_agree,
    unload_leaves_nothing, set_up_survives_a_dead_device, actions_end_in_time, a_child_is_the_same,
)  # fmt: skip


def contract(
    folder: Path, config: Settings | None = None, *, dead_config: Settings | None = None,
    silent_config: Settings | None = None, params: Mapping[str, Mapping[str, Any]] | None = None,
) -> Callable[..., None]:  # fmt: skip
    """A pytest test with one case for each check: ``test_contract = contract(FOLDER, config)``. See ``Subject``."""
    import pytest

    subject = Subject(folder, config if config is not None else {}, dead_config, silent_config, params or {})
    left_out = {set_up_survives_a_dead_device} if dead_config is None else set()

    @pytest.mark.parametrize("check", [pytest.param(one, id=one.__name__) for one in CHECKS if one not in left_out])
    def test_contract(check: Callable[[Subject], list[str]]) -> None:
        wrong = check(subject)
        if wrong:
            pytest.fail("\n".join([check.__doc__ or check.__name__, *wrong]), pytrace=False)

    return test_contract
