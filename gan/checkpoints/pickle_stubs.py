# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What stands in for the few names that checkpoints' pickles mention (checkpoint-formats, "Globals met in such files").

Each stand-in is plain data or makes plain data of its arguments. None is, holds or finds the thing that is named: no
class or function of torch, numpy or a checkpoint's own source takes part. `ALLOWED` is all that is known.
"""

import math
import struct
from collections.abc import Callable
from typing import Any

from gan.checkpoints.read_limits import Blob, Budget, Latin1, RefusedError, Text

SHORT = 256  # bytes up to which texts and bytes are read at once, and the longest that a name may be
MOST_AXES, MOST_LENGTH = 8, 2**40
FEW_ITEMS = 256  # of a numpy array that is read as a list
KEY_PARTS = 8

# Storage classes and dtypes: (torch's name of the dtype, bytes an item).
STORAGES = {
    "DoubleStorage": ("float64", 8),
    "FloatStorage": ("float32", 4),
    "HalfStorage": ("float16", 2),
    "BFloat16Storage": ("bfloat16", 2),
    "LongStorage": ("int64", 8),
    "IntStorage": ("int32", 4),
    "ShortStorage": ("int16", 2),
    "CharStorage": ("int8", 1),
    "ByteStorage": ("uint8", 1),
    "BoolStorage": ("bool", 1),
}
DTYPES = tuple(dtype for dtype, _ in STORAGES.values())
# numpy's names of plain types, and struct's.
NUMBERS = {
    "b1": "?",
    "i1": "b",
    "i2": "h",
    "i4": "i",
    "i8": "q",
    "u1": "B",
    "u2": "H",
    "u4": "I",
    "u8": "Q",
    "f2": "e",
    "f4": "f",
    "f8": "d",
}

Arguments = tuple[Any, ...]
Maker = Callable[[Arguments, Budget], Any]


class Global:
    """A name that is known. `call` makes data of the arguments it is called with, `new` of those it is built with."""

    __slots__ = ("title", "call", "new")

    def __init__(self, title: str, call: Maker | None = None, new: Maker | None = None) -> None:
        self.title, self.call, self.new = title, call, new


class PickledObject:
    """A module of a class that only the file knows: its attributes, and the source that came with it, never run."""

    __slots__ = ("class_name", "state", "source")

    def __init__(self, class_name: str, state: dict[Any, Any], source: str | Text | None = None) -> None:
        self.class_name, self.state, self.source = class_name, state, source


class Storage:
    """A one-dimensional array of numbers in the file; `blob` is None until it is known where it lies."""

    __slots__ = ("dtype", "item", "length", "blob")

    def __init__(self, dtype: str, item: int, length: int, blob: Blob | None = None) -> None:
        self.dtype, self.item, self.length, self.blob = dtype, item, length, blob


class PackedStorage:
    """A storage that is itself a file of torch's within the file; `storage` is None until it was looked into."""

    __slots__ = ("blob", "storage")

    def __init__(self, blob: Blob) -> None:
        self.blob = blob
        self.storage: Storage | None = None


class StoredTensor:
    """A view of a storage, in numbers."""

    __slots__ = ("storage", "offset", "shape", "stride")

    def __init__(
        self, storage: Storage | PackedStorage, offset: int, shape: tuple[int, ...], stride: tuple[int, ...]
    ) -> None:
        self.storage, self.offset, self.shape, self.stride = storage, offset, shape, stride


class NumberType:
    """A plain dtype of numpy's."""

    __slots__ = ("code", "order")

    def __init__(self, code: str, order: str) -> None:
        self.code, self.order = code, order

    def build(self, state: Any, budget: Budget) -> None:
        """Its byte order; anything else of a dtype's state would be a dtype that is not plain."""
        plain = isinstance(state, tuple) and len(state) >= 5 and state[1] in ("<", ">", "|", "=")
        if not plain or any(part is not None for part in state[2:5]):
            raise _damaged("numpy.dtype")
        self.order = ">" if state[1] == ">" else "<"

    @property
    def item(self) -> int:
        """Bytes a number."""
        return struct.calcsize(self.order + NUMBERS[self.code])

    def numbers(self, data: bytes) -> list[Any]:
        """What the bytes stand for."""
        count, rest = divmod(len(data), self.item)
        if rest:
            raise _damaged("numpy.ndarray")
        return list(struct.unpack(f"{self.order}{count}{NUMBERS[self.code]}", data))


