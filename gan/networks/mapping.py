# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The mapping network: latent and label to intermediate latents w (references, "Mapping")."""

import torch
from torch import Tensor, nn

from gan.networks.config import ConfigError
from gan.networks.layers import FullyConnected, normalize

LR_MULTIPLIER = 0.01
W_AVG_BETA = 0.998


class Mapping(nn.Module):
    """A map from z [N, z_dim] and labels c [N, c_dim] to w, copied num_ws times: [N, num_ws, w_dim].

    With z_dim 0 it maps labels alone (the discriminator's), and without num_ws it returns [N, w_dim] and keeps no
    average.
    """

    def __init__(self, z_dim: int, c_dim: int, w_dim: int, num_ws: int | None, num_layers: int) -> None:
        super().__init__()
        self.z_dim, self.c_dim, self.num_ws, self.num_layers = z_dim, c_dim, num_ws, num_layers
        embedded = w_dim if c_dim > 0 else 0
        if c_dim > 0:
            self.embed = FullyConnected(c_dim, w_dim)
        for i in range(num_layers):
            in_features = z_dim + embedded if i == 0 else w_dim
            layer = FullyConnected(in_features, w_dim, activation="lrelu", lr_multiplier=LR_MULTIPLIER)
            self.add_module(f"fc{i}", layer)
        if num_ws is not None:
            self.register_buffer("w_avg", torch.zeros(w_dim))

    def forward(
        self,
        z: Tensor | None,
        c: Tensor | None = None,
        psi: float = 1.0,
        cutoff: int | None = None,
        update_emas: bool = False,
    ) -> Tensor:
        """Compute w, truncated to w_avg + psi (w - w_avg) in the first `cutoff` of its copies, None being all of them.

        `update_emas` moves w_avg towards the batch's mean (training only). ConfigError for a wrong shape.
        """
        parts = []
        if z is not None and self.z_dim > 0:
            if z.ndim != 2 or z.shape[1] != self.z_dim:
                raise ConfigError(f"This model takes latents of shape [N, {self.z_dim}], not {list(z.shape)}.")
            parts.append(normalize(z.float()))
        if self.c_dim > 0:
            if c is None or c.ndim != 2 or c.shape[1] != self.c_dim:
                given = "none" if c is None else str(list(c.shape))
                raise ConfigError(f"This model takes labels of shape [N, {self.c_dim}], not {given}.")
            parts.append(normalize(self.embed(c.float())))
        w = torch.cat(parts, dim=1)
        for i in range(self.num_layers):
            w = self.get_submodule(f"fc{i}")(w)
        if self.num_ws is None:
            return w
        w_avg = self.get_buffer("w_avg")
        if update_emas:
            w_avg.copy_(w.detach().mean(dim=0).lerp(w_avg, W_AVG_BETA))
        ws = w[:, None].repeat(1, self.num_ws, 1)
        if psi != 1.0:
            truncated = w_avg.lerp(ws[:, :cutoff], psi)
            ws = truncated if cutoff is None else torch.cat([truncated, ws[:, cutoff:]], dim=1)
        return ws
