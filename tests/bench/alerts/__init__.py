"""Alerts as a benchmark: a thousand rules a second on one core, and the time from an event to its page."""
