"""Whose a run, a name and a trace are: also after a restart, and when an automation goes."""

from __future__ import annotations

from tests.automation.zone import Zone

TWINS = """
script:
  one: {sequence: [{delay: 60}]}
  two: {sequence: [{delay: 60}]}
"""


async def test_two_scripts_of_one_text_keep_their_own_runs_over_a_restart() -> None:
    zone = await Zone().start(TWINS)
    for name in ("script.one", "script.two"):
        assert zone.engine.run_script(name, {}) is not None
    await zone.idle()
    other = await zone.restart(TWINS)
    assert {row["id"]: row["running"] for row in other.engine.list()} == {"script.one": 1, "script.two": 1}
    await other.after(61)
    assert [len(other.engine.traces(name)) for name in ("script.one", "script.two")] == [1, 1]
