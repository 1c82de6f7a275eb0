"""The way to ClickHouse: one small interface, embedded (chDB) and over HTTP alike."""

from services.common.store.interface import ONE_THREAD, Row, Store
from services.common.store.pool import StorePool

__all__ = ["ONE_THREAD", "Row", "Store", "StorePool"]
