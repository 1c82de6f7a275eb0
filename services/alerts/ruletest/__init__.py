"""Unit tests of rules, in the manner of promtool: a day is written down in a few lines, and what must be told of it."""
