# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The benchmark runs, compares like with like, and prints what it promises; how fast anything is, no test says."""

import json
import subprocess
import sys

import pytest
import torch

from cuda_ops import bench, cpu, filtered_lrelu, upfirdn2d


def test_the_chains_compute_what_the_operators_compute():
    x, b, line, plane = torch.randn(2, 3, 17, 14), torch.randn(3), torch.randn(12), torch.randn(5, 4)
    for f in (line, plane):
        options = {"up": 2, "padding": [9, 8, 7, 10], "flip_filter": True, "gain": 1.3}
        torch.testing.assert_close(bench.chain_upfirdn2d(x, f, **options), upfirdn2d(x, f, **options))
        options = {"up": 2, "down": 2, "padding": [9, 8, 9, 8], "clamp": 0.7}
        found, expected = bench.chain_filtered_lrelu(x, line, f, b, **options), filtered_lrelu(x, line, f, b, **options)
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_references_run_while_kernels_are_switched_off():
    before = cpu.reason()
    with cpu.switched_off():
        assert cpu.library() is None and "switched off" in cpu.reason()
    assert cpu.reason() == before


@pytest.mark.slow
def test_the_benchmark_prints_every_part():
    command = [sys.executable, "-m", "cuda_ops.bench", "--quick", "--json"]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    rows = json.loads(ran.stdout)
    names = " / ".join(row["name"] for row in rows)
    parts = "threads, torch", "filtered_lrelu", "radial", "upfirdn2d", "bias_act", "T 128²", "R 128²", "A 128²", "step"
    for part in parts:
        assert part in names
    numbers = [value for row in rows for key, value in row.items() if key != "name"]
    assert all(isinstance(value, float) and value > 0 for value in numbers)
