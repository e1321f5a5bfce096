# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The feature networks that StyleGAN2-ADA distributes as TorchScript: Inception, and VGG16 with LPIPS.

Such a file is a program: torch runs what is in it, without a limit on what it may read. Open only those you trust.
The files are known by what their `forward` takes, as their authors' page describes it:

    inception-2015-12-05.pt  (pictures, return_features=True) -> [N, 2048]; (pictures, no_output_bias=True) -> [N, 1008]
    vgg16.pt                 (pictures, return_features=True) -> [N, 4096]; (pictures, resize_images=False,
                             return_lpips=True) -> distances' features, for pictures from 0 to 255
"""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path

import torch
from torch import Tensor

from gan.files.errors import sanitize_text
from gan.metrics.features import MissingFeatures

INCEPTION, VGG16 = "inception-2015-12-05", "vgg16"  # the names of the files that the literature's figures mean
WIDTHS = {INCEPTION: 2048, VGG16: 4096}  # of their features
SAME = 1e-5  # largest difference between probabilities that are the same but for rounding
HASH_BYTES = 2**20  # read at a time


class TorchScriptFeatures:
    """A TorchScript file as a feature network. `role`: INCEPTION or VGG16, which of the two it can stand for.

    A file of another name than its role's names its figures after itself.
    """

    def __init__(self, path: str | Path, device: str | torch.device = "cpu") -> None:
        """Raise MissingFeatures, one sentence, for a file that is neither of the two."""
        path = Path(path)
        shown = sanitize_text(path, 200)
        try:
            self.digest = hash_file(path)
            with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # nothing else reads them
                self._module = torch.jit.load(str(path), map_location=device).eval()
            takes = {argument.name for argument in self._module.forward.schema.arguments}
        except OSError as error:
            raise MissingFeatures(f"{shown} cannot be read ({error.strerror or 'it is damaged'}).") from error
        except (RuntimeError, ValueError, AttributeError) as error:
            raise MissingFeatures(
                f"{shown} is no TorchScript file: give one that StyleGAN2-ADA distributes."
            ) from error
        if {"return_features", "no_output_bias"} <= takes:
            self.role = INCEPTION
        elif {"return_features", "return_lpips", "resize_images"} <= takes:
            self.role = VGG16
        else:
            raise MissingFeatures(
                f"{shown} is neither of StyleGAN2-ADA's two detectors, {INCEPTION}.pt and {VGG16}.pt: its forward "
                "takes other options."
            )
        self.name = "" if path.stem == self.role else sanitize_text(path.stem, 60)
        self.device = torch.device(device)
        self._shown = shown
        self._is_linear: bool | None = None  # the classes are a product with the features; None: to be found out
        sample = self._run(torch.zeros(1, 3, 64, 64, dtype=torch.uint8), return_features=True)
        if sample.ndim != 2:
            raise MissingFeatures(f"{shown} returns no features [N, width], but {list(sample.shape)}.")
        self.width = int(sample.shape[1])
        self._classes = self._find_classes()

    def __call__(self, pictures: Tensor) -> Tensor:
        return self._run(pictures, return_features=True)

    def classify(self, pictures: Tensor, features: Tensor) -> Tensor:
        """Return class probabilities: from the features, where that is found to be the same, else by another pass."""
        if self.role != INCEPTION:
            raise MissingFeatures(f"{self._shown} knows no classes: an inception score needs {INCEPTION}.pt.")
        if self._is_linear is not False and self._classes is not None:
            found = (features @ self._classes.float().T).softmax(1)
            if self._is_linear:
                return found
        own = self._run(pictures, no_output_bias=True)
        if self._is_linear is None:  # the first batch decides
            self._is_linear = self._classes is not None and bool((found - own).abs().max() <= SAME)
        return own

    def perceive(self, pictures: Tensor) -> Tensor:
        """Return the features whose squared distance is LPIPS, of pictures float [N, 3, H, W] from 0 to 255."""
        if self.role != VGG16:
            raise MissingFeatures(f"{self._shown} knows no perceptual distances: path lengths need {VGG16}.pt.")
        return self._run(pictures, resize_images=False, return_lpips=True)

    def _find_classes(self) -> Tensor | None:
        """Return the one weight [classes, width] of the last layer; None where none or several could be that."""
        if self.role != INCEPTION:
            return None
        tensors = {**dict(self._module.named_parameters()), **dict(self._module.named_buffers())}.values()
        found = [tensor.detach() for tensor in tensors if tensor.ndim == 2 and tensor.shape[1] == self.width]
        return found[0] if len(found) == 1 else None

    @torch.no_grad()
    def _run(self, pictures: Tensor, **options: bool) -> Tensor:
        try:
            found = self._module(pictures.to(self.device), **options)
        except (RuntimeError, TypeError) as error:
            if isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error) or "Allocator" in str(error):
                raise
            said = next((line for line in reversed(str(error).splitlines()) if line.strip()), "")
            raise MissingFeatures(f"{self._shown} failed on pictures ({sanitize_text(said, 160)}).") from error
        if not isinstance(found, Tensor):
            raise MissingFeatures(f"{self._shown} returns no tensor.")
        return found.float()


def hash_file(path: str | Path) -> str:
    """Return a file's SHA-256 in hexadecimal digits. OSError."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(HASH_BYTES):
            digest.update(block)
    return digest.hexdigest()
