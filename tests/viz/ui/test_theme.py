# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Sizes of imgui's style under each size of letters."""

from imgui_bundle import ImVec2, imgui

from viz.ui.theme import LIGHT, Theme


def sizes(style: imgui.Style) -> dict[str, tuple[float, ...]]:
    """Every length of a style, but for imgui's memory of how often it was scaled."""
    found = {name: getattr(style, name) for name in dir(style) if not name.startswith("_")}
    pairs = {name: (size.x, size.y) for name, size in found.items() if isinstance(size, ImVec2)}
    return pairs | {name: (size,) for name, size in found.items() if isinstance(size, float)}


def test_letters_of_the_first_size_have_the_first_spaces_again() -> None:
    context = imgui.create_context()
    try:
        style, theme = imgui.get_style(), Theme()
        theme.apply()
        first = sizes(style)
        theme.text_size = 2.5
        theme.apply()
        large = sizes(style)
        assert large["cell_padding"] > first["cell_padding"] and large["font_scale_main"] == (2.5,)
        theme.use(LIGHT)
        theme.apply()
        assert sizes(style) == large, "another palette at the same size of letters"
        theme.text_size = 1.0
        theme.apply()
        assert sizes(style) == first
    finally:
        imgui.destroy_context(context)
