# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Stand-ins for the few names that checkpoints' pickles mention (references, *Official checkpoints*).

Each stand-in is plain data or makes plain data of its arguments. None is, holds or finds the thing that is named: no
class or function of torch, numpy or a checkpoint's own source takes part. `KNOWN_GLOBALS` is the whole list.
"""

import math
import operator
import struct
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from types import UnionType
from typing import Any

from gan.checkpoints.read_limits import Budget, FileRange, Latin1Bytes, LongText, RefusedError, require

SHORT_BYTES = 256  # up to which texts and bytes are read at once, and the longest that a name may be
MAX_AXES, MAX_LENGTH = 8, 2**40
MAX_LISTED_ITEMS = 256  # of a numpy array that is read as a list

SUSPICIOUS_MODULES = set(
    "bdb code commands ctypes importlib marshal multiprocessing nt os pdb pickle popen2 posix pty requests runpy "
    "shutil socket subprocess sys timeit urllib webbrowser".split()
)
SUSPICIOUS_BUILTINS = {"__import__", "breakpoint", "compile", "eval", "exec", "execfile", "input", "open"}

# torch's dtypes: bytes per number, class of their storages, name in .safetensors files.
DTYPES = {
    "float64": (8, "DoubleStorage", "F64"),
    "float32": (4, "FloatStorage", "F32"),
    "float16": (2, "HalfStorage", "F16"),
    "bfloat16": (2, "BFloat16Storage", "BF16"),
    "int64": (8, "LongStorage", "I64"),
    "int32": (4, "IntStorage", "I32"),
    "int16": (2, "ShortStorage", "I16"),
    "int8": (1, "CharStorage", "I8"),
    "uint8": (1, "ByteStorage", "U8"),
    "bool": (1, "BoolStorage", "BOOL"),
}
STORAGE_DTYPES = {storage: dtype for dtype, (_, storage, _) in DTYPES.items()}
# numpy's names of plain types, and torch's and struct's.
NUMPY_TENSORS = {
    "f8": "float64",
    "f4": "float32",
    "f2": "float16",
    "i8": "int64",
    "i4": "int32",
    "i2": "int16",
    "i1": "int8",
    "u1": "uint8",
    "b1": "bool",
}
NUMBERS = dict(zip("b1 i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8".split(), "?bhiqBHIQefd", strict=True))

Maker = Callable[..., Any]  # makes data from the budget and the arguments in the file


@dataclass(eq=False, repr=False, slots=True)
class Placeholder:
    """Something that is not known here, or that a file says is made by it: its name, and the attributes it was given.

    Nothing is found, called or built for it. Only inside the generator it matters, and is refused by its name.
    """

    title: str
    state: dict[Any, Any] | None = None

    def make(self) -> "Placeholder":
        """Return the placeholder of what the file calls it or builds it for."""
        return Placeholder(self.title)


@dataclass(eq=False, repr=False, slots=True)
class Global:
    """A known name. `call` makes data when the file calls it, `new` when the file builds one.

    Both get the budget and arguments of the types `takes`, of which the first `required` must be there.
    """

    title: str
    takes: tuple[type | UnionType, ...] = ()
    required: int = 0
    call: Maker | None = None
    new: Maker | None = None

    def make(self, maker: Maker | None, arguments: Any, budget: Budget) -> Any:
        """Return the data that `maker` (`call` or `new`) makes of the arguments. RefusedError where they do not fit.

        A placeholder in the place of data makes one of the whole.
        """
        fits = type(arguments) is tuple and self.required <= len(arguments) <= len(self.takes)
        fits = fits and all(map(isinstance, arguments, self.takes))  # as far as there are arguments
        if maker is None or not fits:
            listed = arguments if type(arguments) is tuple else ()
            unknown = next((item for item in listed if isinstance(item, Placeholder)), None)
            if unknown is not None:
                return unknown.make()
            raise RefusedError(f"uses {self.title} in a way that no checkpoint does: it is damaged or hostile")
        return maker(budget, *arguments)


@dataclass(eq=False, repr=False, slots=True)
class PickledObject:
    """A module of a class that only the file knows: its attributes, and the source that came with it, never run."""

    class_name: str
    state: dict[Any, Any]
    source: str | LongText | None = None


@dataclass(eq=False, repr=False, slots=True)
class Storage:
    """A one-dimensional array of numbers in the file; `data` is None until its place there is known."""

    dtype: str
    length: int
    data: FileRange | None = None

    @property
    def item_size(self) -> int:
        """Return the bytes per number."""
        return DTYPES[self.dtype][0]


@dataclass(eq=False, repr=False, slots=True)
class PackedStorage:
    """A storage that is itself a torch file within the file; `storage` is None until that was read."""

    data: FileRange
    storage: Storage | None = None


@dataclass(eq=False, repr=False, slots=True)
class StoredTensor:
    """A view of a storage; offset, shape and stride count numbers."""

    storage: Storage | PackedStorage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


@dataclass(eq=False, repr=False, slots=True)
class NumpyDtype:
    """A plain dtype of numpy's: its code in NUMBERS and its byte order."""

    code: str
    order: str

    def set_state(self, state: Any, budget: Budget) -> None:
        """Set the byte order; any other state would belong to a dtype that is not plain."""
        require(isinstance(state, tuple) and len(state) >= 5 and state[1] in ("<", ">", "|", "="))
        require(state[2:5] == (None, None, None))
        self.order = ">" if state[1] == ">" else "<"

    @property
    def item_size(self) -> int:
        """Return the bytes per number."""
        return struct.calcsize(self.order + NUMBERS[self.code])

    def unpack(self, data: bytes) -> list[Any]:
        """Return the numbers that the bytes stand for."""
        count, rest = divmod(len(data), self.item_size)
        require(not rest)
        return list(struct.unpack(f"{self.order}{count}{NUMBERS[self.code]}", data))


