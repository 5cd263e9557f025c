"""Mistakes: each with line and column, all at once; blueprints; what a template may not do."""

from __future__ import annotations

import time as machine
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hub.automation import Catalogue, check_text
from hub.automation.language.blueprint import folder_blueprints
from hub.automation.templates.template import TemplateFailed, Templates, TemplateWrong
from hub.automation.templates.views import World
from hub.core.clock import ManualClock
from hub.core.event import EventType, EventTypes
from hub.core.state import EntityState, State
from hub.core.text import Text
from tests.automation.zone import START, PlateRead, Zone

BAD = """\
- id: a
  alias: Many mistakes
  trigers: []
  triggers:
    - trigger: stat
    - trigger: state
      entity_id: light.aa
      to: "on"
      not_to: "off"
    - trigger: event
      event_type: plate_raed
    - trigger: event
      event_type: plate_read
      event_data: {plate: 1234, provinc: ตาก}
    - trigger: time
      at: "25:00"
    - trigger: template
      value_template: "{{ is_state('light.x', 'on' }}"
  conditions:
    - condition: numeric_state
      entity_id: sensor.t
      above: 9
      below: 3
    - "just text"
  actions:
    - action: light.turn_onn
      target: {entity_id: light.a}
    - action: light.turn_on
      target: {entity_id: sensor.t}
      data: {brightness: bright, nots: x}
    - action: notify.tell
      target: {entity_id: light.a}
      data: {text: "{{ states('light.zz') | flot }}"}
    - action: drone.dispatch
      data: {lat: "{{ 1 }}"}
    - delay: soon
    - stop: here
    - delay: 1
    - event: action_finished
    - wobble: 1
  mode: sometimes
  max: 0
"""


async def test_every_mistake_with_its_place() -> None:
    zone = await Zone().start()
    assert [f"{m.line}:{m.column} {m.words}" for m in check_text(BAD, "f.yaml", zone.known)] == [
        "3:3 an automation has no field 'trigers'; did you mean 'triggers'?",
        "5:16 there is no trigger 'stat'; did you mean 'state'?",
        "7:18 there is no entity 'light.aa'; did you mean 'light.a'?",
        "9:7 'to' and 'not_to' exclude each other; keep one",
        "11:19 there is no event type 'plate_raed'; did you mean 'plate_read'?",
        "14:20 'plate' is text: put 1234 in quotes, or it never matches",
        "14:33 plate_read has no field 'provinc'; did you mean 'province'?",
        "16:11 '25:00' is no time of day; write HH:MM or HH:MM:SS",
        "18:23 template: unexpected '}', expected ')' (line 1 of it)",
        "20:7 nothing lies above 9 and below 3",
        "24:7 'just text' is no condition; a template needs {{ }} around it",
        "26:15 there is no action 'light.turn_onn'; did you mean 'light.turn_on'?",
        "29:27 sensor.t is no light, so light.turn_on cannot act on it",
        "30:14 light.turn_on: brightness: input should be a valid integer, unable to parse string as an integer",
        "30:34 light.turn_on has no field 'nots'; did you mean 'note'?",
        "31:15 notify.tell needs the field 'to'",
        "32:27 notify.tell takes no target",
        "33:20 template: no filter 'flot'; did you mean 'float'?",
        "34:15 drone.dispatch needs a target; add 'target: {entity_id: drone.NAME}'",
        "34:15 drone.dispatch needs the field 'lon'",
        "36:14 'soon' is no duration; write seconds, HH:MM:SS, or minutes: 5",
        "38:7 this is never reached: a stop stands before it",
        "39:14 action_finished is an event of the hub itself; an automation cannot fire it",
        "40:7 this is no step: it has none of action, delay, choose, if, repeat, parallel, "
        "wait_template, wait_for_trigger, variables, event, stop, scene, escalate, condition, sequence",
        "41:9 'mode' must be one of single, restart, queued, parallel",
        "42:8 'max' must be a whole number from 1 to 1000",
    ]


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("a: [", "2:1 this is not YAML: did not find expected node content"),
        ("- id: a\n  id: b", "2:3 'id' stands here twice"),
        ("[" * 60 + "]" * 60, "1:42 nested deeper than 40 levels"),
        ("- !secret x", "1:3 the tag !secret is not known here; only !input is"),
        ("- 5", "1:3 an automation must be a mapping of fields, not 5"),
        ("- alias: กลางคืน\n  triggers: {trigger: time, at: '01:00'}\n  actions: [{stop: x}]",
         "1:3 give the automation an 'id' of Latin letters, digits, _ and -: its runs are kept under it"),
        ("- id: a\n  triggers: []\n  action: []\n  actions: []", "4:3 'action' and 'actions' mean the same; keep one"),
        ("- id: a\n  triggers: []\n  actions: [!input x]", "3:13 !input stands only in blueprints"),
    ],
)  # fmt: skip
def test_broken_files(text: str, mistake: str) -> None:
    found = check_text(text, "f.yaml")
    assert f"{found[0].line}:{found[0].column} {found[0].words}" == mistake


