# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Present to an audience: the canvas over the whole screen, a second window, larger letters, keys and pointer."""

from imgui_bundle import ImVec2, glfw_utils, hello_imgui, imgui, imgui_ctx

from viz.canvas.canvas import Canvas
from viz.core.state import AppState
from viz.ui import modifiers
from viz.ui.context import PanelContext, Pictures
from viz.ui.theme import PALETTES, rgb
from viz.window import text_size
from viz.window.full_screen import FullScreen
from viz.window.key_overlay import KeyOverlay
from viz.window.second_window import SecondWindow
from viz.window.uploads import CanvasUploads

FULL = "##full screen"  # the window that then holds the canvas


class Presentation:
    """The presentation of one window's canvas. All on the window's thread, once the window is open."""

    def __init__(self, state: AppState, context: PanelContext, canvas: Canvas) -> None:
        self._state, self._context, self._canvas = state, context, canvas
        self.second = SecondWindow(state, context, canvas)
        self._full: FullScreen | None = None
        self._overlay = KeyOverlay()
        self._entered = False  # full screen since the last frame

    @property
    def is_full(self) -> bool:
        """True while the canvas covers the screen."""
        return self._full is not None and self._full.is_on

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and height that the window comes back to, None while it has them."""
        return self._full.size if self._full else None

    def apply_look(self, params: hello_imgui.RunnerParams) -> None:
        """Give imgui the theme and the text size, if they are new."""
        theme, display = self._context.theme, self._state.display
        before = theme.text_size
        if theme.palette is not PALETTES[display.theme] or before != display.text_size:
            theme.use(PALETTES[display.theme])
            theme.text_size = display.text_size
            theme.apply()
            if before != display.text_size:
                text_size.fit_docks(params, before, display.text_size)
        params.imgui_window_params.background_color = rgb(theme.palette["stage"])
        params.imgui_window_params.show_menu_bar = params.imgui_window_params.show_status_bar = not self.is_full

    def toggle_full_screen(self) -> None:
        """Let the canvas cover the screen, or put the window back."""
        if self._full is None:
            self._full = FullScreen(glfw_utils.glfw_window_hello_imgui())
        self._full.toggle()
        self._entered = self._full.is_on

    def menu(self) -> None:
        """Draw the menu of all this."""
        display = self._state.display
        if not imgui.begin_menu("Present"):
            return
        if imgui.menu_item("Full screen", "F11", self.is_full)[0]:
            self.toggle_full_screen()
        if imgui.menu_item("Second window", "Shift-F11", self.second.is_open)[0]:
            self.second.toggle()
        if imgui.menu_item("Keys and pointer", "F10", display.show_keys)[0]:
            display.show_keys = not display.show_keys
        imgui.separator()
        imgui.text_disabled("Text size (Ctrl-Plus, Ctrl-Minus)")
        for step in text_size.STEPS:
            if imgui.menu_item(f"{step:g}×", "Ctrl-0" if step == 1.0 else "", display.text_size == step)[0]:
                display.text_size = step
        imgui.end_menu()

    def keys(self, *, leaves: bool) -> None:
        """Handle the keys of all this, also while a text is typed: none of them is a letter.

        Esc `leaves` full screen, unless there is something else that it closes.
        """
        io, key, display = imgui.get_io(), imgui.Key, self._state.display
        if imgui.is_key_pressed(key.f11, False):
            if modifiers.shift():
                self.second.toggle()
            else:
                self.toggle_full_screen()
        if imgui.is_key_pressed(key.f10, False):
            display.show_keys = not display.show_keys
        leaves = leaves and not imgui.is_popup_open("", imgui.PopupFlags_.any_popup)
        if self.is_full and leaves and imgui.is_key_pressed(key.escape, False) and not io.want_text_input:
            self.toggle_full_screen()
        if modifiers.ctrl() and not io.key_alt:
            up = imgui.is_key_pressed(key.equal) or imgui.is_key_pressed(key.keypad_add)
            down = imgui.is_key_pressed(key.minus) or imgui.is_key_pressed(key.keypad_subtract)
            if up or down:
                display.text_size = text_size.next_step(display.text_size, up - down)
            if imgui.is_key_pressed(key._0, False):
                display.text_size = 1.0

    def draw_full(self, pictures: Pictures) -> None:
        """Draw the canvas over the whole of the window, above its panels."""
        view, flags = imgui.get_main_viewport(), imgui.WindowFlags_
        imgui.set_next_window_pos(view.pos)
        imgui.set_next_window_size(view.size)
        if self._entered:
            imgui.set_next_window_focus()
            self._entered = False
        background = rgb(self._context.theme.palette["stage"])
        with imgui_ctx.push_style_var(imgui.StyleVar_.window_padding, ImVec2(0, 0)):
            with imgui_ctx.push_style_color(imgui.Col_.window_bg, background):
                imgui.begin(
                    FULL, None, flags.no_decoration | flags.no_docking | flags.no_move | flags.no_saved_settings
                )
        self._canvas.draw(pictures, alone=True)
        imgui.end()

    def draw_overlay(self) -> None:
        """Draw keys and pointer over everything else, if they are wanted."""
        if self._state.display.show_keys:
            self._overlay.draw(self._context.theme)

    def show_second(self, uploads: CanvasUploads) -> None:
        """Draw and present the second window, if it is open; one that cannot be drawn is closed, with a sentence."""
        try:
            self.second.show(uploads)
        except Exception as problem:
            self.second.close()
            self._context.message = f"The second window was closed, because it cannot be drawn: {problem}"

    def close(self) -> None:
        """Close the second window, while the first one's context is there."""
        self.second.close()
