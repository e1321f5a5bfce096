# Copyright 2026 The Jinc Authors. SPDX-License-Identifier: Apache-2.0
"""The instrument panels as golden images show them: what each is filled with, and one window that draws them all."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from imgui_bundle import imgui

from gan.analysis.bands import Band
from support import synthetic
from support.gui import run_script
from viz.core.layer_info import find_layer
from viz.core.result import PICTURE, RenderResult
from viz.core.state import SLOTS, AppState, Slot
from viz.instruments.layers import LayerRequest, LayerView
from viz.instruments.slice_recorder import COLUMNS, SliceRecorder
from viz.instruments.spectrum import DATA, AverageProgress, AverageRequest, Averages, SpectrumRequest, SpectrumView
from viz.instruments.sticking import Measured, MeterRequest, MeterView, NeighbourhoodRequest
from viz.panels import layers, spectrum, sticking
from viz.render.jobs import JobStatus
from viz.ui.context import Jobs, PanelContext
from viz.window.ending import SETTLED_FRAMES
from viz.window.window import Window

SIZE = (1600, 1000)
DRAWN = 6  # frames that a panel is given: to come to the front, to find its size, to be drawn with it
Fill = Callable[[AppState, PanelContext], object]


class IdleWorker:
    """In the place of viz.render.worker.Worker: hands over what it is given, measures nothing, is never busy."""

    def __init__(self) -> None:
        self.results: dict[Slot, RenderResult] = {}

    def collect(self) -> dict[Slot, RenderResult]:
        results, self.results = self.results, {}
        return results

    def __getattr__(self, name: str) -> Callable[..., Any]:
        answers: dict[str, Any] = {"collect_statuses": {}, "is_busy": False, "is_measuring": False}
        return lambda *_, **__: answers.get(name, True)


@dataclass(frozen=True)
class Shot:
    """A panel filled with `fill(state, context)` on the models called by their rungs' letters, "" an empty slot."""

    panel: ModuleType
    fill: Fill = lambda state, context: None
    models: tuple[str, str] = ("B", "T")
    theme: str = "dark"
    rows: int | None = None  # that are kept of it, to keep the file small
    changed: Callable[[], AbstractContextManager[Any]] = nullcontext  # replaces something of the program meanwhile


# -- what panels are filled with ---------------------------------------------------------------------------------------


def looked_at(state: AppState, context: PanelContext, made: Callable[[Band], LayerView]) -> None:
    """The reading of the layers' job, of the left slot's layer."""
    facts = context.facts("left")
    assert facts is not None
    layer = find_layer(facts.config, state.layers.left)
    context.jobs.statuses[layers.JOB] = JobStatus(
        LayerRequest("left", layer.name, state.layers.mode), dataclasses.replace(made(layer), model=state.left.path)
    )


def sheet(state: AppState, context: PanelContext) -> None:
    state.layers.sort, state.layers.thumb = "energy", 40
    looked_at(state, context, synthetic.layer_sheet)


def colours(state: AppState, context: PanelContext) -> None:
    state.layers.mode, state.layers.gain, state.layers.common = "rgb", -3.0, True
    looked_at(state, context, synthetic.layer_colours)


def bands(state: AppState, context: PanelContext) -> dict[str, Band]:
    """Of what each slot's spectrum is."""
    found = {}
    for slot in SLOTS:
        facts = context.facts(slot)
        assert facts is not None
        layer = PICTURE if state.spectrum.source == "picture" else getattr(state.layers, slot)
        found[slot] = find_layer(facts.config, layer)
    return found


def spectra(state: AppState, context: PanelContext, averaged: bool) -> None:
    """The readings of the spectra's jobs: left falls off less than right."""
    of, chosen = bands(state, context), state.spectrum
    slopes = {"left": 30.0, "right": 40.0}
    looks = {slot: synthetic.look(band, slopes[slot], 1, ripple=3.0) for slot, band in of.items()}
    averages = {}
    if averaged:
        chosen.of_average, chosen.data = True, "."
        averages = {slot: synthetic.look(band, slopes[slot] + 4, 100) for slot, band in of.items()}
        averages[DATA] = synthetic.look(of["left"], 22.0, 100)
        request = AverageRequest((), 100, 8.0, ".")
        context.jobs.statuses[spectrum.AVERAGE] = JobStatus(
            request, AverageProgress(300, 300, Averages(request)), finished=True
        )
    looks = {slot: dataclasses.replace(look, model=state.slot(slot).path) for slot, look in looks.items()}
    main = (averages or looks)["left"]
    shown = SpectrumView(looks, averages, synthetic.heat(main, chosen.low, chosen.high))
    asked = SpectrumRequest((), "left", averaged, 8.0, 4, chosen.low, chosen.high, chosen.angle)
    context.jobs.statuses[spectrum.LIVE] = JobStatus(asked, shown)


