# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The context of a panel: what it may read and call while it draws. Filled by the window (viz/window/window.py)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from viz.core.bookmarks import BookmarkShelf
from viz.core.frame_rate import FrameRate
from viz.core.images import size_of
from viz.core.latent import FileLatent
from viz.core.latent_state import LayersDrag
from viz.core.request import PictureRequest
from viz.core.result import CheckpointInfo, ModelFacts, RenderResult
from viz.core.state import SLOTS, AppState, Slot
from viz.core.timeline_state import Timeline
from viz.display.texture import TextureHandle
from viz.instruments.gallery import PICTURES_KEPT
from viz.instruments.layers import ChannelOrder
from viz.instruments.slice_recorder import SliceRecorder
from viz.loading.downloads import Downloads
from viz.loading.lru_cache import LRUCache
from viz.osc.link import OscLink
from viz.record.save_export import Offer
from viz.record.timeline_edits import Copied, KeyName
from viz.render.jobs import JobRequest, JobStatus
from viz.training.monitor import RunMonitor
from viz.ui.theme import Theme

if TYPE_CHECKING:
    from cuda_ops import OperatorStatus
    from viz.render.worker import Worker

Result = TypeVar("Result")


class Pictures(NamedTuple):
    """The canvas's textures: each slot's picture, and |left - right| times the gain with its RMS of 255."""

    left: TextureHandle | None = None
    right: TextureHandle | None = None
    difference: TextureHandle | None = None
    rms: float = 0.0

    def slot(self, name: Slot) -> TextureHandle | None:
        return self.left if name == "left" else self.right


def _history() -> deque[float]:
    return deque(maxlen=240)


@dataclass
class Timings:
    """The last few seconds, in milliseconds, newest last. Model and post are the worker's, the others the window's."""

    frame: deque[float] = field(default_factory=_history)
    model: dict[Slot, deque[float]] = field(default_factory=lambda: {slot: _history() for slot in SLOTS})
    post: deque[float] = field(default_factory=_history)
    upload: deque[float] = field(default_factory=_history)
    rate: FrameRate = field(default_factory=FrameRate)
    busy: dict[Slot, float] = field(default_factory=lambda: dict.fromkeys(SLOTS, 0.0))  # seconds it has rendered
    seconds: float = 0.0  # that this frame lasts, for animations


@dataclass
class Models:
    """The models that can be opened, and the actions that open them."""

    bundled: tuple[tuple[str, str], ...] = ()  # (name, path) of the models that come with Jinc
    downloads: Downloads = field(default_factory=Downloads)  # of models at addresses
    has_dialogs: bool = False  # the desktop offers a file dialog
    open: Callable[[Slot, str], object] = lambda slot, path: None
    browse: Callable[[Slot], object] = lambda slot: None  # opens a file dialog; only where has_dialogs
    info: Callable[[str], CheckpointInfo | None] = lambda path: None  # of a file; None while it is being read
    before: Callable[[Slot], str] = lambda slot: ""  # the one that undoing brings back into a slot, "" if none


@dataclass
class Bookmarks:
    """The bookmarks, and the actions on their files; what fails is a sentence in the status bar."""

    shelf: BookmarkShelf = field(default_factory=BookmarkShelf)
    write: Callable[[str], object] = lambda path: None
    read: Callable[[str], object] = lambda path: None  # adds what a file holds
    browse: Callable[[bool], object] = lambda writes: None  # opens a file dialog; only where has_dialogs


@dataclass
class Lanes:
    """The places of the timeline's rows on the screen, as they were drawn last."""

    left: float = 0.0  # x of 0 seconds
    scale: float = 1.0  # pixels a second
    rows: dict[str, float] = field(default_factory=dict)  # y of a property's middle; "" is the row of all keys
    ruler: float = 0.0  # its middle

    def x(self, seconds: float) -> float:
        return self.left + seconds * self.scale

    def seconds(self, x: float) -> float:
        return (x - self.left) / self.scale


@dataclass
class TimelineDrag:
    """Keys that are being dragged: those that were chosen, and the timeline as it was."""

    timeline: Timeline
    chosen: frozenset[KeyName]
    held: float  # seconds of the key under the pointer
    began: float  # seconds under the pointer


