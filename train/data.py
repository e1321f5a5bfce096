# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""An endless, resumable stream of training batches, determined by (seed, position) alone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from gan.shares import Share
from train.config import TrainConfig
from train.damage import SourceReader
from train.device import to_host
from train.loading.prefetch import Prefetcher


class Picks(NamedTuple):
    """A stretch of the stream: `indices` int64 [N] of pictures, and bool [N], which are flipped `across` and `down`."""

    indices: np.ndarray
    across: np.ndarray
    down: np.ndarray


class Sampler:
    """An infinite shuffle: epoch e is a permutation of the set seeded by (seed, e).

    With `mirror` an epoch holds every picture twice, once flipped; with `mirror_y`, upside down, twice as many again.
    There is no state to save: position p of the stream is always the same picture, so a run resumes from its image
    counter.
    """

    def __init__(self, num_images: int, seed: int, mirror: bool = False, mirror_y: bool = False) -> None:
        self.num_images, self.seed, self.mirror, self.mirror_y = num_images, seed, mirror, mirror_y
        self.epoch_length = num_images * (1 + mirror) * (1 + mirror_y)
        self._epoch = -1
        self._order = np.empty(0, np.int64)

    def pick(self, position: int, count: int) -> Picks:
        """Return items position … position + count − 1."""
        items = np.empty(count, np.int64)
        for i in range(count):
            epoch, within = divmod(position + i, self.epoch_length)
            if epoch != self._epoch:
                self._order = np.random.default_rng([self.seed, epoch]).permutation(self.epoch_length)
                self._epoch = epoch
            items[i] = self._order[within]
        copies, indices = np.divmod(items, self.num_images)
        down, across = np.divmod(copies, 1 + self.mirror)
        return Picks(indices, across > 0, down > 0)


class BatchLoader:
    """Batches of a set as tensors: pictures float [N, C, S, S] in [-1, 1] and labels float [N, c_dim], None if 0.

    One stream serves all ranks: `share` is this one's of each batch. Pictures are read and decoded ahead on other
    threads; for a GPU they wait in pinned memory, from which the copy is only queued.
    """

    def __init__(self, reader: SourceReader, config: TrainConfig, share: Share, device: torch.device) -> None:
        self.reader, self.share, self.c_dim, self.device = reader, share, config.generator.c_dim, device
        self.sampler = Sampler(len(reader.source), config.seed, config.mirror, config.mirror_y)
        self._ahead = Prefetcher(self._read, share.total)

    @property
    def waited(self) -> float:
        """Seconds spent waiting for pictures so far."""
        return self._ahead.waited

    def load(self, position: int) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Load the batch that starts at `position` of the stream; ImageError if too many pictures are damaged."""
        pictures, labels = self._ahead.take(position)
        return self._upload(pictures), None if labels is None else labels.to(self.device, non_blocking=True)

    def load_at(self, position: int, count: int) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Load `count` pictures from `position` of the stream on, the same on every rank, without reading ahead."""
        indices, pictures = self._read_pictures(self.sampler.pick(position, count))
        return self._upload(to_host(pictures, self.device)), self.load_labels(indices)

    def load_labels_at(self, position: int, count: int) -> torch.Tensor | None:
        """Load the labels of `count` pictures from `position` of the stream on."""
        return self.load_labels(self.sampler.pick(position, count).indices)

    def read_first(self, count: int) -> np.ndarray:
        """Read the first pictures of the stream as training sees them, bytes [count, C, S, S]."""
        return self._read_pictures(self.sampler.pick(0, count))[1]

    def load_labels(self, indices: np.ndarray) -> torch.Tensor | None:
        """Load the labels of pictures onto the device."""
        labels = self._find_labels(indices)
        return None if labels is None else labels.to(self.device, non_blocking=True)

    def close(self) -> None:
        """End the threads; nothing can be loaded afterwards."""
        self._ahead.close()

    def _upload(self, pictures: torch.Tensor) -> torch.Tensor:
        """Queue the copy of bytes [N, C, S, S] to the device, as floats in [-1, 1]."""
        return pictures.to(self.device, non_blocking=True).float().div_(127.5).sub_(1)

    def _read(self, position: int) -> tuple[torch.Tensor, torch.Tensor | None]:
        picks = self.sampler.pick(position, self.share.total)
        indices, pictures = self._read_pictures(Picks(*(array[self.share.slice] for array in picks)))
        return to_host(pictures, self.device), self._find_labels(indices)

    def _read_pictures(self, picks: Picks) -> tuple[np.ndarray, np.ndarray]:
        """Return which pictures were read, and their bytes, flipped."""
        indices, pictures = self.reader.read(picks.indices)
        for flipped, axis in ((picks.across, 3), (picks.down, 2)):
            if flipped.any():
                pictures[flipped] = np.flip(pictures[flipped], axis)
        return indices, pictures

    def _find_labels(self, indices: np.ndarray) -> torch.Tensor | None:
        """Return labels in the host's memory; a set that changed may have fewer classes than the networks."""
        if not self.c_dim:
            return None
        labels = self.reader.source.label_batch(indices)
        return to_host(np.pad(labels, ((0, 0), (0, self.c_dim - labels.shape[1]))), self.device)
