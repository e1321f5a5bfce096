# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Start a run from another model (decision 022): find it, say what fits, and copy that.

The numbers of its networks are read one network after another, so that one copy is in memory at a time. Optimisers,
counters and the path lengths' mean start afresh; what G keeps of its inputs' magnitudes goes with its layers.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gan.checkpoints.checkpoint import (
    CheckpointError,
    load_discriminator,
    load_generator,
    load_tensors,
    read_discriminator,
    read_document,
    read_header,
)
from gan.checkpoints.transfer import (
    Match,
    describe_matches,
    describe_misfit,
    match_discriminators,
    match_generators,
    measure_share,
)
from gan.cli.download_bar import fetch_with_bar
from gan.hub.resolve import cite_model, explain_missing, find_newest_snapshot, format_title, resolve, shorten_name
from gan.hub.url import is_address
from gan.networks.config import ConfigError, DiscriminatorConfig, GeneratorConfig
from gan.networks.discriminator import Discriminator
from gan.networks.generator import Generator
from gan.networks.ladder import RUNGS
from gan.networks.meta_init import MetaInit
from train.config import TrainConfig, list_layers
from train.errors import TrainingError, is_out_of_memory
from train.run_folder import STATE
from train.state import KIND, TrainState

WARMUP_IMAGES, WARMUP_SHARE = 10_000, 0.05  # G is held over the lesser of these and this share of the run
HELD_IMAGES, HELD_SHARE = (
    4_000,
    0.1,
)  # the same, of layers that were taken, where others of their network begin untrained
FEW = 0.5  # of G's parameters: a transfer of less says so in words
# The generator that is trained, by the name of its average in other programs' files.
TRAINED = {"G_ema": "G", "Gs": "G", "g_ema": "g"}


@dataclass(frozen=True)
class Source:
    """A model to start from, known by its headers: the file, and how its networks were built.

    `cited`: what the user called it, without secrets; `title`: the same for people; `trained`: the name of the
    generator beside its average, "" where there is one only; `lacks`: why there is no discriminator.
    """

    path: Path
    cited: str
    title: str
    is_state: bool
    generator: GeneratorConfig
    discriminator: DiscriminatorConfig | None
    trained: str = ""
    lacks: str = ""

    def load(self, network: str) -> Mapping[str, Tensor]:
        """Read the tensors of "generator", "discriminator" or "ema", of which the file may hold one only.

        CheckpointError; TrainingError for numbers that are not finite.
        """
        if self.is_state:
            tensors, _ = load_tensors(self.path, prefix=f"{network}.")
        elif network == "discriminator":
            tensors = load_discriminator(self.path).state_dict()
        else:
            name = self.trained if network == "generator" and self.trained else None
            tensors = load_generator(self.path, network=name)[0].state_dict()
        if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values()):
            raise TrainingError(f"{self.title} holds numbers that are not finite: start from another model.")
        return tensors


@dataclass(frozen=True)
class Transfer:
    """A source and the parts of it that a new run takes."""

    source: Source
    generator: Match
    discriminator: Match

    def configure(self, config: TrainConfig) -> TrainConfig:
        """Return the run's options with what follows from where it starts.

        A generator that is taken whole has an average worth keeping, and pictures that need no blur. If D is new to
        them, G is held until D has seen some.
        """
        follows: dict[str, Any] = {}
        if self.generator.is_whole:
            follows = {"ema_ramp": 0.0, "blur_images": 0}
            if self.discriminator.is_empty:
                follows["warmup_images"] = min(WARMUP_IMAGES, round(WARMUP_SHARE * config.total_images))
        elif not self.generator.is_empty:
            # Untrained layers beside them send gradients that would spoil what was taken.
            follows["held"] = self._list_held(config)
            follows["held_images"] = min(HELD_IMAGES, round(HELD_SHARE * config.total_images))
        table = describe_matches({"G": self.generator, "D": self.discriminator})
        return replace(config, transfer=self.source.cited, transfer_table=tuple(table), **follows)

    def _list_held(self, config: TrainConfig) -> tuple[str, ...]:
        with MetaInit():
            networks = {"generator": Generator(config.generator), "discriminator": Discriminator(config.discriminator)}
        matches = {"generator": self.generator, "discriminator": self.discriminator}
        return tuple(
            f"{name}.{module}"
            for name, match in matches.items()
            if not match.is_whole
            for module in match.list_modules(networks[name])
        )

    def copy(self, state: TrainState) -> None:
        """Copy what fits into a new run's networks. CheckpointError, TrainingError."""
        for name, network in state.networks.items():
            match = self.discriminator if name == "discriminator" else self.generator
            if match.is_empty:
                continue
            try:
                match.copy(self.source.load(name), network)
            except (KeyError, RuntimeError) as error:  # a state's tensors; those of other files are checked
                if is_out_of_memory(error):
                    raise
                raise TrainingError(
                    f"{self.source.path} does not fit the networks it describes; start from another model."
                ) from error

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
        if config.held_images:
            lines.append(
                f"Over the first {config.held_images / 1000:g} kimg, what is taken is held: the rest learns alone."
            )
        if config.freezed:
            lines.append(f"The discriminator's first {config.freezed} layers are frozen.")
        lines.append("The optimisers and the count of images start afresh.")
        return lines


def open_source(name: str) -> Source:
    """Find the model that a user names, and read its headers; a run folder is its newest state, else snapshot.

    CheckpointError or TrainingError for what is no model, or cannot be read; DownloadError.
    """
    folder = Path(os.path.expanduser(name))
    state = folder / STATE
    path = state if os.path.isfile(state) else Path(resolve(name, fetch_with_bar))
    if not path.is_file():
        raise TrainingError(explain_missing(path))
    cited = cite_model(name, path) if is_address(name) else str(path)
    try:
        document = read_document(path)
    except CheckpointError as error:
        newest = find_newest_snapshot(folder) if path == state else None
        if newest is None:
            raise
        why = str(error).partition(":")[0].rstrip(".")
        raise TrainingError(f"In {folder} {why}: start from its newest snapshot, --transfer={newest}.") from error
    if document is not None and document.get("kind") == KIND:
        config = _read_options(path, document)
        title = f"{path.parent.name} at {document['images'] / 1000:g} kimg"
        return Source(path, cited, title, True, config.generator, config.discriminator, trained="generator")
    header = read_header(path)
    trained = TRAINED.get(header.network, "")
    trained = trained if trained in header.networks else ""
    title = format_title(path)
    lacks, discriminator = f"{title} holds none", None
    if document is None:
        try:
            discriminator = read_discriminator(path)
        except CheckpointError as error:
            lacks = str(error).rstrip(".")
    elif (path.parent / STATE).is_file():
        lacks += f", but its run folder has one in {STATE}"
    return Source(path, cited, title, False, header.config, discriminator, trained, lacks)


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
    return Transfer(source, generator, discriminator)


def cite_source(transfer: str) -> str:
    """Return the name of a run's source for others, who need not know where it lies on this machine."""
    return shorten_name(transfer) if transfer and not is_address(transfer) else transfer


def _read_options(path: Path, document: Mapping[str, Any]) -> TrainConfig:
    options, images = document.get("config"), document.get("images")
    if not isinstance(options, dict) or type(images) is not int or not 0 <= images < 2**53:
        raise TrainingError(f"{path} does not say what run it belongs to; give a snapshot of the run instead.")
    try:
        return TrainConfig.from_json(options)
    except (TrainingError, ConfigError) as error:
        why = str(error).rstrip(".")
        raise TrainingError(f"{path} describes no run that this version knows: {why}.") from error
