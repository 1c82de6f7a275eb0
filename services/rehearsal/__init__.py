"""Rehearsals: a generated festival goes through the real path faster than the clock, and is marked."""
