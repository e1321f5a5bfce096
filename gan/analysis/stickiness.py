# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Stickiness: the share of fine detail that stays on the screen when the content moves by a pixel or a few.

The picture x of one latent is drawn at rest, and once more, x', with the content moved by d whole pixels. If all
detail sticks to the screen, x'(p) is x(p); if all of it follows, x(p - d). So x' is explained by both, at every
frequency u by itself (with the 2-D windowed Fourier transforms X' of x', S of x(p) and P of x(p - d)):

    X'(u) = stays(u) S(u) + follows(u) P(u) + what neither explains,

stays and follows being real numbers, those of least squares over all latents, directions of d, channels and places:

    [<S,S> <S,P>] [stays  ]   [<X',S>]
    [<S,P> <P,P>] [follows] = [<X',P>],    <A,B> = sum of Re A conj(B).

*Stickiness* is the mean of stays(u), weighted by the detail's energy, over frequencies from 1/8 cycle a pixel (details
up to 8 pixels wide) on. The same mean of follows(u) says how much follows, and what is missing to 1 *boils*: it is
drawn anew. Where the picture is a sum of three such parts that have nothing to do with each other, these are their
shares of the energy:

- What follows exactly gives stickiness 0 and what sticks exactly gives 1, from the first latent on and whatever the
  picture looks like: x' then *is* one of the two explanations. A plain correlation of x' with x would not do: an edge
  that moves along itself, or by a pixel, looks much the same.
- Noise in the pictures is in x' and x by different values, and adds only to their energy.
- Frequency by frequency, because parts of different spectra would otherwise be taken for each other: all that has one
  frequency has one phase between S and P. Where this phase is about 0 or half a turn for all directions, sticking and
  following look alike; such frequencies are left out (UNDECIDED).

Whole pixels, so that moving a picture needs no interpolation, as EQ-T has it. What sticks does so over short ways: the
farther the content moves, the more of it gives up and boils. Hence several distances.
"""

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import cast

import numpy as np
import torch
from torch import Tensor

from gan.analysis.equivariance import check_finite, check_movable, disable_tf32
from gan.analysis.texture_sticking import ROUNDING_ENERGY
from gan.networks.config import ConfigError
from gan.networks.generator import Generator, map_latents
from gan.networks.input_transform import user_matrix
from gan.networks.labels import Label
from gan.networks.synthesis import DEFAULT_OPTIONS, SynthesisOptions, Weights

COARSEST = 1 / 8  # cycles a pixel from which detail is fine
UNDECIDED = 0.9  # coherence |<S,P>| / sqrt(<S,S> <P,P>) from which sticking and following look alike
MAX_OFFSET = 1 / 8  # picture widths, as in EQ-T
BLOCK = 32  # pixels of a window of the Fourier transforms; larger pictures are covered by several
DISTANCES = (1, 2, 4)  # pixels that the content moves by
GROUPS = 24  # of latents, left out in turn for standard errors


@dataclass(frozen=True)
class Shares:
    """Shares of the fine detail's energy after `num` latents, with standard errors over latents (nan for one).

    The content moved by `distance` pixels, along the longer of the two axes. Unbiased, so a share of 0 may come out
    below 0.
    """

    distance: int
    num: int
    stays: float  # stickiness
    follows: float
    boils: float
    stays_error: float
    follows_error: float
    boils_error: float


def choose_distances(resolution: int) -> tuple[int, ...]:
    """Return the DISTANCES that a picture of this size can be moved by."""
    return tuple(d for d in DISTANCES if d <= MAX_OFFSET * resolution)


@dataclass
class _Latent:
    """A latent whose pictures are being drawn."""

    ws: Tensor
    weights: Weights
    first: np.ndarray  # at rest
    todo: list[tuple[int, int, int]]  # (which distance, dx, dy)
    sums: list[np.ndarray]  # of _products, one a distance


class StickinessMeter:
    """A running measurement of a generator, one picture at a time; memory does not grow with the number of latents."""

    def __init__(
        self,
        generator: Generator,
        seed: int = 0,
        *,
        psi: float = 1.0,
        cutoff: int | None = None,
        ws: Tensor | None = None,
        label: Label | None = None,
        distances: tuple[int, ...] | None = None,
        options: SynthesisOptions = DEFAULT_OPTIONS,
    ) -> None:
        """`seed` decides latents, classes and directions; `psi` and `cutoff` truncate (gan.networks.mapping).

        `label`: given to every latent in place of random classes. `ws` [1, num_ws, w_dim]: this latent only; "latents"
        then differ by their directions, and errors tell of these. `options` say the network's noise.
        ConfigError for a generator that cannot be moved, and for distances that its pictures cannot be moved by.
        """
        config = generator.config
        check_movable(config, "stickiness")
        self.distances = choose_distances(config.resolution) if distances is None else distances
        farthest = int(MAX_OFFSET * config.resolution)
        if not self.distances or any(not 1 <= d <= farthest for d in self.distances):
            raise ConfigError(f"Pictures of {config.resolution} pixels are moved by 1 to {farthest} of them.")
        self.generator, self.seed, self.psi, self.cutoff, self.num = generator, seed, psi, cutoff, 0
        self._label, self._options = label, options
        self._given, self._latent = ws, cast(_Latent | None, None)
        blocks = [_block(config.resolution - 2 * d) for d in self.distances]
        self._groups = [[np.zeros((5, n, n // 2 + 1)) for n in blocks] for _ in range(GROUPS)]  # sums of _products

    @property
    def pictures_per_latent(self) -> int:
        """Number of calls of `add` for one latent."""
        return 1 + 4 * len(self.distances)

    @torch.no_grad()
    @disable_tf32()
    def add(self) -> bool:
        """Draw and measure one picture; return True if it completed a latent. ConfigError if it is not finite."""
        latent = self._latent
        if latent is None:
            self._latent = self._begin()
            return False
        which, dx, dy = latent.todo[-1]
        moved = self._picture(latent.ws, latent.weights, dx, dy)
        latent.sums[which] += _products(latent.first, moved, dx, dy, self.distances[which])
        latent.todo.pop()
        if latent.todo:
            return False
        for total, part in zip(self._groups[self.num % GROUPS], latent.sums, strict=True):
            total += part
        self.num += 1
        self._latent = None
        return True

    def _begin(self) -> _Latent:
        """Draw the next latent, its picture at rest, and its motions."""
        config = self.generator.config
        random = np.random.default_rng([self.seed, self.num])
        z = random.standard_normal((1, config.z_dim))
        drawn = int(random.integers(max(config.c_dim, 1)))
        label = drawn if self._label is None else self._label
        todo = [(which, *way) for which, d in enumerate(self.distances) for way in _ways(d, random)]
        ws = map_latents(self.generator, z, [label], self.psi, self.cutoff) if self._given is None else self._given
        weights = self.generator.synthesis.modulate(ws)
        sums = [np.zeros_like(total) for total in self._groups[0]]
        return _Latent(ws, weights, self._picture(ws, weights, 0, 0), todo, sums)

    def _picture(self, ws: Tensor, weights: Weights, dx: int, dy: int) -> np.ndarray:
        """Draw a picture [C, S, S], float64, with its content moved by whole pixels."""
        size = self.generator.config.resolution
        transform = user_matrix(dx / size, dy / size, 0).to(ws.device)
        image = self.generator.synthesis(ws, replace(self._options, transform=transform, weights=weights))[0]
        check_finite(image)
        return image.cpu().double().numpy()

    @property
    def estimate(self) -> Shares:
        """Shares at the shortest distance; `estimate.stays` is the stickiness. Errors as for `estimates`."""
        return min(self.estimates, key=lambda shares: shares.distance)

    @property
    def estimates(self) -> tuple[Shares, ...]:
        """Shares at each distance, in order, over the complete latents.

        ValueError before the first latent; ConfigError for pictures without fine detail.
        """
        if not self.num:
            raise ValueError("There is no estimate before the first latent.")
        return tuple(self._estimate(which, distance) for which, distance in enumerate(self.distances))

    def _estimate(self, which: int, distance: int) -> Shares:
        groups = np.stack([sums[which] for sums in self._groups[: min(self.num, GROUPS)]])
        total = groups.sum(axis=0)
        stays, follows = _shares(total)
        errors = [math.nan] * 3
        if (count := len(groups)) > 1:
            others = np.array([_shares(total - group) for group in groups])
            others = np.column_stack([others, 1 - others.sum(axis=1)])
            errors = list(np.sqrt((count - 1) * others.var(axis=0)))  # the jackknife's
        return Shares(distance, self.num, stays, follows, 1 - stays - follows, *map(float, errors))


def _ways(distance: int, random: np.random.Generator) -> list[tuple[int, int]]:
    """Draw four moves (dx, dy) whose longer component is `distance`, about 45 degrees apart, each of random sign.

    Moves of 1 pixel are along both axes and both diagonals; for more, the first direction is random, too.
    """
    ring = [(distance, y) for y in range(-distance, distance)]  # half of it: the other half is that, back
    ring += [(x, distance) for x in range(distance, -distance, -1)]
    first = int(random.integers(distance))
    signs = (1 - 2 * random.integers(0, 2, 4)).tolist()
    return [(sign * x, sign * y) for sign, (x, y) in zip(signs, ring[first::distance], strict=True)]


def _block(size: int) -> int:
    """Return the even width in pixels of a window in a region of `size`."""
    return min(BLOCK, size // 2 * 2)


@lru_cache(maxsize=4)
def _window(size: int) -> np.ndarray:
    """Return a Hann window [size, size] that is nowhere 0."""
    window = np.sin(np.pi * (np.arange(size) + 0.5) / size) ** 2
    return np.outer(window, window)


def _transforms(x: np.ndarray) -> np.ndarray:
    """Transform [C, N, N] to [..., n, n / 2 + 1], in windowed blocks that overlap by about a half (Welch's method)."""
    size, block = x.shape[-1], _block(x.shape[-1])
    starts = np.linspace(0, size - block, math.ceil(2 * (size - block) / block) + 1).astype(int)
    blocks = np.lib.stride_tricks.sliding_window_view(x, (block, block), axis=(1, 2))[:, starts][:, :, starts]
    return np.fft.rfft2(blocks * _window(block))


def _products(x: np.ndarray, moved: np.ndarray, dx: int, dy: int, margin: int) -> np.ndarray:
    """Compute <S,S>, <P,P>, <S,P>, <X',S>, <X',P> of a pair of pictures at each frequency: [5, n, n / 2 + 1].

    They use the pixels at least `margin` from the border, so that the pixels that move in are known.
    """
    size = x.shape[-1]
    rows, columns = (slice(margin - d, size - margin - d) for d in (dy, dx))
    inside = slice(margin, size - margin)
    s, p, m = (_transforms(part) for part in (x[:, inside, inside], x[:, rows, columns], moved[:, inside, inside]))
    pairs = ((s, s), (p, p), (s, p), (m, s), (m, p))
    return np.stack([(a * b.conj()).real.sum(axis=(0, 1, 2)) for a, b in pairs])


@lru_cache(maxsize=4)
def _multiplicity(size: int) -> np.ndarray:
    """Return each frequency's weight [size, size / 2 + 1]: 0 below COARSEST, 2 where rfft2 omits the mirror image."""
    down, right = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)
    return np.where((right == 0) | (right == 0.5), 1.0, 2.0) * (np.hypot(down, right) >= COARSEST)


def _shares(sums: np.ndarray) -> tuple[float, float]:
    """Compute (stays, follows) from the sums of `_products` over many pairs."""
    ss, pp, sp, ms, mp = sums
    fine = _multiplicity(ss.shape[0]) * (ss + pp) / 2
    decided = (fine > 0) & (sp * sp < UNDECIDED**2 * ss * pp)
    if not decided.any() or fine[decided].sum() <= ROUNDING_ENERGY * ss.sum():
        raise ConfigError("The pictures have no fine detail that could stick or follow: there is nothing to measure.")
    ss, pp, sp, ms, mp, fine = (part[decided] for part in (ss, pp, sp, ms, mp, fine))
    determinant = ss * pp - sp * sp
    stays, follows = (ms * pp - mp * sp) / determinant, (mp * ss - ms * sp) / determinant
    return float((fine * stays).sum() / fine.sum()), float((fine * follows).sum() / fine.sum())
