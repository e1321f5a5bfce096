# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Advice after a run that diverged, by what its losses did before."""

from __future__ import annotations

import math
from collections.abc import Mapping

from train.config import TrainConfig

OVERFLOWS = 0.5  # share of a tick's steps with a gradient that overflowed, far above what float16 costs a healthy run
D_WINS, G_LOSES = 0.1, 5.0  # loss_d below and loss_g above: the discriminator is right, and certain of it
HEAVY_PENALTY = 10.0  # weighted R1 above this drowns the losses, which are near 1

Means = Mapping[str, float | None]


def advise(config: TrainConfig, now: Means, before: Means | None) -> str:
    """Return what to try, without a full stop; `before` holds the means of the last tick that was finite, or None.

    The first cause that the figures show is named. Where they show none, that is said.
    """
    if (now.get("grad_nonfinite") or 0.0) >= OVERFLOWS and config.num_fp16_res:
        return "gradients overflowed float16 in most steps: resume with --fp32"
    if config.gamma == 0:
        return "the R1 penalty is off: start a new run with a --gamma above 0"
    seen = before or now
    penalty = config.gamma / 2 * _finite(seen.get("r1"))
    if penalty > HEAVY_PENALTY:
        return (
            f"the R1 penalty was {penalty:.3g}, more than the losses themselves: start a new run with a smaller "
            f"--gamma, such as {config.gamma / 4:.3g}"
        )
    if before is None:
        precision = " --fp32," if config.num_fp16_res else ""
        return (
            "it happened in the first tick, before there was anything to compare with: start a new run with"
            f"{precision} a larger --batch or another --seed, and look at reals.png"
        )
    loss_d, loss_g = _finite(seen.get("loss_d"), math.inf), _finite(seen.get("loss_g"))
    if loss_d < D_WINS and loss_g > G_LOSES:
        return (
            f"the discriminator had won (loss_d {loss_d:.3g}, loss_g {loss_g:.3g}): start a new run with a larger "
            f"--gamma, such as {config.gamma * 4:.3g}, or with more pictures or --mirror"
        )
    if config.num_fp16_res:
        return "the losses before it show no reason: resume with --fp32, which rules out float16"
    return "the losses before it show no reason: start a new run with another --seed or a smaller or larger --gamma"


def _finite(value: float | None, default: float = 0.0) -> float:
    return value if value is not None and math.isfinite(value) else default
