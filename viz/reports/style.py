# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The colours and style of all figures, and drawing them with matplotlib, without a screen.

matplotlib is loaded when something is drawn, not before: nothing else here waits for it.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

DPI = 110
PICTURE_DPI = 300  # of pictures within a PDF or SVG
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
    "pdf.fonttype": 42,  # letters as TrueType: journals refuse the other kind
    "svg.fonttype": "none",
    "svg.hashsalt": "jinc",
}


def annotate(axes: Axes, text: str, at: Any, offset: tuple[float, float], **style: Any) -> Text:
    """Write at a place, in fractions of the axes unless `xycoords` says otherwise, moved by `offset` points."""
    return axes.annotate(text, at, offset, textcoords="offset points", **{"xycoords": "axes fraction", **style})


def draw_figure(
    kind: str,
    inches: tuple[float, float],
    fill: Callable[[Figure], None],
    *,
    layout: str | None = "constrained",
    title: str = "",
    text: str = "",
) -> bytes:
    """Return the figure that `fill` draws on as a "png", "pdf" or "svg" with its title and `text`, JSON, inside.

    Letters stay letters in the last two: they can be searched, and edited. The same figure gives the same bytes.
    """
    import matplotlib
    from matplotlib.figure import Figure

    metadata: dict[str, dict[str, Any]] = {
        "png": {"Title": title, "jinc": text},
        "pdf": {"Title": title, "Subject": text, "Creator": "Jinc", "CreationDate": None},
        "svg": {"Title": title, "Description": text, "Creator": "Jinc", "Date": None},
    }
    buffer = io.BytesIO()
    with warnings.catch_warnings(), matplotlib.rc_context({**matplotlib.rcParamsDefault, **STYLE}):
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a file may be called anything; a box stands for it then
        figure = Figure(figsize=inches, dpi=DPI, layout=layout, facecolor="white")  # type: ignore[arg-type]
        fill(figure)
        dpi = DPI if kind == "png" else PICTURE_DPI
        figure.savefig(buffer, format=kind, dpi=dpi, metadata=metadata[kind])
    return buffer.getvalue()
