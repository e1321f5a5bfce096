# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Number format and memory format of a network's layers, for one call.

Weights stay float32 and are converted as they are used. Mixed precision is the paper's: float16 where the pictures are
largest, which is where the time goes, float32 for all that is small: mapping, styles, demodulation, the RGB image.
"""

import functools
import warnings
from dataclasses import dataclass

import torch
from torch import Tensor

from gan.networks.layer_plan import is_fp16_layer

NUM_FP16_RES = 4  # highest resolutions that compute in float16 in mixed precision [P app. F.2]


@dataclass(frozen=True)
class PrecisionPolicy:
    """Number format and memory format of each layer.

    `num_fp16_res`: how many of the highest resolutions compute in float16; 0 for none.
    `channels_last`: layout of activations and convolution weights; None takes channels-last on CPUs
    (docs/decisions/007) and for float16, whose convolutions are faster in it, contiguous otherwise.
    """

    num_fp16_res: int = 0
    channels_last: bool | None = None

    def dtype(self, rate: int, resolution: int, full: torch.dtype) -> torch.dtype:
        """Return the type of a layer of `rate` samples across a picture of `resolution`; `full` for float32 layers."""
        return torch.float16 if is_fp16_layer(rate, resolution, self.num_fp16_res) else full

    def memory_format(self, x: Tensor, dtype: torch.dtype) -> torch.memory_format:
        """Return the layout for x [N, C, H, W] where it is computed with in `dtype`."""
        last = x.is_cpu or dtype == torch.float16 if self.channels_last is None else self.channels_last
        return torch.channels_last if last else torch.contiguous_format

    def convert_layout(self, x: Tensor, dtype: torch.dtype) -> Tensor:
        """Give x [N, C, H, W] the layout of a layer that computes in `dtype`, but keep its own type."""
        return x.contiguous(memory_format=self.memory_format(x, dtype))

    def convert(self, x: Tensor, dtype: torch.dtype) -> Tensor:
        """Convert activations or convolution weights [N, C, H, W] to `dtype` and its layout."""
        return x.to(dtype=dtype, memory_format=self.memory_format(x, dtype))


FULL_PRECISION = PrecisionPolicy()


def configure_backends(device: torch.device | str) -> None:
    """Configure cuDNN for a CUDA device: no TF32 in float32 convolutions, the fastest algorithm by trial.

    TF32 has float16's 11 bits; algorithms can be tried because sizes stay the same.
    """
    if torch.device(device).type == "cuda":
        _prepare_cuda()


@functools.cache  # once in a process: in every frame it would also undo what a user sets
def _prepare_cuda() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some versions of torch announce another interface
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
