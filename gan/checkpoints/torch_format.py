# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The ways that torch's tensors lie in files, read without torch.load: in a pickle, behind one, in a zip, or named.

A pickle holds each storage as a small file of the second kind: pickles of a magic number, a version, the system and the
object, which refers to storages by key, then the keys' order, then each storage's length and numbers. In a zip the
object is "data.pkl" and each storage a file "data/KEY". A .safetensors file is a JSON table of them, then the numbers.
"""

import json
import math
import operator
from itertools import accumulate
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gan.checkpoints.file_type import LARGEST_HEADER
from gan.checkpoints.pickle_stubs import MOST_AXES, STORAGES, Global, PackedStorage, Storage, StoredTensor
from gan.checkpoints.read_limits import TRUNCATED, Blob, Budget, Latin1, RefusedError
from gan.checkpoints.safe_pickle import DAMAGED, Machine
from gan.checkpoints.zip_directory import Entry, entries, stored

MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001
NAMED = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U8": "uint8",
    "BOOL": "bool",
}
SIZES = dict(STORAGES.values())  # bytes a number, by dtype
PICTURES = (".png", ".jpg", ".jpeg", ".webp")
BIG = "was written on a big-endian machine, whose checkpoints cannot be read here"


class Storages:
    """The storages that a pickle refers to, by key."""

    def __init__(self) -> None:
        self.by_key: dict[str, Storage] = {}

    def find(self, identifier: Any) -> Storage:
        """("storage", class, key, device, length[, None]) to the storage of that key."""
        fits = type(identifier) is tuple and len(identifier) in (5, 6) and identifier[0] == "storage"
        if not fits or identifier[5:] not in ((), (None,)) or not isinstance(identifier[1], Global):
            raise RefusedError(DAMAGED)
        kind, key, length = identifier[1].title.removeprefix("torch."), identifier[2], identifier[4]
        if kind not in STORAGES or type(key) is not str or type(length) is not int or length < 0:
            raise RefusedError(DAMAGED)
        storage = Storage(*STORAGES[kind], length)
        known = self.by_key.setdefault(key, storage)
        if (known.dtype, known.length) != (storage.dtype, length):
            raise RefusedError(DAMAGED)
        return known


def read_pickle(blob: Blob, budget: Budget) -> tuple[str, Any]:
    """("pickle" or "torch file", the plain data) of a file that begins with a pickle."""
    machine = Machine(blob, budget)
    data = machine.run()
    if type(data) is int and data == MAGIC:
        return "torch file", _read_legacy(blob, machine.position, budget)
    if machine.position != blob.size:
        raise RefusedError("goes on after its end: it is damaged or hostile, get a fresh copy of it")
    return "pickle", data


def _read_legacy(blob: Blob, at: int, budget: Budget) -> Any:
    """The object behind the magic number; its storages then know where they lie."""
    storages, found = Storages(), []
    for persistent in (None, None, storages.find, None):
        machine = Machine(blob, budget, at, persistent)
        found.append(machine.run())
        at = machine.position
    version, system, data, keys = found
    if version != VERSION or not isinstance(system, dict) or not isinstance(keys, list):
        raise RefusedError(DAMAGED)
    if system.get("little_endian") is not True:
        raise RefusedError(BIG)
    for key in keys:
        budget.spend_instruction()
        storage = storages.by_key.get(key) if isinstance(key, str) else None
        if storage is None or storage.blob is not None:
            raise RefusedError(DAMAGED)
        if int.from_bytes(blob.read(at, 8), "little") != storage.length:
            raise RefusedError(DAMAGED)
        storage.blob = blob.part(at + 8, storage.length * storage.item)
        at += 8 + storage.blob.size
    if at != blob.size:
        raise RefusedError(DAMAGED)
    return data


def read_zip(blob: Blob, budget: Budget) -> Any:
    """The object of a zip that torch wrote; RefusedError says what another zip is."""
    found = entries(blob, budget)
    pickles = [name for name in found if PurePosixPath(name).name == "data.pkl"]
    if len(pickles) != 1:
        raise RefusedError(_other_zip(found))
    prefix = pickles[0].removesuffix("data.pkl")
    if any(name.startswith((f"{prefix}code/", f"{prefix}constants.pkl")) for name in found):
        raise RefusedError("is a TorchScript archive, which is code: only its weights could be used, save those alone")
    order = found.get(f"{prefix}byteorder")
    if order is not None and order.size < 16 and stored(blob, order).read(0, order.size) != b"little":
        raise RefusedError(BIG)
    pickled, storages = stored(blob, found[pickles[0]]), Storages()
    machine = Machine(pickled, budget, 0, storages.find)
    data = machine.run()
    for key, storage in storages.by_key.items():
        entry = found.get(f"{prefix}data/{key}")
        if entry is None:
            raise RefusedError(TRUNCATED)
        storage.blob = stored(blob, entry)
    return data


def _other_zip(found: dict[str, Entry]) -> str:
    suffixes = [PurePosixPath(name).suffix.lower() for name in found]
    if any(suffix in PICTURES for suffix in suffixes):
        return "is a zip of pictures, a data set and no model: train.py --data takes it"
    if any(suffix == ".npy" for suffix in suffixes):
        return "is a zip of numpy arrays and no model"
    if any(suffix in (".pkl", ".pt", ".pth", ".safetensors") for suffix in suffixes):
        return "is a zip with checkpoints in it: unpack it and open one of them"
    return "is a zip, but not one of torch's checkpoints: open another file"


class SafetensorsFile(NamedTuple):
    """What a .safetensors file holds: tensors by name, and texts by name that say what it is."""

    tensors: dict[str, StoredTensor]
    metadata: dict[str, str]


def read_safetensors(blob: Blob, budget: Budget) -> SafetensorsFile:
    """A .safetensors file. Its own library maps files: one that is cut short meanwhile would end the process."""
    size = int.from_bytes(blob.read(0, 8), "little")
    if size > LARGEST_HEADER:
        raise RefusedError("describes far more tensors than a checkpoint has: it is damaged or something else")
    try:
        table = json.loads(blob.read(8, size))
        metadata = table.pop("__metadata__", None) or {}
        found = {name: _named(entry, blob, 8 + size, budget) for name, entry in table.items()}
        if any(type(text) is not str for text in metadata.values()):
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise error if isinstance(error, RefusedError) else RefusedError(DAMAGED) from None
    return SafetensorsFile(found, metadata)


def _named(entry: Any, blob: Blob, start: int, budget: Budget) -> StoredTensor:
    """One entry of the table: dtype, shape, and where its numbers begin and end after it."""
    budget.spend_instruction()
    if entry["dtype"] not in NAMED:
        raise RefusedError(f"holds tensors of the type {entry['dtype']!r:.20}, as no network here has: open another")
    dtype, shape, (begin, end) = NAMED[entry["dtype"]], tuple(entry["shape"]), entry["data_offsets"]
    whole = all(type(number) is int and 0 <= number < 2**40 for number in (*shape, begin, end))
    if not whole or len(shape) > MOST_AXES or end - begin != math.prod(shape) * SIZES[dtype]:
        raise ValueError
    storage = Storage(dtype, SIZES[dtype], math.prod(shape), blob.part(start + begin, end - begin))
    steps = tuple(accumulate((max(length, 1) for length in shape[:0:-1]), operator.mul, initial=1))[::-1]
    return StoredTensor(storage, 0, shape, steps if shape else ())


def located(storage: Storage | PackedStorage, budget: Budget) -> tuple[Storage, Blob]:
    """A storage and where its numbers lie; RefusedError where the file does not back its length."""
    if isinstance(storage, PackedStorage):
        if storage.storage is None:
            storage.storage = _unpacked(storage.blob, budget)
        storage = storage.storage
    if storage.blob is None or storage.blob.size < storage.length * storage.item:
        raise RefusedError("declares tensors larger than what it holds: it is damaged or hostile, get a fresh copy")
    return storage, storage.blob


def dtype_of(tensor: StoredTensor) -> str:
    """The name of a tensor's dtype in torch; "" while its storage was not looked into."""
    return tensor.storage.dtype if isinstance(tensor.storage, Storage) else ""


