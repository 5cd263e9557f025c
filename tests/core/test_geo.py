from __future__ import annotations

import pytest

from hub.core.geo import distance_m


def test_distance() -> None:
    assert distance_m((0, 0), (0, 1)) == pytest.approx(111_195.08, abs=0.01)
    assert distance_m((17.0079, 99.8228), (17.0079, 99.8228)) == 0
    assert distance_m((90, 0), (-90, 0)) == pytest.approx(20_015_114.35, abs=1)
    assert distance_m((51.5074, -0.1278), (48.8566, 2.3522)) == pytest.approx(343_560, rel=0.001)  # London to Paris
