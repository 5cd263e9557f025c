"""``hub contacts``: a page in Thai that a person can read on paper."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.hubctl import hub

CONFIG = """\
zone: {name: {th: เขตปลอดภัยสุโขทัย, en: Sukhothai zone}, center: [17.0, 99.8]}
upkeep:
  contacts:
    - {name: {th: รอง ผกก.ป. <สภ.เมือง>, en: Deputy}, phone: 055-000-000, radio: ช่อง 3}
"""


def test_the_sheet_names_everybody_in_thai(tmp_path: Path) -> None:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed (Debian: poppler-utils)")
    (tmp_path / "config.yaml").write_text(CONFIG)
    said = hub("contacts", "--config", tmp_path / "config.yaml", tmp_path / "sheet.pdf")
    assert (said.status, said.out) == (0, f"{tmp_path}/sheet.pdf: 1 contacts\n")
    command = ["pdftotext", "-layout", str(tmp_path / "sheet.pdf"), "-"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for words in ("191", "1669", "055-000-000", "<สภ.เมือง>", "Sukhothai zone"):
        assert words in text


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("upkeep: {at: '25:00'}", "config.yaml:2:14"), ("upkeep: {retention: {plates: 0}}", "days are 1 to 3653"),
        ("upkeep: {retention: {faces: 3}}", "no retention class 'faces'"), ("upkeep: {colour: red}", "colour"),
        ("web: {proxies: [somewhere]}", "config.yaml:2:17"),
        ("web: {public: {port: 1, url: 'ftp://x'}}", "config.yaml:2:30"),
    ],
)  # fmt: skip
def test_wrong_upkeep_is_named_with_its_place(tmp_path: Path, line: str, words: str) -> None:
    (tmp_path / "config.yaml").write_text(f"zone: {{name: test, center: [17.0, 99.8]}}\n{line}\n")
    said = hub("contacts", "--config", tmp_path / "config.yaml", tmp_path / "sheet.pdf")
    assert said.status == 1 and words in said.err
