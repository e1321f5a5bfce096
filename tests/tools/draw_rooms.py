# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python tests/tools/draw_rooms.py OUT.png`: draw the rooms and arrows of docs/architecture.md's table."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import matplotlib

matplotlib.use("agg")
from matplotlib import pyplot
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from support.house import Row, rows

COLOURS = {"cuda_ops": "#d9895b", "gan": "#4f8fc0", "train": "#6aa56f", "viz": "#a678b4", "assets": "#999999"}


def levels(table: list[Row]) -> dict[str, int]:
    """Floor of each row: one above the highest of those that it imports."""
    found: dict[str, int] = {}

    def floor(row: Row) -> int:
        if row.name not in found:
            found[row.name] = 1 + max((floor(by_name[name]) for name in row.may_import), default=-1)
        return found[row.name]

    by_name = {row.name: row for row in table}
    for row in table:
        floor(row)
    return found


def places(table: list[Row]) -> dict[str, tuple[float, float]]:
    """Centre of each row's box: floors upwards, and within a floor below what imports it."""
    floors = levels(table)
    by_floor: dict[int, list[Row]] = {}
    for row in table:
        by_floor.setdefault(floors[row.name], []).append(row)
    centres = {}
    for floor, members in by_floor.items():
        for index, row in enumerate(sorted(members, key=lambda row: list(COLOURS).index(row.room))):
            centres[row.name] = (2.6 * (index - (len(members) - 1) / 2), 1.5 * floor)
    return centres


def draw(table: list[Row], out: Path) -> None:
    """Write the picture."""
    centres = places(table)
    width = max(x for x, _ in centres.values()) - min(x for x, _ in centres.values()) + 3
    height = max(y for _, y in centres.values()) + 1.5
    figure, axes = pyplot.subplots(figsize=(width * 0.62, height * 0.62), dpi=130)
    for row in table:
        for name in row.may_import:
            (x0, y0), (x1, y1) = centres[row.name], centres[name]
            colour = COLOURS[row.room]
            arrow = FancyArrowPatch(
                (x0, y0 - 0.32),
                (x1, y1 + 0.32),
                arrowstyle="-|>",
                mutation_scale=8,
                color=colour,
                alpha=0.35 if row.room == name.partition(".")[0] else 0.18,
                linewidth=0.9,
            )
            axes.add_patch(arrow)
    for row in table:
        x, y = centres[row.name]
        box = FancyBboxPatch(
            (x - 1.1, y - 0.28), 2.2, 0.56, boxstyle="round,pad=0.04", facecolor=COLOURS[row.room], edgecolor="none"
        )
        axes.add_patch(box)
        axes.text(x, y, row.name, ha="center", va="center", fontsize=7, color="white")
    axes.set_xlim(min(x for x, _ in centres.values()) - 1.4, max(x for x, _ in centres.values()) + 1.4)
    axes.set_ylim(-0.7, height - 0.7)
    axes.set_aspect("equal")
    axes.axis("off")
    figure.savefig(out, bbox_inches="tight")


if __name__ == "__main__":
    draw(rows(), Path(sys.argv[1] if len(sys.argv) > 1 else "rooms.png"))
