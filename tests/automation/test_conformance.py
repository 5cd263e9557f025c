"""Recorded cases of Home Assistant's language, replayed: see ``docs/reference/differences-from-home-assistant.md``."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.conformance.__main__ import main
from tests.conformance.differences import DIFFERENCES

DOC = Path(__file__).parents[2] / "docs/reference/differences-from-home-assistant.md"


def test_the_vectors_pass(capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(os.environ.get("HUB_TEST_VECTORS", "")) / "home-assistant"
    if not os.environ.get("HUB_TEST_VECTORS") or not folder.is_dir():
        pytest.skip("HUB_TEST_VECTORS names no folder with home-assistant/")
    code = main([str(folder)])
    lines = capsys.readouterr().out.splitlines()
    passed, failed, skipped = map(int, re.fullmatch(r"(\d+) passed, (\d+) failed, (\d+) skipped", lines[-1]).groups())  # type: ignore[union-attr]
    assert lines[:-1] == []
    assert (code, failed) == (0, 0)
    assert passed > 300
    assert skipped <= 0.05 * (passed + skipped)


def test_each_case_that_is_passed_over_is_documented() -> None:
    assert set(re.findall(r"`(test_\w+)`", DOC.read_text())) == DIFFERENCES.keys()
