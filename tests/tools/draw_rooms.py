# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""`python tests/tools/draw_rooms.py OUT.png`: draw the rooms and arrows of docs/architecture.md's table.

Inside a room an arrow that others imply is left out; between rooms there is one arrow for all.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import matplotlib

matplotlib.use("agg")
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from support.house import Row, rows

COLOURS = {"assets": "#8a8a8a", "cuda_ops": "#c9743f", "gan": "#3d7fb2", "train": "#4f8f58", "viz": "#8d5a9e"}
WIDTH, HEIGHT, GAP = 2.3, 0.52, 0.5  # of a box; between boxes
ROOM_X = {"train": 0.0, "gan": 8.2, "cuda_ops": 8.2, "assets": 0.0, "viz": 18.0}  # middle of a room


def reach(name: str, arrows: dict[str, set[str]]) -> set[str]:
    """Everything below a row, however far."""
    return set().union(*({below} | reach(below, arrows) for below in arrows[name]))


def floors(arrows: dict[str, set[str]]) -> dict[str, int]:
    """Floor of each row of a room: one above the highest of those that it imports."""
    found: dict[str, int] = {}
    while len(found) < len(arrows):
        for name, below in arrows.items():
            if name not in found and below <= found.keys():
                found[name] = 1 + max((found[other] for other in below), default=-1)
    return found


def box(axes: Axes, x: float, y: float, width: float, height: float, **style: object) -> None:
    axes.add_patch(FancyBboxPatch((x - width / 2, y - height / 2), width, height, boxstyle="round,pad=0.06", **style))


def arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], **style: object) -> None:
    axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", shrinkA=0, shrinkB=0, **style))


def draw_room(axes: Axes, room: str, table: list[Row], bottom: float) -> float:
    """Draw a room's rows upwards from `bottom`; return its top."""
    names = {row.name for row in table if row.room == room}
    arrows = {row.name: set(row.may_import) & names for row in table if row.room == room}
    floor_of = floors(arrows)
    count = max(floor_of.values()) + 1
    members = [sorted(name for name in names if floor_of[name] == floor) for floor in range(count)]
    step, widest = HEIGHT + GAP, max(map(len, members))
    top = bottom + count * step + 0.45
    middle = ROOM_X[room]
    box(
        axes,
        middle,
        (bottom + top) / 2,
        widest * (WIDTH + 0.3) + 0.3,
        top - bottom,
        facecolor=COLOURS[room],
        alpha=0.12,
    )
    axes.text(middle, top - 0.22, f"{room}/", ha="center", va="center", fontsize=11, weight="bold", color=COLOURS[room])
    at = {}
    for floor, row in enumerate(members):
        for index, name in enumerate(row):
            at[name] = middle + (index - (len(row) - 1) / 2) * (WIDTH + 0.3), bottom + 0.45 + floor * step
    for name, below in arrows.items():
        implied = set().union(*(reach(other, arrows) for other in below))
        for other in below - implied:
            start, end = (at[name][0], at[name][1] - HEIGHT / 2), (at[other][0], at[other][1] + HEIGHT / 2 + 0.08)
            arrow(axes, start, end, mutation_scale=9, color=COLOURS[room], alpha=0.75, linewidth=1)
    for name, (x, y) in at.items():
        box(axes, x, y, WIDTH - 0.12, HEIGHT - 0.12, facecolor=COLOURS[room], edgecolor="none", zorder=3)
        label = f"{room}/*.py" if name == room else name.removeprefix(f"{room}.")
        axes.text(x, y, label, ha="center", va="center", fontsize=8, color="white", zorder=4)
    return top


def draw(table: list[Row], out: Path) -> None:
    """Write the picture."""
    figure, axes = pyplot.subplots(figsize=(13, 8.2), dpi=110)
    top = draw_room(axes, "cuda_ops", table, 0.0)
    bottom = top + 1.0
    draw_room(axes, "gan", table, bottom)
    draw_room(axes, "train", table, bottom)
    draw_room(axes, "viz", table, 0.0)
    draw_room(axes, "assets", table, 0.0)
    style = {"mutation_scale": 22, "color": "#555555", "linewidth": 2.5, "zorder": 2}
    arrow(axes, (8.2, bottom - 0.1), (8.2, top + 0.1), **style)  # gan -> cuda_ops
    arrow(axes, (5.3, bottom + 0.4), (1.6, 1.3), **style)  # gan -> assets
    arrow(axes, (1.6, bottom + 2.7), (5.2, bottom + 2.7), **style)  # train -> gan
    arrow(axes, (13.7, bottom + 2.7), (11.9, bottom + 2.7), **style)  # viz -> gan
    arrow(axes, (13.7, 1.5), (11.0, 1.5), **style)  # viz -> cuda_ops
    axes.autoscale()
    axes.set_aspect("equal")
    axes.axis("off")
    figure.savefig(out, bbox_inches="tight")


if __name__ == "__main__":
    draw(rows(), Path(sys.argv[1] if len(sys.argv) > 1 else "rooms.png"))
