# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The benchmark runs, compares like with like, and prints what it promises; how fast anything is, no test says."""

import json
import os
import subprocess
import sys
import time

import pytest
import torch
from click.testing import CliRunner

import gan.bench
import train.bench
from cuda_ops import bench, filtered_lrelu, upfirdn2d
from cuda_ops.cpu import loader as cpu


def test_the_chains_compute_what_the_operators_compute():
    x, b, line, plane = torch.randn(2, 3, 17, 14), torch.randn(3), torch.randn(12), torch.randn(5, 4)
    for f in (line, plane):
        options = {"up": 2, "padding": [9, 8, 7, 10], "flip_filter": True, "gain": 1.3}
        torch.testing.assert_close(bench.chain_upfirdn2d(x, f, **options), upfirdn2d(x, f, **options))
        options = {"up": 2, "down": 2, "padding": [9, 8, 9, 8], "clamp": 0.7}
        found, expected = bench.chain_filtered_lrelu(x, line, f, b, **options), filtered_lrelu(x, line, f, b, **options)
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_references_run_while_kernels_are_switched_off():
    before = cpu.explain()
    with cpu.switched_off():
        assert cpu.load_library() is None and "switched off" in cpu.explain()
    assert cpu.explain() == before


def test_text_comes_row_by_row(capsys):
    def rows():
        yield {"name": "first", "rounds": 3, "kernel ms": 1.5}
        assert "first\n" in capsys.readouterr().out, "printed before the second is timed"
        yield {"name": "second", "rounds": 3, "kernel ms": 2.5}

    bench.report(bench.header(False), rows(), as_json=False)
    assert capsys.readouterr().out.split() == ["second", "rounds", "3", "kernel", "ms", "2.50"]


@pytest.mark.parametrize("rounds", [1, 3])
def test_what_is_timed_is_said_on_stderr(capsys, rounds):
    calls = []
    assert bench.medians("a case", {"kernel": lambda: calls.append(time.sleep(0.03))}, rounds)["kernel"] >= 30
    assert capsys.readouterr() == ("", "timing a case ...\n")
    assert len(calls) == (1 if rounds == 1 else 2 + rounds), "a single round is not warmed up for"


def test_the_header_says_what_the_figures_are_worth(capsys, monkeypatch):
    monkeypatch.setattr(os, "getloadavg", lambda: (1.234, 5.0, 6.0), raising=False)
    header = bench.header(True)
    assert header["quick"] == "quick: a check that it runs, not a measurement"
    assert (header["load average before"], header["processors"]) == (1.23, os.cpu_count())
    bench.report(header, [], as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "# quick: a check that it runs, not a measurement"
    assert {"# load average before: 1.23", f"# kernels: {cpu.explain()}"} <= set(lines)
    chain = "upsampling, leaky ReLU and downsampling as general convolutions, as the official code does on a CPU."
    assert f"# chain: {chain}" in lines
    assert "quick" not in bench.header(False)
    monkeypatch.delattr(os, "getloadavg")
    bench.report(bench.header(False), [], as_json=False)
    assert "# load average before: unknown" in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("command", [bench.main, train.bench.main])
def test_help_defines_the_terms(command):
    text = " ".join(CliRunner().invoke(command, ["--help"]).stdout.split())
    assert all(term in text for term in bench.TERMS)


def test_json_is_one_object_of_all_parts(monkeypatch):
    for part in (bench, gan.bench, train.bench):
        row = {"name": part.__name__, "rounds": 1, "kernel ms": 1.0}
        monkeypatch.setattr(part, "rows", lambda quick, row=row: iter([row] if quick else []))
    arguments = ["--quick", "--json", f"--threads={torch.get_num_threads()}"]
    parts = ["cuda_ops.bench", "gan.bench", "train.bench"]
    for only, names in (([], parts), (["--only=training"], ["train.bench"])):
        ran = CliRunner().invoke(bench.main, [*arguments, *only], catch_exceptions=False)
        result = json.loads(ran.stdout)
        assert set(result) == {"header", "rows"} and [row["name"] for row in result["rows"]] == names
        assert result["header"]["quick"] == bench.QUICK_NOTE


@pytest.mark.slow
def test_the_benchmark_prints_every_part():
    command = [sys.executable, "-m", "cuda_ops.bench", "--quick", "--json"]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout)
    assert result["header"]["quick"] == bench.QUICK_NOTE
    names = " / ".join(row["name"] for row in result["rows"])
    for part in ("filtered_lrelu", "radial", "upfirdn2d", "bias_act", "T 128²", "R 128²", "A 128²", "step"):
        assert part in names
    numbers = [value for row in result["rows"] for key, value in row.items() if key not in ("name", "rounds")]
    assert all(isinstance(value, float) and value > 0 for value in numbers)
    assert all(f"timing {row['name']} ..." in ran.stderr for row in result["rows"])
