# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Pickles read as plain data, by a machine of our own (docs/decisions/013-official-pickles.md).

It knows the instructions that checkpoints consist of. It imports nothing, calls nothing that a file names
(gan.checkpoints.pickle_stubs says what stands in), never recurses, and leaves large byte strings where they lie.
"""

import struct
from collections.abc import Callable
from typing import Any

from gan.checkpoints.pickle_stubs import SHORT, Array, Global, NumberType, PickledObject, allowed, is_text, put
from gan.checkpoints.read_limits import TRUNCATED, Blob, Budget, RefusedError, Text

PROTOCOLS = range(2, 6)
WINDOW = 8192  # bytes read at a time: little, since after each tensor the next lies somewhere else
MOST_NESTED = 1000  # marks open at a time; an official file has about 40
LONGEST_INTEGER = 16  # bytes
DAMAGED = "is damaged: what it describes does not fit together; get a fresh copy of it"

Persistent = Callable[[Any], Any]  # from the identifier of something stored outside of the pickle to its stand-in


class Machine:
    """Runs one pickle that starts at `at` in `blob`."""

    def __init__(self, blob: Blob, budget: Budget, at: int = 0, persistent: Persistent | None = None) -> None:
        self.blob, self.budget, self._persistent = blob, budget, persistent
        self._base, self._at, self._window = at, 0, b""
        self._stack: list[Any] = []
        self._marked: list[list[Any]] = []  # the stacks below each open mark
        self._memo: list[Any] = []

    @property
    def position(self) -> int:
        """Where it is in `blob`; after `run`, behind the pickle."""
        return self._base + self._at

    def run(self) -> Any:
        """The object that the pickle describes. RefusedError: one sentence's predicate."""
        budget = self.budget
        while True:
            budget.instructions -= 1
            if budget.instructions < 0:
                budget.spend_instruction()
            if self._at >= len(self._window):
                self._fill(1)
            code = self._window[self._at]
            self._at += 1
            if code == 0x2E:  # STOP
                return self._pop()
            handler = INSTRUCTIONS.get(code)
            if handler is None:
                raise RefusedError(
                    f"uses the pickle instruction {code:#04x} at byte {self.position - 1}, as no checkpoint does: "
                    "it is damaged or something else"
                )
            handler(self)

    def _take(self, count: int) -> bytes:
        """The next few bytes."""
        if self._at + count > len(self._window):
            self._fill(count)
        self._at += count
        return self._window[self._at - count : self._at]

    def _fill(self, count: int) -> None:
        """Read on, at least so many bytes."""
        self._base, self._at = self.position, 0
        left = self.blob.size - self._base
        if count > left:
            raise RefusedError(TRUNCATED)
        self._window = self.blob.read(self._base, min(max(count, WINDOW), left))

    def _leave(self, count: int) -> Blob:
        """The next bytes as a range that is not read."""
        found = self.blob.part(self.position, count)
        self._at += count
        if self._at > len(self._window):
            self._base, self._at, self._window = self.position, 0, b""
        return found

    def _line(self) -> str:
        """The rest of a line, of a name's length."""
        found = bytearray()
        while len(found) <= SHORT:
            byte = self._take(1)
            if byte == b"\n":
                self.budget.spend_text(len(found))
                return _decoded(bytes(found))
            found += byte
        raise RefusedError(DAMAGED)

    def _pop(self) -> Any:
        if not self._stack:
            raise RefusedError(DAMAGED)
        return self._stack.pop()

    def _top(self, kind: type) -> Any:
        if not self._stack or type(self._stack[-1]) is not kind:
            raise RefusedError(DAMAGED)
        return self._stack[-1]

    def _since_mark(self) -> list[Any]:
        if not self._marked:
            raise RefusedError(DAMAGED)
        items, self._stack = self._stack, self._marked.pop()
        return items

    def _tuple(self, count: int) -> None:
        if len(self._stack) < count:
            raise RefusedError(DAMAGED)
        self._stack[-count:] = [tuple(self._stack[-count:])]

    # Instructions, by the names that Python's own pickle module has for them.

    def proto(self) -> None:
        number = self._take(1)[0]
        if number not in PROTOCOLS:
            raise RefusedError(f"is a pickle of protocol {number}, and checkpoints have 2 to 5: it is something else")

    def frame(self) -> None:
        size = int.from_bytes(self._take(8), "little")
        if size > self.blob.size - self.position:
            raise RefusedError(TRUNCATED)

    def mark(self) -> None:
        if len(self._marked) >= MOST_NESTED:
            raise RefusedError("is nested far deeper than a checkpoint is: it is damaged or hostile")
        self._marked.append(self._stack)
        self._stack = []

    def pop(self) -> None:
        self._pop() if self._stack else self._since_mark()

    def pop_mark(self) -> None:
        self._since_mark()

    def integer(self, count: int, signed: bool = False) -> None:
        self._stack.append(int.from_bytes(self._take(count), "little", signed=signed))

    def long1(self) -> None:
        count = self._take(1)[0]
        if count > LONGEST_INTEGER:
            raise RefusedError(DAMAGED)
        self.integer(count, signed=True)

    def binfloat(self) -> None:
        self._stack.append(struct.unpack(">d", self._take(8))[0])

    def text(self, width: int) -> None:
        count = int.from_bytes(self._take(width), "little")
        if count > SHORT:
            self._stack.append(self._leave(count).seen_as(Text))
        else:
            self.budget.spend_text(count)
            self._stack.append(_decoded(self._take(count)))

    def bytes_(self, width: int) -> None:
        count = int.from_bytes(self._take(width), "little")
        self._stack.append(self._take(count) if count <= SHORT else self._leave(count))

    def tuple_(self) -> None:
        items = self._since_mark()
        self._stack.append(tuple(items))

    def append(self) -> None:
        item = self._pop()
        self._top(list).append(item)

    def appends(self) -> None:
        items = self._since_mark()
        self._top(list).extend(items)

    def setitem(self) -> None:
        value, key = self._pop(), self._pop()
        put(self._top(dict), key, value)

    def setitems(self) -> None:
        items = self._since_mark()
        if len(items) % 2:
            raise RefusedError(DAMAGED)
        table = self._top(dict)
        for key, value in zip(items[::2], items[1::2], strict=True):
            put(table, key, value)

    def additems(self) -> None:
        items = self._since_mark()
        self._top(set).update([item for item in items if is_text(item)])

    def frozenset_(self) -> None:
        items = self._since_mark()
        self._stack.append({item for item in items if is_text(item)})

    def memoize(self, width: int = 0) -> None:
        index = int.from_bytes(self._take(width), "little") if width else len(self._memo)
        if not self._stack or index > len(self._memo) + 1:  # in order, from 0 or from 1
            raise RefusedError(DAMAGED)
        while len(self._memo) <= index:
            self._memo.append(None)
        self._memo[index] = self._stack[-1]

    def get(self, width: int) -> None:
        index = int.from_bytes(self._take(width), "little")
        if index >= len(self._memo):
            raise RefusedError(DAMAGED)
        self._stack.append(self._memo[index])

    def global_(self) -> None:
        module = self._line()
        self._stack.append(allowed(module, self._line()))

    def stack_global(self) -> None:
        name, module = self._pop(), self._pop()
        if type(name) is not str or type(module) is not str:
            raise RefusedError(DAMAGED)
        self._stack.append(allowed(module, name))

    def reduce(self) -> None:
        arguments = self._pop()
        named = self._top(Global)
        if type(arguments) is not tuple or named.call is None:
            raise RefusedError(f"calls {named.title} in a way that no checkpoint does: it is damaged or hostile")
        self._stack[-1] = named.call(arguments, self.budget)

    def newobj(self) -> None:
        arguments = self._pop()
        named = self._top(Global)
        if type(arguments) is not tuple or named.new is None:
            raise RefusedError(f"builds a {named.title}, as no checkpoint does: it is damaged or hostile")
        self._stack[-1] = named.new(arguments, self.budget)

    def build(self) -> None:
        """Give an object its state."""
        state = self._pop()
        if not self._stack:
            raise RefusedError(DAMAGED)
        target = self._stack[-1]
        if isinstance(target, NumberType | Array):
            target.build(state, self.budget)
        elif isinstance(target, PickledObject) and isinstance(state, dict):
            target.state = state
        elif not isinstance(target, dict):  # dictionaries may have attributes, which say nothing
            raise RefusedError(DAMAGED)

    def binpersid(self) -> None:
        if self._persistent is None:
            raise RefusedError("refers to tensors in another file: open the whole checkpoint")
        self._stack.append(self._persistent(self._pop()))


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise RefusedError(DAMAGED) from None


