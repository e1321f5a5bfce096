# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Somebody else's times, from a command of theirs that prints one JSON object, and what can be wrong with it.

    {"name": "what it is and which version", "times": {"frame-T-1024": 62.9, "training-T-256": 18.0}}

`times` are milliseconds (of training: an image) by the names of docs/gpu-checklist.md, of which any may be missing. The
object may come after other output, on a line of its own. The command is run once before our measurements and once after
them.
"""

import json
import math
import os
import shlex
import signal
import statistics
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from .rows import Row, failed, row, said, sentence

VARIABLE = "OPPONENT"
SECONDS = 120.0  # that a run of it may take
LAYERS = tuple(f"{up}-{down}-{kind}" for (up, down), kind in product(((2, 2), (4, 2)), ("separable", "radial")))
TYPES = ("float16", "bfloat16", "float32")
KERNELS = tuple(
    f"filtered_lrelu-{layer}-{dtype}{way}" for layer, dtype, way in product(LAYERS, TYPES, ("", "-gradient"))
)
FRAMES = tuple(f"frame-{letter}-{resolution}" for letter, resolution in product("TR", (256, 1024)))
TRAINING = ("training-T-256", "training-R-256")
NAMES = (*KERNELS, *FRAMES, *TRAINING)
BARS = {"frame-T-1024": 4.0} | {
    name: 1.3 for name in KERNELS if "-separable-" in name and not name.endswith("-gradient") and "bfloat" not in name
}


@dataclass(frozen=True)
class Times:
    """What one run came to: times in milliseconds, or a sentence why there are none; remarks on the rest."""

    times: Mapping[str, float] = field(default_factory=dict)
    name: str = ""
    problem: str = ""
    remarks: tuple[str, ...] = ()


def run(command: str, seconds: float = SECONDS) -> Times:
    """Run the command once. Whatever goes wrong is a sentence."""
    try:
        words = shlex.split(command)
    except ValueError as problem:
        return Times(problem=f"The opponent's command cannot be read ({problem}): {command}")
    if not words:
        return Times(problem="The opponent's command is empty.")
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=os.name == "posix",
        )
    except OSError as problem:
        return Times(problem=f"The opponent's command {words[0]} cannot be started ({problem.strerror or problem}).")
    try:
        out, err = process.communicate(timeout=max(seconds, 1.0))
    except subprocess.TimeoutExpired:
        _end(process)
        return Times(problem=f"The opponent's command did not end within {seconds:.0f} s and was stopped.")
    except BaseException:
        _end(process)
        raise
    if process.returncode:
        last = sentence(err.strip().splitlines()[-1]) if err.strip() else "It said nothing."
        return Times(problem=f"The opponent's command ended with exit status {process.returncode}: {last}")
    return parsed(out)


def _end(process: subprocess.Popen[str]) -> None:
    """With whatever it started."""
    with suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    with suppress(subprocess.TimeoutExpired, ValueError):
        process.communicate(timeout=10)


def parsed(text: str) -> Times:
    """The times in what a command printed."""
    document = _document(text)
    if document is None:
        return Times(problem="The opponent's command printed no JSON object.")
    found = document.get("times")
    if not isinstance(found, dict) or not found:
        return Times(problem='The opponent\'s JSON has no "times", an object of milliseconds by name.')
    good = {name: float(value) for name, value in found.items() if name in NAMES and _is_time(value)}
    unknown = [name for name in found if name not in NAMES]
    bad = [name for name in found if name in NAMES and name not in good]
    remarks = []
    if unknown:
        remarks.append(
            f"The opponent names {_some(unknown)}, which are not known here: docs/gpu-checklist.md has the names."
        )
    if bad:
        remarks.append(f"The opponent's times of {_some(bad)} are not milliseconds above 0.")
    name = document.get("name")
    return Times(good, name if isinstance(name, str) else "", remarks=tuple(remarks))


def _document(text: str) -> dict[str, Any] | None:
    """All of it, or the last line that is an object."""
    for candidate in (text, *reversed(text.splitlines())):
        if candidate.strip().startswith("{"):
            with suppress(ValueError, RecursionError):
                found = json.loads(candidate)
                if isinstance(found, dict):
                    return found
    return None


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def compared(before: Times, after: Times, ours: Iterable[Row]) -> list[Row]:
    """Ratios, a row a name, of the median of the two runs; a row for each thing that was wrong."""
    problems = dict.fromkeys(text for run in (before, after) for text in (run.problem, *run.remarks) if text)
    rows = [failed("opponent", problem) for problem in problems]
    mine = {found["name"]: found for found in ours if found["name"] and found["ms"]}
    title = before.name or after.name or "the opponent"
    for name in NAMES:
        theirs = [run.times[name] for run in (before, after) if name in run.times]
        if not theirs:
            continue
        if name not in mine:
            rows.append(
                row(
                    name,
                    against=f"{title}: {said(statistics.median(theirs), 'ms')}",
                    note="Ours was not measured in this run.",
                )
            )
            continue
        median, bar = statistics.median(theirs), BARS.get(name)
        ratio, caveat = median / mine[name]["ms"], mine[name].get("caveat", "")
        drift = f"Drift between its runs: {theirs[-1] / theirs[0] - 1:+.1%}." if len(theirs) == 2 else "It ran once."
        rows.append(
            row(
                name,
                mine[name]["ms"],
                against=f"{title}: {' and '.join(said(t, 'ms') for t in theirs)}",
                ratio=ratio,
                bar=f">= {bar:g} x" if bar else "",
                met=ratio >= bar if bar and not caveat else None,
                note=f"{drift} {caveat}".strip(),
            )
        )
    return rows
