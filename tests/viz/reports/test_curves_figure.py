# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Curves of runs whose numbers a logarithmic axis cannot show."""

import warnings

import numpy as np
import pytest

from viz.reports.curves_figure import RunCurves, build_curves
from viz.reports.export import encode_export


@pytest.mark.parametrize("penalty", [0.0, np.nan, np.inf])
def test_a_penalty_of_nothing_is_drawn_without_a_warning(penalty: float) -> None:
    columns = {"kimg": np.array([1.0, 2.0]), "r1": np.full(2, penalty)}
    columns |= {name: np.full(2, penalty) for name in ("loss_g", "loss_d")}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert encode_export(build_curves([RunCurves("run", columns)], log=True), ".svg").startswith(b"<?xml")
