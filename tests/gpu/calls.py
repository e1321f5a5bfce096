# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""filtered_lrelu as the four calls that it comes to: output, codes, gradient and second gradient, and their references.

Gradients are compared on the same codes, so that a value within rounding of zero decides nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from cuda_ops.filtered_lrelu import _filtered_codes, _filtered_lrelu, filtered_codes_reference, filtered_lrelu_reference
from cuda_ops.shapes import adjoint_paddings

TOLERANCE = {torch.float32: 1e-5, torch.float16: 2e-3, torch.bfloat16: 1.6e-2}  # bfloat16: two of its steps of 2^-7


def relative(found: Tensor, expected: Tensor) -> float:
    """Return max |found - expected| / max |expected|, which is taken for 1e-3 at least."""
    found, expected = found.detach().double(), expected.detach().double()
    return float((found - expected).abs().max() / expected.abs().max().clamp(min=1e-3))


@dataclass(frozen=True)
class Layer:
    """A layer's numbers and filters; the filters lie where the images do."""

    fu: Tensor
    fd: Tensor
    up: int
    down: int
    padding: Sequence[int]
    gain: float = 2**0.5
    slope: float = 0.2
    clamp: float | None = 0.8
    flip: bool = False

    def _forth(self) -> tuple:
        return self.up, self.down, self.padding, self.gain, self.slope, self.clamp, self.flip

    def forward(self, x: Tensor, b: Tensor, keep_codes: bool) -> tuple[Tensor, Tensor]:
        """Return output and codes, by the operator."""
        return _filtered_lrelu(x, self.fu, self.fd, b, *self._forth(), keep_codes)

    def forward_reference(self, x: Tensor, b: Tensor) -> Tensor:
        """Return the output's definition in float64, from the same rounded numbers."""
        x, fu, fd, b = (tensor.double() for tensor in (x, self.fu, self.fd, b))
        return filtered_lrelu_reference(x, fu, fd, b, *self._forth(), False)[0]

    def _back(self, sizes: Sequence[int], out: Sequence[int], middle: Sequence[int]) -> tuple:
        ups, downs = [self.up] * 2, [self.down] * 2
        before = adjoint_paddings(middle, out, self.fd, [1, 1], downs, [0] * 4)
        after = adjoint_paddings(sizes, middle, self.fu, ups, [1, 1], self.padding)
        gain = self.up**2 * self.gain
        return self.fd, self.fu, self.down, self.up, before, after, gain, self.slope, not self.flip

    def gradient(self, dy: Tensor, codes: Tensor, sizes: Sequence[int], double: bool = False) -> Tensor:
        """Differentiate in the image, which has (H, W) `sizes`; `double`: by the reference in float64."""
        fu, fd, *rest = self._back(sizes, dy.shape[2:], codes.shape[2:])
        if double:
            return filtered_codes_reference(dy.double(), codes, fu.double(), fd.double(), *rest)
        return _filtered_codes(dy, codes, fu, fd, *rest)

    def second(self, ddx: Tensor, codes: Tensor, out: Sequence[int], double: bool = False) -> Tensor:
        """Differentiate `gradient` in dy, which has (H, W) sizes `out`."""
        sizes, middle = ddx.shape[2:], codes.shape[2:]
        _, _, _, _, before, after, gain, slope, flip = self._back(sizes, out, middle)
        first = adjoint_paddings(middle, sizes, self.fu, [1, 1], [self.up] * 2, after)
        last = adjoint_paddings(out, middle, self.fd, [self.down] * 2, [1, 1], before)
        rest = (self.up, self.down, first, last, gain, slope, not flip)
        if double:
            return filtered_codes_reference(ddx.double(), codes, self.fu.double(), self.fd.double(), *rest)
        return _filtered_codes(ddx, codes, self.fu, self.fd, *rest)
