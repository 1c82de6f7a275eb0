"""What Warroom asks of its store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import pyarrow as pa

Row = dict[str, Any]
Parameters = Mapping[str, Any]

ONE_THREAD = "\nSETTINGS max_threads = 1"
"""Ends a small SELECT: to start more threads would cost more than they bring, and its neighbours run beside it."""


EACH_SHARD = "/* each shard for itself */"
"""Stands before a subquery in parentheses that follows users through time. Where users are spread over shards, each
shard answers it from its own tables and the answers are put one under the other; elsewhere it is a comment. Whatever
the subquery joins or groups must be of one user."""


REWRITTEN = "\nSETTINGS mutations_sync = 2, mutations_execute_subqueries_on_initiator = 0"
"""Ends an ALTER TABLE ... UPDATE or DELETE: the call returns when all rows are rewritten, on a cluster those of every
server. What subqueries answer does not become part of the statement, which servers keep."""


class Store(Protocol):
    """A ClickHouse database. Every call blocks its thread; an instance may be shared by threads.

    All calls raise `StoreUnavailable` when a later try may succeed and `StoreRejected` when none will.
    """

    def query(self, sql: str, parameters: Parameters | None = None) -> list[Row]:
        """Runs a SELECT with `{name:Type}` parameters and returns its rows by column name."""
        ...

    def query_arrow(self, sql: str, parameters: Parameters | None = None) -> pa.Table:
        """Runs a SELECT and returns one Arrow table; strings arrive as Arrow strings."""
        ...

    def insert(self, table: str, rows: pa.Table, *, token: str | None = None) -> None:
        """Appends rows, matched to the table's columns by name.

        With a `token` the call may be repeated: the table and every rollup fed by it take the rows once, for as
        long as the token is within the table's deduplication window. The call returns when the rows are readable.
        """
        ...

    def command(self, sql: str, parameters: Parameters | None = None) -> None:
        """Runs a statement that returns nothing."""
        ...

    def slots(self) -> int:
        """By how many the sharding key of a row is divided to tell its shard; 1 where there are no shards."""
        ...

    def close(self) -> None:
        """Releases every connection.

        A call that another thread is inside of fails at once over HTTP, and is waited for where the store is embedded.
        """
        ...
