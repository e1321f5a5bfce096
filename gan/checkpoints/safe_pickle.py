# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""An interpreter that reads pickles as plain data (docs/decisions/013-official-pickles.md).

It knows the instructions that checkpoints consist of. It imports nothing, calls nothing that a file names (only the
stand-ins in gan.checkpoints.pickle_stubs), never recurses, and leaves large byte strings in the file.
"""

import struct
from collections.abc import Callable
from typing import Any

from gan.checkpoints.pickle_stubs import (
    SHORT_BYTES,
    Global,
    NumpyArray,
    NumpyDtype,
    PickledObject,
    Placeholder,
    is_suspicious,
    is_text_key,
    lookup_global,
    set_item,
)
from gan.checkpoints.read_limits import DAMAGED, TRUNCATED, Budget, FileRange, LongText, RefusedError, require

PROTOCOLS = range(2, 6)
WINDOW = 8192  # bytes read at a time: few, since after each tensor the next lies somewhere else
MAX_OPEN_MARKS = 1000  # an official file has about 40
MAX_INTEGER_BYTES, MAX_SUSPICIOUS = 120, 3  # such an integer is a finite float, too

PersistentLoad = Callable[[Any], Any]  # from the identifier of an object stored outside of the pickle to its stand-in


class PickleInterpreter:
    """Interpreter of one pickle, which starts at `at` in `source`."""

    def __init__(
        self, source: FileRange, budget: Budget, at: int = 0, persistent_load: PersistentLoad | None = None
    ) -> None:
        self.source, self.budget, self._persistent_load = source, budget, persistent_load
        self._base, self._at, self._window = at, 0, b""
        self._stack: list[Any] = []
        self._marked: list[list[Any]] = []  # the stacks below each open mark
        self._memo: list[Any] = []

    @property
    def position(self) -> int:
        """Return the offset of the next instruction in `source`; after `run`, the end of the pickle."""
        return self._base + self._at

    def run(self) -> Any:
        """Return the object that the pickle describes. RefusedError where it is damaged or unlike a checkpoint's."""
        budget = self.budget
        while True:
            budget.instructions -= 1
            if budget.instructions < 0:
                budget.spend_instructions()
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
        """Return the next few bytes."""
        if self._at + count > len(self._window):
            self._fill(count)
        self._at += count
        return self._window[self._at - count : self._at]

    def _fill(self, count: int) -> None:
        """Read a new window of at least `count` bytes."""
        self._base, self._at = self.position, 0
        left = self.source.size - self._base
        require(count <= left, TRUNCATED)
        self._window = self.source.read(self._base, min(max(count, WINDOW), left))

    def _skip(self, count: int) -> FileRange:
        """Return the next bytes as a range that is not read."""
        found = self.source.part(self.position, count)
        self._at += count
        if self._at > len(self._window):
            self._base, self._at, self._window = self.position, 0, b""
        return found

    def _line(self) -> str:
        """Return the rest of a line, of a name's length."""
        found = bytearray()
        while len(found) <= SHORT_BYTES:
            byte = self._take(1)
            if byte == b"\n":
                self.budget.spend_text(len(found))
                return _decode_text(bytes(found))
            found += byte
        raise RefusedError(DAMAGED)

    def _pop(self) -> Any:
        if not self._stack:
            raise RefusedError(DAMAGED)
        return self._stack.pop()

    def _top(self, kind: type) -> Any:
        """Return the top of the stack. RefusedError unless it is exactly of this type.

        For what is unknown, an empty one is returned: it takes what the file adds, and is forgotten.
        """
        if self._stack and type(self._stack[-1]) is Placeholder and kind is not Global:
            return kind()
        if not self._stack or type(self._stack[-1]) is not kind:
            raise RefusedError(DAMAGED)
        return self._stack[-1]

    def _pop_mark(self) -> list[Any]:
        """Return the items above the last mark and drop both."""
        if not self._marked:
            raise RefusedError(DAMAGED)
        items, self._stack = self._stack, self._marked.pop()
        return items

    # Instructions, by their names in Python's pickle module.

    def proto(self) -> None:
        number = self._take(1)[0]
        if number not in PROTOCOLS:
            raise RefusedError(f"is a pickle of protocol {number}, and checkpoints have 2 to 5: it is something else")

    def frame(self) -> None:
        size = int.from_bytes(self._take(8), "little")
        require(size <= self.source.size - self.position, TRUNCATED)

    def mark(self) -> None:
        require(len(self._marked) < MAX_OPEN_MARKS, "is nested far deeper than a checkpoint: it is damaged or hostile")
        self._marked.append(self._stack)
        self._stack = []

    def pop(self) -> None:
        if self._stack:
            self._stack.pop()
        else:
            self._pop_mark()

    def integer(self, count: int, signed: bool = False) -> None:
        self._stack.append(int.from_bytes(self._take(count), "little", signed=signed))

    def long1(self) -> None:
        count = self._take(1)[0]
        require(count <= MAX_INTEGER_BYTES)
        self.integer(count, signed=True)

    def binfloat(self) -> None:
        self._stack.append(struct.unpack(">d", self._take(8))[0])

    def text(self, width: int) -> None:
        count = int.from_bytes(self._take(width), "little")
        if count > SHORT_BYTES:
            self._stack.append(self._skip(count).view_as(LongText))
        else:
            self.budget.spend_text(count)
            self._stack.append(_decode_text(self._take(count)))

    def bytes_(self, width: int) -> None:
        count = int.from_bytes(self._take(width), "little")
        self._stack.append(self._take(count) if count <= SHORT_BYTES else self._skip(count))

    def tuple_of(self, count: int) -> None:
        if len(self._stack) < count:
            raise RefusedError(DAMAGED)
        self._stack[-count:] = [tuple(self._stack[-count:])]

    def tuple_(self) -> None:
        items = self._pop_mark()
        self._stack.append(tuple(items))

    def append(self) -> None:
        item = self._pop()
        self._top(list).append(item)

    def appends(self) -> None:
        items = self._pop_mark()
        self._top(list).extend(items)

    def setitem(self) -> None:
        value, key = self._pop(), self._pop()
        set_item(self._top(dict), key, value)

    def setitems(self) -> None:
        items = self._pop_mark()
        require(len(items) % 2 == 0)
        table = self._top(dict)
        for key, value in zip(items[::2], items[1::2], strict=True):
            set_item(table, key, value)

    def additems(self) -> None:
        items = self._pop_mark()
        self._top(set).update([item for item in items if is_text_key(item)])

    def frozenset_(self) -> None:
        items = self._pop_mark()
        self._stack.append({item for item in items if is_text_key(item)})

    def memoize(self, width: int = 0) -> None:
        index = int.from_bytes(self._take(width), "little") if width else len(self._memo)
        memo = self._memo
        if not self._stack or index > len(memo) + 1:  # in order, from 0 or from 1
            raise RefusedError(DAMAGED)
        if index == len(memo):
            memo.append(self._stack[-1])
        elif index < len(memo):
            memo[index] = self._stack[-1]
        else:
            memo += [None, self._stack[-1]]

    def get(self, width: int) -> None:
        index = int.from_bytes(self._take(width), "little")
        if index >= len(self._memo):
            raise RefusedError(DAMAGED)
        self._stack.append(self._memo[index])

    def global_(self) -> None:
        module = self._line()
        self._push_global(module, self._line())

    def stack_global(self) -> None:
        name, module = self._pop(), self._pop()
        require(type(name) is str and type(module) is str)
        self._push_global(module, name)

    def _push_global(self, module: str, name: str) -> None:
        found = lookup_global(module, name)
        if isinstance(found, Placeholder):
            self.budget.spend_text(len(found.title))
            if is_suspicious(module, name) and len(self.budget.suspicious) < MAX_SUSPICIOUS:
                self.budget.suspicious.append(found.title)
        self._stack.append(found)

    def reduce(self) -> None:
        self._make(self._pop(), new=False)

    def newobj(self) -> None:
        self._make(self._pop(), new=True)

    def newobj_ex(self) -> None:
        """Build something with named arguments, as nothing that is known here is built."""
        named, arguments = self._pop(), self._pop()
        self._make(arguments if named == {} else named, new=True)

    def _make(self, arguments: Any, new: bool) -> None:
        """Put what a global makes of its arguments in its place."""
        if self._stack and type(self._stack[-1]) is Placeholder:
            self._stack[-1] = self._stack[-1].make()
            return
        known = self._top(Global)
        self._stack[-1] = known.make(known.new if new else known.call, arguments, self.budget)

    def build(self) -> None:
        """Give an object its state."""
        state = self._pop()
        require(bool(self._stack))
        target = self._stack[-1]
        if isinstance(target, NumpyDtype | NumpyArray):
            target.set_state(state, self.budget)
        elif isinstance(target, Placeholder):
            target.state = state if isinstance(state, dict) else None
        elif isinstance(target, PickledObject) and isinstance(state, dict):
            target.state = state
        else:
            require(isinstance(target, dict))  # a dictionary's attributes are not needed

    def binpersid(self) -> None:
        if self._persistent_load is None:
            raise RefusedError("refers to tensors in another file: open the whole checkpoint")
        self._stack.append(self._persistent_load(self._pop()))


