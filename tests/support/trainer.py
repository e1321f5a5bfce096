# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The trainer's command line as a user calls it, and what its run folders hold."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from train.cli.main import main

SMALL = ("--preset=tiny", "--batch=4", "--cbase=64", "--cmax=8", "--tick=0.008", "--snap=1", "--device=cpu")


def call(*args: object) -> Result:
    """Run a command; an exception that is no exit is a defect of the program, and raised."""
    result = CliRunner().invoke(main, [str(arg) for arg in args])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def rows(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "stats.jsonl").read_text().splitlines()]
