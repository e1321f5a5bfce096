# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""What a panel may read and call while it draws: results, timings, textures, and a few actions of the window."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from viz.core.frame_rate import Tally
from viz.core.result import Inside, ModelFacts, RenderResult
from viz.core.state import Slot
from viz.display.texture import TextureHandle
from viz.instruments.slice_recorder import Recorder
from viz.loading.downloads import Downloads
from viz.render.jobs import JobRequest, Reading
from viz.training.monitor import RunMonitor
from viz.ui.theme import Theme


class Pictures(NamedTuple):
    """What the canvas has to show: each slot's picture, and |left - right| times the gain with its RMS of 255."""

    left: TextureHandle | None = None
    right: TextureHandle | None = None
    difference: TextureHandle | None = None
    rms: float = 0.0

    def slot(self, name: Slot) -> TextureHandle | None:
        return self.left if name == "left" else self.right


class OperatorLine(NamedTuple):
    """One row of cuda_ops.status(): operator, what runs it, and why."""

    name: str
    implementation: str
    reason: str


class Presented(NamedTuple):
    """How the pictures come to their textures (viz/display/uploaders.py): the way, and why this one."""

    path: str
    reason: str


@dataclass
class Timings:
    """The last few seconds, in milliseconds, newest last. Model and post are the worker's, the others the window's."""

    frame: deque[float] = field(default_factory=lambda: deque(maxlen=240))
    model: dict[Slot, deque[float]] = field(
        default_factory=lambda: {"left": deque(maxlen=240), "right": deque(maxlen=240)}
    )
    post: deque[float] = field(default_factory=lambda: deque(maxlen=240))
    upload: deque[float] = field(default_factory=lambda: deque(maxlen=240))


def _no_action(*_: object) -> None:
    return None


@dataclass
class PanelContext:
    """Read by panels; owned and filled by the window (viz/app.py)."""

    theme: Theme
    results: dict[Slot, RenderResult | None] = field(default_factory=lambda: {"left": None, "right": None})
    busy: dict[Slot, float] = field(default_factory=lambda: {"left": 0.0, "right": 0.0})  # seconds it has rendered
    timings: Timings = field(default_factory=Timings)
    tally: Tally = field(default_factory=Tally)
    seconds: float = 0.0  # of this frame, for animations
    bundled: tuple[tuple[str, str], ...] = ()  # (name, path) of the models that come with Jinc
    devices: tuple[str, ...] = ("cpu",)
    operators: tuple[OperatorLine, ...] = ()
    presented: Presented | None = None  # None while there is no picture
    has_dialogs: bool = False  # whether the desktop offers a file dialog
    message: str = ""  # one sentence for the status bar
    open_model: Callable[[Slot, str], Any] = _no_action
    inside: Callable[[str], Inside | None] = _no_action  # what a file is; None while it is being read
    memory: Callable[[str], tuple[float, float]] = lambda _: (0.0, 0.0)  # (bytes of models, limit) on a device
    browse: Callable[[Slot], Any] = _no_action  # open a file dialog for a slot; only where has_dialogs
    picture: Callable[..., TextureHandle | None] = (
        _no_action  # (a name, viz.core.images.Pixels, width on screen) as a texture
    )
    downloads: Downloads = field(default_factory=Downloads)  # of models at addresses
    run: RunMonitor | None = None  # launches and follows training
    wanted: dict[str, JobRequest] = field(default_factory=dict)  # live jobs, asked for by the panels drawn this frame
    started: dict[str, JobRequest] = field(default_factory=dict)  # jobs that the user started, until cancelled
    turn: int = 0  # counts the jobs that the user started, so that two equal requests differ
    sorted: int = 0  # how often the layers' channels were sorted anew
    recorder: Recorder = field(default_factory=Recorder)
    recording: bool = False  # whether the x-t slices are looked at in this frame
    line_shown: bool = False  # whether they were in the frame before: then their line is on the pictures
    line_pointed: bool = False  # and the pointer on them: the line is then seen even away from the pictures
    readings: dict[str, Reading] = field(default_factory=dict)  # what jobs said last, kept when they end

    def reading(self, name: str) -> Reading | None:
        """What a job said last."""
        return self.readings.get(name)

    def running(self, name: str) -> bool:
        """Whether a job that the user started is under way."""
        reading = self.readings.get(name)
        return name in self.started and not (reading and reading.finished and reading.request == self.started[name])

    def error(self, slot: Slot) -> str | None:
        """Why this slot shows no picture, in one sentence; None if it does."""
        result = self.results[slot]
        return result.error if result else None

    def facts(self, slot: Slot) -> ModelFacts | None:
        """What is inside this slot's model, once it is loaded."""
        result = self.results[slot]
        return result.facts if result else None