class Array:
    """A numpy array. Few numbers are read, since constructors' arguments hold some; many are never wanted."""

    __slots__ = ("values",)

    def __init__(self) -> None:
        self.values: list[Any] | None = None  # None: of more than one axis, or many

    def build(self, state: Any, budget: Budget) -> None:
        """Version, shape, dtype, whether in Fortran's order, bytes."""
        if not (isinstance(state, tuple) and len(state) == 5):
            raise _damaged("numpy.ndarray")
        self.fill(state[4], state[2], state[1], budget)

    def fill(self, data: Any, kind: Any, shape: Any, budget: Budget) -> None:
        """Of bytes, a NumberType and a shape."""
        if not isinstance(kind, NumberType):
            raise _damaged("numpy.ndarray")
        blob, count = as_blob(data, "numpy.ndarray"), math.prod(_lengths(shape, "numpy.ndarray"))
        if len(shape) > 1 or count > FEW_ITEMS:
            return
        for _ in range(count):
            budget.spend_instruction()
        if blob.size > 2 * count * 8 or (blob := blob.decoded()).size != count * kind.item:
            raise _damaged("numpy.ndarray")
        self.values = kind.numbers(blob.read(0, blob.size))


def _damaged(title: str) -> RefusedError:
    return RefusedError(f"holds a {title} that is not put together as one: it is damaged, get a fresh copy")


def as_blob(value: Any, title: str) -> Blob:
    """Bytes, wherever they lie."""
    if isinstance(value, bytes):
        return Blob.of(value)
    if not isinstance(value, Blob) or isinstance(value, Text):
        raise _damaged(title)
    return value


def put(table: dict[Any, Any], key: Any, value: Any) -> None:
    """table[key] = value where the key is a text; other keys are checked and left out, for nobody asks for them.

    Numbers and tuples can be chosen to collide in a table, texts can not: their hashes are salted in each process.
    """
    if is_text(key):
        table[key] = value


def is_text(key: Any) -> bool:
    """Whether a key or an item of a set is a text; RefusedError where it is nothing that checkpoints have there."""
    if type(key) is str:
        return True
    parts = key if type(key) is tuple else (key,)
    if len(parts) > KEY_PARTS or any(type(part) not in (str, int, float, bool, bytes, type(None)) for part in parts):
        raise RefusedError("has a table whose keys are neither texts nor numbers, as no checkpoint has: it is damaged")
    return False


def _lengths(shape: Any, title: str) -> tuple[int, ...]:
    fits = isinstance(shape, tuple) and len(shape) <= MOST_AXES
    if not fits or any(type(length) is not int or not 0 <= length <= MOST_LENGTH for length in shape):
        raise _damaged(title)
    return shape


def _table(arguments: Arguments, budget: Budget) -> dict[Any, Any]:
    """An OrderedDict or EasyDict of nothing or of (key, value) pairs; Python's own dict keeps the order, too."""
    table: dict[Any, Any] = {}
    pairs = arguments[0] if len(arguments) == 1 else []
    if len(arguments) > 1 or not isinstance(pairs, list):
        raise _damaged("dictionary")
    for pair in pairs:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise _damaged("dictionary")
        budget.spend_instruction()
        put(table, pair[0], pair[1])
    return table


def _set(arguments: Arguments, budget: Budget) -> set[Any]:
    if len(arguments) != 1 or not isinstance(arguments[0], list):
        raise _damaged("set")
    for _ in arguments[0]:
        budget.spend_instruction()
    return {item for item in arguments[0] if is_text(item)}


