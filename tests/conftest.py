"""What every test may ask for: the folders of test data that a build machine lends."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def _lent(variable: str) -> Path:
    folder = Path(os.environ.get(variable, ""))
    if not os.environ.get(variable) or not folder.is_dir():
        pytest.skip(f"{variable} names no folder")
    return folder


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of ``HUB_TEST_DATA`` (pictures, maps); the test is skipped where there is none."""
    return _lent("HUB_TEST_DATA")


@pytest.fixture(scope="session")
def vectors_folder() -> Path:
    """The folder of ``HUB_TEST_VECTORS`` (expected answers of others); the test is skipped where there is none."""
    return _lent("HUB_TEST_VECTORS")
