# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Colours and fonts: quiet surfaces, one accent a slot, numbers in a monospaced face."""

import os
from pathlib import Path

from imgui_bundle import ImVec2, ImVec4, hello_imgui, imgui

from viz.core.state import SLOTS, Slot

TEXT_SIZE = 15.0
MONO_SIZE = 15.5
LARGE = 2.0  # text sizes with which tabs are not all in sight
GROWTH = 0.4  # of the space around letters as they grow: large ones need the room
FONTS = PLAIN_FONT, MONO_FONT = ("fonts/Roboto/Roboto-Regular.ttf", "fonts/Inconsolata-Medium.ttf")  # imgui-bundle's
# Where systems keep a font with Chinese, Japanese and Korean letters: the bundled ones have none, paths may.
CJK_FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-sans-cjk-vf-fonts/NotoSansCJK-VF.ttc",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
    "/System/Library/Fonts/PingFang.ttc",
    "/System/Library/Fonts/Hiragino Sans GB.ttc",
    "{WINDIR}/Fonts/msyh.ttc",
    "{WINDIR}/Fonts/msgothic.ttc",
)


def rgb(code: str, alpha: float = 1.0) -> ImVec4:
    """Return the colour "#rrggbb"."""
    red, green, blue = (int(code[i : i + 2], 16) / 255.0 for i in (1, 3, 5))
    return ImVec4(red, green, blue, alpha)


Palette = dict[str, str]  # "#rrggbb" by name
COLOURS = {  # dark, light
    "window": ("#1c1d20", "#f4f4f2"),  # panels
    "stage": ("#121315", "#e3e3e0"),  # behind the pictures
    "checks": ("#2e3035", "#ffffff"),  # the squares behind transparent pictures, in turn with "gaps"
    "gaps": ("#45484f", "#d3d3cf"),
    "field": ("#27292d", "#e6e6e3"),  # inputs
    "hover": ("#32353a", "#dadad6"),
    "active": ("#3d4147", "#cbcbc6"),
    "knob": ("#5c626d", "#949490"),  # of sliders, beneath their digits: both are to be read
    "border": ("#2b2d31", "#d6d6d2"),
    "text": ("#dcdee2", "#25272b"),
    "dim": ("#8d929b", "#666b74"),  # labels and units
    "left": ("#e3a24a", "#b06a0c"),  # the slots' accents
    "right": ("#57b0e3", "#1a74b0"),
    "warning": ("#d9b95c", "#8a6a00"),
    "error": ("#e8776d", "#b8372c"),
    "cutoff": ("#7aa2ff", "#2f5fd0"),  # f_c, wherever it is drawn
    "stopband": ("#5cc98b", "#14804a"),  # f_t
}
DARK, LIGHT = ({name: pair[theme] for name, pair in COLOURS.items()} for theme in (0, 1))
PALETTES = {"dark": DARK, "light": LIGHT}


class Theme:
    """Colours and fonts that panels draw with. `mono` is None until the window has loaded its fonts."""

    def __init__(self, palette: Palette = DARK) -> None:
        self.mono: imgui.ImFont | None = None
        self.text_size = 1.0
        self.use(palette)

    def use(self, palette: Palette) -> None:
        """Take the colours of `palette`; `apply` gives them to imgui."""
        self.palette = palette
        self.text, self.dim = rgb(palette["text"]), rgb(palette["dim"])
        self.warning, self.error = rgb(palette["warning"]), rgb(palette["error"])
        self.accent: dict[Slot, ImVec4] = {slot: rgb(palette[slot]) for slot in SLOTS}

    def load_fonts(self) -> None:
        """Load the fonts; called once by the runner, before the first frame.

        They come with imgui-bundle, East Asian letters with the system, where it has them. Glyphs are drawn when they
        are first needed, so a large font costs little.
        """
        plain = hello_imgui.FontLoadingParams()
        hello_imgui.load_font(PLAIN_FONT, TEXT_SIZE, plain)
        system = cjk_font()
        if system is not None:
            merged = hello_imgui.FontLoadingParams(merge_to_last_font=True, inside_assets=False)
            hello_imgui.load_font(str(system), TEXT_SIZE, merged)
        self.mono = hello_imgui.load_font(MONO_FONT, MONO_SIZE, plain)

    def apply(self) -> None:
        """Set imgui's style: call with a live imgui context, at start and when the theme changes."""
        style = imgui.get_style()
        (imgui.style_colors_light if self.palette is LIGHT else imgui.style_colors_dark)(style)
        _shape(style)
        style.scale_all_sizes(1.0 + GROWTH * (self.text_size - 1.0))
        style.font_scale_main = self.text_size
        if self.text_size >= LARGE:  # tabs keep their words, and scroll; a list of them all is at the left
            style.tab_min_width_shrink = 1000.0
            style.window_menu_button_position = imgui.Dir.left
        _paint(style, self.palette)


