# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Start the viewer: `python visualizer.py`, `python -m viz` and `jinc`.

The doctor answers even where the command line cannot be imported. So this module, viz.invocation and viz/doctor/ need
the standard library only, in syntax that Python 3.7 parses, and call nothing newer before its version is known.
"""

from __future__ import annotations

import sys

from viz import invocation


def main() -> None:
    """Run the command line, or exit with a sentence that says why it cannot be imported."""
    try:
        if sys.version_info < invocation.OLDEST_PYTHON:
            oldest, found = (
                ".".join(map(str, version)) for version in (invocation.OLDEST_PYTHON, sys.version_info[:3])
            )
            raise ImportError(f"Python {oldest} or newer is needed, and this is {found}")
        from viz.cli.main import main as command_line
    except Exception as problem:  # ImportError mostly; a package of another version fails in other ways, too
        if sys.argv[1:2] == ["doctor"]:
            from viz.doctor.report import print_report

            sys.exit(print_report(as_json="--json" in sys.argv[2:]))
        sys.exit(f"Error: {invocation.describe_failed_start(problem)}")
    command_line()


if __name__ == "__main__":
    main()
