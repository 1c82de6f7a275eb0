"""The way to ClickHouse: one small interface, embedded (chDB) and over HTTP alike."""

from services.common.store.interface import EACH_SHARD, ONE_THREAD, REWRITTEN, Row, Store
from services.common.store.pool import StorePool

__all__ = ["EACH_SHARD", "ONE_THREAD", "REWRITTEN", "Row", "Store", "StorePool"]