def _unpacked(blob: Blob, budget: Budget) -> Storage:
    if isinstance(blob, Latin1):
        budget.spend_reading(blob.size)
    blob = blob.decoded()
    zipped = blob.size >= 4 and blob.read(0, 4) == b"PK\x03\x04"
    data = read_zip(blob, budget) if zipped else read_pickle(blob, budget)[1]
    if not isinstance(data, Storage):
        raise RefusedError(DAMAGED)
    return data


def _extent(tensor: StoredTensor) -> int:
    """Numbers from a view's first to its last, both included."""
    if 0 in tensor.shape:
        return 0
    return 1 + sum((length - 1) * step for length, step in zip(tensor.shape, tensor.stride, strict=True))


def check_tensor(tensor: StoredTensor, budget: Budget) -> tuple[Storage, Blob]:
    """The storage of a tensor and where it lies; RefusedError where the file does not back what the tensor declares."""
    storage, blob = located(tensor.storage, budget)
    if tensor.offset + _extent(tensor) > storage.length:
        raise RefusedError("declares tensors larger than what it holds: it is damaged or hostile, get a fresh copy")
    return storage, blob


def read_tensor(tensor: StoredTensor, budget: Budget) -> Tensor:
    """The tensor in its own dtype, read from the file now; a view of more than itself where strides leave gaps."""
    storage, blob = check_tensor(tensor, budget)
    size = _extent(tensor) * storage.item
    budget.spend_reading(size)
    data = torch.empty(size, dtype=torch.uint8)
    if size:
        seen: Any = data.numpy()
        blob.read_into(tensor.offset * storage.item, memoryview(seen))
    numbers = data != 0 if storage.dtype == "bool" else data.view(getattr(torch, storage.dtype))
    return numbers.as_strided(tensor.shape, tensor.stride)
