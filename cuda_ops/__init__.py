# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The three operators of the StyleGAN family. Each one's torch reference is its definition; kernels override it."""

from cuda_ops.bias_act import bias_act
from cuda_ops.filtered_lrelu import filtered_lrelu
from cuda_ops.status import OperatorStatus, status
from cuda_ops.upfirdn2d import upfirdn2d

__all__ = ["OperatorStatus", "bias_act", "filtered_lrelu", "status", "upfirdn2d"]
