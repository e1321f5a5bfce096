# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Reading files that may be hostile: ranges that are read on demand, and a budget for everything else."""

import codecs
import io
from typing import BinaryIO, Self, TypeVar

Kind = TypeVar("Kind", bound="FileRange")

# The cost of plain data. An instruction makes at most about 300 bytes of Python objects (an empty set and its place),
# so that the allowance for a large file is 0.6 of its size; an official file of 350 MB has some 50,000 instructions.
INSTRUCTIONS, BYTES_PER_INSTRUCTION, MAX_INSTRUCTIONS = 200_000, 512, 4_000_000
TEXT_BYTES = 8 * 2**20  # of names and short texts
READ_RATIO, READ_FLOOR = 4, 64 * 2**20  # tensors may overlap, but are read four times the file's size at most
CHUNK = 2**20
TRUNCATED = "ends in the middle: the download or the copy is incomplete, get it again"
DAMAGED = "is damaged: its parts do not fit together; get a fresh copy of it"


class RefusedError(ValueError):
    """A file that cannot be opened. The message is one sentence's predicate, whose subject is the file's name."""


def require(fits: bool, why: str = DAMAGED) -> None:
    """Raise RefusedError, with `why` as its message, unless a file's data fits."""
    if not fits:
        raise RefusedError(why)


class Budget:
    """The cost that opening a file of `size` bytes may still have. RefusedError when it is used up."""

    def __init__(self, size: int) -> None:
        self.instructions = min(INSTRUCTIONS + size // BYTES_PER_INSTRUCTION, MAX_INSTRUCTIONS)
        self.text = TEXT_BYTES
        self.reading = READ_RATIO * size + READ_FLOOR
        self.suspicious: list[str] = []  # names that the file asks for and that only an attack needs

    def spend_instructions(self, count: int = 1) -> None:
        self.instructions -= count
        if self.instructions < 0:
            raise RefusedError("describes far more objects than a checkpoint of its size has: it is damaged or hostile")

    def spend_text(self, amount: int) -> None:
        self.text -= amount
        if self.text < 0:
            raise RefusedError("holds far more names than a checkpoint has: it is damaged or hostile")

    def spend_reading(self, amount: int) -> None:
        self.reading -= amount
        if self.reading < 0:
            raise RefusedError("has tensors that overlap in more than its own size: it is damaged or hostile")


class FileRange:
    """A range of bytes of a file, not read yet. The file is unbuffered, or in memory."""

    __slots__ = ("_file", "start", "size")

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        self._file, self.start, self.size = file, start, size

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Return a range that lies in memory."""
        return cls(io.BytesIO(data), 0, len(data))

    def view_as(self, kind: type[Kind]) -> Kind:
        """Return the same range as another kind of range."""
        return kind(self._file, self.start, self.size)

    def part(self, start: int, size: int) -> "FileRange":
        """Return a range within this one. RefusedError where it reaches beyond."""
        if start < 0 or size < 0 or start + size > self.size:
            raise RefusedError(TRUNCATED)
        return FileRange(self._file, self.start + start, size)

    def read(self, offset: int, count: int) -> bytes:
        """Return `count` bytes from `offset` on. RefusedError where the range is too short."""
        buffer = bytearray(self.part(offset, count).size)
        self.read_into(offset, memoryview(buffer))
        return bytes(buffer)

    def read_into(self, offset: int, target: memoryview) -> None:
        """Fill `target` (bytes) from `offset` on. RefusedError where the range, or by now the file, is too short."""
        self._file.seek(self.part(offset, len(target)).start)
        done = 0
        while done < len(target):
            count = self._file.readinto(target[done:])  # type: ignore[attr-defined]
            if not count:
                raise RefusedError(TRUNCATED)
            done += count

    def decode(self) -> "FileRange":
        """Return the range of the bytes that this range stands for: itself."""
        return self


class LongText(FileRange):
    """A text too long to be a name, left in the file: only its length is ever needed."""

    __slots__ = ()


class Latin1Bytes(FileRange):
    """Bytes written as a text of one character each, as in pickles of protocol 2; left in the file."""

    __slots__ = ()

    def decode(self) -> FileRange:
        """Read the bytes into memory: at most as many as the text takes in the file."""
        decoder, found = codecs.getincrementaldecoder("utf-8")(), io.BytesIO()
        try:
            for offset in range(0, self.size, CHUNK):
                count = min(CHUNK, self.size - offset)
                found.write(decoder.decode(self.read(offset, count), offset + count == self.size).encode("latin-1"))
        except UnicodeError:
            raise RefusedError("holds a tensor whose bytes are not bytes: it is damaged, get a fresh copy") from None
        return FileRange(found, 0, found.tell())
