"""What is at work: armed triggers, conditions, steps, runs and their records."""
