# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Write what a panel shows to a file, as a job beside the pictures."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gan.files.atomic_write import NameTaken, atomic_write, list_numbered, write_new
from gan.files.errors import describe_error
from viz.core.request import RenderRequest
from viz.record.aside import work_aside
from viz.render.jobs import JobRequest
from viz.reports.export import Export, ExportError, check_kind, encode_export

if TYPE_CHECKING:
    from viz.render.renderer import Renderer

ExportSource = Callable[["Renderer"], Export]  # is called on the worker's thread, and may run the models


@dataclass(frozen=True, eq=False)
class Offer:
    """Something that a panel can save now: the name of a file without its ending, and a function that collects it."""

    name: str
    source: ExportSource


@dataclass(frozen=True, eq=False)
class SaveExport(JobRequest[str]):
    """Write an export to `path`; a sentence says where it is.

    `overwrite`: the user was asked about what is there. `numbered`: else, the name gets the first number that is free.
    """

    source: ExportSource
    path: Path
    overwrite: bool = False
    numbered: bool = False

    live = False

    def run(self, renderer: Renderer, shown: RenderRequest) -> Iterator[str | None]:
        """Collect it in a slice, and draw it on a thread of its own: pictures go on. Raises ExportError."""
        check_kind(self.path, "The name")
        self._refuse_existing()
        export = self.source(renderer)
        yield None
        try:
            data = yield from work_aside(lambda stop: encode_export(export, self.path.suffix.lower()))
            written = self._write(data)
        except NameTaken:
            raise self._explain_existing() from None
        except ImportError:
            raise ExportError("Figures need matplotlib: python -m pip install matplotlib") from None
        except OSError as problem:
            raise ExportError(f"{self.path} cannot be written: {describe_error(problem)}.") from None
        yield f"Wrote {written}."

    def _refuse_existing(self) -> None:
        if not self.numbered and os.path.exists(self.path) and (not self.overwrite or os.path.isdir(self.path)):
            raise self._explain_existing()

    def _explain_existing(self) -> ExportError:
        return ExportError(f"{self.path.name} is there already: give another name.")

    def _write(self, data: bytes) -> Path:
        """Write the file and return its path; NameTaken if another came in between."""
        if self.overwrite:
            self._refuse_existing()
            with atomic_write(self.path) as temporary:
                temporary.write_bytes(data)
            return self.path
        with write_new(list_numbered(self.path) if self.numbered else [self.path]) as new:
            new.temporary.write_bytes(data)
        assert new.path is not None
        return new.path
