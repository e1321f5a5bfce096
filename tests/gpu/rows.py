# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Rows of the report: one shape for all sections, as JSON and as one Markdown table."""

import json
import math
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]

COLUMNS = ("section", "case", "ours", "compared with", "ratio", "error", "bar", "met", "note")
LENGTH = 300  # characters of a note


def row(
    case: str,
    value: float | None = None,
    unit: str = "ms",
    *,
    against: str = "",
    ratio: float | None = None,
    error: float | None = None,
    bar: str = "",
    met: bool | None = None,
    note: str = "",
    name: str = "",
    ms: float | None = None,
) -> Row:
    """What was found about a case.

    `ratio`: how many times the other's figure, or a share; `error`: max |ours - reference| / max |reference|; `bar`:
    what is claimed, `met` whether it holds; `name`: what an opponent calls it (docs/gpu-checklist.md);
    `ms`: what is compared with theirs, the value where it has this unit.
    """
    return {
        "case": case,
        "value": _number(value),
        "unit": unit,
        "compared with": against,
        "ratio": _number(ratio),
        "error": _number(error),
        "bar": bar,
        "met": met,
        "note": note,
        "name": name,
        "ms": _number(value if unit == "ms" else ms),
    }


def failed(case: str, why: BaseException | str) -> Row:
    """A row in place of figures: one sentence why there are none. `failed` makes the report's exit status 1."""
    return {**row(case, note=sentence(why)), "failed": True}


def sentence(why: BaseException | str) -> str:
    """The first line of what went wrong, as a sentence."""
    text = why if isinstance(why, str) else f"{type(why).__name__}: {why}" if str(why) else type(why).__name__
    line = " ".join(next((line for line in text.splitlines() if line.strip()), "it failed").split())
    line = line if len(line) <= LENGTH else line[: LENGTH - 3] + "..."
    return line if line.endswith((".", "!", "?")) else line + "."


def _number(value: float | None) -> float | None:
    """None for what JSON cannot hold."""
    return None if value is None or not math.isfinite(value) else float(value)


def said(value: float | None, unit: str = "") -> str:
    """Four digits at most, and the unit."""
    if value is None:
        return ""
    text = f"{value:.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:.3g}"
    return f"{text} {unit}".strip()


def cells(found: Row) -> list[str]:
    """A row's cells, in the order of COLUMNS."""
    met = {True: "yes", False: "**no**", None: ""}[found["met"]]
    error = "" if found["error"] is None else f"{found['error']:.1e}"
    texts = (
        found.get("section", ""),
        found["case"],
        said(found["value"], found["unit"]),
        found["compared with"],
        said(found["ratio"]),
        error,
        found["bar"],
        met,
        found["note"],
    )
    return [str(text).replace("|", "\\|").replace("\n", " ") for text in texts]


def table(rows: Iterable[Row]) -> str:
    """The Markdown table."""
    lines = [list(COLUMNS), ["---"] * len(COLUMNS), *map(cells, rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def document(header: Mapping[str, str], rows: Sequence[Row]) -> str:
    """Header and table as Markdown."""
    return "".join(f"- {key}: {value}\n" for key, value in header.items()) + "\n" + table(rows)


def write(path: Path, text: str) -> None:
    """Whole or not at all. OSError."""
    handle, passing = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.absolute().parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(passing, path)
    except BaseException:
        Path(passing).unlink(missing_ok=True)
        raise


def as_json(header: Mapping[str, str], rows: Sequence[Row]) -> str:
    return json.dumps({"header": dict(header), "rows": list(rows)}, indent=1, allow_nan=False) + "\n"
