# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Deal a batch to processes, and in each to rounds whose gradients add up."""

from __future__ import annotations

from gan.shares import Share
from train.ranks.errors import RanksError


def deal(batch: int, group: int, rank: int = 0, ranks: int = 1, batch_gpu: int = 0) -> list[Share]:
    """Return a rank's shares of a batch, one for each round of `batch_gpu` pictures (0: one round).

    Sample n goes to rank n mod ranks, and there in turn to the rounds. A share holds whole groups of `group` samples,
    those whose deviation D sees. RanksError where the numbers do not fit.
    """
    if batch % ranks:
        raise RanksError(f"A batch of {batch} cannot be dealt to {ranks} processes evenly; choose a multiple of it.")
    own = batch // ranks
    if batch_gpu > own or own % (batch_gpu or own):
        raise RanksError(
            f"--batch-gpu={batch_gpu} does not divide the {own} pictures of a batch of {batch} that each of {ranks} "
            f"processes gets; choose one of {list_choices(batch, group, ranks)}."
            if ranks > 1
            else f"--batch-gpu={batch_gpu} does not divide a batch of {batch}; choose one of "
            f"{list_choices(batch, group, ranks)}."
        )
    once = batch_gpu or own
    if once % group:
        raise RanksError(
            f"Minibatch deviation needs whole groups of {group} pictures, but {once} would be computed at once; "
            + (
                f"give a --batch-gpu of {list_choices(batch, group, ranks)}."
                if own % group == 0
                else f"give a --batch that is a multiple of {ranks * group}."
            )
        )
    rounds = own // once
    return [Share(batch, rank + ranks * part, ranks * rounds) for part in range(rounds)]


def describe_deal(shares: list[Share], ranks: int) -> str:
    """Say in a sentence how a batch is dealt, of which `shares` are one rank's."""
    own, rounds = sum(len(share) for share in shares), len(shares)
    processes = f"Trained by {ranks} processes, {own} pictures of a batch each" if ranks > 1 else f"A batch of {own}"
    return f"{processes}, computed {len(shares[0])} at once in {rounds} rounds." if rounds > 1 else f"{processes}."


def list_choices(batch: int, group: int, ranks: int) -> str:
    """Return the numbers of pictures at once that a batch allows, for a sentence; "" if there is none."""
    return ", ".join(str(count) for count in find_choices(batch, group, ranks))


def find_choices(batch: int, group: int, ranks: int) -> list[int]:
    """Return the numbers of pictures at once that a batch allows, the smallest first."""
    own = batch // ranks
    return [once for once in range(group, own + 1, group) if own % once == 0]