@dataclass
class TimelineHand:
    """The keys that are chosen on the timeline, those that were copied, and what is being dragged."""

    chosen: frozenset[KeyName] = frozenset()
    copied: Copied = ()
    drag: TimelineDrag | None = None
    lanes: Lanes = field(default_factory=Lanes)
    is_pointed: bool = False  # in the last frame, with keys to copy or to paste: Ctrl-C and Ctrl-V mean those


@dataclass
class Captures:
    """The actions on captures; how they end is a sentence in the status bar. `last` is the newest file."""

    take: Callable[..., object] = lambda what=None: None  # one of CaptureState's, by default the one it names
    copy: Callable[[], object] = lambda: None  # the picture, to the clipboard
    open: Callable[[str], object] = lambda source: None  # a PNG, a state file, or a short text
    browse: Callable[[], object] = lambda: None  # opens a file dialog; only where Models.has_dialogs
    copy_command: Callable[[], object] = lambda: None
    copy_state: Callable[[], object] = lambda: None
    paste: Callable[[], object] = lambda: None
    cancel: Callable[[], object] = lambda: None  # those that are under way; nothing of them is left
    last: Path | None = None
    is_long: bool = False  # one has been under way for a while


@dataclass
class Exports:
    """The dialog that exports videos: `open` shows it, for "on screen", "timeline" or "film" (None: what it was)."""

    open: Callable[..., object] = lambda shows=None: None


@dataclass
class Machine:
    """The devices and libraries that do the work."""

    devices: tuple[str, ...] = ("cpu",)
    operators: tuple[OperatorStatus, ...] = ()
    presented: tuple[str, str] | None = None  # how pictures come to textures, and why so; None while there is none
    memory: Callable[[str], tuple[float, float]] = lambda device: (0.0, 0.0)  # (bytes of models, limit) on a device


@dataclass
class Jobs:
    """The panels' measurements by name: what they ask for, and what was answered last."""

    statuses: dict[str, JobStatus[Any]] = field(default_factory=dict)  # kept when a job ends
    started: dict[str, JobRequest[Any]] = field(default_factory=dict)
    _live: dict[str, JobRequest[Any]] = field(default_factory=dict)  # requested in this frame

    def request(self, name: str, request: JobRequest[Result]) -> JobStatus[Result] | None:
        """Ask for a live job and return its last status. It runs while this is called in every frame."""
        self._live[name] = request
        return self.statuses.get(name)

    def result(self, name: str) -> Any:
        """Return a job's newest result, None as long as there is none."""
        return self.statuses[name].result if name in self.statuses else None

    def error(self, name: str) -> str:
        """Return one sentence why a job has no result, "" if nothing failed."""
        return (self.statuses[name].error or "") if name in self.statuses else ""

    def start(self, name: str, request: JobRequest[Any]) -> None:
        """Start a job that runs to its end, unless it is cancelled or one of its models is closed."""
        self.started[name] = request
        self.statuses.pop(name, None)

    def cancel(self, name: str) -> None:
        """End a started job. Its last status stays."""
        self.started.pop(name, None)

    def is_running(self, name: str) -> bool:
        """Return True while a started job is under way."""
        status = self.statuses.get(name)
        return name in self.started and not (status and status.finished and status.request == self.started[name])

    def exchange(self, worker: Worker, state: AppState) -> None:
        """Take the statuses from the worker and give it the requests; once a frame, before panels are drawn."""
        for name, status in worker.collect_statuses().items():
            if self.started.get(name, status.request) == status.request:  # not of a job that was started again since
                self.statuses[name] = status
        for name, request in list(self.started.items()):
            if any(state.slot(slot).path != model for slot, model in request.models()):
                del self.started[name]  # the panels no longer show what it measures
        worker.request({**self._live, **self.started})
        self._live = {}


@dataclass
class Saving:
    """The files that panels save (viz.ui.saving): their names, and what is under way."""

    folder: str = ""  # of the last one in this session; "" that of captures
    captures: str = ""
    typed: str = ""  # a path without its ending, in the open menu
    dialog: tuple[str, Offer, str, Any] | None = None  # job, what, ending, the desktop's dialog
    running: set[str] = field(default_factory=set)  # names of jobs


