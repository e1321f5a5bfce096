# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The mapping network: latent and label to intermediate latents w (references, "Mapping")."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan.networks.config import ConfigError
from gan.networks.layers import Average, FullyConnected, keep_mean, normalize

LR_MULTIPLIER = 0.01
W_AVG_BETA = 0.998


class ClassTable(nn.Module):
    """A row of numbers for each class: [N, c_dim] to [N, width], the row of the largest entry (StyleGAN-XL)."""

    def __init__(self, rows: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(rows, width))

    def forward(self, c: Tensor) -> Tensor:
        return self.weight[c.argmax(dim=1)]


class LabelMatrix(nn.Module):
    """A linear map of labels [N, c_dim] to [N, width], without bias or gain."""

    def __init__(self, c_dim: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width, c_dim))

    def forward(self, c: Tensor) -> Tensor:
        return c @ self.weight.t()


class Mapping(nn.Module):
    """A map from z [N, z_dim] and labels c [N, c_dim] to w, copied num_ws times: [N, num_ws, w_dim].

    With z_dim 0 it maps labels alone (the discriminator's), and without num_ws it returns [N, w_dim] and keeps no
    average. `table`, (rows, width), looks classes up and projects the row to as many numbers as z has, instead of
    embedding labels; `w_avg_rows` classes have an average of their own, 0 for one of all (StyleGAN-XL).
    `label_width` is that of the embedding, `width` that of the layers but the last, 0 for w_dim.
    With `labels_beside_z`, z and c W are normalised together (TensorFlow's StyleGAN2).
    """

    def __init__(
        self,
        z_dim: int,
        c_dim: int,
        w_dim: int,
        num_ws: int | None,
        num_layers: int,
        table: tuple[int, int] | None = None,
        w_avg_rows: int = 0,
        label_width: int = 0,
        labels_beside_z: bool = False,
        lr_multiplier: float = 0.0,
        width: int = 0,
    ) -> None:
        super().__init__()
        self.z_dim, self.c_dim, self.num_ws, self.num_layers = z_dim, c_dim, num_ws, num_layers
        self.labels_beside_z = labels_beside_z
        embedded = (label_width or w_dim) if c_dim > 0 else 0
        self.embed: nn.Module
        if table is not None:
            embedded = z_dim
            self.embed, self.embed_proj = ClassTable(*table), FullyConnected(table[1], z_dim, activation="lrelu")
        elif labels_beside_z:
            self.embed = LabelMatrix(c_dim, embedded)
        elif c_dim > 0:
            self.embed = FullyConnected(c_dim, embedded)
        for i in range(num_layers):
            in_features = z_dim + embedded if i == 0 else width or w_dim
            out_features = w_dim if i == num_layers - 1 else width or w_dim
            multiplier = lr_multiplier or LR_MULTIPLIER
            layer = FullyConnected(in_features, out_features, activation="lrelu", lr_multiplier=multiplier)
            self.add_module(f"fc{i}", layer)
        if num_ws is not None:
            self.register_buffer("w_avg", torch.zeros(w_avg_rows, w_dim) if w_avg_rows else torch.zeros(w_dim))

    def forward(
        self,
        z: Tensor | None,
        c: Tensor | None = None,
        psi: float = 1.0,
        cutoff: int | None = None,
        update_emas: bool = False,
        average: Average = keep_mean,
    ) -> Tensor:
        """Compute w, truncated in the first `cutoff` of its copies, None being all of them (`truncate`).

        `update_emas` moves w_avg towards the batch's mean (training only), which is what `average` makes of the mean
        over these samples. ConfigError for a wrong shape.
        """
        parts = []
        if z is not None and self.z_dim > 0:
            if z.ndim != 2 or z.shape[1] != self.z_dim:
                raise ConfigError(f"This model takes latents of shape [N, {self.z_dim}], not {list(z.shape)}.")
            parts.append(z.float() if self.labels_beside_z else normalize(z.float()))
        if self.c_dim > 0:
            if c is None or c.ndim != 2 or c.shape[1] != self.c_dim:
                given = "none" if c is None else str(list(c.shape))
                raise ConfigError(f"This model takes labels of shape [N, {self.c_dim}], not {given}.")
            embedded = self.embed(c.float())
            embedded = self.embed_proj(embedded) if hasattr(self, "embed_proj") else embedded
            parts.append(embedded if self.labels_beside_z else normalize(embedded))
        w = torch.cat(parts, dim=1)
        w = normalize(w) if self.labels_beside_z else w
        for i in range(self.num_layers):
            w = self.get_submodule(f"fc{i}")(w)
        if self.num_ws is None:
            return w
        if update_emas:
            self._update_average(w.detach(), c, average)
        return self.truncate(w[:, None].repeat(1, self.num_ws, 1), c, psi, cutoff)

    def truncate(self, ws: Tensor, c: Tensor | None = None, psi: float = 1.0, cutoff: int | None = None) -> Tensor:
        """Return w_avg + psi (w - w_avg) for the first `cutoff` of each sample's w's [N, num_ws, w_dim], or for all.

        w_avg is the class's own where classes have their own.
        """
        if psi == 1.0:
            return ws
        w_avg = self.get_buffer("w_avg")
        centre = w_avg if w_avg.ndim == 1 else w_avg[self._classes(ws, c), None]
        truncated = centre.lerp(ws[:, :cutoff], psi)
        return truncated if cutoff is None else torch.cat([truncated, ws[:, cutoff:]], dim=1)

    def _classes(self, w: Tensor, c: Tensor | None) -> Tensor:
        """Return each sample's row of the averages: its class, 0 without labels."""
        if c is None or self.c_dim == 0:
            return torch.zeros(len(w), dtype=torch.long, device=w.device)
        return c.argmax(dim=1)

    def _update_average(self, w: Tensor, c: Tensor | None, average: Average) -> None:
        w_avg = self.get_buffer("w_avg")
        if w_avg.ndim == 1:
            w_avg.copy_(average(w.mean(dim=0)).lerp(w_avg, W_AVG_BETA))
            return
        members = F.one_hot(self._classes(w, c), len(w_avg)).to(w.dtype)  # [N, rows]
        shares = average(members.mean(dim=0))[:, None]
        means = average(members.t() @ w / len(w)) / shares  # NaN for a class that the batch lacks
        w_avg.copy_(torch.where(shares > 0, means.lerp(w_avg, W_AVG_BETA), w_avg))
