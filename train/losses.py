# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The losses of one training step, and the phases that say which network each moves and how often.

Non-saturating logistic loss [Goodfellow 2014], R1 [Mescheder 2018], path length and lazy regularisation
[SG2, sec. 3.1-3.2], with the settings of [P app. F.2].
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.networks.precision import PrecisionPolicy
from gan.networks.synthesis import SynthesisOptions
from train.augmentation import Augmenter
from train.config import TrainConfig

Stats = dict[str, torch.Tensor]


@dataclass
class Step:
    """The inputs of one step's losses, which write `pl_mean` and `fakes` only.

    `reals` float [N, C, S, S] in [-1, 1]; `labels` float [N, c_dim] of the reals, or None; `blur` in pixels; `fakes`
    the pictures and labels of this step's generator loss, kept if config.reuse_fakes; `augmenter` changes what D sees.
    """

    config: TrainConfig
    generator: Generator
    discriminator: Discriminator
    reals: torch.Tensor
    labels: torch.Tensor | None
    pl_mean: torch.Tensor
    augmenter: Augmenter
    blur: float = 0.0
    fakes: tuple[torch.Tensor, torch.Tensor | None] | None = None

    def generate(self, count: int, update_emas: bool = False) -> tuple[torch.Tensor, torch.Tensor | None, torch.Tensor]:
        """Return `count` new pictures, their labels (drawn from the reals') and their w [count, num_ws, w_dim]."""
        generator, config, device = self.generator, self.config, self.reals.device
        z_dim = generator.config.z_dim
        z = torch.randn(count, z_dim, device=device)
        labels = None
        if self.labels is not None:
            labels = self.labels[torch.randint(len(self.labels), (count,), device=device)]
        ws = generator.mapping(z, labels, update_emas=update_emas)
        if config.style_mixing > 0:
            other = generator.mapping(torch.randn(count, z_dim, device=device), labels)
            ws = mix_styles(ws, other, config.style_mixing)
        precision = PrecisionPolicy(config.num_fp16_res)
        images = generator.synthesis(
            ws, SynthesisOptions(noise=config.noise, update_emas=update_emas, precision=precision)
        )
        return images, labels, ws

    def discriminate(self, images: torch.Tensor, labels: torch.Tensor | None) -> torch.Tensor:
        """Return the logits [N, 1] of pictures, which are blurred already and augmented here."""
        return self.discriminator(self.augmenter(images), labels, precision=PrecisionPolicy(self.config.num_fp16_res))


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
        step.fakes = fakes.detach(), labels
    logits = step.discriminate(gaussian_blur(fakes, step.blur), labels)
    loss = F.softplus(-logits).mean()
    return loss, {"loss_g": loss.detach()}


def path_length_loss(step: Step) -> tuple[torch.Tensor, Stats]:
    """Compute (|J_w^T y| - a)^2 on a part of the batch, a being the running mean of the lengths |J_w^T y|."""
    config = step.config
    fakes, _, ws = step.generate(max(config.batch // config.pl_shrink, 1))
    noise = torch.randn_like(fakes) / math.sqrt(fakes.shape[2] * fakes.shape[3])
    (gradients,) = torch.autograd.grad((fakes * noise).sum(), ws, create_graph=True)
    lengths = gradients.square().sum(2).mean(1).sqrt()
    mean = torch.lerp(step.pl_mean, lengths.detach().mean(), config.pl_decay)
    if config.num_fp16_res:  # an overflow spoils one step only, unless an average keeps it
        mean = torch.where(torch.isfinite(mean), mean, step.pl_mean)
    step.pl_mean.copy_(mean)
    penalty = (lengths - mean).square().mean()
    return penalty * config.pl_weight * config.pl_interval, {"pl": penalty.detach()}


def discriminator_loss(step: Step) -> tuple[torch.Tensor, Stats]:
    """Compute -log sigmoid(D(x)) - log(1 - sigmoid(D(G(z)))).

    Two passes, not one of twice the batch: minibatch deviation must not mix reals with fakes.
    """
    if step.fakes is not None:
        fakes, labels = step.fakes
    else:
        with torch.no_grad():
            fakes, labels, _ = step.generate(step.config.batch)
    fake = step.discriminate(gaussian_blur(fakes, step.blur), labels)
    real = step.discriminate(gaussian_blur(step.reals, step.blur), step.labels)
    step.augmenter.observe(real)
    loss = F.softplus(fake).mean() + F.softplus(-real).mean()
    return loss, {
        "loss_d": loss.detach(),
        "d_real_sign": real.detach().sign().mean(),
        "d_fake_sign": fake.detach().sign().mean(),
    }


def r1_loss(step: Step) -> tuple[torch.Tensor, Stats]:
    """Compute gamma/2 · |∇D(x)|² on the blurred reals, times the interval (lazy regularisation)."""
    reals = gaussian_blur(step.reals, step.blur).detach().requires_grad_(True)
    penalty = r1_penalty(step.discriminate(reals, step.labels), reals).mean()
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


def mix_styles(ws: torch.Tensor, other: torch.Tensor, probability: float) -> torch.Tensor:
    """With `probability` give a sample the w of `other` from a random layer on [SG1, sec. 3.1]."""
    count, num_ws, _ = ws.shape
    crossover = torch.randint(1, num_ws, (count, 1), device=ws.device)
    mixed = torch.rand(count, 1, device=ws.device) < probability
    swap = (torch.arange(num_ws, device=ws.device) >= crossover) & mixed
    return torch.where(swap[:, :, None], other, ws)
