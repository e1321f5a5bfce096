# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The size of all letters: its steps, and the docks that grow with it."""

from imgui_bundle import ImVec2, hello_imgui, imgui

from viz.window.layout import BOTTOM_LEAST, LEFT_LEAST, MOST_BOTTOM, MOST_ENLARGED, RIGHT_LEAST

STEPS = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0)


def next_step(size: float, by: int) -> float:
    """Return the step above or below a size; the last one for the one beyond."""
    if by > 0:
        return next((step for step in STEPS if step > size), STEPS[-1])
    return next((step for step in reversed(STEPS) if step < size), STEPS[0])


def fit_docks(params: hello_imgui.RunnerParams, before: float, after: float) -> None:
    """Let the columns and the strip around the canvas keep room for their letters; their user may drag them again."""
    whole = imgui.get_main_viewport().size
    for name, axis, least in (
        ("ModelSpace", imgui.internal.Axis.x, LEFT_LEAST),
        ("RightSpace", imgui.internal.Axis.x, RIGHT_LEAST),
        ("BottomSpace", imgui.internal.Axis.y, BOTTOM_LEAST),
    ):
        found = params.docking_params.dock_space_id_from_name(name)
        node = imgui.internal.dock_builder_get_node(found) if found else None
        while node and node.parent_node and node.parent_node.split_axis != axis:
            node = node.parent_node
        if not node or not node.parent_node:
            continue  # its user put the panels elsewhere
        across = axis == imgui.internal.Axis.x
        now, room, most = (node.size.x, whole.x, MOST_ENLARGED) if across else (node.size.y, whole.y, MOST_BOTTOM)
        wanted = min(max(now * after / before, least * after), most * room)
        size = ImVec2(wanted, node.size.y) if across else ImVec2(node.size.x, wanted)
        imgui.internal.dock_builder_set_node_size(node.id_, size)
