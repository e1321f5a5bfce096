# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The dialog that exports videos: on screen, the timeline, a film. The job goes on when it is closed."""

from __future__ import annotations

import copy
import os
from pathlib import Path

from imgui_bundle import imgui, imgui_ctx

from gan.files.atomic_write import find_free, list_numbered
from gan.files.errors import sanitize_text
from gan.hub.resolve import unquote_path
from viz.core import gestures
from viz.core.panel_state import ExportState
from viz.core.state import AppState
from viz.record import naming
from viz.record.models import shorten_path
from viz.record.video.export import ExportRequest, VideoProgress, list_slots, make_options
from viz.record.video.formats import FORMATS, VideoError, check_options, choose_format, find_format
from viz.ui import widgets
from viz.ui.context import PanelContext

TITLE = "Export video"
JOB = "video"
WIDTH = 30.0  # in font sizes
SHOWS = {
    "on screen": "The pictures as their animations move them from now on: frames are drawn, not grabbed, so that a "
    "slow machine makes the same video.",
    "timeline": "The pictures along the timeline, from its start to its end.",
    "film": "Both models under one motion, a line of each over time below, their stickiness beside.",
}
MOTIONS = "What moves: the content on a circle, back and forth, or about the centre; or the latent on a circle."
FORMAT = "H.264 plays everywhere; VP9 and AV1 are smaller; WebP and GIF play in a page; PNGs lose nothing."
SIZE = "Width of each picture in pixels, by Lanczos; 0 for the models' own."
QUALITY = "From 1, the smallest file, to 100."
FILE = "The file to write, never one that is there already: type another path and press Enter."


