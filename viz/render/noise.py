# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Planes of noise for a network's layers, as a request wants them."""

import math
from collections.abc import Hashable

import numpy as np
import torch
from torch import Tensor

from gan.networks.synthesis import SynthesisNetwork
from viz.core.noise import STORED, Noise
from viz.loading.lru_cache import LRUCache
from viz.render.cuda_graphs import copy_in

Planes = dict[str, Tensor]  # [H, W] by layer's name
PLANES_BYTES = 2**26  # of random planes that are kept: an animation needs each for as long as a seed lasts


def make_planes(synthesis: SynthesisNetwork, noise: Noise, cache: LRUCache[Tensor]) -> Planes | None:
    """Return the plane of each layer that has noise, None where the network's own are meant, or none at all.

    A random plane of seed s is default_rng([s, layer]).standard_normal([H, W]), the layer counted from 0. Between s and
    s + 1, at u, it is ((1 - u) n_s + u n_(s+1)) / sqrt((1 - u)^2 + u^2): N(0, 1) all the way.
    """
    if noise == STORED or noise.mode == "none":
        return None
    planes: Planes = {}
    for index, spec in enumerate(spec for spec in synthesis.plan.layers if not spec.is_torgb):
        stored = synthesis.get_submodule(spec.name).get_buffer("noise_const")
        plane = stored if noise.mode == "const" else _blend(noise.seed, index, stored, cache)
        planes[spec.name] = plane * noise.scale(index)
    return planes


def _blend(seed: float, index: int, like: Tensor, cache: LRUCache[Tensor]) -> Tensor:
    first = math.floor(seed)
    u = seed - first
    plane = _draw(first, index, like, cache)
    if u == 0:
        return plane
    return (plane * (1 - u) + _draw(first + 1, index, like, cache) * u) / math.hypot(1 - u, u)


def _draw(seed: int, index: int, like: Tensor, cache: LRUCache[Tensor]) -> Tensor:
    key: Hashable = (seed, index, like.shape, like.device)

    def draw() -> tuple[Tensor, float]:
        values = np.random.default_rng([seed, index]).standard_normal(tuple(like.shape), np.float32)
        plane = torch.empty_like(like)
        copy_in(torch.from_numpy(values), plane)
        return plane, float(plane.nbytes)

    return cache.get(key, draw)[0]
