"""Examples for the OpenAPI document: what to ask, and what a known system answers."""