def _bytes(arguments: Arguments, budget: Budget) -> bytes:
    """Protocol 2 writes empty bytes as bytes()."""
    if arguments:
        raise _damaged("byte string")
    return b""


def _encode(arguments: Arguments, budget: Budget) -> bytes | Blob:
    """Protocol 2 writes bytes as a text to be encoded."""
    if len(arguments) != 2 or arguments[1] not in ("latin1", "latin-1"):
        raise _damaged("byte string")
    text = arguments[0]
    if isinstance(text, Text):
        return text.seen_as(Latin1)
    try:
        return str.encode(text, "latin-1")
    except (UnicodeError, TypeError):
        raise _damaged("byte string") from None


def _module(arguments: Arguments, budget: Budget) -> PickledObject:
    """checkpoint-formats: one dict of type, version, module_src, class_name and state."""
    title = "torch_utils.persistence object"
    if len(arguments) != 1 or not isinstance(arguments[0], dict):
        raise _damaged(title)
    meta = arguments[0]
    name, state, source = meta.get("class_name"), meta.get("state"), meta.get("module_src")
    if meta.get("type") != "class" or not isinstance(name, str) or not isinstance(state, dict):
        raise _damaged(title)
    return PickledObject(name, state, source if isinstance(source, str | Text) else None)


def _packed(arguments: Arguments, budget: Budget) -> PackedStorage:
    title = "torch storage"
    if len(arguments) != 1:
        raise _damaged(title)
    return PackedStorage(as_blob(arguments[0], title))


def _tensor(arguments: Arguments, budget: Budget) -> StoredTensor:
    """storage, offset, shape, stride, whether it wants gradients, hooks."""
    title = "torch tensor"
    if len(arguments) not in (6, 7) or not isinstance(arguments[0], Storage | PackedStorage):
        raise _damaged(title)
    storage, offset, shape, stride = arguments[:4]
    shape, stride = _lengths(shape, title), _lengths(stride, title)
    if len(shape) != len(stride):
        raise _damaged(title)
    (offset,) = _lengths((offset,), title)
    return StoredTensor(storage, offset, shape, stride)


def _parameter(arguments: Arguments, budget: Budget) -> StoredTensor:
    if len(arguments) != 3 or not isinstance(arguments[0], StoredTensor):
        raise _damaged("torch parameter")
    return arguments[0]


def _size(arguments: Arguments, budget: Budget) -> tuple[int, ...]:
    if len(arguments) != 1:
        raise _damaged("torch.Size")
    return _lengths(arguments[0], "torch.Size")


def _device(arguments: Arguments, budget: Budget) -> str:
    if not 1 <= len(arguments) <= 2 or any(type(part) not in (str, int) for part in arguments):
        raise _damaged("torch.device")
    return ":".join(str(part) for part in arguments)


def _number_type(arguments: Arguments, budget: Budget) -> NumberType:
    code = arguments[0] if arguments else None
    if not isinstance(code, str) or code.lstrip("<>|=") not in NUMBERS:
        raise RefusedError(f"holds numpy data of the type {code!r:.40}, not of plain numbers: it is no checkpoint")
    return NumberType(code.lstrip("<>|="), ">" if code.startswith(">") else "<")


def _number(arguments: Arguments, budget: Budget) -> Any:
    if len(arguments) != 2 or not isinstance(arguments[0], NumberType) or not isinstance(arguments[1], bytes):
        raise _damaged("numpy number")
    numbers = arguments[0].numbers(arguments[1])
    if len(numbers) != 1:
        raise _damaged("numpy number")
    return numbers[0]


def _empty_array(arguments: Arguments, budget: Budget) -> Array:
    """Its contents follow."""
    named = len(arguments) == 3 and isinstance(arguments[0], Global) and arguments[0].title == "numpy.ndarray"
    if not named:
        raise _damaged("numpy.ndarray")
    return Array()


