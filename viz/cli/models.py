# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Find and read the checkpoints that commands are given, and end in one sentence where that fails."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gan.cli.download_bar import fetch_with_bar
from gan.data.file_sets import ImageError
from gan.devices import DeviceError
from gan.files.errors import describe_error
from gan.hub.resolve import explain_missing, resolve
from gan.networks.config import ConfigError

if TYPE_CHECKING:  # torch takes longer to load than all the rest: not for --help
    from gan.checkpoints.checkpoint import Header


@contextmanager
def user_errors(memory_advice: str = "close other programs or choose a smaller model") -> Iterator[None]:
    """Turn errors that a user can cause into click.ClickException with one sentence; others pass through."""
    try:
        yield
    except (ConfigError, DeviceError, ImageError) as problem:
        raise click.ClickException(str(problem)) from None
    except OSError as problem:
        name = problem.filename or "A file"
        raise click.ClickException(f"{name} cannot be read or written: {describe_error(problem)}.") from None
    except ValueError as problem:
        from gan.checkpoints.checkpoint import CheckpointError

        if not isinstance(problem, CheckpointError):
            raise
        raise click.ClickException(str(problem)) from None
    except (MemoryError, RuntimeError) as problem:
        text = str(problem)
        if not (isinstance(problem, MemoryError) or "DefaultCPUAllocator" in text or "out of memory" in text):
            raise
        raise click.ClickException(f"There is not enough memory for this: {memory_advice}.") from None


def find_model(name: str) -> Path:
    """Return the file of the model that a user calls `name`, fetched first if that is an address.

    Raises click.ClickException where there is none.
    """
    path = Path(resolve(name, fetch_with_bar))
    if not os.path.isfile(path):  # Path.is_file raises for a name too long to be one
        raise click.ClickException(explain_missing(path))
    return path


def read_model(name: str, network: str | None = None) -> tuple[Path, Header]:
    """Return the file of the model that a user calls `name`, and its header; where that fails see `user_errors`."""
    path = find_model(name)
    from gan.checkpoints.checkpoint import read_header

    return path, read_header(path, network)
