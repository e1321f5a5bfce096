# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The number format and the memory layout that a network's layers compute in, for one call.

Weights stay float32 and are converted as they are used. Mixed precision is the paper's: float16 where the pictures are
largest, which is where the time goes, float32 for all that is small: mapping, styles, demodulation, the RGB image.
"""

import functools
import warnings
from dataclasses import dataclass

import torch
from torch import Tensor

from gan.networks.layer_plan import in_half

HALF = 4  # of the highest resolutions compute in float16 where mixed precision is asked for [P app. F.2]
CLAMPED = 256.0  # what conv_clamp holds activations to, so that sums stay within float16's 65504 [P app. F.2]


@dataclass(frozen=True)
class Arithmetic:
    """`half`: of how many of the highest resolutions the layers compute in float16; 0: all in float32.

    `channels_last`: the layout of activations and convolution weights; None is channels-last on CPUs
    (docs/decisions/007) and in float16, whose convolutions want it, contiguous else.
    """

    half: int = 0
    channels_last: bool | None = None

    def dtype(self, rate: int, resolution: int, full: torch.dtype) -> torch.dtype:
        """Of a layer of `rate` samples across a picture of `resolution`, `full` being the network's own type."""
        return torch.float16 if in_half(rate, resolution, self.half) else full

    def layout(self, x: Tensor, dtype: torch.dtype) -> torch.memory_format:
        """What x [N, C, H, W] is to be laid out as where it is computed with in `dtype`."""
        last = x.is_cpu or dtype == torch.float16 if self.channels_last is None else self.channels_last
        return torch.channels_last if last else torch.contiguous_format

    def laid_out(self, x: Tensor, dtype: torch.dtype) -> Tensor:
        """x [N, C, H, W], activations or convolution weights, in `dtype` and its layout: x itself if it is so."""
        return x.to(dtype=dtype, memory_format=self.layout(x, dtype))


FULL = Arithmetic()


def prepare(device: torch.device | str) -> None:
    """Set what torch leaves to the process: on CUDA devices float32 convolutions compute in float32, not in TF32, whose
    11 bits are float16's, and the fastest of cuDNN's algorithms is found by trying, since sizes stay."""
    if torch.device(device).type == "cuda":
        _prepare_cuda()


@functools.cache  # once a process: in every frame it would also undo what somebody tries out
def _prepare_cuda() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some versions of torch announce another way of saying it
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
