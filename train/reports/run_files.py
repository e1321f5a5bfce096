# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Read a run folder for its page. Files that are missing or damaged are left out, and nothing raises."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from gan.files.format import format_bytes
from train.run_folder import LOG, OPTIONS, PROGRESS, STATS

MAX_DOCUMENT, MAX_ROWS, MAX_LOG = 2**20, 2**26, 2**17  # bytes read of a file
FAKES = re.compile(r"fakes(\d{6,12})(?:-(\d{3}))?\.png")
METRIC = re.compile(r"metric-([\w.@+-]{1,80})\.jsonl")
SNAPSHOT = re.compile(r"network-snapshot-(\d{6,12})(?:-(\d{3}))?")


class Grid(NamedTuple):
    """A grid of pictures and the thousands of images after which it was drawn."""

    path: Path
    kimg: float


class RunFiles(NamedTuple):
    """A run: its options, its progress, a row a tick, its grids of fakes by age, metrics' rows by name, its log."""

    folder: Path
    options: Mapping[str, Any]
    progress: Mapping[str, Any]
    rows: list[dict[str, Any]]
    fakes: list[Grid]
    reals: Path | None
    metrics: dict[str, list[dict[str, Any]]]
    log: str


def read_run(folder: Path) -> RunFiles:
    """Read a run folder."""
    names = sorted(path.name for path in folder.iterdir())
    fakes = [Grid(folder / name, _count(found)) for name in names if (found := FAKES.fullmatch(name))]
    metrics = {found[1]: _read_rows(folder / name) for name in names if (found := METRIC.fullmatch(name))}
    return RunFiles(
        folder,
        _read_object(folder / OPTIONS),
        _read_object(folder / PROGRESS),
        [row for row in _read_rows(folder / STATS) if is_number(row.get("kimg"))],
        sorted(fakes, key=lambda grid: grid.kimg),
        folder / "reals.png" if "reals.png" in names else None,
        {name: rows for name, rows in metrics.items() if rows},
        _read_end(folder / LOG),
    )


def is_number(value: Any) -> bool:
    """Tell whether a value of a JSON file is a number that a page can show: finite, and no larger than a float's."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def find_kimg(row: Mapping[str, Any]) -> float | None:
    """Return the thousands of images of the snapshot that a metric's row is of."""
    found = SNAPSHOT.search(str(row.get("snapshot_pkl", "")))
    return _count(found) if found else None


def _count(found: re.Match[str]) -> float:
    return int(found[1]) + int(found[2] or 0) / 1000


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(limit)
    except OSError:
        return b""


def _read_end(path: Path) -> str:
    """Return the end of a text, MAX_LOG bytes, below a line that says what is left out."""
    try:
        with path.open("rb") as file:
            left_out = max(file.seek(0, os.SEEK_END) - MAX_LOG, 0)
            file.seek(left_out)
            text = file.read(MAX_LOG).decode("utf-8", "replace")
    except OSError:
        return ""
    return f"(The first {format_bytes(left_out)} are left out.)\n" + text.partition("\n")[2] if left_out else text


def _read_object(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(_read(path, MAX_DOCUMENT))
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _read_rows(path: Path) -> list[dict[str, Any]]:
    rows = []
    for line in _read(path, MAX_ROWS).splitlines():
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            rows.append(row)
    return rows
