# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Time a video beside its frames and its encoder alone: `python -m viz.record.video.bench MODEL`.

All three are measured in one run. Drawing and encoding overlap, so that a video takes at most their sum.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from viz.core.state import AppState
from viz.record.video.formats import FORMATS, VideoOptions, find_format
from viz.record.video.moving import MovingPictures, write_video
from viz.record.video.writer import open_video


def main() -> None:
    """Measure, and print one line for each round."""
    parser = argparse.ArgumentParser(prog="python -m viz.record.video.bench", description=__doc__)
    parser.add_argument("model", help="a checkpoint")
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--format", default="h264", choices=[kind.key for kind in FORMATS])
    parser.add_argument("--walk", action="store_true", help="walk the latent, too, not only the transform")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    kind = find_format(arguments.format)
    state = AppState()
    state.left.path, state.transform.animate, state.latent.animate = arguments.model, "circle", arguments.walk
    for _ in range(arguments.rounds):
        _measure(state, arguments.frames, VideoOptions(kind))


def _measure(state: AppState, count: int, options: VideoOptions) -> None:
    def make() -> MovingPictures:
        frames = MovingPictures(state, ("left",), options.fps, count / options.fps)
        frames.draw(count // 2)  # loads the model
        return frames

    frames = make()
    began = time.perf_counter()
    drawn = [frames.draw(index) for index in range(count)]
    model = time.perf_counter() - began
    with tempfile.TemporaryDirectory(prefix="jinc-") as folder:
        path = Path(folder) / ("video" + (options.format.suffixes or ("",))[0])
        began = time.perf_counter()
        with open_video(path, frames.size, options) as video:
            for frame in drawn:
                video.add(frame)
        encoder = time.perf_counter() - began
        frames = make()
        began = time.perf_counter()
        for _ in write_video(path, frames, options):
            pass
        whole = time.perf_counter() - began
    print(
        f"{count} frames of {frames.size[0]}x{frames.size[1]}, {options.format.title}: frames alone {model:.2f} s, "
        f"encoder alone {encoder:.2f} s, video {whole:.2f} s: {whole / (model + encoder):.2f} times their sum"
    )


if __name__ == "__main__":
    main()
