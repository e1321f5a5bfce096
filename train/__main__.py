# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python -m train`: the same command line as train.py, and what --gpus starts (train.ranks.launcher)."""

import os
import sys

from train.cli.main import main
from train.ranks.launcher import is_rank


def run() -> None:
    """Run the command line; one of several processes ends at once when it is done, without Python's own clearing up.

    While the interpreter was taken down, a thread of gloo's was once seen to abort a process that had stopped properly.
    """
    try:
        main()
    except SystemExit as end:
        if is_rank() and (end.code is None or isinstance(end.code, int)):
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(end.code or 0)
        raise


if __name__ == "__main__":
    run()
