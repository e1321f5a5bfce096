# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The colours and style of all figures, and drawing them with matplotlib, without a screen.

matplotlib is loaded when something is drawn, not before: nothing else here waits for it.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan.files.atomic_write import atomic_write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

DPI = 110
# Okabe and Ito's colours, which stay apart for the colour-blind; never the only difference between two curves.
BLUE, VERMILION, GREEN, PURPLE = "#0072b2", "#d55e00", "#009e73", "#aa4499"
COLOURS = (BLUE, VERMILION, GREEN, PURPLE, "#e69f00", "#56b4e9", "#882255", "#777777")
DASHES, DOTS, NYQUIST = (0, (5, 1.5)), (0, (1, 1)), (0, (4, 2))  # line styles
MARK: dict[str, Any] = {"linestyle": "none", "markeredgecolor": "white"}  # of a point on a curve
INK, DIM, PALE = "#25272b", "#666b74", "#e3e3e0"
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "figure.titlesize": 13,
    "axes.edgecolor": DIM,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": DIM,
    "ytick.color": DIM,
    "legend.fontsize": 9,
    "legend.framealpha": 0.92,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": PALE,
    "axes.grid": True,
    "axes.axisbelow": True,
    "text.parse_math": False,  # a file's name may hold a $
}


def annotate(axes: Axes, text: str, at: Any, offset: tuple[float, float], **style: Any) -> Text:
    """Write at a place, in fractions of the axes unless `xycoords` says otherwise, moved by `offset` points."""
    return axes.annotate(text, at, offset, textcoords="offset points", **{"xycoords": "axes fraction", **style})


def draw_png(
    inches: tuple[float, float],
    fill: Callable[[Figure], None],
    *,
    layout: str | None = "constrained",
    text: Mapping[str, str] | None = None,
) -> bytes:
    """Return the figure that `fill` draws on as a PNG with the text chunks `text`."""
    import matplotlib
    from matplotlib.figure import Figure

    buffer = io.BytesIO()
    with warnings.catch_warnings(), matplotlib.rc_context({**matplotlib.rcParamsDefault, **STYLE}):
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a file may be called anything; a box stands for it then
        figure = Figure(figsize=inches, dpi=DPI, layout=layout, facecolor="white")  # type: ignore[arg-type]
        fill(figure)
        figure.savefig(buffer, format="png", metadata=dict(text or {}))
    return buffer.getvalue()


def write_png(
    path: Path, inches: tuple[float, float], fill: Callable[[Figure], None], text: Mapping[str, str] | None = None
) -> tuple[int, int]:
    """Write the figure that `fill` draws on, whole or not at all, return its width and height in pixels. OSError."""
    png = draw_png(inches, fill, text=text)
    with atomic_write(path) as temporary:
        temporary.write_bytes(png)
    return int.from_bytes(png[16:20]), int.from_bytes(png[20:24])
