"""One case: each of its steps done to the hub, what was expected noted, and all of it compared at the end."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from hub.automation import Source
from hub.automation.execution.circumstances import ConditionFailed
from hub.automation.execution.conditions import compile_condition
from hub.automation.execution.run import Run
from hub.automation.execution.trace import Notes
from hub.automation.language.parse_conditions import condition
from hub.automation.language.reader import Reader
from hub.automation.language.source import NOWHERE, placed
from hub.automation.templates.template import TemplateFailed, TemplateWrong
from hub.core.bus import Subscription
from hub.core.error import HubError
from hub.core.event import Draft
from tests.conformance.tagged import as_config, as_value, comparable
from tests.conformance.world import WHO, World

Step = Mapping[str, Any]
_TEMPLATE_FAULTS = (TemplateWrong, TemplateFailed)


class Differs(AssertionError):
    """The hub did something else than was recorded."""


class Case:
    """Runs one case."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.wanted_calls: list[Any] = []
        self.wanted_events: list[Any] = []
        self.seen_events: list[Any] = []
        self.scripts: dict[Any, list[Run]] = {}
        self.ended: dict[Any, int] = {}
        self.conditions: dict[Any, Any] = {}
        self.mistakes: list[Any] = []
        self.begun = False
        self.ops: dict[str, Callable[[Step], Awaitable[None]]] = {
            name.removeprefix("do_"): getattr(self, name) for name in dir(self) if name.startswith("do_")
        }

    async def run(self, case: Mapping[str, Any]) -> None:
        """``Differs`` with what differs."""
        moments = [step["now"] for step in case["steps"] if "now" in step]
        self.world.host.refuses = any(step.get("error") == "ServiceNotFound" for step in case["steps"])
        await self.world.start(_seconds(moments[0]))
        if any('"zone.' in json.dumps(step) for step in case["steps"]):
            self.world.add_places()
        for number, step in enumerate(case["steps"]):
            if "now" in step:
                self.world.host.clock.set(_seconds(step["now"]))
            try:
                await self.ops[step["op"].lower()](step)
            except Differs as differs:
                raise Differs(f"step {number} {step['op']}: {differs}") from None
        await self.world.settle()
        self._compare()

    def _compare(self) -> None:
        calls = [comparable({"call": name, "data": data}) for name, data, _ in self.world.host.calls]
        if calls != self.wanted_calls:
            raise Differs(f"calls were {_short(calls)}, not {_short(self.wanted_calls)}")
        if self.seen_events != self.wanted_events:
            raise Differs(f"events were {_short(self.seen_events)}, not {_short(self.wanted_events)}")

    # --- the world

    async def do_set_state(self, step: Step) -> None:
        attributes = as_value(step.get("attributes") or {}, self.world.templates.world)
        force = bool(step.get("force_update"))
        self.world.set(step["entity_id"], str(step["new_state"]), attributes, force=force)

    async def do_remove_state(self, step: Step) -> None:
        self.world.host.emit(Draft("entity_removed", {"reason": ""}, "instance:vectors", step["entity_id"]))

    async def do_fire(self, step: Step) -> None:
        data = as_value(step.get("event_data") or {}, self.world.templates.world)
        self.world.host.emit(Draft(step["event_type"], data, "user:vectors"))

    async def do_time_changed(self, step: Step) -> None:
        await self.world.settle()
        to = step["to"]
        self.world.host.clock.jump(_seconds(to["__datetime__"] if isinstance(to, dict) else to or step["now"]))

    async def do_settle(self, step: Step) -> None:
        if not self.begun:  # the peer has started by now
            self.begun = True
            self.world.host.emit(Draft("hub_started", {}, "hub"))
        await self.world.settle()

    async def do_mock_service(self, step: Step) -> None:
        self.world.host.mocks[f"{step['domain']}.{step['service']}"] = step.get("response")

    async def do_capture_events(self, step: Step) -> None:
        kind = step["event_type"]
        self.world.host.rules.add(
            Subscription(
                lambda event, _change: self.seen_events.append(comparable({"event": kind, "data": event.data})), kind
            )
        )

    async def do_observed_call(self, step: Step) -> None:
        self.wanted_calls.append(comparable({"call": f"{step['domain']}.{step['service']}", "data": step["data"]}))

    async def do_observed_event(self, step: Step) -> None:
        self.wanted_events.append(comparable({"event": step["event_type"], "data": step["data"]}))

    # --- automations and scripts

    async def do_setup(self, step: Step) -> None:
        domain, config = step["domain"], as_config(step["config"])
        if domain == "script" and isinstance(config, list):
            config = {name: script for part in config for name, script in part.items()}
        if domain in ("automation", "script"):
            text = json.dumps({domain: config} if domain == "script" else config, ensure_ascii=False)
            self.mistakes = self.world.engine.reload([Source(text, f"{domain}.yaml", WHO)])
            return
        rows = config.items() if isinstance(config, dict) else []
        for name, about in rows:
            if domain == "input_number":
                self.world.set(f"input_number.{name}", str(float(about.get("initial", 0))), about)
            elif domain == "group":
                members = about.get("entities", []) if isinstance(about, dict) else about
                self.world.set(f"group.{name}", "unknown", {"entity_id": members})

    async def do_setup_result(self, step: Step) -> None:
        if not step["ok"] and not self.mistakes:
            raise Differs("it was accepted")

    async def do_call_service(self, step: Step) -> None:
        if step.get("blocking"):
            await self.world.settle()
        await self._call(step)
        if step.get("blocking"):
            await self.world.settle()

    async def _call(self, step: Step) -> None:
        engine, name = self.world.engine, f"{step['domain']}.{step['service']}"
        data = as_config(step.get("service_data") or {})
        named = data.get("entity_id", [])
        targets = named.split(",") if isinstance(named, str) else named
        if targets == ["all"]:
            targets = [made.id for entry in engine.all_entries() if (made := entry.automation).kind == step["domain"]]
        try:
            if step["domain"] == "script" and step["service"] not in ("turn_on", "turn_off", "toggle", "reload"):
                engine.run_script(name, data)
                return
            for target in targets:
                self._switch(step["service"], target.strip(), data)
        except HubError:
            return

    def _switch(self, verb: str, target: str, data: Mapping[str, Any]) -> None:
        engine = self.world.engine
        entry = engine.named(target)
        if entry is None:
            return
        made = entry.automation
        if verb == "trigger" or (made.kind == "script" and verb in ("turn_on", "toggle")):
            skip = data.get("skip_condition", True)
            engine.start(entry, data.get("variables", {}), caller=None, key=None, notes=_notes(self), check=not skip)
        elif made.kind == "script":
            engine.cancel(made.id, "turned off")
        elif verb in ("turn_on", "turn_off", "toggle"):
            on = {"turn_on": True, "turn_off": False}.get(verb, not entry.enabled)
            engine.set_enabled(made.id, on)
            if not on and data.get("stop_actions", True):
                engine.cancel(made.id, "turned off")

    async def do_script(self, step: Step) -> None:
        kw = step.get("kw") or {}
        source = {"sequence": as_config(step["sequence"]), "mode": kw.get("script_mode", "parallel")}
        if "max_runs" in kw:
            source["max"] = kw["max_runs"]
        if kw.get("variables"):
            source["variables"] = as_config(kw["variables"])
        text = json.dumps({"script": {f"case_{step['id']}": source}})
        self.mistakes = self.world.engine.reload([Source(text, f"script_{step['id']}.yaml", WHO)])
        self.scripts[step["id"]] = []

    async def do_script_run(self, step: Step) -> None:
        variables = as_value(step.get("variables") or {}, self.world.templates.world)
        if self.mistakes:
            raise Differs(f"the script was refused: {self.mistakes[0]}")
        run = self.world.engine.run_script(f"script.case_{step['id']}", variables)
        if run is not None:
            self.scripts[step["id"]].append(run)

    async def do_script_done(self, step: Step) -> None:
        number = self.ended.get(step["id"], 0)
        self.ended[step["id"]] = number + 1
        runs = self.scripts[step["id"]]
        if number >= len(runs):
            return  # a run that the mode did not allow
        await self.world.settle()
        run = runs[number]
        if run.status in ("waiting", "queued"):  # an end that was recorded while it waits: somebody stopped it
            self.world.engine.cancel(run.plan.automation.id, "stopped")
            return
        if step.get("error") == "CancelledError" and run.status == "stopped":
            return
        if ("error" in step) != (run.status == "failed"):
            raise Differs(f"the run is {run.status} ({run.root.error}), not {step.get('error', 'finished')}")
        if step.get("response") is not None and comparable(run.response) != comparable(step["response"]):
            raise Differs(f"the response is {run.response}, not {step['response']}")

    # --- conditions and templates

    async def do_condition(self, step: Step) -> None:
        reader = Reader(self.world.templates, lenient=True)
        self.conditions[step["id"]] = condition(reader, placed(as_config(step["config"])), NOWHERE, "condition")
        self.mistakes = reader.mistakes

    async def do_condition_test(self, step: Step) -> None:
        made = self.conditions[step["id"]]
        if made is None or self.mistakes:
            if "error" not in step:  # what fails there when it is asked may be refused here when it is read
                raise Differs(f"the condition was refused: {self.mistakes}")
            return
        values = as_value(step.get("variables") or {}, self.world.templates.world)
        try:
            result: Any = compile_condition(made, self.world.templates.world)(values, _notes(self))
        except (ConditionFailed, TemplateFailed) as failed:
            if "error" not in step:
                raise Differs(f"it failed: {failed}") from None
            return
        if "error" in step or result != step["result"]:
            raise Differs(f"it is {result}, not {step.get('result', step.get('error'))}")

    async def do_render(self, step: Step) -> None:
        world = self.world.templates.world
        values = as_value(step.get("variables") or {}, world)
        try:
            made = self.world.templates.compile(step["template"])
            result = made.render(values) if step.get("parse_result", True) else made.text(values)
        except _TEMPLATE_FAULTS as failed:
            if "error" not in step:
                raise Differs(f"{step['template']!r} failed: {failed}") from None
            return
        if "error" in step:
            raise Differs(f"{step['template']!r} is {result!r}, and should fail: {step.get('message')}")
        if comparable(result) != comparable(step["result"]):
            raise Differs(f"{step['template']!r} is {result!r}, not {step['result']!r}")


def _notes(case: Case) -> Notes:
    return Notes(case.world.host.clock)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) < 500 else text[:500] + "…"
