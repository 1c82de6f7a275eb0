"""The whole system in one process, on an embedded broker and an embedded store."""
