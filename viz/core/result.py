# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""Results of rendering one picture. Plain data, without torch, so that panels may read it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from gan.networks.config import GeneratorConfig
from viz.core.images import Pixels, size_of, to_host
from viz.core.request import PictureRequest

PICTURE = "picture"
"""Stands for a layer's name where the finished picture is meant."""


class ModelFigure(NamedTuple):
    """A measurement of a model: a kind of gan.metrics.names ("fid"), the full name, the number."""

    kind: str
    name: str
    value: float


@dataclass(frozen=True)
class ModelFacts:
    """The contents of a checkpoint, for display."""

    path: str
    layers: int
    parameters: int
    bytes: int
    learned_transform: bool  # w turns and moves that input (rung H on)
    config: GeneratorConfig  # what all its layers follow from
    kimg: float | None  # thousands of images seen in training, where the file says so
    classes: tuple[str, ...] = ()  # names of its classes, where the file says them
    label_mean: tuple[float, ...] | None = None  # of the vectors that it was trained with; None: classes, or not known
    figures: tuple[ModelFigure, ...] = ()  # measured when it was made, where the file says them


@dataclass(frozen=True)
class CheckpointInfo:
    """The contents of a file, known before anything of it is loaded.

    `facts` are None if it cannot be opened; `error` then says in one sentence why.
    """

    facts: ModelFacts | None
    words: str = ""  # what it is, what it draws, what code it carries
    file: str = ""  # what it is, in a word or two
    code: str = ""  # "1.2 KiB", "" where it carries none
    error: str = ""
    passing: bool = False  # whether the error may go although the file stays the same


@dataclass(frozen=True, eq=False)
class RenderResult:
    """One picture, or one sentence why there is none.

    `picture` is uint8 [H, W, 4], opaque unless `has_alpha`, None after an error; `enlarged` is the same enlarged for
    display, if it is small. Both may be on the device that rendered them: `image` and `smooth` are the same in memory,
    at the cost of a download, and `width` is known without one. `notice` is a sentence about a picture that is right
    but not all that was asked for (a transform that the model cannot follow); `computed` names the stages that were
    not in a cache.

    `learned` is the (r_c, r_s, t_x, t_y) that the model itself gives for this w, whatever the request put in its place;
    `kept` is the share of the Fourier input's power that the transform left inside its band. While a GPU is still
    rendering, `pending` is a function that waits for it and returns the whole result.
    """

    request: PictureRequest
    picture: Pixels | None = None
    enlarged: Pixels | None = None
    facts: ModelFacts | None = None
    error: str | None = None
    misfit: str = ""  # the name of the latent's or direction's file that the error is about: the model itself is fine
    notice: str | None = None
    model_ms: float = 0.0
    post_ms: float = 0.0
    learned: tuple[float, float, float, float] | None = None  # None where w moves nothing (before rung H)
    kept: float | None = None  # None without a Fourier input
    computed: frozenset[str] = frozenset()  # of load, mapping, synthesis
    how: str = ""  # number format, layout and what ran the model
    noise: float = 0.0  # the largest strength of noise that the model's layers learned
    version: tuple[int, int] = (0, 0)  # time and size of the model's file: written again, it is another model
    half: int = 0  # of how many of the highest resolutions the layers ran in float16
    pending: "Callable[[], RenderResult] | None" = None

    @property
    def has_alpha(self) -> bool:
        """True if the model draws RGBA: colours are not multiplied by the picture's alpha."""
        return self.facts is not None and self.facts.config.img_channels == 4

    @property
    def image(self) -> np.ndarray | None:
        """`picture` in memory, always the very same array."""
        return None if self.picture is None else to_host(self.picture)

    @property
    def smooth(self) -> np.ndarray | None:
        """`enlarged` in memory, always the very same array."""
        return None if self.enlarged is None else to_host(self.enlarged)

    @property
    def width(self) -> int:
        """Width of `picture` in pixels, 0 without one."""
        return 0 if self.picture is None else size_of(self.picture)[0]


def describe_error(problem: Exception) -> str | None:
    """Return one sentence for an error that a user can cause, None for one that only a mistake in the program can."""
    if isinstance(problem, MemoryError):
        return "There is not enough memory for this picture: close other programs or open a smaller model."
    if isinstance(problem, (ValueError, OSError)):
        return str(problem)
    if isinstance(problem, RuntimeError):  # torch's own, a full graphics card among them
        return f"The model could not be run: {(str(problem) or type(problem).__name__).splitlines()[0]}"
    return None