class ExportDialog:
    """The dialog of one window. Its settings are the state's `export`; the path is a free name until one is typed."""

    def __init__(self, state: AppState, context: PanelContext) -> None:
        self._state, self._context = state, context
        self._shown = False
        self._path: Path | None = None  # that was typed
        self._began: ExportRequest | None = None  # the newest video, until its end was told
        self._problem = ""
        context.exports.open = self.open

    def open(self, shows: str | None = None) -> None:
        """Show the dialog, for one of SHOWS; None is what it was for last."""
        self._state.export.shows = shows or self._state.export.shows
        self._shown, self._problem = True, ""

    def draw(self) -> None:
        """Draw it over the panels while it is open; tell how a video ended, open or not."""
        self._tell_end()
        if not self._shown:
            return
        em = imgui.get_font_size()
        imgui.set_next_window_pos(imgui.get_main_viewport().get_center(), imgui.Cond_.appearing, (0.5, 0.5))
        imgui.set_next_window_size((WIDTH * em, 0))
        flags = imgui.WindowFlags_.no_docking | imgui.WindowFlags_.no_collapse | imgui.WindowFlags_.no_resize
        with imgui_ctx.push_style_var(imgui.StyleVar_.window_border_size, 1.0):
            _, shown = imgui.begin(TITLE, True, flags | imgui.WindowFlags_.no_saved_settings)
        is_left = imgui.is_window_focused() and imgui.is_key_pressed(imgui.Key.escape, False)
        self._shown = bool(shown) and not is_left
        is_running = self._context.jobs.is_running(JOB)
        imgui.begin_disabled(is_running)
        self._settings(self._state.export)
        imgui.end_disabled()
        imgui.spacing()
        self._ending(is_running)
        imgui.end()

    def _settings(self, export: ExportState) -> None:
        theme = self._context.theme
        row = widgets.label(theme, "show", cells=len(SHOWS))
        for shows, tip in SHOWS.items():
            if widgets.lit_button(f"{shows}##shows", export.shows == shows, theme.text, row.next_cell()):
                export.shows = shows
            widgets.tooltip(tip)
        if export.shows == "film":
            widgets.words(theme, "motion", export, "motion", MOTIONS)
        else:
            widgets.words(theme, "pictures", export, "slots", "Whose pictures: side by side, or one alone.")
        if export.shows == "timeline":
            widgets.fact(theme, "length", f"{self._state.timeline.seconds:.2f} s", "The timeline's own length.")
        else:
            widgets.number(theme, "length", export, "seconds", step=0.05, form="%.2f s", tip="Length of the video.")
        kinds = {kind.key: kind.title for kind in FORMATS}
        widgets.label(theme, "format", FORMAT)
        chosen = widgets.select("format", kinds[export.format], export.format, kinds.items(), FORMAT)
        if chosen != export.format:
            export.format, self._path = chosen, None
        if export.shows != "film":
            form = "%d px" if export.size else "the models' own"
            widgets.number(theme, "size", export, "size", step=4.0, form=form, tip=SIZE)
        row = widgets.label(theme, "frames", "Frames a second, and how well they are kept.", cells=2)
        widgets.number(theme, row, export, "fps", step=0.25, form="%.4g fps", tip="Frames a second.")
        if not find_format(export.format).is_lossless:
            widgets.number(theme, row, export, "quality", step=0.5, form="quality %d", tip=QUALITY)
        widgets.label(theme, "file", FILE)
        typed = widgets.text_field("file", "path", shorten_path(str(self.path())), FILE)
        if typed is not None:
            self._path = Path(naming.choose_folder(unquote_path(typed))) if typed else None
            self._follow(export)

    def _follow(self, export: ExportState) -> None:
        """Take the format of a path that was typed."""
        self._problem = ""
        try:
            if self._path is not None and self._path.suffix.lower() not in find_format(export.format).suffixes:
                export.format = choose_format(self._path).key
        except VideoError as problem:
            self._problem, self._path = str(problem), None

    def path(self) -> Path:
        """Return the path that was typed, else the first free name in the folder of captures."""
        if self._path is not None:
            return self._path
        usual = self._usual_path()
        return find_free(list_numbered(usual))

    def _usual_path(self) -> Path:
        export = self._state.export
        suffix = next(iter(find_format(export.format).suffixes), "")
        folder = naming.choose_folder(self._state.capture.folder)
        stem = {"on screen": "video", "timeline": "timeline", "film": "film"}[export.shows]
        return folder / f"{stem}{suffix}"

    def _ending(self, is_running: bool) -> None:
        """Draw how much is done, or what would be written, and the buttons."""
        jobs, theme = self._context.jobs, self._context.theme
        row = widgets.Row(2)
        if is_running:
            found = jobs.result(JOB)
            text = f"{found.done} of {found.total} frames" if found and found.done else "preparing"
            widgets.progress_bar(found.done / found.total if found and found.done else None, text, row.next_cell())
            row.next_cell()
            if widgets.button("Cancel", "End it; nothing is left behind.", width=-1):
                jobs.cancel(JOB)
                self._context.message, self._began = "The video was cancelled; nothing was written.", None
            return
        if widgets.button("Export", "Draw and write it; the window stays usable.", width=row.next_cell()):
            self.start()
        if widgets.button("Close", width=row.next_cell()):
            self._shown = False
        problem = self._problem or self._explain_stillness()
        if problem:
            widgets.sentence(problem, theme.error if self._problem else theme.warning)

    def _explain_stillness(self) -> str:
        """Return a sentence where all frames would be the same."""
        state = self._state
        if state.export.shows == "timeline" and not state.timeline.tracks:
            return "The timeline has no keys yet: put some on it under Timeline."
        moves = gestures.is_animating(state, has_noise=self._context.has_noise())
        if state.export.shows == "on screen" and not moves:
            return "Nothing moves by itself now: start an animation under Latent or Transform first."
        return ""

    def start(self) -> None:
        """Begin the export, or say what is wrong with it."""
        state, path = copy.deepcopy(self._state), self._path or self._usual_path()
        try:
            list_slots(state)
            check_options(make_options(state.export))
            if self._path is not None and os.path.exists(path):
                raise VideoError(f"{sanitize_text(path.name)} is there already: give another name.")
        except VideoError as problem:
            self._problem = str(problem)
            return
        self._problem, self._began = "", ExportRequest(state, path, numbered=self._path is None)
        self._context.jobs.start(JOB, self._began)

    def _tell_end(self) -> None:
        """Say once how a video ended."""
        status = self._context.jobs.statuses.get(JOB)
        if self._began is None or status is None or status.request is not self._began or not status.finished:
            return
        self._began = self._path = None
        self._problem = status.error or ""
        made: VideoProgress | None = status.result
        if made is not None and made.path is not None and not status.error:
            self._context.message = f"Wrote {sanitize_text(shorten_path(str(made.path)))} ({made.words})."
        else:
            self._context.message = status.error or "The video was not written."
