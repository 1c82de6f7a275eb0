"""Rehearsals as a benchmark: what is found, what pages falsely, how late, and how fast festivals pass."""
