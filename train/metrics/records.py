# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Figures in a run folder: metric-NAME.jsonl, a line a figure, in the form that the official tools write."""

from __future__ import annotations

import json
import math
import os
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from gan.files.format import format_duration
from gan.metrics.figure import Figure
from gan.metrics.names import UNITS, parse_metrics

OPTIONS = "training_options.json"  # which makes a folder a run's


def record_name(figure: Figure) -> str:
    """Return the file's name; that of another feature network than the literature's is a part of it."""
    network = re.sub(r"[^a-z0-9]+", "-", figure.detector.lower()).strip("-")
    return f"metric-{figure.metric.name}{'-' * bool(network)}{network}.jsonl"


def append_record(run: Path, figure: Figure, seconds: float, snapshot: str) -> None:
    """Append a figure of the snapshot of this name to its file in the run folder. OSError."""
    row = {
        "results": nullify_row(figure.results),
        "metric": figure.title,
        "total_time": round(seconds, 3),
        "total_time_str": format_duration(seconds),
        "num_gpus": 1,
        "snapshot_pkl": snapshot,
        "timestamp": time.time(),
        "error": nullify(figure.error),
    }
    with (run / record_name(figure)).open("a+b") as file:
        begun = False  # a line, by a run that was killed
        if file.tell():
            file.seek(-1, os.SEEK_END)
            begun = file.read() != b"\n"
        file.write(b"\n" * begun + json.dumps(row).encode() + b"\n")


def is_measured(run: Path, snapshot: str, names: Sequence[str]) -> bool:
    """Tell whether a snapshot has figures of all metrics of these names, whatever networks they are by."""
    titles: set[str] = set()
    for path in run.glob("metric-*.jsonl"):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            with suppress(ValueError, RecursionError):  # a line that a killed run began
                row = json.loads(line)
                if isinstance(row, dict) and row.get("snapshot_pkl") == snapshot:
                    titles.add(str(row.get("metric")).partition(" (")[0])
    return {metric.name for metric in parse_metrics(names)} <= titles


def to_row(figure: Figure, seconds: float) -> dict[str, Any]:
    """Return a figure as --json has it."""
    return {
        "metric": figure.title,
        "samples": figure.metric.num,
        "results": nullify_row(figure.results),
        "error": nullify(figure.error),
        "detector": figure.detector or None,
        "seconds": round(seconds, 3),
    }


def format_figure(figure: Figure) -> str:
    """Return a figure in words: "12.34", "0.0123 ±0.0004", "precision 0.61, recall 0.45", "51.20 ±0.31 dB"."""
    unit = f" {UNITS[figure.metric.kind]}" if figure.metric.kind in UNITS else ""
    error = f" ±{figure.error:.2g}" if math.isfinite(figure.error) else ""
    if figure.metric.kind == "pr":
        return ", ".join(
            f"{part} {value:.4f}" for part, value in zip(("precision", "recall"), figure.results.values(), strict=True)
        )
    return f"{next(iter(figure.results.values())):.5g}{error}{unit}"


def nullify_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return `row` with None for numbers that are not finite."""
    return {name: nullify(value) if isinstance(value, float) else value for name, value in row.items()}


def nullify(value: float) -> float | None:
    """Return None for a number that is not finite: JSON has none."""
    return value if math.isfinite(value) else None
