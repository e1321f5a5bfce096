# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Start the viewer: `python visualizer.py`, `python -m viz` and `jinc`.

The doctor answers even where the command line cannot be imported. So this module, viz.invocation and the doctor's own
(viz/doctor/) need the standard library only, and nothing in them is newer than Python 3.7 until the Python at hand was
found new enough.
"""

from __future__ import annotations

import sys

from viz import invocation


def main() -> None:
    """Hand over to the command line, or say in a sentence why it cannot be imported."""
    try:
        if sys.version_info < invocation.OLDEST:
            oldest, found = invocation.dotted(invocation.OLDEST), invocation.dotted(sys.version_info[:3])
            raise ImportError(f"Python {oldest} or newer is needed, and this is {found}")
        from viz.cli.main import main as command_line
    except Exception as problem:  # ImportError mostly; a package of another version fails in other ways, too
        if sys.argv[1:2] == ["doctor"]:
            from viz.doctor.report import run

            sys.exit(run(as_json="--json" in sys.argv[2:]))
        sys.exit(f"Error: {invocation.cannot_start(problem)}")
    command_line()


if __name__ == "__main__":
    main()
