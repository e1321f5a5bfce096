# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Write what an instrument shows: a picture, a figure for papers, or the numbers behind them (docs/exports.md).

The ending of the name decides: .png a picture, .pdf and .svg a figure, .npz every number, .csv a table of them. Each
file also says which models and settings it is of.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gan.files.atomic_write import atomic_write
from gan.files.errors import sanitize_text
from viz.reports.style import draw_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCHEMA = 1
FIGURES = (".png", ".pdf", ".svg")
NUMBERS = (".npz", ".csv")
KINDS = (*FIGURES, *NUMBERS)
WORDS = "a .png, a .pdf or .svg for papers, or a .npz or .csv of the numbers"
MOST_ROWS = 2**22  # of a table: more than spreadsheets open, and hundreds of megabytes
AT_ONCE = 4096  # rows: a window that draws meanwhile waits for so many at most


class ExportError(ValueError):
    """Something that cannot be written in this form; one sentence."""


@dataclass(frozen=True, eq=False)
class Array:
    """Numbers under a name; `unit` is "" where they are words or counts, `meaning` says what they are."""

    name: str
    values: Any
    unit: str
    meaning: str

    @property
    def title(self) -> str:
        """Return the name and the unit, the head of a table's column."""
        return f"{self.name} [{self.unit}]" if self.unit else self.name


Table = tuple[Array, ...]  # columns of one length


@dataclass(frozen=True, eq=False)
class Export:
    """A picture, figure and numbers of an instrument, ready to be written.

    `fill` draws it on an empty figure of `inches`. `pixels` uint8 [H, W, 3 or 4] are the picture itself, which a .png
    then holds in place of the figure. `table` makes the columns of a .csv.
    """

    name: str  # of a file, without its ending
    title: str
    about: Mapping[str, Any]  # models and settings, plain data
    inches: tuple[float, float]
    fill: Callable[[Figure], None]
    arrays: tuple[Array, ...]
    table: Callable[[], Table]
    pixels: np.ndarray | None = None
    layout: str | None = "constrained"

    def document(self) -> dict[str, Any]:
        """Return what every file carries as JSON: title, models and settings, units and meanings of the arrays."""
        shown = {
            array.name: {"shape": list(np.shape(array.values)), "unit": array.unit, "meaning": array.meaning}
            for array in self.arrays
        }
        return {"schema": SCHEMA, "title": self.title, "about": dict(self.about), "arrays": shown}


def check_kind(path: Path, what: str = "--out") -> None:
    """Raise ExportError unless the name's ending is one of KINDS."""
    if path.suffix.lower() not in KINDS:
        name = sanitize_text(path.name, 100) or "name"
        raise ExportError(f"{what} {name!r} must end as one of these: {WORDS}.")


def write_export(path: Path, export: Export) -> str:
    """Write a file, whole or not at all; return what is in it in a few words. Raises OSError and ExportError."""
    check_kind(path)
    kind = path.suffix.lower()
    data = encode_export(export, kind)
    with atomic_write(path) as temporary:
        temporary.write_bytes(data)
    if kind == ".csv":
        return "a table"
    if kind == ".npz":
        return f"{len(export.arrays)} arrays"
    if kind == ".png":
        return f"{int.from_bytes(data[16:20])}x{int.from_bytes(data[20:24])}"
    return f"{export.inches[0]:.1f} by {export.inches[1]:.1f} inches"


def encode_export(export: Export, kind: str) -> bytes:
    """Return the contents of a file of one of KINDS. Raises ExportError."""
    if kind == ".csv":
        return _encode_table(export)
    text = json.dumps(export.document())
    if kind == ".npz":
        arrays = {array.name: np.asarray(array.values) for array in export.arrays}
        buffer = io.BytesIO()
        np.savez_compressed(buffer, about=np.array(text), **arrays)  # type: ignore[arg-type]
        return buffer.getvalue()
    if kind == ".png" and export.pixels is not None:
        return _encode_pixels(export.pixels, {"Title": export.title, "jinc": text})
    return draw_figure(kind[1:], export.inches, export.fill, layout=export.layout, title=export.title, text=text)


def _encode_pixels(pixels: np.ndarray, text: Mapping[str, str]) -> bytes:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    info, buffer = PngInfo(), io.BytesIO()
    for key, value in text.items():
        info.add_itxt(key, value)
    Image.fromarray(pixels).save(buffer, format="PNG", pnginfo=info)
    return buffer.getvalue()


def _encode_table(export: Export) -> bytes:
    """Return a .csv: lines that begin with # say what it is, then follow names and units of the columns, and rows."""
    columns = export.table()
    rows = len(columns[0].values)
    if rows > MOST_ROWS:
        raise ExportError(f"A .csv of {rows:,} rows is more than programs open: give the name an ending in .npz.")
    settings = [f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in export.about.items()]
    lines = [export.title, *settings, *(f"{column.title}: {column.meaning}" for column in columns)]
    file = io.StringIO(newline="")
    file.writelines(f"# {sanitize_text(line, 4000)}\n" for line in lines)
    writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow([column.title for column in columns])
    for start in range(0, rows, AT_ONCE):
        part = (np.asarray(column.values[start : start + AT_ONCE]).tolist() for column in columns)
        writer.writerows(zip(*part, strict=True))
    return file.getvalue().encode()
