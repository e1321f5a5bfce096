# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Report what keeps Jinc from running on this machine, or from running better, and the one command that fixes each.

Needs the standard library only, whatever else is missing: see viz.__main__. What could crash or hang is asked of
processes of its own (viz.doctor.probe); the checks (the check_*.py) are functions of their answers and return findings.
"""

from __future__ import annotations

import json
import platform
import shutil
import sys
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from viz.doctor import check_display, check_kernels, check_python
from viz.doctor.finding import OK, PROBLEM, REMARK, Finding, as_clause
from viz.doctor.probe import Answer, ask

JSON_SCHEMA = 1
MAX_WIDTH = 110  # columns of the text
INDENT = 28  # columns before a value
PROGRESS = "Looking at this machine: a few seconds, or up to a minute where the CPU kernels are compiled first ..."


@dataclass(frozen=True)
class Report:
    """All findings, and whether Jinc runs. `runs`: "window", "offscreen" (there is no display) or "no"."""

    findings: tuple[Finding, ...]
    runs: str

    @property
    def status(self) -> int:
        """Return the exit status: 0 if the program will run."""
        return int(self.runs == "no")

    @property
    def summary(self) -> str:
        """Return the result in one sentence."""
        count = {state: sum(finding.state == state for finding in self.findings) for state in (PROBLEM, REMARK)}
        above = " and ".join(f"{many} {state}{'' if many == 1 else 's'}" for state, many in count.items() if many)
        said = {
            "window": "Jinc runs here",
            "offscreen": "Jinc runs here, but without a window, since there is no display",
            "no": "Jinc does not run here yet",
        }[self.runs]
        return f"{said}: {above} above." if above else f"{said}."

    def json(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
        about = {"schema": JSON_SCHEMA, "version": check_python.read_version("jinc"), "system": _name_system()}
        findings = [asdict(finding) for finding in self.findings]
        return {**about, "runs": self.runs, "summary": self.summary, "findings": findings}

    def text(self, width: int = MAX_WIDTH) -> str:
        """Return the report for a person: aligned, commands on lines of their own, the summary at the end."""
        lines = [f"Jinc {check_python.read_version('jinc')} on {_name_system()}".replace("  ", " ")]
        topic = ""
        for finding in self.findings:
            if finding.topic != topic:
                topic = finding.topic
                lines += ["", topic]
            lines += _format_finding(finding, max(60, min(width, MAX_WIDTH)))
        return "\n".join([*lines, "", self.summary])


def _format_finding(finding: Finding, width: int) -> list[str]:
    margin = " " * INDENT
    lines = []
    for text, start in (
        (finding.value, f"  {finding.state:<7}  {finding.title:<{INDENT - 12}} "),
        (finding.explanation, margin),
    ):
        lines += textwrap.wrap(
            text, width, initial_indent=start, subsequent_indent=margin, break_on_hyphens=False, break_long_words=False
        )
    return [*lines, f"{margin}> {finding.command}"] if finding.command else lines  # not wrapped: it is to be copied


def _name_system() -> str:
    """Return the system's name and version, and the processor's kind."""
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]  # Linux; new in Python 3.10
    except (AttributeError, OSError, KeyError):
        return platform.platform()
    return f"{name}, {platform.machine()}"


def examine() -> Report:
    """Check everything: a few seconds, or up to a minute where the CPU kernels are compiled first."""
    python = check_python.check_python()
    if python.state == PROBLEM:  # nothing else of ours would run
        return Report((python,), "no")
    with ThreadPoolExecutor() as pool:
        asked = [pool.submit(ask, question) for question in ("torch", "packages")]
        opened = [pool.submit(check_display.try_opengl, question) for question in ("window", "offscreen")]
        triton = check_python.find_package("triton")
    torch, packages = (future.result() for future in asked)
    (shown, shown_in_software), (bare, bare_in_software) = (future.result() for future in opened)
    has_window, has_offscreen = check_display.has_drawn(shown), check_display.has_drawn(bare)
    about_packages = run_check(
        "Python", lambda: [*check_python.check_packages(packages), check_python.check_torch(torch)]
    )
    packages_work = all(finding.state != PROBLEM for finding in about_packages)  # else our own code is not to blame
    checks: dict[str, Callable[[], list[Finding]]] = {
        "Python": lambda: [check_python.check_devices(torch)],
        "Display": lambda: [
            *check_display.check_screen(shown),
            *check_display.check_opengl("Window", shown, shown_in_software, has_offscreen),
            *check_display.check_opengl("Offscreen", bare, bare_in_software, has_window),
            *check_display.check_beside_torch(shown, bare, torch, triton),
            *check_display.check_extras(packages, shown),
        ],
        "Operators": lambda: [
            *check_kernels.check_operators(torch),
            *([check_kernels.check_picture(torch)] if packages_work else []),
        ],
    }
    others = [finding for topic, check in checks.items() for finding in run_check(topic, check)]
    on_disk = run_check("Files", lambda: list_on_disk(torch))
    return conclude([python, *about_packages, *others, *on_disk], has_window, has_offscreen)


def list_on_disk(answer: Answer) -> list[Finding]:
    """Return what viz.doctor.check_files found, in the process that was asked about torch."""
    found = []
    for step in ("check_folders", "delete_left_behind", "check_models"):
        found += [Finding(**fields) for fields in answer.facts.get(step, [])]
        error = answer.facts.get(f"{step} error")
        if error:
            why = f"A look at the files failed ({as_clause(error)})."
            found.append(Finding("Files", "Not known", step.replace("_", " "), REMARK, why))
    return found


def conclude(findings: list[Finding], has_window: bool, has_offscreen: bool) -> Report:
    """Return the report; without a first picture, of which check_kernels says why, nothing is known to run."""
    drawn = any(finding.title == check_kernels.PICTURE and finding.state == OK for finding in findings)
    if any(finding.state == PROBLEM for finding in findings) or not (drawn and (has_window or has_offscreen)):
        return Report(tuple(findings), "no")
    return Report(tuple(findings), "window" if has_window else "offscreen")


def run_check(topic: str, check: Callable[[], list[Finding]]) -> list[Finding]:
    """Return what a check finds; if it fails itself, that is a problem, and the other checks still run."""
    try:
        return check()
    except Exception as problem:
        why = f"This could not be checked ({type(problem).__name__}: {as_clause(problem)}): please report it."
        return [Finding(topic, "The doctor", "failed", PROBLEM, why)]


def print_report(as_json: bool) -> int:
    """Print the report and return its exit status."""
    if sys.stderr is not None and sys.stderr.isatty():
        print(PROGRESS, file=sys.stderr, flush=True)
    report = examine()
    if as_json:
        print(json.dumps(report.json(), indent=2))
    else:
        print(report.text(shutil.get_terminal_size((MAX_WIDTH, 24)).columns))
    return report.status
