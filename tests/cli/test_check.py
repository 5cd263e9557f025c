"""``hub check`` on right and broken configurations."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.cli.check import mistakes
from hub.core.clock import SystemClock
from hub.web.tls import own_context
from tests.architecture.tree import ROOT
from tests.cli.hubctl import hub

ZONE = "zone: {name: test, center: [17.0, 99.8]}\n"
UNITS = """plugins:
  - plugin: units
    config:
      devices:
        - {id: s211, name: {th: ก, en: A}, secret: a-long-secret}
"""


def config(folder: Path, text: str, **files: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(content)
    return path


def told(path: Path) -> list[str]:
    return [f"{one.line}:{one.column}: {one.words}" for one in mistakes(path)]


def test_the_demo_zone_is_right() -> None:
    said = hub("check", "--config", ROOT / "config.yaml")
    assert (said.status, said.out, said.err) == (0, "", "")


def test_every_line_names_file_line_and_column(tmp_path: Path) -> None:
    path = config(tmp_path, ZONE + UNITS.replace("secret:", "secrt:") + "automations: [{id: a, triggers: []}]\n")
    said = hub("check", "--config", path)
    assert said.status == 1
    assert said.err == ""
    assert said.lines == [
        f"{path}:6:11: 'secret' is missing",
        f"{path}:6:44: unknown field 'secrt'; did you mean 'secret'?",
        f"{path}:7:15: 'actions' is missing: this automation would do nothing",
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["1:1: the file is empty; it needs at least zone:"]),
        ("zone: {name: x, center: [17, 99]\n", ["2:1: not YAML: "]),
        ("zone: {name: x, center: [170, 99]}\n", ["1:26: center.0: input should be less than or equal to 90"]),
        (ZONE + "pluginz: []\n", ["2:1: unknown key 'pluginz'; did you mean 'plugins'?"]),
        (ZONE + "web: {port: 99999}\n", ["2:13: port: input should be less than or equal to 65535"]),
        (ZONE + "plugins:\n  - plugin: unitz\n", ["3:5: there is no plugin 'unitz'; did you mean 'units'?"]),
        (ZONE + UNITS.replace("a-long-secret", "short"), ["6:52: devices.0.secret: "]),
        (ZONE + UNITS.replace("s211", "S211"), ["6:16: devices.0.id: "]),
        (ZONE + "plugins: [{plugin: watchlist, config: {quiet_s: !secret none}}]\n", ["2:"]),
    ],
)
def test_mistakes_of_the_configuration(tmp_path: Path, text: str, words: list[str]) -> None:
    found = told(config(tmp_path, text))
    assert len(found) == len(words), found
    for line, start in zip(found, words, strict=True):
        assert line.startswith(start), found


RULE = """- id: near
  triggers:
    - {{trigger: event, event_type: {event}}}
    - {{trigger: state, entity_id: {entity}}}
  actions:
    - {{action: {action}, target: {{entity_id: {entity}}}, data: {{text: x}}}}
"""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, []),
        ({"event": "plate_red"}, ["3:36: there is no event type 'plate_red'; did you mean 'plate_read'?"]),
        ({"action": "unit.alrt"}, ["6:16: there is no action 'unit.alrt'; did you mean 'unit.alert'?"]),
        ({"entity": "unit.s212"}, ["4:", "6:"]),
        ({"event": "my_own_event"}, []),
    ],
)
def test_names_in_automations(tmp_path: Path, changes: dict[str, str], words: list[str]) -> None:
    rule = RULE.format(**{"event": "plate_read", "entity": "unit.s211", "action": "unit.alert"} | changes)
    found = told(config(tmp_path, ZONE + UNITS + "automations: !include rules.yaml\n", rules__yaml=rule))
    assert len(found) == len(words), found
    for line, start in zip(found, words, strict=True):
        assert line.startswith(start), found
    if "entity" in changes:
        assert "there is no entity 'unit.s212'; did you mean 'unit.s211'?" in found[0]


HOOKS = """  - plugin: webhooks
    config: {hooks: [{id: panic_1, name: {th: ก, en: A}, secret: a-secret-of-a-button}]}