def test_a_file_of_aliases_of_aliases_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    words = check_text("\n".join(lines), "f.yaml")[0].words
    assert words == "the aliases of this file stand for more than 50000 values"


WEBHOOK = """\
- id: a
  triggers: {trigger: webhook, webhook_id: %s}
  actions: [{stop: x}]
"""


@pytest.mark.parametrize(
    ("webhook", "mistakes"),
    [
        ("panic", []), ("panic, allowed_methods: [put, GET], local_only: true", []),
        ("panik", ["2:44 there is no entity 'webhook.panik'; did you mean 'webhook.panic'?"]),
        ("panic, allowed_methods: [PUTT]", ["2:69 'allowed_methods' are GET, HEAD, POST, PUT; did you mean 'PUT'?"]),
        ("panic, local_only: maybe", ["2:63 'local_only' must be true or false, not 'maybe'"]),
        ("''", ["2:13 'webhook_id' is missing"]),
    ],
)  # fmt: skip
def test_a_webhook_must_be_one_that_a_plugin_brings(webhook: str, mistakes: list[str]) -> None:
    kind = EventType("webhook_received", Text("ก", "A"), PlateRead)  # any model
    known = Catalogue({"webhook.panic": ()}, {}, {kind.name: kind})
    text = WEBHOOK % webhook
    assert [f"{m.line}:{m.column} {m.words}" for m in check_text(text, "f.yaml", known)] == mistakes
    nobody = check_text(WEBHOOK % "panic", "f.yaml", Catalogue({}, {}, {}))
    assert [m.words for m in nobody] == ["no plugin of this hub takes webhooks (events webhook_received)"]
    assert check_text(WEBHOOK % "-any_id", "f.yaml", Catalogue({}, {}, {kind.name: kind}), lenient=True) == []


BLUEPRINT = """\
blueprint:
  name: Plate to light
  domain: automation
  input:
    plate: {name: The plate, selector: {text: {}}}
    lights:
      name: Section
      input:
        lamp: {default: light.a}
triggers: [{trigger: event, event_type: plate_read, event_data: {plate: !input plate}}]
actions:
  - variables: {who: !input plate}
  - action: light.turn_on
    target: {entity_id: !input lamp}
    data: {note: "{{ who }}"}
"""


def blueprints(path: str) -> str | None:
    return {"p.yaml": BLUEPRINT, "bad.yaml": BLUEPRINT.replace("!input lamp", "!input lmap")}.get(path)


async def test_blueprint_with_inputs_and_defaults() -> None:
    use = """
- {id: a, use_blueprint: {path: p.yaml, input: {plate: กข11}}}
- {id: b, use_blueprint: {path: p.yaml, input: {plate: Z9, lamp: light.b}}}
"""
    zone = await Zone(blueprints=blueprints).start(use)
    zone.plate("กข11")
    zone.plate("Z9")
    await zone.idle()
    assert zone.calls == [
        ("light.turn_on", "light.a", {"brightness": 100, "note": "กข11"}),
        ("light.turn_on", "light.b", {"brightness": 100, "note": "Z9"}),
    ]


