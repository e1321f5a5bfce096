# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Readers of the files that hold torch's tensors, without torch.load: pickle, legacy file, zip and .safetensors.

A legacy file is a sequence of pickles: a magic number, a version, the system, the object, which refers to storages by
key, and the keys' order; then each storage's length and numbers. A pickle holds each storage as a small legacy file.
In a zip the object is "data.pkl" and each storage a file "data/KEY". A .safetensors file is a JSON table of tensors,
then the numbers.
"""

import json
import math
import operator
from collections.abc import Mapping
from itertools import accumulate
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from gan.checkpoints.file_type import MAX_HEADER_BYTES
from gan.checkpoints.other_files import OPEN_MODEL, describe_names
from gan.checkpoints.pickle_stubs import (
    DTYPES,
    MAX_AXES,
    MAX_LENGTH,
    STORAGE_DTYPES,
    Global,
    PackedStorage,
    Placeholder,
    Storage,
    StoredTensor,
)
from gan.checkpoints.read_limits import DAMAGED, TRUNCATED, Budget, FileRange, Latin1Bytes, RefusedError, require
from gan.checkpoints.safe_pickle import PickleInterpreter
from gan.checkpoints.zip_directory import Entry, locate_entry, read_directory

if TYPE_CHECKING:
    from gan.checkpoints.derived import Derived

MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001
SAFETENSORS_DTYPES = {name: dtype for dtype, (_, _, name) in DTYPES.items()}
PICTURES = (".png", ".jpg", ".jpeg", ".webp")
BIG_ENDIAN = "was written on a big-endian machine, whose checkpoints cannot be read here"
UNKNOWN_TYPE = "holds tensors of the type {} in a way that cannot be read here: save the generator's weights alone"
TOO_SHORT = "declares tensors larger than what it holds: it is damaged or hostile, get a fresh copy"


class StorageTable:
    """The storages that a pickle refers to, by key."""

    def __init__(self) -> None:
        self.by_key: dict[str, Storage] = {}
        self.unknown: dict[str, str] = {}  # classes of those that are not read

    def load(self, identifier: Any) -> Any:
        """Return the storage that ("storage", class, key, device, length[, None]) refers to.

        A placeholder stands for one of a class that is not known, as of complex numbers. Old torch writes classes of
        modules in this way, too: ("module", class, ...).
        """
        require(type(identifier) is tuple and len(identifier) >= 2 and isinstance(identifier[1], Global | Placeholder))
        if identifier[0] == "module":
            return identifier[1]
        require(len(identifier) in (5, 6) and identifier[0] == "storage" and identifier[5:] in ((), (None,)))
        kind, key, length = identifier[1].title.removeprefix("torch."), identifier[2], identifier[4]
        require(type(key) is str and type(length) is int and length >= 0)
        if kind not in STORAGE_DTYPES:
            self.unknown[key] = identifier[1].title
            return Placeholder(identifier[1].title)
        storage = self.by_key.setdefault(key, Storage(STORAGE_DTYPES[kind], length))
        require((storage.dtype, storage.length) == (STORAGE_DTYPES[kind], length))
        return storage


def read_pickle(source: FileRange, budget: Budget) -> tuple[str, Any]:
    """Return ("pickle" or "torch file", the plain data) of a file that begins with a pickle."""
    interpreter = PickleInterpreter(source, budget)
    data = interpreter.run()
    if type(data) is int and data == MAGIC:
        return "torch file", _read_legacy(source, interpreter.position, budget)
    require(interpreter.position == source.size, "goes on after its end: it is damaged or hostile, get a fresh copy")
    return "pickle", data


def _read_legacy(source: FileRange, at: int, budget: Budget) -> Any:
    """Return the object behind the magic number, whose storages then know their places in the file."""
    storages, found = StorageTable(), []
    for persistent_load in (None, None, storages.load, None):
        interpreter = PickleInterpreter(source, budget, at, persistent_load)
        found.append(interpreter.run())
        at = interpreter.position
    version, system, data, keys = found
    require(version == VERSION and isinstance(system, dict) and isinstance(keys, list))
    require(system.get("little_endian") is True, BIG_ENDIAN)
    for key in keys:
        budget.spend_instructions()
        require(isinstance(key, str))
        if key in storages.unknown:  # how long each of its numbers is, is not known
            raise RefusedError(UNKNOWN_TYPE.format(storages.unknown[key]))
        storage = storages.by_key.get(key)
        if storage is None or storage.data is not None:
            raise RefusedError(DAMAGED)
        require(int.from_bytes(source.read(at, 8), "little") == storage.length)
        storage.data = source.part(at + 8, storage.length * storage.item_size)
        at += 8 + storage.data.size
    require(at == source.size)
    return data


def read_zip(source: FileRange, budget: Budget) -> Any:
    """Return the object of a zip that torch wrote. RefusedError says what another zip is."""
    found = read_directory(source, budget)
    pickles = [name for name in found if PurePosixPath(name).name == "data.pkl"]
    if len(pickles) != 1:
        raise RefusedError(_other_zip(found))
    prefix = pickles[0].removesuffix("data.pkl")
    if any(name.startswith((f"{prefix}code/", f"{prefix}constants.pkl")) for name in found):
        raise RefusedError(
            "is a TorchScript archive, as metrics' networks are, which is code: only its weights could be used, "
            "save those alone"
        )
    order = found.get(f"{prefix}byteorder")
    if order is not None and order.size < 16:
        require(locate_entry(source, order).read(0, order.size) == b"little", BIG_ENDIAN)
    storages = StorageTable()
    data = PickleInterpreter(locate_entry(source, found[pickles[0]]), budget, 0, storages.load).run()
    for key, storage in storages.by_key.items():
        entry = found.get(f"{prefix}data/{key}")
        if entry is None:
            raise RefusedError(TRUNCATED)
        storage.data = locate_entry(source, entry)
    return data


def _other_zip(found: dict[str, Entry]) -> str:
    suffixes = [PurePosixPath(name).suffix.lower() for name in found]
    if any(suffix in (".pkl", ".pt", ".pth", ".safetensors") for suffix in suffixes):
        return "is a zip with checkpoints in it: unpack it and open one of them"
    if any(suffix in PICTURES for suffix in suffixes):
        return "is a zip of pictures, a data set and no model: train.py --data takes it"
    if any(suffix == ".npy" for suffix in suffixes):
        return describe_names(PurePosixPath(name).stem for name in found) or (
            f"is a zip of numpy arrays (.npz), as latents and statistics are kept, and no model: {OPEN_MODEL}"
        )
    return "is a zip, but not one of torch's checkpoints: open another file"


class SafetensorsFile(NamedTuple):
    """The contents of a .safetensors file: tensors by name, and texts by name that describe it."""

    tensors: dict[str, StoredTensor]
    metadata: dict[str, str]


def read_safetensors(source: FileRange, budget: Budget) -> SafetensorsFile:
    """Read the table of a .safetensors file.

    Its own library maps the file into memory: one that is cut short meanwhile would end the process.
    """
    size = int.from_bytes(source.read(0, 8), "little")
    if size > MAX_HEADER_BYTES:
        raise RefusedError("describes far more tensors than a checkpoint has: it is damaged or something else")
    try:
        table = json.loads(source.read(8, size))
        metadata = table.pop("__metadata__", None) or {}
        found = {name: _locate_tensor(entry, source, 8 + size, budget) for name, entry in table.items()}
        require(all(type(text) is str for text in metadata.values()))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise error if isinstance(error, RefusedError) else RefusedError(DAMAGED) from None
    return SafetensorsFile(found, metadata)


def _locate_tensor(entry: Any, source: FileRange, start: int, budget: Budget) -> StoredTensor:
    """Return the tensor of one entry of the table: dtype, shape, and the begin and end of its numbers after it."""
    budget.spend_instructions()
    if entry["dtype"] not in SAFETENSORS_DTYPES:
        raise RefusedError(f"holds tensors of the type {entry['dtype']!r:.20}, as no network here has: open another")
    dtype, shape, (begin, end) = SAFETENSORS_DTYPES[entry["dtype"]], tuple(entry["shape"]), entry["data_offsets"]
    require(len(shape) <= MAX_AXES)
    require(all(type(number) is int and 0 <= number < MAX_LENGTH for number in (*shape, begin, end)))
    storage = Storage(dtype, math.prod(shape))
    require(end - begin == storage.length * storage.item_size)
    storage.data = source.part(start + begin, end - begin)
    steps = tuple(accumulate((max(length, 1) for length in shape[:0:-1]), operator.mul, initial=1))[::-1]
    return StoredTensor(storage, 0, shape, steps if shape else ())


def dtype_of(tensor: StoredTensor) -> str:
    """Return the name of a tensor's dtype in torch; "" while its storage is packed."""
    return tensor.storage.dtype if isinstance(tensor.storage, Storage) else ""


