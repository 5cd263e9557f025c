"""Replays recorded vectors of an automation language against the hub's engine: ``python -m tests.conformance PATH``."""
