# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The gestures and keys, listed once: the table that `?` shows, and the actions of the keys."""

from imgui_bundle import imgui

from viz.canvas import mode_bar
from viz.core import gestures
from viz.core.state import AppState, Slot
from viz.ui import modifiers, timelining
from viz.ui.theme import Theme

GESTURES = (
    ("Drag", "move both pictures (translation); one, while unlinked"),
    ("Shift-drag, or the ring's knob", "turn about the centre (rotation)"),
    ("Right-drag", "walk over the seed plane (latent)"),
    ("Wheel", "zoom about the pointer"),
    ("Middle-drag", "pan the view"),
    ("Double click", "reset translation, rotation and scale"),
    ("Drag the divider", "split: where the left model ends; double click centres it"),
    ("Drag the line's ends", "Sticking: what the slice over time is taken along"),
    ("Drop a file", "open it on the side under the pointer; bookmarks are added, a capture brings its state back"),
)
KEYS = (
    ("F", "fit the pictures"),
    ("1", "one picture pixel to one screen pixel"),
    ("Arrows", "move by one pixel of the picture"),
    ("Shift-Left, Shift-Right", "turn by one degree"),
    (", and .", "previous and next seed"),
    ("Space", "play or stop the timeline; the latent animation while it has no keys"),
    ("K, Shift-K", "Timeline: key what it lists, or everything, at the playhead"),
    ("C", "next way to compare: side by side, split, difference, blink"),
    ("L", "link both models to one latent and transform, or give each its own"),
    ("N", "hard pixels when enlarged (nearest neighbour)"),
    ("T", "dark or light theme"),
    ("Ctrl-B", "keep this latent as a bookmark, below the pictures"),
    ("Ctrl-1 to Ctrl-9", "go to a bookmark"),
    ("Ctrl-S", "capture what the Capture panel says, with the state inside"),
    ("Ctrl-C, Ctrl-Shift-C", "copy the picture, or the command that draws it"),
    ("Ctrl-V", "bring back a state that was copied as text"),
    ("Ctrl-Z, Ctrl-Shift-Z", "undo and redo (also Ctrl-Y): whole gestures, everything that you set"),
    ("F11, Esc", "the canvas over the whole screen, and back"),
    ("Shift-F11", "a second window with the pictures alone, for a projector"),
    ("F10", "show pressed keys and the pointer"),
    ("Ctrl-Plus, Ctrl-Minus, Ctrl-0", "larger and smaller letters, and their first size"),
    ("? or F1", "this table"),
    ("Ctrl-Q", "quit"),
)
NUMBERS = (("Drag a number", "change it"), ("Click a number", "type it"), ("Double click a number", "reset it"))


def handle_keys(state: AppState, slot: Slot, resolution: int) -> None:
    """Carry out the keys that only change the state; `resolution` is of the picture in `slot`, which they mean."""
    key = imgui.Key
    shift = modifiers.shift()
    right = imgui.is_key_pressed(key.right_arrow) - imgui.is_key_pressed(key.left_arrow)
    down = imgui.is_key_pressed(key.down_arrow) - imgui.is_key_pressed(key.up_arrow)
    latent, transform = state.latent_of(slot), state.transform_of(slot)
    step = imgui.is_key_pressed(key.period) - imgui.is_key_pressed(key.comma)
    play = imgui.is_key_pressed(key.space, False)
    if shift and right:
        gestures.rotate(transform, -float(right))
    elif right or down:
        gestures.translate(transform, right / resolution, down / resolution)
    if step:
        gestures.go_to(latent, round(latent.x) + step, round(latent.y))
    if play and state.timeline.tracks:
        timelining.toggle_play(state)
    elif play:
        latent.animate = not latent.animate
    if right or down or step or play:
        state.focus = slot
    if imgui.is_key_pressed(key.c, False):
        state.canvas.mode = mode_bar.next_mode(state.canvas.mode)
    if imgui.is_key_pressed(key.l, False):
        state.link(not state.linked)
    if imgui.is_key_pressed(key.f, False):
        gestures.fit(state.canvas)
    if imgui.is_key_pressed(key.n, False):
        state.canvas.nearest = not state.canvas.nearest
    if imgui.is_key_pressed(key.t, False):
        state.display.theme = "light" if state.display.theme == "dark" else "dark"


def draw_table(theme: Theme) -> None:
    """Draw the table, two columns a group."""
    for title, rows in (("On the pictures", GESTURES), ("Keys", KEYS), ("Numbers", NUMBERS)):
        imgui.separator_text(title)
        if imgui.begin_table(title, 2):
            imgui.table_setup_column("keys", imgui.TableColumnFlags_.width_fixed, 15 * imgui.get_font_size())
            for keys, what in rows:
                imgui.table_next_row()
                imgui.table_next_column()
                imgui.text_unformatted(keys)
                imgui.table_next_column()
                imgui.text_colored(theme.dim, what)
            imgui.end_table()
