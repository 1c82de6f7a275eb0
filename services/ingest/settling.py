"""Which rows of a block are duplicates, given what the store answers. Pure."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from services.ingest.duplicates import Rows
from services.ingest.ids import Mask


class Doubts:
    """The rows of a block whose ids were perhaps seen before, and what has to be asked about them.

    Of equal ids in the block the first row counts. Where that one is surely new, nothing need be asked.
    """

    def __init__(self, ids: pa.StringArray, perhaps: Rows) -> None:
        """`ids` are those of the whole block; `perhaps` are rows as `DuplicateFilter.mark` returns them."""
        self._count = len(ids)
        self._names = ids.take(pa.array(perhaps)).unique()
        which = pc.index_in(ids, value_set=self._names).fill_null(-1).to_numpy()
        self._rows = np.flatnonzero(which >= 0)
        # Written last, the first row of an id is the one that stays.
        self._first = np.empty(len(self._names), np.int64)
        self._first[which[self._rows[::-1]]] = self._rows[::-1]
        doubtful = np.zeros(self._count, np.bool_)
        doubtful[perhaps] = True
        self.questions: Rows = np.sort(self._first[doubtful[self._first]])
        """The rows whose ids the store must be asked about; no id stands there twice."""

    def keep(self, known: set[str]) -> Mask:
        """True for the rows that are no duplicates; `known` are those of the ids asked about that the store has."""
        kept = np.ones(self._count, np.bool_)
        kept[self._rows] = False
        fresh = pc.invert(pc.is_in(self._names, value_set=pa.array(sorted(known), pa.string())))
        kept[self._first[fresh.to_numpy(zero_copy_only=False)]] = True
        return kept
