# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The window: a docking layout of panels around the canvas, and the frame loop that ties state to pictures.

One frame: animations advance the state, its request goes to the worker's mailbox, finished pictures are uploaded, and
the panels draw what is there. No step waits for another.
"""

import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from imgui_bundle import ImVec2, glfw_utils, hello_imgui, imgui, imgui_ctx, immapp
from imgui_bundle import portable_file_dialogs as dialogs

from gan.data.image_io import save_image
from gan.devices import fastest_device, list_devices
from gan.hub.resolve import list_bundled, resolve, unquote_path
from viz import invocation
from viz.canvas.canvas import TITLE as CANVAS_TITLE
from viz.canvas.canvas import Canvas
from viz.core import gestures, timeline
from viz.core.request import build_request
from viz.core.state import SLOTS, AppState, Slot
from viz.display import gl, offscreen
from viz.display.texture import Textures
from viz.loading import latent_files
from viz.loading.downloads import Downloads
from viz.loading.model_info import InfoReader
from viz.panels import PANELS, Panel, training
from viz.record.sources import latents_folder
from viz.render.difference import Difference
from viz.render.renderer import Renderer
from viz.render.worker import Worker
from viz.training.monitor import RunMonitor
from viz.ui import saving
from viz.ui.context import Machine, Models, PanelContext, Pictures
from viz.ui.theme import PALETTES, Theme
from viz.window import full_screen, layout
from viz.window.arrivals import Arrivals
from viz.window.bookmark_keeper import SUFFIX as BOOKMARK_SUFFIX
from viz.window.bookmark_keeper import BookmarkKeeper
from viz.window.capturing import Capturing
from viz.window.ending import Ending
from viz.window.guard import Guard
from viz.window.menus import Menus, has_file_dialogs
from viz.window.presentation import Presentation
from viz.window.remote import Remote
from viz.window.state_saver import StateSaver
from viz.window.undo import Undo
from viz.window.uploads import CanvasUploads

# isort: split
import glfw  # after imgui-bundle, as in viz.display.offscreen

PICTURE_SUFFIX = ".png"  # of files that may carry a state
LAID_OUT_FRAMES = 4  # after which every panel has its dock


class NoOpenGL(RuntimeError):
    """The window cannot be opened; one sentence."""


class Window:
    """One window: its state, its panels and canvas, and the worker that renders for them."""

    def __init__(
        self, state: AppState, state_path: Path | None = None, *, strict: bool = False, model_bytes: float | None = None
    ) -> None:
        """Make a window that `run` opens. `state_path` None keeps no state.

        `strict` lets a panel's exception end the program, as tests want, and not become a sentence in the status bar.
        `model_bytes`: the most that models may take; None: half of the memory.
        """
        self.state, self.state_path = state, state_path
        self.theme = Theme(PALETTES[state.display.theme])
        self.theme.text_size = state.display.text_size
        renderer = Renderer(model_bytes, own_thread=True)
        self.info = InfoReader(self._wake)
        self.context = PanelContext(
            theme=self.theme,
            models=Models(
                bundled=tuple((model.name, model.path) for model in list_bundled()),
                downloads=Downloads(self._wake),
                open=self.open_model,
                browse=self.browse,
                info=self.info.get,
            ),
            machine=Machine(devices=list_devices(), memory=renderer.memory),
            training=RunMonitor(state.training.run_folder),
        )
        self._guard = Guard(self.context, strict)
        self.context.models.downloads.keep(state.slot(slot).path for slot in SLOTS)
        if state.display.device not in self.context.machine.devices:
            # A first start, or the state was saved on another machine.
            state.display.device = fastest_device(self.context.machine.devices)
        self.canvas = Canvas(state, self.context)
        self.presentation = Presentation(state, self.context, self.canvas)
        self._keeper = BookmarkKeeper(state_path and state_path.with_suffix(".bookmarks.json"), self.context)
        latents = state_path and latents_folder(state_path)
        self.capturing = Capturing(state, self.context, self.canvas, latents, self._wake)
        self.undo = Undo(state, self.context)
        self._can_wake = False
        self._remote = Remote(state, self.context, self.undo, self._wake)
        self.worker = Worker(renderer, self._wake)
        self._arrivals = Arrivals(state, self.context, self._wake)
        self._uploads: CanvasUploads | None = None  # None: the window is not open yet
        self._difference = Difference()
        self._dialog: tuple[Slot, Any] | None = None
        self._frame_began, self._elapsed = time.perf_counter(), 0.0
        self._saver = StateSaver(state_path)
        self._params: hello_imgui.RunnerParams | None = None
        self._ending = Ending()
        self._closed_in_time: bool | None = None  # None: not closed yet
        self._to_front: tuple[str, ...] = ()

    # -- actions ---------------------------------------------------------------------------------------------------

    def open_model(self, slot: Slot, path: str) -> None:
        """Show the checkpoint at `path` in a slot; a bundled model's name or a rung will do. "" empties the slot.

        What is at an address is fetched first; the slot shows what it did until that has come.
        """
        path = unquote_path(path)
        if path.lower().endswith(PICTURE_SUFFIX):
            self.capturing.open(path)
            return
        if self.context.models.downloads.begin(slot, path):
            return
        self.state.slot(slot).path = resolve(path) if path else ""
        self.context.models.downloads.keep(self.state.slot(slot).path for slot in SLOTS)
        self.worker.repeat()  # the path may be the same and the file behind it new

    def open_latent(self, slot: Slot, path: str) -> None:
        """Show a file's latent in a slot; a sentence in the status bar if it holds none."""
        try:
            self.state.latent_of(slot).open(latent_files.open_latent(path))
        except ValueError as problem:
            self.context.message = str(problem)

    def browse(self, slot: Slot) -> None:
        """Ask for a checkpoint with the desktop's own dialog; the answer is picked up in a later frame."""
        here = str(Path(self.state.slot(slot).path or ".").parent)
        kinds = ["Checkpoints", "*.safetensors *.pkl *.pt *.pth", "All files", "*"]
        self._dialog = (slot, dialogs.open_file(f"Open in the {slot} slot", here, kinds))

    def show(self, *panels: str) -> None:
        """Bring these panels, by title, to the front of their docks, in the next frame that has a layout."""
        self._to_front = panels

    def close(self) -> bool:
        """Stop the worker and whatever else runs; False if a picture is still under way. Waits the first time only."""
        if self._closed_in_time is None:
            if self.context.training is not None:
                self.context.training.close()
            self.info.close()
            self.context.models.downloads.close()
            self._remote.close()
            self.capturing.close()
            self._closed_in_time = self.worker.close()
        return self._closed_in_time

    # -- running ---------------------------------------------------------------------------------------------------

    def run(self, screenshot: Path | None = None, exit_after: float | None = None) -> None:
        """Open the window and return when it is closed, by the user or after `exit_after` seconds.

        With a `screenshot` it closes by itself once its pictures are there and the layout has settled (or after the
        given seconds), and its last frame is written as a PNG. NoOpenGL where the library cannot open it.
        """
        self._ending = Ending(screenshot is not None, exit_after)
        # The worker waits for the interpreter's lock once an operator; the default of 5 ms is far longer than one.
        sys.setswitchinterval(0.0005)
        try:
            immapp.run(self.runner_params(), immapp.AddOnsParams(with_implot=True))
        except RuntimeError as problem:
            if self._uploads is not None:  # it was open
                raise
            why = f"The window cannot be opened because OpenGL does not start: {invocation.suggest_doctor()}"
            raise NoOpenGL(why) from problem
        finally:
            self.close()
        if screenshot:
            save_image(screenshot, hello_imgui.final_app_window_screenshot())

    def runner_params(self) -> hello_imgui.RunnerParams:
        """Return what hello_imgui runs. The GUI tests give it to imgui's test engine instead."""
        self.worker.submit(build_request(self.state))  # models load while the window opens
        display = self.state.display
        layout_file = self.state_path.with_suffix(".layout.ini") if self.state_path else None
        size = full_screen.fit_size((display.width, display.height))
        params = layout.build_params(size, self._windows(), layout_file, display.text_size)
        self._params = params
        menus = Menus(self.state, self.context, self.canvas, self.undo, self.presentation, params)
        calls = params.callbacks
        calls.load_additional_fonts = self.theme.load_fonts
        calls.setup_imgui_style = self.theme.apply
        calls.setup_imgui_config = layout.configure_imgui
        calls.post_init = self._on_open
        calls.pre_new_frame = self._before_frame
        calls.show_gui = partial(self._in_frame, menus)
        calls.show_menus = partial(self._guard.draw, "The menu bar", menus.bar)
        calls.show_status = partial(self._guard.draw, "The status line", menus.status)
        calls.before_imgui_render = partial(self._over_panels, menus)
        calls.before_swap = self._after_frame
        calls.before_exit = self._on_close
        return params

    def _windows(self) -> list[hello_imgui.DockableWindow]:
        canvas = hello_imgui.DockableWindow(CANVAS_TITLE, layout.name_dock(CANVAS_TITLE, "canvas"), self._draw_canvas)
        canvas.can_be_closed = canvas.call_begin_end = False
        windows = [canvas]
        for panel in PANELS:
            draw = partial(self._draw_panel, panel)
            windows.append(hello_imgui.DockableWindow(panel.TITLE, layout.name_dock(panel.TITLE, panel.PLACE), draw))
        return windows

    def _draw_panel(self, panel: Panel) -> None:
        if not self.presentation.is_full:  # the canvas covers it
            self._guard.draw(f"The {panel.TITLE} panel", partial(panel.draw, self.state, self.context))

    def _wake(self) -> None:
        """End the wait of an idling window: a picture is ready. Called from the worker's thread, as GLFW allows."""
        if self._can_wake:
            glfw.post_empty_event()

    def _on_open(self) -> None:
        self._can_wake = True
        textures = Textures(gl.of_window())
        self._uploads = CanvasUploads(textures, self._difference)
        self.context.texture = textures.picture
        self.context.models.has_dialogs = has_file_dialogs()
        # The wrapper's annotation is that of the C function; it passes a list of paths.
        glfw.set_drop_callback(glfw_utils.glfw_window_hello_imgui(), self._on_drop)  # type: ignore[arg-type]

    def _on_close(self) -> None:
        self._can_wake = False
        size = imgui.get_main_viewport().size
        width, height = self.presentation.size or (size.x, size.y)
        scale = hello_imgui.dpi_window_size_factor() or 1.0
        self.state.display.width = max(320, round(width / scale))
        self.state.display.height = max(240, round(height / scale))
        self.presentation.close()
        self._say_failures(self._keeper.save(), self._saver.save(self.state))
        if self._uploads:
            self._uploads.textures.delete()

    # -- a frame ---------------------------------------------------------------------------------------------------

    def _before_frame(self) -> None:
        now = time.perf_counter()
        self._elapsed = now - self._frame_began
        self.context.timings.seconds = min(self._elapsed, 0.1)  # a window that was hidden does not leap
        self._frame_began = now
        steps = (
            self.undo.follow,
            self._remote.take,
            self._advance,
            self._focus_panels,
            self._apply_look,
            self._poll_dialogs,
            self._submit_request,
            partial(self._arrivals.collect, self.worker),
            self._remote.send,
            self._save_if_due,
        )
        for step in steps:
            self._guard.run("The frame could not be prepared", step)

    def _advance(self) -> None:
        assert self._params is not None
        with self.undo.history.by_itself():
            gestures.advance(self.state, self.context.timings.seconds, has_noise=self.context.has_noise())
            timeline.play(self.state, self._elapsed)  # which keeps to the clock
        idling, display = self._params.fps_idling, self.state.display
        idling.fps_max, idling.vsync_to_monitor = float(display.fps_limit), display.vsync
        moves = gestures.is_animating(self.state, has_noise=self.context.has_noise())
        idling.enable_idling = not (moves or gestures.is_blinking(self.state) or self.state.playback.playing)

    def _focus_panels(self) -> None:
        if self._to_front and imgui.get_frame_count() > LAID_OUT_FRAMES:
            assert self._params is not None
            for title in self._to_front:
                self._params.docking_params.focus_dockable_window(title)
            self._to_front = ()

    def _apply_look(self) -> None:
        assert self._params is not None
        self.presentation.apply_look(self._params)

    def _poll_dialogs(self) -> None:
        """Open what was downloaded, and what was chosen in the file dialog."""
        for arrived, found in self.context.models.downloads.collect().items():
            self.open_model(arrived, str(found.path))
            self.context.message = found.note or self.context.message
        self._keeper.poll()
        self.capturing.poll()
        saving.poll(self.context, self.state.capture.folder)
        if self._dialog and self._dialog[1].ready(0):
            slot, dialog = self._dialog
            self._dialog = None
            for path in dialog.result()[:1]:
                self.open_model(slot, path)

    def _submit_request(self) -> None:
        request = build_request(self.state)
        self.worker.submit(request)
        self._difference.ask(request)
        self.context.jobs.exchange(self.worker, self.state)

    def _save_if_due(self) -> None:
        self._say_failures(self._keeper.save_if_due(), self._saver.save_if_due(self.state))

    def _say_failures(self, *sentences: str) -> None:
        self.context.message = " ".join(filter(None, sentences)) or self.context.message

    def _prepare_pictures(self) -> Pictures:
        assert self._uploads is not None
        scale = imgui.get_io().display_framebuffer_scale.x or 1.0
        return self._uploads.prepare(self.state, self.context, self.canvas, scale)

    def _over_panels(self, menus: Menus) -> None:
        """Draw what lies over all panels."""
        if self.presentation.is_full:
            self._guard.draw("The canvas", lambda: self.presentation.draw_full(self._prepare_pictures()))
        self._guard.draw("The dialog", menus.overlay)
        self._guard.draw("The keys on the screen", self.presentation.draw_overlay)

    def _draw_canvas(self) -> None:
        flags, kind = imgui.WindowFlags_, imgui.WindowClass()
        kind.dock_node_flags_override_set = imgui.internal.DockNodeFlagsPrivate_.no_tab_bar
        imgui.set_next_window_class(kind)
        background = imgui.get_style_color_vec4(imgui.Col_.title_bg)
        with imgui_ctx.push_style_var(imgui.StyleVar_.window_padding, ImVec2(0, 0)):
            with imgui_ctx.push_style_color(imgui.Col_.window_bg, background):
                imgui.begin(CANVAS_TITLE, None, flags.no_scrollbar | flags.no_scroll_with_mouse | flags.no_move)
        if not self.presentation.is_full:
            self._guard.draw("The canvas", lambda: self.canvas.draw(self._prepare_pictures()))
        imgui.end()

    def _after_frame(self) -> None:
        if self._uploads and self.capturing.is_waiting():
            self._guard.run("The screen could not be captured", lambda: self.capturing.take_screen(gl.of_window()))
        if self._uploads and self._uploads.take_pending():
            self._wake()  # the next frame shows it, and is not to wait for a movement of the mouse
        if self._uploads:
            self.presentation.show_second(self._uploads)
        if self._uploads and offscreen.in_use():
            # Nothing is presented, so nothing waits: frames would pile up in the driver, a megabyte each.
            self._uploads.textures.finish()
        self.context.timings.frame.append(1e3 * (time.perf_counter() - self._frame_began))
        assert self._params is not None
        if self._ending.due(self.worker.is_idle() and not self.worker.is_measuring()):
            self._params.app_shall_exit = True

    def _in_frame(self, menus: Menus) -> None:
        """Do what a frame does before it draws any panel."""
        with self.undo.history.by_itself():
            self._guard.draw("Following the run", partial(training.update, self.state, self.context))
        self._guard.draw("The key", menus.keys)

    def _on_drop(self, window: Any, paths: list[str]) -> None:
        """Open a file dropped on the window on the side under the pointer, a second file on the other."""
        first = self.canvas.slot_at(*glfw.get_cursor_pos(window))
        other: Slot = "left" if first == "right" else "right"
        for slot, path in zip((first, other), paths, strict=False):
            if path.lower().endswith(BOOKMARK_SUFFIX):
                self.context.bookmarks.read(path)
            elif latent_files.is_latent_file(path):
                self.open_latent(slot, path)
            else:
                self.open_model(slot, path)
