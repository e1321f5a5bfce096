# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What keeps Jinc from running on this machine, or from running better, and the one command that mends each.

Needs the standard library only, whatever else is missing: see viz.invocation. What could crash or hang is asked of
processes of its own (viz.doctor.probe); the checks are functions of their answers (the check_*.py)
and return findings.
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

from viz.doctor import check_display, check_files, check_kernels, check_python
from viz.doctor.finding import OK, PROBLEM, REMARK, Finding
from viz.doctor.probe import ask

SCHEMA = 1
"""Version of the JSON form."""
WIDTH = 110  # most columns of the text
INDENT = 28  # columns before a value
LOOKING = "Looking at this machine: some seconds, or up to a minute where the CPU kernels are compiled first ..."


@dataclass(frozen=True)
class Report:
    """All findings. `runs`: "window", "offscreen" (there is no display) or "no"."""

    findings: tuple[Finding, ...]
    runs: str

    @property
    def status(self) -> int:
        """The exit status: 0 if the program will run."""
        return int(self.runs == "no")

    @property
    def summary(self) -> str:
        """One sentence."""
        count = {state: sum(finding.state == state for finding in self.findings) for state in (PROBLEM, REMARK)}
        above = " and ".join(f"{many} {state}{'' if many == 1 else 's'}" for state, many in count.items() if many)
        said = {
            "window": "Jinc runs here",
            "offscreen": "Jinc runs here, but without a window, since there is no display",
            "no": "Jinc does not run here yet",
        }[self.runs]
        return f"{said}: {above} above." if above else f"{said}."

    def json(self) -> dict[str, Any]:
        """The report as a JSON object."""
        about = {"schema": SCHEMA, "version": version(), "system": system(), "runs": self.runs, "summary": self.summary}
        return {**about, "findings": [asdict(finding) for finding in self.findings]}

    def text(self, width: int = WIDTH) -> str:
        """The report for a person: aligned, commands on lines of their own, the sum of it at the end."""
        lines = [f"Jinc {version()} on {system()}".replace("  ", " ")]
        topic = ""
        for finding in self.findings:
            if finding.topic != topic:
                topic = finding.topic
                lines += ["", topic]
            lines += _lines(finding, max(60, min(width, WIDTH)))
        return "\n".join([*lines, "", self.summary])


def _lines(finding: Finding, width: int) -> list[str]:
    mark = {PROBLEM: "problem", REMARK: "remark"}.get(finding.state, "ok")
    head = f"  {mark:<7}  {finding.title:<{INDENT - 12}} "
    margin = " " * INDENT
    wrap = {"width": width, "subsequent_indent": margin, "break_on_hyphens": False, "break_long_words": False}
    lines = textwrap.wrap(finding.value, initial_indent=head, **wrap)  # type: ignore[arg-type]
    if finding.explanation:
        lines += textwrap.wrap(finding.explanation, initial_indent=margin, **wrap)  # type: ignore[arg-type]
    if finding.command:  # never wrapped: it is there to be copied
        lines.append(f"{margin}> {finding.command}")
    return lines


def version() -> str:
    """Of Jinc, "" where it was not installed."""
    try:
        import importlib.metadata  # here: Python 3.8 has it first

        return importlib.metadata.version("jinc")
    except Exception:
        return ""


def system() -> str:
    """The operating system's name, and the processor's kind."""
    name = f"{platform.system()} {platform.release()}"
    if sys.platform == "darwin":
        name = f"macOS {platform.mac_ver()[0]}"
    elif hasattr(platform, "freedesktop_os_release"):
        try:
            name = platform.freedesktop_os_release()["PRETTY_NAME"]
        except (OSError, KeyError):
            pass
    return f"{name}, {platform.machine()}"


def examine() -> Report:
    """Look at everything: some seconds, and once up to half a minute more, where the CPU kernels are compiled first."""
    python = check_python.python()
    if python.state == PROBLEM:  # nothing else of ours would run
        return Report((python,), "no")
    with ThreadPoolExecutor() as pool:
        torch, packages = pool.submit(ask, "torch"), pool.submit(ask, "packages")
        window, bare = (pool.submit(check_display.tried, question) for question in ("window", "offscreen"))
        gpus = pool.submit(check_python.nvidia)
        have, wanted, pins = check_python.installed(), check_python.requirements(), check_python.tested()
        triton = check_python.providing("triton")
    shown, works = window.result()[0], check_display.opens(window.result()[0])
    has_display = bool(shown.facts.get("display"))
    draws = works or check_display.opens(bare.result()[0])
    computed = torch.result()

    def imported() -> list[Finding]:
        others = check_python.packages(packages.result(), have, wanted, pins)
        return [*others, check_python.torch(computed, have, wanted, pins)]

    about_packages = guarded("Python", imported)

    def files() -> list[Finding]:
        from viz.core import state

        path = state.default_path()
        left = check_files.finish_writing(path.parent)
        return [
            *check_files.places(path.parent, computed),
            check_files.state(path),
            *check_files.left_behind(computed, left),
            *check_files.models(computed),
            *([] if any(finding.state == PROBLEM for finding in about_packages) else check_files.program(computed)),
        ]

    parts: dict[str, Callable[[], list[Finding]]] = {
        "Python": lambda: [python, *about_packages],
        "Machine": lambda: [
            check_python.devices(computed, gpus.result()),
            check_python.processor(computed, check_python.cores()),
            *check_python.memory(computed),
        ],
        "Display": lambda: [
            check_display.display(shown),
            *check_display.window(*window.result(), draws),
            check_display.offscreen(*bare.result(), works),
            *check_display.beside(shown, bare.result()[0], computed, triton),
            *check_display.libraries(packages.result(), draws),
            *check_display.fonts(packages.result()),
            *check_display.dialogs(has_display),
        ],
        "Operators": lambda: [*check_kernels.operators(computed), *check_kernels.compiler(computed)],
        "Files": files,
    }
    return concluded([finding for topic, part in parts.items() for finding in guarded(topic, part)], works, draws)


def concluded(findings: list[Finding], works: bool, draws: bool) -> Report:
    """`works`: a window could be opened; `draws`: OpenGL works at least without one.

    Without a first picture, of which viz.doctor.check_files says why, nothing is known to run.
    """
    drawn = any(finding.title == "First picture" and finding.state == OK for finding in findings)
    if any(finding.state == PROBLEM for finding in findings) or not (draws and drawn):
        return Report(tuple(findings), "no")
    return Report(tuple(findings), "window" if works else "offscreen")


def guarded(topic: str, part: Callable[[], list[Finding]]) -> list[Finding]:
    """What a part finds; its own failure is a problem, since nobody knows what it would have found, not the end."""
    try:
        return part()
    except Exception as problem:
        why = f"This could not be looked at ({type(problem).__name__}: {str(problem)[:300].rstrip('.')}): report it."
        return [Finding(topic, "The doctor", "failed", PROBLEM, why)]


def run(as_json: bool) -> int:
    """Print the report; its exit status."""
    if sys.stderr is not None and sys.stderr.isatty():
        print(LOOKING, file=sys.stderr, flush=True)
    report = examine()
    if as_json:
        print(json.dumps(report.json(), indent=2))
    else:
        print(report.text(shutil.get_terminal_size((WIDTH, 24)).columns))
    return report.status
