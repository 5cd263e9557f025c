"""Cases that are passed over by name, each with its reason: ``docs/reference/differences-from-home-assistant.md``."""

from __future__ import annotations

UNRECORDED_CLOCK = "the peer's clock was patched in a way that the recording does not hold"
UNRECORDED_RELOAD = "what the peer read anew is not in the recording"
UNRECORDED_ANSWER = "how the peer's mock refused the call is not in the recording"
UNRECORDED_USER = "who fired the event is not in the recording"
UNITS = "the peer was set to metres; here distances are kilometres, as in Home Assistant's metric system"
LEGACY = "the option `legacy_templates` (results as text) does not exist"

DIFFERENCES: dict[str, str] = {
    "test_if_action_before": UNRECORDED_CLOCK,
    "test_if_action_after": UNRECORDED_CLOCK,
    "test_if_action_one_weekday": UNRECORDED_CLOCK,
    "test_if_action_list_weekday": UNRECORDED_CLOCK,
    "test_reload_config_service": UNRECORDED_RELOAD,
    "test_reload_automation_when_blueprint_changes": UNRECORDED_RELOAD,
    "test_propagate_error_invalid_service_data": UNRECORDED_ANSWER,
    "test_continue_on_error_unknown_error": UNRECORDED_ANSWER,
    "test_if_fires_on_event_with_templated_data_and_context": UNRECORDED_USER,
    "test_distance_function_with_2_entity_ids": UNITS,
    "test_legacy_templates": LEGACY,
}


def reason(test: str) -> str | None:
    """Why a case is passed over; ``None`` when it is not."""
    name = test.rpartition("::")[2].partition("[")[0]
    return DIFFERENCES.get(name)
