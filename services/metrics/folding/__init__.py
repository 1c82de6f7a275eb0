"""Keeps the tables by span up to date: see migration 0008."""

from services.metrics.folding.folder import Folder

__all__ = ["Folder"]
