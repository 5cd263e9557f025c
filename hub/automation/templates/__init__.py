"""Templates: compiled once, within an allow-list, with bounded cost."""
