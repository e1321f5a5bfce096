# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Augmentation of what D sees, with a probability that follows its overfitting [ADA, sec. 3]."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gan.augment.diffaug import diff_augment
from gan.augment.options import AugmentOptions
from gan.augment.pipeline import augment
from gan.shares import Share

TENSORS = ("sums", "pending")  # of a state's file


class Augmenter:
    """Augments the pictures before D, and adapts the probability `p` to the mean sign of D's output on reals.

    The sign is read one interval late: the copy to the host has long arrived then, and a GPU is not waited for. On the
    CPU it is the same, so that both do the same.
    """

    def __init__(self, options: AugmentOptions, device: torch.device) -> None:
        self.options = options
        self.p = options.p
        self.sums = torch.zeros(2, device=device)  # of signs and pictures in this interval
        self.pending = torch.zeros(2)  # the last interval's, on the host
        self._copied: torch.cuda.Event | None = None

    @property
    def is_adaptive(self) -> bool:
        return self.options.mode == "ada"

    def __call__(self, images: Tensor, share: Share | None = None) -> Tensor:
        """Augment images [N, C, H, W] in about [-1, 1], a `share` of a batch or all of it."""
        if self.options.mode != "noaug" and self.p > 0:
            images = augment(images, self.options.pipe, self.p, share=share)
        return diff_augment(images, self.options.diffaug, share) if self.options.diffaug else images

    def observe(self, sign: Tensor, count: int) -> None:
        """Take into account the mean sign, 0-d, of D's output on a batch of `count` augmented reals."""
        if self.is_adaptive:  # the sum is a whole number, which the mean may miss by rounding
            self.sums += torch.stack([(sign * count).round(), sign.new_tensor(float(count))])

    def adapt(self, steps: int, batch: int) -> None:
        """Change p after every interval: up while the sign is above the target, else down."""
        if not self.is_adaptive or steps % self.options.interval:
            return
        if self._copied is not None:
            self._copied.synchronize()
        total, count = self.pending.tolist()
        if count:
            change = batch * self.options.interval / self.options.ramp_images
            sign = total / count - self.options.target
            self.p = min(max(self.p + (change if sign > 0 else -change if sign < 0 else 0.0), 0.0), 1.0)
        self._copy_sums()

    def _copy_sums(self) -> None:
        if self.sums.is_cuda:
            self.pending = torch.empty(2, pin_memory=True)
            self.pending.copy_(self.sums, non_blocking=True)
            self._copied = torch.cuda.Event()
            self._copied.record()
        else:
            self.pending = self.sums.cpu().clone()
        self.sums = torch.zeros_like(self.sums)

    def tensors(self) -> dict[str, Tensor]:
        """Return what a resumed run needs beside `p`, by name; nothing where p stays."""
        if not self.is_adaptive:
            return {}
        if self._copied is not None:
            self._copied.synchronize()
        return {name: getattr(self, name) for name in TENSORS}

    def restore(self, tensors: dict[str, Tensor], p: Any) -> None:
        """Take up the state that `tensors` returned, and p. KeyError, ValueError for what is none."""
        if not self.is_adaptive:
            return
        if not isinstance(p, int | float) or not 0 <= p <= 1:
            raise ValueError("the augmentation's probability is no number from 0 to 1")
        self.p = float(p)
        self.sums.copy_(tensors["sums"])
        self.pending = tensors["pending"].clone()
