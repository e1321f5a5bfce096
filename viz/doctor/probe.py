# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Ask questions that could crash or hang in a Python process of their own, with a time limit for each step.

Importing a broken package can crash, a graphics driver can hang. So the child (probe_child.py) prints each fact as soon
as it knows it, and before each step how long that may take; what it printed counts, however it ends.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from viz.invocation import ROOT

FACT_MARK = "jinc-fact "  # begins what is meant for us among all that libraries print
STEP_SECONDS = 60.0  # that a step may take if the child gives no other limit
NOISE_LINES = 20  # last other lines that are kept
CHILD = "import sys; sys.path[0] = sys.argv.pop(1); from viz.doctor.probe_child import main; main(sys.argv[1])"


@dataclass(frozen=True)
class Answer:
    """A child's facts. `trouble` is a clause ("was ended by SIGSEGV") where it did not come to its end."""

    facts: dict[str, Any] = field(default_factory=dict)
    trouble: str = ""
    step: str = ""  # that it was in
    noise: tuple[str, ...] = ()  # other lines that it wrote


def ask(question: str, environment: Mapping[str, str] | None = None, limit: float = STEP_SECONDS) -> Answer:
    """Ask a child process one of probe_child.QUESTIONS. `limit`: seconds that a step may take that sets no other."""
    command = [sys.executable, "-c", CHILD, str(ROOT), question]
    variables = {**os.environ, **(environment or {}), "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"}
    try:
        child = subprocess.Popen(
            command, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except OSError as problem:
        return Answer(trouble=f"could not be started ({problem.strerror})")
    lines: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_read_lines, args=(child, lines), daemon=True).start()
    facts: dict[str, Any] = {}
    noise: list[str] = []
    trouble = ""
    try:
        while "done" not in facts:
            limit = float(facts.get("limit", limit))
            line = lines.get(timeout=limit)
            if line is None:
                trouble = _describe_end(child)
                break
            before, mark, text = line.partition(FACT_MARK)
            noise += [before.strip()] if before.strip() else []
            facts.update(_decode(text) if mark else {})
    except queue.Empty:
        trouble = f"did not answer within {limit:.0f} s"
    finally:
        child.kill()
    return Answer(facts, trouble, str(facts.get("step", "start")), tuple(noise[-NOISE_LINES:]))


def _read_lines(child: subprocess.Popen[bytes], lines: queue.Queue[str | None]) -> None:
    """Queue a child's lines, then None. In a thread: a grandchild may hold the pipe open when the child is killed."""
    assert child.stdout is not None
    with child.stdout as stream:
        for line in stream:
            lines.put(line.decode("utf-8", "replace"))
    lines.put(None)
    child.wait()  # or it would stay in the process table


def _decode(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        return {}  # two threads of the child wrote at once
    return document if isinstance(document, dict) else {}


def _describe_end(child: subprocess.Popen[bytes]) -> str:
    """Return how a child ended that did not say "done", as a clause."""
    try:
        code = child.wait(timeout=10)
    except subprocess.TimeoutExpired:
        return "closed its output and did not end"
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code} and said nothing"