def _decode_text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise RefusedError(DAMAGED) from None


def _push(make: Callable[[], Any]) -> Callable[[PickleInterpreter], None]:
    return lambda interpreter: interpreter._stack.append(make())


INSTRUCTIONS: dict[int, Callable[[PickleInterpreter], object]] = {
    0x80: PickleInterpreter.proto,
    0x95: PickleInterpreter.frame,
    0x28: PickleInterpreter.mark,
    0x30: PickleInterpreter.pop,
    0x31: PickleInterpreter._pop_mark,
    0x4E: _push(lambda: None),
    0x88: _push(lambda: True),
    0x89: _push(lambda: False),
    0x4B: lambda m: m.integer(1),
    0x4D: lambda m: m.integer(2),
    0x4A: lambda m: m.integer(4, signed=True),
    0x8A: PickleInterpreter.long1,
    0x47: PickleInterpreter.binfloat,
    0x8C: lambda m: m.text(1),
    0x58: lambda m: m.text(4),
    0x8D: lambda m: m.text(8),
    0x43: lambda m: m.bytes_(1),
    0x42: lambda m: m.bytes_(4),
    0x8E: lambda m: m.bytes_(8),
    0x96: lambda m: m.bytes_(8),
    0x29: _push(tuple),
    0x74: PickleInterpreter.tuple_,
    0x85: lambda m: m.tuple_of(1),
    0x86: lambda m: m.tuple_of(2),
    0x87: lambda m: m.tuple_of(3),
    0x5D: _push(list),
    0x61: PickleInterpreter.append,
    0x65: PickleInterpreter.appends,
    0x7D: _push(dict),
    0x73: PickleInterpreter.setitem,
    0x75: PickleInterpreter.setitems,
    0x8F: _push(set),
    0x90: PickleInterpreter.additems,
    0x91: PickleInterpreter.frozenset_,
    0x94: PickleInterpreter.memoize,
    0x71: lambda m: m.memoize(1),
    0x72: lambda m: m.memoize(4),
    0x68: lambda m: m.get(1),
    0x6A: lambda m: m.get(4),
    0x63: PickleInterpreter.global_,
    0x93: PickleInterpreter.stack_global,
    0x81: PickleInterpreter.newobj,
    0x92: PickleInterpreter.newobj_ex,
    0x52: PickleInterpreter.reduce,
    0x62: PickleInterpreter.build,
    0x51: PickleInterpreter.binpersid,
}
