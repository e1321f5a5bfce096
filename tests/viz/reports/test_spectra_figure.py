# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Colours of the spectra's figure."""

from types import SimpleNamespace
from typing import Any

from viz.reports.spectra_figure import choose_colour
from viz.reports.style import BLUE, INK, VERMILION


def test_the_first_model_is_orange_and_the_second_blue_as_in_the_window() -> None:
    data, left, right = (SimpleNamespace(band=band) for band in (None, object(), object()))
    curves: Any = [left, data, right]
    assert [choose_colour(curves, index) for index in range(3)] == [VERMILION, INK, BLUE]
