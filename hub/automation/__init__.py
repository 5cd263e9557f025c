"""Automations: triggers, conditions and steps in Home Assistant's YAML, compiled, indexed, durable and traced.

``Engine`` is the door for the rest of the hub; ``check_text`` finds all mistakes of a file without running it.
"""

from hub.automation.check import Catalogue, Known, check_text
from hub.automation.engine import Engine
from hub.automation.host import Host, live
from hub.automation.language.model import Source

__all__ = ["Catalogue", "Engine", "Host", "Known", "Source", "check_text", "live"]
