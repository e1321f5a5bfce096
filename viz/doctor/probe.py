# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Ask questions that could crash or hang in a Python process of their own.

Importing a broken package can crash, a graphics driver can hang. So the child (probe_child.py) prints each fact as soon
as it knows it, and ends itself when a step takes too long; what it printed counts, however it ends.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from viz.invocation import ROOT

FACT_MARK = "jinc-fact "  # begins what is meant for us among all that libraries print
STEP_SECONDS = 60.0  # that a step may take if the child gives no other limit
PROBE_SECONDS = 600.0  # for all steps: a child that a driver holds in the kernel cannot end itself
KILL_SECONDS = 5.0
CHILD = "import sys; sys.path[0] = sys.argv.pop(1); from viz.doctor.probe_child import main; main(sys.argv[1])"


@dataclass(frozen=True)
class Answer:
    """A child's facts. `trouble` is a clause ("was ended by SIGSEGV") where it did not come to its end."""

    facts: dict[str, Any] = field(default_factory=dict)
    trouble: str = ""
    step: str = ""  # that it was in
    noise: tuple[str, ...] = ()  # other lines that it wrote


def ask(question: str, environment: Mapping[str, str] | None = None) -> Answer:
    """Ask a child process one of probe_child.QUESTIONS."""
    command = [sys.executable, "-c", CHILD, str(ROOT), question]
    variables = {**os.environ, **(environment or {}), "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"}
    try:
        child = subprocess.Popen(
            command, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except OSError as problem:
        return Answer(trouble=f"could not be started ({problem.strerror})")
    try:
        output, code = child.communicate(timeout=PROBE_SECONDS)[0], child.returncode
    except subprocess.TimeoutExpired as expired:
        output, code = expired.output or b"", None
        child.kill()
        with suppress(subprocess.TimeoutExpired):  # it may not be killed before the driver lets it go
            child.communicate(timeout=KILL_SECONDS)
    facts: dict[str, Any] = {}
    noise = []
    for line in output.decode("utf-8", "replace").splitlines():
        before, mark, text = line.partition(FACT_MARK)
        noise += [before.strip()] if before.strip() else []
        with suppress(ValueError, TypeError):  # two threads of the child wrote at once
            facts.update(json.loads(text) if mark else {})
    trouble = "" if "done" in facts else _describe_end(code, noise, facts.get("limit", STEP_SECONDS))
    return Answer(facts, trouble, str(facts.get("step", "start")), tuple(noise))


def _describe_end(code: int | None, noise: list[str], limit: float) -> str:
    """Return how a child ended that did not say "done", as a clause. `limit`: seconds of its last step."""
    if code is None:
        return f"did not answer within {PROBE_SECONDS:.0f} s"
    if any(line.startswith("Timeout (") for line in noise):  # as faulthandler says
        return f"did not answer within {limit:.0f} s"
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with status {code} and said nothing"
