# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Names of metrics: each number of samples has its own, so that no figure is taken for another."""

import pytest

from gan.metrics.names import FORMS, KNOWN, Metric, parse_metric, parse_metrics


@pytest.mark.parametrize(
    ("name", "kind", "num"),
    [
        ("fid50k_full", "fid", 50_000),
        ("kid10k_full", "kid", 10_000),
        ("pr0.2k3_full", "pr", 200),
        ("pr50k3_full", "pr", 50_000),
        ("is50k", "is", 50_000),
        ("ppl2_wend", "ppl", 50_000),
        ("ppl2_wend_1.234k", "ppl", 1234),
        ("eqt50k_int", "eq_t", 50_000),
        ("eqr50k", "eq_r", 50_000),
        ("stickiness", "stickiness", 48),
    ],
)
def test_names_say_the_number(name: str, kind: str, num: int) -> None:
    assert parse_metric(name) == Metric(kind, num) and Metric(kind, num).name == name


def test_every_figure_finds_back_to_its_name() -> None:
    for kind in FORMS:
        for num in (1, 24, 999, 1000, 1234, 50_000, 1_234_567):
            assert parse_metric(Metric(kind, num).name) == Metric(kind, num)
    assert all(parse_metric(name).name in (*KNOWN, "eqt1k_int", "eqt1k_frac", "eqr1k") for name in KNOWN)


@pytest.mark.parametrize(
    "name", ["", "fid", "fid50k", "fid0k_full", "fid50k_full ", "ppl", "ppl_wend", "is-1k", "is١k"]
)
def test_other_names_are_none(name: str) -> None:
    with pytest.raises(ValueError, match="is not one of fid50k_full.*another number of thousands, such as fid10k_full"):
        parse_metric(name)


def test_one_number_a_metric() -> None:
    assert parse_metrics(["fid50k_full", "is50k", "fid10k_full"], 500) == (Metric("fid", 500), Metric("is", 500))
    with pytest.raises(ValueError, match="fid50k_full and fid10k_full are the same metric"):
        parse_metrics(["fid50k_full", "fid10k_full"])
