# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What the trainer's commands share: errors in one sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from gan.networks.config import ConfigError
from train.config import OUT_OF_MEMORY, TrainingError


class Sentence(click.ClickException):
    """`Error: <sentence>` without a traceback, exit status 1."""


def sentence_of(error: Exception, memory: str = OUT_OF_MEMORY) -> str | None:
    """What to tell a user who can have caused `error`; None for a defect of the program.

    `memory`: what to say, and to do, when memory ran out.
    """
    from gan.checkpoints.checkpoint import CheckpointError  # here: torch takes longer to load than --help may
    from gan.data.image_dataset import ImageError
    from train.memory import out_of_memory

    if isinstance(error, TrainingError | ConfigError | ImageError | CheckpointError):
        return str(error)
    if isinstance(error, OSError):
        return (
            f"{error.filename or 'A file'} cannot be read or written ({error.strerror or error}); "
            "check the path, its permissions and the space on the disk."
        )
    return f"{memory}." if out_of_memory(error) else None


def guarded(action: Callable[..., Any], *args: Any, memory: str = OUT_OF_MEMORY) -> None:
    """Run `action`; what a user can cause ends in one sentence instead of a traceback."""
    try:
        action(*args)
    except KeyboardInterrupt:
        raise click.Abort() from None
    except click.ClickException:
        raise
    except Exception as error:
        sentence = sentence_of(error, memory)
        if sentence is None:
            raise
        raise Sentence(sentence) from error