def _unpack(packed: PackedStorage, budget: Budget) -> Storage:
    """Return the storage in a torch file within the file, which is read once."""
    if packed.storage is None:
        if isinstance(packed.data, Latin1Bytes):
            budget.spend_reading(packed.data.size)
        source = packed.data.decode()
        zipped = source.size >= 4 and source.read(0, 4) == b"PK\x03\x04"
        data = read_zip(source, budget) if zipped else read_pickle(source, budget)[1]
        require(isinstance(data, Storage))
        packed.storage = data
    return packed.storage


def _extent(tensor: StoredTensor) -> int:
    """Return the count of numbers from a view's first to its last, both included."""
    if 0 in tensor.shape:
        return 0
    return 1 + sum((length - 1) * step for length, step in zip(tensor.shape, tensor.stride, strict=True))


def find_mismatches(
    own: Mapping[str, Tensor], stored: Mapping[str, "StoredTensor | Derived"], optional: tuple[str, ...] = ()
) -> list[str]:
    """Return the names of a network's tensors that a file lacks or has in another shape, then those of unknown ones.

    Names that end with one of `optional` may be missing.
    """
    wrong = [name for name in own if name not in stored and not name.endswith(optional)]
    wrong += [name for name in own if name in stored and stored[name].shape != own[name].shape]
    return wrong + [name for name in stored if name not in own]


