# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Questions that could end or hang the process that asks them: each is put to a Python of its own, which says facts.

Importing a broken package can crash, a graphics driver can hang. So the child says each fact as soon as it knows it,
and before each step how long that may take; whatever becomes of it, what it said counts. probe_child.py answers.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from viz.invocation import ROOT

MARK = "jinc-fact "  # begins what is meant for us among all that libraries print
LIMIT = 60.0  # seconds that a step may take if it says nothing else
NOISE = 20  # last other lines that are kept
CHILD = "import sys; sys.path[0] = sys.argv.pop(1); from viz.doctor.probe_child import main; main(sys.argv[1])"


@dataclass(frozen=True)
class Answer:
    """What a child said. `trouble` is a clause ("was ended by SIGSEGV") where it did not come to its end."""

    facts: dict[str, Any] = field(default_factory=dict)
    trouble: str = ""
    step: str = ""  # that it was in
    noise: tuple[str, ...] = ()  # other lines that it wrote


def ask(question: str, environment: Mapping[str, str] | None = None, limit: float = LIMIT) -> Answer:
    """Put a question to a child process. `limit`: the seconds that a step may take that says nothing else."""
    command = [sys.executable, "-c", CHILD, str(ROOT), question]
    variables = {**os.environ, **(environment or {}), "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"}
    try:
        child = subprocess.Popen(
            command, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except OSError as problem:
        return Answer(trouble=f"could not be started ({problem.strerror})")
    lines: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_read, args=(child, lines), daemon=True).start()
    facts: dict[str, Any] = {}
    noise: list[str] = []
    try:
        for text in _until_silent(lines, facts, limit):
            before, mark, said = text.partition(MARK)
            noise += [before.strip()] if before.strip() else []
            if mark:
                facts.update(_decoded(said))
            if "done" in facts:
                break
        trouble = "" if "done" in facts else _ending(child)
    except TimeoutError as problem:
        trouble = str(problem)
    finally:
        child.kill()
    return Answer(facts, trouble, str(facts.get("step", "start")), tuple(noise[-NOISE:]))


def _read(child: subprocess.Popen[bytes], lines: queue.Queue[str | None]) -> None:
    assert child.stdout is not None
    with child.stdout as stream:
        for line in stream:
            lines.put(line.decode("utf-8", "replace"))
    lines.put(None)
    child.wait()  # or it would stay in the process table


def _until_silent(lines: queue.Queue[str | None], facts: Mapping[str, Any], limit: float) -> Iterator[str]:
    """The lines until their end; TimeoutError when a step takes longer than it may."""
    while True:
        seconds = float(facts.get("limit", limit))
        try:
            line = lines.get(timeout=seconds)
        except queue.Empty:
            raise TimeoutError(f"did not answer within {seconds:.0f} s") from None
        if line is None:
            return
        yield line


def _decoded(said: str) -> dict[str, Any]:
    try:
        document = json.loads(said)
    except ValueError:
        return {}  # two threads of the child wrote at once
    return document if isinstance(document, dict) else {}


def _ending(child: subprocess.Popen[bytes]) -> str:
    try:
        code = child.wait(timeout=10)
    except subprocess.TimeoutExpired:
        return "closed its output and did not end"
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with status {code} and said nothing"
