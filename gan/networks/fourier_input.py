# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The Fourier input: sinusoids that a transform moves exactly [P sec. 3.2, app. F.1]."""

import math

import torch
from torch import Tensor, nn

from gan.networks.config import ConfigError
from gan.networks.input_transform import NO_OVERRIDES, InputOverrides
from gan.networks.layers import FullyConnected


class FourierInput(nn.Module):
    """Sinusoids [N, channels, size, size] at `rate` samples an image width, mixed by a learned matrix.

    Their frequencies lie in a disc of radius `cutoff`. With a `w_dim`, an affine layer of w [N, w_dim] gives
    (r_c, r_s, t_x, t_y) that rotate and translate them first (rung H on).
    """

    def __init__(self, w_dim: int | None, channels: int, size: int, rate: float, cutoff: float) -> None:
        super().__init__()
        self.size, self.rate, self.cutoff = size, rate, cutoff
        directions = torch.randn(channels, 2)
        radii = directions.square().sum(dim=1, keepdim=True).sqrt()
        # exp(r^2)^(1/4) turns the normal vectors' lengths into a uniform density over the disc, softly cut off.
        self.register_buffer("freqs", directions / (radii * radii.square().exp().pow(0.25)) * cutoff)
        self.register_buffer("phases", torch.rand(channels) - 0.5)
        self.register_buffer("transform", torch.eye(3))  # the user's, inverse (gan.networks.input_transform)
        self.weight = nn.Parameter(torch.randn(channels, channels))
        if w_dim is not None:
            self.affine = FullyConnected(w_dim, 4, weight_init=0)
            self.affine.bias.data.copy_(torch.tensor([1.0, 0.0, 0.0, 0.0]))

    def learned_transform(self, w: Tensor) -> Tensor:
        """Compute the model's own [N, 4] (r_c, r_s, t_x, t_y) for w [N, w_dim], with |(r_c, r_s)| = 1.

        They turn the content counter-clockwise by atan2(r_s, r_c), then move it right and down, in image widths, before
        the user's transform. ConfigError for rungs before H, whose w moves nothing.
        """
        self._check_learned()
        t = self.affine(w)
        return t / t[:, :2].norm(dim=1, keepdim=True)

    def _check_learned(self) -> None:
        if not hasattr(self, "affine"):
            raise ConfigError("This Fourier input has no learned transform: w turns and moves it from rung H on.")

    def _transforms(self, w: Tensor, user: Tensor | None, overrides: InputOverrides) -> Tensor:
        """Compute the inverse transforms R(r_c, r_s) Translate(-t) user, [N, 3, 3]."""
        user = self.get_buffer("transform") if user is None else user.to(w.device, w.dtype)
        if overrides.learned is not None:
            self._check_learned()
        elif not hasattr(self, "affine"):
            return user.expand(w.shape[0], 3, 3)
        learned = self.learned_transform(w) if overrides.learned is None else overrides.normalized(w)
        rc, rs, tx, ty = learned.unbind(dim=1)
        zero, one = torch.zeros_like(rc), torch.ones_like(rc)
        rotate = torch.stack([rc, -rs, zero, rs, rc, zero, zero, zero, one], dim=1).reshape(-1, 3, 3)
        translate = torch.stack([one, zero, -tx, zero, one, -ty, zero, zero, one], dim=1).reshape(-1, 3, 3)
        return rotate @ translate @ user

    def _amplitudes(self, freqs: Tensor) -> Tensor:
        """Compute amplitudes [N, channels], which fade out sinusoids that a transform moved beyond the band."""
        radii = freqs.norm(dim=2)
        if self.rate / 2 == self.cutoff:
            # Critically sampled (B to H): nothing to fade into; the margin forgives the rounding of a rotation.
            return (radii <= self.cutoff * (1 + 1e-5)).to(freqs.dtype)
        return (1 - (radii - self.cutoff) / (self.rate / 2 - self.cutoff)).clamp(0, 1)

    def retained_power(
        self, w: Tensor, transform: Tensor | None = None, overrides: InputOverrides = NO_OVERRIDES
    ) -> Tensor:
        """Compute the share [N] of the sinusoids' power that is left: 1 until a transform moves some out of the band.

        Only making the content smaller does that, since it raises the frequencies.
        """
        freqs = self.get_buffer("freqs") @ self._transforms(w, transform, overrides)[:, :2, :2]
        return self._amplitudes(freqs).square().mean(dim=1)

    def forward(self, w: Tensor, transform: Tensor | None = None, overrides: InputOverrides = NO_OVERRIDES) -> Tensor:
        """Draw the input for w [N, w_dim]; `transform` is [3, 3] or [N, 3, 3], None for the buffer of that name.

        ConfigError for overrides that do not apply: of a learned transform before rung H, of a constant but in rung A.
        """
        if overrides.mean_constant:
            raise ConfigError("A Fourier input has no learned constant to average: only rung A has one.")
        matrix = self._transforms(w, transform, overrides)
        phases = self.get_buffer("phases") + (self.get_buffer("freqs") @ matrix[:, :2, 2:]).squeeze(2)
        freqs = self.get_buffer("freqs") @ matrix[:, :2, :2]
        # Pixel centres, 0 in the middle of the canvas, in image widths.
        centres = (torch.arange(self.size, device=w.device, dtype=w.dtype) + 0.5 - self.size / 2) / self.rate
        across = freqs[:, None, None, :, 0] * centres[:, None]
        along = freqs[:, None, None, :, 1] * centres[:, None, None]
        waves = torch.sin(2 * math.pi * (across + along + phases[:, None, None, :]))
        waves = waves * self._amplitudes(freqs)[:, None, None, :]
        mix = self.weight / math.sqrt(self.weight.shape[1])
        return torch.matmul(waves, mix.t()).permute(0, 3, 1, 2)
