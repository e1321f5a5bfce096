# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Captures as a job: draw or take pixels, put the state inside, write them or hand them to the clipboard."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gan.files.atomic_write import write_new
from gan.files.errors import describe_error
from viz.core.request import RenderRequest
from viz.core.state import AppState
from viz.record import naming
from viz.record.aside import work_aside
from viz.record.clipboard import copy_picture
from viz.record.png_text import RecordError
from viz.record.record import KEYWORD, What, make_record, to_text
from viz.render.jobs import JobRequest

if TYPE_CHECKING:
    import numpy as np

    from viz.render.renderer import Renderer

NO_PROGRAM = "No program here copies pictures (wl-copy or xclip would), so its path is copied."


@dataclass(frozen=True)
class Captured:
    """A capture that is done: its file, None on the clipboard, a sentence, and text for the clipboard, "" for none."""

    path: Path | None
    sentence: str
    text: str = ""


@dataclass(frozen=True, eq=False)
class CaptureRequest(JobRequest[Captured]):
    """Capture what a state shows, which nobody changes any more; `pixels` [H, W, 3] were taken from the screen.

    They are given for a canvas or a window; pictures are drawn, `size` pixels wide.
    """

    state: AppState
    what: What
    copies: bool = False  # to the clipboard, and not to a file
    pixels: np.ndarray | None = None

    live = False

    def run(self, renderer: Renderer, shown: RenderRequest) -> Iterator[Captured | None]:
        """Draw in slices, make the file's bytes on a thread of their own. Raises ValueError and OSError, sentences."""
        from gan.data.image_io import encode_png
        from viz.record.still import draw_in_slices

        settings = self.state.capture
        size, pixels, conditions, notice = settings.size, self.pixels, None, ""
        if pixels is None:
            slots: Any = ("left", "right") if self.what == "both" else (self.what,)
            pixels, conditions, notice = yield from draw_in_slices(self.state, slots, size, {}, renderer.models)
        else:
            size = 0
        text = {KEYWORD: to_text(make_record(self.state, self.what, size, conditions))}
        yield None
        measures, whole = f"{pixels.shape[1]}x{pixels.shape[0]}", pixels
        data = yield from work_aside(lambda stop: encode_png(whole, text, stop))
        if self.copies:
            with tempfile.TemporaryDirectory(prefix="jinc-") as place:
                copied = Path(place) / "picture.png"
                copied.write_bytes(data)
                is_copied = copy_picture(copied)
            if is_copied:
                yield Captured(None, f"Copied the picture ({measures}). {notice}".strip())
                return
        folder, values = naming.choose_folder(settings.folder), naming.describe_fields(self.state, self.what)
        try:
            with write_new(naming.list_names(folder, settings.name, values)) as new:
                new.temporary.write_bytes(data)
        except OSError as problem:
            why = f"The capture cannot be written to {folder}: {describe_error(problem)}."
            raise RecordError(f"{why} Choose another folder in the Capture panel.") from None
        wrote = f"Wrote {new.path} ({measures})."
        if self.copies:
            yield Captured(new.path, f"{NO_PROGRAM} {wrote}", str(new.path))
        else:
            yield Captured(new.path, f"{wrote} {notice}".strip())
