# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The directory of a zip that may be hostile: the places of its files. Nothing is ever unpacked.

Python's zipfile believes the sizes that a directory declares, makes an object of each entry, however many there are,
and gives streams instead of places in the file.
"""

import struct
from dataclasses import dataclass

from gan.checkpoints.read_limits import Budget, FileRange, RefusedError, require

END, END64_LOCATOR, END64, ENTRY, LOCAL = b"PK\x05\x06", b"PK\x06\x07", b"PK\x06\x06", b"PK\x01\x02", b"PK\x03\x04"
MAX_COMMENT_BYTES = 2**16
MAX_DIRECTORY_BYTES = 8 * 2**20
BAD_DIRECTORY = "is a zip whose directory is damaged or missing: the download or the copy is incomplete, get it again"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of `size` bytes, stored as `packed` bytes after the header at `header`."""

    name: str
    method: int
    packed: int
    size: int
    header: int


def read_directory(source: FileRange, budget: Budget) -> dict[str, Entry]:
    """Return a zip's files by name. RefusedError where its directory is damaged or too large."""
    count, size, start = _find_directory(source)
    if size > MAX_DIRECTORY_BYTES or count > size // 46:
        raise RefusedError("is a zip with far more files than a checkpoint has: it is damaged or something else")
    budget.spend_reading(size)
    table, at = source.part(start, size).read(0, size), 0
    found: dict[str, Entry] = {}
    for _ in range(count):
        budget.spend_instructions()
        require(table[at : at + 4] == ENTRY and at + 46 <= size, BAD_DIRECTORY)
        method, packed, full, name, extra, comment, header = struct.unpack_from("<6xH8xIIHHH8xI", table, at + 4)
        end = at + 46 + name
        packed, full, header = _read_zip64(table[end : end + extra], packed, full, header)
        budget.spend_text(name)
        text = table[at + 46 : end].decode("utf-8", "replace")
        require(text not in found, "is a zip with two files of one name: it is damaged or hostile")
        found[text] = Entry(text, method, packed, full, header)
        at = end + extra + comment
    return found


def _find_directory(source: FileRange) -> tuple[int, int, int]:
    """Return the directory's count of entries, its bytes and its start."""
    tail = min(source.size, 22 + MAX_COMMENT_BYTES)
    data = source.read(source.size - tail, tail)
    at = data.rfind(END)
    while at >= 0 and at + 22 + int.from_bytes(data[at + 20 : at + 22], "little") != tail:
        at = data.rfind(END, 0, at + 3)  # this one stands in the comment
    require(at >= 0, BAD_DIRECTORY)
    count, size, start = struct.unpack_from("<HII", data, at + 10)
    if at >= 20 and data[at - 20 : at - 16] == END64_LOCATOR:
        (where,) = struct.unpack_from("<Q", data, at - 12)
        record = source.read(where, 56)
        require(record[:4] == END64, BAD_DIRECTORY)
        count, size, start = struct.unpack_from("<QQQ", record, 32)
    return count, size, start


def _read_zip64(extra: bytes, packed: int, full: int, header: int) -> tuple[int, int, int]:
    """Return the three numbers, those that do not fit into 32 bits from the entry's zip64 field."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        if kind == 1:
            field = extra[at + 4 : at + 4 + size]
            values = iter(struct.unpack(f"<{len(field) // 8}Q", field[: len(field) // 8 * 8]))
            full, packed, header = (
                next(values, 0) if number == 0xFFFFFFFF else number for number in (full, packed, header)
            )
        at += 4 + size
    return packed, full, header


def locate_entry(source: FileRange, entry: Entry) -> FileRange:
    """Return the place of an entry's bytes. RefusedError where they are compressed, as torch never writes them."""
    if entry.method != 0 or entry.packed != entry.size:
        raise RefusedError("is a checkpoint whose zip was compressed: unpack it and save it again with torch.save")
    head = source.read(entry.header, 30)
    require(head[:4] == LOCAL, BAD_DIRECTORY)
    name, extra = struct.unpack_from("<HH", head, 26)
    return source.part(entry.header + 30 + name + extra, entry.size)
