# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""python -m gpu.report, or `make gpu`: runs the GPU's tests, measurements and memory checker, and prints one table.

Each section has a process of its own and a time limit: a kernel that goes wrong takes its section along and nothing
else. What goes on is said on stderr, the table is printed at the end; with --out and --json it is also written after
every section.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from time import monotonic

import click
import torch

from . import ROOT, environment, opponent, program
from .device import Choice, header, missing
from .rows import Row, as_json, cells, document, failed, write

# Name: (module, what yields its rows, seconds that it may take). In this order.
SECTIONS: dict[str, tuple[str, str, float]] = {
    "tests": ("run_tests", "tests", 240.0),
    "frames": ("measure.frames", "frames", 150.0),
    "kernels": ("measure.operators", "kernels", 90.0),
    "bandwidth": ("measure.operators", "bandwidth", 90.0),
    "start": ("measure.start", "start", 90.0),
    "training": ("measure.training", "training", 120.0),
    "memory": ("checker", "memory", 200.0),
}
OPPONENT = "opponent"
SECONDS = 510.0


def say(text: str) -> None:
    click.echo(text, err=True)
    sys.stderr.flush()


def rows_of(section: str, choice: Choice) -> Iterator[Row]:
    """A section's rows, in this process; a failure is its last row."""
    module, name, _ = SECTIONS[section]
    try:
        found: Callable[[Choice], Iterator[Row]] = getattr(import_module(f".{module}", __package__), name)
        yield from found(choice)
    except Exception as problem:
        yield failed(section, problem)


def section_here(section: str, choice: Choice, record: Path) -> None:
    """What a section's process does: write each row at once, and say it."""
    with record.open("a", encoding="utf-8") as file:
        for found in rows_of(section, choice):
            found["section"] = section
            file.write(json.dumps(found, allow_nan=False) + "\n")
            file.flush()
            say("  " + " | ".join(filter(None, cells(found)[1:])))


def section_apart(section: str, choice: Choice, seconds: float) -> list[Row]:
    """The rows of a section run in a process of its own, as many as it came to within `seconds`."""
    if seconds < 1:
        return [{**failed(section, "Left out: the time was used up; --only runs it alone."), "section": section}]
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "rows.jsonl"
        arguments = ["--device", str(choice.device), "--seconds", f"{seconds:.1f}", "--section", section, str(record)]
        command = program("report", *(["--quick"] if choice.quick else []), *arguments)
        process = subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=2, start_new_session=os.name == "posix")
        problem = ""
        try:
            status = process.wait(seconds + 5)  # it looks at the clock itself; this is for one that hangs
            problem = f"Its process ended with exit status {status}; see above why." if status else ""
        except subprocess.TimeoutExpired:
            problem = f"It did not end within {seconds:.0f} s and was stopped."
        finally:
            end(process)
        rows = [json.loads(line) for line in _lines(record)]
    if problem or not rows:
        rows.append({**failed(section, problem or "It came to nothing."), "section": section})
    return rows


def end(process: subprocess.Popen) -> None:
    """With all that it started."""
    if process.poll() is None:
        with suppress(OSError):
            if os.name == "posix":
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
    process.wait()


def _lines(record: Path) -> list[str]:
    """Whole lines: the last may have been cut off."""
    text = record.read_text(encoding="utf-8") if record.exists() else ""
    return [line for line in text.splitlines(keepends=True) if line.endswith("\n")]


class Report:
    """Rows as they come, and the files that they are kept in."""

    def __init__(self, above: dict[str, str], out: Path | None, json_file: Path | None) -> None:
        self.above, self.rows, self.out, self.json_file = above, [], out, json_file

    def add(self, rows: list[Row], section: str) -> None:
        self.rows += [{**found, "section": section} for found in rows]
        for path, text in ((self.out, document), (self.json_file, as_json)):
            if path:
                try:
                    write(path, text(self.above, self.rows))
                except OSError as problem:
                    say(f"{path} cannot be written ({problem.strerror or problem}); the table is printed at the end.")

    @property
    def bad(self) -> bool:
        return any(found.get("failed") for found in self.rows)


def section_together(section: str, choice: Choice) -> list[Row]:
    """The rows of a section run in this process, without a limit."""
    with tempfile.TemporaryDirectory() as folder:
        record = Path(folder) / "rows.jsonl"
        section_here(section, choice, record)
        return [json.loads(line) for line in _lines(record)]


def measure(
    report: Report, sections: tuple[str, ...], choice: Choice, seconds: float, command: str, together: bool
) -> None:
    """Run what was asked for, an opponent before and after it."""
    until, before, limit = monotonic() + seconds, None, min(opponent.SECONDS, seconds / 5)
    if command:
        say("opponent, before ...")
        began = monotonic()
        before = opponent.run(command, limit)
        until -= min(limit, 1.2 * (monotonic() - began) + 1)  # it runs again
    if together:  # triton's library, which training loads by this, must be there before Mesa's, which windows load
        import_module("torch._dynamo")
    for section in sections:
        say(f"{section} ...")
        allowed = min(SECTIONS[section][2], until - monotonic())
        rows = section_together(section, choice) if together else section_apart(section, choice, allowed)
        report.add(rows, section)
    if before is not None:
        say("opponent, after ...")
        report.add(opponent.compared(before, opponent.run(command, limit), report.rows), OPPONENT)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--device", default="cuda", show_default=True, help="cpu only tries this program out, at tiny sizes.")
@click.option("--quick", is_flag=True, help="Few cases and rounds.")
@click.option("--seconds", default=SECONDS, show_default=True, type=click.FloatRange(1), help="For all of it.")
@click.option("--only", multiple=True, type=click.Choice(list(SECTIONS)), help="This section; several times: these.")
@click.option(
    "--opponent",
    "command",
    envvar=opponent.VARIABLE,
    default="",
    help="A command that prints its times as JSON, run before and after: docs/gpu-checklist.md.",
)
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="The same as JSON.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The same as Markdown.")
@click.option("--together", is_flag=True, help="All in one process, without time limits: to look for a mistake.")
@click.option("--section", nargs=2, hidden=True, default=None)
def main(
    device: str,
    quick: bool,
    seconds: float,
    only: tuple[str, ...],
    command: str,
    json_file: Path | None,
    out: Path | None,
    together: bool,
    section: tuple[str, str] | None,
) -> None:
    """Run the tests of tests/gpu, measure, watch the kernels with the memory checker, and print one Markdown table.

    Exit status 1: a test failed, the memory checker found something, or a section could not be run; all the others were
    run nevertheless. A bar that is missed is in the table and does not change it.
    """
    choice = Choice(torch.device(device), quick, monotonic() + seconds)
    why = missing() if choice.device.type == "cuda" else None
    if why:
        raise click.ClickException(f'{why} Nothing was run; ARGS="--device cpu" only tries the program out.')
    if section:
        section_here(section[0], choice, Path(section[1]))
        return
    report = Report(header(choice), out, json_file)
    for key, value in report.above.items():
        say(f"{key}: {value}")
    try:
        measure(report, only or tuple(SECTIONS), choice, seconds, command, together)
    finally:  # what there is, even if somebody has had enough
        click.echo(document(report.above, report.rows))
    if report.bad:
        sys.exit(1)


if __name__ == "__main__":
    main()
