# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Errors of processes that train together, each one sentence."""


class RanksError(ValueError):
    """Processes that cannot train together as they were told to."""


class LostRankError(RuntimeError):
    """Another process of the run failed or ended, so that this one cannot go on."""

    exit_code = 3  # of a process that ends for that reason and no own
