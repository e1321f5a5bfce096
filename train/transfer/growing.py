# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Teach the new layers of a grown network what its source did, before it is trained (decision 022).

A generator for larger pictures keeps its source's lower layers, whose maps mean nothing to the new ones above them; and
a discriminator's new blocks tell its old ones nothing. Trained on at once, the two unlearn what was taken. So the new
layers of G first learn to draw the source's pictures, enlarged, and the new blocks of D to hand down what the source's
fromRGB made of the picture, reduced: both networks then begin about where the source stood.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gan.networks.discriminator import Discriminator, DiscriminatorBlock
from gan.networks.generator import Generator
from train.data import BatchLoader
from train.state import TrainState
from train.transfer.plan import Transfer

BATCH = 8  # pictures of a step, or as many as the run has at once
RATE = 0.01  # of Adam, falling to 0 over the second half
BETAS = (0.9, 0.99)
REPORTS = 4  # lines of the log for each network


@dataclass(frozen=True)
class Lesson:
    """A course of steps: pictures of each, steps, where to say how it goes, and whether a stop was asked for."""

    batch: int
    steps: int
    say: Callable[[str], None]
    is_stopped: Callable[[], bool]


def teach(
    transfer: Transfer,
    state: TrainState,
    batches: BatchLoader,
    say: Callable[[str], None],
    is_stopped: Callable[[], bool],
) -> None:
    """Teach a new run's networks what its transfer left untrained, over the images that the run's options say.

    Every rank does the same, and takes rank 0's result. A stop ends it early: what was learned stays.
    """
    images = state.config.taught_images
    batch = min(BATCH, images, *(len(share) for share in state.shares))
    lesson = Lesson(batch, images // batch, say, is_stopped)
    for name, taught in (("generator", transfer.teaches_generator), ("discriminator", transfer.teaches_discriminator)):
        if not taught:
            continue
        if name == "generator":
            _teach_generator(lesson, transfer, state, batches)
        else:
            _teach_discriminator(lesson, transfer, state, batches)
        state.networks[name].requires_grad_(True)
    for network in state.networks.values():
        state.ranks.spread(network.state_dict().values())


def _teach_generator(lesson: Lesson, transfer: Transfer, state: TrainState, batches: BatchLoader) -> None:
    """Let what G has not taken learn to draw what its source draws of the same latents and labels."""
    student, taken = state.generator, transfer.generator.list_taken()
    teacher = Generator(transfer.source.generator).eval().requires_grad_(False).to(state.device)
    teacher.load_state_dict(dict(transfer.source.load("generator")))
    config = student.config
    parameters = []
    for name, parameter in student.named_parameters():
        parameter.requires_grad_(name not in taken)
        if name not in taken:
            parameters.append(parameter)

    def measure(step: int) -> Tensor:
        z = torch.randn(lesson.batch, config.z_dim, device=state.device)
        labels = batches.load_at(step * lesson.batch, lesson.batch)[1] if config.c_dim else None
        with torch.no_grad():
            drawn = teacher(z, labels if teacher.config.c_dim else None, noise="const")
        drawn = resize(drawn, config.resolution)
        return F.mse_loss(student(z, labels, noise="const", update_emas=True), drawn)

    _learn("G's new layers learn what the source drew", lesson, measure, parameters)
    average = state.ema.state_dict()
    for name, tensor in student.state_dict().items():
        if name not in taken:  # of the others it has the source's average
            average[name].copy_(tensor)


def _teach_discriminator(lesson: Lesson, transfer: Transfer, state: TrainState, batches: BatchLoader) -> None:
    """Let D's new blocks learn to hand down what the source's fromRGB makes of a picture, real or G's, reduced."""
    source, student, half = transfer.source.discriminator, state.discriminator, (lesson.batch + 1) // 2
    assert source is not None
    teacher = Discriminator(source).requires_grad_(False).to(state.device)
    teacher.load_state_dict(dict(transfer.source.load("discriminator")))
    from_rgb = cast(DiscriminatorBlock, teacher.get_submodule(f"b{source.resolution}")).fromrgb
    sizes = [size for size in student.resolutions if size > source.resolution]
    blocks = [cast(DiscriminatorBlock, student.get_submodule(f"b{size}")) for size in sizes]

    def measure(step: int) -> Tensor:
        x, labels = batches.load_at(step * half, half)
        with torch.no_grad():
            z = torch.randn(half, state.generator.config.z_dim, device=state.device)
            x = torch.cat([x, state.generator(z, labels)])
            seen = from_rgb(resize(x, source.resolution))
        for block in blocks:
            x = block(x)
        return F.mse_loss(x, seen) / seen.square().mean()

    parameters = [parameter for block in blocks for parameter in block.parameters()]
    _learn("D's new blocks learn what the source saw", lesson, measure, parameters)


def _learn(title: str, lesson: Lesson, measure: Callable[[int], Tensor], parameters: list[nn.Parameter]) -> None:
    """Make `measure(step)`, a 0-d tensor, small by changing `parameters`; say a quarter of the steps at a time."""
    optimizer = torch.optim.Adam(parameters, RATE, betas=BETAS)
    every, errors = max(1, lesson.steps // REPORTS), []
    for step in range(lesson.steps):
        if lesson.is_stopped():
            lesson.say(f"{title}: ended by the stop after {step} of {lesson.steps} steps.")
            return
        optimizer.param_groups[0]["lr"] = RATE * min(1.0, 2 * (1 - step / lesson.steps))
        loss = measure(step)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        errors.append(loss.detach())
        if len(errors) == every:
            lesson.say(f"{title}: step {step + 1} of {lesson.steps}, error {float(torch.stack(errors).mean()):.4f}.")
            errors = []


def resize(pictures: Tensor, resolution: int) -> Tensor:
    """Enlarge or reduce pictures [N, C, H, W] to `resolution` without aliasing; their centres stay."""
    if pictures.shape[2] == resolution:
        return pictures
    return F.interpolate(pictures, (resolution, resolution), mode="bicubic", antialias=True)