automations: !include rules.yaml
"""


@pytest.mark.parametrize(
    ("webhook", "words"),
    [
        ("panic_1", []),
        ("panic_2", ["2:44: there is no entity 'webhook.panic_2'; did you mean 'webhook.panic_1'?"]),
    ],
)
def test_a_webhook_that_no_hook_declares(tmp_path: Path, webhook: str, words: list[str]) -> None:
    rule = f"- id: a\n  triggers: {{trigger: webhook, webhook_id: {webhook}}}\n  actions: [{{stop: x}}]\n"
    assert told(config(tmp_path, ZONE + UNITS + HOOKS, rules__yaml=rule)) == words


def test_names_that_stand_before_their_settings(tmp_path: Path) -> None:
    helpers = "plugins: [{plugin: helpers, config: {timer: {quiet: {duration: 60}}, input_boolean: {night: null}}}]\n"
    watched = "[timer.quiet, input_boolean.night, timer.quit]"
    rule = f"- id: a\n  triggers: [{{trigger: state, entity_id: {watched}}}]\n  actions: [{{stop: ''}}]\n"
    found = told(config(tmp_path, ZONE + helpers + "automations: !include rules.yaml\n", rules__yaml=rule))
    assert [line.partition(": ")[2] for line in found] == [
        "there is no entity 'timer.quit'; did you mean 'timer.quiet'?"
    ]


def partner(folder: Path, code: str = "raise SystemExit('ran')", toml: str = "") -> None:
    home = folder / "plugins" / "gate"
    home.mkdir(parents=True)
    (home / "plugin.toml").write_text(
        f'name = "gate"\napi = 1\ntitle = {{th = "ก", en = "G"}}\ndescription = {{th = "ก", en = "G"}}\n{toml}'
    )
    (home / "__init__.py").write_text(code)


def test_a_partner_s_code_is_not_run_and_its_entities_may_be_anything(tmp_path: Path) -> None:
    partner(tmp_path)
    rule = RULE.format(event="plate_read", entity="unit.elsewhere", action="unit.alert")
    more = "  - {plugin: gate, config: {any: thing}}\nautomations: !include rules.yaml\n"
    assert told(config(tmp_path, ZONE + UNITS + more, rules__yaml=rule)) == []


def test_a_partner_s_wrong_manifest_is_named(tmp_path: Path) -> None:
    partner(tmp_path, toml='emit = ["x"]\n')
    path = config(tmp_path, ZONE)
    assert [str(one) for one in mistakes(path)] == [
        f"{tmp_path / 'plugins' / 'gate' / 'plugin.toml'}:1:1: emit: extra inputs are not permitted"
    ]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    said = hub("check", "--config", tmp_path / "none.yaml")
    assert said.status == 1
    assert said.lines == [f"{tmp_path / 'none.yaml'}:1:1: there is no file {tmp_path / 'none.yaml'}"]


def test_a_certificate_that_does_not_name_the_public_address_is_warned_of(tmp_path: Path) -> None:
    own_context(tmp_path / "tls", "10.20.0.5", SystemClock(), ["zone.example"])
    web = "web: {tls: {cert: tls/10.20.0.5.pem, key: k}, public: {port: 1, url: 'https://HOST'}PROXIES}\n"

    def warned(host: str, proxies: str = "") -> tuple[int, list[str]]:
        path = config(tmp_path, ZONE + web.replace("HOST", host).replace("PROXIES", proxies))
        said = hub("check", "--config", path)
        return said.status, [line.removeprefix(f"{path}: warning: ") for line in said.lines]

    assert warned("zone.example:8443") == (0, [])
    words = "web.tls: tls/10.20.0.5.pem does not name 'other.example' of web.public.url: phones will refuse it"
    assert warned("other.example") == (0, [words])
    assert warned("other.example", ", proxies: [127.0.0.1]") == (0, [])
