# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""A network found in a foreign file, and tensors that ours hold turned or shifted: each stored one and its change.

Every family of foreign files (a module of its own) describes its networks with these types; foreign.py reads them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from gan.checkpoints.pickle_stubs import StoredTensor
from gan.checkpoints.read_limits import DAMAGED, RefusedError
from gan.networks.config import DiscriminatorConfig, GeneratorConfig


@dataclass(frozen=True)
class Change:
    """The way from a stored tensor to ours: take an item, permute, flip, multiply, add and reshape, in this order."""

    index: tuple[int, ...] = ()  # (0,) is tensor[0], (0, 0) is tensor[0, 0]
    permute: tuple[int, ...] | None = None
    flip: tuple[int, ...] = ()  # axes after the permutation
    multiply: float = 1.0
    add: float = 0.0
    reshape: tuple[int, ...] | None = None  # may hold one -1

    def apply(self, tensor: Tensor) -> Tensor:
        """Return the changed tensor. RefusedError where its shape does not allow the change."""
        try:
            changed = tensor[self.index] if self.index else tensor
            changed = changed if self.permute is None else changed.permute(self.permute)
            changed = changed.flip(self.flip) if self.flip else changed
            changed = changed * self.multiply if self.multiply != 1 else changed
            changed = changed + self.add if self.add else changed
            return changed if self.reshape is None else changed.reshape(self.reshape)
        except (RuntimeError, IndexError) as error:
            raise RefusedError(DAMAGED) from error


TRANSPOSE = Change(permute=(1, 0))


class Derived:
    """A tensor of ours that a file holds in another form."""

    __slots__ = ("stored", "change", "shape")

    def __init__(self, stored: StoredTensor, change: Change) -> None:
        self.stored, self.change = stored, change
        try:
            nothing = torch.empty(stored.shape, device="meta")
        except RuntimeError as error:  # a size that no file holds
            raise RefusedError(DAMAGED) from error
        self.shape = tuple(change.apply(nothing).shape)


@dataclass(frozen=True)
class Network:
    """A network in a foreign file: its names, its configuration, and its tensors, still in the file."""

    name: str  # in the file: "G_ema"
    class_name: str  # what its authors call it; "" for bare weights
    config: GeneratorConfig | DiscriminatorConfig
    tensors: Mapping[str, StoredTensor | Derived]  # by our names
    # What the file does not hold, by our names: computed, in this order, from our network that has all the rest.
    absent: Mapping[str, Callable[[nn.Module], Tensor]] = field(default_factory=dict)
    family: str = ""  # the project whose file it is, as in "a pickle of a TensorFlow StyleGAN2 generator"