@dataclass(eq=False, repr=False, slots=True)
class NumpyArray:
    """A numpy array. Short ones are read, since constructors' arguments hold some; all are tensors in the file."""

    values: list[Any] | None = None  # None: of more than one axis, or long
    tensor: "StoredTensor | None" = None  # None: of a type that torch does not have, or of another byte order

    def set_state(self, state: Any, budget: Budget) -> None:
        """Read the numbers from (version, shape, dtype, Fortran's order, bytes)."""
        require(isinstance(state, tuple) and len(state) == 5)
        self.read(state[4], state[2], state[1], bool(state[3]), budget)

    def read(self, data: Any, dtype: Any, shape: Any, fortran: bool, budget: Budget) -> None:
        """Read the numbers from bytes, a NumpyDtype and a shape, the first axis running fastest in Fortran's order."""
        if isinstance(dtype, Placeholder):  # texts or objects: no network consists of them
            return
        require(isinstance(dtype, NumpyDtype))
        stored, count = _as_range(data), math.prod(_check_lengths(shape))
        require(count <= MAX_LENGTH)
        if dtype.code in NUMPY_TENSORS and (dtype.order != ">" or dtype.item_size == 1):
            storage = Storage(NUMPY_TENSORS[dtype.code], count, stored)
            self.tensor = StoredTensor(storage, 0, shape, _compute_strides(shape, fortran))
        if len(shape) > 1 or count > MAX_LISTED_ITEMS:
            return
        budget.spend_instructions(count)
        require(stored.size <= 2 * count * 8)  # in Latin-1 a byte takes up to two
        stored = stored.decode()
        require(stored.size == count * dtype.item_size)
        self.values = dtype.unpack(stored.read(0, stored.size))


def _compute_strides(shape: tuple[int, ...], fortran: bool) -> tuple[int, ...]:
    """Return the steps, in numbers, of an array without gaps."""
    lengths = shape[:-1] if fortran else shape[:0:-1]
    steps = tuple(accumulate((max(length, 1) for length in lengths), operator.mul, initial=1))
    return (steps if fortran else steps[::-1]) if shape else ()


def _as_range(value: Any) -> FileRange:
    """Return bytes, in memory or in the file, as a range."""
    if isinstance(value, bytes):
        return FileRange.from_bytes(value)
    require(isinstance(value, FileRange) and not isinstance(value, LongText))
    return value


def set_item(table: dict[Any, Any], key: Any, value: Any) -> None:
    """Set table[key] = value where the key is a text; leave other keys out, as they are never needed.

    Numbers and tuples can be chosen to collide in a table, texts cannot: their hashes are salted in each process.
    """
    if is_text_key(key):
        table[key] = value