@dataclass
class PanelContext:
    """Everything beside the state that a panel may use."""

    theme: Theme
    # The newest result of each slot's model, None while there is none; and what is on the screen until then, which may
    # be of the model before.
    results: dict[Slot, RenderResult | None] = field(default_factory=lambda: {"left": None, "right": None})
    drawn: dict[Slot, RenderResult | None] = field(default_factory=lambda: {"left": None, "right": None})
    timings: Timings = field(default_factory=Timings)
    models: Models = field(default_factory=Models)
    machine: Machine = field(default_factory=Machine)
    bookmarks: Bookmarks = field(default_factory=Bookmarks)
    timeline: TimelineHand = field(default_factory=TimelineHand)
    captures: Captures = field(default_factory=Captures)
    exports: Exports = field(default_factory=Exports)
    jobs: Jobs = field(default_factory=Jobs)
    saving: Saving = field(default_factory=Saving)
    recorder: SliceRecorder = field(default_factory=SliceRecorder)
    channel_order: ChannelOrder = field(default_factory=ChannelOrder)  # of the layers' sheet; a new one sorts again
    seed_pictures: LRUCache[np.ndarray] = field(default_factory=lambda: LRUCache(PICTURES_KEPT))  # of the gallery
    layers_drag: LayersDrag | None = None  # of the range of w's that directions move
    training: RunMonitor | None = None  # launches and follows training
    osc: OscLink | None = None  # receives and sends OSC
    message: str = ""  # one sentence for the status bar
    typed: dict[int, tuple[str, str]] = field(default_factory=dict)  # paths in fields, as `widgets.text_field` has them
    # (name, pixels, width on screen) -> a texture that shows them
    texture: Callable[..., TextureHandle] = lambda name, pixels, width=None: TextureHandle(0, *size_of(pixels))

    def error(self, slot: Slot) -> str | None:
        """Return one sentence on why this slot shows no picture, None if it does."""
        result = self.results[slot]
        return result.error if result else None

    def explain_nothing(self, state: AppState, slot: Slot) -> str:
        """Return one sentence on why there is nothing to see in a slot yet, or what is to be done before there is."""
        result = self.results[slot]
        if result is None or not result.error:
            return self.explain_wait(state, slot) or f"Nothing is shown in the {slot} slot: open a model there."
        if result.misfit:
            advice = advise_on_misfit(state, slot, result.misfit)
            return f"{result.misfit} cannot be used with the {slot} model: {advice}."
        return f"The model in the {slot} slot cannot be shown: {result.error}"

    def explain_wait(self, state: AppState, *slots: Slot) -> str:
        """Return which model is being opened in the first of these slots that waits for one, "" if none does."""
        waiting = (state.slot(slot).path for slot in slots if self.results[slot] is None)
        return next((f"Opening {Path(path).name} …" for path in waiting if path), "")

    def shown(self) -> tuple[tuple[Slot, PictureRequest], ...]:
        """Return the slots that show a picture, each with the request of it."""
        return tuple((slot, result.request) for slot, result in self.results.items() if result and not result.error)

    def facts(self, slot: Slot) -> ModelFacts | None:
        """Return what is inside this slot's model, once it is loaded."""
        result = self.results[slot]
        return result.facts if result else None

    def has_noise(self) -> bool:
        """Return whether a model that is shown has noise which changes its picture."""
        return any(result is not None and result.noise > 0 for result in self.results.values())


def advise_on_misfit(state: AppState, slot: Slot, name: str) -> str:
    """Return what to do about a file of a latent or a direction, of this name, that does not fit a slot's model."""
    latent = state.latent_of(slot)
    if any(Path(step.direction.path).name == name for step in latent.directions.steps):
        return "reset the sliders, or open another file, under Directions"
    own = latent.base()
    panel = "Latent" if isinstance(own, FileLatent) and own.name == name else "Mixing"
    return f"choose seeds, or another file, under {panel}"
