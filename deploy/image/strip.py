"""Takes symbol tables out of the shared libraries of an environment: a seventh of its bytes, which only debuggers read.

Wheels come with them, and the base image has no `strip`. A library is loaded by its segments alone (System V ABI,
"Program Loading"); what nobody loads is its sections, and in these files the symbols and the table of sections are
behind the last segment. So a file is cut there, and its header says that it has no sections.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

_ELF64_LITTLE = b"\x7fELF\x02\x01"
_PROGRAM_HEADERS = struct.Struct("<QQIHHH")
"""e_phoff, e_shoff, e_flags, e_ehsize, e_phentsize, e_phnum: at byte 32 of the file."""


def strip(library: Path) -> int:
    """Bytes that were saved; 0 for a file of another kind, and for one that was stripped before."""
    size = library.stat().st_size
    with library.open("r+b") as file:
        head = file.read(64)
        if len(head) < 64 or not head.startswith(_ELF64_LITTLE):
            return 0
        programs, sections, _, _, entry, count = _PROGRAM_HEADERS.unpack_from(head, 32)
        file.seek(programs)
        table = file.read(entry * count)
        end = max(64, programs + entry * count)
        for place in range(0, len(table), entry):
            offset, _, _, filled = struct.unpack_from("<QQQQ", table, place + 8)
            end = max(end, offset + filled)
        if not sections or end >= size:
            return 0
        file.seek(40)
        file.write(bytes(8))
        file.seek(58)
        file.write(bytes(6))
        file.truncate(end)
    return size - end


if __name__ == "__main__":
    found = [path for path in Path(sys.argv[1]).rglob("*.so*") if path.is_file() and not path.is_symlink()]
    print(f"{sum(map(strip, found)) / 1e6:.0f} MB of symbols taken out")
