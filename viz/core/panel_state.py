# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The settings of what is small: bookmarks, the gallery, captures, exports, training; parts of viz.core.state."""

from dataclasses import dataclass

from viz.core.latent import LARGEST_SEED
from viz.core.state_fields import choice, number

LARGEST_SIZE = 8192  # pixels
DEFAULT_NAME = "{model}-{latent}-{number}"


@dataclass
class BookmarksState:
    """The strip, and the two bookmarks (their keys, "" none) between which `blend` is a point, from 0 to 1."""

    shown: bool = True
    first: str = ""
    second: str = ""
    blend: float = number(0.0, 0.0, 1.0)


@dataclass
class GalleryState:
    """A square of `size` by `size` seeds from `first` on, of the model in `slot`; `both` slots take what is clicked."""

    slot: str = choice("left", "right")
    size: int = number(4, 2, 10)
    first: int = number(0, 0, LARGEST_SEED)
    both: bool = False


@dataclass
class CaptureState:
    """Settings of a capture: `what` is kept, in a `folder` ("" the user's pictures), under a `name` with fields.

    `size` is the pictures' width in pixels, 0 the model's own; a canvas and a window have the one they have on screen.
    """

    what: str = choice("left", "right", "both", "canvas", "window")
    size: int = number(0, 0, LARGEST_SIZE)
    folder: str = ""
    name: str = DEFAULT_NAME


@dataclass
class ExportState:
    """Settings of a video: `shows` what is on screen as it moves, the timeline, or a film of two models.

    `seconds` and `slots` are of what is on screen, `seconds` and `motion` of a film; `size` is the pictures' width in
    pixels, 0 the models' own.
    """

    shows: str = choice("on screen", "timeline", "film")
    seconds: float = number(6.0, 0.1, 3600.0)
    slots: str = choice("both", "left", "right")
    motion: str = choice("circle", "x", "rotate", "walk")
    format: str = choice("h264", "vp9", "av1", "webp", "gif", "png")
    size: int = number(512, 0, 4096)
    fps: float = number(30.0, 1.0, 240.0)
    quality: int = number(80, 1, 100)


@dataclass
class TrainingState:
    """The settings of the next training run, and the run folder last followed ("" none).

    For batch, gamma and kimg 0 is automatic: the trainer takes its preset's.
    """

    source: str = "critters"  # or the path of a folder or zip
    pictures: int = number(2000, 16, 1_000_000)  # critters to draw
    rung: str = choice("T", *"ABCDEFGHR")
    start_from: str = choice("nothing", "left", "right")  # or the model open in a slot
    resolution: int = number(32, 4, 4096)
    batch: int = number(0, 0, 4096)
    gamma: float = number(0.0, 0.0, 1e6)
    kimg: float = number(0.0, 0.0, 1e6)
    preset: str = choice("tiny", "paper")
    augment: str = choice("automatic", "adaptive", "never")
    outdir: str = "training-runs"
    run_folder: str = ""
    follow_left: bool = False  # keep the slot on the run's newest snapshot
    follow_right: bool = False
    log_scale: bool = True  # of the losses
    curve: str = ""  # the metric drawn in their place, "" none
