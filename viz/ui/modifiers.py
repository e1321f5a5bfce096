# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Modifiers as a key met them: a slow frame can hold its press and the release of Ctrl together."""

from imgui_bundle import imgui


def ctrl() -> bool:
    """Tell whether Ctrl (Cmd on a Mac) is held, or was let go in this very frame."""
    return imgui.get_io().key_ctrl or imgui.is_key_released(imgui.Key.mod_ctrl)


def shift() -> bool:
    """Tell the same of Shift."""
    return imgui.get_io().key_shift or imgui.is_key_released(imgui.Key.mod_shift)
