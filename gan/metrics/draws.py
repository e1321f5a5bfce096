# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Latents and labels of the pictures that metrics look at, by number: batches and what else is measured change none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gan.data.image_dataset import ImageSource
from gan.networks.generator import Generator
from gan.networks.labels import Label, encode_labels

PICTURES, PATHS = 1, 2  # streams of random numbers: of pictures, and of path lengths


class Draws:
    """Random draws for a generator.

    A model that has labels is given those of random pictures of `source`, where that has as many; else `label`, or if
    that is None random classes.
    """

    def __init__(
        self, generator: Generator, seed: int, source: ImageSource | None = None, label: Label | None = None
    ) -> None:
        self.config, self.seed, self._label = generator.config, seed, label
        self.device = next(generator.parameters()).device
        fits = source is not None and 0 < source.c_dim <= generator.config.c_dim
        self._source = source if fits else None

    def latents(self, stream: int, first: int, count: int, each: int = 1) -> Tensor:
        """Return z of samples first … first + count − 1, `each` of them after each other: [count, each, z_dim]."""
        drawn = [self._random(stream, first + i).standard_normal((each, self.config.z_dim)) for i in range(count)]
        return torch.from_numpy(np.stack(drawn)).float().to(self.device)

    def labels(self, stream: int, first: int, count: int) -> Tensor | None:
        """Return the labels [count, c_dim] of these samples; None for a model without."""
        c_dim = self.config.c_dim
        if not c_dim:
            return None
        randoms = [self._random(stream + 100, first + i) for i in range(count)]
        if self._source is not None:
            drawn = self._source.label_batch([int(random.integers(len(self._source))) for random in randoms])
            encoded = np.pad(drawn, ((0, 0), (0, c_dim - drawn.shape[1])))
        else:
            encoded = encode_labels(
                [int(random.integers(c_dim)) if self._label is None else self._label for random in randoms], c_dim
            )
        return torch.from_numpy(encoded).to(self.device)

    def _random(self, stream: int, index: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, stream, index])


@contextmanager
def own_random_numbers(device: torch.device, *seeds: int) -> Iterator[None]:
    """Seed torch for the block, and put its random state back afterwards: training must not notice a measurement."""
    accelerator: Any = {"cuda": torch.cuda, "mps": torch.mps}.get(device.type)
    state, other = torch.get_rng_state(), None
    if accelerator is not None:
        other = torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.mps.get_rng_state()
    try:
        torch.manual_seed(int(np.random.SeedSequence(seeds).generate_state(1)[0]))
        yield
    finally:
        torch.set_rng_state(state)
        if device.type == "cuda" and other is not None:
            torch.cuda.set_rng_state(other, device)
        elif other is not None:
            torch.mps.set_rng_state(other)
