# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Errors that a user can cause, each one sentence that says what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from gan.devices import DeviceError
from gan.files.errors import describe_error, sanitize_text
from gan.networks.config import ConfigError
from train.ranks.errors import LostRankError, RanksError

OUT_OF_MEMORY = "Training ran out of memory; start again with a smaller --batch, --cbase or --cmax"


class TrainingError(ValueError):
    """A run that cannot start, continue or be saved; the message is one sentence that says what to do."""

    def __init__(self, why: str) -> None:
        super().__init__(sanitize_text(why))


class LostRank(click.ClickException):
    """Ends a process that ended for the sake of another one, with a status that says so."""

    exit_code = LostRankError.exit_code


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether memory ran out: on the CPU and on MPS torch raises a plain RuntimeError for it."""
    import torch  # here: torch takes longer to load than --help may

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and ("DefaultCPUAllocator" in text or "out of memory" in text)


def explain(error: Exception, out_of_memory: str = OUT_OF_MEMORY) -> str | None:
    """Return the sentence for a user who can have caused `error`; None for a defect of the program.

    `out_of_memory`: what to say when memory ran out, without its full stop.
    """
    from gan.checkpoints.checkpoint import CheckpointError
    from gan.data.file_sets import ImageError
    from gan.metrics.features import MissingFeatures

    if isinstance(error, LostRankError):
        return f"{str(error).rstrip('.')}."
    known = TrainingError | ConfigError | DeviceError | ImageError | CheckpointError | MissingFeatures | RanksError
    if isinstance(error, known):
        return str(error)
    if isinstance(error, OSError):
        return (
            f"{error.filename or 'A file'} cannot be read or written ({describe_error(error)}); "
            "check its path, its permissions and the free disk space."
        )
    return f"{out_of_memory}." if is_out_of_memory(error) else None


@contextmanager
def report_errors(out_of_memory: str = OUT_OF_MEMORY) -> Iterator[None]:
    """End in `Error: <sentence>` and exit status 1 if the block raises what a user can cause."""
    try:
        yield
    except BrokenPipeError:  # whoever read the output has enough of it; click ends the program without a word
        raise
    except Exception as error:
        message = explain(error, out_of_memory)
        if message is None:
            raise
        raise (LostRank if isinstance(error, LostRankError) else click.ClickException)(message) from error
