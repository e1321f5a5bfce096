# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Sizes of imgui's style under each size of letters."""

import pytest
from imgui_bundle import ImVec2, ImVec4, imgui

from viz.ui.theme import DARK, LIGHT, Palette, Theme


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


def _contrast(one: ImVec4, other: ImVec4) -> float:
    """The ratio of WCAG 2: 1 of equal colours, 21 of black and white; 4.5 is what text needs."""

    def luminance(colour: ImVec4) -> float:
        parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in list(colour)[:3]]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", [DARK, LIGHT])
def test_digits_are_read_over_the_knob_of_a_slider_and_the_knob_is_seen(palette: Palette) -> None:
    context = imgui.create_context()
    try:
        Theme(palette).apply()
        style, col = imgui.get_style(), imgui.Col_
        for knob in (col.slider_grab, col.slider_grab_active):
            assert _contrast(style.color_(knob), style.color_(col.text)) >= 4.5
            assert _contrast(style.color_(knob), style.color_(col.frame_bg)) >= 2.0
    finally:
        imgui.destroy_context(context)
