"""Targets and budgets against the clock: where a campaign should stand by now, and where it will end."""
