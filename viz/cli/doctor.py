# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python visualizer.py doctor`: check whether Jinc runs on this machine, and name the fix for what does not."""

import sys

import click

from gan.cli.command import Command
from viz.doctor.report import print_report


@click.command(cls=Command)
@click.option("--json", "as_json", is_flag=True, help="Print the same as a JSON object, for other programs.")
def doctor(as_json: bool) -> None:
    """Say what keeps Jinc from running here, and how to fix it.

    Looks at Python and its packages, torch and its devices, OpenGL on the display and without one, the operators and
    why no faster ones run, fonts, folders, disk space and the bundled models. Deletes what killed processes left
    behind. Compiles the CPU kernels if that was not done yet.

    Works even where the other commands cannot be imported. The exit status is 0 if the program will run, with a window
    or, where there is no display, without one; else it is 1.

    \b
    Examples:
      python visualizer.py doctor
      python visualizer.py doctor --json > report.json       to send along with a question
    """
    sys.exit(print_report(as_json))