def _array(arguments: Arguments, budget: Budget) -> Array:
    """Protocol 5's: bytes, dtype, shape, order."""
    if len(arguments) != 4:
        raise _damaged("numpy.ndarray")
    array = Array()
    array.fill(arguments[0], arguments[1], arguments[2], budget)
    return array


def _layer(title: str) -> Maker:
    """A module of torch's own, whose attributes follow."""

    def new(arguments: Arguments, budget: Budget) -> PickledObject:
        if arguments:
            raise _damaged(title)
        return PickledObject(title, {})

    return new


LAYERS = {
    "module": "Module",
    "container": "Sequential ModuleList ModuleDict ParameterList ParameterDict",
    "linear": "Linear Identity Bilinear",
    "conv": "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d",
    "activation": "ReLU LeakyReLU PReLU ELU GELU SiLU Sigmoid Tanh Softplus Softmax ReLU6 Hardtanh",
    "batchnorm": "BatchNorm1d BatchNorm2d SyncBatchNorm",
    "instancenorm": "InstanceNorm1d InstanceNorm2d",
    "normalization": "LayerNorm GroupNorm LocalResponseNorm",
    "dropout": "Dropout Dropout2d",
    "pooling": "AvgPool2d MaxPool2d AdaptiveAvgPool2d AdaptiveMaxPool2d",
    "flatten": "Flatten Unflatten",
    "upsampling": "Upsample UpsamplingNearest2d UpsamplingBilinear2d",
    "pixelshuffle": "PixelShuffle PixelUnshuffle",
    "padding": "ZeroPad2d ReflectionPad2d ReplicationPad2d ConstantPad2d",
    "sparse": "Embedding",
}


def _all() -> dict[tuple[str, str], Global]:
    """Every name that a file may mention; two names may be the same thing of different times."""
    found: dict[tuple[str, str], Global] = {}

    def add(modules: str, name: str, call: Maker | None = None, new: Maker | None = None) -> None:
        for module in modules.split():
            found[module, name] = Global(f"{module}.{name}", call, new)

    add("torch_utils.persistence", "_reconstruct_persistent_obj", _module)
    add("collections", "OrderedDict", _table, _table)
    add("dnnlib.util dnnlib", "EasyDict", _table, _table)
    add("builtins __builtin__", "set", _set)
    add("builtins __builtin__", "bytes", _bytes)
    add("_codecs", "encode", _encode)
    add("torch._utils", "_rebuild_tensor_v2", _tensor)
    add("torch._utils", "_rebuild_parameter", _parameter)
    add("torch.storage", "_load_from_bytes", _packed)
    add("torch", "Size", _size)
    add("torch", "device", _device)
    for name in (*DTYPES, *STORAGES):
        add("torch", name)
    add("numpy", "dtype", _number_type)
    add("numpy", "ndarray")
    add("numpy.core.multiarray numpy._core.multiarray", "scalar", _number)
    add("numpy.core.multiarray numpy._core.multiarray", "_reconstruct", _empty_array)
    add("numpy.core.numeric numpy._core.numeric", "_frombuffer", _array)
    for module, names in LAYERS.items():
        for name in names.split():
            add(f"torch.nn.modules.{module}", name, new=_layer(f"torch.nn.modules.{module}.{name}"))
    return found


ALLOWED = _all()


def allowed(module: str, name: str) -> Global:
    """The stand-in for a name; RefusedError, which names it, where there is none."""
    known = ALLOWED.get((module, name))
    if known is not None:
        return known
    title = f"{module}.{name}"
    if module.partition(".")[0] == "tfutil" or module.startswith("dnnlib.tflib"):
        raise RefusedError(
            f"is a TensorFlow pickle of StyleGAN's or StyleGAN2's older code (it asks for {title}): only those of the "
            "PyTorch code can be opened here"
        )
    raise RefusedError(
        f"asks for {title}, which no checkpoint of StyleGAN2 or 3 needs; nothing of it was run: "
        "do not open it with other programs unless you trust where it comes from"
    )
