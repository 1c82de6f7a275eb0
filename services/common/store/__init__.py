"""The way to ClickHouse: one small interface, embedded (chDB) and over HTTP alike."""

from services.common.store.interface import Row, Store
from services.common.store.pool import StorePool

__all__ = ["Row", "Store", "StorePool"]
