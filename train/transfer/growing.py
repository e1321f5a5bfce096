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

from gan.networks.discriminator import Conv, Discriminator, DiscriminatorBlock
from gan.networks.generator import Generator
from train.data import BatchLoader
from train.errors import TrainingError
from train.state import TrainState
from train.transfer.plan import Transfer

BATCH = 8  # pictures of a step; fewer where the run itself has no room for as many
RATE = 0.01  # of Adam, falling to 0 over the second half
BETAS = (0.9, 0.99)
REPORTS = 4  # lines of the log for each network, about


@dataclass
class Teachers:
    """Of a run's source, what its new layers learn from: G, and D's fromRGB with its resolution; None: no lessons.

    `taken`: the names of G's tensors that are the source's already. Each network is let go after its lesson.
    """

    generator: Generator | None
    taken: frozenset[str]
    from_rgb: Conv | None
    resolution: int

    def teach(
        self, state: TrainState, batches: BatchLoader, say: Callable[[str], None], is_stopped: Callable[[], bool]
    ) -> bool:
        """Teach a new run's networks over the images that its options say; False if a stop ended it.

        Every rank does the same, and takes rank 0's result. TrainingError if the numbers do not stay finite.
        """
        images, room = state.config.taught_images, min(len(share) for share in state.shares)
        if state.config.num_fp16_res:
            room //= 2  # lessons are in float32
        batch = max(1, min(BATCH, images, room))
        lesson = Lesson(batch, images // batch, say, is_stopped)
        is_done = self.generator is None or _teach_generator(lesson, self.generator, self.taken, state, batches)
        self.generator = None
        if is_done and self.from_rgb is not None:
            is_done = _teach_discriminator(lesson, self.from_rgb, self.resolution, state, batches)
        self.from_rgb = None
        state.generator.requires_grad_(True)
        state.discriminator.requires_grad_(True)
        if not state.is_finite():
            raise TrainingError("The new layers' lessons diverged: start the run again with another --seed.")
        for network in state.networks.values():
            state.ranks.spread(network.state_dict().values())
        return is_done


def load_teachers(transfer: Transfer, device: torch.device) -> Teachers:
    """Load what a transfer's lessons need of its source. CheckpointError, TrainingError."""
    source, generator, from_rgb, resolution = transfer.source, None, None, 0
    if transfer.teaches_generator:
        generator = Generator(source.generator).eval().requires_grad_(False)
        source.load_into(generator, "generator")
        generator.to(device)
    if transfer.teaches_discriminator and source.discriminator is not None:
        resolution = source.discriminator.resolution
        discriminator = Discriminator(source.discriminator).requires_grad_(False)
        source.load_into(discriminator, "discriminator")
        from_rgb = cast(DiscriminatorBlock, discriminator.get_submodule(f"b{resolution}")).fromrgb.to(device)
    return Teachers(generator, frozenset(transfer.generator.list_taken()), from_rgb, resolution)


@dataclass(frozen=True)
class Lesson:
    """A course of steps: pictures of each, steps, where to say how it goes, and whether a stop was asked for."""

    batch: int
    steps: int
    say: Callable[[str], None]
    is_stopped: Callable[[], bool]


def _teach_generator(
    lesson: Lesson, teacher: Generator, taken: frozenset[str], state: TrainState, batches: BatchLoader
) -> bool:
    """Let what G has not taken learn to draw what its source draws of the same latents and labels."""
    student, config = state.generator, state.config.generator
    parameters = []
    for name, parameter in student.named_parameters():
        parameter.requires_grad_(name not in taken)
        if name not in taken:
            parameters.append(parameter)

    def measure(step: int) -> Tensor:
        z = torch.randn(lesson.batch, config.z_dim, device=state.device)
        labels = batches.load_labels_at(step * lesson.batch, lesson.batch)
        with torch.no_grad():
            drawn = resize(teacher(z, labels, noise="const"), config.resolution)
        return F.mse_loss(student(z, labels, noise="const", update_emas=True), drawn)

    is_done = _learn("G's new layers learn what the source drew", lesson, measure, parameters)
    average = state.ema.state_dict()
    for name, tensor in student.state_dict().items():
        if name not in taken:  # of the others it has the source's average
            average[name].copy_(tensor)
    return is_done


def _teach_discriminator(
    lesson: Lesson, from_rgb: Conv, resolution: int, state: TrainState, batches: BatchLoader
) -> bool:
    """Let D's new blocks learn to hand down what the source's fromRGB makes of a picture, real or G's, reduced."""
    student, half = state.discriminator, (lesson.batch + 1) // 2
    sizes = [size for size in student.resolutions if size > resolution]
    blocks = [cast(DiscriminatorBlock, student.get_submodule(f"b{size}")) for size in sizes]

    def measure(step: int) -> Tensor:
        x, labels = batches.load_at(step * half, half)
        with torch.no_grad():
            z = torch.randn(half, state.config.generator.z_dim, device=state.device)
            x = torch.cat([x, state.generator(z, labels)])
            seen = from_rgb(resize(x, resolution))
        for block in blocks:
            x = block(x)
        return F.mse_loss(x, seen) / seen.square().mean()

    parameters = [parameter for block in blocks for parameter in block.parameters()]
    return _learn("D's new blocks learn what the source saw", lesson, measure, parameters)


def _learn(title: str, lesson: Lesson, measure: Callable[[int], Tensor], parameters: list[nn.Parameter]) -> bool:
    """Make `measure(step)`, a 0-d tensor, small by changing `parameters`; False if a stop ended it."""
    optimizer = torch.optim.Adam(parameters, RATE, betas=BETAS)
    every, errors = max(1, lesson.steps // REPORTS), []
    for step in range(lesson.steps):
        if lesson.is_stopped():
            return False
        optimizer.param_groups[0]["lr"] = RATE * min(1.0, 2 * (1 - step / lesson.steps))
        loss = measure(step)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        errors.append(loss.detach())
        if len(errors) == every:
            lesson.say(f"{title}: step {step + 1} of {lesson.steps}, error {float(torch.stack(errors).mean()):.4f}.")
            errors = []
    return True


def resize(pictures: Tensor, resolution: int) -> Tensor:
    """Enlarge or reduce pictures [N, C, H, W] to `resolution` without aliasing; their centres stay."""
    if pictures.shape[2] == resolution:
        return pictures
    return F.interpolate(pictures, (resolution, resolution), mode="bicubic", antialias=True)
