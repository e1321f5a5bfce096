# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Draw what surrounds the panels: menu bar, status line and the table of gestures; handle the keys."""

import shutil
import sys
import time

from imgui_bundle import hello_imgui, imgui

from viz.canvas import mode_bar
from viz.canvas.canvas import Canvas
from viz.core import gestures
from viz.core.bookmarks import KINDS
from viz.core.state import SLOTS, AppState
from viz.panels import capture
from viz.record import timeline_edits
from viz.ui import bookmarking, fitting, modifiers, timelining, widgets
from viz.ui.context import PanelContext
from viz.window import shortcuts
from viz.window.export_dialog import ExportDialog
from viz.window.presentation import Presentation
from viz.window.undo import Undo

MESSAGE_SECONDS = 30.0
HINTS = (
    "Drag moves",
    "Shift-drag turns",
    "right-drag walks the latent",
    "wheel zooms",
    "double click resets",
    "Ctrl-Z undoes",
)
MORE = "? for more"


class Menus:
    """The menus of one window; they hold only whether the table is open and how long a message has been shown."""

    def __init__(
        self,
        state: AppState,
        context: PanelContext,
        canvas: Canvas,
        undo: Undo,
        presentation: Presentation,
        params: hello_imgui.RunnerParams,
    ) -> None:
        self.state, self.context, self.canvas, self.undo, self._params = state, context, canvas, undo, params
        self.presentation = presentation
        self._table_shown = False
        self._export = ExportDialog(state, context)
        self._said, self._said_at = "", 0.0  # the message in the status line, and since when

    def bar(self) -> None:
        """Draw the menus File, Edit, View, Help."""
        if imgui.begin_menu("File"):
            for slot in SLOTS:
                if imgui.menu_item(f"Open in the {slot} slot …", "", False, self.context.models.has_dialogs)[0]:
                    self.context.models.browse(slot)
            if imgui.menu_item("Open a capture …", "", False)[0]:
                if self.context.models.has_dialogs:
                    self.context.captures.browse()
                else:
                    self._show(capture.TITLE)  # which takes a typed path
            imgui.separator()
            self._capture_menu()
            if imgui.menu_item("Export video …", "", False)[0]:
                self.context.exports.open()
            imgui.separator()
            if imgui.menu_item("Quit", "Ctrl-Q", False)[0]:
                self._params.app_shall_exit = True
            imgui.end_menu()
        if imgui.begin_menu("Edit"):
            self._edit_menu()
            imgui.end_menu()
        if imgui.begin_menu("View"):
            self._view_menu()
            imgui.end_menu()
        if imgui.begin_menu("Help"):
            if imgui.menu_item("Gestures and keys", "?", False)[0]:
                self._table_shown = True
            imgui.end_menu()

    def _capture_menu(self) -> None:
        """Draw the menu of what can be captured; the keys take what the Capture panel says."""
        captures, chosen = self.context.captures, self.state.capture.what
        if imgui.begin_menu("Capture"):
            for what, title in capture.WHATS:
                if imgui.menu_item(title, "Ctrl-S" if what == chosen else "", False)[0]:
                    captures.take(what)
            imgui.separator()
            if imgui.menu_item("Size, folder and name …", "", False)[0]:
                self._show(capture.TITLE)
            imgui.end_menu()

    def _show(self, title: str) -> None:
        """Bring a panel to the front, opened if it was closed."""
        docking = self._params.docking_params
        window = docking.dockable_window_of_name(title)
        if window is not None:
            window.is_visible = True
            docking.focus_dockable_window(title)

    def _edit_menu(self) -> None:
        state, context = self.state, self.context
        self.undo.menu()
        imgui.separator()
        for words, keys, action in (
            ("Copy picture", "Ctrl-C", context.captures.copy),
            ("Copy as command", "Ctrl-Shift-C", context.captures.copy_command),
            ("Copy state as text", "", context.captures.copy_state),
            ("Paste state", "Ctrl-V", context.captures.paste),
        ):
            if imgui.menu_item(words, keys, False)[0]:
                action()
        imgui.separator()
        for kind in KINDS:
            if imgui.menu_item(bookmarking.KEEP[kind], "Ctrl-B" if kind == "latent" else "", False)[0]:
                bookmarking.keep(state, context, kind)
            widgets.tooltip(bookmarking.KEEP_TIPS[kind])
        if imgui.begin_menu("Go to bookmark", bool(context.bookmarks.shelf.items)):
            for index, item in enumerate(context.bookmarks.shelf.items):
                if imgui.menu_item(f"{item.name}##{item.key}", f"Ctrl-{index + 1}" if index < 9 else "", False)[0]:
                    bookmarking.go_to(state, context, index)
            imgui.end_menu()

    def _view_menu(self) -> None:
        canvas, display = self.state.canvas, self.state.display
        for window in self._params.docking_params.dockable_windows:
            if window.can_be_closed and imgui.menu_item(window.label, "", window.is_visible)[0]:
                window.is_visible = not window.is_visible
        imgui.separator()
        following = mode_bar.next_mode(canvas.mode)
        for mode in mode_bar.MODES:
            if imgui.menu_item(mode.title, "C" if mode.key == following else "", mode.key == canvas.mode)[0]:
                canvas.mode = mode.key
        if imgui.menu_item("Link both models", "L", self.state.linked)[0]:
            self.state.link(not self.state.linked)
        imgui.separator()
        if imgui.menu_item("Bookmarks", "", self.state.bookmarks.shown)[0]:
            self.state.bookmarks.shown = not self.state.bookmarks.shown
        if imgui.menu_item("Fit", "F", False)[0]:
            gestures.fit(canvas)
        if imgui.menu_item("Hard pixels when enlarged", "N", canvas.nearest)[0]:
            canvas.nearest = not canvas.nearest
        imgui.separator()
        self.presentation.menu()
        if imgui.menu_item("Default layout", "", False)[0]:
            self._params.docking_params.layout_reset = True
        if imgui.menu_item("Light theme", "T", display.theme == "light")[0]:
            display.theme = "light" if display.theme == "dark" else "dark"

    def keys(self) -> None:
        """Handle the keys, once a frame, drawn or not."""
        io, key = imgui.get_io(), imgui.Key
        if modifiers.ctrl() and imgui.is_key_pressed(key.q, False):
            self._params.app_shall_exit = True
        self.presentation.keys(leaves=not self._table_shown)
        self.undo.keys()
        self._bookmark_keys()
        self._capture_keys()
        if io.want_text_input or modifiers.ctrl() or io.key_alt or io.key_super:
            return
        if imgui.is_key_pressed(key.f1, False) or (modifiers.shift() and imgui.is_key_pressed(key.slash, False)):
            self._table_shown = not self._table_shown
        if imgui.is_key_pressed(imgui.Key.k, False):
            names = timeline_edits.list_properties if modifiers.shift() else timeline_edits.list_listed
            self.context.message = f"Keyed at {self.state.playback.seconds:.2f} s: the Timeline panel shows it."
            timelining.key(self.state, self.context, names(self.state))  # which may say that there is no room
        slot = self.canvas.aimed(io.mouse_pos.x, io.mouse_pos.y)
        if imgui.is_key_pressed(key._1, False):
            self.canvas.one_to_one(slot)
        facts = self.context.facts(slot)
        shortcuts.handle_keys(self.state, slot, facts.config.resolution if facts else 256)

    def _bookmark_keys(self) -> None:
        """Handle Ctrl-B, which keeps a latent, and Ctrl-1 to Ctrl-9, which go to a bookmark."""
        io = imgui.get_io()
        if not modifiers.ctrl() or modifiers.shift() or io.key_alt or io.want_text_input:
            return
        if imgui.is_key_pressed(imgui.Key.b, False):
            bookmarking.keep(self.state, self.context, "latent")
        for index in range(9):
            if imgui.is_key_pressed(imgui.Key(int(imgui.Key._1) + index), False):
                bookmarking.go_to(self.state, self.context, index)

    def _capture_keys(self) -> None:
        """Handle Ctrl-S, which captures, Ctrl-C, Ctrl-Shift-C and Ctrl-V; a text that is being typed has its own."""
        io, key, captures = imgui.get_io(), imgui.Key, self.context.captures
        hand = self.context.timeline
        on_keys, hand.is_pointed = hand.is_pointed, False
        if not modifiers.ctrl() or io.key_alt or io.want_text_input:
            return
        if imgui.is_key_pressed(key.s, False):
            captures.take()
        if on_keys:
            return
        if imgui.is_key_pressed(key.c, False):
            (captures.copy_command if modifiers.shift() else captures.copy)()
        if imgui.is_key_pressed(key.v, False):
            captures.paste()

    def status(self) -> None:
        """Draw the newest message for as long as it takes to read, else a hint."""
        if self.context.message != self._said:
            self._said, self._said_at = self.context.message, time.monotonic()
        elif time.monotonic() - self._said_at > MESSAGE_SECONDS:
            self.context.message = ""
        if self.context.captures.is_long:
            imgui.text_colored(self.context.theme.warning, "Capturing …")
            imgui.same_line()
            if imgui.small_button("Cancel##capture"):
                self.context.captures.cancel()
        elif self.context.message:
            shown = fitting.elide(self.context.message, imgui.get_content_region_avail().x)
            imgui.text_colored(self.context.theme.warning, shown)
            widgets.tooltip(self.context.message if shown != self.context.message else "")
        else:
            imgui.text_colored(self.context.theme.dim, _fit_hints(imgui.get_content_region_avail().x))

    def overlay(self) -> None:
        """Draw the table of gestures and keys, and the dialog for videos, over everything else, while they are open."""
        self._export.draw()
        if not self._table_shown:
            return
        imgui.set_next_window_pos(imgui.get_main_viewport().get_center(), imgui.Cond_.appearing, (0.5, 0.5))
        imgui.push_style_var(imgui.StyleVar_.window_border_size, 1.0)
        flags = imgui.WindowFlags_.no_docking | imgui.WindowFlags_.no_collapse | imgui.WindowFlags_.always_auto_resize
        _, shown = imgui.begin("Gestures and keys", True, flags)
        imgui.pop_style_var()
        self._table_shown = bool(shown) and not imgui.is_key_pressed(imgui.Key.escape, False)
        shortcuts.draw_table(self.context.theme)
        imgui.end()


def _fit_hints(width: float) -> str:
    """Return as many hints as fit into so many pixels, and how to see all."""
    for count in range(len(HINTS), 0, -1):
        text = "   ".join([*HINTS[:count], MORE])
        if imgui.calc_text_size(text).x <= width:
            return text
    return MORE


def has_file_dialogs() -> bool:
    """Return whether the desktop can ask for a file. Linux needs one of these programs, others bring their own."""
    if not sys.platform.startswith("linux"):
        return True
    return any(shutil.which(name) for name in ("zenity", "kdialog"))
