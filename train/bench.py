# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""python -m train.bench: one training step with kernels, with the torch references, and as a chain of convolutions.

`cuda_ops.bench` runs it too.
"""

from collections.abc import Callable

import click
import torch

from gan.bench import (
    CONTEXT,
    EPILOG,
    JSON,
    QUICK,
    THREADS,
    Row,
    chained,
    header,
    medians,
    on_references,
    prepare,
    report,
)
from train.config import configure
from train.losses import Step, phases
from train.state import TrainState

CASES = (("T", 64), ("R", 64), ("B", 64))


def step_row(cfg: str, resolution: int, rounds: int) -> Row:
    """The two main phases of a step of the tiny preset: losses, gradients, no optimiser."""
    torch.manual_seed(0)
    config = configure(cfg, resolution=resolution, data="", data_name="", data_images=1, data_digest="",
                       preset_name="tiny")  # fmt: skip
    state = TrainState(config)
    reals = torch.randn(config.batch, 3, resolution, resolution).clamp(-1, 1)

    def step() -> None:
        work = Step(config, state.generator, state.discriminator, reals, None, state.pl_mean)
        for phase in phases(config):
            if phase.interval == 1:
                network: torch.nn.Module = getattr(state, phase.network)
                for parameter in network.parameters():
                    parameter.grad = None
                loss, _ = phase.loss(work)
                loss.backward()

    def reference() -> None:
        with on_references():
            step()

    def chain() -> None:
        with chained():
            step()

    candidates: dict[str, Callable[[], object]] = {"chain": chain, "reference": reference, "kernel": step}
    name = f"{cfg} {resolution}², tiny preset, batch {config.batch}: a training step"
    ms = medians(name, candidates, rounds)
    return {
        "name": name, "rounds": rounds, **{f"{key} ms": value for key, value in ms.items()},
        "reference / kernel": ms["reference"] / ms["kernel"],
        "chain / kernel": ms["chain"] / ms["kernel"],
        "kernel images/s": 1e3 * config.batch / ms["kernel"],
    }  # fmt: skip


@click.command(context_settings=CONTEXT, epilog=EPILOG)
@THREADS
@JSON
@QUICK
def main(threads: int, as_json: bool, quick: bool) -> None:
    """Times a training step of T, R and B at 64²."""
    prepare(threads)
    cases, rounds = (CASES[:1], 1) if quick else (CASES, 5)
    report(header(quick, [rounds]), (step_row(*case, rounds) for case in cases), as_json)


if __name__ == "__main__":
    main()
