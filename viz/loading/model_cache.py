# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Loaded models, in a limited number of bytes: the one least recently used makes room, before another is allocated."""

from collections import OrderedDict
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import psutil
import torch

from gan.checkpoints.checkpoint import CheckpointError, TooLargeError, TransientError
from gan.files.format import format_bytes

MEMORY_SHARE = 0.5  # of a device's memory that models may take; pictures, maps and other programs need the rest
FAILURES = 16  # files that cannot be opened, whose sentence is kept: they are not read again in every frame of a drag

Model = TypeVar("Model")


class ModelKey(NamedTuple):
    """Identity of a loaded model: a file written again under the same name is another model."""

    path: str
    written_ns: int
    size: int
    device: str


def default_limit(device: str) -> float:
    """Return the bytes that models may take on a device."""
    kind = torch.device(device)
    if kind.type == "cuda":
        return MEMORY_SHARE * float(torch.cuda.get_device_properties(kind).total_memory)
    return MEMORY_SHARE * float(psutil.virtual_memory().total)


class ModelCache(Generic[Model]):
    """Models by key. `limit`: bytes by device that they take together.

    `held` keys are those on screen: they never make room, so that two slots do not load their models in turns.
    """

    def __init__(self, limit: Callable[[str], float] = default_limit) -> None:
        self._limit = limit
        self.held: frozenset[ModelKey] = frozenset()
        self._entries: OrderedDict[ModelKey, tuple[Model, float]] = OrderedDict()
        self._failed: OrderedDict[ModelKey, str] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def used(self, device: str, among: Collection[ModelKey] | None = None) -> float:
        """Return the bytes that models take on a device: all, or those of these keys."""
        entries = list(self._entries.items())  # a copy: the window's thread asks, too
        return sum(cost for key, (_, cost) in entries if key.device == device and (among is None or key in among))

    def limit(self, device: str) -> float:
        """Return the bytes that they may take."""
        return self._limit(device)

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def get(self, key: ModelKey, cost: Callable[[], float], load: Callable[[], Model]) -> tuple[Model, bool]:
        """Return the model for `key`, and True if it had to be loaded.

        `cost` returns the bytes that it will take, `load` allocates them, after others made room. Exceptions of both
        come through; a CheckpointError is raised again, without reading, until the file is another. Raises
        TooLargeError, with numbers, if the model does not fit.
        """
        if key in self._entries:
            self._entries.move_to_end(key)
            return self._entries[key][0], False
        if key in self._failed:
            raise CheckpointError(self._failed[key])
        try:
            needed = cost()
            self._make_room(key, needed)
            self._entries[key] = self._loaded(key, load), needed
        except TransientError:
            raise  # later there may be room
        except CheckpointError as problem:
            self._failed[key] = str(problem)
            while len(self._failed) > FAILURES:
                self._failed.popitem(last=False)
            raise
        return self._entries[key][0], True

    def _make_room(self, key: ModelKey, needed: float) -> None:
        limit, held = self.limit(key.device), self.used(key.device, self.held)
        if held + needed > limit:
            large = f"{Path(key.path).name} takes up to {format_bytes(needed)} with what is computed from its weights"
            if needed > limit:
                reason = f"models may take {format_bytes(limit)} here: open a smaller one"
            else:
                left = f"{format_bytes(limit - held)} of the {format_bytes(limit)} that models may take"
                reason = f"the other slot leaves {left}: close that one first"
            raise TooLargeError(f"{large}, and {reason}, or start with a larger --model-memory.")
        for other in self._idle(key.device):
            if self.used(key.device) + needed <= limit:
                break
            del self._entries[other]

    def _loaded(self, key: ModelKey, load: Callable[[], Model]) -> Model:
        """Load it; if memory is short, a second time without the models that are not on screen."""
        try:
            return load()
        except TooLargeError:
            idle = self._idle(key.device)
            if not idle:
                raise
            for other in idle:
                del self._entries[other]
        return load()

    def _idle(self, device: str) -> list[ModelKey]:
        """Return the keys of models that are not on screen, the least recently used first."""
        return [key for key in self._entries if key.device == device and key not in self.held]
