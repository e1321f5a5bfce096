# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The option --gpus: the same command in several processes."""

from __future__ import annotations

from typing import Any

import click

from gan.cli.command import Command
from train.ranks.launcher import check_gpus, follow_parent, is_rank, launch

WORDS = "train.cli.words"  # of a context: the command's arguments as they were given


class ProcessesCommand(Command):
    """A command that can be run once more, with the same arguments, in other processes."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.meta[WORDS] = list(args)
        return super().parse_args(ctx, args)


def start_processes(given: dict[str, Any]) -> None:
    """Take --gpus out of the options; where it says so, run the command in as many processes, and end as they do."""
    gpus = given.pop("gpus", None)
    check_gpus(gpus)
    if is_rank():
        follow_parent()
    elif gpus is not None and gpus > 1:
        ctx = click.get_current_context()
        ctx.exit(launch(gpus, [str(ctx.command.name), *ctx.meta[WORDS]]))