def is_text_key(key: Any) -> bool:
    """Return true for a text and false for another key or item of a set, also for a text too long to be a name.

    RefusedError for a list or a table, which cannot be one.
    """
    require(not isinstance(key, list | dict))
    return type(key) is str


def _check_lengths(shape: Any) -> tuple[int, ...]:
    require(isinstance(shape, tuple) and len(shape) <= MAX_AXES)
    for length in shape:
        require(type(length) is int and 0 <= length <= MAX_LENGTH)
    return shape


def _make_dict(budget: Budget, pairs: Any = ()) -> dict[Any, Any]:
    """Return an OrderedDict or EasyDict as Python's own dict, which keeps the order, too."""
    table: dict[Any, Any] = {}
    for pair in pairs:
        require(isinstance(pair, list | tuple) and len(pair) == 2)
        budget.spend_instructions()
        set_item(table, pair[0], pair[1])
    return table


def _make_set(budget: Budget, items: Any) -> set[Any]:
    budget.spend_instructions(len(items))
    return {item for item in items if is_text_key(item)}


def _encode(budget: Budget, text: Any, encoding: str) -> bytes | FileRange:
    """Return the bytes that protocol 2 writes as a text to be encoded."""
    require(encoding in ("latin1", "latin-1"))
    if isinstance(text, LongText):
        return text.view_as(Latin1Bytes)
    try:
        return str.encode(text, "latin-1")
    except UnicodeError:
        raise RefusedError("holds bytes that are not bytes: it is damaged, get a fresh copy") from None


def _make_module(budget: Budget, meta: Any) -> PickledObject:
    """Return a module from one dict of type, version, module_src, class_name and state."""
    name, state, source = meta.get("class_name"), meta.get("state"), meta.get("module_src")
    require(meta.get("type") == "class" and isinstance(name, str) and isinstance(state, dict))
    return PickledObject(name, state, source if isinstance(source, str | LongText) else None)


def _make_tensor(budget: Budget, storage: Any, offset: int, shape: Any, stride: Any, *_: Any) -> StoredTensor:
    require(len(_check_lengths(shape)) == len(_check_lengths(stride)))
    _check_lengths((offset,))
    return StoredTensor(storage, offset, shape, stride)


def _make_dtype(budget: Budget, code: str, *_: Any) -> NumpyDtype | Placeholder:
    plain = code.lstrip("<>|=")
    if plain not in NUMBERS:
        return Placeholder(f"numpy.dtype({code!r:.40})")
    return NumpyDtype(plain, ">" if code.startswith(">") else "<")


def _make_number(budget: Budget, dtype: NumpyDtype, data: bytes) -> Any:
    require(len(data) == dtype.item_size)
    return dtype.unpack(data)[0]


def _make_empty_array(budget: Budget, kind: Global, *_: Any) -> NumpyArray:
    """Return an array whose contents follow."""
    require(kind.title == "numpy.ndarray")
    return NumpyArray()


def _make_array(budget: Budget, data: Any, dtype: Any, shape: Any, order: Any) -> NumpyArray:
    """Return an array as protocol 5 writes it."""
    array = NumpyArray()
    array.read(data, dtype, shape, order == "F", budget)
    return array


def _import_module(budget: Budget, name: str) -> "Global | Placeholder":
    """Return the name of numpy's inner module, which dill spells in two steps; any other is not known here."""
    return NUMPY_INNER if name == NUMPY_INNER.title else Placeholder(name)


def _get_attribute(budget: Budget, module: "Global | Placeholder", name: str) -> "Global | Placeholder":
    known = module is NUMPY_INNER and name in ("_reconstruct", "scalar")
    return KNOWN_GLOBALS["numpy.core.multiarray", name] if known else Placeholder(f"{module.title}.{name}")


def _load_type(budget: Budget, name: str) -> "Global | Placeholder":
    return KNOWN_GLOBALS["builtins", "set"] if name == "set" else Placeholder(f"dill._dill._load_type({name!r:.40})")


def _create_array(budget: Budget, make: Global, arguments: Any, state: Any, attributes: None = None) -> NumpyArray:
    """Return an array as later versions of dill write it."""
    require(make.call is _make_empty_array)
    array = make.make(make.call, arguments, budget)
    require(isinstance(array, NumpyArray))
    array.set_state(state, budget)
    return array


def _make_layer(title: str) -> Maker:
    """Return a maker of modules of torch's own, whose attributes follow."""
    return lambda budget: PickledObject(title, {})


