# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Write the w's of a picture to a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gan.data.latent_files import SUFFIXES, LatentError, write_w_file
from gan.files.atomic_write import NameTaken
from gan.files.errors import describe_error
from viz.core.request import PictureRequest, RenderRequest
from viz.render.jobs import JobRequest

if TYPE_CHECKING:
    from viz.render.renderer import Renderer

TAKEN = "is there already: give another name."


@dataclass(frozen=True, eq=False)
class SaveRequest(JobRequest[str]):
    """Write the w's of `picture` to a file that is not there yet; a sentence says where they are."""

    picture: PictureRequest
    path: str

    live = False

    def run(self, renderer: Renderer, shown: RenderRequest) -> Iterator[str | None]:
        """Write it, in one slice. Raises LatentError."""
        path = Path(os.path.abspath(os.path.expanduser(self.path)))
        if path.suffix.lower() not in SUFFIXES:
            raise LatentError(path, "is no name for w's: let it end in .npz, .npy or .safetensors.")
        if os.path.lexists(path):  # sooner than its w's are known
            raise LatentError(path, TAKEN)
        ws = renderer.find_ws(self.picture)[0].cpu().numpy()
        try:
            write_w_file(path, ws, overwrite=False)
        except NameTaken:  # meanwhile
            raise LatentError(path, TAKEN) from None
        except (OSError, ValueError) as problem:
            raise LatentError(path, f"cannot be written: {describe_error(problem)}.") from None
        yield f"Wrote {path}: {ws.shape[-2]} w's of {Path(self.picture.model).stem}."