def cjk_font() -> Path | None:
    """Return the system's font with Chinese, Japanese and Korean letters; None if it is in none of the usual places."""
    places = (Path(name.format(WINDIR=os.environ.get("WINDIR", "C:/Windows"))) for name in CJK_FONTS)
    return next((path for path in places if os.access(path, os.R_OK)), None)


def _shape(style: imgui.Style) -> None:
    """Set all sizes, also imgui's own: `scale_all_sizes` multiplies what it finds, which an earlier call has scaled."""
    fresh = imgui.Style()
    for name in dir(fresh):
        if isinstance(size := getattr(fresh, name), float | ImVec2) and not name.startswith(("_", "font_")):
            setattr(style, name, size)
    style.window_padding = ImVec2(12, 10)
    style.frame_padding = ImVec2(8, 4)
    style.item_spacing = ImVec2(8, 7)
    style.item_inner_spacing = ImVec2(6, 4)
    style.window_rounding = 0
    style.child_rounding = style.frame_rounding = style.popup_rounding = style.grab_rounding = 4
    style.tab_rounding = 3
    style.window_border_size = 0
    style.frame_border_size = 0
    style.tab_bar_border_size = 0
    style.tab_bar_overline_size = 0
    style.docking_separator_size = 2
    style.docking_node_has_close_button = False  # a tab has its own, seen when the pointer is on it
    style.tab_close_button_min_width_selected = 0.0
    style.tab_min_width_shrink = 40.0  # tabs share the width rather than scroll
    style.scrollbar_size = 10
    style.grab_min_size = 10
    style.separator_text_padding = ImVec2(0, 6)
    style.separator_text_border_size = 1
    style.window_menu_button_position = imgui.Dir.none
    style.hover_delay_normal = 0.5


# What is painted in which of the palette's colours.
ROLES = {
    "window": "window_bg tab_selected tab_dimmed_selected docking_empty_bg",
    "stage": "title_bg title_bg_active title_bg_collapsed menu_bar_bg tab tab_dimmed",
    "field": "frame_bg button popup_bg header tab_hovered",
    "hover": "frame_bg_hovered button_hovered header_hovered",
    "active": "frame_bg_active button_active header_active scrollbar_grab checkbox_selected_bg",
    "border": "border separator table_border_light table_border_strong",
    "text": "text check_mark input_text_cursor",
    "knob": "slider_grab slider_grab_active",
    "dim": "text_disabled separator_hovered separator_active resize_grip_hovered "
    "resize_grip_active nav_cursor plot_histogram",
}


def _paint(style: imgui.Style, palette: Palette) -> None:
    col = imgui.Col_
    for name, roles in ROLES.items():
        for role in roles.split():
            style.set_color_(col[role], rgb(palette[name]))
    for clear in (col.scrollbar_bg, col.resize_grip, col.border_shadow):
        style.set_color_(clear, rgb(palette["window"], 0.0))
    for pale in (col.text_selected_bg, col.docking_preview):
        style.set_color_(pale, rgb(palette["dim"], 0.35))
