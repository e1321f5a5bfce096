# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Where the files in a zip lie, for zips that may be hostile: nothing is ever unpacked.

Python's zipfile believes what a directory declares, and makes an object of each of its entries however many there are.
"""

import struct
from dataclasses import dataclass

from gan.checkpoints.read_limits import Blob, Budget, RefusedError

END, END64_LOCATOR, END64, ENTRY, LOCAL = b"PK\x05\x06", b"PK\x06\x07", b"PK\x06\x06", b"PK\x01\x02", b"PK\x03\x04"
LONGEST_COMMENT = 2**16
LARGEST_DIRECTORY = 8 * 2**20
DAMAGED = "is a zip whose directory is damaged or missing: the download or the copy is incomplete, get it again"


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: `size` bytes, `packed` of which are in the zip, after the header at `header`."""

    name: str
    method: int
    packed: int
    size: int
    header: int


def entries(blob: Blob, budget: Budget) -> dict[str, Entry]:
    """The directory, by name. RefusedError: one sentence's predicate."""
    count, size, start = _directory(blob)
    if size > LARGEST_DIRECTORY or count > size // 46:
        raise RefusedError("is a zip with far more files than a checkpoint has: it is damaged or something else")
    budget.spend_reading(size)
    table, at = blob.part(start, size).read(0, size), 0
    found: dict[str, Entry] = {}
    for _ in range(count):
        budget.spend_instruction()
        if table[at : at + 4] != ENTRY or at + 46 > size:
            raise RefusedError(DAMAGED)
        method, packed, full, name, extra, comment, header = struct.unpack_from("<6xH8xIIHHH8xI", table, at + 4)
        end = at + 46 + name
        packed, full, header = _wide(table[end : end + extra], packed, full, header)
        budget.spend_text(name)
        text = table[at + 46 : end].decode("utf-8", "replace")
        if text in found:
            raise RefusedError("is a zip with two files of one name: it is damaged or hostile")
        found[text] = Entry(text, method, packed, full, header)
        at = end + extra + comment
    return found


def _directory(blob: Blob) -> tuple[int, int, int]:
    """(entries, bytes, where it starts)."""
    tail = min(blob.size, 22 + LONGEST_COMMENT)
    data = blob.read(blob.size - tail, tail)
    at = data.rfind(END)
    while at >= 0 and at + 22 + int.from_bytes(data[at + 20 : at + 22], "little") != tail:
        at = data.rfind(END, 0, at + 3)  # this one stands in the comment
    if at < 0:
        raise RefusedError(DAMAGED)
    count, size, start = struct.unpack_from("<HII", data, at + 10)
    if at >= 20 and data[at - 20 : at - 16] == END64_LOCATOR:
        (where,) = struct.unpack_from("<Q", data, at - 12)
        record = blob.read(where, 56)
        if record[:4] != END64:
            raise RefusedError(DAMAGED)
        count, size, start = struct.unpack_from("<QQQ", record, 32)
    return count, size, start


def _wide(extra: bytes, packed: int, full: int, header: int) -> tuple[int, int, int]:
    """The three numbers, those that do not fit into 32 bits from the entry's zip64 field."""
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


def stored(blob: Blob, entry: Entry) -> Blob:
    """Where an entry's bytes lie; RefusedError where they are compressed, as torch never writes them."""
    if entry.method != 0 or entry.packed != entry.size:
        raise RefusedError("is a checkpoint whose zip was compressed: unpack it and save it anew with torch.save")
    head = blob.read(entry.header, 30)
    if head[:4] != LOCAL:
        raise RefusedError(DAMAGED)
    name, extra = struct.unpack_from("<HH", head, 26)
    return blob.part(entry.header + 30 + name + extra, entry.size)