TORCH_LAYERS = {
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
BYTES, STORAGE, ANY = bytes | FileRange, Storage | PackedStorage, object
NUMPY_INNER = Global("numpy.core._multiarray_umath")
# Modules of different versions, name, types of the arguments, required arguments, maker.
CALLS: list[tuple[str, str, tuple[type | UnionType, ...], int, Maker]] = [
    ("torch_utils.persistence", "_reconstruct_persistent_obj", (dict,), 1, _make_module),
    ("collections", "OrderedDict", (list,), 0, _make_dict),
    ("dnnlib.util dnnlib", "EasyDict", (list,), 0, _make_dict),
    ("builtins __builtin__", "set", (list,), 1, _make_set),
    ("builtins __builtin__", "bytes", (), 0, lambda budget: b""),  # protocol 2 writes empty bytes so
    ("_codecs", "encode", (str | LongText, str), 2, _encode),
    ("torch._utils", "_rebuild_tensor_v2", (STORAGE, int, tuple, tuple, ANY, ANY, ANY), 6, _make_tensor),
    ("torch._utils", "_rebuild_parameter", (StoredTensor, ANY, ANY), 3, lambda budget, tensor, *_: tensor),
    ("torch.storage", "_load_from_bytes", (BYTES,), 1, lambda budget, data: PackedStorage(_as_range(data))),
    ("torch", "Size", (tuple,), 1, lambda budget, shape: _check_lengths(shape)),
    ("torch", "device", (str | int, str | int), 1, lambda budget, *parts: ":".join(map(str, parts))),
    ("numpy", "dtype", (str, ANY, ANY), 1, _make_dtype),
    ("numpy.core.multiarray numpy._core.multiarray", "scalar", (NumpyDtype, bytes), 2, _make_number),
    ("numpy.core.multiarray numpy._core.multiarray", "_reconstruct", (Global, ANY, ANY), 3, _make_empty_array),
    ("numpy.core.numeric numpy._core.numeric", "_frombuffer", (BYTES, NumpyDtype, tuple, ANY), 4, _make_array),
    # What dill, with which StyleGAN-XL is saved, writes in place of names; none of it is imported or looked up.
    ("dill._dill", "_import_module", (str,), 1, _import_module),
    ("dill._dill", "_get_attr", (Global | Placeholder, str), 2, _get_attribute),
    ("dill._dill", "_load_type", (str,), 1, _load_type),
    ("dill._dill", "_create_array", (Global, tuple, tuple, type(None)), 3, _create_array),
]


def _known_globals() -> dict[tuple[str, str], Global]:
    """Return every name that a file may mention."""
    found: dict[tuple[str, str], Global] = {}
    for modules, name, takes, required, maker in CALLS:
        for module in modules.split():
            new = maker if maker is _make_dict else None  # dictionaries may be called or built
            found[module, name] = Global(f"{module}.{name}", takes, required, maker, new)
    for name in (*DTYPES, *STORAGE_DTYPES):
        found["torch", name] = Global(f"torch.{name}")
    found["numpy", "ndarray"] = Global("numpy.ndarray")
    for folder, names in TORCH_LAYERS.items():
        for name in names.split():
            module = f"torch.nn.modules.{folder}"
            found[module, name] = Global(f"{module}.{name}", new=_make_layer(f"{module}.{name}"))
    return found


KNOWN_GLOBALS = _known_globals()


def lookup_global(module: str, name: str) -> Global | Placeholder:
    """Return the stand-in for a name: a placeholder, which is never called, where it is not known."""
    return KNOWN_GLOBALS.get((module, name)) or Placeholder(f"{module}.{name}")


def is_suspicious(module: str, name: str) -> bool:
    """Return True for a name that runs, loads or deletes something: no honest file asks for it, wherever it lies."""
    if module in ("builtins", "__builtin__"):
        return name in SUSPICIOUS_BUILTINS
    return module.partition(".")[0] in SUSPICIOUS_MODULES


def refuse_placeholder(found: Placeholder) -> RefusedError:
    """Return the error of a generator that has something unknown in it."""
    return RefusedError(
        f"asks for {found.title}, which no checkpoint of StyleGAN2 or 3 needs in its generator; nothing of it was run: "
        "save the weights alone (state_dict), and do not open it with other programs unless you trust where it comes "
        "from"
    )
