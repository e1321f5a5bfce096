# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""An endless, resumable stream of training batches, determined by (seed, position) alone."""

from __future__ import annotations

import numpy as np
import torch

from gan.shares import Share
from train.damage import SourceReader
from train.device import to_device


class Sampler:
    """An infinite shuffle: epoch e is a permutation of the set seeded by (seed, e).

    With `mirror` an epoch holds every picture twice, once flipped. There is no state to save: position p of the stream
    is always the same picture, so a run resumes from its image counter.
    """

    def __init__(self, num_images: int, seed: int, mirror: bool = False) -> None:
        self.num_images, self.seed = num_images, seed
        self.epoch_length = num_images * (2 if mirror else 1)
        self._epoch = -1
        self._order = np.empty(0, np.int64)

    def pick(self, position: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return items position … position + count − 1 as (picture indices int64 [count], flipped bool [count])."""
        items = np.empty(count, np.int64)
        for i in range(count):
            epoch, within = divmod(position + i, self.epoch_length)
            if epoch != self._epoch:
                self._order = np.random.default_rng([self.seed, epoch]).permutation(self.epoch_length)
                self._epoch = epoch
            items[i] = self._order[within]
        return items % self.num_images, items >= self.num_images


class BatchLoader:
    """Batches of a set as tensors: pictures float [N, C, S, S] in [-1, 1] and labels float [N, c_dim], None if 0.

    One stream serves all ranks: `share` is this one's of each batch.
    """

    def __init__(self, reader: SourceReader, share: Share, seed: int, mirror: bool, c_dim: int) -> None:
        self.reader, self.share, self.c_dim = reader, share, c_dim
        self.sampler = Sampler(len(reader.source), seed, mirror)

    def load(self, position: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Load the batch that starts at `position` of the stream; ImageError if too many pictures are damaged."""
        picked, mirrored = self.sampler.pick(position, self.share.total)
        flipped = mirrored[self.share.slice]
        indices, pictures = self.reader.read(picked[self.share.slice])
        pictures = np.where(flipped[:, None, None, None], pictures[..., ::-1], pictures)
        images = to_device(pictures, device).float().div_(127.5).sub_(1)
        return images, self.load_labels(indices, device)

    def load_labels(self, indices: np.ndarray, device: torch.device) -> torch.Tensor | None:
        """Load labels; a set that changed may have fewer classes than the networks."""
        if not self.c_dim:
            return None
        labels = self.reader.source.label_batch(indices)
        return to_device(np.pad(labels, ((0, 0), (0, self.c_dim - labels.shape[1]))), device)
