# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""TorchScript files with the signatures of StyleGAN2-ADA's two detectors, small and with random weights."""

import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

CLASSES, WIDTH, VGG_WIDTH = 12, 24, 20


class Inception(nn.Module):
    """`linear`: class probabilities are the softmax of a product with the features, as in the published file."""

    def __init__(self, linear: bool = True) -> None:
        super().__init__()
        self.linear = linear
        self.layer = nn.Conv2d(3, WIDTH, 8, 4)
        self.output = nn.Linear(WIDTH, CLASSES)

    def forward(
        self, img: Tensor, return_features: bool = False, use_fp16: bool = False, no_output_bias: bool = False
    ) -> Tensor:
        assert img.dtype == torch.uint8 and img.shape[1] == 3
        x = torch.relu(self.layer(img.float() / 127.5 - 1)).mean([2, 3])
        if return_features:
            return x
        logits = x @ self.output.weight.t()
        if not no_output_bias:
            logits = logits + self.output.bias
        if not self.linear:
            logits = logits * logits
        return torch.softmax(logits, dim=1)


class Vgg16(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, VGG_WIDTH, 8, 4)

    def forward(
        self, img: Tensor, resize_images: bool = True, return_features: bool = False, return_lpips: bool = False
    ) -> Tensor:
        x = self.layer(img.float() / 127.5 - 1)
        if return_lpips:
            assert img.dtype == torch.float32 and not resize_images
            return x.flatten(1)
        return torch.relu(x).mean([2, 3])


class Other(nn.Module):
    def forward(self, img: Tensor) -> Tensor:
        return img


def write_detector(path: Path, module: nn.Module) -> Path:
    """Write a scripted module, whose weights are the same each time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(len(path.stem))
        for tensor in module.parameters():
            nn.init.normal_(tensor, std=0.3)
    with warnings.catch_warnings(action="ignore"):  # torch's, that it is deprecated
        torch.jit.script(module.eval()).save(str(path))
    return path


def load_detector(path: Path) -> torch.nn.Module:
    """Load what `write_detector` wrote."""
    with warnings.catch_warnings(action="ignore"):
        return torch.jit.load(path)