@pytest.mark.parametrize(
    ("use", "mistake"),
    [
        ("{path: p.yaml}", "u.yaml:2:18 the input 'plate' (The plate) is missing"),
        ("{path: p.yaml, input: {plate: x, lmap: y}}",
         "u.yaml:2:51 the blueprint has no input 'lmap'; did you mean 'lamp'?"),
        ("{path: none.yaml}", "u.yaml:2:25 there is no blueprint 'none.yaml'"),
        ("{path: bad.yaml, input: {plate: x}}",
         "bad.yaml:14:25 !input lmap: the blueprint declares no such input; did you mean 'lamp'?"),
        ("{path: p.yaml, input: {plate: x, lamp: light.q}}",
         "u.yaml:2:57 there is no entity 'light.q'; did you mean 'light.b'?"),
    ],
)  # fmt: skip
async def test_blueprint_mistakes(use: str, mistake: str) -> None:
    zone = await Zone().start()
    found = check_text(f"- id: a\n  use_blueprint: {use}\n", "u.yaml", zone.known, blueprints)
    assert f"{found[0].file}:{found[0].line}:{found[0].column} {found[0].words}" == mistake


def test_blueprints_stay_in_their_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.yaml").write_text("x", encoding="utf-8")
    (tmp_path / "out.yaml").write_text("secret", encoding="utf-8")
    read = folder_blueprints(tmp_path / "in")
    assert [read(path) for path in ("a.yaml", "../out.yaml", str(tmp_path / "out.yaml"), "b.yaml")] == [
        "x",
        None,
        None,
        None,
    ]


# --- templates


def templates(**values: tuple[str, dict[str, Any]]) -> Templates:
    state = State(EventTypes())
    entities = [
        EntityState(name.replace("__", "."), value, attributes, START, START, 1)
        for name, (value, attributes) in values.items()
    ]
    state.load(1, [{**entity.as_data(), "personal": {}} for entity in entities])
    return Templates(World(state, ManualClock(START), UTC))


VALUES: Mapping[str, Any] = {
    "x": 3,
    "plate": "1กข1234",
    "d": {"items": 1, "a": [1, 2]},
    "when": datetime(2024, 2, 3, tzinfo=UTC),
}


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("{{ 1 + 1 }}", 2), ("{{ '5' }}", 5), ("{{ '05' }}", "05"), ("{{ '1e5' }}", "1e5"), ("{{ 1.50 }}", 1.5),
        ("{{ plate }}", "1กข1234"), ("{{ none }}", None), ("{{ x > 2 and plate }}", "1กข1234"), ("{{ nothing }}", ""),
        ("{{ d['items'] }} {{ d.a[1] }}", "1 2"), ("{{ d.a }}", [1, 2]), ("{{ [x, 'a'] }}", [3, "a"]),
        ("{{ 10 // 4 }}", 2),
        ("{{ nothing | default('z') }}", "z"), ("{{ 'x' | int(7) }}", 7), ("{{ 2.5 | round }}", 2),
        ("{{ 2.345 | round(2) }}", 2.35),
        ("{{ 'aB' | upper }}{{ 'aB' | lower }}", "ABab"), ("{{ states('light.a') }}", "on"),
        ("{{ states('light.zz') }}", "unknown"),
        ("{{ state_attr('light.a', 'level') + 1 }}", 8), ("{{ is_state('light.a', ['on', 'dim']) }}", True),
        ("{{ states.light.a.attributes.level }}", 7), ("{{ has_value('light.b') }}", False),
        ("{{ now().isoformat() }}", "2023-11-14T22:13:20+00:00"), ("{{ when.strftime('%d/%m') }}", "03/02"),
        ("{% for s in states.light %}{{ s.entity_id }} {% endfor %}", "light.a light.b"),
        ("{{ states.light | selectattr('state', 'eq', 'on') | map(attribute='entity_id') | list }}", ["light.a"]),
        ("{{ 'a' if x == 3 else 'b' }}", "a"), ("{% if x in [1, 3] %}yes{% endif %}", "yes"),
        ("{{ x is defined }}", True),
        ("{{ as_timestamp(when) | int }}", 1706918400), ("{{ [3, 1] | min }} {{ max(1, 2) }}", "1 2"),
        ("{% for i in range(900) %}{{ '' }}{% endfor %}end", "end"),
        ("{{ today_at('10:00') < now() }}", True), ("{{ {'a': x} }}", {"a": 3}), ("{{ 'a' ~ x ~ 'b' }}", "a3b"),
    ],
)  # fmt: skip
def test_templates_give_native_results(source: str, result: Any) -> None:
    made = templates(light__a=("on", {"level": 7}), light__b=("unavailable", {}))
    got = made.compile(source).render(VALUES)
    assert got == result
    assert type(got) is type(result)


