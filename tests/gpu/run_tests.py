# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Section "tests": pytest on tests/gpu by the Python that runs this, and what came out as rows."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

from . import ROOT, environment
from .device import Choice
from .rows import Row, failed, row, sentence

SHOWN = 12  # failures that have a row
# Warnings are shown and fail nothing: what torch and numpy of another version announce is not what is asked here.
OPTIONS = ("-q", "-W", "default", "-p", "no:cacheprovider", "--tb=short", "--durations=8")


def tests(choice: Choice) -> Iterator[Row]:
    """Section "tests"."""
    if find_spec("pytest") is None:
        yield failed("tests/gpu", f"pytest is not installed for {sys.executable}: install it, or name another PYTHON.")
        return
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "tests.xml"
        extra = ["-k", "definitions"] if choice.quick else []
        command = [sys.executable, "-m", "pytest", "tests/gpu", *OPTIONS, f"--junitxml={record}", *extra]
        try:
            # Its output goes where a reader can follow it; the table alone goes to standard output.
            done = subprocess.run(command, cwd=ROOT, env=environment(), stdout=2, timeout=max(choice.left, 1))
            status = done.returncode
        except subprocess.TimeoutExpired:
            yield failed("tests/gpu", "The tests did not end in the time that is left; see how far they came above.")
            return
        if not record.exists():
            yield failed("tests/gpu", f"pytest ended with exit status {status} before any test; see above why.")
            return
        yield from outcome(record, status)


def outcome(record: Path, status: int) -> Iterator[Row]:
    """Rows from a record in JUnit's format: the counts, then each failure."""
    cases = list(ElementTree.parse(record).getroot().iter("testcase"))
    bad = [(case, problem) for case in cases for problem in (*case.findall("failure"), *case.findall("error"))]
    skipped = [found for case in cases for found in case.findall("skipped")]
    passed = len(cases) - len({id(case) for case, _ in bad}) - len(skipped)
    reasons = "; ".join(sorted({found.get("message") or "" for found in skipped}))
    skips = f"{len(skipped)} skipped: {reasons}" if skipped else ""
    good = not bad and status == 0
    yield {
        **row(
            "tests/gpu",
            passed,
            "passed",
            against=f"{len(bad)} failed",
            bar="0 failed",
            met=good if passed or not good else None,
            note=skips,
        ),
        "failed": not good,
    }
    for case, problem in bad[:SHOWN]:
        name = f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name', '')}"
        yield failed(name, sentence(problem.get("message") or "It failed."))
