"""Every kind of mistake in ``config.yaml`` is named with its file, line and column, all at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hub.cli.check import mistakes
from hub.core.error import ConfigError
from hub.host.config import HubConfig, load

ZONE = "zone: {name: test, center: [17.0, 99.8]}\n"
GOOD = """\
zone:
  name: {th: เมืองสุโขทัย, en: Mueang Sukhothai}
  center: [17.007, 99.823]
  border: !include border.geojson
  areas:
    - {id: rajthani, name: ราชธานี, polygon: [[17.0, 99.8], [17.1, 99.8], [17.1, 99.9]], residents: 655}
  places:
    - {id: gold_1, kind: gold_shop, name: {th: ทอง, en: Gold}, position: [17.005, 99.82], simulated: true}
web:
  port: 8200
  public: {host: 0.0.0.0, port: 8443}
plugins:
  - plugin: cameras
    name: street
    config: &common
      host: !secret camera
      hours: 22:00
      depth: !env_var DEPTH
      other: !env_var NOT_THERE 3
  - plugin: cameras
    config: {<<: *common, host: b}
automations:
  - alias: กลางคืน
    # a note of its own
    trigger: []

  # about the next
  - alias: two
    actions: |
      - text
"""


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_yaml", ".yaml").replace("_geojson", ".geojson")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "config.yaml"


def read(folder: Path, config: str, **files: str) -> HubConfig:
    return load(write(folder, config_yaml=config, **files), {"DEPTH": "7"})


def wrong(folder: Path, config: str, **files: str) -> list[str]:
    """The fatal mistakes, below the folder."""
    with pytest.raises(ConfigError) as told:
        read(folder, config, **files)
    return [str(mistake).removeprefix(f"{folder}/") for mistake in told.value.mistakes]


def loose(folder: Path, config: str, **files: str) -> list[str]:
    """The mistakes that stop one instance each."""
    return [str(mistake).removeprefix(f"{folder}/") for mistake in read(folder, config, **files).mistakes]


def test_a_good_file(tmp_path: Path) -> None:
    border = (
        '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": {"type": '
        '"Polygon",\t"coordinates": [[[99.8, 17.0], [99.9, 17.0], [99.9, 17.1], [99.8, 17.0]]]}}]}'
    )
    config = read(tmp_path, GOOD, secrets_yaml="camera: s3cret\n", border_geojson=border)
    assert config.mistakes == ()
    assert config.zone.border == [(17.0, 99.8), (17.0, 99.9), (17.1, 99.9)]
    assert (config.zone.name.th, config.zone.timezone) == ("เมืองสุโขทัย", "Asia/Bangkok")
    assert config.zone.areas[0].residents == 655 and config.zone.areas[0].name.en == "ราชธานี"
    assert config.zone.as_data()["places"] == [
        {"id": "gold_1", "kind": "gold_shop", "name": {"th": "ทอง", "en": "Gold"}, "simulated": True, "lat": 17.005,
         "lon": 99.82}
    ]  # fmt: skip
    assert (config.web.host, config.web.port, config.web.tls) == ("127.0.0.1", 8200, "auto")
    assert config.web.public is not None and config.web.public.port == 8443
    first, second = config.instances
    assert (first.name, first.plugin) == ("street", "cameras")
    assert first.config == {"host": "s3cret", "hours": "22:00", "depth": 7, "other": 3}
    assert (second.name, second.config["host"], second.config["depth"]) == ("cameras", "b", 7)
    assert [(source.line, source.text) for source in config.automations] == [
        (23, "    alias: กลางคืน\n    # a note of its own\n    trigger: []\n"),
        (28, "    alias: two\n    actions: |\n      - text\n"),
    ]


FATAL = {
    "not YAML": ("zone: [1,\n  2\nweb: 3\n", ["config.yaml:3:4: not YAML"]),
    "a tab": ("zone:\n\tname: x\n", ["config.yaml:2:1: not YAML"]),
    "empty": ("", ["config.yaml:1:1: the file is empty"]),
    "a list": ("- zone\n", ["config.yaml:1:1: must hold keys"]),
    "two documents": (ZONE + "---\nweb: {}\n", ["config.yaml:2:1: a second document"]),
    "unknown key": (ZONE + "pluginz: []\n", ["config.yaml:2:1: unknown key 'pluginz'; did you mean 'plugins'?"]),
    "no zone": ("web: {}\n", ["config.yaml:1:1: 'zone' is missing"]),
    "key twice": (ZONE + "web: {}\nweb: {}\n", ["config.yaml:3:1: 'web' is written twice"]),
    "inner key twice": (
        "zone:\n  name: a\n  center: [1, 2]\n  name: b\n",
        ["config.yaml:4:3: 'name' is written twice (first in line 2)"],
    ),
    "missing field": ("zone:\n  name: a\n", ["config.yaml:2:3: 'center' is missing"]),
    "unknown field": (
        "zone:\n  name: a\n  centre: [1, 2]\n  center: [1, 2]\n",
        ["config.yaml:3:3: unknown field 'centre'; did you mean 'center'?"],
    ),
    "wrong type": (ZONE + "web:\n  port: many\n", ["config.yaml:3:9: port: input should be a valid integer"]),
    "out of range": (ZONE + "web: {port: 99999}\n", ["config.yaml:2:13: port: input should be less than or equal"]),
    "latitude": ("zone:\n  name: a\n  center: [99.8, 17]\n", ["config.yaml:3:12: center.0: input should be less"]),
    "time zone": (
        "zone:\n  name: a\n  center: [1, 2]\n  timezone: Asia/Bangkoks\n",
        ["config.yaml:4:13: timezone: no time zone 'Asia/Bangkoks'"],
    ),
    "an inner list": (
        "zone:\n  name: a\n  center: [1, 2]\n  places:\n    - {id: a, kind: shop, name: b, position: [1, 2]}\n"
        "    - {id: c, kind: shop, name: b, position: [1]}\n",
        ["config.yaml:6:46: item 2 is missing"],
    ),
    "include missing": (ZONE + "web: !include web.yaml\n", ["config.yaml:2:6: there is no file web.yaml"]),
    "include outside": (ZONE + "web: !include ../x.yaml\n", ["config.yaml:2:6: ../x.yaml is outside"]),
    "no such secret": (
        ZONE + "web: {host: !secret adress}\n",
        ["config.yaml:2:13: no secret 'adress' in secrets.yaml; did you mean 'address'?"],
    ),
    "no such variable": (ZONE + "web: {host: !env_var NOPE}\n", ["config.yaml:2:13: the environment has no NOPE"]),
    "unknown tag": (ZONE + "web: !inclde x\n", ["config.yaml:2:6: unknown tag !inclde; did you mean '!include'?"]),
    "code tag": (
        ZONE + 'web: !!python/object/apply:os.system ["true"]\n',
        ["config.yaml:2:6: unknown tag !!python/object/apply:os.system"],
    ),
    "no anchor": (ZONE + "web: *w\n", ["config.yaml:2:6: nothing is anchored as &w"]),
    "alias in itself": (ZONE + "web: &w {host: *w}\n", ["config.yaml:2:16: *w stands inside what it names"]),
    "too deep": (ZONE + "web: " + "[" * 60 + "]" * 60 + "\n", ["config.yaml:2:55: nested deeper than 50 levels"]),
    "folder missing": (ZONE + "plugin_folders:\n  - nowhere\n", ["config.yaml:3:5: there is no folder nowhere"]),
    "plugins no list": (ZONE + "plugins: {plugin: a}\n", ["config.yaml:2:10: plugins must be a list"]),
    "automations": (ZONE + "automations: 3\n", ["config.yaml:2:14: automations must be a list"]),
    "no automations": (ZONE + "automations: !include_dir_list a\n", ["config.yaml:2:14: there is no folder a"]),
    "scalar for map": (ZONE + "web: 3\n", ["config.yaml:2:6: must be a map"]),
    "same listener": (
        ZONE + "web:\n  port: 1\n  public: {port: 1}\n", ["config.yaml:3:3: value: the public listener needs"]
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", FATAL)
def test_fatal_mistakes(tmp_path: Path, kind: str) -> None:
    config, expected = FATAL[kind]
    told = wrong(tmp_path, config, secrets_yaml="address: 127.0.0.1\n")
    told = [line.replace(f"{tmp_path}/", "") for line in told]
    assert len(told) == len(expected), told
    for line, start in zip(told, expected, strict=True):
        assert line.startswith(start), told


ENTRY = {
    "no plugin": ("  - name: a\n", ["config.yaml:3:5: 'plugin' is missing"]),
    "bad name": ("  - {plugin: a, name: A b}\n", ["config.yaml:3:23: 'A b' is no name"]),
    "unknown field": (
        "  - {plugin: a, confg: {}}\n", ["config.yaml:3:17: unknown field 'confg'; did you mean 'config'?"]
    ),
    "enabled": ("  - plugin: a\n    enabled: maybe\n", ["config.yaml:4:14: enabled must be true or false"]),
    "config no map": ("  - plugin: a\n    config: [1]\n", ["config.yaml:4:13: config must be a map"]),
    "secret": (
        "  - plugin: a\n    config:\n      key: !secret x\n", ["config.yaml:5:12: there is no file secrets.yaml"]
    ),
    "twice": ("  - plugin: a\n  - plugin: a\n", ["config.yaml:4:5: an instance 'a' exists already (config.yaml:3)"]),
    "not a map": ("  - cameras\n", ["config.yaml:3:5: must be a map"]),
    "key twice": (
        "  - plugin: a\n    config: {x: 1, x: 2}\n", ["config.yaml:4:20: 'x' is written twice (first in line 4)"]
    ),
    "memory": ("  - {plugin: a, memory_mb: 3}\n", ["config.yaml:3:28: memory_mb must be a number from 16"]),
}  # fmt: skip


@pytest.mark.parametrize("kind", ENTRY)
def test_mistakes_of_one_instance(tmp_path: Path, kind: str) -> None:
    entry, expected = ENTRY[kind]
    told = loose(tmp_path, ZONE + "plugins:\n" + entry)
    told = [line.replace(f"{tmp_path}/", "") for line in told]
    assert len(told) == len(expected), told
    for line, start in zip(told, expected, strict=True):
        assert line.startswith(start), told


def test_all_mistakes_at_once_in_order(tmp_path: Path) -> None:
    told = wrong(
        tmp_path, "zne: 1\nweb:\n  prt: 1\n  tls: {cert: a}\nplugins:\n  - {}\nautomations: !include_dir_list x\n"
    )
    assert [line.split(": ")[0] for line in told] == [
        "config.yaml:1:1", "config.yaml:1:1", "config.yaml:3:3", "config.yaml:4:8", "config.yaml:4:8",
        "config.yaml:6:5", "config.yaml:7:14",
    ]  # fmt: skip


def test_includes_that_include_themselves(tmp_path: Path) -> None:
    told = wrong(
        tmp_path, ZONE + "web: !include a.yaml\n", a_yaml="host: !include b.yaml\n", b_yaml="!include a.yaml\n"
    )
    assert told == [f"b.yaml:1:1: includes itself: {tmp_path}/a.yaml → {tmp_path}/b.yaml → {tmp_path}/a.yaml"]


def test_a_bomb_of_aliases(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    told = wrong(tmp_path, ZONE + "web:\n" + "".join(f"  {line}\n" for line in lines))
    assert [line for line in told if "expands to more than 100000 values" in line] != []


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    told = wrong(tmp_path, ZONE + "#" * (1 << 20))
    assert told == [f"config.yaml:1:1: {tmp_path}/config.yaml is larger than 1024 KiB"]


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_bytes(b"zone: \xff\n")
    with pytest.raises(ConfigError, match=r"config.yaml:1:1: not UTF-8 text \(byte 6\)"):
        load(tmp_path / "config.yaml")


def test_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"config.yaml:1:1: there is no file"):
        load(tmp_path / "config.yaml")


def test_files_of_forms_and_automations(tmp_path: Path) -> None:
    config = read(
        tmp_path, ZONE + "automations: !include_dir_list automations\n",
        config___d__gate_yaml="", automations__a_yaml="alias: a\n", automations__b_yaml="- alias: b\n- alias: c\n",
        automations__c_yaml="alias: [\n",
    )  # fmt: skip
    (tmp_path / "config.d").mkdir()
    (tmp_path / "config.d" / "gate.yaml").write_text("plugin: cameras\nconfig: {host: a}\n")
    (tmp_path / "config.d" / "shop.yaml").write_text("plugin: [\n")
    again = load(tmp_path / "config.yaml")
    assert [(entry.name, entry.plugin, len(entry.mistakes)) for entry in again.instances] == [
        ("gate", "cameras", 0), ("shop", "", 1)
    ]  # fmt: skip
    assert str(again.mistakes[0]).startswith(f"{tmp_path}/config.d/shop.yaml:2:1: not YAML")
    assert [(Path(source.file).name, source.line, source.text) for source in config.automations] == [
        ("a.yaml", 1, "alias: a\n"), ("b.yaml", 1, "  alias: b\n"), ("b.yaml", 2, "  alias: c\n"),
        ("c.yaml", 1, "alias: [\n"),
    ]  # fmt: skip


NO_FILES = ("a-folder.yaml", "gone.yaml", "itself.yaml", "pipe.yaml")


def test_a_file_of_automations_that_cannot_be_read_harms_no_other(tmp_path: Path) -> None:
    config_yaml = ZONE + "automations: !include_dir_list automations\n"
    write(tmp_path, config_yaml=config_yaml, automations__good_yaml="alias: a\n")
    folder = tmp_path / "automations"
    (folder / "a-folder.yaml").mkdir()
    (folder / "gone.yaml").symlink_to(folder / "nothing")
    (folder / "itself.yaml").symlink_to(folder / "itself.yaml")
    os.mkfifo(folder / "pipe.yaml")
    (folder / "latin.yaml").write_bytes(b"alias: caf\xe9\n")
    (folder / "large.yaml").write_text("#" * (1 << 20) + "#")
    (folder / os.fsdecode(b"name\xe9.yaml")).write_text("alias: named\n")
    config = load(tmp_path / "config.yaml")
    assert config.mistakes == ()
    told = {Path(one.file).name: str(one.wrong).partition(f"{folder}/")[2] for one in config.automations if one.wrong}
    assert told == {
        **{name: f"{name}:1:1: there is no file {folder}/{name}" for name in NO_FILES},
        "latin.yaml": "latin.yaml:1:1: not UTF-8 text (byte 10)",
        "large.yaml": f"large.yaml:1:1: {folder}/large.yaml is larger than 1024 KiB",
    }
    assert [(Path(one.file).name, one.text) for one in config.automations if one.wrong is None] == [
        ("good.yaml", "alias: a\n"), ("name?.yaml", "alias: named\n")
    ]  # fmt: skip
    assert {one.wrong for one in config.automations if one.wrong} < set(mistakes(tmp_path / "config.yaml"))


def test_words_and_numbers(tmp_path: Path) -> None:
    config = read(
        tmp_path,
        ZONE + "plugins:\n  - plugin: a\n    config: {a: on, b: No, c: 0x1F, d: 1_000, e: 1e3, f: .5, g: 2026-11-22, "
        "h: 12:30:45, i: 007, j: '5', k: ~, l: null, m: -3, n: 1.2.3, o: !!str 5}\n",
    )
    assert config.instances[0].config == {
        "a": True, "b": False, "c": 31, "d": 1000, "e": 1000.0, "f": 0.5, "g": "2026-11-22", "h": "12:30:45",
        "i": "007", "j": "5", "k": None, "l": None, "m": -3, "n": "1.2.3", "o": "5",
    }  # fmt: skip
