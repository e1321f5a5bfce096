# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Names of the equivariance metrics, for command lines and panels, which do not import torch."""

METRICS = ("eq_t", "eq_t_frac", "eq_r")
TITLES = {"eq_t": "EQ-T", "eq_t_frac": "EQ-T_frac", "eq_r": "EQ-R"}
MIN_SAMPLES = 24  # samples before a standard error is trusted to end a measurement
