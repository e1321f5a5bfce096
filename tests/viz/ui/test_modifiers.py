# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Modifiers of keys that are pressed in slow frames."""

from collections.abc import Iterator

import pytest
from imgui_bundle import imgui

from viz.ui import modifiers

CTRL, SHIFT, ONE = imgui.Key.mod_ctrl, imgui.Key.mod_shift, imgui.Key._1


@pytest.fixture
def io() -> Iterator[imgui.IO]:
    before, context = imgui.get_current_context(), imgui.create_context()
    imgui.set_current_context(context)
    io = imgui.get_io()
    io.display_size, io.backend_flags = (
        imgui.ImVec2(64, 64),
        io.backend_flags | imgui.BackendFlags_.renderer_has_textures,
    )
    io.set_ini_filename("")
    yield io
    imgui.destroy_context(context)
    if before is not None:
        imgui.set_current_context(before)


def frame(io: imgui.IO, *events: tuple[imgui.Key, bool]) -> tuple[bool, bool, bool]:
    """Return of a frame with these events whether 1 was pressed, with Ctrl, with Shift."""
    for key, down in events:
        io.add_key_event(key, down)
    imgui.new_frame()
    found = imgui.is_key_pressed(ONE, False), modifiers.ctrl(), modifiers.shift()
    imgui.end_frame()
    return found


def test_a_modifier_that_is_let_go_in_the_frame_of_its_key_counts(io: imgui.IO) -> None:
    assert frame(io, (CTRL, True)) == (False, True, False)
    assert frame(io, (ONE, True), (CTRL, False), (ONE, False)) == (True, True, False)
    assert not io.key_ctrl, "what ImGui itself says"
    assert frame(io) == (False, False, False)
    assert frame(io, (SHIFT, True), (ONE, True), (SHIFT, False)) == (True, False, True)
    assert frame(io) == (False, False, True)
    assert frame(io, (ONE, True)) == (False, False, False)
    assert frame(io, (ONE, False)) == (False, False, False)
    assert frame(io, (ONE, True)) == (True, False, False)
