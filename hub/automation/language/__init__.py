"""The text of automations: YAML with places, every mistake collected, the parsed model."""