HOSTILE = [
    "{{ 9 ** 999999999 }}", "{{ 'a' * 10 ** 9 }}", "{{ x.__class__ }}", "{{ ''['__class__'].mro() }}",
    "{{ range(10 ** 9) | list }}", "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "{{ '%999999999d' % 1 }}",
    "{{ when.strftime('%999999999Y') }}", "{{ 'a'.ljust(10 ** 9) }}", "{{ 'a' | center(10 ** 9) }}",
    "{% include 'x' %}",
    "{{ lipsum(9999) }}", "{{ cycler.__init__ }}", "{{ self.__init__ }}", "{{ states | attr('__init__') }}",
    "{{ 'aaaaaa' | replace('a', 'b' * 9999) | replace('b', 'c' * 9999) }}", "{{ '{0.__class__}'.format(1) }}",
    "{{ states._world }}",
    "{% for i in range(10000) %}{% for j in range(10000) %}{% endfor %}{% endfor %}",
    "{% for i in range(9999) %}{{ range(9999) | list | sort == range(9999) | list }}{% endfor %}",
    "{% set a = 'xxxxxxxxxxxxxxxxxxxx' %}" + "{% set a = a ~ a %}" * 60 + "{{ a }}",
    "{% set a = [1, 1] %}" + "{% set a = [a, a] %}" * 60 + "{{ a }}",
    "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}", "{{ " + "[" * 500 + "]" * 500 + " }}",
    "{{ 1" + " + 1" * 3000 + " }}",
    "{{ [range(9999) | list] * 9999 }}", "{{ range(9999) | map('string') | join('x' * 9999) }}", "{{ 'x' * 99999 }}",
    "{{ timedelta(days=10 ** 12) }}", "{{ d.pop('a').x }}", "{% set x.y = 1 %}", "{{ 1 / 0 }}",
    "{{ '{:9999999}'.format(1) }}", "{{ '%*d' % (99999, 1) }}", "{{ 'x' | indent(99999999) | indent(99999) }}{{ 1/0 }}",
    "{{ 'a' * 9999 | regex_replace('a', 'b' * 9999) }}", "{{ ('a' * 60000) is match('(a*)*b') or 1/0 }}",
    "{% macro f(n) %}{{ f(n + 1) }}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}", "{{ joiner.__init__.__globals__ }}",
    "{% set ns = namespace(a=1) %}{{ ns.__init__ }}",
    "{{ range(9999) | batch(1) | list | batch(1) | list | tojson | tojson }}{{ 1/0 }}",
    "{{ dict(a=1).__class__ }}", "{% for i in range(9999) %}{{ shuffle(range(9999)) }}{% endfor %}",
    "{{ namespace.__subclasses__() }}", "{{ x | map(attribute='__class__') | list }}", "{{ version(none) }}",
]  # fmt: skip


@pytest.mark.parametrize("source", HOSTILE)
def test_hostile_templates_are_refused_or_stopped(source: str) -> None:
    made = templates(light__a=("on", {}))
    begun = machine.process_time()
    with pytest.raises((TemplateWrong, TemplateFailed)):
        made.compile(source).render(VALUES)
    assert machine.process_time() - begun < 2  # 50 ms by its own limit; the rest is room for a busy machine


def test_a_template_knows_what_it_reads() -> None:
    made = templates(light__a=("on", {}))
    template = made.compile("{{ is_state('light.a', 'on') or states.light.b.state == x or state_attr(plate, 'y') }}")
    assert template.entities == {"light.a", "light.b"}
    result, reads = made.watching(made.compile("{{ states(who) }}{{ now().year }}"), {"who": "light.q"})
    assert (result, reads.entities, reads.time, reads.domains) == ("unknown2023", {"light.q"}, True, set())
