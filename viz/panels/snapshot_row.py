# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Choose another age of a run below its path in the Model panel."""

import os
from collections.abc import Iterator

from gan.hub.cache import is_cached
from gan.hub.resolve import list_snapshots, read_age
from viz.core.state import Slot
from viz.ui import widgets
from viz.ui.context import PanelContext

TIP = "The age of this snapshot, in thousands of images seen in training. Its run folder may hold others."


def _list_others(path: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the age of each snapshot in a snapshot's folder, which is read once the first is asked for."""
    for one in list_snapshots(os.path.dirname(path)):
        yield str(one.path), f"{one.kimg} kimg"


def draw(context: PanelContext, slot: Slot, path: str) -> None:
    """Draw the age of a snapshot and the list of the others in its run folder; nothing for other models."""
    age = read_age(path)
    if age is None or is_cached(path):
        return
    widgets.label(context.theme, "age", TIP)
    # Its folder is read while the list is open, not in every frame.
    chosen = widgets.select("age", f"{age} kimg", path, _list_others(path), TIP)
    if chosen != path:
        context.models.open(slot, chosen)
