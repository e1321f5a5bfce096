# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The keys that are pressed as caps, and a ring around the pointer: for an audience, and for screencasts."""

import time

from imgui_bundle import ImVec2, imgui

from viz.ui import fitting
from viz.ui.theme import Theme, rgb

SECONDS = 1.2  # for which a key that was let go is still seen
FADING = 0.4  # of them
MOST = 6  # caps at once
CAP = 1.5  # height of its letters, in font sizes
RING = 1.5  # radius, in font sizes
BUTTONS = ("Left button", "Right button", "Middle button")
MODIFIERS = ("Ctrl", "Shift", "Alt", "Super")
SPOKEN = {
    "LeftArrow": "Left",
    "RightArrow": "Right",
    "UpArrow": "Up",
    "DownArrow": "Down",
    "Comma": ",",
    "Period": ".",
    "Slash": "/",
    "Equal": "=",
    "Minus": "-",
}


class KeyOverlay:
    """The keys pressed last; call `draw` once a frame while the overlay is wanted."""

    def __init__(self) -> None:
        self.caps: dict[str, float] = {}  # what is shown, oldest first, with the time at which it was last held
        self._held: list[str] = []

    def draw(self, theme: Theme) -> None:
        """Take note of what is held, and draw it over everything else."""
        now = time.monotonic()  # one time for both: a key is held if it was noted at this very time
        self._note(now)
        self._draw_caps(theme, now)
        self._draw_pointer(theme)

    def _note(self, now: float) -> None:
        before, self._held = self._held, list_held()
        for text in self._held:
            if text not in before:
                self.caps.pop(text, None)  # pressed anew, it goes to the end
            self.caps[text] = now
        self.caps = {text: at for text, at in self.caps.items() if now - at < SECONDS}
        while len(self.caps) > MOST:
            self.caps.pop(next(iter(self.caps)))

    def _draw_caps(self, theme: Theme, now: float) -> None:
        """Draw a row of caps at the foot of the window, in its middle."""
        em, view = imgui.get_font_size(), imgui.get_main_viewport()
        draw, size = imgui.get_foreground_draw_list(), CAP * em
        pad, gap = ImVec2(0.55 * em, 0.3 * em), 0.5 * em
        with fitting.letters(imgui.get_font(), size):
            widths = [imgui.calc_text_size(text).x + 2 * pad.x for text in self.caps]
        x = view.pos.x + (view.size.x - sum(widths) - gap * max(0, len(widths) - 1)) / 2
        height = size + 2 * pad.y
        y = view.pos.y + view.size.y - height - 3.2 * em
        for (text, at), width in zip(self.caps.items(), widths, strict=True):
            seen = min(1.0, (SECONDS - (now - at)) / FADING)
            corner, end = ImVec2(x, y), ImVec2(x + width, y + height)
            draw.add_rect_filled(corner, end, imgui.get_color_u32(rgb(theme.palette["field"], 0.92 * seen)), 0.35 * em)
            edge = theme.palette["warning"] if now == at else theme.palette["dim"]
            draw.add_rect(corner, end, imgui.get_color_u32(rgb(edge, seen)), 0.35 * em, 0.1 * em)
            draw.add_text(
                imgui.get_font(), size, corner + pad, imgui.get_color_u32(rgb(theme.palette["text"], seen)), text
            )
            x += width + gap

    def _draw_pointer(self, theme: Theme) -> None:
        """Draw a ring around the pointer, filled while a button is held."""
        io, em = imgui.get_io(), imgui.get_font_size()
        if not imgui.is_mouse_pos_valid():
            return
        draw, code = imgui.get_foreground_draw_list(), theme.palette["warning"]
        if any(map(imgui.is_mouse_down, range(len(BUTTONS)))):
            draw.add_circle_filled(io.mouse_pos, RING * em, imgui.get_color_u32(rgb(code, 0.4)))
        draw.add_circle(io.mouse_pos, RING * em, imgui.get_color_u32(rgb("#000000", 0.5)), 0, 0.3 * em)
        draw.add_circle(io.mouse_pos, RING * em, imgui.get_color_u32(rgb(code)), 0, 0.16 * em)


def list_held() -> list[str]:
    """Return what is held at present, in words: keys with their modifiers as one, buttons, the wheel's turn.

    Letters that are being typed into a field are left out: they are seen there.
    """
    io = imgui.get_io()
    flags = (io.key_ctrl, io.key_shift, io.key_alt, io.key_super)
    modifiers = [name for name, is_held in zip(MODIFIERS, flags, strict=True) if is_held]
    keys = [] if io.want_text_input else [name for key, name in _KEYS if imgui.is_key_down(key)]
    held = [" + ".join((*modifiers, name)) for name in keys]
    held += [
        " + ".join((*modifiers, name)) for button, name in enumerate(BUTTONS) if button and imgui.is_mouse_down(button)
    ]
    if modifiers and imgui.is_mouse_down(0):
        held.append(" + ".join((*modifiers, BUTTONS[0])))
    if io.mouse_wheel:
        held.append("Wheel up" if io.mouse_wheel > 0 else "Wheel down")
    return held or [" + ".join(modifiers)] * bool(modifiers)


def _list_keys() -> list[tuple[imgui.Key, str]]:
    """Return the keys that have a cap, with its words: neither modifiers, which go with others, nor gamepads."""
    first, last = int(imgui.Key.tab), int(imgui.Key.gamepad_start)
    found = []
    for number in range(first, last):
        name = imgui.get_key_name(imgui.Key(number))
        if not any(word in name for word in ("Ctrl", "Shift", "Alt", "Super", "Lock", "App")):
            found.append((imgui.Key(number), SPOKEN.get(name, name)))
    return found


_KEYS = _list_keys()