def _push(make: Callable[[], Any]) -> Callable[[Machine], None]:
    return lambda machine: machine._stack.append(make())


INSTRUCTIONS: dict[int, Callable[[Machine], None]] = {
    0x80: Machine.proto,
    0x95: Machine.frame,
    0x28: Machine.mark,
    0x30: Machine.pop,
    0x31: Machine.pop_mark,
    0x4E: _push(lambda: None),
    0x88: _push(lambda: True),
    0x89: _push(lambda: False),
    0x4B: lambda m: m.integer(1),
    0x4D: lambda m: m.integer(2),
    0x4A: lambda m: m.integer(4, signed=True),
    0x8A: Machine.long1,
    0x47: Machine.binfloat,
    0x8C: lambda m: m.text(1),
    0x58: lambda m: m.text(4),
    0x8D: lambda m: m.text(8),
    0x43: lambda m: m.bytes_(1),
    0x42: lambda m: m.bytes_(4),
    0x8E: lambda m: m.bytes_(8),
    0x96: lambda m: m.bytes_(8),
    0x29: _push(tuple),
    0x74: Machine.tuple_,
    0x85: lambda m: m._tuple(1),
    0x86: lambda m: m._tuple(2),
    0x87: lambda m: m._tuple(3),
    0x5D: _push(list),
    0x61: Machine.append,
    0x65: Machine.appends,
    0x7D: _push(dict),
    0x73: Machine.setitem,
    0x75: Machine.setitems,
    0x8F: _push(set),
    0x90: Machine.additems,
    0x91: Machine.frozenset_,
    0x94: Machine.memoize,
    0x71: lambda m: m.memoize(1),
    0x72: lambda m: m.memoize(4),
    0x68: lambda m: m.get(1),
    0x6A: lambda m: m.get(4),
    0x63: Machine.global_,
    0x93: Machine.stack_global,
    0x81: Machine.newobj,
    0x52: Machine.reduce,
    0x62: Machine.build,
    0x51: Machine.binpersid,
}
