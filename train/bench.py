# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""python -m train.bench: one training step with kernels, with the torch references, and as a chain of convolutions.

`cuda_ops.bench` runs it too.
"""

from collections.abc import Callable

import click
import torch

from gan.bench import JSON, QUICK, THREADS, Row, chained, medians, on_references, report
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
    ms = medians(candidates, rounds)
    return {
        "name": f"{cfg} {resolution}², tiny preset, batch {config.batch}: a training step",
        **{f"{key} ms": value for key, value in ms.items()},
        "reference / kernel": ms["reference"] / ms["kernel"],
        "chain / kernel": ms["chain"] / ms["kernel"],
        "kernel images/s": 1e3 * config.batch / ms["kernel"],
    }


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@THREADS
@JSON
@QUICK
def main(threads: int, as_json: bool, quick: bool) -> None:
    """Times a training step of T, R and B at 64²."""
    torch.set_num_threads(threads)
    report([step_row(*case, 1 if quick else 5) for case in (CASES[:1] if quick else CASES)], as_json)


if __name__ == "__main__":
    main()
