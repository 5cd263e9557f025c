"""The test kit for authors of plugins: their plugin in the real hub, and the contract that every plugin keeps.

::

    from hub.testing import contract, harness

    async def test_it_tells_of_the_button() -> None:
        async with FakeGate() as gate, harness(HERE, {"port": gate.port}) as hub:
            gate.press()
            event = await hub.wait_event("gate_pressed", entity="gate.front")
            assert event.data == {"presses": 1}

    test_contract = contract(HERE, config, dead_config={"port": 1})

Only test files of plugins import it.
"""

from hub.testing.contract import CHECKS, Subject, contract
from hub.testing.harness import Harness, harness
from hub.testing.wire import Wire, wire

__all__ = ["CHECKS", "Harness", "Subject", "Wire", "contract", "harness", "wire"]
