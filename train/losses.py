# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The losses of one training step, and the phases that say which network each moves and how often.

Non-saturating logistic loss [Goodfellow 2014], R1 [Mescheder 2018], path length and lazy regularisation
[SG2, sec. 3.1-3.2], with the settings of [P app. F.2].
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F

from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.networks.precision import PrecisionPolicy
from gan.networks.synthesis import SynthesisOptions
from gan.networks.synthesis_stylegan2 import draw_planes
from gan.shares import Share
from train.augmentation import Augmenter
from train.config import TrainConfig
from train.ranks.group import ALONE, Ranks
from train.ranks.random_state import read_random_state, set_random_state

Stats = dict[str, torch.Tensor]


@dataclass
class Step:
    """The inputs of one step's losses, which write `pl_mean` and `fakes` only.

    A loss is that of the pictures of one round, `shares[round]`, in the whole batch's mean: over rounds and ranks they
    add up, and so do their gradients and statistics. `reals` float [N, C, S, S] in [-1, 1], this rank's pictures;
    `labels` float [batch, c_dim] of the whole batch's reals, or None; `blur` in pixels; `fakes` the pictures and labels
    of each round of this step's generator loss, kept if config.reuse_fakes; `augmenter` changes what D sees.
    """

    config: TrainConfig
    generator: Generator
    discriminator: Discriminator
    reals: torch.Tensor
    labels: torch.Tensor | None
    pl_mean: torch.Tensor
    augmenter: Augmenter
    blur: float = 0.0
    ranks: Ranks = ALONE
    shares: list[Share] = field(default_factory=list)  # one a round; [] for the whole batch at once
    fakes: list[tuple[torch.Tensor, torch.Tensor | None]] = field(default_factory=list)
    round: int = 0
    _random: dict[str, torch.Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.shares = self.shares or [Share(self.config.batch)]

    @property
    def share(self) -> Share:
        """The pictures of this round."""
        return self.shares[self.round]

    def begin_phase(self) -> None:
        """Begin a phase, all of whose rounds draw the same random numbers, those of the whole batch."""
        if len(self.shares) > 1:
            self._random = read_random_state(self.reals.device)

    def begin_round(self, number: int) -> None:
        self.round = number
        if len(self.shares) > 1:
            set_random_state(self._random, self.reals.device)

    def real_batch(self) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return this round's reals, blurred, and their labels."""
        reals = self.reals[self.round :: len(self.shares)]
        return gaussian_blur(reals, self.blur), None if self.labels is None else self.labels[self.share.slice]

    def generate(self, count: int, update_emas: bool = False) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor]:
        """Return this round's of `count` new pictures, their labels (drawn from the reals') and w [N, num_ws, w_dim].

        The running averages move once a step: w_avg by all pictures, the magnitudes by the first round's.
        """
        generator, config, device = self.generator, self.config, self.reals.device
        z_dim, share, update_emas = generator.config.z_dim, self.share.resize(count), update_emas and self.round == 0
        z = torch.randn(count, z_dim, device=device)
        labels = None
        if self.labels is not None:
            labels = self.labels[torch.randint(len(self.labels), (count,), device=device)]
        if update_emas and len(self.shares) > 1:
            own = slice(self.ranks.rank, count, self.ranks.count)
            with torch.no_grad():
                every = None if labels is None else labels[own]
                generator.mapping(z[own], every, update_emas=True, average=self.ranks.mean)
        labels = None if labels is None else labels[share.slice]
        moved = update_emas and len(self.shares) == 1
        ws = generator.mapping(z[share.slice], labels, update_emas=moved, average=self.ranks.mean)
        if config.style_mixing > 0:
            other = generator.mapping(share.draw_normal(z_dim, device=device), labels)
            ws = mix_styles(ws, other, config.style_mixing, share)
        options = SynthesisOptions(
            noise=config.noise,
            planes=draw_planes(generator.config, share, device) if config.noise == "random" else None,
            update_emas=update_emas,
            average=self.ranks.mean,
            precision=PrecisionPolicy(config.num_fp16_res),
        )
        return generator.synthesis(ws, options), labels, ws

    def discriminate(self, images: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
        """Return the logits [N, 1] of this round's pictures, which are blurred already and augmented here."""
        augmented = self.augmenter(images, self.share)
        return self.discriminator(augmented, labels, precision=PrecisionPolicy(self.config.num_fp16_res))

    def mean(self, values: torch.Tensor) -> torch.Tensor:
        """Return the part of the whole batch's mean that this round's values, one a picture, are."""
        return values.sum() / self.config.batch


@dataclass(frozen=True)
class Phase:
    """A loss, the network that its gradient moves ("generator" or "discriminator"), and its interval in steps."""

    name: str
    network: str
    interval: int
    loss: Callable[[Step], tuple[torch.Tensor, Stats]]


def build_phases(config: TrainConfig) -> tuple[Phase, ...]:
    """Return the phases of a step, in order."""
    phases = [Phase("g_main", "generator", 1, generator_loss)]
    if config.pl_weight > 0:
        phases.append(Phase("g_path_length", "generator", config.pl_interval, path_length_loss))
    phases.append(Phase("d_main", "discriminator", 1, discriminator_loss))
    if config.gamma > 0:
        phases.append(Phase("d_r1", "discriminator", config.r1_interval, r1_loss))
    return tuple(phases)


def lazy_regularization_scale(config: TrainConfig, network: str) -> float:
    """Return k/(k+1) for a network regularised every k steps, else 1: a factor of lr and an exponent of Adam's betas.

    In k steps the optimiser then moves as far as it would in k unregularised steps of the usual rate
    [SG2, app. B].
    """
    intervals = [phase.interval for phase in build_phases(config) if phase.network == network and phase.interval > 1]
    return min((k / (k + 1) for k in intervals), default=1.0)


def generator_loss(step: Step) -> tuple[torch.Tensor, Stats]:
    """Compute -log sigmoid(D(G(z))), the one phase that updates w_avg and the magnitude averages.

    Their decay rates count batches of generated pictures; updating in every forward pass of a step would halve or
    third the half-lives that the paper gives.
    """
    fakes, labels, _ = step.generate(step.config.batch, update_emas=True)
    if step.config.reuse_fakes:
        step.fakes.append((fakes.detach(), labels))
    logits = step.discriminate(gaussian_blur(fakes, step.blur), labels)
    loss = step.mean(F.softplus(-logits))
    return loss, {"loss_g": loss.detach()}


def path_length_loss(step: Step) -> tuple[torch.Tensor, Stats]:
    """Compute (|J_w^T y| - a)^2 on a part of the batch, a being the running mean of the lengths |J_w^T y|.

    That moves before it is used, by the lengths of the whole batch: of several rounds they are measured twice.
    """
    config = step.config
    count = count_path_lengths(config)
    if step.round == 0 and len(step.shares) > 1:
        total = torch.zeros_like(step.pl_mean)
        for number in range(len(step.shares)):
            step.begin_round(number)
            total += _path_lengths(step, count, create_graph=False).sum()
        _move_mean(step, total / count)
        step.begin_round(0)
    lengths = _path_lengths(step, count, create_graph=True)
    if len(step.shares) == 1:
        _move_mean(step, lengths.detach().sum() / count)
    penalty = (lengths - step.pl_mean).square().sum() / count
    return penalty * config.pl_weight * config.pl_interval, {"pl": penalty.detach()}


def count_path_lengths(config: TrainConfig) -> int:
    """Return how many pictures' path lengths a step measures."""
    return max(config.batch // config.pl_shrink, 1)


def _path_lengths(step: Step, count: int, create_graph: bool) -> torch.Tensor:
    fakes, _, ws = step.generate(count)
    noise = step.share.resize(count).draw_normal(*fakes.shape[1:], device=fakes.device)
    noise = noise / math.sqrt(fakes.shape[2] * fakes.shape[3])
    (gradients,) = torch.autograd.grad((fakes * noise).sum(), ws, create_graph=create_graph)
    return gradients.square().sum(2).mean(1).sqrt()


def _move_mean(step: Step, length: torch.Tensor) -> None:
    """Move the mean of path lengths towards this rank's part of the batch's mean length, added up over the ranks."""
    config = step.config
    mean = torch.lerp(step.pl_mean, step.ranks.sum(length), config.pl_decay)
    if config.num_fp16_res:  # an overflow spoils one step only, unless an average keeps it
        mean = torch.where(torch.isfinite(mean), mean, step.pl_mean)
    step.pl_mean.copy_(mean)


def discriminator_loss(step: Step) -> tuple[torch.Tensor, Stats]:
    """Compute -log sigmoid(D(x)) - log(1 - sigmoid(D(G(z)))).

    Two passes, not one of twice the batch: minibatch deviation must not mix reals with fakes.
    """
    if step.fakes:
        fakes, labels = step.fakes[step.round]
    else:
        with torch.no_grad():
            fakes, labels, _ = step.generate(step.config.batch)
    fake = step.discriminate(gaussian_blur(fakes, step.blur), labels)
    real = step.discriminate(*step.real_batch())
    loss = step.mean(F.softplus(fake)) + step.mean(F.softplus(-real))
    return loss, {
        "loss_d": loss.detach(),
        "d_real_sign": step.mean(real.detach().sign()),
        "d_fake_sign": step.mean(fake.detach().sign()),
    }


def r1_loss(step: Step) -> tuple[torch.Tensor, Stats]:
    """Compute gamma/2 · |∇D(x)|² on the blurred reals, times the interval (lazy regularisation)."""
    reals, labels = step.real_batch()
    reals = reals.detach().requires_grad_(True)
    penalty = step.mean(r1_penalty(step.discriminate(reals, labels), reals))
    return penalty * (step.config.gamma / 2) * step.config.r1_interval, {"r1": penalty.detach()}


def r1_penalty(logits: torch.Tensor, reals: torch.Tensor) -> torch.Tensor:
    """Return |∂ logits / ∂ reals|² per picture, [N], differentiable again."""
    (gradients,) = torch.autograd.grad(logits.sum(), reals, create_graph=True)
    return gradients.square().sum((1, 2, 3))


def gaussian_blur(images: torch.Tensor, sigma: float) -> torch.Tensor:
    """Blur by a separable Gaussian of `sigma` pixels, cut at 3 sigma, edges repeated; none below a third of a pixel."""
    radius = int(3 * sigma)
    if radius < 1:
        return images
    x = torch.arange(-radius, radius + 1, device=images.device, dtype=torch.float32)
    kernel = torch.exp(-0.5 * (x / sigma) ** 2)
    kernel = (kernel / kernel.sum()).to(images.dtype)
    channels = images.shape[1]
    padded = F.pad(images, (radius, radius, radius, radius), mode="replicate")
    rows = F.conv2d(padded, kernel.view(1, 1, 1, -1).expand(channels, 1, 1, -1), groups=channels)
    return F.conv2d(rows, kernel.view(1, 1, -1, 1).expand(channels, 1, -1, 1), groups=channels)


def blur_sigma_at(config: TrainConfig, images: int) -> float:
    """Return sigma, in pixels, of the blur before D after `images` images: it falls linearly to 0."""
    if images >= config.blur_images:
        return 0.0
    return config.blur_sigma * (1 - images / config.blur_images)


def mix_styles(ws: torch.Tensor, other: torch.Tensor, probability: float, share: Share | None = None) -> torch.Tensor:
    """With `probability` give a sample, of a `share` of a batch, the w of `other` from a random layer on [SG1, 3.1]."""
    count, num_ws, _ = ws.shape
    share = share or Share(count)
    crossover = share.draw_integers(1, num_ws, 1, device=ws.device)
    mixed = share.draw_uniform(1, device=ws.device) < probability
    swap = (torch.arange(num_ws, device=ws.device) >= crossover) & mixed
    return torch.where(swap[:, :, None], other, ws)
