# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Start a run from another model (decision 022): find it, say what fits, and copy that.

The numbers of its networks are read one network after another, so that one copy is in memory at a time. Optimisers,
counters and the path lengths' mean start afresh; what G keeps of its inputs' magnitudes goes with its layers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from gan.checkpoints.transfer import (
    Match,
    describe_matches,
    describe_misfit,
    match_discriminators,
    match_generators,
    measure_share,
)
from gan.networks.config import GeneratorConfig
from gan.networks.ladder import RUNGS
from train.config import TrainConfig, list_layers
from train.errors import TrainingError
from train.state import TrainState
from train.transfer.source import Source

WARMUP_IMAGES, WARMUP_SHARE = 10_000, 0.05  # G is held over the lesser of these and this share of the run
TAUGHT_IMAGES, TAUGHT_SHARE = 3_200, 0.1  # the same, of the lessons of what was not taken
FEW = 0.5  # of G's parameters: a transfer of less says so in words


@dataclass(frozen=True)
class Transfer:
    """A source and the parts of it that a new run takes."""

    source: Source
    target: GeneratorConfig
    generator: Match
    discriminator: Match

    def configure(self, config: TrainConfig) -> TrainConfig:
        """Return the run's options with what follows from where it starts.

        A generator that is taken whole has an average worth keeping. Its pictures need no blur, and neither do those
        of one that was taught. If D is new to them, G is held until D has seen some.
        """
        follows: dict[str, Any] = {}
        if self.generator.is_whole:
            follows["ema_ramp"] = 0.0
        if self.generator.is_whole or self.teaches_generator:
            follows["blur_images"] = 0
            if self.discriminator.is_empty:
                follows["warmup_images"] = min(WARMUP_IMAGES, round(WARMUP_SHARE * config.total_images))
        if self.teaches_generator or self.teaches_discriminator:
            follows["taught_images"] = max(1, min(TAUGHT_IMAGES, round(TAUGHT_SHARE * config.total_images)))
        table = describe_matches({"G": self.generator, "D": self.discriminator})
        return replace(config, transfer=self.source.cited, transfer_table=tuple(table), **follows)

    @property
    def teaches_generator(self) -> bool:
        """True if layers that G does not take can learn, beside some that it takes, to draw what the source drew.

        The mapping is taken whole: one that begins at random is not learned in so short a time.
        """
        is_layer = any(part.taken and part.module not in ("mapping", "input") for part in self.generator.parts)
        fits = self.generator.takes("mapping") and self.source.generator.img_channels == self.target.img_channels
        return not self.generator.is_whole and is_layer and fits

    @property
    def teaches_discriminator(self) -> bool:
        """True if D has new blocks above those of the source, that can learn to hand down what these expect."""
        source = self.source.discriminator
        if source is None or "skip" in source.architecture or source.resolution >= self.target.resolution:
            return False
        return self.discriminator.takes(f"b{source.resolution}") and source.img_channels == self.target.img_channels

    def copy(self, state: TrainState) -> None:
        """Copy what fits into a new run's networks. CheckpointError, TrainingError."""
        for name, network in state.networks.items():
            match = self.discriminator if name == "discriminator" else self.generator
            if match.is_empty:
                continue
            with self.source.explain_misfit():
                match.copy(self.source.load(name), network)

    def describe(self, config: TrainConfig) -> list[str]:
        """Return lines for the log: the table, and what it does not say."""
        source = self.source.generator
        origin = f"{self.source.title} (rung {source.rung}, {source.resolution}x{source.resolution})"
        lines = [f"Starting from {origin}. Taken of it:", *config.transfer_table]
        share = measure_share(self.generator, config.generator)
        if share < FEW:
            lines.append(f"Only {100 * share:.0f} % of the generator's parameters are taken: the rest starts afresh.")
        if self.source.discriminator is None:
            lines.append(f"The discriminator starts afresh: {self.source.lacks}.")
        if config.warmup_images:
            lines.append(f"Until it has seen {config.warmup_images / 1000:g} kimg, the generator is held.")
        if config.taught_images:
            lessons = {"G's new layers": self.teaches_generator, "D's new blocks": self.teaches_discriminator}
            learners = " and ".join(name for name, taught in lessons.items() if taught)
            length = f"{config.taught_images / 1000:g} kimg"
            lines.append(f"First, over {length} beside the run's length, {learners} learn to do what the source did.")
        if config.freezed:
            lines.append(f"The discriminator's first {config.freezed} layers are frozen.")
        lines.append("The optimisers and the count of images start afresh.")
        return lines


def plan_transfer(source: Source, config: TrainConfig) -> Transfer:
    """Match a source to a new run. TrainingError where nothing fits."""
    generator = match_generators(source.generator, config.generator)
    discriminator = match_discriminators(source.discriminator, config.discriminator)
    if generator.is_empty and discriminator.is_empty:
        has_rung = source.generator.rung in dict(RUNGS)
        advice = "give the --cfg, --preset, --cbase, --cmax and --capacity that it was trained with."
        advice = advice if has_rung else "no --cfg makes its like: start from another model."
        raise TrainingError(
            f"Nothing of {source.title} fits the new run ({describe_misfit(source.generator, config.generator)}); "
            f"{advice}"
        )
    taken = {part.name for part in discriminator.parts if part.taken}
    fresh = [name for name in list_layers(config.discriminator)[: config.freezed] if name not in taken]
    if fresh:
        raise TrainingError(
            f"--freezed={config.freezed} would keep layers as they begin, at random: {source.title} gives the "
            f"discriminator no {', '.join(fresh[:3])}; leave --freezed out."
        )
    return Transfer(source, config.generator, generator, discriminator)