def check_tensor(tensor: StoredTensor, budget: Budget) -> tuple[Storage, FileRange]:
    """Return a tensor's storage and its place. RefusedError where the file holds less than the tensor declares."""
    storage = tensor.storage if isinstance(tensor.storage, Storage) else _unpack(tensor.storage, budget)
    if isinstance(storage.data, Latin1Bytes):  # a numpy array's in protocol 2
        budget.spend_reading(storage.data.size)
        storage.data = storage.data.decode()
    if storage.data is None or storage.data.size < storage.length * storage.item_size:
        raise RefusedError(TOO_SHORT)
    require(tensor.offset + _extent(tensor) <= storage.length, TOO_SHORT)
    return storage, storage.data


def read_tensor(tensor: StoredTensor, budget: Budget) -> Tensor:
    """Read a tensor from the file in its own dtype; a view of more than itself where strides leave gaps."""
    storage, source = check_tensor(tensor, budget)
    size = _extent(tensor) * storage.item_size
    budget.spend_reading(size)
    data = torch.empty(size, dtype=torch.uint8)
    if size:
        writable: Any = data.numpy()
        source.read_into(tensor.offset * storage.item_size, memoryview(writable))
    numbers = data != 0 if storage.dtype == "bool" else data.view(getattr(torch, storage.dtype))
    return numbers.as_strided(tensor.shape, tensor.stride)
