# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Find the model that a run starts from, and read of it what is asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from gan.checkpoints.checkpoint import (
    CheckpointError,
    load_discriminator,
    load_generator,
    load_tensors,
    read_discriminator,
    read_document,
    read_header,
)
from gan.cli.download_bar import fetch_with_bar
from gan.hub.resolve import (
    cite_model,
    explain_missing,
    find_newest_snapshot,
    format_title,
    list_bundled_files,
    resolve,
    shorten_name,
)
from gan.hub.url import is_address
from gan.networks.config import ConfigError, DiscriminatorConfig, GeneratorConfig
from train.config import TrainConfig
from train.errors import TrainingError, is_out_of_memory
from train.run_folder import STATE
from train.state import KIND

# The folder beside a bundled model that holds its generator, the average of that, and its discriminator.
TRAINED_NETWORKS = "training"
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
            stored, _ = load_tensors(self.path, prefix=f"{network}.")
            tensors = {name: tensor.float() for name, tensor in stored.items()}  # a bundled model's are float16
        elif network == "discriminator":
            tensors = load_discriminator(self.path).state_dict()
        else:
            name = self.trained if network == "generator" and self.trained else None
            tensors = load_generator(self.path, network=name)[0].state_dict()
        if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values()):
            raise TrainingError(f"{self.title} holds numbers that are not finite: start from another model.")
        return tensors

    def load_into(self, network: nn.Module, name: str) -> None:
        """Load all of a network, by its name for `load`, into one of its own configuration. As `load`."""
        with self.explain_misfit():
            network.load_state_dict(dict(self.load(name)))

    @contextmanager
    def explain_misfit(self) -> Iterator[None]:
        """Raise TrainingError for a state's tensors that are not those of its configuration; others are checked."""
        try:
            yield
        except (KeyError, RuntimeError) as error:
            if is_out_of_memory(error):
                raise
            raise TrainingError(
                f"{self.path} does not fit the networks it describes; start from another model."
            ) from error


def open_source(name: str) -> Source:
    """Find the model that a user names, and read its headers; a run folder is its newest state, else snapshot.

    A bundled model is its networks as they were in training, where these lie beside it.

    CheckpointError or TrainingError for what is no model, or cannot be read; DownloadError.
    """
    folder = Path(os.path.expanduser(name))
    state = folder / STATE
    path = state if os.path.isfile(state) else Path(resolve(name, fetch_with_bar))
    if not path.is_file():
        raise TrainingError(explain_missing(path))
    in_training = path.parent / TRAINED_NETWORKS / path.name
    if path in list_bundled_files() and in_training.is_file():
        path = in_training
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
        name = path.parent.name if path.name == STATE else path.stem
        title = f"{name} at {document['images'] / 1000:g} kimg"
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
