# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Read the variables of a network in a TensorFlow pickle: numpy arrays by name, those of its parts with theirs."""

import struct
from collections.abc import Mapping
from typing import Any

from gan.checkpoints.pickle_stubs import NumpyArray, Placeholder, Storage, StoredTensor
from gan.checkpoints.read_limits import Budget, FileRange, RefusedError

INCOMPLETE = "is a TensorFlow pickle whose network lacks {}: it is damaged, get a fresh copy of it"
NOT_READABLE = "is a TensorFlow pickle whose variable {} is no array of plain numbers: it is damaged, get a fresh copy"


class Variables:
    """A network's variables by name, those of its parts behind "synthesis/" and "mapping/", to be taken one by one."""

    def __init__(self, state: Mapping[str, Any], budget: Budget) -> None:
        self.values: dict[str, Any] = {}
        for prefix, part in (("", state), *((f"{name}/", part) for name, part in read_components(state).items())):
            listed = part.get("variables")
            for item in listed if isinstance(listed, list | tuple) else ():
                budget.spend_instructions()
                if not (isinstance(item, tuple | list) and len(item) == 2 and isinstance(item[0], str)):
                    raise RefusedError(INCOMPLETE.format("names of its variables"))
                budget.spend_text(len(prefix))
                self.values[prefix + item[0]] = item[1]

    def has(self, name: str) -> bool:
        return name in self.values

    def number(self, name: str) -> Any:
        """Return a variable that is one number; None where there is no such."""
        value = self.values.get(name)
        if isinstance(value, NumpyArray) and value.values is not None and len(value.values) == 1:
            value = value.values[0]
        return value if isinstance(value, int | float) else None

    def tensor(self, name: str) -> StoredTensor:
        """Return a variable as a stored tensor. RefusedError where it is missing or something else."""
        value = self.values.get(name)
        if value is None:
            raise RefusedError(INCOMPLETE.format(name))
        if isinstance(value, int | float):
            return StoredTensor(Storage("float64", 1, FileRange.from_bytes(struct.pack("<d", value))), 0, (), ())
        if not isinstance(value, NumpyArray) or value.tensor is None:
            raise RefusedError(NOT_READABLE.format(name))
        return value.tensor

    def shape(self, name: str, axes: int) -> tuple[int, ...]:
        """Return the shape of a variable that must be there and have so many axes. RefusedError."""
        shape = self.tensor(name).shape
        if len(shape) != axes:
            raise RefusedError(INCOMPLETE.format(name))
        return shape

    def count(self, pattern: str) -> int:
        """Return how many names of a pattern, with numbers from 0 on, there are."""
        count = 0
        while pattern.format(count) in self.values:
            count += 1
        return count


def read_components(state: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the attributes of a network's parts by name."""
    parts = state.get("components")
    parts = parts if isinstance(parts, dict) else {}
    return {name: part.state or {} for name, part in parts.items() if isinstance(part, Placeholder)}
