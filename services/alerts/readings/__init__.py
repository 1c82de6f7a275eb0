"""Metrics over windows, as rules ask for them: what is asked, and how it is read without asking the store each time."""