def pictures_spectra(state: AppState, context: PanelContext) -> None:
    spectra(state, context, averaged=True)


def layers_spectra(state: AppState, context: PanelContext) -> None:
    state.spectrum.source, state.spectrum.at_0, state.spectrum.at_angle = "layer", False, True
    state.layers.left, state.layers.right = (find_layer(synthetic.config(letter), "L7").name for letter in "RT")
    spectra(state, context, averaged=False)


def filtered(number: str, state: AppState, context: PanelContext) -> None:
    state.layers.left = number


def slices(state: AppState, context: PanelContext) -> None:
    """Left the fine stripes stay while the coarse ones move, right both move, and jump; fewer pictures left."""
    for index in range(COLUMNS + 20):
        moved = index // 16
        if index >= 120:
            context.recorder.record("left", synthetic.result("B", 24 * moved, seed=index), state.sticking)
        context.recorder.record("right", synthetic.result("T", 24 * moved, 144 * moved, index), state.sticking)


def means(state: AppState, context: PanelContext) -> None:
    state.sticking.show = "mean"
    found = {
        slot: dataclasses.replace(synthetic.mean(share), model=state.slot(slot).path)
        for slot, share in (("left", 0.62), ("right", 0.04))
    }
    context.jobs.statuses[sticking.MEAN] = JobStatus(NeighbourhoodRequest(0.3, 100), found, finished=True)


def measured(left: Measured, right: Measured, done: int, state: AppState, context: PanelContext) -> None:
    state.sticking.show, state.sticking.num = "meters", 50
    request = MeterRequest((), 50)
    left, right = (
        dataclasses.replace(one, model=state.slot(slot).path) for slot, one in (("left", left), ("right", right))
    )
    found = MeterView({"left": left, "right": right}, done, 100)
    context.jobs.statuses[sticking.METERS] = JobStatus(request, found, finished=done == 100)
    if done < 100:
        context.jobs.started[sticking.METERS] = request


# -- the window --------------------------------------------------------------------------------------------------------


def begin(shot: Shot, window: Window, worker: IdleWorker) -> None:
    """The window's state and view as if it were new, filled for a shot; its pictures come from the worker."""
    state, context, new = window.state, window.context, AppState()
    for item in dataclasses.fields(new):
        setattr(state, item.name, getattr(new, item.name))
    state.display.theme, state.display.fps_limit, state.display.vsync = shot.theme, 0, False
    context.jobs, context.recorder = Jobs(), SliceRecorder()
    for slot, letter in zip(SLOTS, shot.models, strict=True):
        state.slot(slot).path = f"{letter.lower()}.safetensors" if letter else ""
        context.results[slot] = synthetic.result(letter) if letter else None
    shot.fill(state, context)
    worker.results = {slot: found for slot in SLOTS if (found := context.results[slot]) is not None}
    window.show(shot.panel.TITLE)


def framed(panel: ModuleType) -> np.ndarray:
    """The panel's pixels in the frame just drawn, uint8 [H, W, 3], without its tab."""
    from OpenGL import GL  # once there is a window, as in viz.display.texture

    width, height = (round(value) for value in imgui.get_io().display_size)
    GL.glPixelStorei(GL.GL_PACK_ALIGNMENT, 1)
    screen = np.frombuffer(GL.glReadPixels(0, 0, width, height, GL.GL_RGB, GL.GL_UNSIGNED_BYTE), np.uint8)
    screen = screen.reshape(height, width, 3)[::-1]
    inner = imgui.internal.find_window_by_name(panel.TITLE).inner_rect
    left, top, right, bottom = (round(value) for value in (inner.min.x, inner.min.y, inner.max.x, inner.max.y))
    return np.ascontiguousarray(screen[top:bottom, left:right])


def photographed(shots: Mapping[str, Shot]) -> tuple[dict[str, np.ndarray], str]:
    """Each shot's picture by its name, and what drew them: OpenGL's renderer and version."""
    from OpenGL import GL  # once there is a window, as in viz.display.texture

    state = AppState()
    state.display.width, state.display.height = SIZE
    window, taken, drawn_by = Window(state, strict=True), {}, []
    window.worker.close()
    worker: Any = IdleWorker()
    window.worker = worker

    def script() -> Iterator[None]:
        for _ in range(SETTLED_FRAMES):
            yield
        for name, shot in shots.items():
            with shot.changed():
                begin(shot, window, worker)
                for _ in range(DRAWN):
                    yield
                taken[name] = framed(shot.panel)[: shot.rows]
        drawn_by.extend(GL.glGetString(name).decode() for name in (GL.GL_RENDERER, GL.GL_VERSION))

    with closing(script()) as steps:
        run_script(window, steps, when="before_swap")
    return taken, ", ".join(drawn_by)
