"""Traffic at line rate: from the bytes of many records straight to Arrow columns, compiled by Numba.

An object for every field of every event costs more than all the rest of ingest together. Here a run of records is
read where it lies: `json` finds the fields, `gather` turns them into columns. Only what is surely right is accepted; a
record with anything unusual about it (an escape, a nested value, a field twice, a value of the wrong kind) is left to
the decoder that takes one event at a time.
"""

from services.ingest.scan.addresses import bare
from services.ingest.scan.fields import FIELDS, Found, scan
from services.ingest.scan.gather import labels, texts
from services.ingest.scan.names import ColumnNames

__all__ = ["FIELDS", "ColumnNames", "Found", "bare", "labels", "scan", "texts"]
